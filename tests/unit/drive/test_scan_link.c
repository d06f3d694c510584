/* Links: kept inside the folder, followed out of it, never in circles. */
#include "tests/unit/drive/scanfix.h"

static void
test_links_inside(void **state)
{
	const char *dir = vec_tmpdir();
	char text[1024];

	(void)state;
	fix_put(dir, "f app/src/a=1\nl app/to-a=src/a\nl app/to-src=src/\n"
		     "l app/src/up=../src/a\nl app/src/root=..\n"
		     "l app/broken=src/none\nl app/deep=src/none/../../x\n"
		     "l app/self=self\nl app/one=two\nl app/two=one\n");
	/* absolute ones into the folder count from its root */
	(void)snprintf(text, sizeof(text),
	    "l app/abs=%s/app/src/a\nl app/abs-root=%s/app\n", dir, dir);
	fix_put(dir, text);
	scan_is(fix_path(dir, "app"),
	    "l /abs=/src/a\nl /abs-root=/\nl /broken=src/none\n"
	    "l /deep=src/none/../../x\nl /one=two\nl /self=self\n"
	    "f /src/a 1\nl /src/root=..\nl /src/up=../src/a\n"
	    "l /to-a=src/a\nl /to-src=src/\nl /two=one\n",
	    "");
}

/* The folder may be named in other ways than its real path. */
static void
test_links_root_names(void **state)
{
	const char *dir = vec_tmpdir();
	static const char *const names[] = {"app", "app/", "app///", "app/.",
	    "as-link", "as-link/", "other/../app"};
	char text[1024];

	(void)state;
	(void)snprintf(text, sizeof(text),
	    "f app/a=1\nl as-link=app\nd other\nl app/real=%s/app/a\n", dir);
	fix_put(dir, text);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		scan_is(fix_path(dir, names[i]), "f /a 1\nl /real=/a\n", "");
	/* a text by the name that was given, not the real one */
	check(symlink(fix_path(dir, "as-link/a"), fix_path(dir, "app/real2")) ==
	      0);
	scan_is(
	    fix_path(dir, "as-link"), "f /a 1\nl /real=/a\nl /real2=/a\n", "");
}

/* "/src-old" does not lie in "/src". */
static void
test_links_separator(void **state)
{
	const char *dir = vec_tmpdir();
	char text[2048];

	(void)state;
	(void)snprintf(text, sizeof(text),
	    "f src/a=1\nf src-old/b=22\nf src-old/c/d=333\n"
	    "l src/rel=../src-old/b\nl src/abs=%s/src-old/b\n"
	    "l src/folder=../src-old\n",
	    dir);
	fix_put(dir, text);
	scan_is(fix_path(dir, "src"),
	    "f /a 1\nF /abs 2\nF /folder/b 2\nF /folder/c/d 3\nF /rel 2\n", "");
}

/* What is outside is content, with the links found there followed too. */
static void
test_links_followed(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f app/a=1\nl app/lib=../lib\nf lib/x=1\nl lib/y=x\n"
		     "l lib/z=../third\nf third/t=4444\n"
		     "l lib/back=../app/a\nl app/none=../none\n"
		     "l lib/none=none\np pipe\nl app/pipe=../pipe\n");
	scan_is(fix_path(dir, "app"),
	    "f /a 1\nF /lib/back 1\nF /lib/x 1\nF /lib/y 1\nF /lib/z/t 4\n",
	    "/none is skipped: a link out of the folder that leads nowhere\n"
	    "/pipe is skipped: it leads to something that is no file\n"
	    "/lib/none is skipped: a link out of the folder that leads "
	    "nowhere\n");
}

static void
test_links_target(void **state)
{
	const char *dir = vec_tmpdir();
	struct talk t = {.polls = 0};
	struct err e = ERR_INIT;
	struct scan *s = NULL;
	char want[4096], *real;

	(void)state;
	fix_put(dir, "d app\nl app/lib=../lib\nf lib/sub/x=1\n");
	check_ok(scanfix_try(&s, fix_path(dir, "app"), &t, &e), &e);
	check((real = realpath(dir, NULL)) != NULL);
	(void)snprintf(want, sizeof(want), "%s/lib/sub/x", real);
	check(s->n == 1 && strcmp(s->entry[0].target, want) == 0);
	free(real);
	scan_free(s);
	buf_deinit(&t.warned);
}

/* Out of the folder and in circles: an end, with a warning. */
static void
test_links_circle(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f app/a=1\nl app/out=../out\nf out/o=22\n"
		     "l out/again=.\nl out/sub/up=..\n");
	scan_is(fix_path(dir, "app"), "f /a 1\nF /out/o 2\n",
	    "/out/again is skipped: a link in a circle\n"
	    "/out/sub/up is skipped: a link in a circle\n");
	/* a folder that holds the scanned one */
	dir = vec_tmpdir();
	fix_put(dir, "f w/app/a=1\nl w/app/up=..\n");
	scan_is(fix_path(dir, "w/app"), "f /a 1\nF /up/app/a 1\n",
	    "/up/app/up is skipped: a link in a circle\n");
}

/* Two folders outside, each with links to the other: a path each, no more. */
static void
test_links_cross(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "l app/x=../one\nf one/a=1\nf two/b=22\n"
		     "l one/l=../two\nl one/m=../two\nl two/l=../one\n"
		     "l two/m=../one\n");
	scan_is(fix_path(dir, "app"), "F /x/a 1\nF /x/l/b 2\nF /x/m/b 2\n",
	    "/x/m/l is skipped: a link in a circle\n"
	    "/x/m/m is skipped: a link in a circle\n"
	    "/x/l/l is skipped: a link in a circle\n"
	    "/x/l/m is skipped: a link in a circle\n");
}

/* A text that would lead out of the drive, or somewhere else in it, is
 * counted from the root; one that leads nowhere yet may stay. */
static void
test_links_rewritten(void **state)
{
	const char *dir = vec_tmpdir();
	char text[1024];

	(void)state;
	(void)snprintf(text, sizeof(text),
	    "f app/d/a=1\nl app/back=../app/d/a\nl alias=app\n"
	    "l app/other=%s/alias/d\nl app/none=%s/app/none-yet\n",
	    dir, dir);
	fix_put(dir, text);
	scan_is(fix_path(dir, "app"),
	    "l /back=/d/a\nf /d/a 1\nl /none=/none-yet\nl /other=/d\n", "");
}

static void
test_links_bad_text(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f a=1\nl ok=a\nl bad=no\xffpe\n");
	scan_refused(dir, ERR_INVALID,
	    "1 name not UTF-8 or with a backslash: "
	    "/bad");
}

/* Rules count for links and what they lead to. */
static void
test_links_ignored(void **state)
{
	const char *dir = vec_tmpdir();
	const char *const text[] = {"none", "lib", "in", "two/x"};
	struct talk t = {.polls = 0};
	struct err e = ERR_INIT;
	struct ignore *ig = NULL;
	struct scan *s = NULL;
	struct buf got;

	(void)state;
	fix_put(dir, "f app/a=1\nl app/in=a\nl app/none=../none\n"
		     "l app/lib=../lib\nl app/two=../lib\nf lib/x=1\n"
		     "f lib/y=1\n");
	const struct ignore_opts io = {
	    .dir = fix_path(dir, "app"), .ignore = {{text, 4}}};
	const struct scan_opts so = {.dir = fix_path(dir, "app"),
	    .warn = scanfix_warning,
	    .warn_ctx = &t};
	struct scan_opts with = so;

	check_ok(ignore_new(&ig, &io, &e), &e);
	with.ignore = ig;
	buf_init(&t.warned, FIX_TEXT);
	buf_init(&got, FIX_TEXT);
	check_ok(scan_dir(&s, &with, &e), &e);
	scanfix_show(&got, s);
	check_same(buf_view(&got), view_str("f /a 1\nF /two/y 1\n"));
	check(t.warned.len == 0);
	scan_free(s);
	ignore_free(ig);
	buf_deinit(&got);
	buf_deinit(&t.warned);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_links_inside),
	    cmocka_unit_test(test_links_root_names),
	    cmocka_unit_test(test_links_separator),
	    cmocka_unit_test(test_links_followed),
	    cmocka_unit_test(test_links_target),
	    cmocka_unit_test(test_links_circle),
	    cmocka_unit_test(test_links_cross),
	    cmocka_unit_test(test_links_rewritten),
	    cmocka_unit_test(test_links_bad_text),
	    cmocka_unit_test(test_links_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
