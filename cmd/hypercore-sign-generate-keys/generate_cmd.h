/* hypercore-sign-generate-keys: hypercore-sign generate --name default, as
 * hypercore-sign 3 named it. */
#ifndef CMD_HYPERCORE_SIGN_GENERATE_KEYS_GENERATE_CMD_H
#define CMD_HYPERCORE_SIGN_GENERATE_KEYS_GENERATE_CMD_H

#include "cli/cli.h"

struct generate_cmd_opts {
	const char *dir;
};

extern const struct cli_spec generate_cmd_spec;

#endif
