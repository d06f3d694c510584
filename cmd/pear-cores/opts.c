#include "cmd/pear-cores/cores.h"

static const struct cli_option options[] = {
    {"all-cores", 0, CLI_FLAG, offsetof(struct cores_opts, all), NULL,
	"List also cores of which no first block is here", NULL},
};

static const char *const examples[] = {
    "pear-cores",
    "pear-cores --all-cores --json",
    NULL,
};

const struct cli_spec cores_spec = {
    .name = "pear-cores",
    .event = "cores",
    .summary = "List the cores of the local store.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .example = examples,
    .uses = CLI_USES_STORE,
};
