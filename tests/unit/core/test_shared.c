/* shared: what a handle finds after another one of the store committed. */
#include "fix_proof.h"

/* Block i from the writer of LEN blocks, read through the reader. */
static void
expect_block(struct core *reader, uint64_t i)
{
	struct err e = ERR_INIT;
	struct want w;
	struct buf b;
	char space[64];

	buf_init(&b, 1 << 20);
	check_ok(core_get(reader, i, &b, &w, &e), &e);
	check_same(buf_view(&b), fix_block(i, space, sizeof(space)));
	buf_deinit(&b);
}

static void
expect_missing(struct core *reader, uint64_t i)
{
	struct err e = ERR_INIT;
	struct want w;
	struct buf b;

	buf_init(&b, 1 << 20);
	check(!core_has(reader, i));
	check_code(core_get(reader, i, &b, &w, &e), ERR_NEED_BLOCK);
	check(w.kind == WANT_BLOCK && w.index == i && b.len == 0);
	buf_deinit(&b);
}

/* Blocks that a replica handle of the same struct store commits are found by
 * a reader that looked for them before, pages and all. */
static void
test_same_store(void **state)
{
	struct err e = ERR_INIT;
	struct core *reader;
	struct pair r;

	(void)state;
	replica_open(&r);
	upgrade_to(r.c, writer[LEN]);
	reader = fix_core(&r.f, CORE_READ);
	for (uint64_t k = 0, i = 3; k < LEN; k++, i = (i + 7) % LEN) {
		expect_missing(reader, i);
		get_block(r.c, writer[LEN], i);
		check(core_has(reader, i));
		expect_block(reader, i);
	}
	check(core_head(reader)->length == LEN);
	check_ok(core_verify(reader, &e), &e);
	check(core_head(reader)->contiguous == LEN);
	core_close(reader);
	replica_close(&r);
}

/* Another handle of the folder, as another process has: after a refresh of
 * the store, and not before. */
static void
test_other_store(void **state)
{
	struct err e = ERR_INIT;
	struct pair r;
	struct fix other;
	struct core *reader;
	uint64_t before;

	(void)state;
	replica_open(&r);
	upgrade_to(r.c, writer[LEN]);
	other = r.f;
	fix_store(&other);
	reader = fix_core(&other, CORE_READ);
	expect_missing(reader, 4);
	get_block(r.c, writer[LEN], 4);
	expect_missing(reader, 4);
	before = store_generation(other.s);
	check_ok(store_refresh(other.s, &e), &e);
	check(store_generation(other.s) != before);
	expect_block(reader, 4);
	before = store_generation(other.s);
	check_ok(store_refresh(other.s, &e), &e);
	check(store_generation(other.s) == before);
	core_close(reader);
	store_close(other.s);
	replica_close(&r);
}

/* A longer head is taken over by core_refresh alone. */
static void
test_head_stays(void **state)
{
	struct err e = ERR_INIT;
	struct core *reader;
	struct pair r;
	struct want w;
	struct node n;

	(void)state;
	replica_open(&r);
	upgrade_to(r.c, writer[5]);
	reader = fix_core(&r.f, CORE_READ);
	upgrade_to(r.c, writer[LEN]);
	check(core_head(reader)->length == 5);
	check_code(core_node(reader, 12, &n, &w, &e), ERR_LIMIT);
	get_block(r.c, writer[LEN], 2);
	expect_block(reader, 2);
	check(core_head(reader)->length == 5);
	check_ok(core_refresh(reader, &e), &e);
	check(core_head(reader)->length == LEN);
	core_close(reader);
	replica_close(&r);
}

/* Nothing of a new fork is handed out as part of the old head. */
static void
test_truncated(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c, *reader;
	struct core_batch *b;
	struct want w;
	struct node n;
	struct buf out;

	(void)state;
	fix_open(&f, 9, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 300);
	reader = fix_core(&f, CORE_READ);
	b = fix_batch(c);
	check_ok(core_batch_truncate(b, 100, &e), &e);
	fix_commit(b);
	core_batch_free(b);
	fix_append(c, 400);
	buf_init(&out, 1 << 20);
	check_code(core_node(reader, 400, &n, &w, &e), ERR_CHANGED);
	check(strstr(e.msg, "truncated") != NULL);
	check_code(core_get(reader, 250, &out, &w, &e), ERR_CHANGED);
	check_code(core_verify(reader, &e), ERR_CHANGED);
	check_ok(core_refresh(reader, &e), &e);
	check(core_head(reader)->fork == 1);
	fix_expect(reader, 500);
	buf_deinit(&out);
	core_close(reader);
	core_close(c);
	fix_close(&f);
}

/* What was cleared by another handle is not here any more. */
static void
test_cleared(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c, *reader;

	(void)state;
	fix_open(&f, 9, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 300);
	reader = fix_core(&f, CORE_READ);
	check_ok(core_clear(c, 10, 20, &e), &e);
	/* A page that was not read before is the occasion to look. */
	expect_block(reader, 150);
	expect_missing(reader, 12);
	core_close(reader);
	core_close(c);
	fix_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same_store),
	    cmocka_unit_test(test_other_store),
	    cmocka_unit_test(test_head_stays),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_cleared),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
