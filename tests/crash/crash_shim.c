/*
 * crash_shim: a library to preload that counts the calls by which a program
 * changes files, and ends the program, or fails the call, at the N-th.
 *
 *	CRASH_AT=N       the call this is about, from 1; 0 or unset: only count
 *	CRASH_DO=before  SIGKILL instead of the call
 *	         after   SIGKILL when the call has been made
 *	         torn    half of a write is made, then SIGKILL; as "before"
 *	                 for calls that are not writes
 *	         EIO     this call fails
 *	         ENOSPC  this call and all later ones that need room fail
 *	CRASH_TRACE=FILE one line per call, "N name", appended
 *	CRASH_COUNT=FILE the number of calls, at exit
 *
 * Calls on pipes, sockets, terminals and the standard streams are not
 * counted. Calls that libc makes for itself (stdio) are not seen.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum action { ACT_NONE, ACT_BEFORE, ACT_AFTER, ACT_TORN, ACT_EIO, ACT_ENOSPC };
/* What a call needs from the disk. */
enum need { NEED_NOTHING, NEED_ROOM };
/* What is to be done with the call at hand. */
enum verdict { GO, FAIL, HALF, DIE_AFTER };

static enum action action;
static long at;
static int trace = -1;
static atomic_long calls;

__attribute__((constructor)) static void
setup(void)
{
	static const char *const names[] = {
	    "none", "before", "after", "torn", "EIO", "ENOSPC"};
	const char *n = getenv("CRASH_AT"), *what = getenv("CRASH_DO");
	const char *file = getenv("CRASH_TRACE");

	at = n != NULL ? strtol(n, NULL, 10) : 0;
	for (unsigned i = 0; what != NULL && i < 6; i++)
		if (strcmp(what, names[i]) == 0)
			action = (enum action)i;
	if (file != NULL)
		trace =
		    open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((destructor)) static void
report(void)
{
	const char *file = getenv("CRASH_COUNT");
	FILE *f = file != NULL ? fopen(file, "w") : NULL;

	if (f == NULL)
		return;
	fprintf(f, "%ld\n", atomic_load(&calls));
	fclose(f);
}

__attribute__((noreturn)) static void
die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static void
note(long n, const char *name)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%ld %s\n", n, name);

	syscall(SYS_write, trace, line, (size_t)len);
}

static enum verdict
judge(const char *name, enum need need)
{
	long n = atomic_fetch_add(&calls, 1) + 1;

	if (trace >= 0)
		note(n, name);
	if (at == 0 || n < at)
		return GO;
	if (action == ACT_ENOSPC && need == NEED_ROOM) {
		errno = ENOSPC;
		return FAIL;
	}
	if (n != at)
		return GO;
	switch (action) {
	case ACT_BEFORE:
		die();
	case ACT_EIO:
		errno = EIO;
		return FAIL;
	case ACT_AFTER:
		return DIE_AFTER;
	case ACT_TORN:
		return HALF;
	case ACT_NONE:
	case ACT_ENOSPC:
		break;
	}
	return GO;
}

static int
is_file(int fd)
{
	struct stat st;

	/* what the program says is not what it stores */
	return fd > 2 && fstat(fd, &st) == 0 &&
	       (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* The next definition of a function in the order of loading. */
static void *
next(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (p == NULL)
		abort();
	return p;
}

/* A data pointer cannot be cast to a function in ISO C; a union can hold
 * both, as POSIX promises. */
#define REAL(type, name) \
	union { \
		void *data; \
		type; \
	} real = {next(name)}

/* A call that is no write: all or nothing. */
#define PLAIN(name, need, call) \
	do { \
		enum verdict v_ = judge(name, need); \
		if (v_ == FAIL) \
			return -1; \
		if (v_ == HALF) \
			die(); \
		rc = (call); \
		if (v_ == DIE_AFTER) \
			die(); \
	} while (0)

#define WRITE(name, full, half) \
	do { \
		enum verdict v_ = judge(name, NEED_ROOM); \
		if (v_ == FAIL) \
			return -1; \
		rc = v_ == HALF ? (half) : (full); \
		if (v_ != GO) \
			die(); \
	} while (0)

ssize_t
write(int fd, const void *p, size_t n)
{
	REAL(ssize_t(*fn)(int, const void *, size_t), "write");
	ssize_t rc;

	if (!is_file(fd))
		return real.fn(fd, p, n);
	WRITE("write", real.fn(fd, p, n), real.fn(fd, p, n / 2));
	return rc;
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t o)
{
	REAL(ssize_t(*fn)(int, const void *, size_t, off_t), "pwrite");
	ssize_t rc;

	WRITE("pwrite", real.fn(fd, p, n, o), real.fn(fd, p, n / 2, o));
	return rc;
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t o)
{
	REAL(ssize_t(*fn)(int, const void *, size_t, off64_t), "pwrite64");
	ssize_t rc;

	WRITE("pwrite64", real.fn(fd, p, n, o), real.fn(fd, p, n / 2, o));
	return rc;
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	REAL(ssize_t(*fn)(int, const struct iovec *, int), "writev");
	ssize_t rc;

	if (!is_file(fd))
		return real.fn(fd, v, n);
	WRITE("writev", real.fn(fd, v, n), real.fn(fd, v, n / 2));
	return rc;
}

ssize_t
pwritev(int fd, const struct iovec *v, int n, off_t o)
{
	REAL(ssize_t(*fn)(int, const struct iovec *, int, off_t), "pwritev");
	ssize_t rc;

	WRITE("pwritev", real.fn(fd, v, n, o), real.fn(fd, v, n / 2, o));
	return rc;
}

int
fsync(int fd)
{
	REAL(int (*fn)(int), "fsync");
	int rc;

	PLAIN("fsync", NEED_ROOM, real.fn(fd));
	return rc;
}

int
fdatasync(int fd)
{
	REAL(int (*fn)(int), "fdatasync");
	int rc;

	PLAIN("fdatasync", NEED_ROOM, real.fn(fd));
	return rc;
}

int
msync(void *p, size_t n, int flags)
{
	REAL(int (*fn)(void *, size_t, int), "msync");
	int rc;

	PLAIN("msync", NEED_ROOM, real.fn(p, n, flags));
	return rc;
}

int
ftruncate(int fd, off_t n)
{
	REAL(int (*fn)(int, off_t), "ftruncate");
	int rc;

	PLAIN("ftruncate", NEED_NOTHING, real.fn(fd, n));
	return rc;
}

int
ftruncate64(int fd, off64_t n)
{
	REAL(int (*fn)(int, off64_t), "ftruncate64");
	int rc;

	PLAIN("ftruncate64", NEED_NOTHING, real.fn(fd, n));
	return rc;
}

int
fallocate(int fd, int mode, off_t o, off_t n)
{
	REAL(int (*fn)(int, int, off_t, off_t), "fallocate");
	int rc;

	PLAIN("fallocate", NEED_ROOM, real.fn(fd, mode, o, n));
	return rc;
}

int
rename(const char *from, const char *to)
{
	REAL(int (*fn)(const char *, const char *), "rename");
	int rc;

	PLAIN("rename", NEED_ROOM, real.fn(from, to));
	return rc;
}

int
renameat(int a, const char *from, int b, const char *to)
{
	REAL(int (*fn)(int, const char *, int, const char *), "renameat");
	int rc;

	PLAIN("renameat", NEED_ROOM, real.fn(a, from, b, to));
	return rc;
}

int
renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	REAL(int (*fn)(int, const char *, int, const char *, unsigned),
	    "renameat2");
	int rc;

	PLAIN("renameat2", NEED_ROOM, real.fn(a, from, b, to, flags));
	return rc;
}

int
unlink(const char *path)
{
	REAL(int (*fn)(const char *), "unlink");
	int rc;

	PLAIN("unlink", NEED_NOTHING, real.fn(path));
	return rc;
}

int
unlinkat(int dir, const char *path, int flags)
{
	REAL(int (*fn)(int, const char *, int), "unlinkat");
	int rc;

	PLAIN("unlinkat", NEED_NOTHING, real.fn(dir, path, flags));
	return rc;
}

int
link(const char *from, const char *to)
{
	REAL(int (*fn)(const char *, const char *), "link");
	int rc;

	PLAIN("link", NEED_ROOM, real.fn(from, to));
	return rc;
}

int
linkat(int a, const char *from, int b, const char *to, int flags)
{
	REAL(int (*fn)(int, const char *, int, const char *, int), "linkat");
	int rc;

	PLAIN("linkat", NEED_ROOM, real.fn(a, from, b, to, flags));
	return rc;
}

int
symlinkat(const char *target, int dir, const char *path)
{
	REAL(int (*fn)(const char *, int, const char *), "symlinkat");
	int rc;

	PLAIN("symlinkat", NEED_ROOM, real.fn(target, dir, path));
	return rc;
}

int
mkdir(const char *path, mode_t mode)
{
	REAL(int (*fn)(const char *, mode_t), "mkdir");
	int rc;

	PLAIN("mkdir", NEED_ROOM, real.fn(path, mode));
	return rc;
}

int
mkdirat(int dir, const char *path, mode_t mode)
{
	REAL(int (*fn)(int, const char *, mode_t), "mkdirat");
	int rc;

	PLAIN("mkdirat", NEED_ROOM, real.fn(dir, path, mode));
	return rc;
}
