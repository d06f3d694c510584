/* pear-provision: what its files share. */
#ifndef CMD_PEAR_PROVISION_H
#define CMD_PEAR_PROVISION_H

#include "cli/cli.h"
#include "drive/provision.h"

struct provision_args {
	const char *source, *target, *production;
	bool dry_run, yes, latest, bootstrap, allow_prerelease, plain;
	struct cli_int cooldown;
};

extern const struct cli_spec provision_spec;

/* Turn what was typed into options of the workflow, and the seconds to wait
 * before the first write; ERR_USAGE, ERR_INVALID. Store and callbacks are
 * left to the caller. */
NODISCARD enum err_code provision_args_apply(const struct provision_args *a,
    struct provision_opts *out, unsigned *cooldown, struct err *e);

void provision_render_event(struct cli *c, const struct provision_opts *o,
    const struct provision_event *ev);
void provision_render_cooldown(struct cli *c, unsigned seconds);
void provision_render_done(struct cli *c, const struct provision_opts *o,
    const struct provision_report *r);

#endif
