/*
 * dump_open: a drive at the version a dump asks for. Private to dump.
 */
#ifndef DRIVE_DUMP_OPEN_H
#define DRIVE_DUMP_OPEN_H

#include "drive/dump.h"

struct dump_source {
	struct hyperdrive *drive;
	struct bee *at;
};

/* Opens, checks fork and version (a length from outside must be the end of
 * a flush, data-formats 4.2), fills the report's head. */
NODISCARD enum err_code dump_open(struct dump_source *out,
    const struct dump_opts *opts, struct dump_report *r, struct err *e);
void dump_close(struct dump_source *s);

#endif
