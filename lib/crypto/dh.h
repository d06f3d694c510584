/* dh: Diffie-Hellman on Ed25519 keys (network.md 3.3, noise-curve-ed@2.1.0):
 * the clamped first half of SHA-512(seed) times the other side's point. */
#ifndef CRYPTO_DH_H
#define CRYPTO_DH_H

#include "base/err.h"
#include "base/view.h"

#define DH_LEN 32
#define DH_SECRET 64 /* seed and public key, as libsodium keeps them */

/* False: no point of the curve, or one of low order; out is zeroed. */
NODISCARD bool dh_make(uint8_t out[static DH_LEN],
    const uint8_t sec[static DH_SECRET], const struct b32 *remote);

#endif
