#include "cmd/pear-gc/gc.h"

static const struct cli_option options[] = {
    {"dry-run", 'd', CLI_FLAG, offsetof(struct gc_opts, dry_run), NULL,
	"Only say how much would be freed", NULL},
};

static const struct cli_arg args[] = {
    {"<resource>", CLI_ARG, offsetof(struct gc_opts, resource),
	"What to clear: cores"},
    {"[link]", CLI_ARG, offsetof(struct gc_opts, link),
	"The drive; its metadata and its contents are cleared"},
};

static const char *const examples[] = {
    "pear-gc cores --dry-run pear://<key>",
    "pear-gc cores pear://<key>",
    NULL,
};

const struct cli_spec gc_spec = {
    .name = "pear-gc",
    .event = "gc",
    .summary = "Free the disk space of a drive that this store cannot "
	       "write; its blocks can be fetched from peers again.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
    .uses = CLI_USES_STORE,
};
