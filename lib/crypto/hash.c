#include "crypto/hash.h"

#include <sodium.h>
#include <string.h>

#include "crypto/ready.h"

_Static_assert(sizeof(struct hash_state) >= sizeof(crypto_generichash_state),
    "hash_state must hold libsodium's state");

static crypto_generichash_state *
state_of(struct hash_state *s)
{
	return (crypto_generichash_state *)(void *)s->opaque;
}

void
hash_init(struct hash_state *s)
{
	ready();
	(void)crypto_generichash_init(state_of(s), NULL, 0, 32);
}

void
hash_update(struct hash_state *s, struct view v)
{
	if (v.len > 0)
		(void)crypto_generichash_update(state_of(s), v.ptr, v.len);
}

void
hash_final(struct hash_state *s, struct b32 *out)
{
	(void)crypto_generichash_final(state_of(s), out->b, 32);
}

void
hash_data(struct b32 *out, struct view v)
{
	ready();
	(void)crypto_generichash(out->b, 32, v.ptr, v.len, NULL, 0);
}

void
hash_keyed(struct b32 *out, const struct b32 *key, struct view v)
{
	ready();
	(void)crypto_generichash(out->b, 32, v.ptr, v.len, key->b, 32);
}

void
hash_batch(struct b32 *out, const struct view *v, size_t n)
{
	struct hash_state s;

	hash_init(&s);
	for (size_t i = 0; i < n; i++)
		hash_update(&s, v[i]);
	hash_final(&s, out);
}

void
hash_keyed_batch(
    struct b32 *out, const struct b32 *key, const struct view *v, size_t n)
{
	struct hash_state s;

	ready();
	(void)crypto_generichash_init(state_of(&s), key->b, 32, 32);
	for (size_t i = 0; i < n; i++)
		hash_update(&s, v[i]);
	hash_final(&s, out);
}

void
hash_keyed64_batch(struct b32 *out, const uint8_t key[static 64],
    const struct view *v, size_t n)
{
	struct hash_state s;

	ready();
	(void)crypto_generichash_init(state_of(&s), key, 64, 32);
	for (size_t i = 0; i < n; i++)
		hash_update(&s, v[i]);
	hash_final(&s, out);
}

static void
head_of(uint8_t out[static 9], uint8_t type, uint64_t size)
{
	out[0] = type;
	for (size_t i = 0; i < 8; i++)
		out[1 + i] = (uint8_t)(size >> (8 * i));
}

void
hash_leaf(struct b32 *out, struct view block)
{
	struct hash_state s;
	uint8_t head[9];

	/* as fast as one call over a joined copy, for blocks of any size */
	head_of(head, 0, block.len);
	hash_init(&s);
	hash_update(&s, view_of(head, sizeof(head)));
	hash_update(&s, block);
	hash_final(&s, out);
}

void
hash_parent(struct b32 *out, uint64_t size, const struct b32 *left,
    const struct b32 *right)
{
	uint8_t text[9 + 64];

	head_of(text, 1, size);
	memcpy(text + 9, left->b, 32);
	memcpy(text + 41, right->b, 32);
	hash_data(out, view_of(text, sizeof(text)));
}

void
hash_discovery_key(struct b32 *out, const struct b32 *key)
{
	hash_keyed(out, key, view_str("hypercore"));
}

void
hash_namespace(struct b32 *out, const char *name, uint8_t id)
{
	uint8_t text[33];
	struct b32 h;

	hash_data(&h, view_str(name));
	memcpy(text, h.b, 32);
	text[32] = id;
	hash_data(out, view_of(text, sizeof(text)));
}
