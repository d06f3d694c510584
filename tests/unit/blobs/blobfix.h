/* blobfix: contents written to a core of a fresh store, for the tests of
 * lib/blobs. */
#ifndef TESTS_BLOBS_BLOBFIX_H
#define TESTS_BLOBS_BLOBFIX_H

#include "tests/unit/core/fix.h"

#include "blobs/blobs.h"
#include "blobs/chunker.h"

/* The pseudo random bytes of the vectors (tests/vectors/gen/common.js). */
static inline uint8_t *
prng(size_t n, uint32_t seed)
{
	uint8_t *p = malloc(n + 4);
	uint32_t x = seed == 0 ? 1 : seed;

	check(p != NULL);
	for (size_t i = 0; i < n; i += 4) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		for (size_t j = 0; j < 4; j++)
			p[i + j] = (uint8_t)(x >> (8 * j));
	}
	return p;
}

struct blobfix {
	struct fix f;
	struct core *c;
	struct core_batch *b;
	struct blobs_writer *wr;
};

static inline void
blobfix_begin(struct blobfix *x, enum blobs_share share)
{
	struct err e = ERR_INIT;

	x->b = fix_batch(x->c);
	check_ok(blobs_writer_new(&x->wr, x->c, x->b, share, &e), &e);
}

static inline void
blobfix_open(struct blobfix *x, enum blobs_share share)
{
	fix_open(&x->f, 9, true);
	x->c = fix_core(&x->f, CORE_WRITE);
	blobfix_begin(x, share);
}

static inline void
blobfix_drop(struct blobfix *x)
{
	blobs_writer_free(x->wr);
	core_batch_free(x->b);
	x->wr = NULL;
	x->b = NULL;
}

static inline enum err_code
blobfix_hook(void *ctx, struct store_txn *txn, struct err *e)
{
	return blobs_writer_index(ctx, txn, e);
}

/* Commit, and begin anew. */
static inline void
blobfix_commit(struct blobfix *x, enum blobs_share next)
{
	struct err e = ERR_INIT;
	struct core_commit commit = {
	    .batch = &x->b, .nbatch = 1, .also = blobfix_hook, .ctx = x->wr};

	check_ok(core_commit(&commit, &e), &e);
	blobfix_drop(x);
	blobfix_begin(x, next);
}

static inline void
blobfix_close(struct blobfix *x)
{
	blobfix_drop(x);
	core_close(x->c);
	fix_close(&x->f);
}

static inline void
put_chunk(struct blobfix *x, const void *p, size_t n)
{
	struct err e = ERR_INIT;

	check_ok(blobs_writer_chunk(x->wr, view_of(p, n), &e), &e);
}

static inline struct blobs_id
put_end(struct blobfix *x, uint64_t *stored)
{
	struct err e = ERR_INIT;
	struct blobs_id id;

	check_ok(blobs_writer_end(x->wr, &id, stored, &e), &e);
	return id;
}

/* A whole content, cut by a chunker. */
static inline struct blobs_id
put_cut(
    struct blobfix *x, struct view v, enum chunker_kind kind, uint64_t *stored)
{
	struct chunker c;
	size_t at = 0, from = 0;
	bool cut;

	chunker_init(&c, kind);
	while (at < v.len) {
		at += chunker_scan(&c, view_sub(v, at, v.len), &cut);
		if (cut || at == v.len) {
			put_chunk(x, v.ptr + from, at - from);
			from = at;
		}
	}
	return put_end(x, stored);
}

static inline bool
same_id(const struct blobs_id *a, const struct blobs_id *b)
{
	return a->block_offset == b->block_offset &&
	       a->byte_offset == b->byte_offset &&
	       a->block_length == b->block_length &&
	       a->byte_length == b->byte_length && a->block_map == b->block_map;
}

/* Committed content read back is v. */
static inline void
expect_content(struct core *c, const struct blobs_id *id, struct view v)
{
	struct err e = ERR_INIT;
	struct blobs_reader *r;
	struct view block;
	struct want w;
	struct buf all;
	uint64_t size;
	bool more;

	buf_init(&all, 64 << 20);
	check_ok(blobs_reader_open(&r, c, id, &w, &e), &e);
	do {
		check_ok(blobs_reader_next(r, &more, &block, &w, &e), &e);
		if (more)
			buf_append(&all, block);
	} while (more);
	blobs_reader_close(r);
	check_same(buf_view(&all), v);
	check_ok(blobs_size(c, id, &size, &w, &e), &e);
	check(size == v.len);
	buf_deinit(&all);
}

#endif
