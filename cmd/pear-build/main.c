/* pear-build: parse, build, render. */
#include "build_cmd.h"
#include "cli/stop.h"

static void
on_event(void *ctx, const struct build_event *ev)
{
	build_render_event(ctx, ev);
}

static enum err_code
build(struct cli *c, const struct build_args *a, struct err *e)
{
	struct build_opts o = {
	    .stop = cli_stop_poll, .event = on_event, .ctx = c};
	struct build_report r = {NULL, false, NULL};
	enum err_code rc;

	if ((rc = build_args_apply(a, &o, e)) == ERR_OK)
		rc = build_run(&o, &r, e);
	if (rc == ERR_OK)
		build_render_done(c, &r);
	build_report_deinit(&r);
	return rc;
}

int
main(int argc, char **argv)
{
	struct build_args a = {.package = NULL};
	struct err e = ERR_INIT;
	struct cli c;

	if (!cli_start(&c, &build_spec, argc, argv, &a))
		return cli_exit(&c);
	return cli_finish(&c, build(&c, &a, &e), &e);
}
