#include "cmd/pear-changelog/changelog.h"

static const struct cli_option options[] = {
    {"max", 'm', CLI_INT, offsetof(struct changelog_opts, max), "<n>",
	"Show at most so many entries (10)",
	"Changelog maximum must be an integer"},
    {"of", 0, CLI_VALUE, offsetof(struct changelog_opts, of), "<range>",
	"Versions to show, such as 1.x or ^2.1 (the newest major)", NULL},
    {"full", 0, CLI_FLAG, offsetof(struct changelog_opts, full), NULL,
	"Show everything", NULL},
    COMMON_PEER_OPTION(struct changelog_opts, peers),
};

static const struct cli_arg args[] = {
    {"[link]", CLI_ARG, offsetof(struct changelog_opts, link),
	"The drive; a version in the link is honoured"},
};

static const char *const examples[] = {
    "pear-changelog pear://<key>",
    "pear-changelog --of 1.x --max 3 pear://<key>",
    NULL,
};

const struct cli_spec changelog_spec = {
    .name = "pear-changelog",
    .event = "changelog",
    .summary = "Show the entries of a drive's /CHANGELOG.md, oldest "
	       "first.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
    .uses = CLI_USES_STORE | CLI_USES_NET,
};
