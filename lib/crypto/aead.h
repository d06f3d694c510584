/* aead: ChaCha20-Poly1305 (IETF) with a counter for a nonce, as Noise uses it:
 * four zero bytes and the counter, little endian. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/err.h"
#include "base/view.h"

#define AEAD_KEY 32
#define AEAD_MAC 16

/* out: plain.len + AEAD_MAC bytes; it may start where plain does. */
void aead_seal(uint8_t *out, const uint8_t key[static AEAD_KEY],
    uint64_t counter, struct view ad, struct view plain);
/* out: sealed.len - AEAD_MAC bytes, written only if the tag is right. */
NODISCARD bool aead_open(uint8_t *out, const uint8_t key[static AEAD_KEY],
    uint64_t counter, struct view ad, struct view sealed);

#endif
