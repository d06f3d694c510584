/* pear-stage: parse, stage, render. */
#include <time.h>

#include "cli/prompt.h"
#include "cli/stop.h"
#include "cmd/common/common.h"
#include "stage_cmd.h"

struct run {
	struct cli *cli;
	struct stage_opts opts;
};

static void
on_event(void *ctx, const struct stage_event *ev)
{
	stage_render_event(((struct run *)ctx)->cli, ev);
}

static void
on_opened(void *ctx, const struct stage_report *r)
{
	struct run *run = ctx;

	stage_render_opened(run->cli, &run->opts, r);
}

static int64_t
wall_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static enum err_code
confirm_truncate(struct cli *c, const struct stage_args *a, struct err *e)
{
	if (!a->truncate.set || a->dry_run || a->yes)
		return ERR_OK;
	return cli_confirm(c,
	    "Truncate the drive? Its fork number rises: every earlier "
	    "signature becomes void and every seeder starts over. [y/N] ",
	    "--yes", e);
}

static enum err_code
stage(struct cli *c, const struct stage_args *a, struct err *e)
{
	struct run run = {.cli = c};
	struct stage_report r = {.name = NULL};
	enum err_code rc;

	if ((rc = stage_args_apply(a, &run.opts, e)) != ERR_OK ||
	    (rc = confirm_truncate(c, a, e)) != ERR_OK ||
	    (rc = common_store(&run.opts.store, c,
		 a->dry_run ? STORE_READ : STORE_WRITE, e)) != ERR_OK)
		return rc;
	run.opts.now = wall_clock();
	run.opts.stop = cli_stop_poll;
	run.opts.event = on_event;
	run.opts.opened = on_opened;
	run.opts.ctx = &run;
	rc = drive_stage(&run.opts, &r, e);
	if (rc == ERR_OK)
		stage_render_done(c, &run.opts, &r);
	stage_report_deinit(&r);
	store_close(run.opts.store);
	return rc;
}

int
main(int argc, char **argv)
{
	struct stage_args a = STAGE_ARGS_DEFAULT;
	struct err e = ERR_INIT;
	struct cli c;
	enum err_code rc;
	int code;

	if (!cli_start(&c, &stage_spec, argc, argv, &a)) {
		code = cli_exit(&c);
	} else {
		rc = stage(&c, &a, &e);
		code = cli_finish(&c, rc, &e);
	}
	stage_args_deinit(&a);
	return code;
}
