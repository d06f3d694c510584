/*
 * stage_merge: the scanned directory beside the drive's entries. Private to
 * the stage: one row for each path that is on disk or in the drive, in byte
 * order of paths, with what the drive holds there.
 */
#ifndef DRIVE_STAGE_MERGE_H
#define DRIVE_STAGE_MERGE_H

#include "drive/scan.h"
#include "drive/statcache.h"

struct stage_row {
	const char *path; /* drive path, "/a/b"; owned if disk == NULL */
	const struct scan_entry *disk; /* NULL: not on disk */
	uint64_t seq;		       /* block of the drive's entry, 0: none */
	struct blobs_id blob;	       /* of the drive's entry */
	char *linkname;		       /* of the drive's entry, owned */
	bool has_blob, executable;
	bool decoded; /* blob, linkname, ... are known */
	bool cached;  /* the stat cache says: unchanged */
	bool removed; /* leaves the drive in this stage */
};

struct stage_rows {
	struct stage_row *row;
	size_t n, cap;
	uint64_t in_drive; /* rows with seq > 0 */
};

void stage_rows_deinit(struct stage_rows *rows);
/* Merge the scan with every file entry of the checkout. Entries that the
 * stat cache (may be NULL) knows to be unchanged are not decoded. */
NODISCARD enum err_code stage_merge(struct stage_rows *rows,
    const struct scan *scan, struct bee *at, struct statcache *sc,
    struct err *e);
/* Decode a row's drive entry if that was spared. */
NODISCARD enum err_code stage_row_decode(
    struct stage_row *row, struct bee *at, struct err *e);

#endif
