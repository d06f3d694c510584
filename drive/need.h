/*
 * need: reads that ask for what is not here. Each retries a local read for
 * as long as the fetch brings what it misses. Without a fetch (NULL) a
 * missing block is ERR_PEERS with the tag ERR_NOT_FOUND: it would have to
 * come from peers.
 *
 *	do
 *		rc = bee_iter_next(it, &more, &en, &w, e);
 *	while (need_again(f, &rc, &w, e));
 */
#ifndef DRIVE_NEED_H
#define DRIVE_NEED_H

#include "blobs/blobs.h"

/* After ERR_NEED_BLOCK: fetch; true if the read is to be tried again. Any
 * other *rc stays, and ends the loop. */
bool need_again(const struct fetch *f, enum err_code *rc, const struct want *w,
    struct err *e);

/* The blocks of a content; out->n == 0 at first. */
NODISCARD enum err_code need_list(struct core *c, const struct blobs_id *id,
    struct blobs_list *out, const struct fetch *f, struct err *e);
/* The leaf of a listed block. ERR_FORMAT if a map lies about its size. */
NODISCARD enum err_code need_leaf(struct core *c, const struct blobs_ref *ref,
    struct node *out, const struct fetch *f, struct err *e);
/* The bytes of a block; out is reset. */
NODISCARD enum err_code need_get(struct core *c, uint64_t index,
    struct buf *out, const struct fetch *f, struct err *e);
/* Bytes of a content. */
NODISCARD enum err_code need_size(struct core *c, const struct blobs_id *id,
    uint64_t *out, const struct fetch *f, struct err *e);
/* Roots at a length. */
NODISCARD enum err_code need_tree(struct core *c, uint64_t length,
    struct tree *out, const struct fetch *f, struct err *e);

#endif
