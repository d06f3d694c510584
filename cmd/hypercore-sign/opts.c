#include "cmd/hypercore-sign/sign_cmd.h"

#define AT(field) offsetof(struct sign_cmd_opts, field)

static const struct cli_option options[] = {
    {"storage-dir", 'd', CLI_VALUE, AT(dir), "<dir>",
	"Directory of the keys (HYPERCORE_SIGN_KEYS_DIRECTORY; default "
	"~/.hypercore-sign)",
	NULL},
    {"identity", 'i', CLI_VALUE, AT(identity), "<name|path>",
	"sign: the key to sign with (default \"default\"); verify: the key "
	"that must have signed",
	NULL},
    {"name", 0, CLI_VALUE, AT(name), "<name>",
	"generate: name of the new key, instead of asking", NULL},
    {"yes", 'y', CLI_FLAG, AT(yes), NULL,
	"sign: do not ask for confirmation; needs --expect-hash", NULL},
    {"expect-hash", 0, CLI_VALUE, AT(expect), "<hash>",
	"sign: refuse every request but the one with this hash, in hex or "
	"z-base-32",
	NULL},
    {"review", 0, CLI_FLAG, AT(review), NULL,
	"sign: check the source against the request and show what would be "
	"released, before anything is asked",
	NULL},
    {"source", 0, CLI_VALUE, AT(source), "<link>",
	"review: where the release is to be read (default: srcKey of --config)",
	NULL},
    {"config", 'c', CLI_VALUE, AT(config), "<file>",
	"review: multisig.json or pear.json whose key it must be", NULL},
    {"rebuild", 0, CLI_VALUE, AT(rebuild), "<dir>",
	"review: compare with your own build, and provision it in memory",
	NULL},
    {"provenance", 0, CLI_VALUE, AT(provenance), "<file>",
	"review: hold the release against this statement (default: DIR"
	".intoto.json beside --rebuild DIR)",
	NULL},
    {"diff", 0, CLI_FLAG, AT(diff), NULL,
	"review: show changed lines of text files", NULL},
    {"report", 0, CLI_VALUE, AT(report), "<file>",
	"review: write it as .html or .md too; its hash is printed", NULL},
    {"chunking", 0, CLI_VALUE, AT(chunking), "<how>",
	"review: how the release was staged (see pear-stage)", NULL},
    {"plain", 0, CLI_FLAG, AT(plain), NULL,
	"review: the release was provisioned with --plain", NULL},
};

static const struct cli_arg args[] = {
    {"<request|sign|verify|generate|add>", CLI_ARG, AT(word),
	"sign <request>, or the request alone: sign it; verify <response> "
	"<request> [pubkey]; generate [dir]: make a key; add <pubkey> "
	"[alias]: keep somebody's public key"},
    {"[arguments]", CLI_ARG_REST, AT(rest),
	"A request or response is its text, @file, or - for standard input"},
};

static const char *const examples[] = {
    "hypercore-sign generate",
    "hypercore-sign @request.txt",
    "hypercore-sign sign @request.txt --review --config multisig.json",
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
    .uses = CLI_USES_PASSWORD | CLI_USES_STORE,
};
