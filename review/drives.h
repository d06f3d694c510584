/*
 * drives: compare two versions of drives, and judge a request before it is
 * signed (commands.md 9.9.8; failures T13 to T16).
 */
#ifndef REVIEW_DRIVES_H
#define REVIEW_DRIVES_H

#include "drive/provision.h"
#include "multisig/config.h"
#include "multisig/keydir.h"
#include "pear/provenance.h"
#include "review/review.h"

/* A version of a drive; bee NULL = nothing (an empty production). */
struct drives_side {
	struct hyperdrive *drive;
	struct bee *bee;
};

/* Every difference of new against old, in path order, and the sizes by
 * architecture. Contents are compared by their leaves; where the cut differs,
 * by their bytes. lines: with line diffs of texts. */
NODISCARD enum err_code drives_compare(struct review *r,
    const struct drives_side *old, const struct drives_side *new,
    enum review_want lines, const struct fetch *fetch, struct err *e);

/* package.json of both: version and upgrade link before and after, with the
 * findings that follow (version not greater, upgrade not the target). target
 * may be NULL. */
NODISCARD enum err_code drives_package(struct review *r,
    const struct drives_side *old, const struct drives_side *new,
    const struct b32 *target, const struct fetch *fetch, struct err *e);

struct drives_request {
	struct store *store;
	const struct request *request;
	struct b32 source; /* where the release is to be read */
	/* what is known about the target, or NULL */
	const struct config *config;
	const struct keybook *book; /* or NULL */
	enum review_want lines;
	const char *rebuild; /* the signer's own build, or NULL */
	enum stage_chunking chunking;
	enum provision_sharing sharing;
	const struct provenance *provenance; /* or NULL */
	const struct fetch *fetch;
	bool (*stop)(void *ctx);
	void *ctx;
};

/* Fill a review of the request. What cannot be so is an error (the source is
 * not here, its tree hash is another: ERR_VERIFY SRC_KEY_MISMATCH); what a
 * person must judge is a finding. ok: false if any finding is REVIEW_BAD. */
NODISCARD enum err_code drives_review(
    struct review *r, const struct drives_request *q, bool *ok, struct err *e);

#endif
