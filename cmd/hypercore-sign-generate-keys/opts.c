#include "cmd/hypercore-sign-generate-keys/generate_cmd.h"

static const struct cli_option options[] = {
    {"storage-dir", 'd', CLI_VALUE, offsetof(struct generate_cmd_opts, dir),
	"<dir>",
	"Directory of the keys (HYPERCORE_SIGN_KEYS_DIRECTORY; default "
	"~/.hypercore-sign)",
	NULL},
};

static const char *const examples[] = {
    "hypercore-sign-generate-keys",
    "hypercore-sign-generate-keys --password-fd 3 3<password",
    NULL,
};

const struct cli_spec generate_cmd_spec = {
    .name = "hypercore-sign-generate-keys",
    .event = "hypercore-sign-generate-keys",
    .summary = "Make a signing key under a password.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .example = examples,
    .uses = CLI_USES_PASSWORD,
};
