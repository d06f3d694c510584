#include "cmd/pear/pear.h"

static const struct cli_arg args[] = {
    {"<command>", CLI_ARG, offsetof(struct pear_opts, command),
	"One of the commands below; pear help <command> explains it"},
    {"[arguments]", CLI_ARG_IGNORED, 0, NULL},
};

static const char *const examples[] = {
    "pear touch",
    "pear stage pear://<key> ./app-1.0.0",
    "pear help stage",
    NULL,
};

const struct cli_spec pear_spec = {
    .name = "pear",
    .event = "pear",
    .summary = "Release apps from peer to peer: runs the command "
	       "pear-<command>.",
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
};

const struct pear_command pear_commands[] = {
    {"touch", "make a new drive link"},
    {"build", "builds per architecture into a deployment directory"},
    {"stage", "deployment directory into a drive"},
    {"provision", "staged version onto production"},
    {"multisig", "release by a quorum of signers"},
    {"seed", "keep drives available"},
    {"dump", "files out of a drive"},
    {"info", "what a drive is"},
    {"changelog", "what changed in an app"},
    {"cores", "list the cores of the store"},
    {"gc", "free disk space"},
    {"keys", "export and import the store's keys"},
    {"dht", "run a node by which peers find each other"},
};
const size_t pear_command_count =
    sizeof(pear_commands) / sizeof(pear_commands[0]);
