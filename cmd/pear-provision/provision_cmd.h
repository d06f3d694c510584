/* pear-provision: what its files share. */
#ifndef CMD_PEAR_PROVISION_H
#define CMD_PEAR_PROVISION_H

#include "cmd/common/net.h"
#include "drive/provision.h"
#include "review/review.h"

struct provision_args {
	const char *source, *target, *production;
	bool dry_run, yes, latest, bootstrap, allow_prerelease, plain, diff;
	const char *report;
	struct cli_int cooldown;
	struct cli_list peers;
};

extern const struct cli_spec provision_spec;

/* Turn what was typed into options of the workflow, and the seconds to wait
 * before the first write; ERR_USAGE, ERR_INVALID. Store and callbacks are
 * left to the caller. */
NODISCARD enum err_code provision_args_apply(const struct provision_args *a,
    struct provision_opts *out, unsigned *cooldown, struct err *e);

/* The review of a dry run. A first error stays in rc and e. */
struct provision_review {
	bool diff;
	const char *report; /* file, or NULL */
	struct review review;
	struct b32 sum; /* of the report */
	enum err_code rc;
	struct err e;
};
void provision_review_init(
    struct provision_review *v, const struct provision_args *a);
void provision_review_deinit(struct provision_review *v);
bool provision_review_wanted(const struct provision_review *v);
/* Before the first difference is told, with what is known by then. */
void provision_review_compare(struct provision_review *v,
    const struct provision_opts *o, const struct provision_report *r);
/* NULL if no lines are wanted. */
const struct review_file *provision_review_file(
    const struct provision_review *v, const char *path);
/* Writes the report, if one was named. */
NODISCARD enum err_code provision_review_end(struct provision_review *v,
    const struct provision_report *r, struct err *e);

void provision_render_event(struct cli *c, const struct provision_opts *o,
    const struct provision_event *ev, const struct provision_review *v);
void provision_render_cooldown(struct cli *c, unsigned seconds);
void provision_render_done(struct cli *c, const struct provision_opts *o,
    const struct provision_report *r, const struct provision_review *v);

#endif
