/* pear-provision: parse, provision, render. */
#include "cli/stop.h"
#include "cmd/common/common.h"
#include "provision_cmd.h"

struct run {
	struct cli *cli;
	struct provision_opts opts;
	unsigned cooldown; /* seconds */
	struct provision_review review;
	struct common_net net;
};

static void
on_event(void *ctx, const struct provision_event *ev)
{
	struct run *run = ctx;

	if (ev->kind == PROVISION_EVENT_DIFFING)
		provision_review_compare(&run->review, &run->opts, ev->report);
	provision_render_event(run->cli, &run->opts, ev, &run->review);
}

/* A review that cannot be made ends the run too. */
static bool
on_stop(void *ctx)
{
	const struct run *run = ctx;

	return run->review.rc != ERR_OK || cli_stop_poll(NULL);
}

static bool
on_proceed(void *ctx)
{
	const struct run *run = ctx;

	if (run->cooldown == 0)
		return !cli_stopping();
	provision_render_cooldown(run->cli, run->cooldown);
	return cli_stop_wait(run->cooldown);
}

/* All three drives, as far as peers have them: the target may be here only,
 * and production may be nowhere yet. */
static enum err_code
ask_peers(struct run *run, struct err *e)
{
	struct pear_link target = {.key = run->opts.target};
	enum err_code rc;

	run->opts.fetch = common_net_fetch(&run->net);
	rc = common_net_drive(&run->net, &run->opts.source, COMMON_NEED, e);
	if (rc == ERR_OK && run->opts.production.length > 0)
		rc = common_net_drive(
		    &run->net, &run->opts.production, COMMON_NEED, e);
	if (rc != ERR_OK)
		return rc;
	rc = common_net_drive(&run->net, &target, COMMON_IF_THERE, e);
	return rc == ERR_PEERS ? ERR_OK : rc;
}

static enum err_code
provision(struct cli *c, const struct provision_args *a, struct err *e)
{
	struct run run = {.cli = c};
	struct provision_report r = {.version = NULL};
	enum err_code rc;

	rc = provision_args_apply(a, &run.opts, &run.cooldown, e);
	if (rc == ERR_OK)
		rc = common_store(&run.opts.store, c,
		    a->dry_run ? common_net_mode(c, &a->peers, STORE_READ)
			       : STORE_WRITE,
		    e);
	if (rc != ERR_OK)
		return rc;
	if ((rc = common_net_open(&run.net, c, run.opts.store, &a->peers, e)) !=
		ERR_OK ||
	    (rc = ask_peers(&run, e)) != ERR_OK)
		goto out;
	provision_review_init(&run.review, a);
	run.opts.proceed = on_proceed;
	run.opts.stop = on_stop;
	run.opts.event = on_event;
	run.opts.ctx = &run;
	rc = drive_provision(&run.opts, &r, e);
	if (rc == ERR_OK || run.review.rc != ERR_OK)
		rc = provision_review_end(&run.review, &r, e);
	if (rc == ERR_OK)
		provision_render_done(c, &run.opts, &r, &run.review);
	provision_review_deinit(&run.review);
	provision_report_deinit(&r);
out:
	common_net_close(&run.net);
	store_close(run.opts.store);
	return rc;
}

int
main(int argc, char **argv)
{
	struct provision_args a = {.source = NULL};
	struct err e = ERR_INIT;
	struct cli c;
	enum err_code rc;
	int code;

	if (!cli_start(&c, &provision_spec, argc, argv, &a)) {
		code = cli_exit(&c);
	} else {
		rc = provision(&c, &a, &e);
		code = cli_finish(&c, rc, &e);
	}
	cli_list_deinit(&a.peers);
	return code;
}
