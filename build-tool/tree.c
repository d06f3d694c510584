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

struct copy {
	int root;
	struct stat self; /* of root: never copied into itself */
	const char *to;
	size_t from_len;
	const struct tree_opts *opts;
};

static void
warn_skipped(const struct copy *c, const FTSENT *ent)
{
	char message[5000], quoted[4096];

	if (c->opts->warn == NULL)
		return;
	(void)snprintf(message, sizeof(message),
	    "%s is skipped: it is no file, folder or link",
	    err_quote(quoted, sizeof(quoted), ent->fts_path, ent->fts_pathlen));
	c->opts->warn(c->opts->ctx, message);
}

static enum err_code
copy_one(const struct copy *c, const char *to, const FTSENT *ent, struct err *e)
{
	switch (ent->fts_info) {
	case FTS_F:
		return copy_file(c->root, to, ent->fts_path, e);
	case FTS_SL:
	case FTS_SLNONE:
		return copy_link(c->root, to, ent->fts_path, e);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return err_os(e, ent->fts_errno, "read %s", ent->fts_path);
	case FTS_DEFAULT:
		warn_skipped(c, ent);
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

static bool
left_out(const struct copy *c, const FTSENT *ent, const char *rel)
{
	if (ent->fts_level > 0 && skipped(c->opts, rel))
		return true;
	return ent->fts_info == FTS_D &&
	       ent->fts_statp->st_dev == c->self.st_dev &&
	       ent->fts_statp->st_ino == c->self.st_ino;
}

static enum err_code
copy_entry(const struct copy *c, FTS *fts, FTSENT *ent, struct err *e)
{
	const char *rel = ent->fts_path + c->from_len;
	char path[BENEATH_PATH_MAX + 2];
	int n;

	rel += *rel == '/';
	if (left_out(c, ent, rel)) {
		(void)fts_set(fts, ent, FTS_SKIP);
		return ERR_OK;
	}
	if (c->opts->stop != NULL && c->opts->stop(c->opts->ctx))
		return err_set(e, ERR_INTERRUPTED, "interrupted");
	n = snprintf(path, sizeof(path), "%s%s%s", c->to,
	    *rel != '\0' && *c->to != '\0' ? "/" : "", rel);
	if (n < 0 || n > BENEATH_PATH_MAX)
		return err_set(e, ERR_LIMIT,
		    "path longer than %d bytes below %s", BENEATH_PATH_MAX,
		    c->to);
	return copy_one(c, path, ent, e);
}

static enum err_code
copy_walk(const struct copy *c, char *from, struct err *e)
{
	char *paths[2] = {from, NULL};
	FTS *fts = fts_open(
	    paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, by_name);
	enum err_code rc = ERR_OK;
	FTSENT *ent;

	if (fts == NULL)
		return err_os(e, errno, "read %s", from);
	while (rc == ERR_OK) {
		errno = 0;
		if ((ent = fts_read(fts)) == NULL) {
			if (errno != 0)
				rc = err_os(e, errno, "read %s", from);
			break;
		}
		rc = copy_entry(c, fts, ent, e);
	}
	(void)fts_close(fts);
	return rc;
}

enum err_code
tree_copy(int root, const char *to, const char *from,
    const struct tree_opts *opts, struct err *e)
{
	struct copy c = {.root = root, .to = to, .opts = opts};
	char *copy = strdup(from);
	enum err_code rc;

	if (copy == NULL)
		return err_nomem(e);
	c.from_len = strlen(copy);
	while (c.from_len > 1 && copy[c.from_len - 1] == '/')
		copy[--c.from_len] = '\0';
	if (fstat(root, &c.self) != 0)
		rc = err_os(e, errno, "stat the folder to copy to");
	else
		rc = copy_walk(&c, copy, e);
	free(copy);
	return rc;
}
