/*
 * batch: changes to one or more cores that become durable in one step.
 *
 * Appending writes block bytes beyond the head of the block file at once
 * (garbage until commit) and keeps only nodes in memory; a dry batch writes
 * nothing at all and still knows lengths, offsets and tree hashes.
 * Order of durability in commit: block bytes, fdatasync, one index
 * transaction that moves every head, high-water marks, then memory.
 *
 *	core_batch_new(&b, c, CORE_BATCH_REAL, e);
 *	core_batch_append(b, block, &index, e);
 *	core_commit(&commit, e);         // all batches of the struct
 *	core_batch_free(b);              // without commit: rollback
 */
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include "core/core.h"

enum core_batch_mode { CORE_BATCH_REAL, CORE_BATCH_DRY };

struct core_batch;

/* REAL needs a core opened CORE_WRITE, or CORE_REPLICA if its commit brings a
 * stored signature. The core must outlive the batch; one
 * batch per core at a time. */
NODISCARD enum err_code core_batch_new(struct core_batch **out, struct core *c,
    enum core_batch_mode mode, struct err *e);
/* A dry batch on a core that is not in the store yet: from length 0. */
NODISCARD enum err_code core_batch_new_empty(
    struct core_batch **out, struct err *e);
void core_batch_free(struct core_batch *b);

/* ERR_LIMIT above CORE_BLOCK_MAX. *index (may be NULL) = its block number. */
NODISCARD enum err_code core_batch_append(
    struct core_batch *b, struct view block, uint64_t *index, struct err *e);
/* The same when the leaf hash is already known (it must be right). A dry
 * batch looks at the block's length only: ptr may be NULL. */
NODISCARD enum err_code core_batch_append_hashed(struct core_batch *b,
    struct view block, const struct b32 *leaf, uint64_t *index, struct err *e);
/* Append blocks of another core, from the batch's length up to `length` (at
 * most that core's), each checked against its leaf. The result begins like
 * `from` if the batch did: that is for the caller to know. A dry batch takes
 * only the leaves, of blocks that are here, and reads bytes from `from`, which
 * must outlive it; it copies from one core, in one go. After ERR_NEED_BLOCK
 * call again. */
NODISCARD enum err_code core_batch_copy(struct core_batch *b, struct core *from,
    uint64_t length, struct want *w, struct err *e);
/* Cut to length before anything is appended; fork rises by one, also if the
 * length does not change. ERR_LIMIT "Bad truncation length" if longer.
 * Until commit the old blocks stay readable, so what is appended in their
 * place is kept in memory: at most CORE_OVERLAP_MAX bytes, else ERR_LIMIT. */
#define CORE_OVERLAP_MAX (64u << 20)
NODISCARD enum err_code core_batch_truncate(
    struct core_batch *b, uint64_t length, struct err *e);

uint64_t core_batch_length(const struct core_batch *b); /* with pending */
uint64_t core_batch_byte_length(const struct core_batch *b);
uint64_t core_batch_fork(const struct core_batch *b);
void core_batch_tree_hash(const struct core_batch *b, struct b32 *out);
/* Block or leaf through the batch: pending ones (REAL: read back from the
 * file; DRY: ERR_UNSUPPORTED for bytes) or the core's. */
NODISCARD enum err_code core_batch_get(struct core_batch *b, uint64_t index,
    struct buf *out, struct want *w, struct err *e);
NODISCARD enum err_code core_batch_leaf(struct core_batch *b, uint64_t index,
    struct node *out, struct want *w, struct err *e);
/* Byte offset of block `index` (<= length), pending ones included. */
NODISCARD enum err_code core_batch_offset(struct core_batch *b, uint64_t index,
    uint64_t *offset, struct want *w, struct err *e);

struct core_commit {
	struct core_batch **batch; /* REAL; empty ones are skipped */
	size_t nbatch;
	/* More index writes in the same transaction (may be NULL). Called
	 * after the heads were put, before commit. */
	NODISCARD enum err_code (*also)(
	    void *ctx, struct store_txn *txn, struct err *e);
	void *ctx;
	/* Stored signatures to use instead of signing (multisig), one per
	 * batch, or NULL. They are verified before anything moves. */
	const struct view *signature;
};
/* Sign, sync, move every head in one durable step. After an error nothing
 * has changed, except when the text begins with "committed, but": then the
 * heads have moved and a high-water mark or the tidying of a block file is
 * missing. The cores' heads are updated; batches are empty after. */
NODISCARD enum err_code core_commit(
    const struct core_commit *commit, struct err *e);

#endif
