/* Comparing builds: what makes two folders different, and what does not. */
#include "support/treefix.h"

#include <utime.h>

#include "build-tool/tree.h"

static bool
same(const char *a, const char *b)
{
	struct err e = ERR_INIT;
	bool one = false, two = true;

	check_ok(tree_same(a, b, &one, &e), &e);
	check_ok(tree_same(b, a, &two, &e), &e);
	assert_int_equal(one, two);
	return one;
}

static void
test_rows(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
	    {"", "", true},
	    {"f a=1", "f a=1", true},
	    {"f a=1", "f a=2", false},
	    {"f a=1", "f a=11", false},
	    {"f a", "f a=1", false},
	    {"f a=1", "f b=1", false},
	    {"f a=1", "", false},
	    {"f a=1", "f a=1\nf b=1", false},
	    {"f a=1", "f A=1", false},
	    /* modes: only the owner's executable bit */
	    {"f a=1", "x a=1", false},
	    {"x a=1", "x a=1", true},
	    /* links are their text */
	    {"l a=b", "l a=b", true},
	    {"l a=b", "l a=c", false},
	    {"l a=b", "l a=bc", false},
	    {"l a=b\nf b=1", "f a=1\nf b=1", false},
	    {"l a=/x", "l a=/x", true},
	    /* folders count only by what is in them */
	    {"d a", "", true},
	    {"d a\nf b=1", "d c/d\nf b=1", true},
	    {"d a", "f a", false},
	    {"f a/b=1", "f a=1", false},
	    {"f a/b=1", "f a/c=1", false},
	    {"f a/b=1", "f ab=1", false},
	    {"f a/b=1\nd a/c\nf a.d=2", "f a.d=2\nf a/b=1", true},
	    {"f a/x=1\nf a.x=2\nf a0=3", "f a0=3\nf a.x=2\nf a/x=1", true},
	    /* what no build holds is never the same */
	    {"p a", "p a", false},
	    {"p a", "f a", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *dir = vec_tmpdir();
		bool got;

		fix_put(fix_path(dir, "one"), rows[i].a);
		fix_put(fix_path(dir, "other"), rows[i].b);
		got = same(fix_path(dir, "one"), fix_path(dir, "other"));
		if (got != rows[i].same)
			fprintf(stderr, "row %zu\n", i);
		assert_int_equal(got, rows[i].same);
	}
}

static void
test_times_and_other_modes(void **state)
{
	const struct utimbuf old = {1000, 2000};
	const char *dir = vec_tmpdir();
	char a[4096], b[4096];

	(void)state;
	(void)snprintf(a, sizeof(a), "%s/a", dir);
	(void)snprintf(b, sizeof(b), "%s/b", dir);
	fix_put(a, "f f=1\nx x=2");
	fix_put(b, "f f=1\nx x=2");
	check(utime(fix_path(b, "f"), &old) == 0);
	check(chmod(fix_path(b, "f"), 0606) == 0);
	check(chmod(fix_path(b, "x"), 0700) == 0);
	check(same(a, b));
	check(chmod(fix_path(b, "x"), 0655) == 0);
	check(!same(a, b));
}

/* A difference in the last byte of the second buffer. */
static void
test_long_files(void **state)
{
	const char *dir = vec_tmpdir();
	char bytes[100001];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	bytes[sizeof(bytes) - 1] = '\0';
	fix_put(fix_path(dir, "a"), "");
	fix_put(fix_path(dir, "b"), "");
	fix_put_file(fix_path(dir, "a/f"), bytes, 0644);
	fix_put_file(fix_path(dir, "b/f"), bytes, 0644);
	check(same(fix_path(dir, "a"), fix_path(dir, "b")));
	bytes[sizeof(bytes) - 2] = 'y';
	fix_put_file(fix_path(dir, "b/f"), bytes, 0644);
	check(!same(fix_path(dir, "a"), fix_path(dir, "b")));
}

/* A folder that is a link itself is entered; links in it are not. */
static void
test_links_at_the_top(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f a/f=1\nl b=a\nf c/g=1\nl c/f=../a/f");
	check(same(fix_path(dir, "a"), fix_path(dir, "b")));
	check(!same(fix_path(dir, "a"), fix_path(dir, "c")));
}

static void
test_missing(void **state)
{
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;
	bool got = true;

	(void)state;
	fix_put(dir, "f a/f=1\nd b");
	check_code(
	    tree_same(fix_path(dir, "a"), fix_path(dir, "none"), &got, &e),
	    ERR_NOT_FOUND);
	check(strstr(e.msg, fix_path(dir, "none")) != NULL);
	check_code(
	    tree_same(fix_path(dir, "none"), fix_path(dir, "b"), &got, &e),
	    ERR_NOT_FOUND);
	check(got); /* untouched by an error */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_times_and_other_modes),
	    cmocka_unit_test(test_long_files),
	    cmocka_unit_test(test_links_at_the_top),
	    cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
