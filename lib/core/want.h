/*
 * want: the block that a local read is missing, and fetch: how a workflow
 * gets it. Reads never wait; they return ERR_NEED_BLOCK with a filled want.
 * cmd fills a struct fetch from lib/peer, tests fill it with fakes, and
 * without one (NULL) a missing block is an error that names it.
 *
 *	do
 *		rc = bee_get(b, key, &val, &want, e);
 *	while (rc == ERR_NEED_BLOCK &&
 *	    (rc = fetch_block(f, &want, e)) == ERR_OK);
 *
 * A block that does not match its hash is ERR_CORRUPT with WANT_REPAIR: want
 * it zeroed before the read, and want_helps() instead of the comparison, and
 * it comes from peers as well.
 */
#ifndef CORE_WANT_H
#define CORE_WANT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/view.h"

struct want {
	struct b32 key; /* of the core */
	enum want_kind {
		WANT_BLOCK,
		WANT_NODE,
		WANT_LENGTH,
		WANT_REPAIR /* the block is here, but damaged */
	} kind;
	uint64_t index; /* block, flat node index, or least length */
};

struct fetch {
	NODISCARD enum err_code (*get)(
	    void *ctx, const struct want *w, struct err *e);
	/* A hint: blocks [start, end) of a core will be read soon. */
	void (*ahead)(void *ctx, const struct b32 *key, uint64_t start,
	    uint64_t end); /* NULL: hints are no use */
	void *ctx;
};

/* Is *w what a read that failed with rc misses? w was zeroed before it. */
bool want_helps(enum err_code rc, const struct want *w);

/* f == NULL: ERR_NOT_FOUND "block 7 of core … is not in this store"; for a
 * WANT_REPAIR e stays as the read left it. */
NODISCARD enum err_code fetch_block(
    const struct fetch *f, const struct want *w, struct err *e);

/* f may be NULL. */
void fetch_ahead(
    const struct fetch *f, const struct b32 *key, uint64_t start, uint64_t end);

#endif
