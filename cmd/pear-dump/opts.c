#include "dump_cmd.h"

#include <string.h>

#include "cmd/common/common.h"

static const struct cli_option options[] = {
    {"dry-run", 'd', CLI_FLAG, offsetof(struct dump_args, dry_run), NULL,
	"Show what would be written; write nothing", NULL},
    {"checkout", 0, CLI_INT, offsetof(struct dump_args, checkout), "<length>",
	"Dump this version instead of the link's or newest",
	"--checkout flag must supply an integer if set"},
    {"only", 0, CLI_COMMA, offsetof(struct dump_args, only), "<list>",
	"Only these files and folders; deletes nothing unless --prune", NULL},
    {"force", 'f', CLI_FLAG, offsetof(struct dump_args, force), NULL,
	"Write into a folder that is not empty", NULL},
    {"list", 0, CLI_FLAG, offsetof(struct dump_args, list), NULL,
	"Print the paths only", NULL},
    {"no-prune", 0, CLI_FLAG, offsetof(struct dump_args, keep), NULL,
	"Keep files that are not in the drive", NULL},
    {"prune", 0, CLI_FLAG, offsetof(struct dump_args, prune), NULL,
	"With --only: delete files below its entries that are not in the "
	"drive",
	NULL},
    {"yes", 'y', CLI_FLAG, offsetof(struct dump_args, yes), NULL,
	"Delete without asking where that looks like a mistake", NULL},
    COMMON_PEER_OPTION(struct dump_args, peers),
    {"check", 0, CLI_FLAG, offsetof(struct dump_args, check), NULL,
	"Compare only; exit 4 if the folder differs", NULL},
    {"raw", 0, CLI_FLAG, offsetof(struct dump_args, raw), NULL,
	"With - and one file: its bytes and nothing else", NULL},
    {"json-encoding", 0, CLI_VALUE, offsetof(struct dump_args, encoding),
	"<how>",
	"Contents in --json: buffer (default, as the original) or base64",
	NULL},
};

static const struct cli_arg args[] = {
    {"<link>", CLI_ARG, offsetof(struct dump_args, link),
	"Drive, version or path in it"},
    {"[dir]", CLI_ARG, offsetof(struct dump_args, dir),
	"Target folder, or - for standard output"},
};

static const char *const examples[] = {
    "pear-dump pear://... ./out",
    "pear-dump --list pear://0.42...",
    "pear-dump --raw pear://.../package.json -",
    NULL,
};

const struct cli_spec dump_spec = {
    .name = "pear-dump",
    .event = "dump",
    .summary = "Write a drive, or a part of it, to a folder or to "
	       "standard output.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
    .uses = CLI_USES_STORE,
};

void
dump_args_deinit(struct dump_args *a)
{
	cli_list_deinit(&a->only);
	cli_list_deinit(&a->peers);
}

bool
dump_args_stream(const struct dump_args *a)
{
	return a->list || (a->dir != NULL && strcmp(a->dir, "-") == 0);
}

static enum err_code
check_together(const struct dump_args *a, struct err *e)
{
	if (a->dir == NULL && !a->list)
		return err_set(e, ERR_USAGE, "<dir>");
	if (a->raw && !dump_args_stream(a))
		return err_set(e, ERR_USAGE, "--raw needs - as target");
	if (a->raw && a->list)
		return err_set(
		    e, ERR_USAGE, "--raw and --list exclude each other");
	if (a->prune && a->keep)
		return err_set(
		    e, ERR_USAGE, "--prune and --no-prune exclude each other");
	if (a->encoding != NULL && strcmp(a->encoding, "buffer") != 0 &&
	    strcmp(a->encoding, "base64") != 0)
		return err_set(
		    e, ERR_USAGE, "--json-encoding takes buffer or base64");
	return ERR_OK;
}

enum err_code
dump_args_apply(const struct dump_args *a, struct dump_opts *o,
    struct buf *prefix, struct err *e)
{
	struct pear_link link;
	enum err_code rc;

	if ((rc = check_together(a, e)) != ERR_OK)
		return rc;
	rc = common_link(&link, a->link, e);
	if (rc == ERR_OK)
		rc = pear_link_path(prefix, &link, e);
	if (rc != ERR_OK)
		return rc;
	if ((o->prefix = buf_cstr(prefix)) == NULL)
		return err_nomem(e);
	o->key = link.key;
	o->has_fork = link.has_version && link.length > 0;
	o->fork = link.fork;
	o->has_checkout =
	    a->checkout.set || (link.has_version && link.length > 0);
	o->checkout = a->checkout.set ? a->checkout.n : link.length;
	o->has_hash = link.has_hash && !a->checkout.set;
	o->hash = link.hash;
	o->only = (const char *const *)(void *)a->only.item;
	o->nonly = a->only.n;
	o->dir = a->dir;
	o->dry_run = a->dry_run;
	o->force = a->force;
	/* a part of a drive says nothing about the other files */
	o->prune = !a->keep && (a->prune || a->only.n == 0);
	o->check = a->check;
	return ERR_OK;
}
