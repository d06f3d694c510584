/* bee/bee.c, iter.c: checkouts, gets, ranges, history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bee/iter.h"
#include "tests/unit/bee/fake_core.h"
#include "tests/unit/bee/model.h"

static struct model m;
static struct core core;

/* Keys 0, 3, 6 ... of 600 in three flushes, some deleted again. */
static void
build(void)
{
	struct bee_header h = {.has_metadata = true};
	struct core_batch cb = {&core};
	struct err e = ERR_INIT;
	struct bee_batch *b;
	uint64_t seq = 1;
	uint32_t s = 7;

	memset(&m, 0, sizeof(m));
	m.keys = 600;
	check_ok(bee_batch_new(&b, &core, &cb, &h, &e), &e);
	for (uint32_t round = 0; round < 3; round++) {
		for (size_t i = round * 3; i < m.keys; i += 9)
			model_put(&m, b, i, model_random(&s, 1000), &seq);
		for (size_t i = 0; i < 20; i++)
			model_del(&m, b, model_random(&s, 600), &seq);
		check_ok(bee_batch_flush(b, &e), &e);
		fake_commit(&core);
	}
	bee_batch_free(b);
	check(core.n == seq);
}

static struct bee *
open_bee(uint64_t version)
{
	struct err e = ERR_INIT;
	struct bee *b;

	check_ok(bee_open(&b, &core, version, &e), &e);
	check(bee_version(b) == version);
	return b;
}

static void
test_get(void **state)
{
	struct bee *b = open_bee(core.n);
	struct err e = ERR_INIT;
	struct bee_entry entry;
	struct want w;
	char key[8];

	(void)state;
	fake_forget(&core);
	for (size_t i = 0; i < m.keys; i++) {
		enum err_code rc;

		until_here(rc, bee_get(b, model_key(key, i), &entry, &w, &e));
		if (m.seq[i] == 0) {
			check_code(rc, ERR_NOT_FOUND);
			continue;
		}
		check_ok(rc, &e);
		model_check_entry(&m, i, &entry);
	}
	bee_close(b);
	check_code(bee_open(&b, &core, core.n + 1, &e), ERR_LIMIT);
}

static void
test_empty(void **state)
{
	struct bee_range all = BEE_RANGE_ALL;
	struct err e = ERR_INIT;
	struct bee_entry entry;
	struct bee_header h;
	struct bee_iter *it;
	enum err_code rc;
	struct buf mem;
	struct want w;

	(void)state;
	buf_init(&mem, 1 << 10);
	for (uint64_t v = 0; v < 2; v++) {
		struct bee *b = open_bee(v);
		bool more;

		check_code(
		    bee_get(b, view_str("a"), &entry, &w, &e), ERR_NOT_FOUND);
		check_ok(bee_iter_open(&it, b, &all, &e), &e);
		check_ok(bee_iter_next(it, &more, &entry, &w, &e), &e);
		check(!more);
		bee_iter_close(it);
		until_here(rc, bee_get_header(b, &h, &mem, &w, &e));
		check(rc == (v == 0 ? ERR_NOT_FOUND : ERR_OK));
		bee_close(b);
	}
	check(h.has_metadata && h.content_feed.len == 0);
	buf_deinit(&mem);
}

static bool
in_range(const struct bee_range *r, struct view key)
{
	return (r->gt.ptr == NULL || view_cmp(key, r->gt) > 0) &&
	       (r->gte.ptr == NULL || view_cmp(key, r->gte) >= 0) &&
	       (r->lt.ptr == NULL || view_cmp(key, r->lt) < 0) &&
	       (r->lte.ptr == NULL || view_cmp(key, r->lte) <= 0);
}

static void
check_range(struct bee *b, const struct bee_range *r)
{
	bool up = r->order == BEE_ASCENDING, more;
	struct err e = ERR_INIT;
	struct bee_entry entry;
	struct bee_iter *it;
	enum err_code rc;
	struct want w;
	char key[8];

	check_ok(bee_iter_open(&it, b, r, &e), &e);
	for (size_t n = 0; n < m.keys; n++) {
		size_t i = up ? n : m.keys - 1 - n;

		if (m.seq[i] == 0 || !in_range(r, model_key(key, i)))
			continue;
		until_here(rc, bee_iter_next(it, &more, &entry, &w, &e));
		check_ok(rc, &e);
		check(more);
		model_check_entry(&m, i, &entry);
	}
	for (unsigned again = 0; again < 2; again++) {
		until_here(rc, bee_iter_next(it, &more, &entry, &w, &e));
		check_ok(rc, &e);
		check(!more);
	}
	bee_iter_close(it);
}

static void
test_ranges(void **state)
{
	uint32_t s = 99;

	(void)state;
	for (unsigned i = 0; i < 600; i++) {
		struct bee *b = open_bee(core.n);
		struct bee_range r = BEE_RANGE_ALL;
		char low[8], high[8];
		struct view l = model_key(low, model_random(&s, 620));
		struct view h = model_key(high, model_random(&s, 620));

		switch (model_random(&s, 4)) {
		case 0:
			r.gt = l;
			break;
		case 1:
			r.gte = l;
			break;
		case 2:
			r.gte = view_str("");
			break;
		}
		switch (model_random(&s, 3)) {
		case 0:
			r.lt = h;
			break;
		case 1:
			r.lte = h;
			break;
		}
		r.order = i % 2 == 0 ? BEE_ASCENDING : BEE_DESCENDING;
		if (i % 3 == 0)
			fake_forget(&core);
		check_range(b, &r);
		bee_close(b);
	}
}

/* When the tree is dropped under a walk, the walk goes on after its key. */
static void
test_walk_survives_trim(void **state)
{
	struct bee_range all = BEE_RANGE_ALL;
	struct bee *b = open_bee(core.n);
	struct err e = ERR_INIT;
	struct bee_entry entry;
	struct bee_iter *it;
	enum err_code rc;
	struct want w;
	bool more;

	(void)state;
	fake_forget(&core);
	check_ok(bee_iter_open(&it, b, &all, &e), &e);
	for (size_t i = 0; i < m.keys; i++) {
		if (i % 150 == 70)
			check(bee_arena_alloc(&b->tree.arena, 32 << 20));
		if (m.seq[i] == 0)
			continue;
		until_here(rc, bee_iter_next(it, &more, &entry, &w, &e));
		check_ok(rc, &e);
		check(more);
		model_check_entry(&m, i, &entry);
	}
	check(b->tree.generation == 4);
	bee_iter_close(it);
	bee_close(b);
}

struct seen {
	uint64_t next;
	struct model m;
	bool stop;
};

static bool
each_block(void *ctx, uint64_t seq, const struct bee_block *block)
{
	struct seen *x = ctx;
	size_t i = 0;

	check(seq == x->next++);
	for (size_t k = 1; k < block->key.len; k++)
		i = i * 10 + (size_t)(block->key.ptr[k] - '0');
	check(i < MODEL_KEYS);
	x->m.seq[i] = block->has_value ? seq : 0;
	return !x->stop;
}

static void
test_history(void **state)
{
	static struct seen x;
	struct bee *b = open_bee(core.n);
	struct err e = ERR_INIT;
	struct want w = {.index = 0};
	enum err_code rc;

	(void)state;
	fake_forget(&core);
	x.next = 1;
	while ((rc = bee_history(b, x.next, each_block, &x, &w, &e)) ==
	       ERR_NEED_BLOCK)
		check(w.index == x.next);
	check_ok(rc, &e);
	check(x.next == core.n);
	check(memcmp(x.m.seq, m.seq, sizeof(m.seq)) == 0);
	x.stop = true;
	x.next = 5;
	check_ok(bee_history(b, 5, each_block, &x, &w, &e), &e);
	check(x.next == 6);
	bee_close(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_get),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_ranges),
	    cmocka_unit_test(test_walk_survives_trim),
	    cmocka_unit_test(test_history),
	};
	int rc;

	build();
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	fake_free(&core);
	return rc;
}
