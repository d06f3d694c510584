/*
 * beneath: files below a folder that nothing may leave.
 *
 * Paths come from outside (a drive, a package) and are resolved below `root`,
 * an open folder. No component may be a symbolic link, so a link that is put
 * in the way, before or while we look, leads to an error and never out of
 * the folder. Paths are "a/b" or "/a/b"; a part that is empty, "." or ".."
 * is ERR_INVALID. A link or a file where a folder is needed is ERR_CONFLICT.
 *
 * Linux resolves in one step (openat2); elsewhere, and on old kernels, the
 * path is walked part by part, each opened without following links.
 *
 *	struct beneath_file f = BENEATH_FILE_INIT;
 *	if ((rc = beneath_create(&f, root, "/a/b", e)) == ERR_OK &&
 *	    (rc = write_all(f.fd, ...)) == ERR_OK)
 *		rc = beneath_commit(&f, BENEATH_EXECUTABLE, e);
 *	beneath_abort(&f);	(does nothing after a commit)
 */
#ifndef BASE_BENEATH_H
#define BASE_BENEATH_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

#define BENEATH_PATH_MAX 4096 /* bytes of a path, without NUL */

/* How a path is resolved; BEST is for everybody, WALK is for tests. */
enum beneath_method { BENEATH_BEST, BENEATH_WALK };

/* Open an existing or (O_CREAT in flags) new file or folder. O_CLOEXEC and
 * O_NOFOLLOW are added. "" and "/" are the root itself. ERR_NOT_FOUND if
 * nothing is there. The caller closes *fd. */
NODISCARD enum err_code beneath_open(
    int root, const char *path, int flags, int *fd, struct err *e);
NODISCARD enum err_code beneath_open_with(enum beneath_method how, int root,
    const char *path, int flags, int *fd, struct err *e);

/* The folder that holds path, and the last part of path (borrowed). MAKE
 * creates missing folders, mode 0755 whatever the umask says. */
enum beneath_parents { BENEATH_NO_PARENTS, BENEATH_MAKE_PARENTS };
NODISCARD enum err_code beneath_parent(int root, const char *path,
    enum beneath_parents make, int *dirfd, const char **name, struct err *e);

/* Create a folder and its parents; an existing folder is fine. */
NODISCARD enum err_code beneath_mkdir(
    int root, const char *path, struct err *e);

/* lstat. ERR_NOT_FOUND also if a parent is missing or not a folder. */
NODISCARD enum err_code beneath_stat(
    int root, const char *path, struct stat *st, struct err *e);
/* The text of a link, appended. ERR_INVALID if it is none. */
NODISCARD enum err_code beneath_readlink(
    int root, const char *path, struct buf *out, struct err *e);

/* A file that is written beside its name and renamed at the end. */
struct beneath_file {
	int dirfd, fd; /* fd: for the caller to write to */
	char temp[40];
	char name[256];
};
#define BENEATH_FILE_INIT \
	{ \
		-1, -1, "", "" \
	}

enum beneath_mode { BENEATH_PLAIN, BENEATH_EXECUTABLE }; /* 0644, 0755 */

NODISCARD enum err_code beneath_create(
    struct beneath_file *f, int root, const char *path, struct err *e);
/* Set the mode and rename over what is there. A folder in the way is
 * ERR_CONFLICT. Not synced: whoever needs that syncs f->fd first. */
NODISCARD enum err_code beneath_commit(
    struct beneath_file *f, enum beneath_mode mode, struct err *e);
void beneath_abort(struct beneath_file *f);

/* Is this the name of an unfinished file of ours? */
bool beneath_is_temp(const char *name);

/* Would a link at path ("/a/b") with this text stay below the root? Absolute
 * texts do not. Resolved as text only. */
bool beneath_link_inside(const char *path, const char *text);
/* The relative text, appended, for a link at path that shall lead to target,
 * both counted from the root ("/a/b" to "/c": "../c"). */
void beneath_link_relative(
    struct buf *out, const char *path, const char *target);

/* Put a link at path, over a file or link that is there. ERR_INVALID if it
 * would leave the root. */
NODISCARD enum err_code beneath_symlink(
    int root, const char *path, const char *text, struct err *e);

/* Delete a file or link; a missing one is fine. PRUNE also deletes the
 * parents that are empty then. A folder is ERR_CONFLICT. */
enum beneath_prune { BENEATH_KEEP_PARENTS, BENEATH_PRUNE_PARENTS };
NODISCARD enum err_code beneath_unlink(
    int root, const char *path, enum beneath_prune prune, struct err *e);

/* Delete a folder or file and everything in it; a missing one is fine. At
 * most BENEATH_DEPTH_MAX folders deep. */
#define BENEATH_DEPTH_MAX 2048
NODISCARD enum err_code beneath_remove(
    int root, const char *path, struct err *e);

#endif
