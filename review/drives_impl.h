/*
 * drives_impl: what the files of drives share. Private to them.
 *
 *	read      contents of a side: core, size, text
 *	compare   two versions, file by file; what stands out
 *	fields    two versions, what is no file
 *	package   two versions, what package.json says
 *	request   a request against source and target
 *	signers   a request against config and address book
 *	rebuild   a request against the signer's own build
 *	provenance  a request against a statement of its source
 */
#ifndef REVIEW_DRIVES_IMPL_H
#define REVIEW_DRIVES_IMPL_H

#include "drive/need.h"
#include "hyperdrive/drive.h"
#include "review/drives.h"

#define DRIVES_NAMES 3 /* files named in a finding that counts them */

struct drives_run {
	struct review *r;
	const struct fetch *fetch;
	bool (*stop)(void *ctx); /* or NULL */
	void *ctx;
	/* of a request; NULL while two versions are compared */
	const struct drives_request *q;
	struct hyperdrive *source, *target; /* target NULL: not here */
	struct core *source_core;	    /* of a request for a core */
	struct core *target_core, *target_blobs;
	struct bee *old_bee, *new_bee;
	struct drives_side old, new;
	uint64_t length; /* of the target; 0 if it is not here */
	bool extends;	 /* the source begins with all that the target has */
};

/* ERR_INTERRUPTED. */
NODISCARD enum err_code drives_stopping(
    const struct drives_run *run, struct err *e);

/* -- read ------------------------------------------------------------------- */

/* The contents core. ERR_PEERS: it is not in this store. */
NODISCARD enum err_code drives_blobs(const struct drives_run *run,
    const struct drives_side *s, struct core **out, struct err *e);
/* Bytes of an entry's content; links have none. */
NODISCARD enum err_code drives_size(const struct drives_run *run,
    const struct drives_side *s, const struct entry *en, uint64_t *out,
    struct err *e);
/* Block by block; each() ends it with an error. */
NODISCARD enum err_code drives_blocks(const struct drives_run *run,
    const struct drives_side *s, const struct entry *en,
    enum err_code (*each)(void *ctx, struct view block, struct err *e),
    void *ctx, struct err *e);
/* The whole content, appended; ERR_LIMIT beyond the buffer's maximum. */
NODISCARD enum err_code drives_read(const struct drives_run *run,
    const struct drives_side *s, const struct entry *en, struct buf *out,
    struct err *e);
/* The entry of a path. ERR_NOT_FOUND also where the side is nothing. */
NODISCARD enum err_code drives_entry(const struct drives_run *run,
    const struct drives_side *s, const char *path, struct entry *out,
    struct err *e);
/* Is it a link? JavaScript takes the empty text for none. */
bool drives_is_link(const struct entry *en);

/* -- compare ---------------------------------------------------------------- */

NODISCARD enum err_code drives_files(struct drives_run *run,
    const struct drives_side *old, const struct drives_side *new,
    enum review_want lines, struct err *e);
/* Findings about the changed files from the first-th on. */
NODISCARD enum err_code drives_remarks(
    struct review *r, size_t first, struct err *e);
NODISCARD enum err_code drives_fields(struct drives_run *run,
    const struct drives_side *old, const struct drives_side *new,
    struct err *e);

/* -- request ---------------------------------------------------------------- */

NODISCARD enum err_code drives_facts(struct drives_run *run, struct err *e);
NODISCARD enum err_code drives_signers(struct drives_run *run, struct err *e);
/* Open source and target, and hold them against the request. */
NODISCARD enum err_code drives_open(struct drives_run *run, struct err *e);
void drives_close(struct drives_run *run);
NODISCARD enum err_code drives_rebuild(struct drives_run *run, struct err *e);
/* Of q->provenance, which is there. BAD: a file that is not as stated, or not
 * stated; WARN: stated files that are not released (ignore rules do that), a
 * source with uncommitted changes. Reads every file once. */
NODISCARD enum err_code drives_provenance(
    struct drives_run *run, struct err *e);

#endif
