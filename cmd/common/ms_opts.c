/* The options of both fronts. */
#include "cmd/common/ms.h"

#define AT(f) offsetof(struct ms_opts, f)

static const struct cli_option options[] = {
    {"config", 'c', CLI_VALUE, AT(config), "<file>",
	"Who signs (default: multisig.json, pear.json or config.json here)",
	NULL},
    {"storage", 's', CLI_VALUE, AT(storage), "<dir>",
	"Directory of the local store (PEAR_STORAGE; default: ./storage for "
	"hyper-multisig, the store of all commands for pear-multisig)",
	NULL},
    {"first-commit", 0, CLI_FLAG, AT(first_commit), NULL,
	"verify, commit: the target is empty, this is its first release", NULL},
    {"min-peers", 0, CLI_INT, AT(min_peers), "<n>",
	"Peers that source and target must have (default 2; 0 asks for none, "
	"for releases that are made in one store)",
	NULL},
    {"min-full-copies", 0, CLI_INT, AT(min_full), "<n>",
	"Peers that must have all of it (default 2; 0 as above)", NULL},
    COMMON_PEER_OPTION(struct ms_opts, peers),
    {"peer-update-timeout", 0, CLI_INT, AT(timeout), "<ms>",
	"How long to wait for peers in each check (default 5000)", NULL},
    {"target-lookup-timeout", 0, CLI_INT, AT(look), "<ms>",
	"How long to look for peers that hold something of a target that is "
	"empty here (default 15000); less, as soon as all have answered",
	NULL},
    {"skip-target-well-seeded", 0, CLI_FLAG, AT(skip_target), NULL,
	"Do not ask for full copies of the target", NULL},
    {"swarm-client-only", 0, CLI_FLAG, AT(client_only), NULL,
	"commit, seed: do not announce what is seeded, only look for peers",
	NULL},
    {"seed", 0, CLI_NO_FLAG, AT(seed), NULL,
	"commit: end when enough seeders hold the release", NULL},
    {"log-interval", 0, CLI_INT, AT(interval), "<ms>",
	"seed: time between two reports (default 15000)", NULL},
    {"force", 0, CLI_FLAG, AT(force), NULL,
	"request: do not ask how well the source is seeded", NULL},
    {"force-dangerous", 0, CLI_FLAG, AT(force_dangerous), NULL,
	"verify, commit: skip the checks of peers and of the first commit. "
	"What the target holds is compared even so",
	NULL},
    {"dry-run", 'd', CLI_FLAG, AT(dry_run), NULL,
	"commit: check everything, write nothing: verify", NULL},
    {"request-version", 0, CLI_INT, AT(version), "<2|3>",
	"request: 2 is what every hypercore-sign reads, 3 what newer ones "
	"read (default: 2 in hyper-multisig, 3 in pear-multisig)",
	NULL},
    {"out", 'o', CLI_VALUE, AT(out), "<file>",
	"request: also write its text to a file", NULL},
    {"vanity", 0, CLI_VALUE, AT(vanity), "<prefix>",
	"link: look for a namespace whose link starts so, and keep it in the "
	"config",
	NULL},
    {"forget", 0, CLI_FLAG, AT(forget), NULL,
	"status: give up an interrupted commit; nothing of it was written",
	NULL},
    {"keys", 0, CLI_VALUE, AT(keys), "<dir>",
	"Where your keys and those you know are (default: "
	"HYPERCORE_SIGN_KEYS_DIRECTORY or ~/.hypercore-sign; pear-multisig: "
	"~/.pear)",
	NULL},
    {"yes", 'y', CLI_FLAG, AT(yes), NULL,
	"sign: do not ask for confirmation; needs --expect-hash", NULL},
    {"expect-hash", 0, CLI_VALUE, AT(expect), "<hash>",
	"sign: refuse every request but the one with this hash, in hex or "
	"z-base-32",
	NULL},
    {"secret", 0, CLI_FLAG, AT(secret), NULL,
	"keys get: name the secret key file too", NULL},
    {"rebuild", 0, CLI_VALUE, AT(rebuild), "<dir>",
	"review: compare with your own build, and provision it in memory",
	NULL},
    {"provenance", 0, CLI_VALUE, AT(provenance), "<file>",
	"review: hold the release against this statement (default: DIR"
	".intoto.json beside --rebuild DIR)",
	NULL},
    {"diff", 0, CLI_FLAG, AT(diff), NULL,
	"review, verify: show changed lines of text files", NULL},
    {"report", 0, CLI_VALUE, AT(report), "<file>",
	"review, verify: write the review as .html or .md; its hash is "
	"printed",
	NULL},
    {"chunking", 0, CLI_VALUE, AT(chunking), "<how>",
	"review: how the release was staged (see pear-stage)", NULL},
    {"plain", 0, CLI_FLAG, AT(plain), NULL,
	"review: the release was provisioned with --plain", NULL},
    {"review", 0, CLI_NO_FLAG, AT(review), NULL,
	"verify: do not show what the release changes", NULL},
};

static const struct cli_arg args[] = {
    {"<command>", CLI_ARG, AT(word),
	"link; request <length|verlink>; sign <request> [name]; verify and "
	"commit [source-link] <request> [responses]; seed; review <request>; "
	"inspect <request|response>; status; keys get|paths|list|add|remove. "
	"request-core, verify-drive and so on fix the type"},
    {"[arguments]", CLI_ARG_REST, AT(rest),
	"In any order: what a word is, is told by decoding it. @file holds one "
	"text a line, - is standard input, a folder holds files of "
	"responses"},
};

static const char *const hyper_examples[] = {
    "hyper-multisig link",
    "hyper-multisig request 1082",
    "hyper-multisig review --rebuild ./hello-1.0.0 REQUEST",
    "hyper-multisig verify --first-commit REQUEST @responses.txt",
    "hyper-multisig commit --first-commit REQUEST RESPONSE RESPONSE",
    NULL,
};

static const char *const pear_examples[] = {
    "pear-multisig link",
    "pear-multisig request pear://0.1082.q9sopzoq...",
    "pear-multisig sign REQUEST",
    "pear-multisig commit pear://q9sopzoq... REQUEST RESPONSE RESPONSE",
    NULL,
};

#define MS_SPEC(command, examples) \
	{ \
		.name = (command), .event = "multisig", \
		.summary = "Release a drive by a quorum of signers.", \
		.option = options, \
		.noptions = sizeof(options) / sizeof(options[0]), .arg = args, \
		.nargs = sizeof(args) / sizeof(args[0]), \
		.example = (examples), \
		.uses = CLI_USES_STORE | CLI_USES_PASSWORD, \
	}

static const struct cli_spec specs[] = {
    [MS_HYPER] = MS_SPEC("hyper-multisig", hyper_examples),
    [MS_PEAR] = MS_SPEC("pear-multisig", pear_examples),
};

int
ms_main(enum ms_front front, int argc, char **argv)
{
	struct ms_opts opts = {.front = front, .review = true, .seed = true};
	struct cli c;
	struct err e = ERR_INIT;
	enum err_code rc;
	int code;

	if (cli_start(&c, &specs[front], argc, argv, &opts)) {
		rc = ms_run(&c, &opts, &e);
		code = cli_finish(&c, rc, &e);
	} else {
		code = cli_exit(&c);
	}
	cli_list_deinit(&opts.rest);
	cli_list_deinit(&opts.peers);
	return code;
}
