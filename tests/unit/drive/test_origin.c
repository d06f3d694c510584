/* Where a content was: by the whole blob id, leaving paths first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/origin.h"
#include "support/vec.h"

static struct blobs_id
id_of(uint64_t offset, uint64_t blocks)
{
	return (struct blobs_id){
	    offset, offset * 10, blocks, blocks * 10, false};
}

static void
add(struct origin *o, struct blobs_id id, const char *path, bool removed)
{
	struct err e = ERR_INIT;

	check_ok(origin_add(o, &id, path, removed, &e), &e);
}

static const char *
where(const struct origin *o, struct blobs_id id)
{
	struct origin_slot *s = origin_find(o, &id);

	return s == NULL ? "none" : s->path;
}

static void
test_find(void **state)
{
	struct origin o = {NULL, 0, 0};
	struct blobs_id map = id_of(1, 2);

	(void)state;
	assert_string_equal(where(&o, id_of(1, 2)), "none");
	add(&o, id_of(1, 2), "/a", false);
	add(&o, id_of(1, 3), "/b", false);
	add(&o, id_of(2, 2), "/c", false);
	assert_string_equal(where(&o, id_of(1, 2)), "/a");
	assert_string_equal(where(&o, id_of(1, 3)), "/b");
	assert_string_equal(where(&o, id_of(2, 2)), "/c");
	/* every field counts; the byte offset follows from the block */
	map.block_map = true;
	assert_string_equal(where(&o, map), "none");
	map = id_of(1, 2);
	map.byte_length++;
	assert_string_equal(where(&o, map), "none");
	origin_deinit(&o);
	origin_deinit(&o); /* again is fine */
}

/* The first path stays, unless a later one leaves the drive. */
static void
test_which_path(void **state)
{
	static const struct {
		bool first, second;
		const char *want;
	} rows[] = {
	    {false, false, "/a"},
	    {false, true, "/b"},
	    {true, false, "/a"},
	    {true, true, "/a"},
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct origin o = {NULL, 0, 0};

		add(&o, id_of(5, 1), "/a", rows[i].first);
		add(&o, id_of(5, 1), "/b", rows[i].second);
		assert_string_equal(where(&o, id_of(5, 1)), rows[i].want);
		check(o.n == 1);
		origin_deinit(&o);
	}
}

/* A rename takes its path once: what the caller changes stays. */
static void
test_taken_once(void **state)
{
	struct origin o = {NULL, 0, 0};
	struct blobs_id id = id_of(5, 1);

	(void)state;
	add(&o, id, "/a", true);
	check(origin_find(&o, &id)->removed);
	origin_find(&o, &id)->removed = false;
	check(!origin_find(&o, &id)->removed);
	origin_deinit(&o);
}

static void
test_empty_contents(void **state)
{
	struct origin o = {NULL, 0, 0};

	(void)state;
	add(&o, id_of(3, 0), "/a", true);
	check(o.n == 0);
	assert_string_equal(where(&o, id_of(3, 0)), "none");
	add(&o, id_of(3, 1), "/b", true);
	assert_string_equal(where(&o, id_of(3, 0)), "none");
	origin_deinit(&o);
}

/* Growth loses nothing; ids that fall together stay apart. */
static void
test_many(void **state)
{
	enum { N = 5000 };
	static char path[N][16];
	struct origin o = {NULL, 0, 0};

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		(void)snprintf(path[i], sizeof(path[i]), "/%u", i);
		add(&o, id_of((uint64_t)i / 8 << 40, i % 8 + 1), path[i],
		    i % 3 == 0);
	}
	check(o.n == N && o.cap > N && (o.cap & (o.cap - 1)) == 0);
	for (unsigned i = 0; i < N; i++) {
		struct blobs_id id = id_of((uint64_t)i / 8 << 40, i % 8 + 1);
		struct origin_slot *s = origin_find(&o, &id);

		check(s != NULL && s->path == path[i]);
		check(s->removed == (i % 3 == 0));
	}
	assert_string_equal(where(&o, id_of(1, 1)), "none");
	origin_deinit(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_which_path),
	    cmocka_unit_test(test_taken_once),
	    cmocka_unit_test(test_empty_contents),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
