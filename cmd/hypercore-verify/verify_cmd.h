/* hypercore-verify: hypercore-sign verify, as hypercore-sign 3 named it. */
#ifndef CMD_HYPERCORE_VERIFY_VERIFY_CMD_H
#define CMD_HYPERCORE_VERIFY_VERIFY_CMD_H

#include "cli/cli.h"

struct verify_cmd_opts {
	const char *response, *request, *pub;
};

extern const struct cli_spec verify_cmd_spec;

#endif
