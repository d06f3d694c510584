/* Ignore and only rules on real trees: the worked tables of the command
 * contract row by row, each held against the scan as well, and the cases of
 * the reference's own tests. */
#include "support/treefix.h"

#include "drive/ignore.h"
#include "drive/scan.h"

#define MAX_LIST 64

struct list {
	char *copy;
	const char *item[MAX_LIST];
	size_t n;
};

/* Items of a text, one a line: patterns may hold blanks and commas. */
static void
split(struct list *l, const char *text)
{
	char *p = l->copy = strdup(text);

	check(p != NULL);
	l->n = 0;
	while (*text != '\0' && p != NULL) {
		check(l->n < MAX_LIST);
		l->item[l->n++] = p;
		if ((p = strchr(p, '\n')) != NULL)
			*p++ = '\0';
	}
}

static struct ignore_texts
texts(const struct list *l)
{
	return (struct ignore_texts){l->item, l->n};
}

/* The rules of one run; every text is one item a line. */
struct rules {
	const char *ignore, *package_ignore, *includes;
	const char *only, *package_only;
};

static struct ignore *
make(const char *dir, const struct rules *r)
{
	const char *const text[5] = {r->ignore, r->package_ignore, r->includes,
	    r->only, r->package_only};
	struct err e = ERR_INIT;
	struct ignore *ig = NULL;
	struct list l[5];

	for (size_t i = 0; i < 5; i++)
		split(&l[i], text[i] == NULL ? "" : text[i]);
	const struct ignore_opts o = {.dir = dir,
	    .ignore = {texts(&l[0]), texts(&l[1])},
	    .includes = texts(&l[2]),
	    .only = {texts(&l[3]), texts(&l[4])}};
	check_ok(ignore_new(&ig, &o, &e), &e);
	for (size_t i = 0; i < 5; i++)
		free(l[i].copy);
	return ig;
}

enum ask { TAKEN, DROPPED };

/* Paths of the whole tree that the rules take or leave out, one a line. */
static void
apply(struct buf *out, const char *dir, const struct ignore *ig, enum ask ask)
{
	const struct scan_opts all = {.dir = dir};
	struct err e = ERR_INIT;
	struct scan *s = NULL;

	check_ok(scan_dir(&s, &all, &e), &e);
	for (size_t i = 0; i < s->n; i++)
		if (ignore_takes(ig, s->entry[i].path) == (ask == TAKEN))
			buf_printf(out, "%s\n", s->entry[i].path);
	scan_free(s);
}

/* What a scan with the rules finds: folders it does not enter must not hide
 * anything. */
static void
scanned(struct buf *out, const char *dir, const struct ignore *ig)
{
	const struct scan_opts o = {.dir = dir, .ignore = ig};
	struct err e = ERR_INIT;
	struct scan *s = NULL;

	check_ok(scan_dir(&s, &o, &e), &e);
	for (size_t i = 0; i < s->n; i++)
		buf_printf(out, "%s\n", s->entry[i].path);
	scan_free(s);
}

static void
expect(int line, const char *dir, const struct rules *r, enum ask ask,
    const char *want)
{
	struct ignore *ig = make(dir, r);
	struct buf got, taken, seen;

	buf_init(&got, FIX_TEXT);
	buf_init(&taken, FIX_TEXT);
	buf_init(&seen, FIX_TEXT);
	apply(&got, dir, ig, ask);
	apply(&taken, dir, ig, TAKEN);
	scanned(&seen, dir, ig);
	if (strcmp(buf_cstr(&got), want) != 0) {
		fprintf(stderr, "ignore [%s] only [%s]: got\n%s",
		    r->ignore == NULL ? "" : r->ignore,
		    r->only == NULL ? "" : r->only, buf_cstr(&got));
		vec_fail(__FILE__, line, "the rules take what they should");
	}
	if (!view_eq(buf_view(&taken), buf_view(&seen)))
		vec_fail(__FILE__, line, "the scan finds what is taken");
	buf_deinit(&got);
	buf_deinit(&taken);
	buf_deinit(&seen);
	ignore_free(ig);
}

/* -- the worked table ----------------------------------------------------- */

static const char table_tree[] = "f package.json=\n"
				 "f index.js=\n"
				 "f foo.js=\n"
				 "f foobar.js=\n"
				 "f bar.txt=\n"
				 "f .git/HEAD=\n"
				 "f .DS_Store=\n"
				 "f a/.DS_Store=\n"
				 "f a/.github/w.yml=\n"
				 "f a/b/.github/w.yml=\n"
				 "f src/a.js=\n"
				 "f src/b.test.js=\n"
				 "f src/deep/c.test.js=\n"
				 "f src/deep/d.js=\n"
				 "f node_modules/x/index.js=\n"
				 "f node_modules/x/test/t.js=\n"
				 "f node_modules/y/package-lock.json=\n"
				 "f build/out-1.bin=\n"
				 "f build/out-2.bin=\n"
				 "f we?ird.js=\n"
				 "f docs/{x}.md=\n";

#define A_GITHUB "/a/.github/w.yml\n/a/b/.github/w.yml\n"
#define OUTS "/build/out-1.bin\n/build/out-2.bin\n"
#define X_INDEX "/node_modules/x/index.js\n"
#define X_TEST "/node_modules/x/test/t.js\n"
#define Y_LOCK "/node_modules/y/package-lock.json\n"
#define SRC_DEEP "/src/deep/c.test.js\n/src/deep/d.js\n"
#define SRC "/src/a.js\n/src/b.test.js\n" SRC_DEEP
#define ROOT_JS "/foo.js\n/foobar.js\n/index.js\n"
#define WEIRD "/we?ird.js\n"
#define EVERYTHING \
	"/.DS_Store\n/.git/HEAD\n/a/.DS_Store\n" A_GITHUB "/bar.txt\n" OUTS \
	"/docs/{x}.md\n" ROOT_JS X_INDEX X_TEST Y_LOCK \
	"/package.json\n" SRC WEIRD

static const struct {
	const char *ignore, *drops;
} ignore_table[] = {
    {"index.js", "/index.js\n"},
    {"/index.js", "/index.js\n"},
    {"index.js/", "/index.js\n"},
    {"./index.js", "/index.js\n"},
    {"src", SRC},
    {"src/", SRC},
    {"sr", ""},
    {"a.js", ""},
    {"*.js", ROOT_JS WEIRD},
    {"/*.js", ROOT_JS WEIRD},
    {"**.js", ROOT_JS X_INDEX X_TEST SRC WEIRD},
    {"**/*.js", X_INDEX X_TEST SRC},
    {"/**/*.js", X_INDEX X_TEST SRC},
    {"src/*", SRC},
    {"src/*.js", "/src/a.js\n/src/b.test.js\n"},
    {"src/**", SRC},
    {"src/**/*.test.js", "/src/deep/c.test.js\n"},
    {"**/*.test.js", "/src/b.test.js\n/src/deep/c.test.js\n"},
    {"**/test", X_TEST},
    {"**/test/**", X_TEST},
    {"**.git", "/.git/HEAD\n"},
    {"**.github", A_GITHUB},
    {"**.DS_Store", "/.DS_Store\n/a/.DS_Store\n"},
    {"**/.github", A_GITHUB},
    {".*", "/.DS_Store\n/.git/HEAD\n"},
    {"foo*.js", "/foo.js\n/foobar.js\n"},
    {"build/out-*.bin", OUTS},
    {"build/out-**", OUTS},
    {"*/a.js", "/src/a.js\n"},
    {"*", EVERYTHING},
    {"**", EVERYTHING},
    {"foo?.js", ""},
    {"[f]oo.js", ""},
    {"{foo,bar}.js", ""},
    {"(foo).js", ""},
    {"we?ird.js", WEIRD},
    {"docs/{x}.md", "/docs/{x}.md\n"},
    {"node_modules\n!node_modules/x", Y_LOCK},
    {"node_modules\n!node_modules/x/index.js", X_TEST Y_LOCK},
    {"node_modules\n!**/index.js", X_TEST Y_LOCK},
    {"*.js\n!index.js", "/foo.js\n/foobar.js\n" WEIRD},
    {"!index.js\n*.js", "/foo.js\n/foobar.js\n" WEIRD},
    {"src/**\n!src/deep/d.js",
	"/src/a.js\n/src/b.test.js\n/src/deep/c.test.js\n"},
    {"!index.js", ""},
    {" index.js", "/index.js\n"},
    {"\tindex.js ", "/index.js\n"},
    {"INDEX.JS", ""},
    {"", ""},
    {"\n/\n!\n!/\n  ", ""},
};

static void
test_ignore_table(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, table_tree);
	for (size_t i = 0; i < sizeof(ignore_table) / sizeof(*ignore_table);
	     i++)
		expect(__LINE__, dir,
		    &(struct rules){.ignore = ignore_table[i].ignore}, DROPPED,
		    ignore_table[i].drops);
}

/* The same rule from package.json, or split over both, or as include. */
static void
test_ignore_sources(void **state)
{
	const char *dir = vec_tmpdir();
	static const struct rules rows[] = {
	    {.package_ignore = "src\nbuild"},
	    {.ignore = "src", .package_ignore = "build"},
	    {.ignore = "build",
		.package_ignore = "src\ndocs",
		.includes = "docs"},
	    {.ignore = "build\nsrc\ndocs", .package_ignore = "!docs/{x}.md"},
	    {.ignore = "build\nsrc\n**.md", .includes = "docs/**"},
	    {.ignore = "build\nsrc\n**.md", .includes = "!docs/**"},
	};

	(void)state;
	fix_put(dir, table_tree);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect(__LINE__, dir, &rows[i], DROPPED, OUTS SRC);
}

static const struct {
	const char *only, *ignore, *takes;
} only_table[] = {
    {"/src", NULL, SRC},
    {"src", NULL, SRC},
    {"src/", NULL, SRC},
    {" ./src/ ", NULL, SRC},
    {"/src/a.js", NULL, "/src/a.js\n"},
    {"src/a.js", NULL, "/src/a.js\n"},
    {"/index.js\n/src/deep", NULL, "/index.js\n" SRC_DEEP},
    {"/nope", NULL, ""},
    {"*.js", NULL, ""},
    {"/sr", NULL, ""},
    {"/index.js", "index.js", "/index.js\n"},
    {"/src", "src", ""},
    {"/src", "src/a.js", "/src/b.test.js\n" SRC_DEEP},
    {"/src/a.js", "src", "/src/a.js\n"},
    {"/src/a.js\n/src", "src/**", "/src/a.js\n"},
    {"/src/deep/d.js", "**", "/src/deep/d.js\n"},
    {"/", NULL, EVERYTHING},
};

static void
test_only_table(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, table_tree);
	for (size_t i = 0; i < sizeof(only_table) / sizeof(*only_table); i++) {
		struct rules r = {
		    .only = only_table[i].only, .ignore = only_table[i].ignore};

		expect(__LINE__, dir, &r, TAKEN, only_table[i].takes);
		r.package_only = r.only;
		r.only = NULL;
		expect(__LINE__, dir, &r, TAKEN, only_table[i].takes);
	}
	expect(__LINE__, dir,
	    &(struct rules){.only = "bar.txt", .package_only = "index.js"},
	    TAKEN, "/bar.txt\n/index.js\n");
}

/* -- what matched nothing ------------------------------------------------- */

static void
test_unmatched(void **state)
{
	static const struct {
		const char *ignore, *unmatched;
	} rows[] = {
	    {"foo?.js", "foo?.js"},
	    {"[f]oo.js\n(foo).js\n{foo,bar}.js",
		"[f]oo.js\n(foo).js\n{foo,bar}.js"},
	    {"we?ird.js\ndocs/{x}.md\n*.js", ""},
	    {"nope*\n/**.none/\n!no/*", "nope*\n**.none\nno/*"},
	    /* a plain name that is not there is no mistake */
	    {"nope\nsrc/nope/\n!nope", ""},
	};
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, table_tree);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ignore *ig =
		    make(dir, &(struct rules){.ignore = rows[i].ignore});
		const char *text;
		struct list l;
		size_t n = 0;

		split(&l, rows[i].unmatched);
		for (; (text = ignore_unmatched(ig, n)) != NULL; n++) {
			bool listed = false;

			for (size_t k = 0; k < l.n; k++)
				listed |= strcmp(l.item[k], text) == 0;
			check(listed);
		}
		check(n == l.n);
		free(l.copy);
		ignore_free(ig);
	}
}

/* A glob is held against what is on disk: the same name elsewhere, or
 * later, is not dropped; a literal is. */
static void
test_globs_are_held_once(void **state)
{
	const char *dir = vec_tmpdir();
	struct ignore *ig;

	(void)state;
	fix_put(dir, table_tree);
	ig = make(dir, &(struct rules){.ignore = "*.js\nbuild"});
	check(ignore_drops(ig, "/foo.js"));
	check(!ignore_drops(ig, "/later.js"));
	check(ignore_drops(ig, "/build/later"));
	check(ignore_drops(ig, "/build"));
	check(!ignore_drops(ig, "/build2"));
	check(!ignore_enters(ig, "/build"));
	check(ignore_enters(ig, "/src"));
	check(!ignore_has_only(ig));
	check(ignore_selected(ig, "/foo.js"));
	ignore_free(ig);
}

static void
test_no_rules(void **state)
{
	(void)state;
	check(!ignore_drops(NULL, "/a"));
	check(ignore_selected(NULL, "/a"));
	check(ignore_takes(NULL, "/a"));
	check(ignore_enters(NULL, "/a"));
	check(!ignore_has_only(NULL));
	check(ignore_unmatched(NULL, 0) == NULL);
	ignore_free(NULL);
}

/* A folder above something kept or asked for is entered, but is itself
 * neither selected nor taken. */
static void
test_enters(void **state)
{
	const char *dir = vec_tmpdir();
	struct ignore *ig;

	(void)state;
	fix_put(dir, table_tree);
	ig = make(
	    dir, &(struct rules){.ignore = "src", .includes = "src/deep/d.js"});
	check(ignore_enters(ig, "/src"));
	check(ignore_enters(ig, "/src/deep"));
	check(!ignore_enters(ig, "/src/other"));
	ignore_free(ig);
	ig = make(dir,
	    &(struct rules){.ignore = "src", .only = "src/deep/d.js\nbuild"});
	check(ignore_enters(ig, "/src"));
	check(ignore_enters(ig, "/src/deep"));
	check(!ignore_enters(ig, "/a"));
	check(!ignore_takes(ig, "/src/deep"));
	check(ignore_takes(ig, "/src/deep/d.js"));
	check(ignore_takes(ig, "/build/out-1.bin"));
	check(ignore_has_only(ig));
	ignore_free(ig);
}

/* -- globs ---------------------------------------------------------------- */

static void
test_glob(void **state)
{
	static const struct {
		const char *glob, *path;
		bool match;
	} rows[] = {
	    {"*", "a", true},
	    {"*", "a/b", true}, /* below a match */
	    {"a*c", "ac", true},
	    {"a*c", "abc", true},
	    {"a*c", "ab/c", false},
	    {"a**c", "ab/c", true},
	    {"a***c", "ab/c", true},
	    {"**/x", "x", false},
	    {"**/x", "a/x", true},
	    {"**/x/**", "a/b/x/c/d", true},
	    {"*.js", "a.jsx", false},
	    {"*.js", "a.js/b", true},
	    {"*a*b*", "xxaxxbxx", true},
	    {"*a*b*", "xxbxxaxx", false},
	    {"*.c", "axc", false}, /* the dot is a dot */
	    {"a/*/c", "a/b/c", true},
	    {"a/*/c", "a/b/b/c", false},
	    {"*", "", true},
	    {"*x", "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (ignore_glob(rows[i].glob, rows[i].path) != rows[i].match) {
			fprintf(
			    stderr, "%s on %s\n", rows[i].glob, rows[i].path);
			vec_fail(__FILE__, __LINE__, "the glob matches");
		}
}

/* Many stars cost states, not tries. */
static void
test_glob_cost(void **state)
{
	char glob[401], path[2001], wide[4300];

	(void)state;
	for (size_t i = 0; i < 400; i++)
		glob[i] = i % 2 == 0 ? '*' : 'a';
	glob[400] = '\0';
	memset(path, 'a', 2000);
	path[2000] = '\0';
	check(ignore_glob(glob, path));
	path[1999] = 'b';
	check(!ignore_glob(glob, path));
	memset(wide, '*', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0'; /* longer than any path */
	check(!ignore_glob(wide, "a"));
}

/* -- the reference's own tests -------------------------------------------- */

static void
test_upstream_minimal(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f app.js=\nf index.html=\nf index.js=\n"
		     "f node_modules/one/index.js=\n"
		     "f node_modules/one/package.json=\n"
		     "f node_modules/two/index.js=\nf package.json=\n");
	expect(__LINE__, dir, &(struct rules){.ignore = NULL}, DROPPED, "");
}

static void
test_upstream_only_and_ignore(void **state)
{
	const char *dir = vec_tmpdir();
	static const struct rules r = {.package_only =
					   "/package.json\n/index.js\n/folder\n"
					   "/node_modules/one/index.js\n"
					   "/node_modules/two/index.js",
	    .package_ignore = "package-lock.json\n/index.html\n/app.js\n"
			      "/node_modules/one/README.md\n"
			      "/node_modules/two/README.md\n"
			      "/node_modules/two/test.js"};

	(void)state;
	fix_put(dir, "f app.js=\nf folder/bar.js=\nf folder/foo.js=\n"
		     "f index.html=\nf index.js=\nf other.js=\n"
		     "f node_modules/one/README.md=\n"
		     "f node_modules/one/index.js=\n"
		     "f node_modules/two/index.js=\n"
		     "f node_modules/two/test.js=\n"
		     "f package-lock.json=\nf package.json=\n");
	expect(__LINE__, dir, &r, TAKEN,
	    "/folder/bar.js\n/folder/foo.js\n/index.js\n"
	    "/node_modules/one/index.js\n/node_modules/two/index.js\n"
	    "/package.json\n");
}

static void
test_upstream_globs(void **state)
{
	const char *dir = vec_tmpdir();
	struct rules r = {.package_ignore =
			      ".git\n**all-ignore.js\nignore-file.js\n"
			      "ignore-dir1/*-file.*\npackage-lock.json\n"
			      "ignore-dir2/"};

	(void)state;
	fix_put(dir, "f .git/HEAD=\nf all-ignore.js=\nf dep.js=\n"
		     "f ignore-dir1/all-ignore.js=\n"
		     "f ignore-dir1/deep-glob-ignore.js=\n"
		     "f ignore-dir1/dont-ignore.txt=\n"
		     "f ignore-dir1/ignore-file.js=\n"
		     "f ignore-dir2/ignored.txt=\nf ignore-file.js=\n"
		     "f index.js=\nf package.json=\n");
	expect(__LINE__, dir, &r, TAKEN,
	    "/dep.js\n/ignore-dir1/deep-glob-ignore.js\n"
	    "/ignore-dir1/dont-ignore.txt\n/index.js\n/package.json\n");
	r.ignore = "/**/*.js";
	expect(__LINE__, dir, &r, TAKEN,
	    "/dep.js\n/ignore-dir1/dont-ignore.txt\n/index.js\n"
	    "/package.json\n");
}

static void
test_upstream_unignore(void **state)
{
	const char *dir = vec_tmpdir();
	static const char kept[] =
	    "/index.js\n/modules-test/dir1/a.js\n"
	    "/modules-test/dir1/prebuilds-example/a.js\n"
	    "/modules-test/dir1/prebuilds-example/b.js\n"
	    "/modules-test/dir2/a.js\n/modules-test/dir3/a.js\n"
	    "/modules-test/dir4/a.js\n"
	    "/modules-test/prebuilds-example/file.js\n/package.json\n";
	struct rules r = {.package_ignore =
			      "/modules-test/**/prebuilds-example\n"
			      "!/modules-test/dir1/prebuilds-example\n"
			      "package-lock.json"};

	(void)state;
	fix_put(dir, "f index.js=\nf package-lock.json=\nf package.json=\n"
		     "f modules-test/prebuilds-example/file.js=\n");
	for (int i = 1; i <= 4; i++) {
		char text[256];

		(void)snprintf(text, sizeof(text),
		    "f modules-test/dir%d/a.js=\n"
		    "f modules-test/dir%d/prebuilds-example/a.js=\n"
		    "f modules-test/dir%d/prebuilds-example/b.js=\n",
		    i, i, i);
		fix_put(dir, text);
	}
	expect(__LINE__, dir, &r, TAKEN, kept);
	r.ignore = "!/modules-test/**/prebuilds-example";
	expect(__LINE__, dir, &r, DROPPED, "/package-lock.json\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ignore_table),
	    cmocka_unit_test(test_ignore_sources),
	    cmocka_unit_test(test_only_table),
	    cmocka_unit_test(test_unmatched),
	    cmocka_unit_test(test_globs_are_held_once),
	    cmocka_unit_test(test_no_rules),
	    cmocka_unit_test(test_enters),
	    cmocka_unit_test(test_glob),
	    cmocka_unit_test(test_glob_cost),
	    cmocka_unit_test(test_upstream_minimal),
	    cmocka_unit_test(test_upstream_only_and_ignore),
	    cmocka_unit_test(test_upstream_globs),
	    cmocka_unit_test(test_upstream_unignore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
