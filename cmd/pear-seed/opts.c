#include "cmd/pear-seed/seed.h"

#include <stdlib.h>
#include <string.h>

static const struct cli_option options[] = {
    {"list", 0, CLI_VALUE, offsetof(struct seed_args, list), "<file>",
	"Also the links in this file, one a line; read again when it changes",
	NULL},
    {"all", 0, CLI_FLAG, offsetof(struct seed_args, all), NULL,
	"Also every drive of the store, and those added to it later", NULL},
    {"listen", 0, CLI_VALUE, offsetof(struct seed_args, listen), "<host:port>",
	"Let peers connect to this address; port 0: any", NULL},
    COMMON_PEER_OPTION(struct seed_args, peers),
    {"limit-up", 0, CLI_VALUE, offsetof(struct seed_args, limit_up), "<rate>",
	"Send at most so many bytes a second (500kB, 2MB)", NULL},
    {"limit-down", 0, CLI_VALUE, offsetof(struct seed_args, limit_down),
	"<rate>", "Receive at most so many bytes a second", NULL},
    {"max-connections", 0, CLI_INT, offsetof(struct seed_args, connections),
	"<n>", "Peers at the same time (default 1024, 64 of them sought)",
	NULL},
    {"max-open", 0, CLI_INT, offsetof(struct seed_args, open), "<n>",
	"Drives that are held open while nobody uses them (default 256)", NULL},
    {"until-sync", 0, CLI_LIST, offsetof(struct seed_args, until), "<key>",
	"Stop once the peer with this key has everything (repeatable)", NULL},
    {"until-copies", 0, CLI_INT, offsetof(struct seed_args, copies), "<n>",
	"Stop once this many peers have everything of each drive", NULL},
    {"timeout", 0, CLI_INT, offsetof(struct seed_args, timeout), "<seconds>",
	"Give up waiting for --until-sync, --until-copies and --blind-peer "
	"(exit 3)",
	NULL},
    {"blind-peer", 0, CLI_LIST, offsetof(struct seed_args, blind_peers),
	"<key>",
	"Ask the blind peer with this key to keep all of it, and stop once it "
	"has it (repeatable)",
	NULL},
    {"serve-blind", 0, CLI_FLAG, offsetof(struct seed_args, serve_blind), NULL,
	"Be a blind peer: keep cores that others ask for", NULL},
    {"blind-allow", 0, CLI_LIST, offsetof(struct seed_args, blind_allow),
	"<key>", "A peer that may ask for cores to be kept (repeatable)", NULL},
    {"blind-trust", 0, CLI_LIST, offsetof(struct seed_args, blind_trust),
	"<key>",
	"A peer that may also have them announced and deleted (repeatable)",
	NULL},
    {"blind-quota", 0, CLI_VALUE, offsetof(struct seed_args, blind_quota),
	"<size>", "Bytes of the cores that others ask for, at most", NULL},
    {"http", 0, CLI_VALUE, offsetof(struct seed_args, http), "<host:port>",
	"Serve a dashboard, /metrics and /api there; port 0: any", NULL},
    {"http-allow-remote", 0, CLI_FLAG, offsetof(struct seed_args, http_remote),
	NULL, "Let --http be an address that other machines reach", NULL},
    {"http-name", 0, CLI_LIST, offsetof(struct seed_args, http_names), "<name>",
	"A host name under which --http may be asked (repeatable)", NULL},
    {"stats-interval", 0, CLI_INT, offsetof(struct seed_args, interval), "<ms>",
	"Time between two reports (default 500, plain 3000)",
	"--stats-interval flag must supply an integer if set"},
};

static const struct cli_arg args[] = {
    {"[link]", CLI_ARG_REST, offsetof(struct seed_args, links),
	"Drives to keep available, any number of them"},
};

static const char *const examples[] = {
    "pear-seed pear://...",
    "pear-seed pear://... --listen 127.0.0.1:0 --peer 192.0.2.7:49737:KEY",
    "pear-seed --list /etc/pear-seed/links --http 127.0.0.1:9090",
    NULL,
};

const struct cli_spec seed_spec = {
    .name = "pear-seed",
    .event = "seed",
    .summary = "Keep drives available: fetch them whole, follow their "
	       "updates, and serve them to peers.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
    .uses = CLI_USES_STORE | CLI_USES_NET,
};

void
seed_args_deinit(struct seed_args *a)
{
	cli_list_deinit(&a->links);
	cli_list_deinit(&a->peers);
	cli_list_deinit(&a->until);
	cli_list_deinit(&a->http_names);
	cli_list_deinit(&a->blind_peers);
	cli_list_deinit(&a->blind_allow);
	cli_list_deinit(&a->blind_trust);
}
