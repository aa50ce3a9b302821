#include "aes.h"
#include "platform.h"

/* An element of GF(2^128), most significant bits (the lowest powers) in `high`. */
struct element {
    uint64_t high, low;
};

static struct element load_element(const uint8_t *p)
{
    return (struct element){ __builtin_bswap64(load_le64(p)), __builtin_bswap64(load_le64(p + 8)) };
}

/* Bit by bit and without tables, so that neither time nor addresses tell of the key. */
static struct element multiply(struct element x, struct element y)
{
    struct element z = { 0, 0 };
    for (unsigned i = 0; i < 128; i++) {
        uint64_t take = 0 - (x.high >> 63), reduce = 0 - (y.low & 1);
        z.high = z.high ^ (y.high & take);
        z.low = z.low ^ (y.low & take);
        y.low = y.low >> 1 | y.high << 63;
        y.high = y.high >> 1 ^ (reduce & 0xe1ull << 56);
        x.high = x.high << 1 | x.low >> 63;
        x.low = x.low << 1;
    }
    return z;
}

static struct element absorb(struct element sum, struct element key, const uint8_t *data, size_t length)
{
    for (size_t at = 0; at < length; at += AES_BLOCK_BYTES) {
        uint8_t block[AES_BLOCK_BYTES] = { 0 };
        memcpy(block, data + at, length - at < sizeof block ? length - at : sizeof block);
        struct element next = load_element(block);
        sum = multiply((struct element){ sum.high ^ next.high, sum.low ^ next.low }, key);
    }
    return sum;
}

/* The pad of the counter `number` under a nonce of 96 bits; the tag's is number 1, the data's begin at 2. */
static void pad_of(const struct aes *aes, const uint8_t *nonce, uint32_t number, uint8_t pad[16])
{
    uint32_t big_endian = __builtin_bswap32(number);
    memcpy(pad, nonce, GCM_NONCE_BYTES);
    memcpy(pad + GCM_NONCE_BYTES, &big_endian, 4);
    aes_encrypt(aes, pad, pad);
}

static void counter_mode(const struct aes *aes, const uint8_t *nonce, uint8_t *data, size_t length)
{
    uint8_t pad[AES_BLOCK_BYTES];
    for (size_t at = 0; at < length; at += sizeof pad) {
        pad_of(aes, nonce, (uint32_t)(at / sizeof pad) + 2, pad);
        for (size_t i = 0; i < sizeof pad && at + i < length; i++)
            data[at + i] = data[at + i] ^ pad[i];
    }
}

/* Over the encrypted data. */
static void authenticate(const struct aes *aes, const uint8_t *nonce, struct associated associated, const uint8_t *data,
                         size_t length, uint8_t tag[16])
{
    uint8_t block[AES_BLOCK_BYTES] = { 0 };
    aes_encrypt(aes, block, block);
    struct element key = load_element(block);
    struct element sum = absorb((struct element){ 0, 0 }, key, associated.data, associated.length);
    sum = absorb(sum, key, data, length);
    sum.high = sum.high ^ (uint64_t)associated.length * 8;
    sum.low = sum.low ^ (uint64_t)length * 8;
    sum = multiply(sum, key);
    pad_of(aes, nonce, 1, tag);
    store_le64(tag, load_le64(tag) ^ __builtin_bswap64(sum.high));
    store_le64(tag + 8, load_le64(tag + 8) ^ __builtin_bswap64(sum.low));
    wipe(block, sizeof block);
}

void gcm_seal(const struct aes *aes, const uint8_t *nonce, struct associated associated, uint8_t *data, size_t length,
              uint8_t tag[16])
{
    counter_mode(aes, nonce, data, length);
    authenticate(aes, nonce, associated, data, length, tag);
}

bool gcm_open(const struct aes *aes, const uint8_t *nonce, struct associated associated, uint8_t *data, size_t length,
              const uint8_t tag[16])
{
    uint8_t expected[GCM_TAG_BYTES], difference = 0;
    authenticate(aes, nonce, associated, data, length, expected);
    for (size_t i = 0; i < sizeof expected; i++)
        difference |= expected[i] ^ tag[i];
    if (difference)
        memset(data, 0, length);
    else
        counter_mode(aes, nonce, data, length);
    return !difference;
}
