#include "drive/walk.h"

#include <errno.h>
#include <fts.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LEN 4096
#define HOPS_MAX 256 /* links out of links */

/* A link that was followed, on the stack of walk_tree(). */
struct hop {
	const struct hop *up;
	const char *from; /* real folder the link is in */
	unsigned n;
};

struct walk {
	enum err_code (*file)(void *ctx, const char *path, struct err *e);
	void *ctx;
	const char *root_real; /* NULL: links are not followed */
};

static bool
inside(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 &&
	       (path[n] == '\0' || path[n] == '/' || n == 1);
}

/* A folder that is reached through itself has no end, however many links
 * the circle takes. The first link is in the root, which does not count. */
static bool
is_loop(const struct hop *hop, const char *here, const char *real)
{
	if (hop != NULL && inside(here, real))
		return true;
	for (; hop != NULL && hop->up != NULL; hop = hop->up)
		if (inside(hop->from, real))
			return true;
	return false;
}

/* Where a link leads, if that is a folder outside the root and no circle;
 * else NULL. The caller frees. */
static char *
leads_out(const struct walk *w, const FTSENT *link, const char *here,
    const struct hop *hop)
{
	struct stat st;
	char *real = realpath(link->fts_path, NULL);

	if (real != NULL &&
	    (stat(real, &st) != 0 || !S_ISDIR(st.st_mode) ||
		inside(real, w->root_real) || is_loop(hop, here, real))) {
		free(real);
		real = NULL;
	}
	return real;
}

static enum err_code walk_tree(const struct walk *w, const char *dir,
    const char *prefix, const struct hop *hop, struct err *e);

/* The folder a link is in. fts keeps the paths of parents in the memory of
 * the child's: only the child's can be read. */
static char *
real_folder(const FTSENT *link)
{
	size_t n = link->fts_pathlen - link->fts_namelen;
	char *dir = strndup(link->fts_path, n), *real = NULL;

	if (dir != NULL)
		real = realpath(dir, NULL);
	free(dir);
	return real;
}

/* *followed is set if the link was walked through. */
static enum err_code
follow(const struct walk *w, const FTSENT *link, const char *path,
    const struct hop *hop, bool *followed, struct err *e)
{
	char *here = real_folder(link);
	struct hop next = {hop, here, hop == NULL ? 1 : hop->n + 1};
	enum err_code rc = ERR_OK;
	char *real = NULL;

	if (here != NULL && next.n <= HOPS_MAX)
		real = leads_out(w, link, here, hop);
	*followed = real != NULL;
	if (real != NULL)
		rc = walk_tree(w, real, path, &next, e);
	free(real);
	free(here);
	return rc;
}

/* One file or link; below: its path under the folder being walked. */
static enum err_code
visit(const struct walk *w, const FTSENT *ent, const char *below,
    const char *prefix, const struct hop *hop, struct err *e)
{
	char path[2 * PATH_LEN + 2];
	bool followed = false;
	enum err_code rc;
	int n;

	n = snprintf(path, sizeof(path), "%s%s%s", prefix,
	    prefix[0] == '\0' ? "" : "/", below);
	if (n < 0 || n > PATH_LEN) /* the scan refuses it by name */
		return ERR_OK;
	if (w->root_real != NULL && ent->fts_info == FTS_SL) {
		rc = follow(w, ent, path, hop, &followed, e);
		if (followed || rc != ERR_OK)
			return rc;
	}
	return w->file(w->ctx, path, e);
}

static enum err_code
walk_tree(const struct walk *w, const char *dir, const char *prefix,
    const struct hop *hop, struct err *e)
{
	char root[PATH_LEN + 104];
	char *const paths[] = {root, NULL};
	enum err_code rc = ERR_OK;
	size_t n;
	FTSENT *ent;
	FTS *fts;

	(void)snprintf(root, sizeof(root), "%s", dir);
	n = strlen(root);
	while (n > 1 && root[n - 1] == '/')
		root[--n] = '\0';
	/* links are told from files only where it matters */
	fts = fts_open(paths,
	    FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW |
		(w->root_real == NULL ? FTS_NOSTAT : 0),
	    NULL);
	if (fts == NULL)
		return err_os(e, errno, "read folder %s", dir);
	while (rc == ERR_OK && (errno = 0, ent = fts_read(fts)) != NULL) {
		if (ent->fts_info == FTS_D || ent->fts_info == FTS_DP ||
		    ent->fts_info == FTS_DNR || ent->fts_info == FTS_ERR ||
		    ent->fts_pathlen <= n + 1)
			continue;
		rc = visit(w, ent, ent->fts_path + n + 1, prefix, hop, e);
	}
	/* Half a list would let through what a glob was to leave out. */
	if (rc == ERR_OK && errno != 0)
		rc = err_os(e, errno, "read folder %s", dir);
	(void)fts_close(fts);
	return rc;
}

enum err_code
walk_files(const char *dir,
    enum err_code (*file)(void *ctx, const char *path, struct err *e),
    void *ctx, struct err *e)
{
	const struct walk w = {file, ctx, NULL};

	return walk_tree(&w, dir, "", NULL, e);
}

enum err_code
walk_followed(const char *dir,
    enum err_code (*file)(void *ctx, const char *path, struct err *e),
    void *ctx, struct err *e)
{
	char *real = realpath(dir, NULL);
	const struct walk w = {file, ctx, real};
	enum err_code rc;

	if (real == NULL)
		return err_os(e, errno, "read folder %s", dir);
	rc = walk_tree(&w, dir, "", NULL, e);
	free(real);
	return rc;
}

bool
walk_exists(const char *dir, const char *path)
{
	char full[8400];
	struct stat st;

	(void)snprintf(full, sizeof(full), "%s/%s", dir, path);
	return lstat(full, &st) == 0;
}
