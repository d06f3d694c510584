#include "cmd/pear-touch/touch.h"

static const struct cli_option options[] = {
    {"vanity", 0, CLI_VALUE, offsetof(struct touch_opts, vanity), "<prefix>",
	"Search for a key that starts with this z-base-32 text", NULL},
    {"vanity-timeout", 0, CLI_INT, offsetof(struct touch_opts, timeout), "<s>",
	"Give up the search after so many seconds", NULL},
};

static const struct cli_arg args[] = {
    {"[dir]", CLI_ARG_IGNORED, 0, NULL},
};

static const char *const examples[] = {
    "pear-touch",
    "pear-touch --vanity app --json",
    NULL,
};

const struct cli_spec touch_spec = {
    .name = "pear-touch",
    .event = "touch",
    .summary = "Make a new drive that only this store can write, and print "
	       "its link.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
    .uses = CLI_USES_STORE,
};
