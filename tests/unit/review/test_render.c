#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "crypto/hash.h"
#include "review/render_impl.h"
#include "support/vec.h"

#define MEBI (1u << 20)

/* Reviews are plain data: built here by hand, with texts that are no malloc
 * and stay where they are. */
static char *
s(const char *text)
{
	return (char *)(uintptr_t)text;
}

static const char *
render(const struct review *r, char how)
{
	static struct buf b;
	struct err e = ERR_INIT;

	buf_deinit(&b);
	buf_init(&b, MEBI);
	if (how == 'h')
		check_ok(render_html(&b, r, &e), &e);
	else if (how == 'm')
		check_ok(render_markdown(&b, r, &e), &e);
	else
		check_ok(render_text(&b, r,
			     how == 'c' ? RENDER_ANSI : RENDER_PLAIN, &e),
		    &e);
	return buf_cstr(&b);
}

static void
has(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		return;
	fprintf(stderr, "%s\nlacks: %s\n", text, part);
	check(false);
}

static void
lacks(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		return;
	fprintf(stderr, "%s\nholds: %s\n", text, part);
	check(false);
}

/* `a` stands before `b`, both once at least. */
static void
in_order(const char *text, const char *a, const char *b)
{
	const char *p = strstr(text, a), *q = strstr(text, b);

	if (p == NULL || q == NULL || p > q)
		fprintf(stderr, "%s\nnot in order: %s, %s\n", text, a, b);
	check(p != NULL && q != NULL && p < q);
}

/* -- whole reviews ---------------------------------------------------------- */

#define EVIL "<script>alert(1)</script>"

/* One of each kind, in an order in which nobody would read them. */
static struct review_file files[] = {
    {.op = REVIEW_CHANGE,
	.path = NULL /* set by fixture() */,
	.old_size = 2000,
	.new_size = 3500,
	.lines = NULL,
	.no_lines = "binary"},
    {.op = REVIEW_REMOVE, .old_size = 70},
    {.op = REVIEW_CHANGE, .old_size = 10, .new_size = 10},
    {.op = REVIEW_ADD, .new_size = 5, .outside = true},
    {.op = REVIEW_CHANGE,
	.old_size = 9,
	.new_size = 9,
	.metadata_only = true,
	.new_exec = true,
	.program = true},
    {.op = REVIEW_CHANGE},
};
enum { CORE, GONE, PACKAGE, STRAY, TOOL, LINK, NFILES };

static struct review_finding findings[] = {
    {REVIEW_GOOD, NULL}, {REVIEW_WARN, NULL}, {REVIEW_BAD, NULL}};
static struct review_fact facts[] = {{NULL, NULL}, {NULL, NULL}};
static struct review_arch archs[] = {
    {NULL, 10, 10}, {NULL, 2000, 3500}, {NULL, 70, 0}};

static struct review
fixture(void)
{
	files[CORE].path = s("/by-arch/linux-x64/core.bin");
	files[GONE].path = s("/by-arch/darwin-arm64/gone");
	files[PACKAGE].path = s("/package.json");
	files[PACKAGE].lines = s("@@ -1 +1 @@\n-a `b` ```\n+<i>\n");
	files[PACKAGE].lines_added = files[PACKAGE].lines_removed = 1;
	files[STRAY].path = s("/" EVIL "\xe2\x80\xae");
	files[TOOL].path = s("/by-arch/linux-x64/tool");
	files[LINK].path = s("/by-arch/linux-x64/ln");
	files[LINK].old_link = s("one");
	files[LINK].new_link = s("../<two>");
	findings[0].text = s("good one");
	findings[1].text = s("warn one @team #12 [x](y)");
	findings[2].text = s("bad one " EVIL);
	facts[0] = (struct review_fact){s("Key"), s("k`e`y")};
	facts[1] = (struct review_fact){s("Longer name"), s("")};
	archs[0].name = s("");
	archs[1].name = s("linux-x64");
	archs[2].name = s("a|<b>");
	return (struct review){.title = s("Title " EVIL),
	    .fact = facts,
	    .nfacts = 2,
	    .finding = findings,
	    .nfindings = 3,
	    .file = files,
	    .nfiles = NFILES,
	    .add = 1,
	    .change = 4,
	    .remove = 1,
	    .old_bytes = 2089,
	    .new_bytes = 3524,
	    .arch = archs,
	    .narch = 3};
}

static void
test_order(void **state)
{
	const struct review r = fixture();
	const char *how = "hmt";

	(void)state;
	for (; *how != '\0'; how++) {
		const char *out = render(&r, *how);

		in_order(out, "bad one", "warn one");
		in_order(out, "warn one", "good one");
		in_order(out, "good one", "Longer name");
		in_order(out, "Outside /package", "by-arch/");
		has(out, "6 files: 1 added, 4 changed, 1 removed; "
			 "2.1 kB → 3.5 kB (+1.4 kB)");
		has(out, "1 finding against this release, 1 to look at");
		has(out, "2 kB → 3.5 kB (+1.5 kB)");
		has(out, "10 B, other content");
		has(out, "same content, 9 B");
		has(out, "now executable");
		has(out, "link, other target");
		has(out, "binary");
	}
}

static void
test_groups(void **state)
{
	static const struct {
		const char *title;
		size_t n, first;
	} want[] = {{"Outside /package.json and /by-arch", 1, STRAY},
	    {"The package file", 1, PACKAGE}, {"Programs", 1, TOOL},
	    {"darwin-arm64", 1, GONE}, {"linux-x64", 2, CORE}};
	const struct review r = fixture();
	struct render_item *item;
	struct err e = ERR_INIT;
	size_t at = 0;

	(void)state;
	check_ok(render_sort(&item, &r, &e), &e);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct render_group g =
		    render_group_at(item + at, r.nfiles - at);

		check_same(render_group_title(&g), view_str(want[i].title));
		assert_int_equal(g.n, want[i].n);
		check(g.item[0].file == &r.file[want[i].first]);
		at += g.n;
	}
	assert_int_equal(at, r.nfiles);
	free(item);
}

static void
test_html(void **state)
{
	const struct review r = fixture();
	const char *out = render(&r, 'h');

	(void)state;
	check(strncmp(out, "<!doctype html>\n<html lang=\"en\">", 31) == 0);
	has(out, "content=\"default-src 'none'; style-src 'unsafe-inline'; ");
	has(out, "<title>Title &lt;script&gt;alert(1)&lt;/script&gt;</title>");
	lacks(out, "<script");
	lacks(out, "<two>");
	lacks(out, "<i>");
	lacks(out, "\xe2\x80\xae");
	has(out, "<b class=\"x\">‹U+202E›</b>");
	has(out, "<div class=\"d\" data-n=\"1\">-a `b` ```</div>");
	has(out, "<div class=\"a\" data-n=\"1\">+&lt;i&gt;</div>");
	has(out, "<td><span class=\"n\">3.5 kB</span><small>3,500</small>");
	has(out, "shared files");
	has(out, "a|&lt;b&gt;");
	has(out, "link to <code>../&lt;two&gt;</code>");
	/* nothing is fetched, nothing runs, nothing leads away */
	lacks(out, "src=");
	lacks(out, "http:");
	lacks(out, "https:");
	lacks(out, "url(");
	lacks(out, "@import");
	lacks(out, "href=\"h");
	/* sizes that are there are seen, what is not has no bar */
	has(out, "width=\"99.0%\"");
	lacks(out, "width=\"0.0%\"");
}

/* Tags of elements that need an end are as many as their ends. */
static void
test_html_balanced(void **state)
{
	static const char *const tag[] = {"html", "head", "body", "header",
	    "main", "footer", "section", "nav", "ul", "dl", "div", "details",
	    "summary", "span", "code", "b", "p", "h1", "h2", "h3", "svg",
	    "figure", "text", "table", "thead", "tbody", "tfoot", "tr", "th",
	    "td", "small", "style", "title", "a", "caption"};
	const struct review r = fixture();
	const char *out = render(&r, 'h');

	(void)state;
	for (size_t i = 0; i < sizeof(tag) / sizeof(tag[0]); i++) {
		size_t opened = 0, closed = 0, n = strlen(tag[i]);

		for (const char *p = out; (p = strchr(p, '<')) != NULL; p++) {
			opened += strncmp(p + 1, tag[i], n) == 0 &&
				  (p[n + 1] == '>' || p[n + 1] == ' ');
			closed += p[1] == '/' &&
				  strncmp(p + 2, tag[i], n) == 0 &&
				  p[n + 2] == '>';
		}
		if (opened != closed || opened == 0)
			fprintf(
			    stderr, "%s: %zu, %zu\n", tag[i], opened, closed);
		check(opened == closed && opened > 0);
	}
}

static void
test_wide_numbers(void **state)
{
	struct review_file f[] = {
	    {.path = s("/package.json"), .lines = s("@@ -9999 +1 @@\n-a\n")},
	    {.path = s("/package.json"), .lines = s("@@ -10000 +1 @@\n-a\n")}};
	struct review_file none = {.path = s("/package.json"), .lines = s("")};
	const struct review empty = {.file = &none, .nfiles = 1};
	const struct review narrow = {.file = f, .nfiles = 1};
	const struct review wide = {.file = f + 1, .nfiles = 1};

	(void)state;
	has(render(&narrow, 'h'), "<div class=\"diff\">");
	has(render(&wide, 'h'), "<div class=\"diff wide\">");
	lacks(render(&empty, 'h'), "<details");
	lacks(render(&empty, 'm'), "```");
}

static void
test_long_names(void **state)
{
	struct review_arch a[] = {
	    {s("a-name-that-is-far-too-long-for-it"), 1, 1},
	    {s("\xe2\x80\xae\xe2\x80\xae\xe2\x80\xae\xe2\x80\xae"), 1, 1},
	    {s("exactly-twenty-two-wid"), 1, 1}};
	const struct review r = {.arch = a, .narch = 3};
	const char *out = render(&r, 'h');

	(void)state;
	has(out, ">a-name-that-is-far-too…</text>");
	has(out, ">a-name-that-is-far-too-long-for-it</th>");
	has(out, ">‹U+202E›‹U+202E›…</text>");
	has(out, ">exactly-twenty-two-wid</text>");
}

/* The picture has an end; the table does not. */
static void
test_many_archs(void **state)
{
	static struct review_arch a[50];
	static char name[50][8];
	struct review r = {.arch = a, .narch = 40};

	(void)state;
	for (size_t i = 0; i < 50; i++) {
		check(snprintf(name[i], sizeof(name[i]), "a%02zu", i) > 0);
		a[i] = (struct review_arch){name[i], i, i};
	}
	lacks(render(&r, 'h'), "<figcaption");
	r.narch = 50;
	has(render(&r, 'h'), "The first 40 of 50; the table has all.");
	has(render(&r, 'h'), ">a39</text>");
	lacks(render(&r, 'h'), ">a40</text>");
	has(render(&r, 'h'), ">a49</th>");
	has(render(&r, 'm'), "| a49 |");
	has(render(&r, 't'), "\n  a49 ");
}

static void
test_markdown(void **state)
{
	const struct review r = fixture();
	const char *out = render(&r, 'm');

	(void)state;
	has(out, "# Title &lt;script&gt;alert(1)&lt;/script&gt;\n");
	has(out, "- ✖ **Bad:** bad one &lt;script&gt;");
	has(out, "warn one `@`team `#`12 \\[x\\](y)");
	has(out, "- Key: ``k`e`y``\n");
	has(out, "- Longer name: (empty)\n");
	has(out, "| a\\|&lt;b&gt; | 70 B | 0 B | −70 B |  |\n");
	has(out, "| shared files | 10 B | 10 B | ±0 | █ |\n");
	has(out, "| linux-x64 | 2 kB | 3.5 kB | +1.5 kB | "
		 "████████████████ |\n");
	has(out, "- **added** `/" EVIL "‹U+202E›`: 5 B, **outside**\n");
	/* three backquotes inside: the fence has four */
	has(out, "\n  ````diff\n  @@ -1 +1 @@\n  -a `b` ```\n  +<i>\n"
		 "  ````\n\n### Programs\n");
	has(out, ", old link to `one`, link to `../<two>`\n");
	lacks(out, "\n\n\n");
}

static void
test_markdown_code(void **state)
{
	static const struct {
		const char *value, *shown;
	} t[] = {{"a", "`a`"}, {"`", "`` ` ``"}, {"a`", "`` a` ``"},
	    {"``a", "``` ``a ```"}, {" a", "`  a `"}, {"|", "`|`"},
	    {"a\nb", "`a‹U+000A›b`"}};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct review_fact f = {s("n"), s(t[i].value)};
		const struct review r = {.fact = &f, .nfacts = 1};
		char line[64];

		check(
		    snprintf(line, sizeof(line), "- n: %s\n", t[i].shown) > 0);
		has(render(&r, 'm'), line);
	}
}

static void
test_text(void **state)
{
	const struct review r = fixture();
	const char *out = render(&r, 't');

	(void)state;
	has(out, "Title " EVIL "\n✖ 1 finding against this release, "
		 "1 to look at\n");
	has(out, "\nFindings\n  ✖ Bad  bad one " EVIL "\n  ▲ Look  warn");
	has(out, "\n  Key          k`e`y\n");
	has(out, "\n  shared files       10 B →      10 B  ±0        █\n");
	has(out, "\n  a|<b>              70 B →       0 B  −70 B\n");
	has(out, "\nOutside /package.json and /by-arch\n"
		 "  + /" EVIL "‹U+202E›  5 B  [outside]\n");
	has(out, "  ~ /package.json  10 B, other content\n"
		 "    @@ -1 +1 @@\n    -a `b` ```\n    +<i>\n");
	has(out, "    old link to one\n    link to ../<two>\n");
	has(out, "(+1.5 kB)\n    (binary)\n");
	lacks(out, "\x1b");
	lacks(out, "\xe2\x80\xae");
}

static void
test_text_colored(void **state)
{
	const struct review r = fixture();
	const char *out = render(&r, 'c');

	(void)state;
	has(out, "\x1b[1mTitle " EVIL "\x1b[0m\n");
	has(out, "    \x1b[31m-a `b` ```\x1b[0m\n    \x1b[32m+<i>\x1b[0m\n");
	has(out, "\x1b[32m+ /");
}

static void
test_text_lines(void **state)
{
	struct review_file f = {.path = s("/a")};
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	render_text_lines(&b, &f, RENDER_PLAIN);
	assert_int_equal(b.len, 0);
	f.no_lines = "too large";
	render_text_lines(&b, &f, RENDER_PLAIN);
	check_same(buf_view(&b), view_str("    (too large)\n"));
	buf_reset(&b);
	f.lines = s("@@ -1 +1 @@\n-\tx\x1b\n+\ty\n\\ No newline\n");
	render_text_lines(&b, &f, RENDER_PLAIN);
	check_same(buf_view(&b),
	    view_str("    @@ -1 +1 @@\n    -\tx‹U+001B›\n    +\ty\n"
		     "    \\ No newline\n"));
	buf_deinit(&b);
}

/* Nothing at all is a review too. */
static void
test_empty(void **state)
{
	const struct review r = {.nfiles = 0};

	(void)state;
	has(render(&r, 'h'), "<h1>Review</h1>");
	has(render(&r, 'h'), "<p>No file differs.</p>");
	lacks(render(&r, 'h'), "<svg");
	lacks(render(&r, 'h'), "class=\"verdict");
	has(render(&r, 'm'), "# Review\n\n## Files\n\nNo file differs.\n\n---");
	assert_string_equal(render(&r, 't'), "\nNo file differs.\n");
}

static void
test_verdicts(void **state)
{
	struct review_finding f[] = {{REVIEW_GOOD, s("a")},
	    {REVIEW_WARN, s("b")}, {REVIEW_WARN, s("c")}, {REVIEW_BAD, s("d")},
	    {REVIEW_BAD, s("e")}};
	static const char *const want[] = {"✔ Nothing found against it\n",
	    "▲ Nothing against it, 1 finding to look at\n",
	    "▲ Nothing against it, 2 findings to look at\n",
	    "✖ 1 finding against this release, 2 to look at\n",
	    "✖ 2 findings against this release, 2 to look at\n"};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		const struct review r = {.finding = f, .nfindings = i + 1};

		check(strncmp(render(&r, 't'), want[i], strlen(want[i])) == 0);
	}
}

/* What does not fit is an error, not half a report. */
static void
test_limit(void **state)
{
	const struct review r = fixture();
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	buf_init(&b, 5000);
	check_code(render_html(&b, &r, &e), ERR_LIMIT);
	buf_deinit(&b);
	buf_init(&b, 300);
	check_code(render_markdown(&b, &r, &e), ERR_LIMIT);
	buf_reset(&b);
	check_code(render_text(&b, &r, RENDER_PLAIN, &e), ERR_LIMIT);
	buf_deinit(&b);
}

/* -- files ------------------------------------------------------------------ */

static void
test_file_name(void **state)
{
	static const struct {
		const char *name;
		enum err_code rc;
	} t[] = {{"a.html", ERR_OK}, {"b/c.md", ERR_OK}, {"a.htm", ERR_USAGE},
	    {".html", ERR_USAGE}, {"html", ERR_USAGE}, {"", ERR_USAGE},
	    {"a.HTML", ERR_USAGE}, {"a.html/", ERR_USAGE},
	    {"a.txt", ERR_USAGE}};
	const struct review r = fixture();
	struct err e = ERR_INIT;
	struct b32 sum;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		check_code(render_check_name(t[i].name, &e), t[i].rc);
		if (t[i].rc == ERR_OK)
			continue;
		check_code(render_file(&r, t[i].name, &sum, &e), ERR_USAGE);
		has(e.msg, "must end in .html or .md");
	}
}

/* Twice the same bytes, and the hash is theirs. */
static void
test_file(void **state)
{
	static const char *const name[] = {"a.html", "b.html", "a.md", "b.md"};
	const struct review r = fixture();
	struct b32 sum[4], again;
	struct err e = ERR_INIT;
	char path[4096];
	struct buf b;

	(void)state;
	buf_init(&b, MEBI);
	for (size_t i = 0; i < 4; i++) {
		check(snprintf(path, sizeof(path), "%s/%s", vec_tmpdir(),
			  name[i]) > 0);
		check_ok(render_file(&r, path, &sum[i], &e), &e);
		buf_reset(&b);
		check_ok(file_read(AT_FDCWD, path, MEBI, &b, &e), &e);
		hash_data(&again, buf_view(&b));
		check(b32_eq(&again, &sum[i]));
	}
	check(b32_eq(&sum[0], &sum[1]) && b32_eq(&sum[2], &sum[3]));
	check(!b32_eq(&sum[0], &sum[2]));
	buf_deinit(&b);
}

static void
test_file_refused(void **state)
{
	const struct review r = fixture();
	struct err e = ERR_INIT;
	char path[4096];
	struct b32 sum;

	(void)state;
	check(snprintf(path, sizeof(path), "%s/none/a.html", vec_tmpdir()) > 0);
	check_code(render_file(&r, path, &sum, &e), ERR_NOT_FOUND);
	has(e.msg, "write the report: ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_groups),
	    cmocka_unit_test(test_html),
	    cmocka_unit_test(test_html_balanced),
	    cmocka_unit_test(test_wide_numbers),
	    cmocka_unit_test(test_long_names),
	    cmocka_unit_test(test_many_archs),
	    cmocka_unit_test(test_markdown),
	    cmocka_unit_test(test_markdown_code),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_text_colored),
	    cmocka_unit_test(test_text_lines),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_verdicts),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_file_name),
	    cmocka_unit_test(test_file),
	    cmocka_unit_test(test_file_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
