#include "reviewfix.h"

/* Two versions of the fixture's staged drive, or of two drives. */
struct sides {
	struct hyperdrive *drive[2];
	struct bee *bee[2];
	struct drives_side side[2];
};

static void
sides_open(struct sides *s, struct reviewfix *x, const struct b32 *old,
    uint64_t old_length, const struct b32 *new, uint64_t new_length)
{
	const struct b32 *key[2] = {old, new};
	const uint64_t length[2] = {old_length, new_length};

	memset(s, 0, sizeof(*s));
	check_ok(store_refresh(x->p.st.s, &x->e), &x->e);
	for (size_t i = 0; i < 2; i++) {
		if (key[i] == NULL)
			continue;
		check_ok(hyperdrive_open(
			     &s->drive[i], x->p.st.s, key[i], CORE_READ, &x->e),
		    &x->e);
		check_ok(
		    hyperdrive_at(s->drive[i],
			length[i] > 0
			    ? length[i]
			    : core_head(hyperdrive_db(s->drive[i]))->length,
			&s->bee[i], &x->e),
		    &x->e);
		s->side[i] = (struct drives_side){s->drive[i], s->bee[i]};
	}
}

static void
sides_close(struct sides *s)
{
	for (size_t i = 0; i < 2; i++) {
		bee_close(s->bee[i]);
		hyperdrive_close(s->drive[i]);
	}
}

static void
compare(struct reviewfix *x, struct sides *s, enum review_want lines)
{
	review_deinit(&x->r);
	check_ok(
	    drives_compare(&x->r, &s->side[0], &s->side[1], lines, NULL, &x->e),
	    &x->e);
}

static uint64_t
staged_length(struct reviewfix *x)
{
	return provfix_state(&x->p, &x->p.stage).db.length;
}

static void
expect_files(struct reviewfix *x, const char *lines)
{
	assert_string_equal(reviewfix_show_files(&x->text, &x->r), lines);
}

static void
test_all_kinds(void **state)
{
	struct reviewfix x;
	struct sides s;
	uint64_t before;

	(void)state;
	reviewfix_open(&x);
	fix_put(x.p.st.app, "f by-arch/a/gone=bye\nf by-arch/a/text=one\\ntwo\n"
			    "x by-arch/a/run=same\nl by-arch/a/link=text\n"
			    "f by-arch/a/turns=file\nf by-arch/a/same=same\n"
			    "f by-arch/a/empty=\n");
	provfix_stage(&x.p);
	before = staged_length(&x);
	fix_remove(x.p.st.app, "by-arch/a/gone");
	fix_remove(x.p.st.app, "by-arch/a/link");
	fix_remove(x.p.st.app, "by-arch/a/turns");
	fix_put(x.p.st.app, "f by-arch/a/text=one\nf by-arch/a/run=same\n"
			    "l by-arch/a/link=run\nl by-arch/a/turns=run\n"
			    "x by-arch/a/new=new");
	provfix_stage(&x.p);
	sides_open(&s, &x, &x.p.stage, before, &x.p.stage, 0);
	compare(&x, &s, REVIEW_LINES);
	expect_files(&x, "- /by-arch/a/gone 3 0 +0-1\n"
			 "~ /by-arch/a/link 0 0 link text>run\n"
			 "+ /by-arch/a/new 0 3 x:01 +1-0\n"
			 "~ /by-arch/a/run 4 4 x:10 same\n"
			 "~ /by-arch/a/text 8 3 +1-1\n"
			 "~ /by-arch/a/turns 4 0 link >run\n");
	assert_int_equal(x.r.add, 1);
	assert_int_equal(x.r.change, 4);
	assert_int_equal(x.r.remove, 1);
	assert_int_equal(x.r.narch, 2);
	assert_string_equal(x.r.arch[1].name, "a");
	assert_int_equal(x.r.arch[1].old_bytes, 3 + 8 + 4 + 4 + 4);
	assert_int_equal(x.r.arch[1].new_bytes, 3 + 3 + 4 + 4);
	sides_close(&s);
	/* the other way round, and against nothing */
	sides_open(&s, &x, NULL, 0, &x.p.stage, before);
	compare(&x, &s, REVIEW_NO_LINES);
	assert_int_equal(x.r.nfiles, 8);
	assert_int_equal(x.r.add, 8);
	assert_null(x.r.file[0].lines);
	sides_close(&s);
	reviewfix_close(&x);
}

/* The same files in two drives that cut them in different ways. */
static void
test_other_cut(void **state)
{
	struct reviewfix x;
	struct sides s;
	char *big = malloc(400001);

	(void)state;
	assert_non_null(big);
	for (size_t i = 0; i < 400000; i++)
		big[i] = (char)('a' + (i * 2654435761u >> 13) % 26);
	big[400000] = '\0';
	reviewfix_open(&x);
	fix_put_file(fix_path(x.p.st.app, "big"), big, 0644);
	x.p.st.o.chunking = STAGE_CHUNKING_CDC;
	provfix_stage(&x.p);
	x.p.st.o.chunking = STAGE_CHUNKING_FIXED;
	x.p.st.o.key = x.source;
	check_ok(stagefix_try(&x.p.st), &x.p.st.e);
	sides_open(&s, &x, &x.p.stage, 0, &x.source, 0);
	compare(&x, &s, REVIEW_LINES);
	expect_files(&x, "");
	sides_close(&s);
	big[399999] = '!';
	fix_put_file(fix_path(x.p.st.app, "big"), big, 0644);
	check_ok(stagefix_try(&x.p.st), &x.p.st.e);
	sides_open(&s, &x, &x.p.stage, 0, &x.source, 0);
	compare(&x, &s, REVIEW_LINES);
	expect_files(&x, "~ /big 400000 400000 +1-1\n");
	sides_close(&s);
	free(big);
	reviewfix_close(&x);
}

static void
test_too_large(void **state)
{
	struct reviewfix x;
	struct sides s;
	char *big = calloc(1, REVIEW_TEXT_MAX + 2);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', REVIEW_TEXT_MAX + 1);
	reviewfix_open(&x);
	fix_put_file(fix_path(x.p.st.app, "big"), big, 0644);
	provfix_stage(&x.p);
	sides_open(&s, &x, NULL, 0, &x.p.stage, 0);
	compare(&x, &s, REVIEW_LINES);
	expect_files(&x, "+ /big 0 1048577 too large\n"
			 "+ /package.json 0 30 +1-0\n");
	sides_close(&s);
	free(big);
	reviewfix_close(&x);
}

static void
test_remarks(void **state)
{
	struct reviewfix x;
	struct sides s;

	(void)state;
	reviewfix_open(&x);
	fix_put(x.p.st.app, "f a=\nf b=\nf c=\nf d=\nx by-arch/a/run=\n"
			    "l by-arch/a/inside=../b/../a/run");
	provfix_stage(&x.p);
	sides_open(&s, &x, NULL, 0, &x.p.stage, 0);
	compare(&x, &s, REVIEW_NO_LINES);
	assert_string_equal(reviewfix_show_findings(&x.text, &x.r),
	    "WARN 4 files outside /package.json and /by-arch: /a, /b, /c, "
	    "\xe2\x80\xa6\n"
	    "NOTE 1 program is new or changes: /by-arch/a/run\n");
	sides_close(&s);
	reviewfix_close(&x);
}

/* What only another program would write. */
static void
test_hostile(void **state)
{
	static const char *const link[][2] = {{"/by-arch/a/l1", "/etc/passwd"},
	    {"/by-arch/a/l2", "../../../x"}, {"/by-arch/a/l3", "./../../x"},
	    {"/by-arch/a/l4", "b//../c/../../.."}};
	static const char name[] = "files\0/by-arch/a\\b";
	json_t *value = json_pack("{s:n, s:s}", "blob", "linkname", "x");
	struct hyperdrive_batch *hb;
	struct hyperdrive *d;
	struct reviewfix x;
	struct sides s;
	struct want w;

	(void)state;
	reviewfix_open(&x);
	check_ok(
	    hyperdrive_open(&d, x.p.st.s, &x.source, CORE_WRITE, &x.e), &x.e);
	check_ok(
	    hyperdrive_batch_new(&hb, d, CORE_BATCH_REAL, BLOBS_PLAIN, &x.e),
	    &x.e);
	for (size_t i = 0; i < 4; i++)
		check_ok(hyperdrive_batch_symlink(
			     hb, view_str(link[i][0]), link[i][1], &w, &x.e),
		    &x.e);
	/* no path that a batch would take */
	check_ok(hyperdrive_batch_field(
		     hb, view_of(name, sizeof(name) - 1), value, &w, &x.e),
	    &x.e);
	check_ok(hyperdrive_batch_commit(hb, NULL, NULL, &x.e), &x.e);
	hyperdrive_batch_free(hb);
	hyperdrive_close(d);
	sides_open(&s, &x, NULL, 0, &x.source, 0);
	compare(&x, &s, REVIEW_LINES);
	assert_true(reviewfix_says(&x,
	    "BAD 1 name cannot be written safely: /by-arch/a\\b\n"
	    "WARN 2 links lead out of the drive: /by-arch/a/l1, "
	    "/by-arch/a/l2\n"));
	sides_close(&s);
	json_decref(value);
	reviewfix_close(&x);
}

static void
put_field(struct reviewfix *x, const char *name, json_t *value)
{
	struct hyperdrive_batch *hb;
	struct hyperdrive *d;
	struct want w;

	check_ok(hyperdrive_open(&d, x->p.st.s, &x->p.stage, CORE_WRITE, &x->e),
	    &x->e);
	check_ok(
	    hyperdrive_batch_new(&hb, d, CORE_BATCH_REAL, BLOBS_PLAIN, &x->e),
	    &x->e);
	check_ok(hyperdrive_batch_field(hb, view_str(name), value, &w, &x->e),
	    &x->e);
	check_ok(hyperdrive_batch_commit(hb, NULL, NULL, &x->e), &x->e);
	hyperdrive_batch_free(hb);
	hyperdrive_close(d);
	json_decref(value);
}

static void
test_fields(void **state)
{
	struct reviewfix x;
	struct sides s;
	char name[16];
	uint64_t before;

	(void)state;
	reviewfix_open(&x);
	provfix_stage(&x.p);
	put_field(&x, "platformVersion", json_integer(1));
	put_field(&x, "zzz", json_string("old"));
	put_field(&x, "same", json_true());
	check_ok(store_refresh(x.p.st.s, &x.e), &x.e);
	before = staged_length(&x);
	put_field(&x, "platformVersion", json_integer(2));
	put_field(&x, "zzz", NULL);
	put_field(&x, "a\nb", json_string("x\x1b[1m"));
	sides_open(&s, &x, &x.p.stage, before, &x.p.stage, 0);
	compare(&x, &s, REVIEW_LINES);
	expect_files(&x, "");
	assert_string_equal(reviewfix_show_findings(&x.text, &x.r),
	    "WARN field a\\x0ab of the drive is added: "
	    "\"x\\\\u001b[1m\"\n"
	    "NOTE field platformVersion of the drive changes: 2\n"
	    "WARN field zzz of the drive is removed\n");
	sides_close(&s);
	for (int i = 0; i < 25; i++) {
		(void)snprintf(name, sizeof(name), "f%02d", i);
		put_field(&x, name, json_integer(i));
	}
	sides_open(&s, &x, &x.p.stage, before, &x.p.stage, 0);
	compare(&x, &s, REVIEW_LINES);
	assert_int_equal(x.r.nfindings, 21);
	assert_true(reviewfix_says(&x, "WARN 8 more fields differ\n"));
	sides_close(&s);
	reviewfix_close(&x);
}

/* One change among a thousand files, in folders that sort in odd ways. */
static void
test_many(void **state)
{
	struct reviewfix x;
	struct sides s;
	uint64_t before;
	char line[64];

	(void)state;
	reviewfix_open(&x);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(line, sizeof(line), "f by-arch/a/%d%s%d=%d",
		    i % 7,
		    i % 3 == 0	 ? "/"
		    : i % 3 == 1 ? "."
				 : "-",
		    i, i);
		fix_put(x.p.st.app, line);
	}
	provfix_stage(&x.p);
	before = staged_length(&x);
	fix_put(x.p.st.app, "f by-arch/a/0/504=changed");
	provfix_stage(&x.p);
	sides_open(&s, &x, &x.p.stage, before, &x.p.stage, 0);
	compare(&x, &s, REVIEW_LINES);
	expect_files(&x, "~ /by-arch/a/0/504 3 7 +1-1\n");
	sides_close(&s);
	sides_open(&s, &x, NULL, 0, &x.p.stage, before);
	compare(&x, &s, REVIEW_NO_LINES);
	assert_int_equal(x.r.nfiles, 1001);
	for (size_t i = 1; i < x.r.nfiles; i++)
		check(strcmp(x.r.file[i - 1].path, x.r.file[i].path) < 0);
	sides_close(&s);
	reviewfix_close(&x);
}

/* -- package.json ------------------------------------------------------------ */

static const struct {
	const char *before, *after; /* package.json; NULL = none */
	const char *findings;
} packages[] = {
    {NULL, "{\"version\":\"1.0.0\"}",
	"WARN package.json names no upgrade link: an installation would "
	"never update\n"},
    {NULL, NULL, "WARN there is no package.json\n"},
    {NULL, "[", "WARN package.json: "},
    {"{\"name\":\"a\",\"version\":\"1.0.0\"}",
	"{\"name\":\"b\",\"version\":\"1.0.0\"}",
	"WARN the app has another name: b, before a\n"
	"WARN version 1.0.0 is not greater than 1.0.0, which is there "
	"already\n"
	"WARN package.json names no upgrade link"},
    {"{\"version\":\"2.0.0\"}", "{\"version\":\"10.0.0-rc.1\"}",
	"WARN version 10.0.0-rc.1 is not one for production\n"
	"GOOD version 10.0.0-rc.1 is greater than 2.0.0\n"},
    {"{\"version\":\"2.0.0\"}", "{\"version\":\"next\"}",
	"WARN version next is no semantic version\n"},
    {"nonsense", "{\"upgrade\":\"https://example.org\"}",
	"WARN version none is no semantic version\n"
	"WARN upgrade https://example.org is no link of a drive\n"},
    {NULL,
	"{\"version\":\"1.0.0\",\"upgrade\":\"pear://"
	"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyo\"}",
	"WARN upgrade pear://"
	"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyo is not this "
	"target: an installation would follow another drive\n"},
};

static void
put_package(struct reviewfix *x, const struct b32 *key, const char *text)
{
	fix_put(x->p.st.app, "f other=1");
	if (text != NULL)
		fix_put_file(fix_path(x->p.st.app, "package.json"), text, 0644);
	else if (access(fix_path(x->p.st.app, "package.json"), F_OK) == 0)
		fix_remove(x->p.st.app, "package.json");
	x->p.st.o.key = *key;
	x->p.st.o.skip_package_json = true;
	check_ok(stagefix_try(&x->p.st), &x->p.st.e);
}

static void
test_packages(void **state)
{
	struct b32 target = {{9}};
	struct reviewfix x;
	struct sides s;

	(void)state;
	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++) {
		const char *want = packages[i].findings;
		const char *got;

		reviewfix_open(&x);
		put_package(&x, &x.p.stage, packages[i].before);
		put_package(&x, &x.source, packages[i].after);
		sides_open(&s, &x, &x.p.stage, 0, &x.source, 0);
		check_ok(drives_package(
			     &x.r, &s.side[0], &s.side[1], &target, NULL, &x.e),
		    &x.e);
		got = reviewfix_show_findings(&x.text, &x.r);
		if (strncmp(got, want, strlen(want)) != 0)
			assert_string_equal(got, want);
		sides_close(&s);
		reviewfix_close(&x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_kinds),
	    cmocka_unit_test(test_other_cut),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_remarks),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_packages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
