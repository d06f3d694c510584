/* pear-stage: what its files share. */
#ifndef CMD_PEAR_STAGE_H
#define CMD_PEAR_STAGE_H

#include "cli/cli.h"
#include "drive/stage.h"

struct stage_args {
	const char *link, *dir;
	bool dry_run, purge, yes, readonly_diff, skip_package_json;
	bool allow_empty, use_cache;
	struct cli_list ignore, only;
	struct cli_int truncate;
	const char *chunking, *plan_out, *plan;
};
#define STAGE_ARGS_DEFAULT \
	{ \
		.dir = ".", .use_cache = true \
	}

extern const struct cli_spec stage_spec;
void stage_args_deinit(struct stage_args *a);

/* Turn what was typed into options of the workflow; ERR_USAGE, ERR_INVALID.
 * Store, callbacks and clock are left to the caller. */
NODISCARD enum err_code stage_args_apply(
    const struct stage_args *a, struct stage_opts *out, struct err *e);

void stage_render_opened(
    struct cli *c, const struct stage_opts *o, const struct stage_report *r);
void stage_render_event(struct cli *c, const struct stage_event *ev);
void stage_render_done(
    struct cli *c, const struct stage_opts *o, const struct stage_report *r);

#endif
