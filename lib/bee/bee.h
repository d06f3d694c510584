/*
 * bee: Hyperbee, a sorted key-value map in one core (data-formats 4;
 * hyperbee@2.27.3). Reading is local and restartable (core/want.h). Byte
 * order is memcmp, shorter first.
 *
 * A struct bee is a checkout: one version of one core, with a cache of
 * decoded nodes. A version is readable only at the end of a flush (4.2);
 * lengths that come from outside go through bee_check_version() first.
 */
#ifndef BEE_BEE_H
#define BEE_BEE_H

#include "bee/node.h"
#include "core/batch.h"

struct bee;

/* Checkout at `version` (core length; 0 and 1 are empty). The core must
 * outlive it. ERR_LIMIT beyond the core's length. */
NODISCARD enum err_code bee_open(
    struct bee **out, struct core *c, uint64_t version, struct err *e);
void bee_close(struct bee *b);
uint64_t bee_version(const struct bee *b);

/* The header block; ERR_NOT_FOUND on an empty core. content_feed and
 * user_data are copied to `mem`. */
NODISCARD enum err_code bee_get_header(struct bee *b, struct bee_header *out,
    struct buf *mem, struct want *w, struct err *e);

struct bee_entry {
	uint64_t seq;	 /* block that wrote it */
	struct view key; /* valid until the next call on this bee/iter */
	struct view value;
};

/* ERR_NOT_FOUND if there is no such key. */
NODISCARD enum err_code bee_get(struct bee *b, struct view key,
    struct bee_entry *out, struct want *w, struct err *e);

/* Range, ascending or descending; an absent bound has ptr NULL. */
struct bee_range {
	struct view gt, gte, lt, lte;
	enum bee_order { BEE_ASCENDING, BEE_DESCENDING } order;
};
#define BEE_RANGE_ALL \
	((struct bee_range){ \
	    VIEW_EMPTY, VIEW_EMPTY, VIEW_EMPTY, VIEW_EMPTY, BEE_ASCENDING})

struct bee_iter;
NODISCARD enum err_code bee_iter_open(struct bee_iter **out, struct bee *b,
    const struct bee_range *range, struct err *e);
/* ERR_OK with *more = false at the end. After ERR_NEED_BLOCK call again. */
NODISCARD enum err_code bee_iter_next(struct bee_iter *it, bool *more,
    struct bee_entry *out, struct want *w, struct err *e);
void bee_iter_close(struct bee_iter *it);

/* Every put and del from block `from` (>= 1) up to the version, in order:
 * has_value false is a deletion. `each` returns false to stop. After
 * ERR_NEED_BLOCK go on with from = the wanted block. */
NODISCARD enum err_code bee_history(struct bee *b, uint64_t from,
    bool (*each)(void *ctx, uint64_t seq, const struct bee_block *block),
    void *ctx, struct want *w, struct err *e);

/* Walk two versions side by side: entries that differ, ascending by key.
 * left.seq or right.seq is 0 where the side has no such key. What the two
 * share is not read. ERR_INVALID if they are not of one core. The bees keep
 * all nodes they load while a diff is open. */
struct bee_diff;
NODISCARD enum err_code bee_diff_open(struct bee_diff **out, struct bee *left,
    struct bee *right, const struct bee_range *range, struct err *e);
NODISCARD enum err_code bee_diff_next(struct bee_diff *d, bool *more,
    struct bee_entry *left, struct bee_entry *right, struct want *w,
    struct err *e);
void bee_diff_close(struct bee_diff *d);

/* Is `version` the end of a flush? Replays blocks 1..version-1 and compares
 * with the tree (4.2). ERR_INVALID if not, ERR_FORMAT if a block is broken,
 * ERR_NEED_BLOCK for the first one that is missing, before any work. */
NODISCARD enum err_code bee_check_version(
    struct core *c, uint64_t version, struct want *w, struct err *e);

/* Writing: collect puts and dels on a core_batch; bee_batch_flush appends
 * all blocks to it, byte-identical to the reference's batch with the same
 * operations (4.4 to 4.7). The header block is appended first if the core is
 * empty, as soon as the first operation comes. Nothing is durable before
 * core_commit(). Pending operations are seen by later ones. A dry batch on a
 * core that is not in the store has core NULL. ERR_LIMIT if key and value do
 * not fit a block. After a call that failed for want of memory half-way, or
 * a failed flush, every later call fails: roll back. */
struct bee_batch;
NODISCARD enum err_code bee_batch_new(struct bee_batch **out, struct core *c,
    struct core_batch *cb, const struct bee_header *header, struct err *e);
NODISCARD enum err_code bee_batch_put(struct bee_batch *b, struct view key,
    struct view value, struct want *w, struct err *e);
/* Missing keys are fine: nothing is written for them. */
NODISCARD enum err_code bee_batch_del(
    struct bee_batch *b, struct view key, struct want *w, struct err *e);
/* Values that a dry batch has flushed are gone: ERR_UNSUPPORTED. The entry
 * is valid until the next call on this batch. */
NODISCARD enum err_code bee_batch_get(struct bee_batch *b, struct view key,
    struct bee_entry *out, struct want *w, struct err *e);
/* Single operations use one flush each; a batch may be used again after. */
NODISCARD enum err_code bee_batch_flush(struct bee_batch *b, struct err *e);
void bee_batch_free(struct bee_batch *b);

#endif
