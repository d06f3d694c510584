/* Walking names: through links only where asked, never in circles. */
#include "support/treefix.h"

#include "drive/ignore.h"
#include "drive/walk.h"

struct seen {
	char name[64][64];
	size_t n;
};

static enum err_code
note(void *ctx, const char *path, struct err *e)
{
	struct seen *s = ctx;

	if (s->n == 64)
		return err_set(e, ERR_LIMIT, "too many");
	(void)snprintf(s->name[s->n++], sizeof(s->name[0]), "%s", path);
	return ERR_OK;
}

static enum err_code
refuse(void *ctx, const char *path, struct err *e)
{
	(void)ctx;
	return err_set(e, ERR_CONFLICT, "%s", path);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
expect(struct seen *s, const char *want)
{
	struct buf got;

	buf_init(&got, FIX_TEXT);
	qsort(s->name, s->n, sizeof(s->name[0]), by_name);
	for (size_t i = 0; i < s->n; i++)
		buf_printf(&got, "%s\n", s->name[i]);
	check_same(buf_view(&got), view_str(want));
	buf_deinit(&got);
}

/* app has links to a folder and a file outside, to nothing, and to itself;
 * the folder outside has links to itself and to what holds it. */
static const char *
make_app(void)
{
	const char *dir = vec_tmpdir();
	static char app[4096];

	fix_put(dir, "f app/a.log=\nf app/d/b=\nl app/ext=../out\n"
		     "l app/dead=../nowhere\nl app/one=../out/no.log\n"
		     "l app/in=d\nf out/keep.log=\nf out/no.log=\n"
		     "f out/sub/no.log=\nl out/self=.\nl out/up=..\n"
		     "l out/sub/back=../../app\n");
	check(snprintf(app, sizeof(app), "%s/app", dir) > 0);
	return app;
}

static void
test_files(void **state)
{
	const char *app = make_app();
	struct seen s = {.n = 0};
	struct err e = ERR_INIT;

	(void)state;
	check_ok(walk_files(app, note, &s, &e), &e);
	expect(&s, "a.log\nd/b\ndead\next\nin\none\n");
	check(walk_exists(app, "dead") && walk_exists(app, "ext/keep.log"));
	check(!walk_exists(app, "nowhere"));
}

static void
test_followed(void **state)
{
	const char *app = make_app();
	struct seen s = {.n = 0};
	struct err e = ERR_INIT;
	char slashes[4200];

	(void)state;
	(void)snprintf(slashes, sizeof(slashes), "%s///", app);
	check_ok(walk_followed(slashes, note, &s, &e), &e);
	expect(&s, "a.log\nd/b\ndead\next/keep.log\next/no.log\next/self\n"
		   "ext/sub/back\next/sub/no.log\next/up\nin\none\n");
}

/* Two folders outside, each with links to the other. */
static void
test_followed_cross(void **state)
{
	const char *dir = vec_tmpdir();
	struct seen s = {.n = 0};
	struct err e = ERR_INIT;
	char app[4096];

	(void)state;
	check(snprintf(app, sizeof(app), "%s/app", dir) > 0);
	fix_put(dir, "l app/x=../one\nf one/a=1\nf two/b=22\n"
		     "l one/l=../two\nl one/m=../two\nl two/l=../one\n"
		     "l two/m=../one\n");
	check_ok(walk_followed(app, note, &s, &e), &e);
	expect(&s, "x/a\nx/l/b\nx/l/l\nx/l/m\nx/m/b\nx/m/l\nx/m/m\n");
}

/* What a link brings in is held against globs as everything else is. */
static void
test_globs_behind_links(void **state)
{
	const char *text[] = {"**.log", "!ext/keep.log"};
	const struct ignore_opts o = {.dir = make_app(), .ignore = {{text, 2}}};
	struct ignore *ig = NULL;
	struct err e = ERR_INIT;

	(void)state;
	check_ok(ignore_new(&ig, &o, &e), &e);
	check(ignore_drops(ig, "/a.log") && !ignore_takes(ig, "/a.log"));
	check(ignore_drops(ig, "/ext/no.log"));
	check(!ignore_takes(ig, "/ext/sub/no.log"));
	check(ignore_takes(ig, "/ext/keep.log"));
	check(ignore_enters(ig, "/ext") && ignore_takes(ig, "/d/b"));
	ignore_free(ig);
}

static void
test_errors(void **state)
{
	struct seen s = {.n = 0};
	struct err e = ERR_INIT;

	(void)state;
	check_code(
	    walk_followed("no such folder", note, &s, &e), ERR_NOT_FOUND);
	check_code(walk_followed(make_app(), refuse, NULL, &e), ERR_CONFLICT);
	check(s.n == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files),
	    cmocka_unit_test(test_followed),
	    cmocka_unit_test(test_followed_cross),
	    cmocka_unit_test(test_globs_behind_links),
	    cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
