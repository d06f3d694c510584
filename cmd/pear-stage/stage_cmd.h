/* pear-stage: what its files share. */
#ifndef CMD_PEAR_STAGE_H
#define CMD_PEAR_STAGE_H

#include "cli/cli.h"
#include "drive/stage.h"
#include "review/folder.h"

struct stage_args {
	const char *link, *dir;
	bool dry_run, purge, yes, readonly_diff, skip_package_json;
	bool allow_empty, use_cache, diff;
	struct cli_list ignore, only;
	struct cli_int truncate;
	const char *chunking, *plan_out, *plan, *report;
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

/* The review of a dry run. A first error stays in rc and e. */
struct stage_review {
	bool diff;
	const char *report; /* file, or NULL */
	struct review review;
	struct folder *folder;
	struct b32 sum; /* of the report */
	enum err_code rc;
	struct err e;
};
void stage_review_init(struct stage_review *v, const struct stage_args *a);
void stage_review_deinit(struct stage_review *v);
bool stage_review_wanted(const struct stage_review *v);
void stage_review_opened(struct stage_review *v, const struct stage_opts *o,
    const struct stage_report *r);
/* What became of the path, or NULL if there is no review. */
const struct review_file *stage_review_change(
    struct stage_review *v, const struct stage_event *ev);
/* Writes the report, if one was named. */
NODISCARD enum err_code stage_review_end(struct stage_review *v,
    const struct stage_opts *o, const struct stage_report *r, struct err *e);

void stage_render_opened(
    struct cli *c, const struct stage_opts *o, const struct stage_report *r);
/* file: its lines are shown too; or NULL. */
void stage_render_event(struct cli *c, const struct stage_event *ev,
    const struct review_file *file);
/* v may have no report. */
void stage_render_done(struct cli *c, const struct stage_opts *o,
    const struct stage_report *r, const struct stage_review *v);

#endif
