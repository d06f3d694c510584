/* Names that are refused, and those that are warned about. */
#include "tests/unit/drive/scanfix.h"

static void
test_bad_names(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f ok=\nf latin\xe9=\nf d/back\\slash=\n");
	scan_refused(dir, ERR_INVALID,
	    "2 names not UTF-8 or with a backslash: /latin\\xe9, "
	    "/d/back\\\\slash");
	dir = vec_tmpdir();
	fix_put(dir, "f \xff/below=\n");
	scan_refused(dir, ERR_INVALID, "1 name not UTF-8");
	dir = vec_tmpdir();
	fix_put(dir, "l lin\\k=a\n");
	scan_refused(dir, ERR_INVALID, "/lin\\\\k");
	/* overlong, a surrogate: not UTF-8 either */
	dir = vec_tmpdir();
	fix_put(dir, "f \xc0\xae=\nf \xed\xa0\x80=\n");
	scan_refused(dir, ERR_INVALID, "2 names");
}

/* What a dump would refuse to write is not staged. */
static void
test_drive_letters(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f C:/x=\nf c:y=\nf ok:no=\n");
	scan_refused(dir, ERR_INVALID,
	    "2 names not UTF-8 or with a backslash or like a drive letter: "
	    "/C:, /c:y");
	dir = vec_tmpdir();
	fix_put(dir, "f ok:no=\nf d/C:/x=\nf http:/h=\n");
	scan_is(dir, "f /d/C:/x 0\nf /http:/h 0\nf /ok:no 0\n", "");
}

/* At most 20 are listed, all are counted. */
static void
test_many_bad_names(void **state)
{
	const char *dir = vec_tmpdir();
	char line[64];

	(void)state;
	for (int i = 0; i < 30; i++) {
		(void)snprintf(line, sizeof(line), "f bad-%02d\xff=\n", i);
		fix_put(dir, line);
	}
	scan_refused(dir, ERR_INVALID, "30 names");
	scan_refused(dir, ERR_INVALID, "/bad-19\\xff");
	(void)unlink(fix_path(dir, "bad-00\xff"));
	scan_refused(dir, ERR_INVALID, "/bad-20\\xff");
}

/* A name that is not staged may be what it likes. */
static void
test_bad_name_ignored(void **state)
{
	const char *dir = vec_tmpdir();
	const char *const text[] = {"b\\d", "*.bad"};
	struct err e = ERR_INIT;
	struct ignore *ig = NULL;
	struct scan *s = NULL;

	(void)state;
	fix_put(dir, "f a=\nf b\\d/x=\nf \xff.bad=\n");
	const struct ignore_opts io = {.dir = dir, .ignore = {{text, 2}}};
	check_ok(ignore_new(&ig, &io, &e), &e);
	const struct scan_opts so = {.dir = dir, .ignore = ig};
	check_ok(scan_dir(&s, &so, &e), &e);
	check(s->n == 1 && strcmp(s->entry[0].path, "/a") == 0);
	scan_free(s);
	ignore_free(ig);
}

#define ONE_NAME " are one name on systems that fold case or normalise\n"

static void
test_collisions(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f README=\nf ReadMe=\nf d/Readme=\n"
		     "f d/caf\xc3\xa9=\nf d/cafe\xcc\x81=\n"
		     "f \xc3\x84=\nf \xc3\xa4=\n");
	scan_is(dir,
	    "f /README 0\nf /ReadMe 0\nf /d/Readme 0\n"
	    "f /d/cafe\xcc\x81 0\nf /d/caf\xc3\xa9 0\n"
	    "f /\xc3\x84 0\nf /\xc3\xa4 0\n",
	    "/: \xc3\x84 and \xc3\xa4" ONE_NAME "/: README and ReadMe" ONE_NAME
	    "/d/: cafe\xcc\x81 and caf\xc3\xa9" ONE_NAME);
}

static void
test_private(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f .env=\nf .env.local=\nf .environment=\nf .git/HEAD=\n"
		     "f .git/refs/x=\nf id_ed25519=\nf id_ed25519.pub=\n"
		     "f a/.npmrc=\nf keys/server.pem=\nf keys/my.key=\n"
		     "f .key=\nf key=\nf monkey=\nf x.p12=\n");
	scan_is(dir,
	    "f /.env 0\nf /.env.local 0\nf /.environment 0\n"
	    "f /.git/HEAD 0\nf /.git/refs/x 0\nf /.key 0\nf /a/.npmrc 0\n"
	    "f /id_ed25519 0\nf /id_ed25519.pub 0\nf /key 0\n"
	    "f /keys/my.key 0\nf /keys/server.pem 0\nf /monkey 0\n"
	    "f /x.p12 0\n",
	    "/.env looks private and would be published\n"
	    "/.env.local looks private and would be published\n"
	    "/.git looks private and would be published\n"
	    "/.key looks private and would be published\n"
	    "/a/.npmrc looks private and would be published\n"
	    "/id_ed25519 looks private and would be published\n"
	    "/keys/my.key looks private and would be published\n"
	    "/keys/server.pem looks private and would be published\n"
	    "/x.p12 looks private and would be published\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bad_names),
	    cmocka_unit_test(test_drive_letters),
	    cmocka_unit_test(test_many_bad_names),
	    cmocka_unit_test(test_bad_name_ignored),
	    cmocka_unit_test(test_collisions),
	    cmocka_unit_test(test_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
