/* change: what batch.c and commit.c share. Private to lib/core. */
#ifndef CORE_CHANGE_H
#define CORE_CHANGE_H

#include "core/batch.h"
#include "core/impl.h"

/*
 * Invariants: blocks [base, base + noffset) are pending, block base + i at
 * byte offset[i] of the log. Bytes of the log from base_bytes on are, in this
 * order: `overlap`, in the place of blocks that a truncation drops; the block
 * file from the old end to tail_at; `tail`.
 */
struct core_batch {
	struct core *core; /* NULL: dry, from nothing */
	enum core_batch_mode mode;
	enum err_code failed; /* a half-done append: only free is left */
	bool truncated;
	uint64_t fork;
	struct tree tree; /* with pending blocks */
	uint64_t base, base_bytes;
	struct pages nodes;
	uint64_t *offset;
	size_t noffset, cap;
	struct buf overlap, tail;
	uint64_t tail_at;
	bool wrote; /* there are bytes beyond the head */
	/* dry: bytes of blocks [lent_from, lent_to) are in this core */
	struct core *lender;
	uint64_t lent_from, lent_to;
};

bool batch_empty(const struct core_batch *b);
/* Back to the head of the core, nothing pending. */
void batch_restart(struct core_batch *b);
NODISCARD enum err_code batch_flush(struct core_batch *b, struct err *e);

#endif
