#include "sha256.h"

#include "platform.h"

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t right(uint32_t x, unsigned n) { return x >> n | x << (32 - n); }

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64], s[8];
    for (unsigned i = 0; i < 16; i++)
        w[i] = __builtin_bswap32(load_le32(block + 4 * i));
    for (unsigned i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (right(a, 7) ^ right(a, 18) ^ a >> 3) + w[i - 7] + (right(b, 17) ^ right(b, 19) ^ b >> 10);
    }
    for (unsigned i = 0; i < 8; i++)
        s[i] = state[i];
    for (unsigned i = 0; i < 64; i++) {
        uint32_t a = s[0], e = s[4];
        uint32_t t1 = s[7] + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + constants[i] + w[i];
        uint32_t t2 = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        for (unsigned j = 7; j > 0; j--)
            s[j] = s[j - 1];
        s[4] = s[4] + t1;
        s[0] = t1 + t2;
    }
    for (unsigned i = 0; i < 8; i++)
        state[i] = state[i] + s[i];
    wipe(w, sizeof w);
}

void sha256_begin(struct sha256 *hash)
{
    static const uint32_t initial[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    memcpy(hash->state, initial, sizeof initial);
    hash->length = 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t length)
{
    const uint8_t *from = data;
    while (length) {
        size_t used = hash->length % SHA256_BLOCK_BYTES, room = SHA256_BLOCK_BYTES - used;
        size_t n = length < room ? length : room;
        memcpy(hash->block + used, from, n);
        hash->length = hash->length + n;
        from += n;
        length -= n;
        if (n == room)
            compress(hash->state, hash->block);
    }
}

void sha256_end(struct sha256 *hash, uint8_t out[32])
{
    static const uint8_t one_bit = 0x80, zeros[SHA256_BLOCK_BYTES];
    uint64_t bits = __builtin_bswap64(hash->length * 8);
    sha256_add(hash, &one_bit, 1);
    size_t used = hash->length % SHA256_BLOCK_BYTES;
    sha256_add(hash, zeros, (used <= 56 ? 56 : 56 + SHA256_BLOCK_BYTES) - used);
    sha256_add(hash, &bits, sizeof bits);
    for (unsigned i = 0; i < 8; i++) {
        uint32_t word = __builtin_bswap32(hash->state[i]);
        memcpy(out + 4 * i, &word, 4);
    }
    wipe(hash, sizeof *hash);
}

static void begin_padded(struct sha256 *hash, const uint8_t *key, size_t key_length, uint8_t with)
{
    uint8_t block[SHA256_BLOCK_BYTES];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (i < key_length ? key[i] : 0) ^ with;
    sha256_begin(hash);
    sha256_add(hash, block, sizeof block);
    wipe(block, sizeof block);
}

void hmac_sha256(uint8_t out[32], const uint8_t *key, size_t key_length, const void *first, size_t first_length,
                 const void *second, size_t second_length)
{
    struct sha256 hash;
    uint8_t inner[SHA256_BYTES];
    begin_padded(&hash, key, key_length, 0x36);
    sha256_add(&hash, first, first_length);
    sha256_add(&hash, second, second_length);
    sha256_end(&hash, inner);
    begin_padded(&hash, key, key_length, 0x5c);
    sha256_add(&hash, inner, sizeof inner);
    sha256_end(&hash, out);
    wipe(inner, sizeof inner);
}

void hkdf_sha256(uint8_t out[32], const uint8_t *salt, size_t salt_length, const uint8_t *secret, size_t secret_length,
                 const void *info, size_t info_length)
{
    static const uint8_t number = 1;
    uint8_t extracted[SHA256_BYTES];
    hmac_sha256(extracted, salt, salt_length, secret, secret_length, NULL, 0);
    hmac_sha256(out, extracted, sizeof extracted, info, info_length, &number, 1);
    wipe(extracted, sizeof extracted);
}
