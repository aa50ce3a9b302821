/* X25519 (RFC 7748): a shared secret of two private keys. No branch and no address depends on a secret. */
#ifndef X25519_H
#define X25519_H

#include "abi.h"

#define X25519_BYTES 32u

/* u coordinate of `scalar` (clamped here) times the point `u`; the base point has u = 9. Returns false where the result
   is zero: the point has a small order, and anybody would know the "secret". */
bool x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]);
void x25519_public(uint8_t out[32], const uint8_t scalar[32]);

#endif
