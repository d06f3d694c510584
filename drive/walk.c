#include "drive/walk.h"

#include <errno.h>
#include <fts.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum err_code
walk_files(const char *dir,
    enum err_code (*file)(void *ctx, const char *path, struct err *e),
    void *ctx, struct err *e)
{
	char root[4200];
	char *const paths[] = {root, NULL};
	enum err_code rc = ERR_OK;
	size_t n;
	FTSENT *ent;
	FTS *fts;

	(void)snprintf(root, sizeof(root), "%s", dir);
	n = strlen(root);
	while (n > 1 && root[n - 1] == '/')
		root[--n] = '\0';
	fts = fts_open(paths,
	    FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT | FTS_COMFOLLOW, NULL);
	if (fts == NULL)
		return err_os(e, errno, "read folder %s", dir);
	while (rc == ERR_OK && (ent = fts_read(fts)) != NULL) {
		if (ent->fts_info == FTS_D || ent->fts_info == FTS_DP ||
		    ent->fts_info == FTS_DNR || ent->fts_info == FTS_ERR ||
		    ent->fts_pathlen <= n + 1 || ent->fts_pathlen > 4096 + n)
			continue;
		rc = file(ctx, ent->fts_path + n + 1, e);
	}
	(void)fts_close(fts);
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
