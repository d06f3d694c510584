/* Folder beside drive: one row a path, in byte order, whatever the drive
 * holds, also what no tool should have put there. */
#include "tests/unit/drive/stagefix.h"

#include "drive/stage_merge.h"

struct raw {
	const char *key; /* path behind "files\0" */
	size_t len;	 /* 0: strlen */
	const char *value;
};

#define RAW_FILE \
	"{\"executable\":false,\"linkname\":null,\"blob\":" \
	"{\"blockOffset\":0,\"byteOffset\":0,\"blockLength\":1," \
	"\"byteLength\":3},\"metadata\":null}"
#define RAW_LINK \
	"{\"executable\":false,\"linkname\":\"../../x\",\"blob\":null," \
	"\"metadata\":null}"

/* Straight into the bee, past everything that checks paths. */
static void
put_raw(struct stagefix *x, const struct raw *raw)
{
	const struct bee_header header = {.has_metadata = true};
	struct core_batch *db = NULL, *blobs = NULL;
	struct hyperdrive_batch *hb = NULL;
	struct bee_batch *bb = NULL;
	struct hyperdrive *d = NULL;
	struct want w;
	struct buf k;

	check_ok(hyperdrive_open(&d, x->s, &x->key, CORE_WRITE, &x->e), &x->e);
	check_ok(
	    hyperdrive_batch_new(&hb, d, CORE_BATCH_REAL, BLOBS_SHARED, &x->e),
	    &x->e);
	db = hyperdrive_batch_cores(hb, &blobs);
	check_ok(
	    bee_batch_new(&bb, hyperdrive_db(d), db, &header, &x->e), &x->e);
	buf_init(&k, 8192);
	buf_append(&k, view_of("files", 6));
	buf_append(
	    &k, view_of(raw->key, raw->len != 0 ? raw->len : strlen(raw->key)));
	check_ok(
	    bee_batch_put(bb, buf_view(&k), view_str(raw->value), &w, &x->e),
	    &x->e);
	check_ok(bee_batch_flush(bb, &x->e), &x->e);
	bee_batch_free(bb);
	check_ok(hyperdrive_batch_commit(hb, NULL, NULL, &x->e), &x->e);
	hyperdrive_batch_free(hb);
	hyperdrive_close(d);
	buf_deinit(&k);
}

/* -- odd names ------------------------------------------------------------ */

/* Names that a folder cannot hold leave the drive, they and nothing that is
 * spelled like them. */
static void
test_odd_names(void **state)
{
	static const char *const odd[] = {"/a//b", "/../x", "/x/../x", "/./x",
	    "x", "/x/", "a/b", "/a\\b", "", "/", "//"};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		struct raw raw = {odd[i], 0, i % 2 ? RAW_LINK : RAW_FILE};
		struct dump_opts d = {.check = true, .prune = true};
		struct stagefix x;
		char want[64];

		stagefix_open(&x);
		fix_put(x.app, "f a/b=1\nf x=2");
		check_ok(stagefix_try(&x), &x.e);
		put_raw(&x, &raw);
		(void)snprintf(
		    want, sizeof(want), "- %s %d 0\n", odd[i], i % 2 ? 0 : 3);
		stagefix_expect(&x, want);
		assert_int_equal(x.r.remove, 1);
		stagefix_expect(&x, "");
		check_ok(stagefix_dump(&x, "app", &d), &x.e);
		stagefix_close(&x);
	}
}

/* A name that is not text is removed like any other; a plan cannot say it,
 * and says so. */
static void
test_name_for_a_plan(void **state)
{
	static const struct raw raw = {"/latin\xe9", 0, RAW_FILE};
	struct stagefix x;
	char plan[600];

	(void)state;
	stagefix_open(&x);
	(void)snprintf(plan, sizeof(plan), "%s/plan", x.dir);
	check_ok(stagefix_try(&x), &x.e);
	put_raw(&x, &raw);
	x.o.dry_run = true;
	x.o.plan_out = plan;
	check_code(stagefix_try(&x), ERR_INVALID);
	check(strstr(x.e.msg, "/latin\\xe9") != NULL);
	x.o.dry_run = false;
	x.o.plan_out = NULL;
	stagefix_expect(&x, "- /latin\xe9 3 0\n");
	stagefix_expect(&x, "");
	stagefix_close(&x);
}

/* What cannot be read is named, and nothing is staged over it. */
static void
test_broken_entries(void **state)
{
	static const struct {
		struct raw raw;
		const char *named;
	} rows[] = {
	    {{"/n", 0, "not json"}, "drive entry /n: "},
	    {{"/n", 0, "[]"}, "drive entry /n: "},
	    {{"/n", 0, "{\"blob\":7}"}, "drive entry /n: "},
	    {{"/n", 0, "{\"linkname\":7}"}, "drive entry /n: "},
	    {{"/\x1b[31m", 0, "x"}, "drive entry /\\x1b[31m: "},
	    {{"/a\0b", 4, RAW_FILE}, "drive entry /a\\x00b: NUL"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct b32 before[2], after[2];
		struct stagefix x;

		stagefix_open(&x);
		check_ok(stagefix_try(&x), &x.e);
		put_raw(&x, &rows[i].raw);
		stagefix_hashes(&x, before);
		check_code(stagefix_try(&x), ERR_FORMAT);
		if (strstr(x.e.msg, rows[i].named) == NULL)
			fail_msg("row %zu: %s", i, x.e.msg);
		stagefix_hashes(&x, after);
		assert_memory_equal(before, after, sizeof(before));
		stagefix_close(&x);
	}
}

/* -- rows ----------------------------------------------------------------- */

/* "path disk|- seq cached": the merge of the app and the drive's head. */
static void
merge_is(struct stagefix *x, const char *want)
{
	const struct scan_opts so = {.dir = x->app};
	struct stage_rows rows = {NULL, 0, 0, 0};
	struct statcache *sc = NULL;
	struct hyperdrive *d = NULL;
	struct scan *scan = NULL;
	struct bee *at = NULL;
	struct buf got;

	buf_init(&got, FIX_TEXT);
	check_ok(scan_dir(&scan, &so, &x->e), &x->e);
	check_ok(store_refresh(x->s, &x->e), &x->e);
	check_ok(hyperdrive_open(&d, x->s, &x->key, CORE_READ, &x->e), &x->e);
	check_ok(
	    hyperdrive_at(d, core_head(hyperdrive_db(d))->length, &at, &x->e),
	    &x->e);
	check_ok(statcache_new(&sc, d, x->o.now, &x->e), &x->e);
	check_ok(stage_merge(&rows, scan, at, sc, &x->e), &x->e);
	for (size_t i = 0; i < rows.n; i++) {
		struct stage_row *r = &rows.row[i];

		buf_printf(&got, "%s %s %d%s\n", r->path,
		    r->disk != NULL ? "disk" : "-", (int)r->seq,
		    r->cached ? " cached" : "");
		check(r->decoded == (r->seq != 0 && !r->cached));
		check_ok(stage_row_decode(r, at, &x->e), &x->e);
		check(r->decoded == (r->seq != 0));
	}
	assert_string_equal(buf_cstr(&got), want);
	stage_rows_deinit(&rows);
	statcache_free(sc);
	bee_close(at);
	hyperdrive_close(d);
	scan_free(scan);
	buf_deinit(&got);
}

static void
test_rows(void **state)
{
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_remove(x.app, "package.json");
	x.o.skip_package_json = true;
	fix_put(x.app, "f a/b=1\nf a.txt=2\nl l=a.txt\nf z=3");
	merge_is(&x, "/a.txt disk 0\n/a/b disk 0\n/l disk 0\n/z disk 0\n");
	check_ok(stagefix_try(&x), &x.e);
	merge_is(&x, "/a.txt disk 1 cached\n/a/b disk 2 cached\n/l disk 3\n"
		     "/z disk 4 cached\n");
	fix_remove(x.app, "a.txt");
	fix_remove(x.app, "z");
	fix_put(x.app, "f a-=0\nx a/b=1\nf zz=9");
	merge_is(&x, "/a- disk 0\n/a.txt - 1\n/a/b disk 2\n/l disk 3\n"
		     "/z - 4\n/zz disk 0\n");
	stagefix_close(&x);
}

/* Other fields of the metadata are no files. */
static void
test_fields_are_no_files(void **state)
{
	struct hyperdrive_batch *hb = NULL;
	struct hyperdrive *d = NULL;
	struct stagefix x;
	struct want w;
	json_t *v = json_integer(7);

	(void)state;
	stagefix_open(&x);
	check_ok(hyperdrive_open(&d, x.s, &x.key, CORE_WRITE, &x.e), &x.e);
	check_ok(
	    hyperdrive_batch_new(&hb, d, CORE_BATCH_REAL, BLOBS_SHARED, &x.e),
	    &x.e);
	check_ok(
	    hyperdrive_batch_field(hb, view_str("file"), v, &w, &x.e), &x.e);
	check_ok(
	    hyperdrive_batch_field(hb, view_of("files\1x", 7), v, &w, &x.e),
	    &x.e);
	check_ok(hyperdrive_batch_commit(hb, NULL, NULL, &x.e), &x.e);
	hyperdrive_batch_free(hb);
	hyperdrive_close(d);
	json_decref(v);
	merge_is(&x, "/package.json disk 0\n");
	stagefix_expect(&x, "+ /package.json 0 30\n");
	stagefix_expect(&x, "");
	stagefix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_odd_names),
	    cmocka_unit_test(test_name_for_a_plan),
	    cmocka_unit_test(test_broken_entries),
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_fields_are_no_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
