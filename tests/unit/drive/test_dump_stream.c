/* A drive as a stream: order, contents, listings, one file, versions. */
#include "tests/unit/drive/stagefix.h"

struct sink {
	struct buf text;
	size_t blocks;
	const char *fail_at; /* path whose begin fails */
	size_t fail_block;   /* block whose data fails, from 1 */
};

static enum err_code
on_begin(void *ctx, const char *path, const char *linkname, bool single,
    struct err *e)
{
	struct sink *s = ctx;

	if (s->fail_at != NULL && strcmp(path, s->fail_at) == 0)
		return err_set(e, ERR_IO, "no more");
	buf_printf(&s->text, "[%s%s%s%s", path, linkname != NULL ? " to " : "",
	    linkname != NULL ? linkname : "", single ? " alone" : "");
	buf_byte(&s->text, ':');
	return ERR_OK;
}

static enum err_code
on_data(void *ctx, struct view block, struct err *e)
{
	struct sink *s = ctx;

	if (++s->blocks == s->fail_block)
		return err_set(e, ERR_NOSPACE, "full");
	buf_append(&s->text, block);
	return ERR_OK;
}

static enum err_code
on_end(void *ctx, struct err *e)
{
	(void)e;
	buf_byte(&((struct sink *)ctx)->text, ']');
	return ERR_OK;
}

static enum err_code
stream(struct stagefix *x, struct dump_opts o, struct sink *s,
    struct dump_report *r)
{
	const struct dump_stream to = {on_begin, on_data, on_end, s};

	o.store = x->s;
	o.key = x->key;
	buf_init(&s->text, 64u << 20);
	return drive_dump_stream(&o, &to, r, &x->e);
}

static void
expect(struct stagefix *x, struct dump_opts o, const char *want)
{
	struct sink s = {.blocks = 0};
	struct dump_report r;

	check_ok(stream(x, o, &s, &r), &x->e);
	assert_string_equal(buf_cstr(&s.text), want);
	buf_deinit(&s.text);
}

static void
refused(struct stagefix *x, struct dump_opts o, enum err_code code,
    const char *text)
{
	struct sink s = {.blocks = 0};
	struct dump_report r;

	if (stream(x, o, &s, &r) != code || strstr(x->e.msg, text) == NULL) {
		fprintf(stderr, "got: %s\n", x->e.msg);
		fail();
	}
	check(s.text.len == 0);
	buf_deinit(&s.text);
}

static void
open_drive(struct stagefix *x)
{
	stagefix_open(x);
	fix_remove(x->app, "package.json");
	x->o.skip_package_json = true;
	fix_put(x->app, "f a=1\nf b/c=22\nx b/d=333\nf bb=4\nl b/l=c\nf e=");
	check_ok(stagefix_try(x), &x->e);
}

static void
test_all(void **state)
{
	struct sink s = {.blocks = 0};
	struct dump_report r;
	struct stagefix x;

	(void)state;
	open_drive(&x);
	check_ok(stream(&x, (struct dump_opts){.prefix = NULL}, &s, &r), &x.e);
	assert_string_equal(buf_cstr(&s.text),
	    "[/a:1][/b/c:22][/b/d:333][/b/l to c:][/bb:4][/e:]");
	check(r.files == 6 && r.bytes == 7 && r.length == 7 && r.fork == 0);
	check(b32_eq(&r.key, &x.key));
	check(b32_eq(&r.tree_hash, &x.r.after.tree_hash));
	buf_deinit(&s.text);
	stagefix_close(&x);
}

static void
test_prefixes(void **state)
{
	static const struct {
		const char *prefix, *want;
	} rows[] = {
	    {"", "[/a:1][/b/c:22][/b/d:333][/b/l to c:][/bb:4][/e:]"},
	    {"/", "[/a:1][/b/c:22][/b/d:333][/b/l to c:][/bb:4][/e:]"},
	    {"/b", "[/b/c:22][/b/d:333][/b/l to c:]"},
	    {"b/", "[/b/c:22][/b/d:333][/b/l to c:]"},
	    {"//b//", "[/b/c:22][/b/d:333][/b/l to c:]"},
	    {"/bb", "[/bb alone:4]"},
	    {"b/c", "[/b/c alone:22]"},
	    {"/b/l", "[/b/l to c alone:]"},
	    {"/e/", "[/e alone:]"},
	};
	static const char *const absent[] = {
	    "/c", "/b/x", "/bbb", "/a/b", "/B", "/b/c/d"};
	struct stagefix x;

	(void)state;
	open_drive(&x);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect(&x, (struct dump_opts){.prefix = rows[i].prefix},
		    rows[i].want);
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		refused(&x, (struct dump_opts){.prefix = absent[i]},
		    ERR_NOT_FOUND, "not found");
	stagefix_close(&x);
}

static void
test_only(void **state)
{
	static const char *const only[] = {"b/c", "/e", "bb/", "none"};
	struct stagefix x;

	(void)state;
	open_drive(&x);
	expect(&x, (struct dump_opts){.only = only, .nonly = 4},
	    "[/b/c:22][/bb:4][/e:]");
	expect(&x, (struct dump_opts){.prefix = "b", .only = only, .nonly = 4},
	    "[/b/c:22]");
	expect(&x, (struct dump_opts){.only = only + 3, .nonly = 1}, "");
	stagefix_close(&x);
}

/* Without data() nothing is read: a listing works with no contents here. */
static void
test_listing(void **state)
{
	struct sink s = {.blocks = 0};
	const struct dump_stream to = {on_begin, NULL, NULL, &s};
	struct dump_opts o = {.prefix = NULL};
	struct hyperdrive *d = NULL;
	struct dump_report r;
	struct stagefix x;

	(void)state;
	open_drive(&x);
	check_ok(hyperdrive_open(&d, x.s, &x.key, CORE_WRITE, &x.e), &x.e);
	check_ok(core_clear(hyperdrive_blobs(d), 0, 4, &x.e), &x.e);
	hyperdrive_close(d);
	o.store = x.s;
	o.key = x.key;
	buf_init(&s.text, 1 << 20);
	check_ok(drive_dump_stream(&o, &to, &r, &x.e), &x.e);
	assert_string_equal(
	    buf_cstr(&s.text), "[/a:[/b/c:[/b/d:[/b/l to c:[/bb:[/e:");
	check(r.bytes == 7);
	buf_deinit(&s.text);
	/* with it, the first content that is not here is named */
	check(stream(&x, (struct dump_opts){.prefix = "/b"}, &s, &r) != ERR_OK);
	check(strncmp(x.e.msg, "/b/c: ", 6) == 0);
	assert_string_equal(buf_cstr(&s.text), "[/b/c:");
	buf_deinit(&s.text);
	stagefix_close(&x);
}

/* Errors of the receiver come back with the path, and end it. */
static void
test_receiver_fails(void **state)
{
	struct sink begin = {.fail_at = "/b/d"}, data = {.fail_block = 2};
	struct dump_opts o = {.prefix = NULL};
	struct dump_report r;
	struct stagefix x;

	(void)state;
	open_drive(&x);
	check_code(stream(&x, o, &begin, &r), ERR_IO);
	assert_string_equal(x.e.msg, "/b/d: no more");
	assert_string_equal(buf_cstr(&begin.text), "[/a:1][/b/c:22]");
	check_code(stream(&x, o, &data, &r), ERR_NOSPACE);
	assert_string_equal(x.e.msg, "/b/c: full");
	buf_deinit(&begin.text);
	buf_deinit(&data.text);
	stagefix_close(&x);
}

/* -- versions ------------------------------------------------------------- */

static void
test_versions(void **state)
{
	struct dump_opts o = {.has_checkout = true, .checkout = 7};
	struct b32 old;
	struct stagefix x;

	(void)state;
	open_drive(&x);
	old = x.r.after.tree_hash;
	fix_put(x.app, "f a=new\nf z=9");
	fix_remove(x.app, "b/d");
	check_ok(stagefix_try(&x), &x.e);
	expect(&x, o, "[/a:1][/b/c:22][/b/d:333][/b/l to c:][/bb:4][/e:]");
	o.has_hash = true;
	o.hash = old;
	expect(&x, o, "[/a:1][/b/c:22][/b/d:333][/b/l to c:][/bb:4][/e:]");
	o.hash.b[0] ^= 1;
	refused(&x, o, ERR_VERIFY, "length 7 has tree hash ");
	o.hash.b[0] ^= 1;
	o.has_checkout = false; /* the hash of another length */
	refused(&x, o, ERR_VERIFY, "length 10 has tree hash ");
	o = (struct dump_opts){.has_checkout = true, .checkout = 10};
	expect(&x, o, "[/a:new][/b/c:22][/b/l to c:][/bb:4][/e:][/z:9]");
	o.checkout = 0;
	expect(&x, o, "");
	for (o.checkout = 2; o.checkout < 10; o.checkout++)
		if (o.checkout != 7) /* inside a stage */
			refused(&x, o, ERR_INVALID, "");
	o.checkout = 11;
	refused(&x, o, ERR_PEERS, "length 11 is not in this store, only 10");
	stagefix_close(&x);
}

static void
test_forks(void **state)
{
	struct dump_opts o = {.has_fork = true, .fork = 0};
	struct stagefix x;

	(void)state;
	open_drive(&x);
	expect(&x, o, "[/a:1][/b/c:22][/b/d:333][/b/l to c:][/bb:4][/e:]");
	x.o.has_truncate = true;
	x.o.truncate = 1;
	check_ok(stagefix_try(&x), &x.e);
	refused(&x, o, ERR_CONFLICT,
	    "the drive has fork 1, the link asks for fork 0");
	o.fork = 1;
	expect(&x, o, "[/a:1][/b/c:22][/b/d:333][/b/l to c:][/bb:4][/e:]");
	stagefix_close(&x);
}

static void
test_unknown(void **state)
{
	struct stagefix x;

	(void)state;
	open_drive(&x);
	memset(x.key.b, 1, sizeof(x.key.b));
	refused(&x, (struct dump_opts){.prefix = NULL}, ERR_PEERS,
	    "is not in this store");
	assert_string_equal(err_tag_of(&x.e), "ERR_NOT_FOUND");
	stagefix_close(&x);
}

/* -- stopping ------------------------------------------------------------- */

struct countdown {
	size_t left;
};

static bool
on_poll(void *ctx)
{
	struct countdown *c = ctx;

	return c->left-- == 0;
}

static void
test_stop(void **state)
{
	struct countdown c;
	struct dump_opts o = {.stop = on_poll, .ctx = &c};
	struct stagefix x;
	size_t stops = 0;

	(void)state;
	open_drive(&x);
	for (;; stops++) {
		struct sink s = {.blocks = 0};
		struct dump_report r;
		enum err_code rc;

		c.left = stops;
		rc = stream(&x, o, &s, &r);
		buf_deinit(&s.text);
		if (rc == ERR_OK)
			break;
		check_code(rc, ERR_INTERRUPTED);
	}
	check(stops >= 6 + 4); /* entries, and contents with bytes */
	stagefix_close(&x);
}

/* -- many blocks ---------------------------------------------------------- */

static void
test_big_file(void **state)
{
	enum { SIZE = 1000000 };
	struct sink s = {.blocks = 0};
	char *text = malloc(SIZE + 1);
	struct dump_report r;
	struct stagefix x;

	(void)state;
	check(text != NULL);
	for (size_t i = 0; i < SIZE; i++)
		text[i] = (char)('a' + i * i % 23);
	text[SIZE] = '\0';
	open_drive(&x);
	x.o.chunking = STAGE_CHUNKING_FIXED;
	fix_put_file(fix_path(x.app, "big"), text, 0644);
	check_ok(stagefix_try(&x), &x.e);
	check_ok(stream(&x, (struct dump_opts){.prefix = "big"}, &s, &r), &x.e);
	check(s.blocks == (SIZE + 65535) / 65536);
	check_same(view_sub(buf_view(&s.text), 12, SIZE), view_str(text));
	check_same(
	    view_sub(buf_view(&s.text), 0, 12), view_str("[/big alone:"));
	check(r.bytes == SIZE && r.files == 1);
	buf_deinit(&s.text);
	free(text);
	stagefix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_prefixes),
	    cmocka_unit_test(test_only),
	    cmocka_unit_test(test_listing),
	    cmocka_unit_test(test_receiver_fails),
	    cmocka_unit_test(test_versions),
	    cmocka_unit_test(test_forks),
	    cmocka_unit_test(test_unknown),
	    cmocka_unit_test(test_stop),
	    cmocka_unit_test(test_big_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
