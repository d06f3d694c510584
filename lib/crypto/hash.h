/*
 * hash: BLAKE2b-256 in the forms the cores use (data-formats 2.1,
 * hypercore-crypto@3.7.0). Pure; no allocation.
 */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/view.h"

void hash_data(struct b32 *out, struct view v);
void hash_keyed(struct b32 *out, const struct b32 *key, struct view v);
/* H(v[0] || v[1] || ...), and the same keyed. */
void hash_batch(struct b32 *out, const struct view *v, size_t n);
void hash_keyed_batch(
    struct b32 *out, const struct b32 *key, const struct view *v, size_t n);
/* The same under a key of 64 bytes, such as a handshake hash. */
void hash_keyed64_batch(struct b32 *out, const uint8_t key[static 64],
    const struct view *v, size_t n);

void hash_leaf(struct b32 *out, struct view block);
void hash_parent(struct b32 *out, uint64_t size, const struct b32 *left,
    const struct b32 *right); /* size = both sizes together */

/* Streaming form, for tree hashes and whole files. */
struct hash_state {
	_Alignas(64) uint8_t opaque[384];
};
void hash_init(struct hash_state *s);
void hash_update(struct hash_state *s, struct view v);
void hash_final(struct hash_state *s, struct b32 *out);

void hash_discovery_key(struct b32 *out, const struct b32 *key);
/* H(H(name) || id) */
void hash_namespace(struct b32 *out, const char *name, uint8_t id);

/* The namespaces of data-formats 2.1. */
extern const struct b32 HASH_NS_TREE, HASH_NS_REPLICATE_INITIATOR,
    HASH_NS_REPLICATE_RESPONDER, HASH_NS_MANIFEST, HASH_NS_DEFAULT,
    HASH_NS_CORESTORE, HASH_NS_DRIVE_BLOBS;

#endif
