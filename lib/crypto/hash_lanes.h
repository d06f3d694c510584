/*
 * hash_lanes: the leaves of several blocks at once.
 *
 * libsodium computes one hash at a time. Independent blocks can share the
 * vector registers of a processor with AVX2, one block a lane, and then take
 * less than half of the time together. Without AVX2 it is hash_leaf() for
 * each of them. Pure; no allocation; any thread.
 *
 *	hash_leaves(hash, block, n);
 */
#ifndef CRYPTO_HASH_LANES_H
#define CRYPTO_HASH_LANES_H

#include "base/view.h"

/* So many blocks fill the lanes twice: more at once gain little. */
#define HASH_LANES_AHEAD 8

/* out[i] = hash_leaf(block[i]). Blocks may have any lengths and places. */
void hash_leaves(struct b32 *out, const struct view *block, size_t n);

#endif
