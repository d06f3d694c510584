/* pear/link against the forms the reference accepts and refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "pear/link.h"
#include "support/vec.h"

#define K "yrry6fo7roiurqkye78fkzddpjazo9hgtskjzeijsn557tqc4xpy"
#define H "iqi4zk7miqi4zk7miqi4zk7miqi4zk7miqi4zk7miqi4zk7miqio"

/* Rows of links.json that we answer differently on purpose: the text of our
 * refusal. Everything else must agree with the reference. */
static const struct {
	const char *input, *refusal;
} stricter[] = {
    {"pear://keet", "alias not found: \"keet\""},
    {"pear://runtime/x", "alias not found: \"runtime\""},
    {"pear://pear", "alias not found: \"pear\""},
    {"pear://0.5.keet", "alias not found: \"keet\""},
    {"pear://0.5.keet." H, "alias not found: \"keet\""},
    {"pear://0.1." K ".nothash",
	"Invalid Hypercore key: tree hash \"nothash\""},
    {"pear://.1." K,
	"Incorrect hostname: fork \"\" is not a decimal number from 0 to "
	"2^53-1"},
    {"pear://.." K,
	"Incorrect hostname: fork \"\" is not a decimal number from 0 to "
	"2^53-1"},
    {"pear://-1.1." K,
	"Incorrect hostname: fork \"-1\" is not a decimal number from 0 to "
	"2^53-1"},
    {"pear://0x10.1e3." K,
	"Incorrect hostname: fork \"0x10\" is not a decimal number from 0 "
	"to 2^53-1"},
    {"pear://user@" K, "a pear link has no user and no port: \"user@" K "\""},
    {"pear://" K ":80/x", "a pear link has no user and no port: \"" K ":80\""},
};

static const char *
refusal_of(const char *input)
{
	size_t i;

	for (i = 0; i < sizeof(stricter) / sizeof(stricter[0]); i++)
		if (strcmp(stricter[i].input, input) == 0)
			return stricter[i].refusal;
	return NULL;
}

static enum err_code
parse(struct pear_link *l, const char *text, enum pear_link_accept accept,
    struct err *e)
{
	return pear_link_parse(l, view_str(text), accept, "/cwd/here", e);
}

static void
check_text(struct buf *b, const char *want)
{
	const char *got = buf_cstr(b);

	check(got != NULL);
	if (strcmp(got, want) != 0) {
		(void)fprintf(stderr, "got %s, want %s\n", got, want);
		vec_fail(__FILE__, __LINE__, "text differs");
	}
	buf_reset(b);
}

static void
check_refused(
    const char *input, enum pear_link_accept accept, const char *message)
{
	struct pear_link l;
	struct err e = ERR_INIT;

	check_code(parse(&l, input, accept, &e), ERR_INVALID);
	assert_string_equal(err_tag_of(&e), "ERR_INVALID_LINK");
	/* the reference says no more than "Incorrect hostname" */
	assert_int_equal(strncmp(e.msg, message, strlen(message)), 0);
}

static void
check_version(const json_t *drive, const struct pear_link *l)
{
	const json_t *hash = vec_at(drive, "hash");

	check(json_is_null(vec_at(drive, "length")) == !l->has_version);
	check(json_is_null(hash) == !l->has_hash);
	if (l->has_version) {
		check(vec_num(drive, "length") == l->length);
		check(vec_num(drive, "fork") == l->fork);
	}
	if (l->has_hash)
		check_view_hex(view_b32(&l->hash), json_string_value(hash));
}

static void
check_row(const json_t *row, const char *input)
{
	const char *path = vec_str(row, "pathname");
	bool is_file = strcmp(vec_str(row, "protocol"), "file:") == 0;
	struct pear_link l;
	struct err e = ERR_INIT;
	struct buf b;

	check_ok(parse(&l, input, PEAR_LINK_ANY, &e), &e);
	check(is_file == (l.kind == PEAR_LINK_FILE));
	if (path[0] == '(') { /* a relative path */
		assert_int_equal(strncmp(l.pathname, "/cwd/here/", 10), 0);
		return;
	}
	assert_string_equal(l.pathname, path);
	assert_string_equal(l.search, vec_str(row, "search"));
	assert_string_equal(l.fragment, vec_str(row, "hash"));
	buf_init(&b, 16384);
	pear_link_origin(&b, &l);
	check_text(&b, vec_str(row, "origin"));
	buf_deinit(&b);
	if (is_file)
		return;
	check_view_hex(view_b32(&l.key), vec_str(vec_at(row, "drive"), "key"));
	check_version(vec_at(row, "drive"), &l);
}

static void
vectors(void **state)
{
	json_t *doc = vec_load("links");
	const json_t *rows = vec_at(doc, "parse");
	const json_t *row;
	size_t i;
	size_t strict = 0;

	(void)state;
	json_array_foreach(rows, i, row)
	{
		const char *input = vec_str(row, "input");
		const char *refusal = refusal_of(input);

		if (refusal != NULL) {
			check_refused(input, PEAR_LINK_ANY, refusal);
			strict++;
		} else if (json_is_true(vec_at(row, "ok"))) {
			check_row(row, input);
		} else {
			check_refused(
			    input, PEAR_LINK_ANY, vec_str(row, "message"));
		}
	}
	/* no exception without a row */
	assert_int_equal(strict, sizeof(stricter) / sizeof(stricter[0]));
	json_decref(doc);
}

/* Every link that parses prints a text that parses to the same link. */
static void
round_trip(void **state)
{
	json_t *doc = vec_load("links");
	const json_t *rows = vec_at(doc, "parse");
	const json_t *row;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 16384);
	json_array_foreach(rows, i, row)
	{
		struct pear_link l;
		struct pear_link again;
		struct err e = ERR_INIT;

		if (parse(&l, vec_str(row, "input"), PEAR_LINK_ANY, &e) !=
		    ERR_OK)
			continue;
		buf_reset(&b);
		pear_link_print(&b, &l);
		check_ok(pear_link_parse(
			     &again, buf_view(&b), PEAR_LINK_ANY, "/", &e),
		    &e);
		check(l.kind == again.kind && b32_eq(&l.key, &again.key));
		check(l.has_version == again.has_version &&
		      l.length == again.length && l.fork == again.fork);
		check(b32_eq(&l.hash, &again.hash));
		assert_string_equal(l.pathname, again.pathname);
		assert_string_equal(l.search, again.search);
		assert_string_equal(l.fragment, again.fragment);
	}
	buf_deinit(&b);
	json_decref(doc);
}

static const char *
serialised(const json_t *rows, const char *label)
{
	const json_t *row;
	size_t i;

	json_array_foreach(
	    rows, i, row) if (strcmp(vec_str(row, "label"), label) ==
			      0) return vec_str(row, "out");
	vec_fail(__FILE__, __LINE__, label);
}

static void
serialise(void **state)
{
	json_t *doc = vec_load("links");
	const json_t *rows = vec_at(doc, "serialize");
	struct pear_link l;
	struct b32 key;
	char text[PEAR_LINK_TEXT_MAX];
	struct buf b;

	(void)state;
	buf_init(&b, 16384);
	vec_b32_at(vec_at(doc, "key"), "hex", &key);
	pear_link_init(&l, &key);
	pear_link_print(&b, &l);
	check_text(&b, serialised(rows, "key buffer"));
	assert_string_equal(
	    pear_link_key(text, &key), serialised(rows, "drive.key"));
	strcpy(l.pathname, "/a");
	strcpy(l.search, "?b");
	strcpy(l.fragment, "#c");
	pear_link_print(&b, &l);
	check_text(&b, serialised(rows, "path, search, hash"));
	l.kind = PEAR_LINK_FILE;
	pear_link_print(&b, &l);
	check_text(&b, serialised(rows, "file"));
	pear_link_init(&l, &key);
	l.has_version = true;
	l.length = 7;
	pear_link_print(&b, &l);
	check_text(&b, serialised(rows, "fork 0 length 7"));
	assert_string_equal(pear_link_verlink(text, 0, 7, &key),
	    serialised(rows, "fork 0 length 7"));
	l.has_hash = true;
	vec_b32_at(vec_at(doc, "key"), "hashHex", &l.hash);
	pear_link_print(&b, &l);
	check_text(&b, serialised(rows, "fork 0 length 7 and hash"));
	assert_string_equal(pear_link_hashlink(text, 0, 7, &key, &l.hash),
	    serialised(rows, "fork 0 length 7 and hash"));
	buf_deinit(&b);
	json_decref(doc);
}

static void
normalise(void **state)
{
	json_t *doc = vec_load("links");
	const json_t *rows = vec_at(doc, "normalize");
	const json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(rows, i, row)
	    check_same(pear_link_normalise(view_str(vec_str(row, "in"))),
		view_str(vec_str(row, "out")));
	json_decref(doc);
}

/* What a text without scheme means under each rule. */
static void
bare_texts(void **state)
{
	static const char hex[] =
	    "01080F161D242B323940474E555C636A71787F868D949BA2A9B0B7BEC5CCD3DA";
	struct pear_link l;
	struct err e = ERR_INIT;

	(void)state;
	check_ok(parse(&l, K, PEAR_LINK_DRIVES, &e), &e);
	check(l.kind == PEAR_LINK_DRIVE && !l.has_version);
	check_ok(parse(&l, hex, PEAR_LINK_KEY_FIRST, &e), &e);
	check(l.kind == PEAR_LINK_DRIVE);
	assert_string_equal(l.key_text, K);
	check_ok(parse(&l, K, PEAR_LINK_ANY, &e), &e);
	assert_string_equal(l.pathname, "/cwd/here/" K);
	check_ok(parse(&l, "./app", PEAR_LINK_KEY_FIRST, &e), &e);
	assert_string_equal(l.pathname, "/cwd/here/app");
	check_code(parse(&l, "./app", PEAR_LINK_DRIVES, &e), ERR_INVALID);
	assert_string_equal(e.msg, "A valid pear link must be specified.");
	assert_string_equal(err_tag_of(&e), "ERR_INVALID_INPUT");
	check_code(parse(&l, "file:///a", PEAR_LINK_DRIVES, &e), ERR_INVALID);
}

static void
paths(void **state)
{
	static const struct {
		const char *input, *pathname, *decoded;
	} rows[] = {
	    {"pear://" K "/a/./b/..", "/a/", "/a/"},
	    {"pear://" K "/a/%2e%2E/b/.", "/b/", "/b/"},
	    {"pear://" K "/a//b/../c", "/a//c", "/a//c"},
	    {"pear://" K "/../../x", "/x", "/x"},
	    {"pear://" K "/%C3%A6%20", "/%C3%A6%20", "/\xc3\xa6 "},
	    {"pear://" K "?", "", ""},
	    {"file:///a/../..//x", "//x", "//x"},
	    {"file://localhost/a", "/a", "/a"},
	    {"file:/a", "/a", "/a"},
	    {"file:a", "/cwd/here/a", "/cwd/here/a"},
	    /* paths are literal: nothing in them is an escape or mark */
	    {"a%41?b#c", "/cwd/here/a%2541%3Fb%23c", "/cwd/here/a%41?b#c"},
	    {"/x/%2e%2e/y", "/x/%252e%252e/y", "/x/%2e%2e/y"},
	    {"../z", "/cwd/z", "/cwd/z"},
	};
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 16384);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pear_link l;
		struct err e = ERR_INIT;

		check_ok(parse(&l, rows[i].input, PEAR_LINK_ANY, &e), &e);
		assert_string_equal(l.pathname, rows[i].pathname);
		check_ok(pear_link_path(&b, &l, &e), &e);
		check_text(&b, rows[i].decoded);
	}
	buf_deinit(&b);
}

static void
refused(void **state)
{
	static const struct {
		const char *input, *message;
	} rows[] = {
	    {"pear://0.9007199254740992." K, "Incorrect hostname: length"},
	    {"pear://99999999999999999999999.1." K, "Incorrect hostname: fork"},
	    {"pear://0.1." K "." H ".x", "Incorrect hostname"},
	    {"pear://" K "\n/x", "link holds a control character"},
	    {"pear://\xff", "link is not valid UTF-8"},
	    {"mailto:me", "Protocol is not supported"},
	    {"pear://" K "y",
		"alias not found: \"" K "y\", which is no key: it has 53 "
		"characters, not 52 (or 64 in hex)"},
	    {"pear://yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
		"alias not found: "
		"\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\", "
		"which is no key: it has 51 "
		"characters, not 52 (or 64 in hex)"},
	    {"pear://0yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
		"alias not found: "
		"\"0yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\", "
		"which is no key: a character of it "
		"is wrong"},
	};
	char longer[PEAR_LINK_MAX + 2];
	struct pear_link l;
	struct err e = ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_refused(rows[i].input, PEAR_LINK_ANY, rows[i].message);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	check_refused(longer, PEAR_LINK_ANY, "link is longer than");
	longer[PEAR_LINK_PATH_MAX + 1] = '\0';
	check_refused(longer, PEAR_LINK_ANY, "path, search or fragment");
	check_code(
	    pear_link_parse(&l, view_of("a\0b", 3), PEAR_LINK_ANY, "/", &e),
	    ERR_INVALID);
}

static void
bad_escapes(void **state)
{
	static const char *const rows[] = {"/a%", "/a%4", "/a%4g", "/a%00"};
	struct pear_link l;
	struct err e = ERR_INIT;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 100);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&l, 0, sizeof(l));
		strcpy(l.pathname, rows[i]);
		check_code(pear_link_path(&b, &l, &e), ERR_INVALID);
		assert_string_equal(err_tag_of(&e), "ERR_INVALID_LINK");
	}
	buf_deinit(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors),
	    cmocka_unit_test(round_trip),
	    cmocka_unit_test(serialise),
	    cmocka_unit_test(normalise),
	    cmocka_unit_test(bare_texts),
	    cmocka_unit_test(paths),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(bad_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
