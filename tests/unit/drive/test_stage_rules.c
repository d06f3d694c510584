/* Rules and stages: what ignoring, purging, keeping and choosing do to a
 * drive that holds files already, and how they are counted. */
#include "tests/unit/drive/stagefix.h"

/* Texts of the command line, one a line. */
static struct ignore_texts
texts(const char *const *text)
{
	struct ignore_texts t = {text, 0};

	while (text[t.n] != NULL)
		t.n++;
	return t;
}

/* Paths of the drive, one a line. */
static void
paths_are(struct stagefix *x, const char *want)
{
	struct hyperdrive_list *l = NULL;
	struct hyperdrive *d = NULL;
	struct bee *at = NULL;
	struct entry en;
	struct view path;
	struct want w;
	struct buf got;
	bool more;

	buf_init(&got, FIX_TEXT);
	check_ok(hyperdrive_open(&d, x->s, &x->key, CORE_READ, &x->e), &x->e);
	check_ok(
	    hyperdrive_at(d, core_head(hyperdrive_db(d))->length, &at, &x->e),
	    &x->e);
	check_ok(hyperdrive_list_open(&l, at, VIEW_EMPTY, &x->e), &x->e);
	for (;;) {
		check_ok(
		    hyperdrive_list_next(l, &more, &path, &en, NULL, &w, &x->e),
		    &x->e);
		if (!more)
			break;
		buf_append(&got, path);
		buf_byte(&got, '\n');
		entry_deinit(&en);
	}
	assert_string_equal(buf_cstr(&got), want);
	buf_deinit(&got);
	hyperdrive_list_close(l);
	bee_close(at);
	hyperdrive_close(d);
}

static const char *const purge_rules[] = {
    "purge-file.js", "purge-dir1", "purge-dir2", NULL};

/* Six files staged, four of them ignored from then on. */
static void
open_purge(struct stagefix *x)
{
	stagefix_open(x);
	fix_put(x->app, "f index.js=1\nf purge-file.js=22\nf purge-dir1/a=3\n"
			"f purge-dir1/sub/b=44\nf purge-dir2/c=5");
	check_ok(stagefix_try(x), &x->e);
	assert_int_equal(x->r.add, 6);
	x->o.ignore = texts(purge_rules);
}

#define SIX \
	"/index.js\n/package.json\n/purge-dir1/a\n/purge-dir1/sub/b\n" \
	"/purge-dir2/c\n/purge-file.js\n"
#define PURGED \
	"- /purge-dir1/a 1 0\n- /purge-dir1/sub/b 2 0\n" \
	"- /purge-dir2/c 1 0\n- /purge-file.js 2 0\n"

/* Ignored is not removed: neither changed nor deleted. */
static void
test_ignore_alone(void **state)
{
	struct stagefix x;

	(void)state;
	open_purge(&x);
	fix_put(x.app, "f purge-file.js=changed");
	fix_remove(x.app, "purge-dir2/c");
	stagefix_expect(&x, "");
	assert_int_equal(x.r.purged + x.r.remove + x.r.change, 0);
	paths_are(&x, SIX);
	stagefix_close(&x);
}

/* A dry run tells the purge and does nothing; purged is not removed. */
static void
test_purge(void **state)
{
	struct b32 before[2], after[2];
	struct stagefix x;

	(void)state;
	open_purge(&x);
	stagefix_hashes(&x, before);
	x.o.purge = x.o.dry_run = true;
	stagefix_expect(&x, PURGED);
	assert_int_equal(x.r.remove, 0);
	assert_int_equal(x.r.purged, 4);
	stagefix_hashes(&x, after);
	assert_memory_equal(before, after, sizeof(before));
	x.o.dry_run = false;
	stagefix_expect(&x, PURGED);
	assert_int_equal(x.r.remove, 0);
	assert_int_equal(x.r.purged, 4);
	assert_int_equal(x.r.files, 2);
	assert_int_equal(x.r.bytes_removed, 6);
	paths_are(&x, "/index.js\n/package.json\n");
	stagefix_expect(&x, "");
	stagefix_close(&x);
}

/* From package.json: purge, and one more ignored on the command line. */
static void
test_purge_of_the_package(void **state)
{
	static const char *const cli[] = {"one", NULL};
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f one=1\nf two=2\nf package.json={\"name\":\"x\","
		       "\"pear\":{\"stage\":{\"purge\":true,"
		       "\"ignore\":[\"other\"]}}}");
	check_ok(stagefix_try(&x), &x.e);
	x.o.ignore = texts(cli);
	stagefix_expect(&x, "- /one 1 0\n");
	assert_int_equal(x.r.purged, 1);
	/* without the package, neither its purge nor its rules */
	x.o.skip_package_json = true;
	fix_remove(x.app, "two");
	x.o.ignore = texts((const char *const[]){"two", NULL});
	stagefix_expect(&x, "+ /one 0 1\n");
	stagefix_close(&x);
}

/* What is gone from the disk and ignored too is purged, once; what is gone
 * alone is removed, after it. */
static void
test_purge_and_gone(void **state)
{
	struct stagefix x;

	(void)state;
	open_purge(&x);
	x.o.purge = true;
	fix_remove(x.app, "index.js");
	fix_remove(x.app, "purge-file.js");
	stagefix_expect(&x, PURGED "- /index.js 1 0\n");
	assert_int_equal(x.r.purged, 4);
	assert_int_equal(x.r.remove, 1);
	assert_int_equal(x.r.bytes_removed, 7);
	stagefix_close(&x);
}

/* Only: the rest of the drive is left alone, changed or gone. */
static void
test_only(void **state)
{
	static const char *const only[] = {"/src", "one", NULL};
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f one=1\nf two=2\nf three=3\nf src/a=4\nf src/b=5");
	check_ok(stagefix_try(&x), &x.e);
	fix_put(x.app, "f one=11\nf two=22\nf src/a=44\nf src/c=6\nf more=7");
	fix_remove(x.app, "three");
	fix_remove(x.app, "src/b");
	x.o.only = texts(only);
	stagefix_expect(
	    &x, "- /src/b 1 0\n~ /one 1 2\n~ /src/a 1 2\n+ /src/c 0 1\n");
	assert_int_equal(x.r.files, 3);
	assert_int_equal(x.r.remove, 1);
	paths_are(&x, "/one\n/package.json\n/src/a\n/src/c\n/three\n/two\n");
	stagefix_close(&x);
}

/* Named by only and ignored: staged, and not purged in the same breath. */
static void
test_only_wins_for_a_file(void **state)
{
	static const char *const rules[] = {"one", "src", NULL};
	static const char *const only[] = {"one", "src", NULL};
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f one=1\nf two=2\nf src/a=4");
	check_ok(stagefix_try(&x), &x.e);
	fix_put(x.app, "f one=11\nf src/a=44");
	x.o.ignore = texts(rules);
	x.o.only = texts(only);
	stagefix_expect(&x, "~ /one 1 2\n");
	x.o.purge = true;
	stagefix_expect(&x, "- /src/a 1 0\n");
	assert_int_equal(x.r.purged, 1);
	paths_are(&x, "/one\n/package.json\n/two\n");
	stagefix_close(&x);
}

/* Keeping more later adds, and deletes nothing. */
static void
test_unignore(void **state)
{
	static const char *const more[] = {"!/m/**/lib", NULL};
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f m/lib/x=0\nf m/1/lib/a=1\nf m/2/lib/a=2\nf m/2/b=3\n"
		       "f package.json={\"name\":\"x\",\"pear\":{\"stage\":{"
		       "\"ignore\":[\"/m/**/lib\",\"!/m/1/lib\"]}}}");
	stagefix_expect(&x, "+ /m/1/lib/a 0 1\n+ /m/2/b 0 1\n+ /m/lib/x 0 1\n"
			    "+ /package.json 0 66\n");
	x.o.ignore = texts(more);
	stagefix_expect(&x, "+ /m/2/lib/a 0 1\n");
	stagefix_close(&x);
}

/* Rules that leave nothing never empty a drive by accident. */
static void
test_nothing_left(void **state)
{
	static const char *const all[] = {"**", NULL};
	static const char *const none[] = {"/nope", NULL};
	static const char *const of_none[] = {NULL};
	struct b32 before[2], after[2];
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=1");
	check_ok(stagefix_try(&x), &x.e);
	stagefix_hashes(&x, before);
	x.o.ignore = texts(all);
	x.o.purge = true;
	check_code(stagefix_try(&x), ERR_INVALID);
	check(strstr(x.e.msg, "--allow-empty") != NULL);
	x.o.dry_run = true;
	check_code(stagefix_try(&x), ERR_INVALID);
	x.o.ignore = texts(of_none);
	x.o.only = texts(none);
	stagefix_expect(&x, "");
	x.o.dry_run = false;
	check_code(stagefix_try(&x), ERR_INVALID);
	assert_string_equal(x.e.msg, "only matched nothing");
	stagefix_hashes(&x, after);
	assert_memory_equal(before, after, sizeof(before));
	x.o.only = texts(of_none);
	x.o.ignore = texts(all);
	x.o.allow_empty = true;
	stagefix_expect(&x, "- /a 1 0\n- /package.json 30 0\n");
	assert_int_equal(x.r.purged, 2);
	paths_are(&x, "");
	stagefix_close(&x);
}

static void
test_warnings(void **state)
{
	static const char *const rules[] = {"*.none", "we?rd", "plain", NULL};
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f .env=secret\nf A=1\nf a=1\np pipe");
	x.o.ignore = texts(rules);
	x.o.dry_run = true;
	check_ok(stagefix_try(&x), &x.e);
	assert_string_equal(buf_cstr(&x.warnings),
	    "/pipe is skipped: a pipe is no file\n"
	    "/: A and a are one name on systems that fold case or normalise\n"
	    "/.env looks private and would be published\n"
	    "pattern *.none matched no file\n"
	    "pattern we?rd matched no file\n");
	stagefix_close(&x);
}

/* The package of the report; its version rises, its name is a title only. */
static void
test_versions(void **state)
{
	struct stagefix x;
	struct b32 key;

	(void)state;
	stagefix_open(&x);
	check_ok(stagefix_try(&x), &x.e);
	key = x.r.key;
	for (uint64_t i = 3; i < 6; i++) {
		char text[64];

		(void)snprintf(text, sizeof(text),
		    "f package.json={\"name\":\"x%d\"}", (int)i);
		fix_put(x.app, text);
		check_ok(stagefix_try(&x), &x.e);
		assert_int_equal(x.r.after.length, i);
		check(b32_eq(&x.r.key, &key));
	}
	stagefix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ignore_alone),
	    cmocka_unit_test(test_purge),
	    cmocka_unit_test(test_purge_of_the_package),
	    cmocka_unit_test(test_purge_and_gone),
	    cmocka_unit_test(test_only),
	    cmocka_unit_test(test_only_wins_for_a_file),
	    cmocka_unit_test(test_unignore),
	    cmocka_unit_test(test_nothing_left),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
