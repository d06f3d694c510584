#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "review/render_impl.h"
#include "support/vec.h"

static char *
s(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* -- foreign texts ---------------------------------------------------------- */

static void
test_plain(void **state)
{
	static const struct {
		const char *in, *out;
		enum render_tabs tabs;
	} t[] = {
	    {"", "", RENDER_SHOW_TABS},
	    {"/by-arch/a b.js", "/by-arch/a b.js", RENDER_SHOW_TABS},
	    {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8d\x90",
		"gr\xc3\xbc\xc3\x9f \xf0\x9f\x8d\x90", RENDER_SHOW_TABS},
	    {"a\\b", "a\\b", RENDER_SHOW_TABS},
	    {"a\tb", "a‹U+0009›b", RENDER_SHOW_TABS},
	    {"a\tb", "a\tb", RENDER_KEEP_TABS},
	    {"a\nb\r", "a‹U+000A›b‹U+000D›", RENDER_KEEP_TABS},
	    {"\x1b[31mred", "‹U+001B›[31mred", RENDER_KEEP_TABS},
	    {"x\xe2\x80\xae"
	     "fdp.exe",
		"x‹U+202E›fdp.exe", RENDER_SHOW_TABS},
	    {"\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf", "‹U+2066›‹U+200B›‹U+FEFF›",
		RENDER_SHOW_TABS},
	    {"\xc2\xad\xe3\x85\xa4\xe2\xa0\x80", "‹U+00AD›‹U+3164›‹U+2800›",
		RENDER_SHOW_TABS},
	    {"\xf3\xa0\x81\x81", "‹U+E0041›", RENDER_SHOW_TABS},
	    {"\x80", "‹0x80›", RENDER_SHOW_TABS},
	    {"\xc0\xaf\xed\xa0\x80", "‹0xc0›‹0xaf›‹0xed›‹0xa0›‹0x80›",
		RENDER_SHOW_TABS},
	    {"\xf0\x9f\x8d", "‹0xf0›‹0x9f›‹0x8d›", RENDER_SHOW_TABS},
	    /* what looks like a note is none */
	    {"‹U+202E›", "‹U+2039›U+202E›", RENDER_SHOW_TABS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b;

		buf_init(&b, 4096);
		render_plain(&b, view_str(t[i].in), t[i].tabs);
		check_same(buf_view(&b), view_str(t[i].out));
		buf_deinit(&b);
	}
}

/* Two different texts never look the same. */
static void
test_injective(void **state)
{
	static const char *const text[] = {"a", "a\xe2\x80\x8b", "a‹U+200B›",
	    "a‹U+2039›U+200B›", "\xff", "‹0xff›", "\xc3\xbf", "a\\xff", "a\t",
	    "a "};
	const size_t n = sizeof(text) / sizeof(text[0]);
	struct buf b[2];

	(void)state;
	buf_init(&b[0], 256);
	buf_init(&b[1], 256);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			buf_reset(&b[0]);
			buf_reset(&b[1]);
			render_plain(
			    &b[0], view_str(text[i]), RENDER_SHOW_TABS);
			render_plain(
			    &b[1], view_str(text[j]), RENDER_SHOW_TABS);
			check(!view_eq(buf_view(&b[0]), buf_view(&b[1])));
		}
	buf_deinit(&b[0]);
	buf_deinit(&b[1]);
}

static void
test_sizes(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} t[] = {{0, "0 B"}, {1, "1 B"}, {999, "999 B"}, {1000, "1 kB"},
	    {1049, "1 kB"}, {1050, "1.1 kB"}, {99949, "99.9 kB"},
	    {100900, "100.9 kB"}, {999949, "999.9 kB"}, {999950, "1 MB"},
	    {1000000, "1 MB"}, {85012345, "85 MB"}, {1500000000, "1.5 GB"},
	    {UINT64_MAX, "18.4 EB"}};
	static const struct {
		uint64_t old, new;
		const char *text;
	} d[] = {{5, 5, "±0"}, {0, 1500, "+1.5 kB"}, {1500, 0, "−1.5 kB"},
	    {0, UINT64_MAX, "+18.4 EB"}, {UINT64_MAX, 0, "−18.4 EB"}};
	char out[RENDER_SIZE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_string_equal(render_size(out, t[i].n), t[i].text);
	for (size_t i = 0; i < sizeof(d) / sizeof(d[0]); i++)
		assert_string_equal(
		    render_delta(out, d[i].old, d[i].new), d[i].text);
}

static void
test_bars(void **state)
{
	struct review_arch a[] = {{s("a"), 0, 1000}, {s("b"), 500, 1}};
	const struct review r = {.arch = a, .narch = 2};
	const struct review empty = {.narch = 0};

	(void)state;
	assert_int_equal(render_bar(&r, 1000, 20), 20);
	assert_int_equal(render_bar(&r, 500, 20), 10);
	assert_int_equal(render_bar(&r, 1, 20), 1);
	assert_int_equal(render_bar(&r, 0, 20), 0);
	assert_int_equal(render_bar(&r, 2000, 20), 20);
	assert_int_equal(render_bar(&empty, 0, 20), 0);
}

/* -- line diffs ------------------------------------------------------------- */

static void
test_lines(void **state)
{
	static const struct {
		enum render_line_kind kind;
		uint64_t number;
		const char *text;
	} want[] = {
	    {RENDER_LINE_HUNK, 0, "@@ -3,3 +12,4 @@ f()"},
	    {RENDER_LINE_SAME, 12, " a"},
	    {RENDER_LINE_REMOVED, 4, "-b"},
	    {RENDER_LINE_ADDED, 13, "+c"},
	    {RENDER_LINE_ADDED, 14, "+"},
	    {RENDER_LINE_NOTE, 0, "\\ No newline at end of file"},
	    {RENDER_LINE_SAME, 15, ""},
	    {RENDER_LINE_HUNK, 0, "@@ x"},
	    {RENDER_LINE_ADDED, 0, "+last"},
	};
	struct render_lines l =
	    render_lines_of("@@ -3,3 +12,4 @@ f()\n a\n-b\n+c\n+\n"
			    "\\ No newline at end of file\n\n@@ x\n+last");
	struct render_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		check(render_line_next(&l, &line));
		assert_int_equal(line.kind, want[i].kind);
		assert_int_equal(line.number, want[i].number);
		check_same(line.text, view_str(want[i].text));
	}
	check(!render_line_next(&l, &line));
	l = render_lines_of("");
	check(!render_line_next(&l, &line));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain),
	    cmocka_unit_test(test_injective),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_bars),
	    cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
