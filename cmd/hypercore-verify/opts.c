#include "cmd/hypercore-verify/verify_cmd.h"

static const struct cli_arg args[] = {
    {"<response>", CLI_ARG, offsetof(struct verify_cmd_opts, response),
	"What hypercore-sign replied; its text, @file, or - for standard "
	"input"},
    {"<request>", CLI_ARG, offsetof(struct verify_cmd_opts, request),
	"What was to be signed, likewise"},
    {"<pubkey>", CLI_ARG, offsetof(struct verify_cmd_opts, pub),
	"Public key of the signer"},
};

static const char *const examples[] = {
    "hypercore-verify @response.txt @request.txt "
    "tkrq8zmwb8a3m9k15csu3q17qmfgqnp9dskbrg9uq1rydpyxp7qy",
    NULL,
};

const struct cli_spec verify_cmd_spec = {
    .name = "hypercore-verify",
    .event = "hypercore-verify",
    .summary = "Check who signed a release request.",
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
};
