/* The stage: what it reports, what it stores, and that nothing half-done
 * ever becomes visible. */
#include "tests/unit/drive/stagefix.h"

static void
test_first_and_second(void **state)
{
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=hello\nx b/run=#!/bin/sh\nl link=a\nf empty=");
	stagefix_expect(&x,
	    "+ /a 0 5\n+ /b/run 0 9\n+ /empty 0 0\n+ /link 0 0\n"
	    "+ /package.json 0 30\n");
	assert_int_equal(x.r.files, 5);
	assert_int_equal(x.r.add, 5);
	assert_int_equal(x.r.after.length, 6);
	stagefix_expect(&x, "");
	assert_int_equal(x.r.after.length, 6);
	fix_put(x.app, "f a=hallo!");
	fix_remove(x.app, "empty");
	stagefix_expect(&x, "- /empty 0 0\n~ /a 5 6\n");
	assert_int_equal(x.r.after.length, 8);
	stagefix_close(&x);
}

static void
test_only_the_mode_changed(void **state)
{
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=hello");
	stagefix_expect(&x, "+ /a 0 5\n+ /package.json 0 30\n");
	fix_put(x.app, "x a=hello");
	stagefix_expect(&x, "~ /a 0 0\n");
	assert_int_equal(x.r.bytes_stored, 0);
	assert_true(
	    b32_eq(&x.r.blobs_before.tree_hash, &x.r.blobs_after.tree_hash));
	stagefix_expect(&x, "");
	stagefix_close(&x);
}

static void
test_links_and_files_trade_places(void **state)
{
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=hello\nl l=a");
	stagefix_expect(&x, "+ /a 0 5\n+ /l 0 0\n+ /package.json 0 30\n");
	fix_remove(x.app, "l");
	fix_remove(x.app, "a");
	fix_put(x.app, "l a=l\nf l=text");
	stagefix_expect(&x, "~ /a 5 0\n~ /l 0 4\n");
	stagefix_expect(&x, "");
	stagefix_close(&x);
}

static void
test_renames_and_copies(void **state)
{
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=content of a\nf b=content of b");
	stagefix_expect(&x, "+ /a 0 12\n+ /b 0 12\n+ /package.json 0 30\n");
	fix_remove(x.app, "a");
	fix_put(x.app, "f c=content of a\nf d=content of b");
	stagefix_expect(
	    &x, "- /a 12 0\n+ /c 0 12 renamed /a\n+ /d 0 12 copied /b\n");
	assert_int_equal(x.r.bytes_stored, 0);
	stagefix_close(&x);
}

/* The dry run is the real run: same lines, same lengths, same hashes, and
 * nothing written. */
static void
test_dry_run_tells_the_truth(void **state)
{
	struct b32 before[2], after[2];
	struct stage_report dry;
	struct stagefix x;
	char *lines;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=one\nf b=two\nf c=three");
	check_ok(stagefix_try(&x), &x.e);
	fix_put(x.app, "f a=ONE\nf d=two\nl e=a");
	fix_remove(x.app, "b");
	stagefix_hashes(&x, before);
	x.o.dry_run = true;
	check_ok(stagefix_try(&x), &x.e);
	dry = x.r;
	lines = strdup(buf_cstr(&x.log));
	stagefix_hashes(&x, after);
	assert_memory_equal(before, after, sizeof(before));
	x.o.dry_run = false;
	stagefix_expect(&x, lines);
	free(lines);
	stagefix_hashes(&x, after);
	assert_true(b32_eq(&after[0], &dry.after.tree_hash));
	assert_true(b32_eq(&after[1], &dry.blobs_after.tree_hash));
	assert_int_equal(dry.after.length, x.r.after.length);
	stagefix_close(&x);
}

static void
test_dry_run_of_an_empty_drive(void **state)
{
	struct b32 hashes[2];
	struct stage_report dry;
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=one");
	x.o.dry_run = true;
	stagefix_expect(&x, "+ /a 0 3\n+ /package.json 0 30\n");
	assert_int_equal(x.r.before.length, 0);
	dry = x.r;
	x.o.dry_run = false;
	check_ok(stagefix_try(&x), &x.e);
	stagefix_hashes(&x, hashes);
	assert_true(b32_eq(&hashes[0], &dry.after.tree_hash));
	assert_true(b32_eq(&hashes[1], &dry.blobs_after.tree_hash));
	stagefix_close(&x);
}

/* Two stores, one key, the same files made in another order: equal. */
static void
test_determinism(void **state)
{
	static const char *const orders[2] = {
	    "f a=1\nf a.txt=2\nf q/b=3\nf A=4\nf z=5\nf dup=1",
	    "f z=5\nf dup=1\nf q/b=3\nf A=4\nf a.txt=2\nf a=1",
	};
	enum stage_chunking how[] = {
	    STAGE_CHUNKING_CDC, STAGE_CHUNKING_FIXED, STAGE_CHUNKING_PEAR};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct b32 hashes[2][2];

		for (size_t k = 0; k < 2; k++) {
			struct stagefix x;

			stagefix_open(&x);
			fix_put(x.app, orders[k]);
			x.o.chunking = how[i];
			check_ok(stagefix_try(&x), &x.e);
			fix_put(
			    x.app, k == 0 ? "f z=6\nf y=7" : "f y=7\nf z=6");
			check_ok(stagefix_try(&x), &x.e);
			stagefix_hashes(&x, hashes[k]);
			stagefix_close(&x);
		}
		assert_memory_equal(hashes[0], hashes[1], sizeof(hashes[0]));
	}
}

static void
grow(struct stagefix *x, size_t n)
{
	if (n == 0)
		fix_put(x->app, "f z=grown while the stage runs");
}

static void
vanish(struct stagefix *x, size_t n)
{
	if (n == 0)
		fix_remove(x->app, "z");
}

static void
become_link(struct stagefix *x, size_t n)
{
	if (n != 0)
		return;
	fix_remove(x->app, "z");
	fix_put(x->app, "l z=package.json");
}

static void
test_files_that_change_meanwhile(void **state)
{
	void (*const ways[])(struct stagefix *, size_t) = {
	    grow, vanish, become_link};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct b32 before[2], after[2];
		struct stagefix x;

		stagefix_open(&x);
		fix_put(x.app, "f a=one\nf z=zzz");
		check_ok(stagefix_try(&x), &x.e);
		fix_put(x.app, "f a=two\nf z=yyyy");
		stagefix_hashes(&x, before);
		x.meddle = ways[i];
		check_code(stagefix_try(&x), ERR_CHANGED);
		assert_non_null(strstr(x.e.msg, "/z"));
		stagefix_hashes(&x, after);
		assert_memory_equal(before, after, sizeof(before));
		stagefix_close(&x);
	}
}

/* Stopped at any poll, the drive is as it was; then it goes through. */
static void
test_stop_anywhere(void **state)
{
	struct b32 before[2], after[2];
	struct stagefix x;
	size_t n = 0;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=one\nf b=two");
	check_ok(stagefix_try(&x), &x.e);
	fix_put(x.app, "f a=1\nf c=three\nf d/e=four");
	stagefix_hashes(&x, before);
	for (x.stop_at = 1;; x.stop_at++, n++) {
		enum err_code rc = stagefix_try(&x);

		if (rc == ERR_OK)
			break;
		check_code(rc, ERR_INTERRUPTED);
		stagefix_hashes(&x, after);
		assert_memory_equal(before, after, sizeof(before));
	}
	assert_true(n >= 5);
	stagefix_hashes(&x, after);
	assert_memory_not_equal(before, after, sizeof(before));
	stagefix_close(&x);
}

static void
test_plans(void **state)
{
	struct stagefix x;
	char plan[600];

	(void)state;
	stagefix_open(&x);
	(void)snprintf(plan, sizeof(plan), "%s/plan.json", x.dir);
	fix_put(x.app, "f a=one\nf b=two");
	x.o.dry_run = true;
	x.o.plan_out = plan;
	check_ok(stagefix_try(&x), &x.e);
	x.o.dry_run = false;
	x.o.plan_out = NULL;
	x.o.plan = plan;
	/* another content of the same size */
	fix_put(x.app, "f a=eno");
	check_code(stagefix_try(&x), ERR_CONFLICT);
	assert_non_null(strstr(x.e.msg, "/a"));
	/* one file more */
	fix_put(x.app, "f a=one\nf c=three");
	check_code(stagefix_try(&x), ERR_CONFLICT);
	assert_non_null(strstr(x.e.msg, "/c"));
	fix_remove(x.app, "c");
	/* another mode */
	fix_put(x.app, "x b=two");
	check_code(stagefix_try(&x), ERR_CONFLICT);
	fix_put(x.app, "f b=two");
	assert_int_equal(x.r.before.length, 0);
	check_ok(stagefix_try(&x), &x.e);
	assert_int_equal(x.r.after.length, 4);
	/* the drive moved on: the plan is spent */
	check_code(stagefix_try(&x), ERR_CONFLICT);
	assert_non_null(strstr(x.e.msg, "not as it was reviewed"));
	x.o.chunking = STAGE_CHUNKING_FIXED;
	check_code(stagefix_try(&x), ERR_CONFLICT);
	stagefix_close(&x);
}

static void
test_truncate(void **state)
{
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=one");
	check_ok(stagefix_try(&x), &x.e);
	fix_put(x.app, "f b=two");
	check_ok(stagefix_try(&x), &x.e);
	assert_int_equal(x.r.after.length, 4);
	x.o.has_truncate = true;
	x.o.truncate = 3;
	x.o.dry_run = true;
	stagefix_expect(&x, "truncate 3\n+ /b 0 3\n");
	assert_int_equal(x.r.before.fork, 0);
	x.o.dry_run = false;
	stagefix_expect(&x, "truncate 3\n+ /b 0 3\n");
	assert_int_equal(x.r.after.fork, 1);
	assert_int_equal(x.r.blobs_after.fork, 1);
	assert_int_equal(x.r.after.length, 4);
	x.o.truncate = 9;
	check_code(stagefix_try(&x), ERR_LIMIT);
	assert_non_null(strstr(x.e.msg, "Bad truncation length"));
	/* a length inside a batch shows a wrong tree: refused */
	x.o.truncate = 2;
	assert_true(stagefix_try(&x) != ERR_OK);
	stagefix_close(&x);
}

static void
test_chunkings_read_back(void **state)
{
	enum stage_chunking how[] = {STAGE_CHUNKING_CDC, STAGE_CHUNKING_FIXED,
	    STAGE_CHUNKING_PEAR, STAGE_CHUNKING_PEAR_EXACT};
	char *big = malloc(3000001), path[1024];
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < 3000000; i++) {
		seed = seed * 1664525 + 1013904223;
		big[i] = (char)('a' + (seed >> 24) % 26);
	}
	big[3000000] = '\0';
	for (size_t i = 0; i < 4; i++) {
		struct dump_opts d = {.force = true};
		struct stagefix x;
		struct buf got;

		stagefix_open(&x);
		fix_put(x.app, "f a=one\nf empty=");
		(void)snprintf(path, sizeof(path), "%s/big", x.app);
		fix_put_file(path, big, 0755);
		x.o.chunking = how[i];
		check_ok(stagefix_try(&x), &x.e);
		memcpy(big + 1500000, "CHANGED", 7);
		fix_put_file(path, big, 0755);
		check_ok(stagefix_try(&x), &x.e);
		check_ok(stagefix_dump(&x, "out", &d), &x.e);
		(void)snprintf(path, sizeof(path), "%s/out/big", x.dir);
		buf_init(&got, 4000000);
		check_ok(file_read(AT_FDCWD, path, 3000000, &got, &x.e), &x.e);
		assert_true(view_eq(buf_view(&got), view_str(big)));
		buf_deinit(&got);
		memcpy(big + 1500000, "restore", 7);
		/* the sharing modes store little more than the change */
		if (how[i] == STAGE_CHUNKING_CDC)
			assert_true(x.r.bytes_stored < 600000);
		stagefix_expect(&x, "");
		stagefix_close(&x);
	}
	free(big);
}

static void
test_who_may_write(void **state)
{
	struct stagefix x;
	struct hyperdrive *held;
	struct b32 own;
	char pid[32];

	(void)state;
	stagefix_open(&x);
	check_ok(hyperdrive_open(&held, x.s, &x.key, CORE_WRITE, &x.e), &x.e);
	check_code(stagefix_try(&x), ERR_LOCKED);
	(void)snprintf(pid, sizeof(pid), "process %d", (int)getpid());
	assert_non_null(strstr(x.e.msg, pid));
	hyperdrive_close(held);
	check_ok(stagefix_try(&x), &x.e);
	/* a drive of somebody else */
	own = x.key;
	memset(x.o.key.b, 9, sizeof(x.o.key.b));
	assert_true(stagefix_try(&x) != ERR_OK);
	x.o.key = own;
	x.o.skip_package_json = false;
	fix_remove(x.app, "package.json");
	check_code(stagefix_try(&x), ERR_INVALID);
	assert_string_equal(err_tag_of(&x.e), "ERR_INVALID_PROJECT_DIR");
	fix_put(x.app, "f package.json=[1]");
	check_code(stagefix_try(&x), ERR_INVALID);
	assert_string_equal(err_tag_of(&x.e), "ERR_INVALID_MANIFEST");
	x.o.skip_package_json = true;
	check_ok(stagefix_try(&x), &x.e);
	stagefix_close(&x);
}

/* The stat cache spares reading: a file whose bytes change behind unchanged
 * times is not seen, and --no-cache sees it. */
static void
test_stat_cache(void **state)
{
	struct timespec times[2];
	struct stagefix x;
	char path[1024];
	struct stat st;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=one");
	check_ok(stagefix_try(&x), &x.e);
	(void)snprintf(path, sizeof(path), "%s/a", x.app);
	check(stat(path, &st) == 0);
	fix_put(x.app, "f a=two");
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	check(utimensat(AT_FDCWD, path, times, 0) == 0);
	/* the ctime gives it away */
	stagefix_expect(&x, "~ /a 3 3\n");
	/* too young to be believed: read again every time */
	x.o.now = 0;
	fix_put(x.app, "f a=six");
	stagefix_expect(&x, "~ /a 3 3\n");
	stagefix_expect(&x, "");
	x.o.no_cache = true;
	stagefix_expect(&x, "");
	stagefix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_first_and_second),
	    cmocka_unit_test(test_only_the_mode_changed),
	    cmocka_unit_test(test_links_and_files_trade_places),
	    cmocka_unit_test(test_renames_and_copies),
	    cmocka_unit_test(test_dry_run_tells_the_truth),
	    cmocka_unit_test(test_dry_run_of_an_empty_drive),
	    cmocka_unit_test(test_determinism),
	    cmocka_unit_test(test_files_that_change_meanwhile),
	    cmocka_unit_test(test_stop_anywhere),
	    cmocka_unit_test(test_plans),
	    cmocka_unit_test(test_truncate),
	    cmocka_unit_test(test_chunkings_read_back),
	    cmocka_unit_test(test_who_may_write),
	    cmocka_unit_test(test_stat_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
