#include "tests/unit/hyperdrive/drivefix.h"

/* -- the reference, byte for byte ----------------------------------------- */

static void
put_more(struct drivefix *x)
{
	struct err e = ERR_INIT;
	struct entry en;
	struct want w;
	json_t *field;

	drivefix_begin(x, BLOBS_PLAIN);
	drivefix_del(x, "/a.txt");
	drivefix_flush(x);
	drivefix_del(x, "/nope.txt");
	drivefix_flush(x);
	entry_init(&en);
	en.has_blob = true;
	en.blob = drivefix_blob(x, view_str("m"), CHUNKER_FIXED);
	en.metadata = json_loads("{\"b\":1,\"a\":[1,\"x\",null]}", 0, NULL);
	check_ok(
	    hyperdrive_batch_put(x->b, view_str("/meta.txt"), &en, &w, &e), &e);
	entry_deinit(&en);
	drivefix_flush(x);
	en = drivefix_entry(x, "/bin/run.sh");
	check(en.executable);
	en.executable = false;
	check_ok(
	    hyperdrive_batch_put(x->b, view_str("/bin/run.sh"), &en, &w, &e),
	    &e);
	entry_deinit(&en);
	drivefix_flush(x);
	field = json_pack("{s:s}", "name", "x");
	check_ok(
	    hyperdrive_batch_field(x->b, view_str("metadata"), field, &w, &e),
	    &e);
	json_decref(field);
	drivefix_commit(x);
}

static void
expect_truncated(struct drivefix *x, const json_t *want)
{
	const struct core_head *db = core_head(hyperdrive_db(x->d));
	const struct core_head *blobs = core_head(hyperdrive_blobs(x->d));

	check(db->length == vec_num(want, "dbLength"));
	check(db->fork == vec_num(want, "dbFork"));
	check(blobs->length == vec_num(want, "blobsLength"));
	check(blobs->fork == vec_num(want, "blobsFork"));
	check_same(view_b32(&db->tree_hash), vec_hex_at(want, "dbTreeHash"));
	expect_signatures(x, want);
}

/* One flush for each operation; then more of them; then cut. */
static void
test_single_more_truncated(void **state)
{
	json_t *doc = vec_load("drive"), *file;
	struct err e = ERR_INIT;
	struct drivefix x;
	size_t i;

	(void)state;
	drivefix_open(&x, 1);
	json_array_foreach(vec_at(doc, "files"), i, file)
	{
		drivefix_begin(&x, BLOBS_PLAIN);
		drivefix_file(&x, file, CHUNKER_FIXED);
		drivefix_commit(&x);
	}
	expect_drive(&x, vec_at(doc, "single"));
	put_more(&x);
	expect_core(hyperdrive_db(x.d), vec_at(vec_at(doc, "more"), "db"), 13);
	expect_signatures(&x, vec_at(doc, "more"));
	expect_blobs_lengths(
	    &x, vec_at(vec_at(doc, "more"), "blobsLengthPerVersion"));
	drivefix_begin(&x, BLOBS_PLAIN);
	check_ok(hyperdrive_batch_truncate(x.b, 5, &e), &e);
	drivefix_commit(&x);
	expect_truncated(&x, vec_at(doc, "truncated"));
	drivefix_close(&x);
	json_decref(doc);
}

static void
test_batched(void **state)
{
	json_t *doc = vec_load("drive"), *file;
	struct drivefix x;
	size_t i;

	(void)state;
	drivefix_open(&x, 2);
	drivefix_begin(&x, BLOBS_PLAIN);
	json_array_foreach(vec_at(doc, "files"), i, file)
	    drivefix_file(&x, file, CHUNKER_FIXED);
	drivefix_commit(&x);
	expect_drive(&x, vec_at(doc, "batched"));
	drivefix_close(&x);
	json_decref(doc);
}

static void
expect_second(
    struct drivefix *x, const json_t *want, uint64_t db, uint64_t blobs)
{
	expect_core(hyperdrive_db(x->d), vec_at(want, "db"), db);
	expect_core(hyperdrive_blobs(x->d), vec_at(want, "blobs"), blobs);
	expect_signatures(x, want);
	expect_entries(x, vec_at(want, "entries"));
}

static void
test_stage(void **state)
{
	json_t *doc = vec_load("drive"), *want = vec_at(doc, "stage");
	struct drivefix x;

	(void)state;
	drivefix_open(&x, 3);
	drivefix_begin(&x, BLOBS_PEAR_EXACT);
	drivefix_ordered(&x, doc, CHUNKER_RABIN);
	drivefix_commit(&x);
	expect_drive(&x, vec_at(want, "afterFirst"));
	drivefix_changes(&x, BLOBS_PEAR_EXACT, CHUNKER_RABIN);
	expect_second(&x, vec_at(want, "afterSecond"), 12, 18);
	drivefix_close(&x);
	json_decref(doc);
}

/* A drive copied to a drive: blocks of the source, without maps. The files
 * are smaller than a rabin chunk, so one chunk each. */
static void
test_provision(void **state)
{
	json_t *doc = vec_load("drive"), *want = vec_at(doc, "provision");
	struct drivefix x;

	(void)state;
	drivefix_open(&x, 4);
	drivefix_begin(&x, BLOBS_PLAIN);
	drivefix_ordered(&x, doc, CHUNKER_RABIN);
	drivefix_commit(&x);
	expect_drive(&x, vec_at(want, "afterFirst"));
	drivefix_changes(&x, BLOBS_PLAIN, CHUNKER_FIXED);
	expect_second(&x, vec_at(want, "afterSecond"), 12, 9);
	drivefix_close(&x);
	json_decref(doc);
}

/* -- our own rules -------------------------------------------------------- */

static void
test_bad_truncation(void **state)
{
	json_t *doc = vec_load("drive"), *file;
	struct err e = ERR_INIT;
	struct drivefix x;
	size_t i;

	(void)state;
	drivefix_open(&x, 2);
	drivefix_begin(&x, BLOBS_SHARED);
	json_array_foreach(vec_at(doc, "files"), i, file)
	    drivefix_file(&x, file, CHUNKER_CDC);
	drivefix_commit(&x);
	drivefix_begin(&x, BLOBS_SHARED);
	check_code(hyperdrive_batch_truncate(x.b, 14, &e), ERR_LIMIT);
	check(strstr(e.msg, "Bad truncation length") != NULL);
	/* within a flush no version can be read */
	check_code(hyperdrive_batch_truncate(x.b, 7, &e), ERR_INVALID);
	check_ok(hyperdrive_batch_truncate(x.b, 13, &e), &e);
	check_code(hyperdrive_batch_truncate(x.b, 13, &e), ERR_INVALID);
	drivefix_commit(&x);
	check(core_head(hyperdrive_db(x.d))->fork == 1);
	check(core_head(hyperdrive_blobs(x.d))->fork == 1);
	drivefix_close(&x);
	json_decref(doc);
}

/* Cut and written anew, shared: nothing points behind the cut. */
static void
test_truncate_and_write(void **state)
{
	uint8_t *p = prng(300000, 8), *q = prng(300000, 9);
	struct err e = ERR_INIT;
	struct entry en;
	struct drivefix x;

	(void)state;
	drivefix_open(&x, 5);
	drivefix_begin(&x, BLOBS_SHARED);
	drivefix_put(&x, "/p", view_of(p, 300000), false, CHUNKER_CDC);
	drivefix_commit(&x);
	drivefix_begin(&x, BLOBS_SHARED);
	drivefix_put(&x, "/q", view_of(q, 300000), false, CHUNKER_CDC);
	drivefix_commit(&x);
	drivefix_begin(&x, BLOBS_SHARED);
	check_ok(hyperdrive_batch_truncate(x.b, 2, &e), &e);
	drivefix_put(&x, "/z", view_str("in front"), false, CHUNKER_CDC);
	drivefix_put(&x, "/q", view_of(q, 300000), false, CHUNKER_CDC);
	drivefix_put(&x, "/p2", view_of(p, 300000), false, CHUNKER_CDC);
	drivefix_commit(&x);
	en = drivefix_entry(&x, "/q");
	expect_content(hyperdrive_blobs(x.d), &en.blob, view_of(q, 300000));
	check(en.blob.byte_offset == 300000 + 8);
	entry_deinit(&en);
	en = drivefix_entry(&x, "/p2");
	check(en.blob.block_offset == 0 && !en.blob.block_map);
	expect_content(hyperdrive_blobs(x.d), &en.blob, view_of(p, 300000));
	entry_deinit(&en);
	drivefix_close(&x);
	free(p);
	free(q);
}

static enum err_code
count_calls(void *ctx, struct store_txn *txn, struct err *e)
{
	(void)e;
	(*(int *)ctx)++;
	return store_put(
	    txn, STORE_STATS, view_str("test"), view_str("value"), e);
}

static enum err_code
refuse(void *ctx, struct store_txn *txn, struct err *e)
{
	(void)ctx;
	(void)txn;
	return err_set(e, ERR_CONFLICT, "no");
}

/* The caller's hook runs with and without a change, and can stop it all. */
static void
test_hook(void **state)
{
	struct err e = ERR_INIT;
	struct drivefix x;
	struct view val;
	int calls = 0;

	(void)state;
	drivefix_open(&x, 5);
	drivefix_begin(&x, BLOBS_SHARED);
	check_ok(hyperdrive_batch_commit(x.b, count_calls, &calls, &e), &e);
	check(calls == 1 && core_head(hyperdrive_db(x.d))->length == 0);
	drivefix_put(&x, "/a", view_str("a"), false, CHUNKER_CDC);
	check_code(
	    hyperdrive_batch_commit(x.b, refuse, NULL, &e), ERR_CONFLICT);
	check(core_head(hyperdrive_db(x.d))->length == 0);
	check(core_head(hyperdrive_blobs(x.d))->length == 0);
	hyperdrive_batch_free(x.b);
	drivefix_begin(&x, BLOBS_SHARED);
	drivefix_put(&x, "/a", view_str("a"), false, CHUNKER_CDC);
	check_ok(hyperdrive_batch_commit(x.b, count_calls, &calls, &e), &e);
	check(calls == 2 && core_head(hyperdrive_db(x.d))->length == 2);
	check_ok(
	    store_get(x.f.s, NULL, STORE_STATS, view_str("test"), &val, &e),
	    &e);
	drivefix_close(&x);
}

/* What a dry batch says before, a real one does; the dry one needs neither a
 * blobs core nor the right to write. */
static void
dry_and_real(struct drivefix *x, struct b32 hash[2], enum core_batch_mode mode,
    enum core_mode open)
{
	uint8_t *p = prng(300000, 8);
	struct core_batch *db, *blobs;
	struct err e = ERR_INIT;

	hyperdrive_close(x->d);
	check_ok(hyperdrive_open(&x->d, x->f.s, &x->f.key, open, &e), &e);
	check_ok(hyperdrive_batch_new(&x->b, x->d, mode, BLOBS_SHARED, &e), &e);
	drivefix_put(x, "/p", view_of(p, 300000), false, CHUNKER_CDC);
	drivefix_put(x, "/p2", view_of(p, 300000), false, CHUNKER_CDC);
	drivefix_flush(x);
	db = hyperdrive_batch_cores(x->b, &blobs);
	core_batch_tree_hash(db, &hash[0]);
	core_batch_tree_hash(blobs, &hash[1]);
	hyperdrive_batch_free(x->b);
	x->b = NULL;
	free(p);
}

static void
test_dry(void **state)
{
	struct b32 dry[2], real[2];
	struct drivefix x;

	(void)state;
	memset(&x, 0, sizeof(x));
	fix_open(&x.f, 7, true);
	dry_and_real(&x, dry, CORE_BATCH_DRY, CORE_READ);
	check(hyperdrive_blobs(x.d) == NULL);
	dry_and_real(&x, real, CORE_BATCH_REAL, CORE_WRITE);
	check(hyperdrive_blobs(x.d) != NULL);
	check(b32_eq(&dry[0], &real[0]) && b32_eq(&dry[1], &real[1]));
	drivefix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_single_more_truncated),
	    cmocka_unit_test(test_batched),
	    cmocka_unit_test(test_stage),
	    cmocka_unit_test(test_provision),
	    cmocka_unit_test(test_bad_truncation),
	    cmocka_unit_test(test_truncate_and_write),
	    cmocka_unit_test(test_hook),
	    cmocka_unit_test(test_dry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
