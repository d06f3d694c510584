#include "tests/unit/blobs/blobfix.h"

#include "hyperdrive/entry.h"

static void
test_vectors(void **state)
{
	json_t *doc = vec_load("drive"), *p;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 4096);
	json_array_foreach(vec_at(doc, "paths"), i, p)
	{
		const json_t *in = vec_at(p, "in");
		struct view v =
		    view_of(json_string_value(in), json_string_length(in));
		struct err e = ERR_INIT;

		buf_reset(&b);
		entry_key(&b, VIEW_EMPTY);
		if (json_object_get(p, "error") == NULL) {
			check_ok(entry_path(&b, v, &e), &e);
			check_view_hex(buf_view(&b), vec_str(p, "beeKey"));
		} else {
			check_code(entry_path(&b, v, &e), ERR_INVALID);
			check(strcmp(e.msg, vec_str(p, "error")) == 0);
		}
	}
	buf_deinit(&b);
	json_decref(doc);
}

/* Beyond the vectors; checked with unix-path-resolve@1.0.2. */
static void
test_more(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"C:", "/C:"},
	    {"C:/", NULL},
	    {"\xc3\xa9:/x", "/x"},
	    {"\xf0\x9f\x98\x80:/a/b/c", "/c"},
	    {":/a/b/c", "/c"},
	    {"ab:/c/d/e", "/e"},
	    {"file:/x", "/x"},
	    {"a/C:/b", "/a/C:/b"},
	    {"C:/../x", NULL},
	    {"a/b/../../c", "/c"},
	    {"...", "/..."},
	    {"a/\xff", NULL},
	};
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		enum err_code rc;

		buf_reset(&b);
		rc = entry_path(&b, view_str(cases[i].in), &e);
		check(rc == (cases[i].out == NULL ? ERR_INVALID : ERR_OK));
		if (cases[i].out != NULL)
			check_same(buf_view(&b), view_str(cases[i].out));
	}
	buf_deinit(&b);
}

static void
test_bounded(void **state)
{
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	check_code(entry_path(&b, view_str("/abcdef"), &e), ERR_LIMIT);
	buf_deinit(&b);
}

static void
test_safe(void **state)
{
	static const struct {
		const char *path;
		size_t len;
		const char *why; /* NULL: safe */
	} cases[] = {
#define P(s) s, sizeof(s) - 1
	    {P("/a"), NULL},
	    {P("/a/b c/\xe2\x98\x83"), NULL},
	    {P("/a/..b/c..d/..."), NULL},
	    {P("/a/C:"), NULL},
	    {P(""), "slash"},
	    {P("a"), "slash"},
	    {P("/"), "empty"},
	    {P("//a"), "empty"},
	    {P("/a/"), "empty"},
	    {P("/a//b"), "empty"},
	    {P("/.."), "elsewhere"},
	    {P("/a/../b"), "elsewhere"},
	    {P("/a/."), "elsewhere"},
	    {P("/a\\b"), "backslash"},
	    {P("/a\0b"), "NUL"},
	    {P("/C:/x"), "drive letter"},
	    {P("/c:x"), "drive letter"},
	    {P("/a\xc3"), "UTF-8"},
#undef P
	};
	uint8_t *big = malloc(ENTRY_PATH_MAX + 1);
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct view v = view_of(cases[i].path, cases[i].len);

		if (cases[i].why == NULL) {
			check_ok(entry_path_safe(v, &e), &e);
			continue;
		}
		check_code(entry_path_safe(v, &e), ERR_INVALID);
		check(strstr(e.msg, cases[i].why) != NULL);
	}
	check(big != NULL);
	memset(big, 'a', ENTRY_PATH_MAX + 1);
	big[0] = '/';
	check_ok(entry_path_safe(view_of(big, ENTRY_PATH_MAX), &e), &e);
	check_code(
	    entry_path_safe(view_of(big, ENTRY_PATH_MAX + 1), &e), ERR_INVALID);
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_more),
	    cmocka_unit_test(test_bounded),
	    cmocka_unit_test(test_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
