/* Whole builds: what lands in a deployment directory, what is refused
 * before anything is written, and what is there after a run ended badly.
 * A little over 600 lines, because all tests stand on the same scene. */
#include "support/treefix.h"

#include <signal.h>
#include <sys/wait.h>

#include "build-tool/build.h"

#define PACKAGE \
	"{ \"name\": \"hello\",\t\"productName\": \"Hello\", " \
	"\"version\": \"1.2.3\", \"upgrade\": \"pear://" \
	"oeeoz3w6fjjt7bym3ndpa6hhicm8f8naxyk11z4iypeoupn6jzpo\" }"

enum { DARWIN = 0, LINUX = 3, WIN32 = 4, IOS = 6, ANDROID = 9 };

struct seen {
	char text[4096]; /* one line an event, paths below the folder */
	const char *dir;
	int polls, stop_at, kill_at;
};

static const char *
shorten(const struct seen *s, const char *path)
{
	size_t n = strlen(s->dir);

	check(strncmp(path, s->dir, n) == 0 && path[n] == '/');
	return path + n + 1;
}

static void
on_event(void *ctx, const struct build_event *ev)
{
	struct seen *s = ctx;
	size_t n = strlen(s->text), cap = sizeof(s->text) - n;

	switch (ev->kind) {
	case BUILD_MIRRORING:
	case BUILD_MIRRORED:
		(void)snprintf(s->text + n, cap, "%s %s to %s\n",
		    ev->kind == BUILD_MIRRORING ? "mirroring" : "mirrored",
		    shorten(s, ev->from), shorten(s, ev->to));
		return;
	case BUILD_WARNING:
		(void)snprintf(s->text + n, cap, "warning %s\n", ev->message);
		return;
	}
}

static bool
on_poll(void *ctx)
{
	struct seen *s = ctx;

	if (++s->polls == s->kill_at)
		(void)raise(SIGKILL);
	return s->polls == s->stop_at;
}

struct scene {
	char dir[4096];
	struct seen seen;
	struct build_opts opts;
	bool unchanged; /* by the last run */
};

/* A fresh working directory with an app, its package.json, and builds. */
static void
open_scene(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	check(realpath(vec_tmpdir(), s->dir) != NULL);
	check(chdir(s->dir) == 0);
	fix_put(s->dir, "f app/package.json=" PACKAGE "\n"
			"x mac/Hello.app/Contents/MacOS/Hello=mach\n"
			"l mac/Hello.app/Contents/Current=MacOS\n"
			"d mac/Hello.app/Contents/Empty\n"
			"x lin/Hello.AppImage=elf\n"
			"f win/Hello.msix=msix\n"
			"f ios/Hello.bundle/app.bundle=js\n"
			"f ios/Hello.bundle/assets/a.png=png\n"
			"f droid/Hello/app.bundle=js2");
	s->seen.dir = s->dir;
	s->opts = (struct build_opts){.package = "app/package.json",
	    .target = "t",
	    .event = on_event,
	    .stop = on_poll,
	    .ctx = &s->seen};
}

/* The same, and two builds given. */
static void
open_two(struct scene *s)
{
	open_scene(s);
	s->opts.source[LINUX] = "lin/Hello.AppImage";
	s->opts.source[DARWIN] = "mac/Hello.app";
}

static enum err_code
run(struct scene *s, struct err *e)
{
	struct build_report r = {.target = NULL};
	enum err_code rc;

	s->seen.text[0] = '\0';
	s->seen.polls = 0;
	rc = build_run(&s->opts, &r, e);
	check(rc != ERR_OK || r.target[0] == '/');
	check(rc == ERR_OK || r.target == NULL);
	s->unchanged = r.unchanged;
	build_report_deinit(&r);
	return rc;
}

/* True: the target was up to date. */
static bool
run_ok(struct scene *s)
{
	struct err e = ERR_INIT;

	if (run(s, &e) != ERR_OK)
		vec_fail_err(__FILE__, __LINE__, "a build that works", &e);
	return s->unchanged;
}

/* What a run may leave besides the target: nothing. */
static void
check_no_temp(const struct scene *s)
{
	DIR *d = opendir(s->dir);
	struct dirent *de;

	check(d != NULL);
	while ((de = readdir(d)) != NULL)
		check(strstr(de->d_name, ".build-") == NULL);
	(void)closedir(d);
}

static void
test_several_architectures(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	/* given in any order, built in that of the table */
	s.opts.source[ANDROID] = "droid/Hello/";
	s.opts.source[IOS] = "ios/Hello.bundle";
	s.opts.source[WIN32] = "./win/Hello.msix";
	s.opts.source[LINUX] = "lin/Hello.AppImage";
	s.opts.source[DARWIN] = "mac/Hello.app";
	check(!run_ok(&s));
	check_tree("t",
	    "f by-arch/android-arm64/app/Hello/app.bundle=js2\n"
	    "l by-arch/darwin-arm64/app/Hello.app/Contents/Current=MacOS\n"
	    "x by-arch/darwin-arm64/app/Hello.app/Contents/MacOS/Hello=mach\n"
	    "f by-arch/ios-arm64/app/Hello.bundle/app.bundle=js\n"
	    "f by-arch/ios-arm64/app/Hello.bundle/assets/a.png=png\n"
	    "x by-arch/linux-x64/app/Hello.AppImage=elf\n"
	    "f by-arch/win32-x64/app/Hello.msix=msix\n"
	    "f package.json=" PACKAGE "\n");
	assert_string_equal(s.seen.text,
	    "mirroring mac/Hello.app to t/by-arch/darwin-arm64/app\n"
	    "mirrored mac/Hello.app to t/by-arch/darwin-arm64/app\n"
	    "mirroring lin/Hello.AppImage to t/by-arch/linux-x64/app\n"
	    "mirrored lin/Hello.AppImage to t/by-arch/linux-x64/app\n"
	    "mirroring win/Hello.msix to t/by-arch/win32-x64/app\n"
	    "mirrored win/Hello.msix to t/by-arch/win32-x64/app\n"
	    "mirroring ios/Hello.bundle to t/by-arch/ios-arm64/app\n"
	    "mirrored ios/Hello.bundle to t/by-arch/ios-arm64/app\n"
	    "mirroring droid/Hello to t/by-arch/android-arm64/app\n"
	    "mirrored droid/Hello to t/by-arch/android-arm64/app\n");
	check_no_temp(&s);
}

static void
test_every_architecture(void **state)
{
	struct scene s;
	char path[200];

	(void)state;
	open_scene(&s);
	for (size_t i = 0; i < ARCH_COUNT; i++)
		s.opts.source[i] = arch_table[i].form == ARCH_FILE
				       ? "lin/Hello.AppImage"
				       : "droid/Hello";
	check(!run_ok(&s));
	for (size_t i = 0; i < ARCH_COUNT; i++) {
		(void)snprintf(path, sizeof(path), "t/by-arch/%s/app/%s",
		    arch_table[i].folder,
		    arch_table[i].form == ARCH_FILE ? "Hello.AppImage"
						    : "Hello/app.bundle");
		check(access(path, R_OK) == 0);
	}
}

static void
test_default_target(void **state)
{
	static const struct {
		const char *package, *target; /* NULL = refused */
	} rows[] = {
	    {"{\"name\":\"Hello\",\"version\":\"1.0.0\"}", "Hello-1.0.0"},
	    {"{\"name\":\"x\",\"productName\":\"Hello\",\"version\":\"2\"}",
		"x-2"},
	    {"{\"name\":\"Hello\"}", NULL},
	    {"{\"productName\":\"Hello\",\"version\":\"1.0.0\"}", NULL},
	    {"{\"name\":\"@a/b\",\"productName\":\"Hello\",\"version\":"
	     "\"1.0.0\"}",
		NULL},
	    {"{\"name\":\"Hello\",\"version\":\"../1\"}", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		struct scene s;

		open_scene(&s);
		s.opts.target = NULL;
		s.opts.source[LINUX] = "lin/Hello.AppImage";
		fix_put_file("app/package.json", rows[i].package, 0644);
		if (rows[i].target == NULL) {
			check_code(run(&s, &e), ERR_INVALID);
			check(strstr(e.msg, "--target") != NULL);
			continue;
		}
		check(!run_ok(&s));
		check(access(rows[i].target, F_OK) == 0);
	}
}

static void
test_warnings(void **state)
{
	static const char version[] =
	    "warning version is not x.y.z: provision will refuse it\n";
	static const char upgrade[] =
	    "warning upgrade is missing or no pear link: installed apps will "
	    "find no updates\n";
	static const struct {
		const char *version, *upgrade;
		bool warn_version, warn_upgrade;
	} rows[] = {
	    {"1.2.3",
		"pear://"
		"oeeoz3w6fjjt7bym3ndpa6hhicm8f8naxyk11z4iypeoupn6jzpo",
		false, false},
	    {"1.2.3-rc.1",
		"pear://"
		"oeeoz3w6fjjt7bym3ndpa6hhicm8f8naxyk11z4iypeoupn6jz"
		"po",
		true, false},
	    {"1.2",
		"pear://"
		"oeeoz3w6fjjt7bym3ndpa6hhicm8f8naxyk11z4iypeoupn6jzpo",
		true, false},
	    {"1.2.3", "https://example.org", false, true},
	    {"", "", true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[500], want[500];
		struct scene s;

		open_scene(&s);
		s.opts.source[LINUX] = "lin/Hello.AppImage";
		(void)snprintf(text, sizeof(text),
		    "{\"name\":\"Hello\",\"version\":\"%s\",\"upgrade\":"
		    "\"%s\"}",
		    rows[i].version, rows[i].upgrade);
		fix_put_file("app/package.json", text, 0644);
		(void)run_ok(&s);
		(void)snprintf(want, sizeof(want), "%s%s",
		    rows[i].warn_version ? version : "",
		    rows[i].warn_upgrade ? upgrade : "");
		*strstr(s.seen.text, "mirroring") = '\0';
		assert_string_equal(s.seen.text, want);
	}
}

/* Everything is checked before anything is written. */
static void
test_refused_before_writing(void **state)
{
	static const struct {
		const char *package, *linux_app, *android, *target;
		enum err_code rc;
		const char *says;
	} rows[] = {
	    {"app/none.json", "lin/Hello.AppImage", NULL, "n/t", ERR_NOT_FOUND,
		"app/none.json"},
	    {"app/bad.json", "lin/Hello.AppImage", NULL, "n/t", ERR_INVALID,
		"--package"},
	    {"app/noname.json", "lin/Hello.AppImage", NULL, "n/t", ERR_INVALID,
		"no usable name"},
	    {"app/slash.json", "lin/Hello.AppImage", NULL, "n/t", ERR_INVALID,
		"no usable name"},
	    {"app", "lin/Hello.AppImage", NULL, "n/t", ERR_INVALID, "app"},
	    {"app/package.json", "lin/none", NULL, "n/t", ERR_NOT_FOUND,
		"--linux-x64-app lin/none"},
	    {"app/package.json", "win", NULL, "n/t", ERR_INVALID,
		"takes a file"},
	    {"app/package.json", "win/Other.exe", NULL, "n/t", ERR_INVALID,
		"expected directory Hello but got Other.exe for linux-x64"},
	    /* the second one is wrong */
	    {"app/package.json", "lin/Hello.AppImage", "ios", "n/t",
		ERR_INVALID,
		"expected directory Hello but got ios for android-arm64"},
	    {"app/package.json", "lin/Hello.AppImage", NULL, "app/n/t",
		ERR_INVALID, "lies in the app's folder"},
	    {"app/package.json", NULL, "droid/Hello", "droid/Hello/n/t",
		ERR_INVALID, "lies in"},
	    {"app/package.json", NULL, "droid/Hello", "droid", ERR_INVALID,
		"holds"},
	    {"app/package.json", "lin/Hello.AppImage", NULL, "win/Other.exe",
		ERR_INVALID, "is no folder"},
	};
	static const char before[] =
	    "f app/bad.json={\n"
	    "f app/noname.json={\"version\":\"1.0.0\"}\n"
	    "f app/package.json=" PACKAGE "\n"
	    "f app/slash.json={\"name\":\"a/b\",\"version\":\"1\"}\n"
	    "f droid/Hello/app.bundle=js2\n"
	    "f ios/Hello.bundle/app.bundle=js\n"
	    "f ios/Hello.bundle/assets/a.png=png\n"
	    "x lin/Hello.AppImage=elf\n"
	    "l mac/Hello.app/Contents/Current=MacOS\n"
	    "d mac/Hello.app/Contents/Empty\n"
	    "x mac/Hello.app/Contents/MacOS/Hello=mach\n"
	    "f win/Hello.msix=msix\n"
	    "f win/Other.exe=other\n";
	struct scene s;

	(void)state;
	open_scene(&s);
	fix_put(s.dir, "f win/Other.exe=other\nf app/bad.json={\n"
		       "f app/noname.json={\"version\":\"1.0.0\"}\n"
		       "f app/slash.json={\"name\":\"a/b\",\"version\":\"1\"}");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;

		s.opts.package = rows[i].package;
		s.opts.source[LINUX] = rows[i].linux_app;
		s.opts.source[ANDROID] = rows[i].android;
		s.opts.target = rows[i].target;
		check_code(run(&s, &e), rows[i].rc);
		if (strstr(e.msg, rows[i].says) == NULL)
			vec_fail(rows[i].says, (int)i, e.msg);
		check_tree(s.dir, before);
	}
}

/* Allowed, the next build holds the one before, but never itself. */
static void
test_nested_when_allowed(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	s.opts.source[ANDROID] = "droid/Hello";
	s.opts.target = "droid/Hello/out/t";
	s.opts.allow_nested = true;
	check(!run_ok(&s));
	check_tree("droid/Hello/out",
	    "f t/by-arch/android-arm64/app/Hello/app.bundle=js2\n"
	    "f t/package.json=" PACKAGE "\n");
	s.opts.target = "app/t";
	check(!run_ok(&s));
	check_tree("app/t/by-arch",
	    "f android-arm64/app/Hello/app.bundle=js2\n"
	    "f android-arm64/app/Hello/out/t/by-arch/android-arm64/app/Hello/"
	    "app.bundle=js2\n"
	    "f android-arm64/app/Hello/out/t/package.json=" PACKAGE "\n");
}

static void
test_again(void **state)
{
	struct err e = ERR_INIT;
	struct scene s;

	(void)state;
	open_two(&s);
	check(!run_ok(&s));
	/* the same: with and without force, also with other modes */
	check(run_ok(&s));
	s.opts.force = true;
	check(run_ok(&s));
	s.opts.force = false;
	check(chmod("t/package.json", 0600) == 0);
	check(run_ok(&s));
	/* each kind of difference is refused, and nothing changes */
	fix_put_file("lin/Hello.AppImage", "elf2", 0755);
	check_code(run(&s, &e), ERR_EXISTS);
	check(strstr(e.msg, "--force") != NULL);
	check(strstr(e.msg, s.dir) != NULL);
	fix_put_file("lin/Hello.AppImage", "elf", 0644);
	check_code(run(&s, &e), ERR_EXISTS);
	fix_put_file("lin/Hello.AppImage", "elf", 0755);
	check(run_ok(&s));
	fix_put_file("app/package.json", PACKAGE "\n", 0644);
	check_code(run(&s, &e), ERR_EXISTS);
	fix_put_file("app/package.json", PACKAGE, 0644);
	s.opts.source[DARWIN] = NULL;
	check_code(run(&s, &e), ERR_EXISTS);
	check_tree("t",
	    "l by-arch/darwin-arm64/app/Hello.app/Contents/Current=MacOS\n"
	    "x by-arch/darwin-arm64/app/Hello.app/Contents/MacOS/Hello=mach\n"
	    "x by-arch/linux-x64/app/Hello.AppImage=elf\n"
	    "600 package.json=" PACKAGE "\n");
	check_no_temp(&s);
}

/* Force replaces what was given, prunes below its name only, and keeps the
 * rest of the target. */
static void
test_force(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	fix_put("t", "f by-arch/android-arm64/app/Hello/old.bundle=old\n"
		     "f by-arch/android-arm64/app/HelloOld/keep=1\n"
		     "f by-arch/android-arm64/other=1\n"
		     "x by-arch/linux-x64/app/Hello.AppImage=keep\n"
		     "l by-arch/linux-x64/app/link=Hello.AppImage\n"
		     "f notes.txt=keep\nf package.json=old\n"
		     "f sub/package.json=keep");
	s.opts.source[ANDROID] = "droid/Hello";
	s.opts.force = true;
	check(!run_ok(&s));
	check_tree("t", "f by-arch/android-arm64/app/Hello/app.bundle=js2\n"
			"f by-arch/android-arm64/app/HelloOld/keep=1\n"
			"f by-arch/android-arm64/other=1\n"
			"x by-arch/linux-x64/app/Hello.AppImage=keep\n"
			"l by-arch/linux-x64/app/link=Hello.AppImage\n"
			"f notes.txt=keep\nf package.json=" PACKAGE "\n"
			"f sub/package.json=keep\n");
	check_no_temp(&s);
	check(run_ok(&s));
}

/* What is replaced may be of another kind before. */
static void
test_force_over_other_kinds(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	fix_put("t", "f package.json/x=1\nl by-arch/android-arm64/app/Hello=/\n"
		     "f by-arch/linux-x64/app/Hello.AppImage/x=1");
	s.opts.source[ANDROID] = "droid/Hello";
	s.opts.source[LINUX] = "lin/Hello.AppImage";
	s.opts.force = true;
	check(!run_ok(&s));
	check_tree("t", "f by-arch/android-arm64/app/Hello/app.bundle=js2\n"
			"x by-arch/linux-x64/app/Hello.AppImage=elf\n"
			"f package.json=" PACKAGE "\n");
}

/* A link in the old build never leads the new one out of the target. */
static void
test_force_over_links(void **state)
{
	struct err e = ERR_INIT;
	struct scene s;

	(void)state;
	open_scene(&s);
	fix_put(s.dir, "d outside\nl t/by-arch=../outside\nf t/x=1");
	s.opts.source[ANDROID] = "droid/Hello";
	s.opts.force = true;
	check_code(run(&s, &e), ERR_CONFLICT);
	check_tree("outside", "");
	check_tree("t", "l by-arch=../outside\nf x=1\n");
	check_no_temp(&s);
}

static void
test_special_files(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	fix_put(s.dir, "p droid/Hello/pipe\nl droid/Hello/l=/nowhere");
	s.opts.source[ANDROID] = "droid/Hello";
	check(!run_ok(&s));
	check(strstr(s.seen.text, "warning ") != NULL);
	check(strstr(s.seen.text, "droid/Hello/pipe is skipped") != NULL);
	check_tree("t/by-arch/android-arm64/app",
	    "f Hello/app.bundle=js2\nl Hello/l=/nowhere\n");
	/* the pipe does not make it another build */
	check(run_ok(&s));
}

/* Asked to stop at any point: the target is as before. */
static void
test_stop_at_every_poll(void **state)
{
	struct scene s;
	int n;

	(void)state;
	open_two(&s);
	check(!run_ok(&s));
	n = s.seen.polls;
	check(n > 5);
	for (int force = 0; force < 2; force++) {
		open_two(&s);
		s.opts.force = force != 0;
		if (force)
			fix_put("t", "f old=1");
		for (s.seen.stop_at = 1; s.seen.stop_at <= n;
		     s.seen.stop_at++) {
			struct err e = ERR_INIT;

			check_code(run(&s, &e), ERR_INTERRUPTED);
			if (force)
				check_tree("t", "f old=1\n");
			else
				check(access("t", F_OK) != 0);
			check_no_temp(&s);
		}
	}
}

/* Killed at any point: no half target, and the next run cleans up. */
static void
test_kill_at_every_poll(void **state)
{
	struct scene s;
	int n, status = 0;
	pid_t pid;

	(void)state;
	open_two(&s);
	s.opts.force = true;
	fix_put("t", "f old=1");
	check(!run_ok(&s));
	n = s.seen.polls;
	open_two(&s);
	s.opts.force = true;
	fix_put("t", "f old=1");
	for (s.seen.kill_at = 1; s.seen.kill_at <= n; s.seen.kill_at++) {
		check((pid = fork()) >= 0);
		if (pid == 0)
			_exit(run(&s, NULL) == ERR_OK);
		check(waitpid(pid, &status, 0) == pid);
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		check_tree("t", "f old=1\n");
	}
	s.seen.kill_at = 0;
	check(!run_ok(&s));
	check(access("t/old", F_OK) == 0);
	check(access("t/by-arch/linux-x64/app/Hello.AppImage", X_OK) == 0);
	check_no_temp(&s);
}

/* Nobody listens and nobody stops it. */
static void
test_without_callbacks(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	fix_put(s.dir, "p droid/Hello/pipe");
	fix_put_file("app/package.json", "{\"name\":\"Hello\"}", 0644);
	s.opts.source[ANDROID] = "droid/Hello";
	s.opts.event = NULL;
	s.opts.stop = NULL;
	check(!run_ok(&s));
	check_tree("t", "f by-arch/android-arm64/app/Hello/app.bundle=js2\n"
			"f package.json={\"name\":\"Hello\"}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_several_architectures),
	    cmocka_unit_test(test_every_architecture),
	    cmocka_unit_test(test_default_target),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_refused_before_writing),
	    cmocka_unit_test(test_nested_when_allowed),
	    cmocka_unit_test(test_again),
	    cmocka_unit_test(test_force),
	    cmocka_unit_test(test_force_over_other_kinds),
	    cmocka_unit_test(test_force_over_links),
	    cmocka_unit_test(test_special_files),
	    cmocka_unit_test(test_stop_at_every_poll),
	    cmocka_unit_test(test_kill_at_every_poll),
	    cmocka_unit_test(test_without_callbacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
