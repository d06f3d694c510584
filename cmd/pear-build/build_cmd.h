/* pear-build: what its files share. */
#ifndef CMD_PEAR_BUILD_H
#define CMD_PEAR_BUILD_H

#include "build-tool/build.h"
#include "cli/cli.h"

struct build_args {
	const char *package, *target, *repository;
	const char *source[ARCH_COUNT]; /* as in arch_table */
	bool force, allow_nested, provenance, allow_dirty;
};

extern const struct cli_spec build_spec;

/* ERR_USAGE; callbacks are left to the caller. */
NODISCARD enum err_code build_args_apply(
    const struct build_args *a, struct build_opts *out, struct err *e);
void build_render_event(struct cli *c, const struct build_event *ev);
void build_render_done(struct cli *c, const struct build_report *r);

#endif
