#include "crypto/sha256.h"

#include <sodium.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct sha256),
    "libsodium's state fits");

static crypto_hash_sha256_state *
state_of(struct sha256 *s)
{
	return (crypto_hash_sha256_state *)(void *)s->opaque;
}

void
sha256_init(struct sha256 *s)
{
	(void)crypto_hash_sha256_init(state_of(s));
}

void
sha256_update(struct sha256 *s, struct view v)
{
	if (v.len > 0)
		(void)crypto_hash_sha256_update(state_of(s), v.ptr, v.len);
}

void
sha256_final(struct sha256 *s, struct b32 *out)
{
	(void)crypto_hash_sha256_final(state_of(s), out->b);
}
