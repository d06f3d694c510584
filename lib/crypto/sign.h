/* sign: Ed25519 as libsodium does it; secret key = seed || public key. */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include "crypto/secret.h"

#define SIGN_LEN 64

struct sign_pair {
	struct b32 pub;
	struct secret sec; /* 64 bytes; empty = public part only */
};

NODISCARD enum err_code sign_pair_seed(
    struct sign_pair *out, const struct b32 *seed, struct err *e);
/* Only the public key, without guarded memory for a pair: for searches. */
void sign_seed_public(struct b32 *pub, const struct b32 *seed);
NODISCARD enum err_code sign_pair_copy(
    struct sign_pair *out, const struct sign_pair *from, struct err *e);
void sign_pair_free(struct sign_pair *p);
/* Does the secret key belong to the public key? */
bool sign_pair_valid(const struct sign_pair *p);

void sign_make(uint8_t out[static SIGN_LEN], struct view msg,
    const struct sign_pair *p); /* p->sec must be there */
bool sign_verify(struct view sig, struct view msg, const struct b32 *pub);
/* Is it a point of the curve's main subgroup, in canonical form? */
bool sign_public_valid(const struct b32 *pub);

/* Corestore key derivation (data-formats 2.6, corestore@7.12.5): the key
 * pair of `name` in namespace ns (zeros = root) under the primary key. */
NODISCARD enum err_code sign_pair_derive(struct sign_pair *out,
    const struct secret *primary, const struct b32 *ns, struct view name,
    struct err *e);
/* namespace(ns, name) = H(ns || name) */
void sign_namespace(struct b32 *out, const struct b32 *ns, struct view name);

#endif
