#include "base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__linux__) && defined(SYS_openat2)
#include <linux/openat2.h>
#define HAVE_OPENAT2 1
#endif

/* Renames elsewhere in the tree make openat2 give up with EAGAIN. */
#define AGAIN_MAX 16

static const char *
quoted(char out[static 512], const char *path)
{
	return err_quote(out, 512, path, strlen(path));
}

static const char *
skip_slash(const char *path)
{
	return *path == '/' ? path + 1 : path;
}

static enum err_code
check_path(const char *path, struct err *e)
{
	const char *p = skip_slash(path);
	char q[512];

	if (strlen(path) > BENEATH_PATH_MAX)
		return err_set(
		    e, ERR_LIMIT, "path too long: %s", quoted(q, path));
	while (*p != '\0') {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.') ||
		    (p[n] == '/' && p[n + 1] == '\0'))
			return err_set(
			    e, ERR_INVALID, "unsafe path: %s", quoted(q, path));
		p += n + (p[n] == '/');
	}
	return ERR_OK;
}

static enum err_code
open_error(const char *path, struct err *e)
{
	int os = errno;
	char q[512];

	if (os == ELOOP || os == EXDEV)
		return err_set(e, ERR_CONFLICT, "%s: a link stands in the way",
		    quoted(q, path));
	if (os == ENOTDIR)
		return err_set(e, ERR_CONFLICT,
		    "%s: a file stands where a folder is needed",
		    quoted(q, path));
	return err_os(e, os, "open %s", quoted(q, path));
}

#ifdef HAVE_OPENAT2
/* The descriptor, or -1 with errno; ENOSYS means: walk. */
static int
open_at_once(int root, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(unsigned)flags,
	    .mode = (flags & O_CREAT) != 0 ? 0600 : 0,
	    .resolve =
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	long fd = -1;

	for (int i = 0; i < AGAIN_MAX && fd < 0; i++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd < 0 && errno != EAGAIN && errno != EINTR)
			break;
	}
	/* A sandbox that does not know the call answers EPERM; a real EPERM
	 * comes back from the walk. The call takes a byte less than our
	 * longest path, and does not tell a link from a file. */
	if (fd < 0 && (errno == EAGAIN || errno == EPERM || errno == EINTR ||
			  errno == ENAMETOOLONG || errno == ENOTDIR))
		errno = ENOSYS;
	return (int)fd;
}
#else
static int
open_at_once(int root, const char *path, int flags)
{
	(void)root;
	(void)path;
	(void)flags;
	errno = ENOSYS;
	return -1;
}
#endif

/* One part, never a link. O_PATH does not open what it names, and with
 * O_DIRECTORY it tells a link by ENOTDIR: ask what it was. */
static int
open_part(int dirfd, const char *name, int flags)
{
	int fd = openat(dirfd, name, flags, 0600);
	struct stat st;

	if (fd < 0 && errno == ENOTDIR) {
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode))
			errno = ELOOP;
		else
			errno = ENOTDIR;
	}
	return fd;
}

static int
open_walking(int root, const char *path, int flags)
{
	int dirfd = root, fd;
	char part[256];

	for (;;) {
		size_t n = strcspn(path, "/");
		bool last = path[n] == '\0';

		if (n >= sizeof(part)) {
			errno = ENAMETOOLONG;
			fd = -1;
		} else {
			memcpy(part, path, n);
			part[n] = '\0';
			fd = open_part(dirfd, part,
			    last ? flags
				 : O_RDONLY | O_DIRECTORY | O_CLOEXEC |
				       O_NOFOLLOW);
		}
		if (dirfd != root) {
			int os = errno;

			close(dirfd);
			errno = os;
		}
		if (fd < 0 || last)
			return fd;
		dirfd = fd;
		path += n + 1;
	}
}

static int
open_raw(enum beneath_method how, int root, const char *path, int flags)
{
	const char *p = skip_slash(path);
	int fd = -1;

	flags |= O_CLOEXEC | O_NOFOLLOW;
	if (*p == '\0')
		p = ".";
	errno = ENOSYS;
	if (how == BENEATH_BEST)
		fd = open_at_once(root, p, flags);
	if (fd < 0 && errno == ENOSYS)
		fd = open_walking(root, p, flags);
	return fd;
}

enum err_code
beneath_open_with(enum beneath_method how, int root, const char *path,
    int flags, int *fd, struct err *e)
{
	enum err_code rc;
	int got;

	if ((rc = check_path(path, e)) != ERR_OK)
		return rc;
	if ((got = open_raw(how, root, path, flags)) < 0)
		return open_error(path, e);
	*fd = got;
	return ERR_OK;
}

enum err_code
beneath_open(int root, const char *path, int flags, int *fd, struct err *e)
{
	return beneath_open_with(BENEATH_BEST, root, path, flags, fd, e);
}

/* Open dir/name, creating it. Takes dirfd (closed unless it is root). */
static int
step_into(int root, int dirfd, const char *name)
{
	static const int flags =
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
	int fd = open_part(dirfd, name, flags), os;

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(dirfd, name, 0755) == 0) {
			fd = open_part(dirfd, name, flags);
			if (fd >= 0 && fchmod(fd, 0755) != 0) {
				os = errno;
				close(fd);
				errno = os;
				fd = -1;
			}
		} else if (errno == EEXIST) {
			fd = open_part(dirfd, name, flags);
		}
	}
	os = errno;
	if (dirfd != root)
		close(dirfd);
	errno = os;
	return fd;
}

/* The folder at path[0..n), all parts created. -1 with errno. */
static int
make_dirs(int root, const char *path, size_t n)
{
	char part[256];
	int fd = root;
	size_t at = 0;

	while (at < n) {
		size_t len = strcspn(path + at, "/");

		if (len >= sizeof(part)) {
			if (fd != root)
				close(fd);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(part, path + at, len);
		part[len] = '\0';
		if ((fd = step_into(root, fd, part)) < 0)
			return -1;
		at += len + 1;
	}
	return fd;
}

enum err_code
beneath_parent(int root, const char *path, enum beneath_parents make,
    int *dirfd, const char **name, struct err *e)
{
	const char *p = skip_slash(path), *slash = strrchr(p, '/');
	char dir[BENEATH_PATH_MAX + 1] = "", q[512];
	enum err_code rc;
	int fd;

	if ((rc = check_path(path, e)) != ERR_OK)
		return rc;
	if (*p == '\0')
		return err_set(
		    e, ERR_INVALID, "unsafe path: %s", quoted(q, path));
	if (slash != NULL)
		memcpy(dir, p, (size_t)(slash - p));
	fd = open_raw(BENEATH_BEST, root, dir, O_RDONLY | O_DIRECTORY);
	if (fd < 0 && errno == ENOENT && make == BENEATH_MAKE_PARENTS)
		fd = make_dirs(root, dir, strlen(dir));
	if (fd < 0)
		return open_error(path, e);
	*dirfd = fd;
	*name = slash == NULL ? p : slash + 1;
	return ERR_OK;
}

enum err_code
beneath_mkdir(int root, const char *path, struct err *e)
{
	const char *name;
	enum err_code rc;
	int dirfd, fd;

	rc = beneath_parent(root, path, BENEATH_MAKE_PARENTS, &dirfd, &name, e);
	if (rc != ERR_OK)
		return rc;
	fd = make_dirs(dirfd, name, strlen(name));
	rc = fd < 0 ? open_error(path, e) : ERR_OK;
	if (fd >= 0)
		close(fd);
	close(dirfd);
	return rc;
}

/* The parent for reading: a missing or wrong parent means: not there. */
static enum err_code
find_parent(
    int root, const char *path, int *dirfd, const char **name, struct err *e)
{
	enum err_code rc;
	char q[512];

	rc = beneath_parent(root, path, BENEATH_NO_PARENTS, dirfd, name, e);
	if (rc == ERR_CONFLICT || rc == ERR_NOT_FOUND)
		return err_set(
		    e, ERR_NOT_FOUND, "%s is not there", quoted(q, path));
	return rc;
}

enum err_code
beneath_stat(int root, const char *path, struct stat *st, struct err *e)
{
	const char *name;
	enum err_code rc;
	char q[512];
	int dirfd;

	if ((rc = find_parent(root, path, &dirfd, &name, e)) != ERR_OK)
		return rc;
	if (fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW) != 0)
		rc = err_os(e, errno, "stat %s", quoted(q, path));
	close(dirfd);
	return rc;
}

enum err_code
beneath_readlink(int root, const char *path, struct buf *out, struct err *e)
{
	char text[BENEATH_PATH_MAX + 1], q[512];
	const char *name;
	enum err_code rc;
	ssize_t n;
	int dirfd;

	if ((rc = find_parent(root, path, &dirfd, &name, e)) != ERR_OK)
		return rc;
	n = readlinkat(dirfd, name, text, sizeof(text));
	if (n < 0 && errno == EINVAL)
		rc = err_set(
		    e, ERR_INVALID, "%s is not a link", quoted(q, path));
	else if (n < 0)
		rc = err_os(e, errno, "read link %s", quoted(q, path));
	else if ((size_t)n == sizeof(text))
		rc = err_set(e, ERR_LIMIT, "link text of %s is too long",
		    quoted(q, path));
	else
		buf_append(out, view_of(text, (size_t)n));
	close(dirfd);
	return rc != ERR_OK ? rc : buf_check(out, e);
}
