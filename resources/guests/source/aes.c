#include "aes.h"

#include "platform.h"

static uint8_t sbox[256], inverse_sbox[256];
static uint32_t encrypt_table[256], decrypt_table[256];
static bool instructions;

static uint8_t twice(uint8_t x) { return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0)); }

static uint8_t multiply(uint8_t x, uint8_t y)
{
    uint8_t r = 0;
    for (; y; y >>= 1, x = twice(x))
        if (y & 1)
            r ^= x;
    return r;
}

static uint32_t rotate(uint32_t x, unsigned n) { return x << n | x >> ((32 - n) & 31); }

static uint32_t column(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return a | (uint32_t)b << 8 | (uint32_t)c << 16 | (uint32_t)d << 24;
}

void aes_setup(void)
{
    /* p runs through all powers of 3, q through their inverses (the powers of 1/3 = 0xf6). */
    uint8_t p = 1, q = 1;
    do {
        p = (uint8_t)(p ^ twice(p));
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        if (q & 0x80)
            q ^= 0x09;
        uint8_t x = q;
        for (unsigned n = 1; n <= 4; n++)
            x ^= (uint8_t)(q << n | q >> (8 - n));
        sbox[p] = x ^ 0x63;
    } while (p != 1);
    sbox[0] = 0x63;
    for (unsigned i = 0; i < 256; i++)
        inverse_sbox[sbox[i]] = (uint8_t)i;
    for (unsigned i = 0; i < 256; i++) {
        uint8_t s = sbox[i], v = inverse_sbox[i];
        encrypt_table[i] = column(twice(s), s, s, twice(s) ^ s);
        decrypt_table[i] = column(multiply(v, 14), multiply(v, 9), multiply(v, 13), multiply(v, 11));
    }
    instructions = cpuid(1).ecx & 1u << 25;
}

bool aes_uses_instructions(void) { return instructions; }

static uint32_t substitute(uint32_t w)
{
    return column(sbox[w & 255], sbox[w >> 8 & 255], sbox[w >> 16 & 255], sbox[w >> 24]);
}

static uint32_t inverse_mix(uint32_t w)
{
    return decrypt_table[sbox[w & 255]] ^ rotate(decrypt_table[sbox[w >> 8 & 255]], 8) ^
           rotate(decrypt_table[sbox[w >> 16 & 255]], 16) ^ rotate(decrypt_table[sbox[w >> 24]], 24);
}

void aes_key(struct aes *aes, const uint8_t key[32])
{
    uint32_t *w = aes->encrypt;
    uint8_t round_constant = 1;
    memcpy(w, key, 32);
    for (unsigned i = 8; i < 4 * (AES_ROUNDS + 1); i++) {
        uint32_t t = w[i - 1];
        if (i % 8 == 0) {
            t = substitute(rotate(t, 24)) ^ round_constant;
            round_constant = twice(round_constant);
        } else if (i % 8 == 4) {
            t = substitute(t);
        }
        w[i] = w[i - 8] ^ t;
    }
    /* The equivalent inverse cipher: keys in reverse, the inner ones through InvMixColumns. */
    for (unsigned round = 0; round <= AES_ROUNDS; round++)
        for (unsigned c = 0; c < 4; c++) {
            uint32_t k = w[4 * (AES_ROUNDS - round) + c];
            aes->decrypt[4 * round + c] = round == 0 || round == AES_ROUNDS ? k : inverse_mix(k);
        }
}

/* `step` is 1 for the cipher's ShiftRows and 3 (= -1 modulo 4) for the inverse. */
static inline void by_tables(const uint32_t *key, const uint32_t *table, const uint8_t *box, unsigned step,
                             const uint8_t *in, uint8_t *out)
{
    uint32_t s[4], t[4];
    memcpy(s, in, 16);
    for (unsigned c = 0; c < 4; c++)
        s[c] ^= key[c];
    for (unsigned round = 1; round < AES_ROUNDS; round++) {
        key += 4;
        for (unsigned c = 0; c < 4; c++)
            t[c] = key[c] ^ table[s[c] & 255] ^ rotate(table[s[(c + step) & 3] >> 8 & 255], 8) ^
                   rotate(table[s[(c + 2) & 3] >> 16 & 255], 16) ^ rotate(table[s[(c + 3 * step) & 3] >> 24], 24);
        for (unsigned c = 0; c < 4; c++)
            s[c] = t[c];
    }
    key += 4;
    for (unsigned c = 0; c < 4; c++)
        t[c] = key[c] ^ column(box[s[c] & 255], box[s[(c + step) & 3] >> 8 & 255], box[s[(c + 2) & 3] >> 16 & 255],
                               box[s[(c + 3 * step) & 3] >> 24]);
    memcpy(out, t, 16);
}

typedef long long block __attribute__((vector_size(16)));

static inline block load_block(const void *p)
{
    block b;
    __builtin_memcpy(&b, p, 16);
    return b;
}

__attribute__((target("aes"))) static void encrypt_by_instructions(const uint32_t *key, const uint8_t *in, uint8_t *out)
{
    block b = load_block(in) ^ load_block(key);
    for (unsigned round = 1; round < AES_ROUNDS; round++)
        b = __builtin_ia32_aesenc128(b, load_block(key + 4 * round));
    b = __builtin_ia32_aesenclast128(b, load_block(key + 4 * AES_ROUNDS));
    __builtin_memcpy(out, &b, 16);
}

__attribute__((target("aes"))) static void decrypt_by_instructions(const uint32_t *key, const uint8_t *in, uint8_t *out)
{
    block b = load_block(in) ^ load_block(key);
    for (unsigned round = 1; round < AES_ROUNDS; round++)
        b = __builtin_ia32_aesdec128(b, load_block(key + 4 * round));
    b = __builtin_ia32_aesdeclast128(b, load_block(key + 4 * AES_ROUNDS));
    __builtin_memcpy(out, &b, 16);
}

void aes_encrypt(const struct aes *aes, const uint8_t in[16], uint8_t out[16])
{
    if (instructions)
        encrypt_by_instructions(aes->encrypt, in, out);
    else
        by_tables(aes->encrypt, encrypt_table, sbox, 1, in, out);
}

void aes_decrypt(const struct aes *aes, const uint8_t in[16], uint8_t out[16])
{
    if (instructions)
        decrypt_by_instructions(aes->decrypt, in, out);
    else
        by_tables(aes->decrypt, decrypt_table, inverse_sbox, 3, in, out);
}
