/*
 * review: the review of a request, shown to whoever has to decide
 * (commands.md 9.9 row 8).
 */
#ifndef CMD_COMMON_REVIEW_H
#define CMD_COMMON_REVIEW_H

#include "cli/talk.h"
#include "review/drives.h"

struct common_review {
	const char *rebuild; /* the signer's own build, or NULL */
	/* statement of the build; NULL: the one beside it, if there is one */
	const char *provenance;
	const char *report;   /* file to write, or NULL */
	const char *chunking; /* name, or NULL */
	bool diff, plain;
	struct cli_talk *talk; /* shown there; NULL: standard output */
};

/* q: store, request, source, config, book and fetch are the caller's, the
 * rest is set here. ERR_VERIFY if something was found that must not be
 * released. */
NODISCARD enum err_code common_review(struct cli *c,
    const struct common_review *o, struct drives_request *q, struct err *e);

#endif
