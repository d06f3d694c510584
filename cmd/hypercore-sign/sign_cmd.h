/* hypercore-sign: one command for signers. */
#ifndef CMD_HYPERCORE_SIGN_SIGN_CMD_H
#define CMD_HYPERCORE_SIGN_SIGN_CMD_H

#include "cli/talk.h"
#include "multisig/request.h"

struct sign_cmd_opts {
	const char *word; /* sign, verify, generate, add, or a request */
	struct cli_list rest;
	const char *dir;
	const char *identity;
	const char *name;
	const char *expect;
	bool yes;
	/* --review, and how */
	bool review, diff, plain;
	const char *source, *config, *rebuild, *provenance, *report, *chunking;
};

extern const struct cli_spec sign_cmd_spec;

NODISCARD enum err_code sign_cmd_run(
    struct cli *c, const struct sign_cmd_opts *o, struct err *e);

/* Options of a review without one. ERR_USAGE. */
NODISCARD enum err_code sign_cmd_check_review(
    const struct sign_cmd_opts *o, struct err *e);
/* As signer_sign calls it; ctx is the options. */
NODISCARD enum err_code sign_cmd_review(struct cli *c, struct cli_talk *t,
    const struct request *r, void *ctx, struct err *e);

#endif
