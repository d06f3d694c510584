/* keys: carry the keys of a store to another one, sealed by a password. */
#ifndef CMD_PEAR_KEYS_KEYS_H
#define CMD_PEAR_KEYS_KEYS_H

#include "cli/cli.h"
#include "core/keyring.h"

struct keys_opts {
	const char *action; /* list, export, import, accept */
	const char *what;   /* file, or link for accept */
	bool merge;
	bool yes;
};

extern const struct cli_spec keys_spec;

NODISCARD enum err_code keys_run(
    struct cli *c, const struct keys_opts *opts, struct err *e);

#endif
