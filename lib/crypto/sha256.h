/* sha256: SHA-256 as libsodium does it, for digests that others prescribe
 * (in-toto statements). Our own hashes are crypto/hash.h. */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include "base/view.h"

struct sha256 {
	_Alignas(64) uint8_t opaque[128];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, struct view v);
void sha256_final(struct sha256 *s, struct b32 *out);

#endif
