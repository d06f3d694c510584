/* git/lines: hunks of two texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "git/lines.h"
#include "support/vec.h"

static void
hunks(void **state)
{
	static const struct {
		const char *old, *new, *want;
		uint64_t added, removed;
	} rows[] = {
	    {"", "", "", 0, 0},
	    {"same\n", "same\n", "", 0, 0},
	    {"a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n", 1,
		1},
	    {"", "x\n", "@@ -0,0 +1 @@\n+x\n", 1, 0},
	    {"x\n", "", "@@ -1 +0,0 @@\n-x\n", 0, 1},
	    {"a\n", "a", "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n",
		1, 1},
	    {"a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n",
		1, 1},
	    {"a", "b",
		"@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"
		"\\ No newline at end of file\n",
		1, 1},
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lines s;
		struct buf b;

		buf_init(&b, 4096);
		check_ok(lines_diff(&b, view_str(rows[i].old),
			     view_str(rows[i].new), &s, &e),
		    &e);
		check_same(buf_view(&b), view_str(rows[i].want));
		check(!s.binary && s.added == rows[i].added &&
		      s.removed == rows[i].removed);
		buf_deinit(&b);
	}
}

static void
binary(void **state)
{
	struct lines s;
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	check_ok(
	    lines_diff(&b, view_of("a\0b", 3), view_of("c\0d", 3), &s, &e), &e);
	check(s.binary && b.len == 0);
	/* an absent side is empty */
	check_ok(lines_diff(&b, VIEW_EMPTY, view_str("n\n"), &s, &e), &e);
	check(!s.binary && s.added == 1);
	buf_deinit(&b);
}

static void
limits(void **state)
{
	static char big[LINES_TEXT_MAX + 1];
	struct lines s;
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	memset(big, 'x', sizeof(big));
	buf_init(&b, 16);
	check_code(
	    lines_diff(&b, view_of(big, sizeof(big)), VIEW_EMPTY, &s, &e),
	    ERR_LIMIT);
	/* the result has its own limit */
	check_code(lines_diff(&b, view_str("one\ntwo\n"),
		       view_str("three\nfour\n"), &s, &e),
	    ERR_LIMIT);
	buf_deinit(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hunks),
	    cmocka_unit_test(binary),
	    cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
