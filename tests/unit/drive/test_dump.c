/* Dumps: what comes out is what went in, and nothing ever leaves the
 * target, whatever the drive holds. */
#include "tests/unit/drive/stagefix.h"

#include "hyperdrive/drive.h"

static void
test_round_trip(void **state)
{
	struct dump_opts d = {.force = false};
	struct stagefix x;
	char out[600], link[1100];

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=hello\nx b/run=#!/bin/sh\nl b/up=../a\n"
		       "f b/c/d/e=deep\nf empty=");
	/* an absolute link into the folder is one into the drive */
	(void)snprintf(link, sizeof(link), "l abs=%s/b/run", x.app);
	fix_put(x.app, link);
	check_ok(stagefix_try(&x), &x.e);
	check_ok(stagefix_dump(&x, "out", &d), &x.e);
	(void)snprintf(out, sizeof(out), "%s/out", x.dir);
	fix_check(__FILE__, __LINE__, out,
	    "f a=hello\nl abs=b/run\nf b/c/d/e=deep\nx b/run=#!/bin/sh\n"
	    "l b/up=../a\nf empty=\n"
	    "f package.json={\"name\":\"x\",\"version\":\"1.0.0\"}\n");
	check_code(stagefix_dump(&x, "out", &d), ERR_EXISTS);
	assert_string_equal(err_tag_of(&x.e), "ERR_DIR_NONEMPTY");
	stagefix_close(&x);
}

static bool
say_no(void *ctx, uint64_t files)
{
	*(uint64_t *)ctx = files;
	return false;
}

static void
test_force_prune_only(void **state)
{
	struct dump_opts d = {.force = true, .prune = true};
	static const char *const only[] = {"b"};
	struct stagefix x;
	char out[600];

	(void)state;
	stagefix_open(&x);
	(void)snprintf(out, sizeof(out), "%s/out", x.dir);
	fix_put(x.app, "f a=1\nf b/c=2\nf bb=3");
	fix_remove(x.app, "package.json");
	x.o.skip_package_json = true;
	check_ok(stagefix_try(&x), &x.e);
	fix_put(out, "f a=old\nf gone/x=y\nf keep=k\nx b/c=2");
	d.only = only;
	d.nonly = 1;
	d.prune = false;
	check_ok(stagefix_dump(&x, "out", &d), &x.e);
	fix_check(__FILE__, __LINE__, out,
	    "f a=old\nf b/c=2\nf gone/x=y\nf keep=k\n");
	d.nonly = 0;
	d.prune = true;
	check_ok(stagefix_dump(&x, "out", &d), &x.e);
	fix_check(__FILE__, __LINE__, out, "f a=1\nf b/c=2\nf bb=3\n");
	stagefix_close(&x);
}

static void
test_pruning_asks_first(void **state)
{
	struct dump_opts d = {
	    .force = true, .prune = true, .confirm_prune = say_no};
	uint64_t asked = 0;
	struct stagefix x;
	char out[600];

	(void)state;
	stagefix_open(&x);
	(void)snprintf(out, sizeof(out), "%s/out", x.dir);
	d.ctx = &asked;
	check_ok(stagefix_try(&x), &x.e);
	fix_put(out, "f .git/HEAD=ref\nf mine=precious");
	check_code(stagefix_dump(&x, "out", &d), ERR_INVALID);
	assert_int_equal(asked, 2);
	fix_check(
	    __FILE__, __LINE__, out, "f .git/HEAD=ref\nf mine=precious\n");
	/* the home folder is never pruned without asking */
	fix_remove(out, ".git/HEAD");
	fix_remove(out, "mine");
	check(rmdir(strcat(strcpy((char[1024]){0}, out), "/.git")) == 0);
	fix_put(out, "f mine=precious");
	d.home = out;
	asked = 0;
	check_code(stagefix_dump(&x, "out", &d), ERR_INVALID);
	assert_int_equal(asked, 1);
	d.home = NULL;
	check_ok(stagefix_dump(&x, "out", &d), &x.e);
	stagefix_close(&x);
}

static void
test_parts_and_versions(void **state)
{
	struct dump_opts d = {.prefix = "/b"};
	struct stagefix x;
	char out[600];

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=1\nf b/c=2\nf b/d=3\nf bb=4");
	check_ok(stagefix_try(&x), &x.e);
	fix_put(x.app, "f b/c=new");
	check_ok(stagefix_try(&x), &x.e);
	check_ok(stagefix_dump(&x, "part", &d), &x.e);
	(void)snprintf(out, sizeof(out), "%s/part", x.dir);
	fix_check(__FILE__, __LINE__, out, "f b/c=new\nf b/d=3\n");
	d = (struct dump_opts){
	    .prefix = "b/c", .has_checkout = true, .checkout = 6};
	check_ok(stagefix_dump(&x, "old", &d), &x.e);
	(void)snprintf(out, sizeof(out), "%s/old", x.dir);
	fix_check(__FILE__, __LINE__, out, "f b/c=2\n");
	d = (struct dump_opts){.prefix = "/nothing"};
	check_code(stagefix_dump(&x, "none", &d), ERR_NOT_FOUND);
	assert_non_null(strstr(x.e.msg, "not found"));
	/* a length inside a batch is no version */
	d = (struct dump_opts){.has_checkout = true, .checkout = 4};
	assert_true(stagefix_dump(&x, "inner", &d) != ERR_OK);
	d.checkout = 99;
	check_code(stagefix_dump(&x, "later", &d), ERR_PEERS);
	d = (struct dump_opts){.has_fork = true, .fork = 1};
	check_code(stagefix_dump(&x, "fork", &d), ERR_CONFLICT);
	d = (struct dump_opts){.has_hash = true};
	check_code(stagefix_dump(&x, "hash", &d), ERR_VERIFY);
	stagefix_close(&x);
}

static void
test_check_and_resume(void **state)
{
	struct dump_opts d = {.check = true, .prune = true};
	struct stagefix x;
	char out[600];

	(void)state;
	stagefix_open(&x);
	(void)snprintf(out, sizeof(out), "%s/out", x.dir);
	fix_put(x.app, "f a=1\nf b=2");
	check_ok(stagefix_try(&x), &x.e);
	check_code(stagefix_dump(&x, "out", &d), ERR_VERIFY);
	assert_true(access(out, F_OK) != 0);
	fix_put(out, "f a=1");
	check_code(stagefix_dump(&x, "out", &d), ERR_VERIFY);
	fix_check(__FILE__, __LINE__, out, "f a=1\n");
	d = (struct dump_opts){.force = true, .prune = true};
	check_ok(stagefix_dump(&x, "out", &d), &x.e);
	d = (struct dump_opts){.check = true, .prune = true};
	check_ok(stagefix_dump(&x, "out", &d), &x.e);
	fix_put(out, "x b=2");
	check_code(stagefix_dump(&x, "out", &d), ERR_VERIFY);
	fix_put(out, "f b=2\nf more=x");
	check_code(stagefix_dump(&x, "out", &d), ERR_VERIFY);
	stagefix_close(&x);
}

/* A drive whose author is hostile: entries straight into the bee. */
static void
put_entry(struct stagefix *x, const char *key, const char *value)
{
	struct hyperdrive_batch *hb;
	struct core_batch *db, *blobs;
	struct bee_batch *bb;
	struct bee_header header = {.has_metadata = true};
	struct hyperdrive *d;
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
	buf_str(&k, key);
	check_ok(
	    bee_batch_put(bb, buf_view(&k), view_str(value), &w, &x->e), &x->e);
	check_ok(bee_batch_flush(bb, &x->e), &x->e);
	bee_batch_free(bb);
	check_ok(hyperdrive_batch_commit(hb, NULL, NULL, &x->e), &x->e);
	hyperdrive_batch_free(hb);
	hyperdrive_close(d);
	buf_deinit(&k);
}

#define HOSTILE_FILE \
	"{\"executable\":false,\"linkname\":null,\"blob\":" \
	"{\"blockOffset\":0,\"byteOffset\":0,\"blockLength\":1," \
	"\"byteLength\":3},\"metadata\":null}"
#define HOSTILE_LINK(to) \
	"{\"executable\":false,\"linkname\":\"" to "\",\"blob\":null," \
	"\"metadata\":null}"

static void
test_hostile_drives(void **state)
{
	static const struct {
		const char *key[2], *value[2];
	} rows[] = {
	    {{"/../x"}, {HOSTILE_FILE}},
	    {{"/a/../../x"}, {HOSTILE_FILE}},
	    {{"/./x"}, {HOSTILE_FILE}},
	    {{"/a//b"}, {HOSTILE_FILE}},
	    {{"/a/"}, {HOSTILE_FILE}},
	    {{"/a\\b"}, {HOSTILE_FILE}},
	    {{"/..\\x"}, {HOSTILE_FILE}},
	    {{"/C:/x"}, {HOSTILE_FILE}},
	    {{"/\xff"}, {HOSTILE_FILE}},
	    {{"/l"}, {HOSTILE_LINK("../x")}},
	    {{"/l"}, {HOSTILE_LINK("../../victim")}},
	    {{"/d/l"}, {HOSTILE_LINK("../../x")}},
	    {{"/l"}, {HOSTILE_LINK("/../x")}},
	    {{"/x", "/x/pwned"}, {HOSTILE_LINK("victim"), HOSTILE_FILE}},
	    {{"/x", "/x/y"}, {HOSTILE_FILE, HOSTILE_FILE}},
	    {{"/n"}, {"not json"}},
	    {{"/n"}, {"{\"blob\":{\"blockOffset\":1e99}}"}},
	    {{"/n"}, {"{\"blob\":{\"blockOffset\":0,\"byteOffset\":0,"
		      "\"blockLength\":99999999,\"byteLength\":1}}"}},
	    {{"/n"}, {"{\"blob\":{\"blockOffset\":0,\"byteOffset\":0,"
		      "\"blockLength\":1,\"byteLength\":9007199254740991}}"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dump_opts d = {.force = false};
		struct stagefix x;
		char name[700];

		stagefix_open(&x);
		fix_put(x.dir, "f victim/safe=canary");
		check_ok(stagefix_try(&x), &x.e);
		for (size_t k = 0; k < 2 && rows[i].key[k] != NULL; k++)
			put_entry(&x, rows[i].key[k], rows[i].value[k]);
		if (stagefix_dump(&x, "out", &d) == ERR_OK) {
			print_error("row %zu was dumped\n", i);
			fail();
		}
		assert_true(x.e.msg[0] != '\0');
		(void)snprintf(name, sizeof(name), "%s/victim", x.dir);
		fix_check(__FILE__, __LINE__, name, "f safe=canary\n");
		(void)snprintf(name, sizeof(name), "%s/x", x.dir);
		assert_true(access(name, F_OK) != 0);
		stagefix_close(&x);
	}
}

/* Keys without a leading slash are no paths: no reader lists them. */
static void
test_keys_that_are_no_paths(void **state)
{
	struct dump_opts d = {.force = false};
	struct stagefix x;
	char out[600];

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=one");
	check_ok(stagefix_try(&x), &x.e);
	put_entry(&x, "x", HOSTILE_FILE);
	put_entry(&x, "", HOSTILE_FILE);
	put_entry(&x, "/", HOSTILE_FILE);
	check_ok(stagefix_dump(&x, "out", &d), &x.e);
	(void)snprintf(out, sizeof(out), "%s/out", x.dir);
	fix_check(__FILE__, __LINE__, out,
	    "f a=one\n"
	    "f package.json={\"name\":\"x\",\"version\":\"1.0.0\"}\n");
	stagefix_close(&x);
}

/* A link in the target, put there before: never followed. */
static void
test_links_in_the_target(void **state)
{
	struct dump_opts d = {.force = true};
	struct stagefix x;
	char out[600], victim[600];

	(void)state;
	stagefix_open(&x);
	(void)snprintf(out, sizeof(out), "%s/out", x.dir);
	(void)snprintf(victim, sizeof(victim), "%s/victim", x.dir);
	fix_put(x.app, "f sub/file=bytes");
	check_ok(stagefix_try(&x), &x.e);
	fix_put(x.dir, "f victim/file=canary");
	fix_put(out, "l sub=../victim");
	check_code(stagefix_dump(&x, "out", &d), ERR_CONFLICT);
	fix_check(__FILE__, __LINE__, victim, "f file=canary\n");
	/* a link in the place of the file itself is replaced */
	fix_remove(out, "sub");
	fix_put(out, "l sub/file=../../victim/file");
	check_ok(stagefix_dump(&x, "out", &d), &x.e);
	fix_check(__FILE__, __LINE__, victim, "f file=canary\n");
	stagefix_close(&x);
}

/* A flipped byte of the block file is named and never written out. */
static void
test_rot_is_named(void **state)
{
	struct dump_opts d = {.force = true};
	struct stagefix x;
	char path[2048], out[600];
	struct buf bytes;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=only once in this store");
	check_ok(stagefix_try(&x), &x.e);
	(void)snprintf(path, sizeof(path),
	    "f=$(grep -rl 'only once' '%s/blocks') && printf X | "
	    "dd of=\"$f\" bs=1 seek=3 conv=notrunc 2>/dev/null",
	    x.store_dir);
	assert_int_equal(system(path), 0);
	assert_true(stagefix_dump(&x, "out", &d) != ERR_OK);
	assert_non_null(strstr(x.e.msg, "/a"));
	assert_non_null(strstr(x.e.msg, "does not match its hash"));
	(void)snprintf(out, sizeof(out), "%s/out/a", x.dir);
	buf_init(&bytes, 100);
	check_code(file_read(AT_FDCWD, out, 100, &bytes, NULL), ERR_NOT_FOUND);
	stagefix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_force_prune_only),
	    cmocka_unit_test(test_pruning_asks_first),
	    cmocka_unit_test(test_parts_and_versions),
	    cmocka_unit_test(test_check_and_resume),
	    cmocka_unit_test(test_hostile_drives),
	    cmocka_unit_test(test_keys_that_are_no_paths),
	    cmocka_unit_test(test_links_in_the_target),
	    cmocka_unit_test(test_rot_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
