/*
 * same: do two contents hold the same bytes? Blocks that begin at the same
 * place are compared by their leaves, and no byte is read; where the cut
 * differs, the bytes are.
 */
#ifndef DRIVE_SAME_H
#define DRIVE_SAME_H

#include "blobs/blobs.h"

struct same_side {
	struct core *core;
	const struct blobs_id *id;
};

struct same_opts {
	const struct fetch *fetch;
	bool (*stop)(void *ctx); /* polled; true = ERR_INTERRUPTED */
	void *ctx;
};

NODISCARD enum err_code same_content(const struct same_opts *o,
    const struct same_side *left, const struct same_side *right, bool *same,
    struct err *e);

#endif
