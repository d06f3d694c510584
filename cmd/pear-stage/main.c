/* pear-stage: parse, stage, render. */
#include <time.h>

#include "cli/prompt.h"
#include "cli/stop.h"
#include "cmd/common/common.h"
#include "stage_cmd.h"

struct run {
	struct cli *cli;
	struct stage_opts opts;
	struct stage_review review;
};

static void
on_event(void *ctx, const struct stage_event *ev)
{
	const struct review_file *file = NULL;
	struct run *run = ctx;

	if (ev->kind == STAGE_EVENT_DIFF)
		file = stage_review_change(&run->review, ev);
	stage_render_event(run->cli, ev, run->review.diff ? file : NULL);
}

/* A review that cannot be made ends the run too. */
static bool
on_stop(void *ctx)
{
	struct run *run = ctx;

	return run->review.rc != ERR_OK || cli_stop_poll(NULL);
}

static void
on_opened(void *ctx, const struct stage_report *r)
{
	struct run *run = ctx;

	stage_render_opened(run->cli, &run->opts, r);
	stage_review_opened(&run->review, &run->opts, r);
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
stage_and_review(struct run *run, struct stage_report *r, struct err *e)
{
	struct stage_review *v = &run->review;
	enum err_code rc = drive_stage(&run->opts, r, e);

	if (v->rc != ERR_OK) {
		*e = v->e;
		return v->rc;
	}
	return rc == ERR_OK ? stage_review_end(v, &run->opts, r, e) : rc;
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
	stage_review_init(&run.review, a);
	run.opts.now = wall_clock();
	run.opts.stop = on_stop;
	run.opts.event = on_event;
	run.opts.opened = on_opened;
	run.opts.ctx = &run;
	rc = stage_and_review(&run, &r, e);
	if (rc == ERR_OK)
		stage_render_done(c, &run.opts, &r, &run.review);
	stage_review_deinit(&run.review);
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
