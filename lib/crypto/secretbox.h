/* secretbox: libsodium's secretbox (XSalsa20-Poly1305): a mac of 16 bytes,
 * then the ciphertext. The nonce must never repeat under a key. */
#ifndef CRYPTO_SECRETBOX_H
#define CRYPTO_SECRETBOX_H

#include "base/err.h"
#include "base/view.h"

#define SECRETBOX_KEY 32
#define SECRETBOX_NONCE 24
#define SECRETBOX_MAC 16

/* out: SECRETBOX_MAC + plain.len bytes. */
void secretbox_seal(uint8_t *out, struct view plain,
    const uint8_t nonce[static SECRETBOX_NONCE],
    const uint8_t key[static SECRETBOX_KEY]);
/* out: box.len - SECRETBOX_MAC bytes. False: not authentic. */
NODISCARD bool secretbox_open(uint8_t *out, struct view box,
    const uint8_t nonce[static SECRETBOX_NONCE],
    const uint8_t key[static SECRETBOX_KEY]);

#endif
