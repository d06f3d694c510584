/* hypercore-sign: one command for signers. */
#ifndef CMD_HYPERCORE_SIGN_SIGN_CMD_H
#define CMD_HYPERCORE_SIGN_SIGN_CMD_H

#include "cli/cli.h"

struct sign_cmd_opts {
	const char *word; /* sign, verify, generate, add, or a request */
	struct cli_list rest;
	const char *dir;
	const char *identity;
	const char *name;
	const char *expect;
	bool yes;
};

extern const struct cli_spec sign_cmd_spec;

NODISCARD enum err_code sign_cmd_run(
    struct cli *c, const struct sign_cmd_opts *o, struct err *e);

#endif
