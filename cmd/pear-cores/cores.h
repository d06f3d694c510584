/* cores: the cores of the local store (commands 13). */
#ifndef CMD_PEAR_CORES_CORES_H
#define CMD_PEAR_CORES_CORES_H

#include "cli/cli.h"
#include "core/core.h"

struct cores_opts {
	bool all; /* also those without any block here */
};

extern const struct cli_spec cores_spec;

struct cores_row {
	struct core_info info;
	/* What a drive keeps file contents in, or anything else. */
	enum cores_type { CORES_CORE, CORES_BLOBS } type;
	struct b32 owner; /* CORES_BLOBS: the drive's key */
	char *name;	  /* of the drive's app, malloc; NULL = not known */
};

struct cores_report {
	struct cores_row *row; /* in the order of their links */
	size_t n, cap;
	size_t writable;
	uint64_t bytes; /* of all rows, by their heads */
};

/* A store that does not exist yet has no cores. */
NODISCARD enum err_code cores_run(const struct cli *c,
    const struct cores_opts *opts, struct cores_report *out, struct err *e);
void cores_report_deinit(struct cores_report *r);
void cores_render(struct cli *c, const struct cores_report *r);

#endif
