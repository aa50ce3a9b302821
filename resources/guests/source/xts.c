#include "aes.h"
#include "platform.h"

void xts_key(struct xts *xts, const uint8_t key[64])
{
    aes_key(&xts->data, key);
    aes_key(&xts->tweak, key + 32);
}

void xts_decrypt_sector(const struct xts *xts, uint64_t unit, const uint8_t *in, uint8_t *out)
{
    uint64_t tweak[2] = { unit, 0 }, x[2];
    aes_encrypt(&xts->tweak, (const uint8_t *)tweak, (uint8_t *)tweak);
    for (size_t at = 0; at < SECTOR_BYTES; at += AES_BLOCK_BYTES) {
        x[0] = load_le64(in + at) ^ tweak[0];
        x[1] = load_le64(in + at + 8) ^ tweak[1];
        aes_decrypt(&xts->data, (const uint8_t *)x, (uint8_t *)x);
        store_le64(out + at, x[0] ^ tweak[0]);
        store_le64(out + at + 8, x[1] ^ tweak[1]);
        /* Times alpha in GF(2^128). */
        uint64_t carry = -(tweak[1] >> 63) & 0x87;
        tweak[1] = tweak[1] << 1 | tweak[0] >> 63;
        tweak[0] = tweak[0] << 1 ^ carry;
    }
}
