#include "reviewfix.h"

#include "codec/hex.h"
#include "codec/z32.h"

/* package.json with a version and production's link */
static void
put_package(struct reviewfix *x, const char *version)
{
	char text[512], key[Z32_KEY_LEN + 1];

	(void)snprintf(text, sizeof(text),
	    "f package.json={\"name\":\"x\",\"version\":\"%s\","
	    "\"upgrade\":\"pear://%s\"}",
	    version, z32_key(key, &x->production));
	fix_put(x->p.st.app, text);
}

/* A first release of three files; released or only asked for. */
static void
first(struct reviewfix *x)
{
	reviewfix_open(x);
	put_package(x, "1.0.0");
	fix_put(x->p.st.app, "f by-arch/linux-x64/app=one\n"
			     "x by-arch/linux-x64/run=#!\n");
	reviewfix_provision(x);
	reviewfix_request(x);
}

static void
second(struct reviewfix *x)
{
	first(x);
	reviewfix_release(x);
	put_package(x, "1.0.1");
	fix_put(x->p.st.app, "f by-arch/linux-x64/app=two");
	reviewfix_provision(x);
	reviewfix_request(x);
}

#define SAME_HASHES \
	"GOOD the source gives exactly the tree hashes of the request\n"
#define UPGRADE \
	"GOOD upgrade is the link of this target\n" \
	"NOTE the source has the same upgrade link: an app that was " \
	"installed from a link before production gets its updates from " \
	"production alone\n"

static void
expect_findings(struct reviewfix *x, const char *lines)
{
	assert_string_equal(reviewfix_show_findings(&x->text, &x->r), lines);
}

static void
expect_files(struct reviewfix *x, const char *lines)
{
	assert_string_equal(reviewfix_show_files(&x->text, &x->r), lines);
}

static void
expect_refusal(
    struct reviewfix *x, enum err_code code, const char *tag, const char *text)
{
	assert_int_equal(reviewfix_try(x), code);
	assert_string_equal(err_tag_of(&x->e), tag);
	if (strstr(x->e.msg, text) == NULL)
		assert_string_equal(x->e.msg, text);
}

static void
test_first(void **state)
{
	struct reviewfix x;
	char hex[65];

	(void)state;
	first(&x);
	x.q.lines = REVIEW_LINES;
	check_ok(reviewfix_try(&x), &x.e);
	assert_true(x.ok);
	expect_files(&x, "+ /by-arch/linux-x64/app 0 3 +1-0\n"
			 "+ /by-arch/linux-x64/run 0 2 x:01 +1-0\n"
			 "+ /package.json 0 102 +1-0\n");
	expect_findings(&x, SAME_HASHES
	    "NOTE the first release as far as this store knows\n" UPGRADE
	    "NOTE 1 program is new or changes: /by-arch/linux-x64/run\n");
	assert_string_equal(
	    reviewfix_fact(&x.r, "Request"), hex_b32(hex, &x.request.hash));
	assert_string_equal(reviewfix_fact(&x.r, "Kind"), "drive");
	assert_string_equal(reviewfix_fact(&x.r, "Fork"), "0");
	assert_string_equal(reviewfix_fact(&x.r, "Length"), "4");
	assert_string_equal(reviewfix_fact(&x.r, "Length of contents"), "3");
	assert_string_equal(reviewfix_fact(&x.r, "Quorum"), "1 of 1");
	assert_string_equal(reviewfix_fact(&x.r, "Version"), "1.0.0");
	reviewfix_close(&x);
}

static void
test_second(void **state)
{
	struct reviewfix x;

	(void)state;
	second(&x);
	x.q.lines = REVIEW_LINES;
	check_ok(reviewfix_try(&x), &x.e);
	assert_true(x.ok);
	expect_files(&x, "~ /by-arch/linux-x64/app 3 3 +1-1\n"
			 "~ /package.json 102 102 +1-1\n");
	expect_findings(&x,
	    SAME_HASHES "GOOD metadata: continues the target's 4 blocks\n"
			"GOOD contents: continues the target's 3 blocks\n"
			"GOOD version 1.0.1 is greater than 1.0.0\n" UPGRADE);
	assert_string_equal(
	    reviewfix_fact(&x.r, "Version"), "1.0.1 (before: 1.0.0)");
	assert_int_equal(x.r.narch, 2);
	assert_string_equal(x.r.arch[1].name, "linux-x64");
	assert_int_equal(x.r.arch[1].new_bytes, 5);
	reviewfix_close(&x);
}

static void
test_done_already(void **state)
{
	struct reviewfix x;

	(void)state;
	second(&x);
	reviewfix_release(&x);
	check_ok(reviewfix_try(&x), &x.e);
	assert_true(x.ok);
	expect_files(&x, "");
	assert_true(
	    reviewfix_says(&x, "WARN the target holds exactly this already\n"));
	assert_true(reviewfix_says(&x, "WARN version 1.0.1 is not greater"));
	reviewfix_close(&x);
}

static void
test_roll_back(void **state)
{
	struct request old;
	struct reviewfix x;

	(void)state;
	first(&x);
	old = x.request;
	reviewfix_close(&x);
	second(&x);
	reviewfix_release(&x);
	x.request = old;
	check_ok(reviewfix_try(&x), &x.e);
	assert_false(x.ok);
	assert_true(
	    reviewfix_says(&x, "BAD metadata: would roll back from 6 to 4\n"));
	assert_true(
	    reviewfix_says(&x, "BAD contents: would roll back from 5 to 3\n"));
	assert_true(reviewfix_says(&x, "WARN version 1.0.0 is not greater"));
	expect_files(&x, "~ /by-arch/linux-x64/app 3 3\n"
			 "~ /package.json 102 102\n");
	reviewfix_close(&x);
}

/* Another drive, made of the same folder in another order of events. */
static void
test_other_history(void **state)
{
	struct reviewfix x;

	(void)state;
	second(&x);
	provfix_production(&x.p, NULL);
	x.source = x.q.source = provfix_drive(&x.p, 13);
	fix_put(x.p.st.app, "f by-arch/linux-x64/lib=more\nf z=last\nf y=\n");
	reviewfix_provision(&x);
	reviewfix_request(&x);
	check_ok(reviewfix_try(&x), &x.e);
	assert_false(x.ok);
	assert_true(reviewfix_says(&x,
	    "BAD metadata: does not continue what is released: at "
	    "length 4 the target holds other data than the source\n"));
	expect_files(&x, "~ /by-arch/linux-x64/app 3 3\n"
			 "+ /by-arch/linux-x64/lib 0 4\n"
			 "~ /package.json 102 102\n"
			 "+ /y 0 0\n+ /z 0 4\n");
	assert_true(reviewfix_says(
	    &x, "WARN 2 files outside /package.json and /by-arch: /y, /z\n"));
	reviewfix_close(&x);
}

static void
test_fork(void **state)
{
	struct reviewfix x;

	(void)state;
	second(&x);
	x.request.fork = 1;
	check_ok(reviewfix_try(&x), &x.e);
	assert_false(x.ok);
	assert_true(reviewfix_says(
	    &x, "BAD the request is for fork 1, the target has fork 0"));
	reviewfix_close(&x);
}

static void
test_refusals(void **state)
{
	struct request good;
	struct reviewfix x;

	(void)state;
	second(&x);
	good = x.request;
	x.request.tree_hash.b[0] ^= 1;
	expect_refusal(&x, ERR_VERIFY, "SRC_KEY_MISMATCH",
	    "review: metadata: at length 6 the source has tree hash ");
	x.request = good;
	x.request.blobs_tree_hash.b[31] ^= 1;
	expect_refusal(&x, ERR_VERIFY, "SRC_KEY_MISMATCH",
	    "review: contents: at length 5 the source has tree hash ");
	x.request = good;
	x.request.length++;
	expect_refusal(&x, ERR_PEERS, "SOURCE_CORE_TOO_SMALL",
	    "metadata: the source has 6 blocks here, the request covers 7");
	x.request = good;
	x.request.blobs_length = 1000;
	expect_refusal(&x, ERR_PEERS, "SOURCE_CORE_TOO_SMALL",
	    "contents: the source has 5 blocks here, the request covers "
	    "1000");
	x.request = good;
	memset(x.q.source.b, 5, sizeof(x.q.source.b));
	expect_refusal(&x, ERR_PEERS, "ERR_NOT_FOUND", " is not in this store");
	reviewfix_close(&x);
}

/* Lengths whose hashes are right, and that still make no release. */
static void
test_half_a_release(void **state)
{
	struct hyperdrive *d;
	struct request good;
	struct reviewfix x;
	struct tree t;
	struct want w;

	(void)state;
	second(&x);
	good = x.request;
	check_ok(
	    hyperdrive_open(&d, x.p.st.s, &x.source, CORE_READ, &x.e), &x.e);
	check_ok(core_tree_at(hyperdrive_blobs(d), 4, &t, &w, &x.e), &x.e);
	x.request.blobs_length = 4;
	tree_hash(&t, &x.request.blobs_tree_hash);
	assert_int_equal(reviewfix_try(&x), ERR_VERIFY);
	assert_string_equal(x.e.msg,
	    "review: the request covers 4 blocks of contents, its metadata "
	    "needs 5");
	x.request = good;
	x.request.length = 5;
	check_ok(core_tree_at(hyperdrive_db(d), 5, &t, &w, &x.e), &x.e);
	tree_hash(&t, &x.request.tree_hash);
	assert_int_equal(reviewfix_try(&x), ERR_INVALID);
	hyperdrive_close(d);
	reviewfix_close(&x);
}

static void
test_core(void **state)
{
	struct reviewfix x;

	(void)state;
	second(&x);
	x.request.kind = REQUEST_CORE;
	check_ok(reviewfix_try(&x), &x.e);
	assert_true(x.ok);
	expect_findings(&x,
	    "GOOD the source gives exactly the tree hash of the request\n"
	    "GOOD continues the target's 4 blocks\n"
	    "NOTE a core alone: there are no files to compare\n");
	assert_string_equal(reviewfix_fact(&x.r, "Kind"), "core");
	assert_null(reviewfix_fact(&x.r, "Length of contents"));
	reviewfix_close(&x);
}

static void
test_stopped(void **state)
{
	struct reviewfix x;

	(void)state;
	second(&x);
	x.q.stop = provfix_stop;
	x.q.ctx = &x.p;
	x.p.polls = 0;
	x.p.stop_at = 2;
	assert_int_equal(reviewfix_try(&x), ERR_INTERRUPTED);
	reviewfix_close(&x);
}

/* -- blocks that are elsewhere ----------------------------------------------- */

static enum err_code
no_peer(void *ctx, const struct want *w, struct err *e)
{
	*(struct want *)ctx = *w;
	return err_set(e, ERR_PEERS, "nobody has it");
}

static void
test_missing_block(void **state)
{
	struct want asked = {.index = 99};
	const struct fetch fetch = {.get = no_peer, .ctx = &asked};
	struct hyperdrive *d;
	struct reviewfix x;
	struct b32 blobs;

	(void)state;
	second(&x);
	check_ok(
	    hyperdrive_open(&d, x.p.st.s, &x.source, CORE_WRITE, &x.e), &x.e);
	check_ok(core_clear(hyperdrive_blobs(d), 4, 5, &x.e), &x.e);
	blobs = *core_key(hyperdrive_blobs(d));
	hyperdrive_close(d);
	check_ok(store_refresh(x.p.st.s, &x.e), &x.e);
	/* package.json is the last content */
	expect_refusal(&x, ERR_PEERS, "ERR_NOT_FOUND", "is not in this store");
	x.q.fetch = &fetch;
	assert_int_equal(reviewfix_try(&x), ERR_PEERS);
	assert_non_null(strstr(x.e.msg, "nobody has it"));
	assert_int_equal(asked.index, 4);
	assert_memory_equal(&asked.key, &blobs, 32);
	reviewfix_close(&x);
}

/* -- the signer's own build --------------------------------------------------- */

static void
test_rebuild(void **state)
{
	struct reviewfix x;

	(void)state;
	second(&x);
	x.q.rebuild = x.p.st.app;
	check_ok(reviewfix_try(&x), &x.e);
	assert_true(x.ok);
	assert_true(reviewfix_says(
	    &x, "GOOD your build has the same 3 files as the release\n"));
	assert_true(
	    reviewfix_says(&x, "GOOD your build gives exactly this release"));
	/* the same files, laid out in another way */
	x.q.sharing = PROVISION_PLAIN;
	x.q.chunking = STAGE_CHUNKING_PEAR_EXACT;
	check_ok(reviewfix_try(&x), &x.e);
	assert_true(x.ok);
	reviewfix_close(&x);
}

static void
test_rebuild_first(void **state)
{
	struct reviewfix x;

	(void)state;
	first(&x);
	x.q.rebuild = x.p.st.app;
	check_ok(reviewfix_try(&x), &x.e);
	assert_true(
	    reviewfix_says(&x, "GOOD your build gives exactly this release"));
	/* in two steps, of which this store knows no release */
	fix_put(x.p.st.app, "f by-arch/linux-x64/app=two");
	reviewfix_provision(&x);
	reviewfix_request(&x);
	check_ok(reviewfix_try(&x), &x.e);
	assert_true(x.ok);
	assert_true(reviewfix_says(
	    &x, "or this store lacks what is released already\n"));
	reviewfix_close(&x);
}

/* Files that were not there in the step before are the same, and the history
 * is another. */
static void
test_rebuild_in_steps(void **state)
{
	struct reviewfix x;

	(void)state;
	second(&x);
	fix_put(x.p.st.app, "f by-arch/linux-x64/app=three");
	put_package(&x, "1.0.2");
	reviewfix_provision(&x);
	reviewfix_request(&x);
	x.q.rebuild = x.p.st.app;
	check_ok(reviewfix_try(&x), &x.e);
	assert_true(x.ok);
	assert_true(reviewfix_says(&x, "GOOD your build has the same 3"));
	assert_true(reviewfix_says(&x,
	    "WARN your build, provisioned in one step, gives other tree "
	    "hashes (lengths 6 and 5)"));
	reviewfix_close(&x);
}

static void
test_rebuild_differs(void **state)
{
	struct reviewfix x;

	(void)state;
	second(&x);
	fix_remove(x.p.st.app, "by-arch/linux-x64/app");
	fix_put(x.p.st.app, "l by-arch/linux-x64/app=run\n"
			    "f by-arch/linux-x64/run=#!\nf new=1\n");
	put_package(&x, "1.0.3");
	x.q.rebuild = x.p.st.app;
	check_ok(reviewfix_try(&x), &x.e);
	assert_false(x.ok);
	expect_findings(&x, SAME_HASHES
	    "GOOD metadata: continues the target's 4 blocks\n"
	    "GOOD contents: continues the target's 3 blocks\n"
	    "GOOD version 1.0.1 is greater than 1.0.0\n" UPGRADE
	    "BAD your build: /by-arch/linux-x64/app is a link, the release "
	    "has a file\n"
	    "BAD your build: /by-arch/linux-x64/run is no program, in the "
	    "release it is\n"
	    "BAD your build: /new is not in the release\n"
	    "BAD your build: /package.json has other contents\n");
	fix_remove(x.p.st.app, "by-arch/linux-x64/run");
	check_ok(reviewfix_try(&x), &x.e);
	assert_true(reviewfix_says(
	    &x, "BAD your build: /by-arch/linux-x64/run is missing\n"));
	reviewfix_close(&x);
}

static void
test_rebuild_many(void **state)
{
	struct reviewfix x;
	char line[64];

	(void)state;
	first(&x);
	for (int i = 0; i < 25; i++) {
		(void)snprintf(line, sizeof(line), "f extra/%02d=", i);
		fix_put(x.p.st.app, line);
	}
	x.q.rebuild = x.p.st.app;
	check_ok(reviewfix_try(&x), &x.e);
	assert_false(x.ok);
	assert_true(reviewfix_says(&x, "/extra/19 is not in the release\n"));
	assert_false(reviewfix_says(&x, "/extra/20"));
	assert_true(
	    reviewfix_says(&x, "BAD your build: 5 more files differ\n"));
	reviewfix_close(&x);
}

static void
test_rebuild_nothing(void **state)
{
	struct reviewfix x;

	(void)state;
	first(&x);
	x.q.rebuild = "does/not/exist";
	assert_int_not_equal(reviewfix_try(&x), ERR_OK);
	assert_non_null(strstr(x.e.msg, "rebuild does/not/exist"));
	reviewfix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_first),
	    cmocka_unit_test(test_second),
	    cmocka_unit_test(test_done_already),
	    cmocka_unit_test(test_roll_back),
	    cmocka_unit_test(test_other_history),
	    cmocka_unit_test(test_fork),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_half_a_release),
	    cmocka_unit_test(test_core),
	    cmocka_unit_test(test_stopped),
	    cmocka_unit_test(test_missing_block),
	    cmocka_unit_test(test_rebuild),
	    cmocka_unit_test(test_rebuild_first),
	    cmocka_unit_test(test_rebuild_in_steps),
	    cmocka_unit_test(test_rebuild_differs),
	    cmocka_unit_test(test_rebuild_many),
	    cmocka_unit_test(test_rebuild_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
