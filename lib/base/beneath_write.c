/* Writing half of beneath.h: files and links beside and renamed, deletion. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/beneath.h"

#define TEMP_PREFIX ".pear-unfinished-"
#define TEMP_TRIES 100

static const char *
quoted(char out[static 512], const char *path)
{
	return err_quote(out, 512, path, strlen(path));
}

bool
beneath_is_temp(const char *name)
{
	size_t n = strlen(TEMP_PREFIX);

	return strncmp(name, TEMP_PREFIX, n) == 0 &&
	       strspn(name + n, "0123456789abcdef") == 16 &&
	       name[n + 16] == '\0';
}

static enum err_code
make_temp_name(char out[static 40], struct err *e)
{
	uint64_t r;

	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return err_os(e, errno, "random bytes");
	(void)snprintf(
	    out, 40, "%s%016llx", TEMP_PREFIX, (unsigned long long)r);
	return ERR_OK;
}

enum err_code
beneath_create(
    struct beneath_file *f, int root, const char *path, struct err *e)
{
	const char *name;
	enum err_code rc;
	char q[512];
	int dirfd;

	rc = beneath_parent(root, path, BENEATH_MAKE_PARENTS, &dirfd, &name, e);
	if (rc != ERR_OK)
		return rc;
	f->dirfd = dirfd;
	f->fd = -1;
	if (strlen(name) >= sizeof(f->name)) {
		rc =
		    err_set(e, ERR_LIMIT, "name too long: %s", quoted(q, path));
		beneath_abort(f);
		return rc;
	}
	memcpy(f->name, name, strlen(name) + 1);
	for (int i = 0; i < TEMP_TRIES && f->fd < 0; i++) {
		if ((rc = make_temp_name(f->temp, e)) != ERR_OK)
			break;
		f->fd = openat(dirfd, f->temp,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (f->fd < 0 && errno != EEXIST && errno != EINTR)
			break;
	}
	if (f->fd >= 0)
		return ERR_OK;
	if (rc == ERR_OK)
		rc = err_os(e, errno, "create %s", quoted(q, path));
	beneath_abort(f);
	return rc;
}

/* Rename temp over name; what cannot be replaced is named. */
static enum err_code
move_in(int dirfd, const char *temp, const char *name, struct err *e)
{
	char q[512];

	if (renameat(dirfd, temp, dirfd, name) == 0)
		return ERR_OK;
	if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST)
		return err_set(e, ERR_CONFLICT,
		    "%s: a folder stands in the way", quoted(q, name));
	return err_os(e, errno, "rename to %s", quoted(q, name));
}

enum err_code
beneath_commit(struct beneath_file *f, enum beneath_mode mode, struct err *e)
{
	enum err_code rc = ERR_OK;
	char q[512];

	if (fchmod(f->fd, mode == BENEATH_EXECUTABLE ? 0755 : 0644) != 0)
		rc = err_os(e, errno, "set mode of %s", quoted(q, f->name));
	/* Some file systems report a failed write only here. */
	if (close(f->fd) != 0 && errno != EINTR && rc == ERR_OK)
		rc = err_os(e, errno, "write %s", quoted(q, f->name));
	f->fd = -1;
	if (rc == ERR_OK)
		rc = move_in(f->dirfd, f->temp, f->name, e);
	if (rc == ERR_OK) {
		close(f->dirfd);
		f->dirfd = -1;
	}
	beneath_abort(f);
	return rc;
}

void
beneath_abort(struct beneath_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->dirfd >= 0) {
		if (f->temp[0] != '\0')
			(void)unlinkat(f->dirfd, f->temp, 0);
		close(f->dirfd);
	}
	*f = (struct beneath_file)BENEATH_FILE_INIT;
}

bool
beneath_link_inside(const char *path, const char *text)
{
	size_t depth = 0;

	if (text[0] == '/' || text[0] == '\0')
		return false;
	/* folders above the link */
	for (const char *p = path + (*path == '/'); *p != '\0'; p++)
		depth += *p == '/';
	while (*text != '\0') {
		size_t n = strcspn(text, "/");

		if (n == 2 && text[0] == '.' && text[1] == '.') {
			if (depth == 0)
				return false;
			depth--;
		} else if (n > 1 || (n == 1 && text[0] != '.')) {
			depth++;
		}
		text += n + (text[n] == '/');
	}
	return true;
}

void
beneath_link_relative(struct buf *out, const char *path, const char *target)
{
	size_t same = 0, start = out->len;

	path += *path == '/';
	target += *target == '/';
	/* folders both have in common */
	for (size_t i = 0; path[i] == target[i] && path[i] != '\0'; i++)
		if (path[i] == '/')
			same = i + 1;
	for (const char *p = path + same; *p != '\0'; p++)
		if (*p == '/')
			buf_str(out, "../");
	buf_str(out, target + same);
	if (out->len == start)
		buf_str(out, ".");
}

enum err_code
beneath_symlink(int root, const char *path, const char *text, struct err *e)
{
	char temp[40], q[512], t[512];
	const char *name;
	enum err_code rc;
	int dirfd;

	if (!beneath_link_inside(path, text))
		return err_set(e, ERR_INVALID,
		    "link %s leads out of the folder: %s", quoted(q, path),
		    quoted(t, text));
	rc = beneath_parent(root, path, BENEATH_MAKE_PARENTS, &dirfd, &name, e);
	if (rc != ERR_OK)
		return rc;
	for (int i = 0; i < TEMP_TRIES; i++) {
		if ((rc = make_temp_name(temp, e)) != ERR_OK ||
		    symlinkat(text, dirfd, temp) == 0)
			break;
		if (errno != EEXIST || i + 1 == TEMP_TRIES) {
			rc = err_os(e, errno, "link %s", quoted(q, path));
			break;
		}
	}
	if (rc == ERR_OK && (rc = move_in(dirfd, temp, name, e)) != ERR_OK)
		(void)unlinkat(dirfd, temp, 0);
	close(dirfd);
	return rc;
}

/* Delete the folders above path that are empty, from below. A folder that
 * is not empty, or that somebody else took away, ends it. */
static void
prune_parents(int root, const char *path)
{
	char dir[BENEATH_PATH_MAX + 2];
	struct err e;
	const char *name;
	char *slash;
	int dirfd;

	(void)snprintf(dir, sizeof(dir), "%s", path + (*path == '/'));
	while ((slash = strrchr(dir, '/')) != NULL) {
		bool gone;

		*slash = '\0';
		if (beneath_parent(root, dir, BENEATH_NO_PARENTS, &dirfd, &name,
			&e) != ERR_OK)
			return;
		gone = unlinkat(dirfd, name, AT_REMOVEDIR) == 0;
		close(dirfd);
		if (!gone)
			return;
	}
}

enum err_code
beneath_unlink(
    int root, const char *path, enum beneath_prune prune, struct err *e)
{
	const char *name;
	enum err_code rc;
	char q[512];
	int dirfd;

	rc = beneath_parent(root, path, BENEATH_NO_PARENTS, &dirfd, &name, e);
	if (rc == ERR_NOT_FOUND)
		return ERR_OK;
	if (rc != ERR_OK)
		return rc;
	if (unlinkat(dirfd, name, 0) != 0 && errno != ENOENT)
		rc =
		    errno == EISDIR || errno == EPERM
			? err_set(e, ERR_CONFLICT,
			      "%s: a folder stands in the way", quoted(q, path))
			: err_os(e, errno, "delete %s", quoted(q, path));
	close(dirfd);
	if (rc == ERR_OK && prune == BENEATH_PRUNE_PARENTS)
		prune_parents(root, path);
	return rc;
}

/* -- whole trees -- */

/*
 * Deletion works with two descriptors whatever the depth: the deepest folder
 * is emptied of files; a subfolder is entered by name; an empty folder is
 * left through ".." and deleted from its parent. `..` is safe here: it is
 * compared with the identity noted on the way down.
 */
struct level {
	dev_t dev;
	ino_t ino;
	char *name; /* of the folder entered from here */
};

struct remover {
	struct level *level;
	size_t depth;
	int fd;
};

/* Empty the folder of files. *sub: a folder found in it (malloc), or NULL. */
static int
empty_files(int fd, char **sub)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), os;
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *de;
	int rc = 0;

	*sub = NULL;
	if (d == NULL) {
		os = errno;
		if (copy >= 0)
			close(copy);
		errno = os;
		return -1;
	}
	while (rc == 0 && *sub == NULL) {
		errno = 0;
		if ((de = readdir(d)) == NULL) {
			rc = errno == 0 ? 0 : -1;
			break;
		}
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if ((de->d_type == DT_UNKNOWN || de->d_type != DT_DIR) &&
		    (unlinkat(fd, de->d_name, 0) == 0 || errno == ENOENT))
			continue;
		if (de->d_type != DT_DIR && errno != EISDIR && errno != EPERM)
			rc = -1;
		else if ((*sub = strdup(de->d_name)) == NULL)
			rc = -1;
	}
	os = errno;
	closedir(d);
	errno = os;
	return rc;
}

static int
descend(struct remover *r, char *sub)
{
	static const int flags =
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
	struct level *l = &r->level[r->depth];
	struct stat st;
	int fd;

	if (r->depth + 1 >= BENEATH_DEPTH_MAX || fstat(r->fd, &st) != 0) {
		if (r->depth + 1 >= BENEATH_DEPTH_MAX)
			errno = ENAMETOOLONG;
		free(sub);
		return -1;
	}
	fd = openat(r->fd, sub, flags);
	if (fd < 0 && errno == EACCES &&
	    fchmodat(r->fd, sub, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = openat(r->fd, sub, flags);
	if (fd < 0) {
		free(sub);
		return -1;
	}
	*l = (struct level){st.st_dev, st.st_ino, sub};
	r->depth++;
	close(r->fd);
	r->fd = fd;
	return 0;
}

static int
ascend(struct remover *r)
{
	struct level *l = &r->level[r->depth - 1];
	int fd = openat(
	    r->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return -1;
	close(r->fd);
	r->fd = fd;
	if (fstat(fd, &st) != 0)
		return -1;
	if (st.st_dev != l->dev || st.st_ino != l->ino) {
		errno = EBUSY; /* moved away while we were in it */
		return -1;
	}
	r->depth--;
	if (unlinkat(fd, l->name, AT_REMOVEDIR) != 0 && errno != ENOENT &&
	    errno != ENOTEMPTY && errno != EEXIST)
		return -1;
	free(l->name);
	l->name = NULL;
	return 0;
}

/* Everything below r->fd. */
static int
remove_below(struct remover *r)
{
	char *sub;

	for (;;) {
		if (empty_files(r->fd, &sub) != 0)
			return -1;
		if (sub != NULL) {
			if (descend(r, sub) != 0)
				return -1;
			continue;
		}
		if (r->depth == 0)
			return 0;
		if (ascend(r) != 0)
			return -1;
	}
}

static enum err_code
remove_tree(int dirfd, const char *name, struct err *e)
{
	struct remover r = {NULL, 0, -1};
	enum err_code rc = ERR_OK;
	char q[512];

	r.level = calloc(BENEATH_DEPTH_MAX, sizeof(*r.level));
	if (r.level == NULL)
		return err_nomem(e);
	r.fd = openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (r.fd < 0 || remove_below(&r) != 0 ||
	    unlinkat(dirfd, name, AT_REMOVEDIR) != 0)
		rc = err_os(e, errno, "delete %s", quoted(q, name));
	if (r.fd >= 0)
		close(r.fd);
	for (size_t i = 0; i < BENEATH_DEPTH_MAX; i++)
		free(r.level[i].name);
	free(r.level);
	return rc;
}

enum err_code
beneath_remove(int root, const char *path, struct err *e)
{
	const char *name;
	enum err_code rc;
	struct stat st;
	char q[512];
	int dirfd;

	rc = beneath_parent(root, path, BENEATH_NO_PARENTS, &dirfd, &name, e);
	if (rc == ERR_NOT_FOUND)
		return ERR_OK;
	if (rc != ERR_OK)
		return rc;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		rc = errno == ENOENT
			 ? ERR_OK
			 : err_os(e, errno, "stat %s", quoted(q, path));
	else if (S_ISDIR(st.st_mode))
		rc = remove_tree(dirfd, name, e);
	else if (unlinkat(dirfd, name, 0) != 0 && errno != ENOENT)
		rc = err_os(e, errno, "delete %s", quoted(q, path));
	close(dirfd);
	return rc;
}
