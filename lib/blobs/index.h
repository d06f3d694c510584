/*
 * index: where in a core a block with a given leaf hash lies: the lowest one.
 * Private to lib/blobs.
 *
 *	STORE_CHUNKS  number BE64, leaf hash  ->  block LE64
 *	              number BE64, 00         ->  length LE64, fork LE64
 *
 * The second record says which blocks of which fork the first ones cover.
 * The answer depends on the core's blocks alone: what the stored index does
 * not cover is read from the leaves before the first question, a stored
 * answer is compared with the leaf it names, and one that points behind a
 * cut of the batch is none.
 */
#ifndef BLOBS_INDEX_H
#define BLOBS_INDEX_H

#include "blobs/seen.h"
#include "core/batch.h"

/* Invariant: blocks below `trusted` are found in the store, those from there
 * to `covered` in `fresh` unless the store holds a lower one. */
struct index {
	struct core *core; /* NULL: not in the store yet */
	struct core_batch *batch;
	uint64_t trusted, covered;
	bool rebuild;	   /* the stored index belongs to another history */
	struct seen fresh; /* not in the store yet */
	struct b32 *dead;  /* leaves of blocks the batch cuts off */
	size_t ndead, dead_cap;
};

/* A batch that cuts must have cut already, and not have appended. A zeroed
 * struct may be deinited. */
NODISCARD enum err_code index_init(
    struct index *ix, struct core *c, struct core_batch *batch, struct err *e);
void index_deinit(struct index *ix);
NODISCARD enum err_code index_find(struct index *ix, const struct b32 *leaf,
    uint64_t size, bool *found, uint64_t *block, struct err *e);
/* Write what the store lacks. */
NODISCARD enum err_code index_write(
    struct index *ix, struct store_txn *txn, struct err *e);

/* The leaf of a block that must be here. */
NODISCARD enum err_code index_leaf(
    struct core_batch *batch, uint64_t block, struct node *out, struct err *e);

#endif
