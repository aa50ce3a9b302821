#include "aes.h"
#include "platform.h"

#define LENGTH_BYTES 2u
#define FLAGS_B0 (8u * ((CCM_TAG_BYTES - 2) / 2) + (LENGTH_BYTES - 1))
#define FLAGS_COUNTER (LENGTH_BYTES - 1)
#define FLAG_ASSOCIATED 0x40u

static void block_of(uint8_t out[16], uint8_t flags, const uint8_t *nonce, size_t number)
{
    out[0] = flags;
    memcpy(out + 1, nonce, CCM_NONCE_BYTES);
    out[14] = (uint8_t)(number >> 8);
    out[15] = (uint8_t)number;
}

static void absorb(const struct aes *aes, uint8_t mac[16], const uint8_t *data, size_t length)
{
    for (size_t at = 0; at < length; at += AES_BLOCK_BYTES) {
        for (size_t i = 0; i < AES_BLOCK_BYTES && at + i < length; i++)
            mac[i] ^= data[at + i];
        aes_encrypt(aes, mac, mac);
    }
}

/* The tag over the clear data, before it is encrypted. */
static void authenticate(const struct aes *aes, const uint8_t *nonce, struct associated associated, const uint8_t *data,
                         size_t length, uint8_t mac[16])
{
    block_of(mac, FLAGS_B0 | (associated.length ? FLAG_ASSOCIATED : 0), nonce, length);
    aes_encrypt(aes, mac, mac);
    if (associated.length) {
        /* Its length in two bytes and its beginning share a block. */
        size_t first = associated.length < 14 ? associated.length : 14;
        mac[0] ^= (uint8_t)(associated.length >> 8);
        mac[1] ^= (uint8_t)associated.length;
        for (size_t i = 0; i < first; i++)
            mac[2 + i] ^= associated.data[i];
        aes_encrypt(aes, mac, mac);
        absorb(aes, mac, associated.data + first, associated.length - first);
    }
    absorb(aes, mac, data, length);
}

static void counter_mode(const struct aes *aes, const uint8_t *nonce, size_t first, uint8_t *data, size_t length)
{
    uint8_t counter[16], pad[16];
    for (size_t at = 0; at < length; at += AES_BLOCK_BYTES) {
        block_of(counter, FLAGS_COUNTER, nonce, first + at / AES_BLOCK_BYTES);
        aes_encrypt(aes, counter, pad);
        for (size_t i = 0; i < AES_BLOCK_BYTES && at + i < length; i++)
            data[at + i] ^= pad[i];
    }
}

void ccm_seal(const struct aes *aes, const uint8_t *nonce, struct associated associated, uint8_t *data, size_t length,
              uint8_t tag[16])
{
    authenticate(aes, nonce, associated, data, length, tag);
    counter_mode(aes, nonce, 0, tag, CCM_TAG_BYTES);
    counter_mode(aes, nonce, 1, data, length);
}

bool ccm_open(const struct aes *aes, const uint8_t *nonce, struct associated associated, uint8_t *data, size_t length,
              const uint8_t tag[16])
{
    uint8_t expected[16], difference = 0;
    counter_mode(aes, nonce, 1, data, length);
    authenticate(aes, nonce, associated, data, length, expected);
    counter_mode(aes, nonce, 0, expected, CCM_TAG_BYTES);
    for (size_t i = 0; i < CCM_TAG_BYTES; i++)
        difference |= expected[i] ^ tag[i];
    if (difference)
        memset(data, 0, length);
    return !difference;
}
