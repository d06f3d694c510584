/*
 * urlpath: paths, queries and fragments as the URL standard writes them:
 * percent-encoding and dot segments. Pure. Results are NUL-terminated.
 */
#ifndef PEAR_URLPATH_H
#define PEAR_URLPATH_H

#include "base/buf.h"
#include "base/view.h"

/* Which printable characters are encoded; controls, bytes above 0x7e, space
 * and `"<>` always are. */
enum urlpath_set {
	URLPATH_PATH,	       /* `#?{}` and the backquote */
	URLPATH_LITERAL,       /* as PATH and "%": the input has no escapes */
	URLPATH_QUERY,	       /* "#" */
	URLPATH_QUERY_SPECIAL, /* as QUERY and "'" (file links) */
	URLPATH_FRAGMENT       /* the backquote */
};

/* False if out (cap bytes, NUL included) is too small. */
bool urlpath_encode(char *out, size_t cap, struct view v, enum urlpath_set set);

/* Encode, and resolve "." and ".." (also spelled %2e). The result starts
 * with "/" and never climbs above it; empty segments are kept. */
bool urlpath_resolve(
    char *out, size_t cap, struct view path, enum urlpath_set set);

/* Decode escapes, appended. False for "%" without two hex digits and for a
 * NUL; failures of the buffer stay in the buffer. */
bool urlpath_decode(struct buf *out, const char *text);

#endif
