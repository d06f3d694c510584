/*
 * remote: which blocks a peer has, by its own word (network.md 6.5;
 * hypercore@11.37.1 lib/replicator.js onrange, onbitfield). Everything below
 * `contiguous`, and the bits of the map; a bounded number of blocks that it
 * could not give after all. Lengths without measure cost nothing: what does
 * not fit is unknown. Pure.
 */
#ifndef REPLICATE_REMOTE_H
#define REPLICATE_REMOTE_H

#include "replicate/bitmap.h"
#include "replicate/message.h"

#define REMOTE_PAGES_MAX 512 /* 16.7 million blocks, 2 MiB */
#define REMOTE_DENIED_MAX 32

struct remote {
	uint64_t contiguous;
	struct bitmap bits;
	uint64_t denied[REMOTE_DENIED_MAX];
	size_t ndenied;
};

void remote_init(struct remote *r);
void remote_deinit(struct remote *r);
void remote_range(struct remote *r, const struct message_range *m);
void remote_bitfield(struct remote *r, const struct message_bitfield *m);
/* It said that it does not have block i. */
void remote_deny(struct remote *r, uint64_t i);
bool remote_has(struct remote *r, uint64_t i);
/* All of [start, start + length)? (denied ones count as there) */
bool remote_has_range(struct remote *r, uint64_t start, uint64_t length);
/* The whole beginning that it has, bits included. */
uint64_t remote_contiguous(struct remote *r);
/* Blocks [64 * w, 64 * w + 64), without denied ones. */
uint64_t remote_word(struct remote *r, uint64_t w);
/* The first block >= i that may be there: a page begins, or i itself.
 * UINT64_MAX: nothing more. */
uint64_t remote_skip(struct remote *r, uint64_t i);

#endif
