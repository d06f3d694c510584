#include "cmd/pear-info/info.h"

static const struct cli_option options[] = {
    {"key", 0, CLI_FLAG, offsetof(struct info_opts, key), NULL, "Only the keys",
	NULL},
    {"metadata", 0, CLI_FLAG, offsetof(struct info_opts, metadata), NULL,
	"Only the table of name, version and sizes", NULL},
    {"manifest", 0, CLI_FLAG, offsetof(struct info_opts, manifest), NULL,
	"Only the drive's package.json", NULL},
    {"multisig", 0, CLI_FLAG, offsetof(struct info_opts, multisig), NULL,
	"Only the signers, of a drive that has several", NULL},
    COMMON_PEER_OPTION(struct info_opts, peers),
};

static const struct cli_arg args[] = {
    {"[link]", CLI_ARG, offsetof(struct info_opts, link),
	"The drive; a version in the link is honoured. Without a link: "
	"about this program"},
    {"[dir]", CLI_ARG_IGNORED, 0, NULL},
};

static const char *const examples[] = {
    "pear-info pear://<key>",
    "pear-info pear://<fork>.<length>.<key> --manifest",
    NULL,
};

const struct cli_spec info_spec = {
    .name = "pear-info",
    .event = "info",
    .summary = "Show keys, versions and sizes of a drive of the local "
	       "store, or of peers.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
    .uses = CLI_USES_STORE | CLI_USES_NET,
};
