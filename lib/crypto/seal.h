/*
 * seal: a secret under a password, for key exports. Argon2id (limits from
 * the file, capped before use) and XChaCha20-Poly1305. Our own format, named
 * and versioned by the caller through `context`, which is authenticated.
 *
 *	8 "PEARSEAL"  1 version 01  8 LE ops  8 LE mem  16 salt  24 nonce  box
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include "base/buf.h"
#include "crypto/secret.h"

enum seal_cost { SEAL_COST_DEFAULT, SEAL_COST_TEST };

NODISCARD enum err_code seal_make(struct buf *out, struct view plain,
    struct view context, const struct secret *password, enum seal_cost cost,
    struct err *e);
/* ERR_FORMAT: not a seal or absurd costs; ERR_VERSION: a newer one; ERR_VERIFY: wrong password or
 * changed bytes (the two cannot be told apart). */
NODISCARD enum err_code seal_open(struct secret *out, struct view sealed,
    struct view context, const struct secret *password, struct err *e);

#endif
