/* The target: where it is, what it may not be near, and how a build gets
 * there in one step, whatever other runs left or do. */
#include "support/treefix.h"

#include <signal.h>
#include <sys/wait.h>

#include "build-tool/place.h"

/* The real path of a fresh folder, also the working directory. */
static const char *
enter(char out[static 4096])
{
	check(realpath(vec_tmpdir(), out) != NULL);
	check(chdir(out) == 0);
	return out;
}

static void
test_resolve(void **state)
{
	static const struct {
		const char *target, *below; /* of the working directory */
		bool exists;
	} rows[] = {
	    {"t", "t", false},
	    {"t///", "t", false},
	    {"./t", "t", false},
	    {"a/../t", "t", false},
	    {"there", "there", true},
	    {"a/../there/", "there", true},
	    {"link/t", "a/t", false},
	    {"a/b/c/t", "a/b/c/t", false},
	    {"new//x/./y/t", "new/x/y/t", false},
	    {"link/x/t", "a/x/t", false},
	    /* an empty folder is as good as none */
	    {"a", "a", false},
	};
	char dir[4096], want[4200];

	(void)state;
	enter(dir);
	fix_put(dir, "d a\nf there/f=1\nl link=a");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct place p = {.target = NULL};
		struct err e = ERR_INIT;

		check_ok(place_init(&p, rows[i].target, &e), &e);
		(void)snprintf(want, sizeof(want), "%s/%s", dir, rows[i].below);
		assert_string_equal(p.target, want);
		assert_int_equal(p.exists, rows[i].exists);
		place_deinit(&p);
	}
	/* nothing was made by asking */
	check_tree(dir, "d a\nl link=a\nf there/f=1\n");
}

static void
test_refused(void **state)
{
	static const struct {
		const char *target;
		enum err_code rc;
		const char *says;
	} rows[] = {
	    {"", ERR_INVALID, "a name of its own"},
	    {".", ERR_INVALID, "a name of its own"},
	    {"a/..", ERR_INVALID, "a name of its own"},
	    {"/", ERR_INVALID, "a name of its own"},
	    {"file", ERR_INVALID, "is no folder"},
	    {"link", ERR_INVALID, "is no folder"},
	    {"gone", ERR_INVALID, "is no folder"},
	    {"fifo", ERR_INVALID, "is no folder"},
	    {"file/t", ERR_IO, "file"},
	    {"none/../t", ERR_INVALID, "a folder that is not there"},
	};
	char dir[4096], name[300];
	struct place p = {.target = NULL};
	struct err e = ERR_INIT;

	(void)state;
	enter(dir);
	fix_put(dir, "d a\nf file\nl link=a\nl gone=nowhere\np fifo");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = (struct place){.target = NULL};
		check_code(place_init(&p, rows[i].target, &e), rows[i].rc);
		check(strstr(e.msg, rows[i].says) != NULL);
		place_deinit(&p);
	}
	memset(name, 'n', sizeof(name));
	name[201] = '\0';
	p = (struct place){.target = NULL};
	check_code(place_init(&p, name, &e), ERR_LIMIT);
	place_deinit(&p);
	place_deinit(&(struct place){.target = NULL});
}

static void
test_nested(void **state)
{
	static const struct {
		const char *target;
		enum err_code rc;
		const char *says;
	} rows[] = {
	    {"t", ERR_OK, ""},
	    {"project-1.0.0", ERR_OK, ""}, /* a longer name is no folder */
	    {"project/t", ERR_INVALID, "lies in the app's folder"},
	    {"project/x/y/t", ERR_INVALID, "lies in the app's folder"},
	    {"project", ERR_INVALID, "lies in the app's folder"},
	    {"link/t", ERR_INVALID, "lies in the app's folder"},
	    {"work", ERR_INVALID, "holds"},
	    {"out/App.app/t", ERR_INVALID, "lies in"},
	    {"out/App.app", ERR_INVALID, "lies in"},
	    {"out", ERR_INVALID, "holds"},
	    {"out/t", ERR_OK, ""},
	    {"bin/t", ERR_OK, ""}, /* beside a source that is a file */
	    {"bin", ERR_INVALID, "holds"},
	};
	static const char *const source[] = {
	    "out/App.app", "bin/App.AppImage", "work/deep/App"};
	char dir[4096];

	(void)state;
	enter(dir);
	fix_put(dir,
	    "f project/package.json={}\nf out/App.app/f=1\n"
	    "f bin/App.AppImage=1\nf work/deep/App/f=1\nl link=project\n"
	    "f outer/in/package.json={}");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct place p = {.target = NULL};
		struct err e = ERR_INIT;

		check_ok(place_init(&p, rows[i].target, &e), &e);
		check_code(place_check_nested(
			       &p, "project/package.json", source, 3, &e),
		    rows[i].rc);
		check(strstr(e.msg, rows[i].says) != NULL);
		check(rows[i].rc == ERR_OK ||
		      strstr(e.msg, "--allow-nested-target") != NULL);
		place_deinit(&p);
	}
	/* around the app's folder */
	{
		struct place p = {.target = NULL};
		struct err e = ERR_INIT;

		check_ok(place_init(&p, "outer", &e), &e);
		check_code(place_check_nested(
			       &p, "outer/in/package.json", source, 3, &e),
		    ERR_INVALID);
		check(strstr(e.msg, "holds the app's folder") != NULL);
		place_deinit(&p);
	}
}

static void
begin(struct place *p, const char *target)
{
	struct err e = ERR_INIT;

	*p = (struct place){.target = NULL};
	check_ok(place_init(p, target, &e), &e);
	check_ok(place_begin(p, &e), &e);
}

static void
test_commit_and_rollback(void **state)
{
	struct err e = ERR_INIT;
	struct place p;
	struct stat st;
	char dir[4096];
	mode_t mask = umask(077);

	(void)state;
	enter(dir);
	begin(&p, "new/t");
	fix_put(p.temp, "f a=1");
	check(access("new/t", F_OK) != 0);
	check_ok(place_commit(&p, &e), &e);
	place_deinit(&p);
	(void)umask(mask);
	check_tree(dir, "f new/t/a=1\n");
	check(stat("new/t", &st) == 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	/* over another one: all of it, and nothing is left of the old one */
	begin(&p, "new/t");
	check(p.exists);
	fix_put(p.temp, "f b=2");
	check_ok(place_commit(&p, &e), &e);
	place_deinit(&p);
	check_tree(dir, "f new/t/b=2\n");
	/* given up */
	begin(&p, "new/t");
	fix_put(p.temp, "f c/d/e=3\nl l=/");
	place_deinit(&p);
	check_tree(dir, "f new/t/b=2\n");
	/* an empty folder in the place */
	check(mkdir("empty", 0700) == 0);
	begin(&p, "empty");
	fix_put(p.temp, "f a=1");
	check_ok(place_commit(&p, &e), &e);
	place_deinit(&p);
	check_tree(dir, "f empty/a=1\nf new/t/b=2\n");
}

/* Somebody puts a build there, or takes it away, while we make ours. */
static void
test_target_changes_meanwhile(void **state)
{
	struct err e = ERR_INIT;
	struct place p;
	char dir[4096];

	(void)state;
	enter(dir);
	begin(&p, "t");
	fix_put(p.temp, "f ours=1");
	fix_put("t", "f theirs=1");
	check(place_commit(&p, &e) != ERR_OK);
	check(strstr(e.msg, p.target) != NULL);
	place_deinit(&p);
	check_tree(dir, "f t/theirs=1\n");
	begin(&p, "t");
	fix_put(p.temp, "f ours=1");
	check(unlink("t/theirs") == 0 && rmdir("t") == 0);
	check_code(place_commit(&p, &e), ERR_NOT_FOUND);
	place_deinit(&p);
	check_tree(dir, "");
}

/* Leftovers: only folders of the right name that nobody holds. */
static void
test_stale_are_removed(void **state)
{
	char dir[4096], own[4096];
	struct place p;

	(void)state;
	enter(dir);
	/* of a run with our number, as it happens in containers */
	(void)snprintf(
	    own, sizeof(own), "f .t.build-%ld.0/own=1\n", (long)getpid());
	fix_put(dir, own);
	fix_put(dir, "f .t.build-1.0/by-arch/x=1\nl .t.build-1.0/l=/\n"
		     "d .t.build-99999999.7\nf .t.build-12.0=file\n"
		     "d .t.build-12.1x\nd .t.build-12\nd .t.build-.1\n"
		     "d .t.build-1.\nd .t.build-x.1\nd .tt.build-1.0\n"
		     "d t.build-1.0\nl .t.build-13.0=precious\nf precious/p=1");
	begin(&p, "t");
	place_deinit(&p);
	check_tree(dir, "d .t.build-.1\nd .t.build-1.\nd .t.build-12\n"
			"f .t.build-12.0=file\nd .t.build-12.1x\n"
			"l .t.build-13.0=precious\nd .t.build-x.1\n"
			"d .tt.build-1.0\nf precious/p=1\nd t.build-1.0\n");
}

/* Two runs for one target: neither takes the other for dead, and the first
 * one stays complete. */
static void
test_live_runs_are_kept(void **state)
{
	struct place one, two, three;
	struct err e = ERR_INIT;
	char dir[4096];

	(void)state;
	enter(dir);
	begin(&one, "t");
	fix_put(one.temp, "f one=1");
	begin(&two, "t");
	fix_put(two.temp, "f two=2");
	begin(&three, "t");
	place_deinit(&three);
	check_tree(one.temp, "f one=1\n");
	check_tree(two.temp, "f two=2\n");
	check_ok(place_commit(&two, &e), &e);
	check(place_commit(&one, &e) != ERR_OK);
	place_deinit(&one);
	place_deinit(&two);
	check_tree(dir, "f t/two=2\n");
}

static void
killed_child(void)
{
	struct place p;

	begin(&p, "t");
	fix_put(p.temp, "f half=1");
	(void)raise(SIGKILL);
}

static void
test_killed_run(void **state)
{
	char dir[4096];
	struct place p;
	int status;
	pid_t pid;

	(void)state;
	enter(dir);
	check((pid = fork()) >= 0);
	if (pid == 0) {
		killed_child();
		_exit(1);
	}
	check(waitpid(pid, &status, 0) == pid);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	check(access("t", F_OK) != 0);
	begin(&p, "t");
	place_deinit(&p);
	check_tree(dir, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_resolve),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_nested),
	    cmocka_unit_test(test_commit_and_rollback),
	    cmocka_unit_test(test_target_changes_meanwhile),
	    cmocka_unit_test(test_stale_are_removed),
	    cmocka_unit_test(test_live_runs_are_kept),
	    cmocka_unit_test(test_killed_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
