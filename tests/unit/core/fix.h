/* fix: a store with a core, for the tests of lib/core. */
#ifndef TESTS_CORE_FIX_H
#define TESTS_CORE_FIX_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/batch.h"
#include "core/core.h"
#include "core/proof.h"
#include "support/vec.h"

struct fix {
	struct store *s;
	struct sign_pair pair;
	struct manifest m;
	struct b32 key;
	char dir[512];
};

/* A path nothing is at. */
static inline void
fix_dir(struct fix *f)
{
	static const char *base;
	static unsigned count;

	if (base == NULL)
		base = vec_tmpdir();
	snprintf(f->dir, sizeof(f->dir), "%s/store-%u", base, count++);
}

static inline void
fix_store(struct fix *f)
{
	struct err e = ERR_INIT;
	struct store_opts o = {.dir = f->dir, .mode = STORE_CREATE};

	check_ok(store_open(&f->s, &o, &e), &e);
}

/* A store in a fresh directory; the core of seed n is in it, with its secret
 * key if secret. */
static inline void
fix_open(struct fix *f, uint8_t n, bool secret)
{
	struct err e = ERR_INIT;
	struct b32 seed;

	memset(f, 0, sizeof(*f));
	fix_dir(f);
	fix_store(f);
	memset(seed.b, n, sizeof(seed.b));
	check_ok(sign_pair_seed(&f->pair, &seed, &e), &e);
	manifest_single(&f->m, &f->pair.pub);
	manifest_key(&f->key, &f->m);
	check_ok(core_add(f->s, secret ? &f->m : NULL, &f->key,
		     secret ? &f->pair : NULL, &e),
	    &e);
	check_ok(store_refresh(f->s, &e), &e);
}

static inline void
fix_close(struct fix *f)
{
	sign_pair_free(&f->pair);
	store_close(f->s);
}

/* Close and open the store, as another process would find it. */
static inline void
fix_again(struct fix *f)
{
	store_close(f->s);
	fix_store(f);
}

static inline struct core *
fix_core(struct fix *f, enum core_mode mode)
{
	struct err e = ERR_INIT;
	struct core *c = NULL;

	check_ok(core_open(&c, f->s, &f->key, mode, &e), &e);
	return c;
}

static inline struct core_batch *
fix_batch(struct core *c)
{
	struct err e = ERR_INIT;
	struct core_batch *b = NULL;

	check_ok(core_batch_new(&b, c, CORE_BATCH_REAL, &e), &e);
	return b;
}

static inline void
fix_commit(struct core_batch *b)
{
	struct err e = ERR_INIT;
	struct core_commit commit = {.batch = &b, .nbatch = 1};

	check_ok(core_commit(&commit, &e), &e);
}

/* The content of block i of every made-up core. */
static inline struct view
fix_block(uint64_t i, char *space, size_t cap)
{
	int n = snprintf(space, cap, "block %llu%.*s", (unsigned long long)i,
	    (int)(i % 11), "...........");

	return view_of(space, (size_t)n);
}

static inline void
fix_append(struct core *c, uint64_t n)
{
	struct err e = ERR_INIT;
	struct core_batch *b = fix_batch(c);
	char space[64];

	for (uint64_t i = 0; i < n; i++)
		check_ok(
		    core_batch_append(b,
			fix_block(core_batch_length(b), space, sizeof(space)),
			NULL, &e),
		    &e);
	fix_commit(b);
	core_batch_free(b);
}

/* Blocks [0, n) read back right. */
static inline void
fix_expect(struct core *c, uint64_t n)
{
	struct err e = ERR_INIT;
	struct want w;
	struct buf b;
	char space[64];

	buf_init(&b, 1 << 20);
	check(core_head(c)->length == n);
	for (uint64_t i = 0; i < n; i++) {
		buf_reset(&b);
		check_ok(core_get(c, i, &b, &w, &e), &e);
		check_same(buf_view(&b), fix_block(i, space, sizeof(space)));
	}
	buf_deinit(&b);
}

#endif
