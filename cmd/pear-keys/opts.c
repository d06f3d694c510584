#include "cmd/pear-keys/keys.h"

static const struct cli_option options[] = {
    {"merge-keys", 0, CLI_FLAG, offsetof(struct keys_opts, merge), NULL,
	"import: the store has another primary key; keep it, and take "
	"over only the keys of drives",
	NULL},
    {"yes", 'y', CLI_FLAG, offsetof(struct keys_opts, yes), NULL,
	"accept: do not ask", NULL},
};

static const struct cli_arg args[] = {
    {"<list|export|import|accept>", CLI_ARG, offsetof(struct keys_opts, action),
	"list: public parts of what this store can write; export, import: "
	"all keys to or from a file; accept: this store has the newest "
	"history of a drive"},
    {"[file|link]", CLI_ARG, offsetof(struct keys_opts, what),
	"File of export and import, link of accept"},
};

static const char *const examples[] = {
    "pear-keys list",
    "pear-keys export laptop.keys",
    "pear-keys import laptop.keys --storage /srv/store",
    NULL,
};

const struct cli_spec keys_spec = {
    .name = "pear-keys",
    .event = "keys",
    .summary = "Export and import the keys of the local store.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
    .uses = CLI_USES_STORE | CLI_USES_PASSWORD,
};
