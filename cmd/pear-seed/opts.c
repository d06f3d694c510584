#include "cmd/pear-seed/seed.h"

static const struct cli_option options[] = {
    {"listen", 0, CLI_VALUE, offsetof(struct seed_args, listen), "<host:port>",
	"Let peers connect to this address; port 0: any", NULL},
    COMMON_PEER_OPTION(struct seed_args, peers),
    {"until-sync", 0, CLI_LIST, offsetof(struct seed_args, until), "<key>",
	"Stop once the peer with this key has everything (repeatable)", NULL},
    {"stats-interval", 0, CLI_INT, offsetof(struct seed_args, interval), "<ms>",
	"Time between two reports (default 500, plain 3000)",
	"--stats-interval flag must supply an integer if set"},
};

static const struct cli_arg args[] = {
    {"<link>", CLI_ARG_REST, offsetof(struct seed_args, links),
	"Drives to keep available, any number of them"},
};

static const char *const examples[] = {
    "pear-seed pear://... --listen 0.0.0.0:49737",
    "pear-seed pear://... --listen 127.0.0.1:0 --peer 192.0.2.7:49737:KEY",
    NULL,
};

const struct cli_spec seed_spec = {
    .name = "pear-seed",
    .event = "seed",
    .summary = "Keep drives available: fetch them whole, follow their "
	       "updates, and serve them to peers.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
    .uses = CLI_USES_STORE,
};

void
seed_args_deinit(struct seed_args *a)
{
	cli_list_deinit(&a->links);
	cli_list_deinit(&a->peers);
	cli_list_deinit(&a->until);
}
