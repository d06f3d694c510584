#include "cmd/hypercore-sign/sign_cmd.h"

static const struct cli_option options[] = {
    {"storage-dir", 'd', CLI_VALUE, offsetof(struct sign_cmd_opts, dir),
	"<dir>",
	"Directory of the keys (HYPERCORE_SIGN_KEYS_DIRECTORY; default "
	"~/.hypercore-sign)",
	NULL},
    {"identity", 'i', CLI_VALUE, offsetof(struct sign_cmd_opts, identity),
	"<name|path>",
	"sign: the key to sign with (default \"default\"); verify: the key "
	"that must have signed",
	NULL},
    {"name", 0, CLI_VALUE, offsetof(struct sign_cmd_opts, name), "<name>",
	"generate: name of the new key, instead of asking", NULL},
    {"yes", 'y', CLI_FLAG, offsetof(struct sign_cmd_opts, yes), NULL,
	"sign: do not ask for confirmation; needs --expect-hash", NULL},
    {"expect-hash", 0, CLI_VALUE, offsetof(struct sign_cmd_opts, expect),
	"<hash>",
	"sign: refuse every request but the one with this hash, in hex or "
	"z-base-32",
	NULL},
};

static const struct cli_arg args[] = {
    {"<request|sign|verify|generate|add>", CLI_ARG,
	offsetof(struct sign_cmd_opts, word),
	"sign <request>, or the request alone: sign it; verify <response> "
	"<request> [pubkey]; generate [dir]: make a key; add <pubkey> "
	"[alias]: keep somebody's public key"},
    {"[arguments]", CLI_ARG_REST, offsetof(struct sign_cmd_opts, rest),
	"A request or response is its text, @file, or - for standard input"},
};

static const char *const examples[] = {
    "hypercore-sign generate",
    "hypercore-sign @request.txt",
    "hypercore-sign add <pubkey> alice",
    "hypercore-sign verify @response.txt @request.txt",
    NULL,
};

const struct cli_spec sign_cmd_spec = {
    .name = "hypercore-sign",
    .event = "hypercore-sign",
    .summary = "Sign the release requests of a quorum.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
    .uses = CLI_USES_PASSWORD,
};
