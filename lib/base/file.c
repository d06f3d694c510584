#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum err_code
file_pread_all(
    int fd, const char *name, void *p, size_t n, uint64_t offset, struct err *e)
{
	uint8_t *at = p;
	ssize_t got;

	while (n > 0) {
		got = pread(fd, at, n, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_os(e, errno, "read %s", name);
		if (got == 0)
			return err_set(e, ERR_CORRUPT,
			    "read %s: ends before byte %llu", name,
			    (unsigned long long)(offset + n));
		at += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return ERR_OK;
}

enum err_code
file_pwrite_all(int fd, const char *name, const void *p, size_t n,
    uint64_t offset, struct err *e)
{
	const uint8_t *at = p;
	ssize_t put;

	while (n > 0) {
		put = pwrite(fd, at, n, (off_t)offset);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_os(e, errno, "write %s", name);
		at += put;
		offset += (uint64_t)put;
		n -= (size_t)put;
	}
	return ERR_OK;
}

enum err_code
file_sync(int fd, const char *name, struct err *e)
{
	if (fdatasync(fd) != 0)
		return err_os(e, errno, "sync %s", name);
	return ERR_OK;
}

enum err_code
file_sync_dir(int dirfd, const char *path, struct err *e)
{
	enum err_code rc = ERR_OK;
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_os(e, errno, "open %s", path);
	if (fsync(fd) != 0 && errno != EINVAL)
		rc = err_os(e, errno, "sync %s", path);
	close(fd);
	return rc;
}

static enum err_code
read_open_file(
    int fd, const char *path, size_t max, struct buf *out, struct err *e)
{
	struct stat st;
	uint8_t *p;
	ssize_t got;
	size_t total = 0;

	if (fstat(fd, &st) != 0)
		return err_os(e, errno, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is not a file", path);
	for (;;) {
		if ((p = buf_extend(out, 65536)) == NULL)
			return err_set(e, ERR_LIMIT,
			    "%s is longer than %zu bytes", path, max);
		do
			got = read(fd, p, 65536);
		while (got < 0 && errno == EINTR);
		out->len -= 65536 - (got > 0 ? (size_t)got : 0);
		if (got < 0)
			return err_os(e, errno, "read %s", path);
		if (got == 0)
			return ERR_OK;
		total += (size_t)got;
		if (total > max)
			return err_set(e, ERR_LIMIT,
			    "%s is longer than %zu bytes", path, max);
	}
}

enum err_code
file_read(
    int dirfd, const char *path, size_t max, struct buf *out, struct err *e)
{
	size_t start = out->len, limit = out->max;
	enum err_code rc;
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_os(e, errno, "open %s", path);
	if (limit < SIZE_MAX - 65536)
		out->max += 65536; /* room to see one byte too many */
	rc = read_open_file(fd, path, max, out, e);
	out->max = limit;
	close(fd);
	if (rc != ERR_OK)
		out->len = start;
	return rc;
}

/* The folder part of path, "." without one. */
static void
parent_of(char *out, size_t cap, const char *path)
{
	const char *slash = strrchr(path, '/');
	int n = slash == NULL ? 0 : (int)(slash - path);

	if (slash == NULL)
		(void)snprintf(out, cap, ".");
	else
		(void)snprintf(out, cap, "%.*s", n == 0 ? 1 : n, path);
}

static enum err_code
write_beside(
    int dirfd, const char *tmp, struct view data, mode_t mode, struct err *e)
{
	enum err_code rc;
	int fd = openat(dirfd, tmp,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return err_os(e, errno, "create %s", tmp);
	rc = file_pwrite_all(fd, tmp, data.ptr, data.len, 0, e);
	if (rc == ERR_OK && fchmod(fd, mode) != 0)
		rc = err_os(e, errno, "chmod %s", tmp);
	if (rc == ERR_OK && fsync(fd) != 0)
		rc = err_os(e, errno, "sync %s", tmp);
	if (close(fd) != 0 && rc == ERR_OK)
		rc = err_os(e, errno, "close %s", tmp);
	return rc;
}

enum put_how { PUT_REPLACE, PUT_NEW };

static enum err_code
put_in_place(int dirfd, const char *tmp, const char *path, enum put_how how,
    struct err *e)
{
	if (how == PUT_REPLACE) {
		if (renameat(dirfd, tmp, dirfd, path) != 0)
			return err_os(e, errno, "rename to %s", path);
		return ERR_OK;
	}
	if (linkat(dirfd, tmp, dirfd, path, 0) != 0)
		return err_os(e, errno, "create %s", path);
	(void)unlinkat(dirfd, tmp, 0);
	return ERR_OK;
}

static enum err_code
write_file(int dirfd, const char *path, struct view data, mode_t mode,
    enum put_how how, struct err *e)
{
	char tmp[4200], parent[4200];
	uint64_t r = 0;
	enum err_code rc;

	if (strlen(path) > 4096)
		return err_set(e, ERR_LIMIT, "path is longer than 4096 bytes");
	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return err_os(e, errno, "random name beside %s", path);
	(void)snprintf(
	    tmp, sizeof(tmp), "%s.tmp-%016llx", path, (unsigned long long)r);
	parent_of(parent, sizeof(parent), path);
	rc = write_beside(dirfd, tmp, data, mode, e);
	if (rc == ERR_OK)
		rc = put_in_place(dirfd, tmp, path, how, e);
	if (rc != ERR_OK) {
		(void)unlinkat(dirfd, tmp, 0);
		return rc;
	}
	return file_sync_dir(dirfd, parent, e);
}

enum err_code
file_write_atomic(
    int dirfd, const char *path, struct view data, mode_t mode, struct err *e)
{
	return write_file(dirfd, path, data, mode, PUT_REPLACE, e);
}

enum err_code
file_write_new(
    int dirfd, const char *path, struct view data, mode_t mode, struct err *e)
{
	return write_file(dirfd, path, data, mode, PUT_NEW, e);
}

enum err_code
file_mkdirs(const char *path, mode_t mode, struct err *e)
{
	enum err_code rc = ERR_OK;
	struct stat st;
	char *copy = strdup(path), *p;

	if (copy == NULL)
		return err_nomem(e);
	for (p = copy + 1; rc == ERR_OK; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		bool last = *p == '\0';

		*p = '\0';
		if (mkdir(copy, mode) != 0 &&
		    (errno != EEXIST || stat(copy, &st) != 0 ||
			!S_ISDIR(st.st_mode)))
			rc = err_os(e, errno, "make folder %s", copy);
		if (last)
			break;
		*p = '/';
	}
	free(copy);
	return rc;
}

/* The pid that holds a flock on this inode, 0 if the system does not say. */
static long
lock_holder(int fd)
{
	unsigned major, minor;
	unsigned long long ino;
	char line[256], kind[16];
	struct stat st;
	long pid, found = 0;
	FILE *f;

	if (fstat(fd, &st) != 0 || (f = fopen("/proc/locks", "re")) == NULL)
		return 0;
	while (found == 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%*d: %15s %*s %*s %ld %x:%x:%llu", kind, &pid,
			&major, &minor, &ino) == 5 &&
		    strcmp(kind, "FLOCK") == 0 && ino == st.st_ino &&
		    makedev(major, minor) == st.st_dev)
			found = pid;
	(void)fclose(f);
	return found;
}

enum err_code
file_lock(int fd, const char *name, struct err *e)
{
	long pid;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return err_os(e, errno, "lock %s", name);
		pid = lock_holder(fd);
		if (pid > 0)
			return err_set(e, ERR_LOCKED,
			    "%s is in use by process %ld", name, pid);
		return err_set(
		    e, ERR_LOCKED, "%s is in use by another process", name);
	}
	return ERR_OK;
}

enum err_code
file_punch(int fd, const char *name, uint64_t offset, uint64_t n, struct err *e)
{
#if defined(FALLOC_FL_PUNCH_HOLE) && defined(FALLOC_FL_KEEP_SIZE)
	if (n == 0)
		return ERR_OK;
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		(off_t)offset, (off_t)n) != 0 &&
	    errno != EOPNOTSUPP && errno != ENOSYS)
		return err_os(e, errno, "free space in %s", name);
#else
	(void)fd, (void)name, (void)offset, (void)n, (void)e;
#endif
	return ERR_OK;
}
