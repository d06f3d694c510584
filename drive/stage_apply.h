/*
 * stage_apply: one row of the merge into the batch. Private to the stage.
 */
#ifndef DRIVE_STAGE_APPLY_H
#define DRIVE_STAGE_APPLY_H

#include "drive/content.h"
#include "drive/origin.h"
#include "drive/stage.h"
#include "drive/stage_merge.h"

struct stage_run {
	const struct stage_opts *opts;
	struct stage_report *r;
	struct hyperdrive *drive;
	struct bee *at; /* the version the stage builds on */
	struct hyperdrive_batch *batch;
	struct statcache *cache; /* NULL with --no-cache */
	struct scan *scan;
	struct stage_rows rows;
	struct origin origin;
	bool origins_known;
	bool purge;
	struct content content;
	struct plan plan, reviewed;
	uint64_t next_seq;    /* block the next operation will write */
	uint64_t done, total; /* bytes of files */
};

/* Delete a drive entry that is not wanted any more. */
NODISCARD enum err_code stage_apply_remove(
    struct stage_run *s, struct stage_row *row, struct err *e);
/* Bring the drive's entry to what is on disk, if it differs. */
NODISCARD enum err_code stage_apply_row(
    struct stage_run *s, struct stage_row *row, struct err *e);

#endif
