#include "cmd/common/common.h"
#include "cmd/common/report.h"
#include "provision_cmd.h"

#define COOLDOWN 10 /* seconds, unless said otherwise */
#define COOLDOWN_MAX 600

static const struct cli_option options[] = {
    {"dry-run", 'd', CLI_FLAG, offsetof(struct provision_args, dry_run), NULL,
	"Show what would change; write nothing", NULL},
    {"diff", 0, CLI_FLAG, offsetof(struct provision_args, diff), NULL,
	"With --dry-run: show the changed lines of texts", NULL},
    {"report", 0, CLI_VALUE, offsetof(struct provision_args, report), "<file>",
	"With --dry-run: write the review, with sizes and changed lines, to a "
	"file that ends in .html or .md, and print its hash",
	NULL},
    {"cooldown", 0, CLI_INT, offsetof(struct provision_args, cooldown),
	"<seconds>", "Wait this long before the first write (10; at most 600)",
	"--cooldown takes seconds, 0 to 600"},
    {"yes", 'y', CLI_FLAG, offsetof(struct provision_args, yes), NULL,
	"Do not wait: --cooldown 0", NULL},
    {"latest", 0, CLI_FLAG, offsetof(struct provision_args, latest), NULL,
	"Build on production as it is here, also if it is newer than its "
	"link says",
	NULL},
    {"bootstrap", 0, CLI_FLAG, offsetof(struct provision_args, bootstrap), NULL,
	"With pear://0.0.<key>: go on although nobody could say whether "
	"production is empty",
	NULL},
    {"allow-prerelease", 0, CLI_FLAG,
	offsetof(struct provision_args, allow_prerelease), NULL,
	"Accept versions such as 1.2.0-rc.1, for lines that are not released",
	NULL},
    {"plain", 0, CLI_FLAG, offsetof(struct provision_args, plain), NULL,
	"Store every block of a changed file, as the original does; without "
	"it, blocks that the target's history holds are used again",
	NULL},
    COMMON_PEER_OPTION(struct provision_args, peers),
};

static const struct cli_arg args[] = {
    {"<source-verlink>", CLI_ARG, offsetof(struct provision_args, source),
	"Version of the staged drive"},
    {"<target-link>", CLI_ARG, offsetof(struct provision_args, target),
	"Drive to provision to, from pear-touch"},
    {"<production-verlink>", CLI_ARG,
	offsetof(struct provision_args, production),
	"Version of production; pear://0.0.<key> before its first release"},
};

static const char *const examples[] = {
    "pear-provision --dry-run pear://0.5.<stage> pear://<target> "
    "pear://0.0.<production>",
    "pear-provision pear://0.9.<stage> pear://<target> "
    "pear://0.5.<production>",
    NULL,
};

const struct cli_spec provision_spec = {
    .name = "pear-provision",
    .event = "provision",
    .summary = "Bring a staged version onto production, without its history.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .arg = args,
    .nargs = sizeof(args) / sizeof(args[0]),
    .example = examples,
    .uses = CLI_USES_STORE,
};

static enum err_code
versioned(
    struct pear_link *out, const char *text, const char *who, struct err *e)
{
	enum err_code rc = common_link(out, text, e);

	if (rc != ERR_OK || out->has_version)
		return rc;
	rc = err_set(e, ERR_INVALID, "%s must be versioned", who);
	return rc == ERR_OK ? rc : err_tag(e, "ERR_INVALID_LINK");
}

static enum err_code
choose_cooldown(
    const struct provision_args *a, unsigned *seconds, struct err *e)
{
	*seconds = COOLDOWN;
	if (a->cooldown.set && a->cooldown.n > COOLDOWN_MAX)
		return err_set(
		    e, ERR_USAGE, "--cooldown takes seconds, 0 to 600");
	if (a->cooldown.set)
		*seconds = (unsigned)a->cooldown.n;
	if (a->yes)
		*seconds = 0;
	return ERR_OK;
}

enum err_code
provision_args_apply(const struct provision_args *a, struct provision_opts *o,
    unsigned *cooldown, struct err *e)
{
	struct pear_link target;
	enum err_code rc;

	if ((rc = common_report_check(a->dry_run, a->diff, a->report, e)) !=
		ERR_OK ||
	    (rc = choose_cooldown(a, cooldown, e)) != ERR_OK ||
	    (rc = versioned(&o->source, a->source, "<source-verlink>", e)) !=
		ERR_OK ||
	    (rc = common_link(&target, a->target, e)) != ERR_OK ||
	    (rc = versioned(&o->production, a->production,
		 "<production-verlink>", e)) != ERR_OK)
		return rc;
	o->target = target.key;
	o->sharing = a->plain ? PROVISION_PLAIN : PROVISION_SHARED;
	o->dry_run = a->dry_run;
	o->allow_prerelease = a->allow_prerelease;
	o->latest = a->latest;
	o->bootstrap = a->bootstrap;
	return ERR_OK;
}
