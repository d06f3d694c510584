/* fix: stores for the tests of lib/store. */
#ifndef TESTS_STORE_FIX_H
#define TESTS_STORE_FIX_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store.h"
#include "support/vec.h"

#define FIX_MACHINE "machine of the tests"

struct path {
	char s[4400];
};

static inline struct path
fix_path(const char *dir, const char *name)
{
	struct path p;
	int n = snprintf(p.s, sizeof(p.s), "%s/%s", dir, name);

	check(n > 0 && (size_t)n < sizeof(p.s));
	return p;
}

static inline enum err_code
fix_open(struct store **s, const char *dir, enum store_mode mode,
    enum store_moved moved, struct err *e)
{
	struct store_opts o = {
	    .dir = dir, .mode = mode, .moved = moved, .machine = FIX_MACHINE};

	return store_open(s, &o, e);
}

static inline struct store *
fix_create(const char *dir)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;

	check_ok(fix_open(&s, dir, STORE_CREATE, STORE_NOT_MOVED, &e), &e);
	return s;
}

static inline void
fix_put(struct store *s, const char *key, const char *val)
{
	struct err e = ERR_INIT;
	struct store_txn *txn;

	check_ok(store_begin(&txn, s, &e), &e);
	check_ok(
	    store_put(txn, STORE_META, view_str(key), view_str(val), &e), &e);
	check_ok(store_commit(txn, &e), &e);
}

/* Does the handle's snapshot hold key with this value (NULL: not at all)? */
static inline bool
fix_has(struct store *s, const char *key, const char *val)
{
	struct err e = ERR_INIT;
	struct view v;
	enum err_code rc;

	rc = store_get(s, NULL, STORE_META, view_str(key), &v, &e);
	if (val == NULL)
		return rc == ERR_NOT_FOUND;
	return rc == ERR_OK && view_eq(v, view_str(val));
}

/* The exit status of a child; a signal fails the test. */
static inline int
fix_wait(pid_t pid)
{
	int st;

	check(pid > 0);
	check(waitpid(pid, &st, 0) == pid);
	check(WIFEXITED(st));
	return WEXITSTATUS(st);
}

static inline void
fix_cp(const char *from, const char *to)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("cp", "cp", "-a", from, to, (char *)NULL);
		_exit(127);
	}
	check(fix_wait(pid) == 0);
}

static inline void
fix_write(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	check(fd >= 0);
	check(write(fd, p, n) == (ssize_t)n);
	close(fd);
}

static inline size_t
fix_read(const char *path, void *p, size_t cap)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	check(fd >= 0);
	n = read(fd, p, cap);
	check(n >= 0);
	close(fd);
	return (size_t)n;
}

#endif
