/*
 * lines: the difference of two texts, line by line, as a unified diff
 * (libgit2). Pure: no repository. lib/git is the only user of libgit2.
 */
#ifndef GIT_LINES_H
#define GIT_LINES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

#define LINES_TEXT_MAX (4u << 20) /* bytes of one side */
#define LINES_CONTEXT 3

struct lines {
	bool binary;		 /* one side is no text: no hunks */
	uint64_t added, removed; /* lines */
};

/* Appends the hunks ("@@ -1,3 +1,4 @@" and the lines, each ended by a
 * newline; "\ No newline at end of file" where it applies) without file
 * headers. A side that is absent is empty. Not sanitised: callers escape
 * what they show. ERR_LIMIT: a side is too long. */
NODISCARD enum err_code lines_diff(struct buf *out, struct view old,
    struct view new, struct lines *stat, struct err *e);

#endif
