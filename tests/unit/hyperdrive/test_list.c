#include "tests/unit/hyperdrive/drivefix.h"

static void
put_field(struct drivefix *x, const char *key, const char *json)
{
	json_t *v = json_loads(json, JSON_DECODE_ANY, NULL);
	struct err e = ERR_INIT;
	struct want w;

	check(v != NULL);
	check_ok(hyperdrive_batch_field(x->b, view_str(key), v, &w, &e), &e);
	json_decref(v);
}

static struct bee *
newest(struct drivefix *x)
{
	struct err e = ERR_INIT;
	struct bee *b;

	check_ok(
	    hyperdrive_at(x->d, core_head(hyperdrive_db(x->d))->length, &b, &e),
	    &e);
	return b;
}

static void
open_small(struct drivefix *x)
{
	static const char *const paths[] = {
	    "/a", "/a.txt", "/a/b", "/a/b/c", "/a0", "/B"};

	drivefix_open(x, 6);
	drivefix_begin(x, BLOBS_SHARED);
	for (size_t i = 0; i < 6; i++)
		drivefix_put(
		    x, paths[i], view_str(paths[i]), false, CHUNKER_CDC);
	put_field(x, "manifest", "{\"x\":1}");
	drivefix_commit(x);
}

static void
expect_list(struct bee *b, const char *folder, const char *want)
{
	struct err e = ERR_INIT;
	struct hyperdrive_list *l;
	struct entry en;
	struct view path;
	struct want w;
	struct buf all;
	bool more;

	buf_init(&all, 1000);
	check_ok(hyperdrive_list_open(&l, b, view_str(folder), &e), &e);
	for (;;) {
		check_ok(
		    hyperdrive_list_next(l, &more, &path, &en, NULL, &w, &e),
		    &e);
		if (!more)
			break;
		buf_append(&all, path);
		buf_byte(&all, ' ');
		check(en.blob.byte_length == path.len);
		entry_deinit(&en);
	}
	hyperdrive_list_close(l);
	check_same(buf_view(&all), view_str(want));
	buf_deinit(&all);
}

static void
test_folders(void **state)
{
	struct hyperdrive_list *l = NULL;
	struct err e = ERR_INIT;
	struct drivefix x;
	struct bee *b;

	(void)state;
	open_small(&x);
	b = newest(&x);
	expect_list(b, "", "/B /a /a.txt /a/b /a/b/c /a0 ");
	expect_list(b, "/", "/B /a /a.txt /a/b /a/b/c /a0 ");
	expect_list(b, "/a", "/a/b /a/b/c ");
	expect_list(b, "a/b/", "/a/b/c ");
	expect_list(b, "/none", "");
	check_code(
	    hyperdrive_list_open(&l, b, view_str(".."), &e), ERR_INVALID);
	bee_close(b);
	drivefix_close(&x);
}

static void
test_entry(void **state)
{
	struct err e = ERR_INIT;
	struct drivefix x;
	struct entry en;
	struct want w;
	struct bee *b;
	uint64_t seq = 0;

	(void)state;
	open_small(&x);
	b = newest(&x);
	check_ok(
	    hyperdrive_entry(b, view_str("a\\.\\b"), &en, &seq, &w, &e), &e);
	check(seq == 3 && en.has_blob);
	expect_content(hyperdrive_blobs(x.d), &en.blob, view_str("/a/b"));
	entry_deinit(&en);
	check_code(hyperdrive_entry(b, view_str("/b\n"), &en, NULL, &w, &e),
	    ERR_NOT_FOUND);
	check(strstr(e.msg, "/b\\") != NULL);
	check_code(
	    hyperdrive_entry(b, view_str("/"), &en, NULL, &w, &e), ERR_INVALID);
	bee_close(b);
	/* an older version has not got it */
	check_ok(hyperdrive_at(x.d, 1, &b, &e), &e);
	check_code(hyperdrive_entry(b, view_str("/a"), &en, NULL, &w, &e),
	    ERR_NOT_FOUND);
	bee_close(b);
	check_code(hyperdrive_at(x.d, 99, &b, &e), ERR_LIMIT);
	drivefix_close(&x);
}

/* Raw values with a blob count, whatever else they are; values that only
 * look like one do not. */
static void
test_blobs_length(void **state)
{
	struct err e = ERR_INIT;
	struct drivefix x;
	struct want w;
	struct bee *b;
	uint64_t n;

	(void)state;
	open_small(&x);
	b = newest(&x);
	check_ok(hyperdrive_blobs_length(b, &n, &w, &e), &e);
	check(n == 6);
	bee_close(b);
	drivefix_begin(&x, BLOBS_SHARED);
	put_field(&x, "s", "\"text\"");
	put_field(&x, "n", "null");
	put_field(&x, "t", "{\"blob\":{\"blockOffset\":\"9\"}}");
	put_field(
	    &x, "u", "{\"blob\":{\"blockOffset\":-1,\"blockLength\":99}}");
	put_field(&x, "v", "{\"blob\":{\"blockOffset\":10,\"blockLength\":2}}");
	drivefix_commit(&x);
	b = newest(&x);
	check_ok(hyperdrive_blobs_length(b, &n, &w, &e), &e);
	check(n == 12);
	bee_close(b);
	/* and such a version cannot be cut to: the core is shorter */
	drivefix_begin(&x, BLOBS_SHARED);
	check_code(hyperdrive_batch_truncate(
		       x.b, core_head(hyperdrive_db(x.d))->length, &e),
	    ERR_LIMIT);
	drivefix_close(&x);
}

/* A broken entry is named, and does not stop what comes before it. */
static void
test_broken_entry(void **state)
{
	const char key[] = "files\0/a\x01";
	struct err e = ERR_INIT;
	struct hyperdrive_list *l;
	struct drivefix x;
	struct entry en;
	struct view path;
	struct want w;
	json_t *v = json_string("x");
	struct bee *b;
	bool more;

	(void)state;
	open_small(&x);
	drivefix_begin(&x, BLOBS_SHARED);
	check_ok(hyperdrive_batch_field(
		     x.b, view_of(key, sizeof(key) - 1), v, &w, &e),
	    &e);
	drivefix_commit(&x);
	json_decref(v);
	b = newest(&x);
	check_ok(hyperdrive_list_open(&l, b, VIEW_EMPTY, &e), &e);
	for (int i = 0; i < 2; i++) {
		check_ok(
		    hyperdrive_list_next(l, &more, &path, &en, NULL, &w, &e),
		    &e);
		entry_deinit(&en);
	}
	check_code(hyperdrive_list_next(l, &more, &path, &en, NULL, &w, &e),
	    ERR_FORMAT);
	check(strstr(e.msg, "entry \"/a\\x01\"") != NULL);
	hyperdrive_list_close(l);
	bee_close(b);
	drivefix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_folders),
	    cmocka_unit_test(test_entry),
	    cmocka_unit_test(test_blobs_length),
	    cmocka_unit_test(test_broken_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
