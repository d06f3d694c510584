/*
 * revision: which source a folder was built from (libgit2).
 */
#ifndef GIT_REVISION_H
#define GIT_REVISION_H

#include <stdbool.h>

#include "base/err.h"

#define REVISION_DIRTY_MAX 20 /* names kept */

struct revision {
	char commit[65]; /* hex */
	char *tag;	 /* of exactly this commit, NULL none; owned */
	char *branch;	 /* NULL: detached; owned */
	char *remote;	 /* URL of origin without user and password, or NULL */
	char *root;	 /* of the work tree; owned */
	bool dirty;	 /* changes against the commit, new files count */
	size_t ndirty;
	char *dirty_path[REVISION_DIRTY_MAX]; /* sorted; owned */
};
void revision_deinit(struct revision *r);

/* The repository that holds `path` (searched upwards). ERR_NOT_FOUND: there
 * is none, or it has no commit. ERR_IO: it is another user's, and git's
 * safe.directory does not name it. Apart from that only the repository's own
 * settings count: not the user's, nor the system's. */
NODISCARD enum err_code revision_read(
    struct revision *out, const char *path, struct err *e);

#endif
