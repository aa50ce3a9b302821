/* AES-256 (FIPS 197), XTS-AES-256 (IEEE 1619) for the disk, CCM (NIST SP 800-38C) for the mailbox and the sealed keys,
   GCM (NIST SP 800-38D) for messages to the firmware. */
#ifndef AES_H
#define AES_H

#include "abi.h"

#define AES_BLOCK_BYTES 16u
#define AES_ROUNDS 14u

struct aes {
    /* Round keys in memory order, as both the instructions and little-endian words want them. */
    uint32_t encrypt[4 * (AES_ROUNDS + 1)] __attribute__((aligned(16)));
    uint32_t decrypt[4 * (AES_ROUNDS + 1)] __attribute__((aligned(16)));
};

/* Once, before any other call. Uses the processor's AES instructions where CPUID has them, else tables. */
void aes_setup(void);
bool aes_uses_instructions(void);
void aes_key(struct aes *aes, const uint8_t key[32]);
void aes_encrypt(const struct aes *aes, const uint8_t in[16], uint8_t out[16]);
void aes_decrypt(const struct aes *aes, const uint8_t in[16], uint8_t out[16]);

struct xts {
    struct aes data, tweak;
};

void xts_key(struct xts *xts, const uint8_t key[64]);
/* One data unit of SECTOR_BYTES; `unit` is the number that tweaks it. */
void xts_decrypt_sector(const struct xts *xts, uint64_t unit, const uint8_t *in, uint8_t *out);

#define CCM_NONCE_BYTES 13u
#define CCM_TAG_BYTES 16u

/* What is authenticated but not encrypted: at most 65,279 bytes, none for {NULL, 0}. */
struct associated {
    const uint8_t *data;
    size_t length;
};

/* In place. `length` is below 65,536. */
void ccm_seal(const struct aes *aes, const uint8_t *nonce, struct associated associated, uint8_t *data, size_t length,
              uint8_t tag[16]);
/* Returns whether the message is authentic; where it is not, `data` is zeroed. */
bool ccm_open(const struct aes *aes, const uint8_t *nonce, struct associated associated, uint8_t *data, size_t length,
              const uint8_t tag[16]);

#define GCM_NONCE_BYTES 12u
#define GCM_TAG_BYTES 16u

/* As the two above. */
void gcm_seal(const struct aes *aes, const uint8_t *nonce, struct associated associated, uint8_t *data, size_t length,
              uint8_t tag[16]);
bool gcm_open(const struct aes *aes, const uint8_t *nonce, struct associated associated, uint8_t *data, size_t length,
              const uint8_t tag[16]);

#endif
