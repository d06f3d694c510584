/*
 * tree: copying and comparing builds. Regular files, links and the owner's
 * executable bit count; other mode bits, times, empty folders and special
 * files do not (commands.md 2).
 */
#ifndef BUILD_TOOL_TREE_H
#define BUILD_TOOL_TREE_H

#include <stdbool.h>

#include "base/err.h"

struct tree_opts {
	/* A path below the source (no leading slash), or NULL for none:
	 * it and everything below it is left out. */
	const char *const *skip;
	size_t nskip;
	void (*warn)(void *ctx, const char *message);
	bool (*stop)(void *ctx); /* true = ERR_INTERRUPTED */
	void *ctx;
};

/* Copy the file or folder `from` to `to`, a path below the folder `root`
 * ("" = root itself). Links are copied as links. A file that changes while
 * it is copied is ERR_CHANGED. `root` may lie in `from`: it is left out. */
NODISCARD enum err_code tree_copy(int root, const char *to, const char *from,
    const struct tree_opts *opts, struct err *e);

/* Do two folders hold the same files, links and executable bits? */
NODISCARD enum err_code tree_same(
    const char *a, const char *b, bool *same, struct err *e);

#endif
