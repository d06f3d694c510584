/*
 * link: pear links and file links (data-formats 1.5, commands 1.6;
 * pear-link@4.2.1). A struct pear_link is a plain value: copy it freely.
 *
 *	pear://KEY                          newest version
 *	pear://FORK.LENGTH.KEY              a version
 *	pear://FORK.LENGTH.KEY.TREEHASH     a version and its proof
 *	file:///path, /path, path           a place on this disk
 *
 * each with an optional /path, ?search and #fragment. KEY and TREEHASH are
 * z-base-32 (52 characters) or hex (64). Stricter than the reference, on
 * purpose: fork and length are decimal digits only, "@" and ":" in the host
 * are refused instead of dropped, there are no aliases, and a path without
 * scheme is taken literally ("?", "#" and "%" are ordinary characters in
 * it). Every refusal is ERR_INVALID with the tag ERR_INVALID_LINK.
 *
 *	rc = pear_link_parse(&l, view_str(arg), PEAR_LINK_DRIVES, NULL, e);
 */
#ifndef PEAR_LINK_H
#define PEAR_LINK_H

#include "base/buf.h"
#include "codec/z32.h"

#define PEAR_LINK_MAX 8192	/* bytes of a link's text */
#define PEAR_LINK_PATH_MAX 4096 /* each, percent-encoded */
#define PEAR_LINK_SEARCH_MAX 1024

enum pear_link_kind { PEAR_LINK_DRIVE, PEAR_LINK_FILE };

/* What a text without scheme means. */
enum pear_link_accept {
	PEAR_LINK_ANY,	     /* a path, as in the reference */
	PEAR_LINK_KEY_FIRST, /* a bare key is a key, all else a path */
	PEAR_LINK_DRIVES     /* a bare key; files and paths are refused */
};

struct pear_link {
	enum pear_link_kind kind;
	/* Only for PEAR_LINK_DRIVE: */
	struct b32 key;
	char key_text[65]; /* the key as it was written */
	bool has_version;  /* fork and length are there */
	uint64_t fork;
	uint64_t length; /* of the metadata core; 0 = newest */
	bool has_hash;	 /* only with has_version */
	struct b32 hash; /* tree hash at length */
	/* Percent-encoded, as a URL has them; "" = absent. */
	char pathname[PEAR_LINK_PATH_MAX + 1];
	char search[PEAR_LINK_SEARCH_MAX + 1];	 /* with "?" */
	char fragment[PEAR_LINK_SEARCH_MAX + 1]; /* with "#" */
};

/* The plain link of a key. */
void pear_link_init(struct pear_link *l, const struct b32 *key);

/* cwd: what relative paths are resolved against; NULL asks the system.
 * `out` is written only on success. */
NODISCARD enum err_code pear_link_parse(struct pear_link *out, struct view text,
    enum pear_link_accept accept, const char *cwd, struct err *e);

/* The canonical text (key and hash in z-base-32), appended. Parses back to
 * the same link. */
void pear_link_print(struct buf *b, const struct pear_link *l);

/* The same without version, path, search and fragment, the key spelled as it
 * was given; for files without a trailing slash. */
void pear_link_origin(struct buf *b, const struct pear_link *l);

/* The path with its percent escapes decoded, appended ("" stays ""). A bad
 * escape or a NUL is ERR_INVALID. */
NODISCARD enum err_code pear_link_path(
    struct buf *out, const struct pear_link *l, struct err *e);

/* Texts the commands print: pear://KEY, pear://FORK.LENGTH.KEY and
 * pear://FORK.LENGTH.KEY.HASH, NUL-terminated. Return out. */
#define PEAR_LINK_TEXT_MAX 192
const char *pear_link_key(
    char out[static PEAR_LINK_TEXT_MAX], const struct b32 *key);
const char *pear_link_verlink(char out[static PEAR_LINK_TEXT_MAX],
    uint64_t fork, uint64_t length, const struct b32 *key);
const char *pear_link_hashlink(char out[static PEAR_LINK_TEXT_MAX],
    uint64_t fork, uint64_t length, const struct b32 *key,
    const struct b32 *hash);

/* Without one trailing "/", if it has one. */
struct view pear_link_normalise(struct view text);

#endif
