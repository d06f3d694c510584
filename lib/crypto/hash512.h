/*
 * hash512: BLAKE2b with 64 bytes of output, and the HMAC and HKDF that Noise
 * builds on it (network.md 3.3; noise-handshake@4.2.0). HMAC is RFC 2104 with
 * a block of 128 bytes, not BLAKE2b's own keyed mode. Pure; no allocation;
 * intermediate secrets are wiped.
 */
#ifndef CRYPTO_HASH512_H
#define CRYPTO_HASH512_H

#include "base/view.h"

#define HASH512_LEN 64
#define HASH512_BLOCK 128

/* H(v[0] || v[1] || ...); the parts may contain out. */
void hash512_batch(
    uint8_t out[static HASH512_LEN], const struct view *v, size_t n);
/* key: at most HASH512_BLOCK bytes. */
void hash512_hmac(uint8_t out[static HASH512_LEN], struct view key,
    const struct view *v, size_t n);
/* Two outputs of HASH512_LEN. They may not overlap the inputs. */
void hash512_hkdf(uint8_t out[static 2 * HASH512_LEN],
    const uint8_t chain[static HASH512_LEN], struct view input);

#endif
