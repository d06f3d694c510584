#include "provfix.h"

#include "tests/unit/hyperdrive/drivefix.h"

/* -- the reference, byte for byte ----------------------------------------- */

static void
quiet(void *ctx, const struct provision_event *ev)
{
	(void)ctx, (void)ev;
}

/* Provision the drive of x to that of y, which share a store. */
static void
mirror(struct drivefix *x, struct drivefix *y)
{
	uint64_t length = core_head(hyperdrive_db(x->d))->length;
	struct b32 nobody = {{1}};
	struct provision_opts o = {.store = x->f.s,
	    .source = provfix_link(&x->f.key, length),
	    .production = provfix_link(&nobody, 0),
	    .target = y->f.key,
	    .sharing = PROVISION_PLAIN,
	    .event = quiet};
	struct provision_report r;
	struct err e = ERR_INIT;

	hyperdrive_close(y->d);
	check_ok(drive_provision(&o, &r, &e), &e);
	provision_report_deinit(&r);
	check_ok(hyperdrive_open(&y->d, y->f.s, &y->f.key, CORE_READ, &e), &e);
}

static void
test_vectors(void **state)
{
	json_t *doc = vec_load("drive"), *want = vec_at(doc, "provision");
	struct err e = ERR_INIT;
	struct drivefix x, y;

	(void)state;
	drivefix_open(&x, 3);
	y = x;
	drivefix_pair(&y.f.pair, 4);
	manifest_single(&y.f.m, &y.f.pair.pub);
	manifest_key(&y.f.key, &y.f.m);
	check_ok(core_add(y.f.s, &y.f.m, &y.f.key, &y.f.pair, &e), &e);
	check_ok(hyperdrive_open(&y.d, y.f.s, &y.f.key, CORE_READ, &e), &e);
	drivefix_begin(&x, BLOBS_PEAR_EXACT);
	drivefix_ordered(&x, doc, CHUNKER_RABIN);
	drivefix_commit(&x);
	mirror(&x, &y);
	expect_drive(&y, vec_at(want, "afterFirst"));
	drivefix_changes(&x, BLOBS_PEAR_EXACT, CHUNKER_RABIN);
	mirror(&x, &y);
	want = vec_at(want, "afterSecond");
	expect_core(hyperdrive_db(y.d), vec_at(want, "db"), 12);
	expect_core(hyperdrive_blobs(y.d), vec_at(want, "blobs"), 9);
	expect_signatures(&y, want);
	expect_entries(&y, vec_at(want, "entries"));
	sign_pair_free(&y.f.pair);
	hyperdrive_close(y.d);
	drivefix_close(&x);
	json_decref(doc);
}

/* -- a release, and the next ---------------------------------------------- */

static void
test_two_releases(void **state)
{
	struct b32 target, production;
	struct provfix_state was, is;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	production = provfix_drive(&x, 12);
	provfix_first(&x);
	provfix_production(&x, NULL);
	provfix_run(&x, &target);
	check(x.asked == 1);
	assert_string_equal(provfix_log(&x),
	    "+ /a.txt 0 5 5\n+ /bin/run 0 9 9\n+ /link 0 0 0\n"
	    "+ /old 0 9 9\n+ /package.json 0 30 30\n+ /z 0 0 0\ndiffed\n"
	    "+ /a.txt 0 5 5\n+ /bin/run 0 9 9\n+ /link 0 0 0\n"
	    "+ /old 0 9 9\n+ /package.json 0 30 30\n+ /z 0 0 0\nstaged\n");
	check(x.r.after.length == 7 && x.r.before.length == 0);
	provfix_release(&x, &target, &production);

	provfix_second(&x);
	provfix_production(&x, &production);
	was = provfix_state(&x, &target);
	provfix_run(&x, &target);
	assert_string_equal(provfix_log(&x),
	    "metadata 7/7\nblobs 4/4\n"
	    "- /old 9 0 0\n~ /a.txt 5 4 4\n~ /bin/run 0 0 0\n"
	    "+ /copy 0 5 0\n~ /link 0 0 0\n~ /package.json 30 30 30\ndiffed\n"
	    "- /old 9 0 0\n~ /a.txt 5 4 4\n~ /bin/run 0 0 0\n"
	    "+ /copy 0 5 0\n~ /link 0 0 0\n~ /package.json 30 30 30\nstaged\n");
	is = provfix_state(&x, &target);
	check(is.db.length == was.db.length + 6);
	check(is.blobs.length == was.blobs.length + 2);
	check(x.r.changes == 6 && x.r.add == 1 && x.r.remove == 1);
	check(x.r.bytes_stored == 34);
	provfix_close(&x);
}

/* A second run with the same arguments changes nothing and asks nothing. */
static void
test_again(void **state)
{
	struct provfix_state was;
	struct b32 target;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	provfix_first(&x);
	provfix_production(&x, NULL);
	provfix_run(&x, &target);
	was = provfix_state(&x, &target);
	provfix_run(&x, &target);
	check(x.asked == 0);
	assert_string_equal(provfix_log(&x), "diffed\nstaged\n");
	check_same_state(was, provfix_state(&x, &target));
	provfix_close(&x);
}

/* A target that is a beginning of production gets the missing blocks and the
 * difference in one step, and is what one that saw it all would be. */
static void
fresh_target(enum provision_sharing sharing)
{
	struct b32 target, production, fresh;
	struct provfix_state was, is;
	struct provfix x;

	provfix_open(&x);
	x.o.sharing = sharing;
	target = provfix_drive(&x, 11);
	production = provfix_drive(&x, 12);
	fresh = provfix_drive(&x, 13);
	provfix_first(&x);
	provfix_production(&x, NULL);
	provfix_run(&x, &target);
	provfix_release(&x, &target, &production);
	provfix_second(&x);
	provfix_production(&x, &production);
	provfix_run(&x, &target);
	is = provfix_state(&x, &target);
	was = provfix_state(&x, &fresh);
	x.o.dry_run = true;
	provfix_run(&x, &fresh);
	check(x.asked == 0 && x.r.copied_blocks == 11);
	check(x.r.after.length == is.db.length);
	check(b32_eq(&x.r.after.tree_hash, &is.db.tree_hash));
	check(b32_eq(&x.r.after.blobs_hash, &is.blobs.tree_hash));
	check_same_state(was, provfix_state(&x, &fresh));
	x.o.dry_run = false;
	provfix_run(&x, &fresh);
	check_same_state(is, provfix_state(&x, &fresh));
	check(x.r.copied_blocks == 11);
	provfix_close(&x);
}

static void
test_fresh_target(void **state)
{
	(void)state;
	fresh_target(PROVISION_SHARED);
	fresh_target(PROVISION_PLAIN);
}

/* The guide's two ways out when a write key is lost: production as source
 * and production gives a target equal to production; then the new stage. */
static void
test_lost_key(void **state)
{
	struct b32 target, production, fresh, stage;
	struct provfix_state released;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	production = provfix_drive(&x, 12);
	fresh = provfix_drive(&x, 13);
	stage = provfix_drive(&x, 14);
	provfix_first(&x);
	provfix_production(&x, NULL);
	provfix_run(&x, &target);
	provfix_release(&x, &target, &production);
	released = provfix_state(&x, &production);
	provfix_production(&x, &production);
	x.o.source = x.o.production;
	provfix_run(&x, &fresh);
	check(x.r.changes == 0 && x.asked == 1);
	check_same_state(released, provfix_state(&x, &fresh));

	x.stage = stage; /* staged anew, to a new drive */
	provfix_second(&x);
	x.o.source = provfix_link(&stage, 0);
	provfix_run(&x, &fresh);
	check(x.r.changes == 6 && x.r.copied_blocks == 0);
	provfix_run(&x, &target);
	check_same_state(provfix_state(&x, &target), provfix_state(&x, &fresh));
	provfix_close(&x);
}

/* An older version again, also of the target itself. */
static void
test_rollback(void **state)
{
	struct b32 target;
	struct buf first, now;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	buf_init(&first, 1 << 20);
	buf_init(&now, 1 << 20);
	provfix_first(&x);
	provfix_production(&x, NULL);
	provfix_run(&x, &target);
	provfix_values(&x, &target, &first);
	provfix_second(&x);
	provfix_run(&x, &target);
	x.o.source = provfix_link(&target, 7);
	provfix_run(&x, &target);
	check(x.r.changes == 6 && x.r.bytes_stored == 0);
	provfix_values(&x, &target, &now);
	check_same(buf_view(&first), buf_view(&now));
	buf_deinit(&first);
	buf_deinit(&now);
	provfix_close(&x);
}

/* The seed's way of starting: target and production are one drive. */
static void
test_one_key(void **state)
{
	struct b32 target;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	provfix_first(&x);
	x.o.production = provfix_link(&target, 0);
	provfix_run(&x, &target);
	check(x.r.production_is_target && x.r.add == 6);
	provfix_second(&x);
	provfix_run(&x, &target);
	check(x.r.changes == 6 && x.r.copied_blocks == 0);
	provfix_production(&x, &target);
	provfix_run(&x, &target);
	check(x.r.changes == 0);
	provfix_close(&x);
}

/* -- fields and metadata -------------------------------------------------- */

static void
test_fields(void **state)
{
	enum provision_sharing sharing[] = {PROVISION_SHARED, PROVISION_PLAIN};
	struct provfix x;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct b32 target;

		provfix_open(&x);
		x.o.sharing = sharing[i];
		target = provfix_drive(&x, 11);
		provfix_first(&x);
		provfix_raw(&x, &x.stage, view_str("manifest"), "{\"a\":1}");
		provfix_raw(&x, &x.stage, view_str("platformVersion"), "7");
		provfix_raw(
		    &x, &x.stage, view_str("channel"), "\"not copied\"");
		provfix_production(&x, NULL);
		provfix_run(&x, &target);
		check(
		    strstr(provfix_log(&x),
			"staged\nset manifest\nset platformVersion\n") != NULL);
		provfix_run(&x, &target);
		check(x.r.fields == 0);
		provfix_raw(&x, &x.stage, view_str("manifest"), NULL);
		provfix_raw(&x, &x.stage, view_str("metadata"), "[]");
		provfix_run(&x, &target);
		assert_string_equal(provfix_log(&x),
		    "diffed\nstaged\nunset manifest\nset metadata\n");
		check(x.asked == 1 && x.r.fields == 2 && x.r.changes == 0);
		provfix_close(&x);
	}
}

/* Metadata of entries comes along, and alone it keeps the content. */
static void
test_entry_metadata(void **state)
{
	static const char key[] = "files\0/a.txt";
	struct provfix_state was;
	struct b32 target;
	struct provfix x;
	struct buf b;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	provfix_first(&x);
	provfix_production(&x, NULL);
	provfix_run(&x, &target);
	was = provfix_state(&x, &target);
	{
		struct hyperdrive_batch *hb;
		struct hyperdrive *d;
		struct entry en;
		struct want w;
		struct bee *at;

		check_ok(
		    hyperdrive_open(&d, x.st.s, &x.stage, CORE_WRITE, &x.e),
		    &x.e);
		check_ok(hyperdrive_at(
			     d, core_head(hyperdrive_db(d))->length, &at, &x.e),
		    &x.e);
		check_ok(hyperdrive_entry(
			     at, view_str("/a.txt"), &en, NULL, &w, &x.e),
		    &x.e);
		en.metadata = json_loads("{\"k\":[1,2]}", 0, NULL);
		check_ok(hyperdrive_batch_new(
			     &hb, d, CORE_BATCH_REAL, BLOBS_SHARED, &x.e),
		    &x.e);
		check_ok(
		    hyperdrive_batch_put(hb, view_str("/a.txt"), &en, &w, &x.e),
		    &x.e);
		check_ok(hyperdrive_batch_commit(hb, NULL, NULL, &x.e), &x.e);
		hyperdrive_batch_free(hb);
		entry_deinit(&en);
		bee_close(at);
		hyperdrive_close(d);
	}
	provfix_run(&x, &target);
	assert_string_equal(provfix_log(&x),
	    "~ /a.txt 0 0 0\ndiffed\n~ /a.txt 0 0 0\nstaged\n");
	check(provfix_state(&x, &target).blobs.length == was.blobs.length);
	buf_init(&b, 1 << 20);
	provfix_values(&x, &target, &b);
	check(memmem(b.data, b.len, key, sizeof(key) - 1) != NULL);
	check(memmem(b.data, b.len, "{\"k\":[1,2]}", 11) != NULL);
	buf_deinit(&b);
	provfix_run(&x, &target);
	check(x.r.changes == 0);
	provfix_close(&x);
}

/* -- cut differently ------------------------------------------------------ */

/* Same bytes in other blocks are the same; one byte off is not. */
static void
test_cuts(void **state)
{
	enum stage_chunking cuts[] = {STAGE_CHUNKING_FIXED, STAGE_CHUNKING_CDC,
	    STAGE_CHUNKING_PEAR, STAGE_CHUNKING_PEAR_EXACT};
	uint8_t *p = prng(700000, 5);
	char path[600];
	struct provfix x;
	struct b32 target;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	provfix_production(&x, NULL);
	(void)snprintf(path, sizeof(path), "%s/big", x.st.app);
	for (uint8_t i = 0; i < 4; i++) {
		FILE *f = fopen(path, "w");

		check(f != NULL && fwrite(p, 1, 700000, f) == 700000);
		check(fclose(f) == 0);
		x.stage = provfix_drive(&x, (uint8_t)(20 + i));
		x.o.source = provfix_link(&x.stage, 0);
		x.st.o.chunking = cuts[i];
		provfix_stage(&x);
		provfix_run(&x, &target);
		check(x.r.changes == (i == 0 ? 2 : 0));
	}
	p[699000] ^= 1;
	{
		FILE *f = fopen(path, "w");

		check(f != NULL && fwrite(p, 1, 700000, f) == 700000);
		check(fclose(f) == 0);
	}
	provfix_stage(&x);
	provfix_run(&x, &target);
	check(x.r.changes == 1);
	free(p);
	provfix_close(&x);
}

/* Stopped anywhere, the target is as it was; then it runs through. */
static void
test_stopped(void **state)
{
	struct provfix_state was, done;
	struct b32 target, twin, production;
	struct provfix x;
	size_t n = 0;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	production = provfix_drive(&x, 12);
	twin = provfix_drive(&x, 13);
	provfix_first(&x);
	provfix_production(&x, NULL);
	provfix_run(&x, &target);
	provfix_release(&x, &target, &production);
	provfix_second(&x);
	provfix_production(&x, &production);
	provfix_run(&x, &target);
	done = provfix_state(&x, &target);
	was = provfix_state(&x, &twin);
	x.o.target = twin;
	x.refuse = true;
	check_code(provfix_try(&x), ERR_INTERRUPTED);
	check_same_state(was, provfix_state(&x, &twin));
	x.refuse = false;
	for (;;) {
		enum err_code rc;

		x.stop_at = ++n;
		if ((rc = provfix_try(&x)) == ERR_OK)
			break;
		check_code(rc, ERR_INTERRUPTED);
		check_same_state(was, provfix_state(&x, &twin));
	}
	check(n > 20);
	check_same_state(done, provfix_state(&x, &twin));
	provfix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_two_releases),
	    cmocka_unit_test(test_again),
	    cmocka_unit_test(test_fresh_target),
	    cmocka_unit_test(test_lost_key),
	    cmocka_unit_test(test_rollback),
	    cmocka_unit_test(test_one_key),
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_entry_metadata),
	    cmocka_unit_test(test_cuts),
	    cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
