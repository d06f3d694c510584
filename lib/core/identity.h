/*
 * identity: the store's primary key, from which key pairs of named cores are
 * derived (data-formats 2.6). Made at first use, kept in STORE_META, and in
 * memory only guarded. Losing it loses write access to what was derived
 * from it; it never leaves the store but sealed (core/keyring.h).
 */
#ifndef CORE_IDENTITY_H
#define CORE_IDENTITY_H

#include "core/core.h"

#define CORE_IDENTITY_LEN 32

/* ERR_NOT_FOUND: none was made yet. *out is the caller's (secret_free). */
NODISCARD enum err_code core_identity_get(
    struct secret *out, struct store *s, struct err *e);
/* The same, made first if there is none. Two processes at once get the same
 * key. Durable. */
NODISCARD enum err_code core_identity_get_or_make(
    struct secret *out, struct store *s, struct err *e);
/* Adopt a key. The same key again is fine; another one is ERR_EXISTS and
 * stays as it is. Durable. */
NODISCARD enum err_code core_identity_adopt(
    struct store *s, const struct secret *primary, struct err *e);

/* The key pair of `name` in the root namespace; makes the primary key. */
NODISCARD enum err_code core_identity_derive(
    struct sign_pair *out, struct store *s, struct view name, struct err *e);
/* Add the core with the default manifest of a pair (with secret) to the
 * store; *key is its key. One durable step. */
NODISCARD enum err_code core_identity_add(struct store *s,
    const struct sign_pair *pair, struct b32 *key, struct err *e);
/* The key that core has, without a store. */
void core_identity_key(struct b32 *key, const struct b32 *pub);

#endif
