/*
 * chunker: where contents are cut. Pure state machines over bytes; the cuts
 * depend only on the bytes, never on how they arrive.
 *
 *	FIXED  every 64 KiB, as drive.put does
 *	CDC    content-defined, gear hash, 16 KiB minimum, 64 KiB average,
 *	       256 KiB maximum (our own; any JavaScript reader reads it)
 *	RABIN  what the reference's dedup stage uses (data-formats 5.4)
 */
#ifndef BLOBS_CHUNKER_H
#define BLOBS_CHUNKER_H

#include "base/view.h"

enum chunker_kind { CHUNKER_FIXED, CHUNKER_CDC, CHUNKER_RABIN };

#define CHUNKER_MAX (8u << 20) /* no chunk is longer */

struct chunker {
	enum chunker_kind kind;
	uint64_t digest;
	size_t count; /* bytes of the current chunk so far */
	unsigned wpos;
	uint8_t window[64];
};

void chunker_init(struct chunker *c, enum chunker_kind kind);
size_t chunker_max(enum chunker_kind kind); /* longest chunk of a kind */
/* Look at v; returns how many of its bytes belong to the current chunk, and
 * sets *cut if the chunk ends there. What is left when the content ends is
 * the last chunk. */
size_t chunker_scan(struct chunker *c, struct view v, bool *cut);

#endif
