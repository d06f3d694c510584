/* The scan of real trees: order, what cannot be read, and limits. */
#include "tests/unit/drive/scanfix.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

/* -- order ---------------------------------------------------------------- */

/* "." sorts before "/": a.txt stands before what is in a, and a- before
 * both. */
static void
test_order(void **state)
{
	static const char *const made[] = {
	    "f a/b=1\nf a.txt=22\nf a-=\nf a0=\nf \xc3\xa9=\nf Z=\nf a/a/z=\n",
	    "f Z=\nf a/a/z=\nf a0=\nf a.txt=22\nf \xc3\xa9=\nf a/b=1\nf a-=\n",
	    "f \xc3\xa9=\nf a0=\nf a/b=1\nf a/a/z=\nf a-=\nf a.txt=22\nf Z=\n"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *dir = vec_tmpdir();

		fix_put(dir, made[i]);
		fix_put(dir, "d empty\n"); /* folders are no entries */
		scan_is(dir,
		    "f /Z 0\nf /a- 0\nf /a.txt 2\nf /a/a/z 0\nf /a/b 1\n"
		    "f /a0 0\nf /\xc3\xa9 0\n",
		    "");
	}
}

static void
test_stat(void **state)
{
	const char *dir = vec_tmpdir();
	struct talk t = {.polls = 0};
	struct err e = ERR_INIT;
	struct stat want, got;
	struct scan *s = NULL;

	(void)state;
	fix_put(dir, "x a=12345\nl b=a\n");
	check_ok(scanfix_try(&s, dir, &t, &e), &e);
	check(s->n == 2);
	check(fstatat(scan_root(s), s->entry[0].path + 1, &want, 0) == 0);
	scan_stat(&s->entry[0], &got);
	check(got.st_dev == want.st_dev && got.st_ino == want.st_ino);
	check(got.st_size == want.st_size && got.st_mode == want.st_mode);
	check(got.st_mtim.tv_sec == want.st_mtim.tv_sec);
	check(got.st_mtim.tv_nsec == want.st_mtim.tv_nsec);
	check(got.st_ctim.tv_sec == want.st_ctim.tv_sec);
	check(got.st_ctim.tv_nsec == want.st_ctim.tv_nsec);
	check(scan_size(&s->entry[0]) == 5 && scan_size(&s->entry[1]) == 0);
	scan_free(s);
	buf_deinit(&t.warned);
}

/* Times before 1970 and after what 64 bits of nanoseconds hold come back as
 * the file system gives them. */
static void
test_odd_times(void **state)
{
	static const time_t odd[] = {
	    -5, -2000000000, 12000000000, INT64_C(100000000000)};
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f a=1\n");
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		const struct timespec t[2] = {
		    {odd[i], 250000000}, {odd[i], 250000000}};
		struct talk talk = {.polls = 0};
		struct err e = ERR_INIT;
		struct scan *s = NULL;
		struct stat want, got;

		check(utimensat(AT_FDCWD, fix_path(dir, "a"), t, 0) == 0);
		check(stat(fix_path(dir, "a"), &want) == 0);
		check_ok(scanfix_try(&s, dir, &talk, &e), &e);
		scan_stat(&s->entry[0], &got);
		check(got.st_mtim.tv_sec == want.st_mtim.tv_sec);
		check(got.st_mtim.tv_nsec == want.st_mtim.tv_nsec);
		scan_free(s);
		buf_deinit(&talk.warned);
	}
}

/* -- what is no file, and what cannot be read ----------------------------- */

static void
test_special(void **state)
{
	const char *dir = vec_tmpdir();
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	fix_put(dir, "f a=1\np pipe\n");
	check(fd >= 0);
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%.90s/sock", dir);
	check(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	scan_is(dir, "f /a 1\n",
	    "/pipe is skipped: a pipe is no file\n"
	    "/sock is skipped: a socket is no file\n");
	check(close(fd) == 0);
}

/* Run fn as a user who may not read everything. */
static void
as_nobody(void (*fn)(const char *dir), const char *dir)
{
	pid_t pid = fork();
	int status;

	check(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (setgroups(0, NULL) != 0 || setgid(65534) != 0 ||
			setuid(65534) != 0))
			_exit(1);
		fn(dir);
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
see_unreadable(const char *dir)
{
	scan_refused(dir, ERR_IO,
	    "3 paths cannot be read: /secret, /sub/secret, /folder");
}

static void
test_unreadable(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f a=1\nf secret=1\nf sub/secret=1\nf folder/x=1\n");
	check(chmod(dir, 0755) == 0);
	check(chmod(fix_path(dir, "secret"), 0200) == 0);
	check(chmod(fix_path(dir, "sub/secret"), 0) == 0);
	check(chmod(fix_path(dir, "folder"), 0) == 0);
	as_nobody(see_unreadable, dir);
	check(chmod(fix_path(dir, "folder"), 0755) == 0);
}

static void
test_no_folder(void **state)
{
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f a=1\n");
	scan_refused(fix_path(dir, "none"), ERR_NOT_FOUND, "none");
	scan_refused(fix_path(dir, "a"), ERR_IO, "a");
	dir = vec_tmpdir();
	scan_is(dir, "", "");
}

/* -- limits --------------------------------------------------------------- */

/* n folders "d" in each other; returns the innermost. */
static int
dig(const char *dir, int n, const char *name)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	check(fd >= 0);
	for (int i = 0; i < n; i++) {
		int next;

		check(mkdirat(fd, name, 0755) == 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		check(next >= 0 && close(fd) == 0);
		fd = next;
	}
	return fd;
}

static void
put_at(int fd, const char *name)
{
	int file = openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	check(file >= 0 && close(file) == 0);
}

static void
test_depth(void **state)
{
	const char *dir = vec_tmpdir();
	struct talk t = {.polls = 0};
	struct err e = ERR_INIT;
	struct scan *s = NULL;
	int fd;

	(void)state;
	fd = dig(dir, SCAN_DEPTH_MAX, "d");
	put_at(fd, "file");
	check_ok(scanfix_try(&s, dir, &t, &e), &e);
	check(s->n == 1 && strlen(s->entry[0].path) == 2 * 1000 + 5);
	scan_free(s);
	buf_deinit(&t.warned);
	check(mkdirat(fd, "d", 0755) == 0 && close(fd) == 0);
	scan_refused(dir, ERR_LIMIT, "more than 1000 folders deep: /d/d");
}

static void
test_path_length(void **state)
{
	const char *dir = vec_tmpdir();
	char name[251], last[128];
	struct talk t = {.polls = 0};
	struct err e = ERR_INIT;
	struct scan *s = NULL;
	int fd;

	(void)state;
	memset(name, 'n', 250);
	name[250] = '\0';
	fd = dig(dir, 16, name); /* 16 * 251 = 4016 bytes */
	memset(last, 'l', 80);
	last[79] = '\0'; /* "/" and 79 more: 4096 */
	put_at(fd, last);
	check_ok(scanfix_try(&s, dir, &t, &e), &e);
	check(s->n == 1 && strlen(s->entry[0].path) == SCAN_PATH_MAX);
	scan_free(s);
	buf_deinit(&t.warned);
	memcpy(last + 79, "l", 2);
	put_at(fd, last);
	check(close(fd) == 0);
	scan_refused(dir, ERR_LIMIT, "path longer than 4096 bytes: /nnn");
}

/* Every poll is a place to stop, and nothing is handed out. */
static void
test_stop(void **state)
{
	const char *dir = vec_tmpdir();
	int polls = 0;

	(void)state;
	fix_put(dir, "f a/b/c=1\nf d/e=1\nf f=1\n");
	for (int at = 1;; at++) {
		struct talk t = {.stop_at = at};
		struct err e = ERR_INIT;
		struct scan *s = NULL;
		enum err_code rc = scanfix_try(&s, dir, &t, &e);

		buf_deinit(&t.warned);
		scan_free(s);
		if (rc == ERR_OK)
			break;
		check(rc == ERR_INTERRUPTED && s == NULL);
		polls++;
	}
	check(polls == 4); /* one a folder */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_stat),
	    cmocka_unit_test(test_odd_times),
	    cmocka_unit_test(test_special),
	    cmocka_unit_test(test_unreadable),
	    cmocka_unit_test(test_no_folder),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_path_length),
	    cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
