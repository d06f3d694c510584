/* gc: free the blocks of drives that can be had again (commands 14). */
#ifndef CMD_PEAR_GC_GC_H
#define CMD_PEAR_GC_GC_H

#include "cli/cli.h"
#include "core/core.h"

struct gc_opts {
	const char *resource; /* "cores" */
	const char *link;
	bool dry_run;
};

extern const struct cli_spec gc_spec;

struct gc_report {
	struct b32 key;
	bool skipped; /* writable, or not in the store */
	bool has_content;
	struct b32 content;
	uint64_t bytes; /* freed on disk; with dry_run: would be */
};

/* ERR_LOCKED: another process writes or seeds the drive. */
NODISCARD enum err_code gc_run(const struct cli *c, const struct gc_opts *opts,
    struct gc_report *out, struct err *e);
void gc_render(
    struct cli *c, const struct gc_opts *opts, const struct gc_report *r);

#endif
