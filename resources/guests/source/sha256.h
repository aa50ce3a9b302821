/* SHA-256 (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869) with it. */
#ifndef SHA256_H
#define SHA256_H

#include "abi.h"

#define SHA256_BYTES 32u
#define SHA256_BLOCK_BYTES 64u

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[SHA256_BLOCK_BYTES];
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t length);
void sha256_end(struct sha256 *hash, uint8_t out[32]);

/* Keys of at most SHA256_BLOCK_BYTES; the message is `first` and then `second`. */
void hmac_sha256(uint8_t out[32], const uint8_t *key, size_t key_length, const void *first, size_t first_length,
                 const void *second, size_t second_length);
/* The first 32 bytes of HKDF; the salt has at most SHA256_BLOCK_BYTES. */
void hkdf_sha256(uint8_t out[32], const uint8_t *salt, size_t salt_length, const uint8_t *secret, size_t secret_length,
                 const void *info, size_t info_length);

#endif
