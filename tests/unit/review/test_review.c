#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "review/review.h"
#include "support/vec.h"

static struct err e;

static void
add(struct review *r, struct review_change c)
{
	check_ok(review_add(r, &c, &e), &e);
}

static void
test_texts(void **state)
{
	struct review r;
	char *long_text = calloc(1, 20000);

	(void)state;
	assert_non_null(long_text);
	memset(long_text, 'x', 19999);
	review_init(&r);
	assert_int_equal(review_worst(&r), REVIEW_GOOD);
	check_ok(review_title(&r, &e, "one"), &e);
	check_ok(review_title(&r, &e, "%d%s", 2, "nd"), &e);
	assert_string_equal(r.title, "2nd");
	check_ok(review_fact(&r, "b", view_str("1"), &e), &e);
	check_ok(review_fact(&r, "a", view_of("12", 1), &e), &e);
	check_ok(review_fact(&r, "none", VIEW_EMPTY, &e), &e);
	assert_string_equal(r.fact[0].name, "b");
	assert_string_equal(r.fact[1].value, "1");
	assert_string_equal(r.fact[2].value, "");
	check_ok(review_find(&r, REVIEW_WARN, &e, "w"), &e);
	assert_int_equal(review_worst(&r), REVIEW_WARN);
	check_ok(review_find(&r, REVIEW_BAD, &e, "%s", long_text), &e);
	check_ok(review_find(&r, REVIEW_NOTE, &e, "n"), &e);
	assert_int_equal(review_worst(&r), REVIEW_BAD);
	assert_int_equal(strlen(r.finding[1].text), 8191);
	assert_int_equal(r.nfindings, 3);
	review_deinit(&r);
	assert_null(r.fact);
	free(long_text);
}

static const struct {
	const char *path, *name;
} archs[] = {
    {"/by-arch/linux-x64/app/x", "linux-x64"},
    {"/by-arch/linux-x64", ""},
    {"/by-arch//x", ""},
    {"/by-arch/a/", "a"},
    {"/by-archive/a/b", ""},
    {"/package.json", ""},
    {"/by-arch/"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/x",
	""},
};

static void
test_arch_of(void **state)
{
	const char *start;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		n = review_arch_of(archs[i].path, &start);
		assert_int_equal(n, strlen(archs[i].name));
		assert_memory_equal(start, archs[i].name, n);
	}
}

static void
test_sizes(void **state)
{
	struct review r;
	char path[64];

	(void)state;
	review_init(&r);
	check_ok(review_size(&r, "/by-arch/b/x", 1, 2, &e), &e);
	check_ok(review_size(&r, "/by-arch/a/x", 10, 0, &e), &e);
	check_ok(review_size(&r, "/by-arch/b/y", 3, 4, &e), &e);
	check_ok(review_size(&r, "/z", 5, 5, &e), &e);
	assert_int_equal(r.narch, 3);
	assert_string_equal(r.arch[0].name, "");
	assert_string_equal(r.arch[1].name, "a");
	assert_string_equal(r.arch[2].name, "b");
	assert_int_equal(r.arch[2].old_bytes, 4);
	assert_int_equal(r.arch[2].new_bytes, 6);
	/* a drive may have any number of folders there */
	for (int i = 0; i < 2 * REVIEW_ARCH_MAX; i++) {
		(void)snprintf(path, sizeof(path), "/by-arch/n%03d/x", i);
		check_ok(review_size(&r, path, 0, 1, &e), &e);
	}
	assert_int_equal(r.narch, REVIEW_ARCH_MAX);
	assert_int_equal(r.arch[0].new_bytes, 5 + 3 + REVIEW_ARCH_MAX);
	for (size_t i = 1; i < r.narch; i++)
		assert_true(strcmp(r.arch[i - 1].name, r.arch[i].name) < 0);
	review_deinit(&r);
}

static void
test_files(void **state)
{
	struct review r;

	(void)state;
	review_init(&r);
	add(&r, (struct review_change){.op = REVIEW_ADD,
		    .path = "/by-arch/a/run",
		    .new_size = 7,
		    .new_exec = true});
	add(&r, (struct review_change){.op = REVIEW_CHANGE,
		    .path = "/package.json",
		    .old_size = 3,
		    .new_size = 4,
		    .want = REVIEW_LINES,
		    .old_text = view_str("a\nb\n"),
		    .new_text = view_str("a\nc\nd\n")});
	add(&r, (struct review_change){.op = REVIEW_REMOVE,
		    .path = "/elsewhere",
		    .old_size = 100,
		    .old_link = "x"});
	add(&r, (struct review_change){.op = REVIEW_CHANGE,
		    .path = "/by-arch/a/bit",
		    .old_size = 50,
		    .new_size = 50,
		    .old_exec = true,
		    .metadata_only = true,
		    .want = REVIEW_LINES});
	assert_int_equal(r.add, 1);
	assert_int_equal(r.change, 2);
	assert_int_equal(r.remove, 1);
	assert_int_equal(r.old_bytes, 103);
	assert_int_equal(r.new_bytes, 11);
	assert_true(r.file[0].program && !r.file[0].outside);
	assert_null(r.file[0].lines);
	assert_null(r.file[0].no_lines);
	assert_false(r.file[1].outside);
	assert_int_equal(r.file[1].lines_added, 2);
	assert_int_equal(r.file[1].lines_removed, 1);
	assert_string_equal(
	    r.file[1].lines, "@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d\n");
	assert_true(r.file[2].outside);
	assert_string_equal(r.file[2].old_link, "x");
	assert_null(r.file[2].new_link);
	assert_true(r.file[3].program);
	assert_null(r.file[3].lines);
	review_deinit(&r);
}

/* What is no text, or too much of it. */
static void
test_no_lines(void **state)
{
	struct review_change c = {.op = REVIEW_ADD,
	    .path = "/x",
	    .want = REVIEW_LINES,
	    .no_lines = "elsewhere"};
	char *big = malloc(REVIEW_TEXT_MAX + 1);
	struct review r;
	size_t n = 0;

	(void)state;
	assert_non_null(big);
	review_init(&r);
	add(&r, c);
	assert_string_equal(r.file[0].no_lines, "elsewhere");
	c.no_lines = NULL;
	c.new_text = view_of("a\0b\n", 4);
	add(&r, c);
	assert_string_equal(r.file[1].no_lines, "binary");
	memset(big, '\n', REVIEW_TEXT_MAX + 1);
	c.new_text = view_of(big, REVIEW_TEXT_MAX + 1);
	add(&r, c);
	assert_string_equal(r.file[2].no_lines, "too large");
	/* "+" and a newline each: twice the text */
	c.new_text = view_of(big, REVIEW_TEXT_MAX);
	add(&r, c);
	assert_string_equal(r.file[3].no_lines, "too many changed lines");
	assert_int_equal(r.lines_bytes, 0);
	/* and all of them together */
	c.new_text = view_of(big, REVIEW_LINES_MAX / 2 - 64);
	for (int i = 0; i < 20; i++)
		add(&r, c);
	while (n < 20 && r.file[4 + n].lines != NULL)
		n++;
	assert_true(n >= 16 && n < 18);
	assert_true(r.lines_bytes <= REVIEW_LINES_TOTAL);
	assert_string_equal(r.file[4 + n].no_lines, "too many changed lines");
	review_deinit(&r);
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_arch_of),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_no_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
