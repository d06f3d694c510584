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

/* Where a link leads, if that is a folder outside the root that does not
 * hold the folder the link is in; else NULL. The caller frees. */
static char *
leads_out(const struct walk *w, const FTSENT *link, unsigned hops)
{
	char *real, *here;
	struct stat st;

	if (w->root_real == NULL || link->fts_info != FTS_SL ||
	    hops >= HOPS_MAX || (real = realpath(link->fts_path, NULL)) == NULL)
		return NULL;
	here = realpath(link->fts_parent->fts_accpath, NULL);
	if (stat(real, &st) != 0 || !S_ISDIR(st.st_mode) ||
	    inside(real, w->root_real) ||
	    (hops > 0 && here != NULL && inside(here, real))) {
		free(real);
		real = NULL;
	}
	free(here);
	return real;
}

static enum err_code walk_tree(const struct walk *w, const char *dir,
    const char *prefix, unsigned hops, struct err *e);

/* One file or link; below: its path under the folder being walked. */
static enum err_code
visit(const struct walk *w, const FTSENT *ent, const char *below,
    const char *prefix, unsigned hops, struct err *e)
{
	char path[2 * PATH_LEN + 2], *out;
	enum err_code rc;
	int n;

	n = snprintf(path, sizeof(path), "%s%s%s", prefix,
	    prefix[0] == '\0' ? "" : "/", below);
	if (n < 0 || n > PATH_LEN) /* the scan refuses it by name */
		return ERR_OK;
	if ((out = leads_out(w, ent, hops)) == NULL)
		return w->file(w->ctx, path, e);
	rc = walk_tree(w, out, path, hops + 1, e);
	free(out);
	return rc;
}

static enum err_code
walk_tree(const struct walk *w, const char *dir, const char *prefix,
    unsigned hops, struct err *e)
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
		rc = visit(w, ent, ent->fts_path + n + 1, prefix, hops, e);
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

	return walk_tree(&w, dir, "", 0, e);
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
	rc = walk_tree(&w, dir, "", 0, e);
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
