/*
 * ignore: which files of a directory are staged (commands.md 6).
 *
 * A pattern with "*" is a glob: "*" is any characters but "/", "**" any
 * characters; it is held once against the files on disk, and a match takes
 * everything below it. Any other pattern is a path from the root, and takes
 * everything below it. "!x" keeps x, what is below it and the folders above
 * it; keeping always wins over ignoring, order does not matter. `only` names
 * files and folders; a file named there is staged even if it is ignored.
 *
 * Differences from the reference, all in favour of matching what was meant:
 * a second "**" works, "foo*.js" and "a/b-*" match, "?", brackets and braces
 * are ordinary characters, blanks around a pattern are trimmed.
 */
#ifndef DRIVE_IGNORE_H
#define DRIVE_IGNORE_H

#include "base/err.h"
#include "base/view.h"

struct ignore_texts { /* borrowed */
	const char *const *text;
	size_t n;
};

struct ignore_opts {
	const char *dir;	       /* where globs are held against files */
	struct ignore_texts ignore[2]; /* command line, package.json */
	struct ignore_texts includes;  /* p stands for !p */
	struct ignore_texts only[2];
};

struct ignore;

NODISCARD enum err_code ignore_new(
    struct ignore **out, const struct ignore_opts *opts, struct err *e);
void ignore_free(struct ignore *ig); /* NULL is fine */

/* Paths are drive paths, "/a/b". NULL ig: nothing is ignored. */
bool ignore_drops(const struct ignore *ig, const char *path);
/* Inside the only-entries? True if there are none. */
bool ignore_selected(const struct ignore *ig, const char *path);
/* Is this file staged? (selected and not dropped, or named by only) */
bool ignore_takes(const struct ignore *ig, const char *path);
/* Can there be anything to stage below this folder? */
bool ignore_enters(const struct ignore *ig, const char *path);
bool ignore_has_only(const struct ignore *ig);

/* Patterns that matched no file, as warnings; returns the i-th or NULL. */
const char *ignore_unmatched(const struct ignore *ig, size_t i);

/* Does a glob match a path without its leading slash, or a folder above it?
 * (for tests) */
bool ignore_glob(const char *glob, const char *path);

#endif
