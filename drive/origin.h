/*
 * origin: where a content was already, so that renames and copies can be
 * told from new files. Maps blob ids to drive paths. Equal content has an
 * equal blob id in drives whose chunks are shared (blobs/blobs.h, SHARED).
 */
#ifndef DRIVE_ORIGIN_H
#define DRIVE_ORIGIN_H

#include "blobs/blobs.h"

struct origin_slot {
	struct blobs_id id;
	const char *path; /* borrowed; NULL = free slot */
	bool removed;	  /* the path leaves the drive in this stage */
};

struct origin {
	struct origin_slot *slot;
	size_t n, cap; /* cap is a power of two */
};

void origin_deinit(struct origin *o);
/* Empty contents are ignored. A removed path wins over one that stays. */
NODISCARD enum err_code origin_add(struct origin *o, const struct blobs_id *id,
    const char *path, bool removed, struct err *e);
/* NULL if the content is not known. The slot may be changed by the caller:
 * a rename takes its path only once. */
struct origin_slot *origin_find(
    const struct origin *o, const struct blobs_id *id);

#endif
