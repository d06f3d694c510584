/* scrypt: the key derivation of hypercore-sign's key files (data-formats
 * 8.4): scryptsalsa208sha256 as libsodium does it. */
#ifndef CRYPTO_SCRYPT_H
#define CRYPTO_SCRYPT_H

#include "crypto/secret.h"

#define SCRYPT_OPS_SENSITIVE 33554432u
#define SCRYPT_MEM_SENSITIVE 1073741824u /* bytes */

/* len bytes (16 or more) of guarded memory from a password (which may be
 * empty). ERR_NOMEM if the memory cannot be had. Seconds at the SENSITIVE
 * costs; costs that come from a file are capped by the caller. */
NODISCARD enum err_code scrypt_derive(struct secret *out, size_t len,
    struct view password, const struct b32 *salt, uint64_t ops, uint64_t mem,
    struct err *e);

#endif
