#include "build-tool/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"

#define COPY_SIZE (1u << 20)

static enum err_code
copy_by_hand(int in, int out, const char *name, struct err *e)
{
	char *buf = malloc(COPY_SIZE);
	enum err_code rc = ERR_OK;
	uint64_t at = 0;
	ssize_t n = 1;

	if (buf == NULL)
		return err_nomem(e);
	while (rc == ERR_OK && n != 0) {
		n = pread(in, buf, COPY_SIZE, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_os(e, errno, "read %s", name);
		else
			rc = file_pwrite_all(out, name, buf, (size_t)n, at, e);
		at += n > 0 ? (uint64_t)n : 0;
	}
	free(buf);
	return rc;
}

/* Let the kernel copy (or share) the bytes where it can. */
static enum err_code
copy_bytes(int in, int out, const char *name, struct err *e)
{
#ifdef __linux__
	ssize_t n;

	do
		n = copy_file_range(in, NULL, out, NULL, 1u << 30, 0);
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0)
		return ERR_OK;
	if (errno == ENOSPC || errno == EDQUOT || errno == EIO)
		return err_os(e, errno, "copy %s", name);
#endif
	return copy_by_hand(in, out, name, e);
}

static bool
same_times(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_ino == b->st_ino &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static enum err_code
copy_into(struct beneath_file *f, int in, const char *from, struct err *e)
{
	struct stat before, after, made;
	enum err_code rc;

	if (fstat(in, &before) != 0)
		return err_os(e, errno, "stat %s", from);
	rc = copy_bytes(in, f->fd, from, e);
	if (rc == ERR_OK &&
	    (fstat(in, &after) != 0 || fstat(f->fd, &made) != 0))
		rc = err_os(e, errno, "stat %s", from);
	if (rc != ERR_OK)
		return rc;
	if (!same_times(&before, &after) || made.st_size != before.st_size)
		return err_set(
		    e, ERR_CHANGED, "%s changed while it was copied", from);
	return beneath_commit(f,
	    before.st_mode & S_IXUSR ? BENEATH_EXECUTABLE : BENEATH_PLAIN, e);
}

static enum err_code
copy_file(int root, const char *to, const char *from, struct err *e)
{
	struct beneath_file f = BENEATH_FILE_INIT;
	enum err_code rc;
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (in < 0)
		return err_os(e, errno, "open %s", from);
	if ((rc = beneath_create(&f, root, to, e)) == ERR_OK)
		rc = copy_into(&f, in, from, e);
	beneath_abort(&f);
	close(in);
	return rc;
}

/* Links are made by hand: a build may hold any text, also absolute ones. */
static enum err_code
copy_link(int root, const char *to, const char *from, struct err *e)
{
	char text[4097];
	const char *name;
	enum err_code rc;
	ssize_t n;
	int dir;

	if ((n = readlink(from, text, sizeof(text) - 1)) < 0)
		return err_os(e, errno, "read link %s", from);
	text[n] = '\0';
	rc = beneath_parent(root, to, BENEATH_MAKE_PARENTS, &dir, &name, e);
	if (rc != ERR_OK)
		return rc;
	if (symlinkat(text, dir, name) != 0)
		rc = err_os(e, errno, "create link %s", to);
	close(dir);
	return rc;
}

static bool
skipped(const struct tree_opts *o, const char *path)
{
	for (size_t i = 0; i < o->nskip; i++)
		if (strcmp(o->skip[i], path) == 0)
			return true;
	return false;
}

static enum err_code
copy_one(int root, const char *to, FTSENT *ent, const struct tree_opts *o,
    struct err *e)
{
	char message[5000], quoted[4096];

	switch (ent->fts_info) {
	case FTS_F:
		return copy_file(root, to, ent->fts_path, e);
	case FTS_SL:
	case FTS_SLNONE:
		return copy_link(root, to, ent->fts_path, e);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return err_os(e, ent->fts_errno, "read %s", ent->fts_path);
	case FTS_DEFAULT:
		if (o->warn == NULL)
			return ERR_OK;
		(void)snprintf(message, sizeof(message),
		    "%s is skipped: it is no file, folder or link",
		    err_quote(quoted, sizeof(quoted), ent->fts_path,
			ent->fts_pathlen));
		o->warn(o->ctx, message);
		return ERR_OK;
	default:
		return ERR_OK;
	}
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum err_code
copy_walk(int root, const char *to, size_t from_len, FTS *fts,
    const struct tree_opts *o, struct err *e)
{
	enum err_code rc = ERR_OK;
	char path[BENEATH_PATH_MAX + 2];
	FTSENT *ent;
	int n;

	while (rc == ERR_OK && (ent = fts_read(fts)) != NULL) {
		const char *rel = ent->fts_path + from_len;

		rel += *rel == '/';
		if (ent->fts_level > 0 && skipped(o, rel)) {
			(void)fts_set(fts, ent, FTS_SKIP);
			continue;
		}
		if (o->stop != NULL && o->stop(o->ctx))
			return err_set(e, ERR_INTERRUPTED, "interrupted");
		n = snprintf(path, sizeof(path), "%s%s%s", to,
		    *rel != '\0' && *to != '\0' ? "/" : "", rel);
		if (n < 0 || n > BENEATH_PATH_MAX)
			return err_set(e, ERR_LIMIT,
			    "path longer than %d bytes below %s",
			    BENEATH_PATH_MAX, to);
		rc = copy_one(root, path, ent, o, e);
	}
	return rc;
}

enum err_code
tree_copy(int root, const char *to, const char *from,
    const struct tree_opts *opts, struct err *e)
{
	char *copy = strdup(from);
	char *paths[2] = {copy, NULL};
	size_t n;
	enum err_code rc;
	FTS *fts;

	if (copy == NULL)
		return err_nomem(e);
	n = strlen(copy);
	while (n > 1 && copy[n - 1] == '/')
		copy[--n] = '\0';
	fts = fts_open(
	    paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, by_name);
	if (fts == NULL) {
		rc = err_os(e, errno, "read %s", from);
	} else {
		rc = copy_walk(root, to, n, fts, opts, e);
		(void)fts_close(fts);
	}
	free(copy);
	return rc;
}
