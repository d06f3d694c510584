/*
 * bee_node: the bytes of Hyperbee blocks (data-formats 4.1,
 * hyperbee@2.27.3 lib/messages.js, protocol-buffers-encodings@1.2.0).
 * Decoding is total and bounded and borrows from the block.
 */
#ifndef BEE_NODE_H
#define BEE_NODE_H

#include "base/buf.h"

#define BEE_KEYS_MAX 8	  /* keys of one B-tree node on disk */
#define BEE_LEVELS_MAX 64 /* levels of one block we accept */
#define BEE_WIDE_MAX 64	  /* keys of a foreign node we accept */

struct bee_ref {
	uint64_t seq;	 /* block */
	uint64_t offset; /* level in it */
};

struct bee_level {
	size_t nkeys, nchildren;
	uint64_t key[BEE_WIDE_MAX]; /* seqs */
	struct bee_ref child[BEE_WIDE_MAX + 1];
};

struct bee_block {
	struct view index; /* encoded levels: bee_block_level() */
	struct view key;
	struct view value;
	bool has_value; /* false: a deletion */
	size_t nlevels;
};

struct bee_header {
	bool has_metadata;
	struct view content_feed; /* empty = absent */
	struct view user_data;
};

NODISCARD enum err_code bee_block_decode(
    struct bee_block *out, struct view block, struct err *e);
/* Level i; ERR_FORMAT if it is not there or breaks a bound. */
NODISCARD enum err_code bee_block_level(
    const struct bee_block *b, size_t i, struct bee_level *out, struct err *e);
NODISCARD enum err_code bee_header_decode(
    struct bee_header *out, struct view block, struct err *e);
void bee_header_encode(struct buf *b, const struct bee_header *h);

/* Append one level to the bytes of an index. */
void bee_level_encode(struct buf *index, const struct bee_level *l);
/* A whole block; value NULL writes a deletion. */
void bee_block_encode(struct buf *b, struct view index, struct view key,
    const struct view *value);

#endif
