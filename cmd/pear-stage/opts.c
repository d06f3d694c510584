#include "stage_cmd.h"

#include "cmd/common/common.h"
#include "cmd/common/report.h"

static const struct cli_option options[] = {
    {"dry-run", 'd', CLI_FLAG, offsetof(struct stage_args, dry_run), NULL,
	"Show what would change; write nothing", NULL},
    {"ignore", 0, CLI_COMMA, offsetof(struct stage_args, ignore), "<list>",
	"Paths and globs to leave out, between commas; !x keeps x", NULL},
    {"only", 0, CLI_COMMA, offsetof(struct stage_args, only), "<list>",
	"Stage only these files and folders", NULL},
    {"purge", 0, CLI_FLAG, offsetof(struct stage_args, purge), NULL,
	"Remove ignored files that the drive already holds", NULL},
    {"truncate", 0, CLI_INT, offsetof(struct stage_args, truncate), "<length>",
	"First cut the drive to this length; the fork number rises, so "
	"every earlier signature and seeder is affected",
	"--truncate flag must supply an integer if set"},
    {"yes", 'y', CLI_FLAG, offsetof(struct stage_args, yes), NULL,
	"Truncate without asking", NULL},
    {"diff", 0, CLI_FLAG, offsetof(struct stage_args, diff), NULL,
	"With --dry-run: show the changed lines of texts", NULL},
    {"report", 0, CLI_VALUE, offsetof(struct stage_args, report), "<file>",
	"With --dry-run: write the review, with sizes and changed lines, to a "
	"file that ends in .html or .md, and print its hash",
	NULL},
    {"plan-out", 0, CLI_VALUE, offsetof(struct stage_args, plan_out), "<file>",
	"With --dry-run: keep the reviewed plan in a file", NULL},
    {"plan", 0, CLI_VALUE, offsetof(struct stage_args, plan), "<file>",
	"Stage only if folder and drive are exactly as in this plan", NULL},
    {"chunking", 0, CLI_VALUE, offsetof(struct stage_args, chunking), "<how>",
	"cdc (default): content-defined chunks of 64 KiB on average, "
	"shared with everything the drive ever held; fixed: plain 64 KiB "
	"blocks; pear: block for block what the original's mirror writes "
	"when it lists the folder sorted, except that empty files get no "
	"block map (the original's readers crash on it); pear-exact: that "
	"map too",
	NULL},
    {"cache", 0, CLI_NO_FLAG, offsetof(struct stage_args, use_cache), NULL,
	"Read every file again, also unchanged ones", NULL},
    {"skip-package-json", 0, CLI_FLAG,
	offsetof(struct stage_args, skip_package_json), NULL,
	"Stage a folder without package.json", NULL},
    {"allow-empty", 0, CLI_FLAG, offsetof(struct stage_args, allow_empty), NULL,
	"Accept ignore rules that leave nothing to stage", NULL},
    {"readonly-diff", 0, CLI_FLAG, offsetof(struct stage_args, readonly_diff),
	NULL, "With --dry-run: review against a drive this store cannot write",
	NULL},
};

static const struct cli_arg args[] = {
    {"<link>", CLI_ARG, offsetof(struct stage_args, link),
	"Link of the drive, from pear-touch"},
    {"[dir]", CLI_ARG, offsetof(struct stage_args, dir),
	"Deployment directory (default: .)"},
};

static const char *const examples[] = {
    "pear-stage --dry-run pear://... ./hello-1.0.0",
    "pear-stage --dry-run --plan-out review.json pear://... ./hello-1.0.0",
    "pear-stage --dry-run --diff --report review.html pear://... "
    "./hello-1.0.0",
    "pear-stage --plan review.json pear://... ./hello-1.0.0",
    NULL,
};

const struct cli_spec stage_spec = {
    .name = "pear-stage",
    .event = "stage",
    .summary = "Bring a deployment directory into a drive, in one step.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
    .uses = CLI_USES_STORE,
};

void
stage_args_deinit(struct stage_args *a)
{
	cli_list_deinit(&a->ignore);
	cli_list_deinit(&a->only);
}

static enum err_code
check_together(const struct stage_args *a, struct err *e)
{
	if (a->plan_out != NULL && !a->dry_run)
		return err_set(e, ERR_USAGE, "--plan-out needs --dry-run");
	if (a->plan != NULL && a->dry_run)
		return err_set(
		    e, ERR_USAGE, "--plan and --dry-run exclude each other");
	if (a->readonly_diff && !a->dry_run)
		return err_set(e, ERR_USAGE, "--readonly-diff needs --dry-run");
	return common_report_check(a->dry_run, a->diff, a->report, e);
}

enum err_code
stage_args_apply(
    const struct stage_args *a, struct stage_opts *o, struct err *e)
{
	struct pear_link link;
	enum err_code rc;

	if ((rc = check_together(a, e)) != ERR_OK)
		return rc;
	rc = common_link(&link, a->link, e);
	if (rc != ERR_OK)
		return rc;
	if (a->chunking != NULL &&
	    !stage_chunking_parse(a->chunking, &o->chunking))
		return err_set(e, ERR_USAGE,
		    "--chunking takes cdc, fixed, pear or pear-exact");
	o->key = link.key;
	o->dir = a->dir;
	o->ignore.text = (const char *const *)(void *)a->ignore.item;
	o->ignore.n = a->ignore.n;
	o->only.text = (const char *const *)(void *)a->only.item;
	o->only.n = a->only.n;
	o->purge = a->purge;
	o->dry_run = a->dry_run;
	o->readonly_diff = a->readonly_diff;
	o->skip_package_json = a->skip_package_json;
	o->allow_empty = a->allow_empty;
	o->no_cache = !a->use_cache;
	o->has_truncate = a->truncate.set;
	o->truncate = a->truncate.n;
	o->plan_out = a->plan_out;
	o->plan = a->plan;
	return ERR_OK;
}
