/*
 * folder: what a dry run of stage would change, as a review: the drive's
 * version before against the folder, with the contents of both where lines
 * are wanted.
 *
 *	folder_open(&f, &review, store, &key, version, REVIEW_LINES, e);
 *	for each STAGE_EVENT_DIFF: folder_change(f, ev, e);
 *	folder_end(f, e);
 *	folder_close(f);
 *
 * Contents that are not in the store are a remark beside the file, no error.
 */
#ifndef REVIEW_FOLDER_H
#define REVIEW_FOLDER_H

#include "drive/stage.h"
#include "review/review.h"

struct folder;

/* The review must outlive it. Version 0 and 1 are an empty drive. */
NODISCARD enum err_code folder_open(struct folder **out, struct review *r,
    struct store *s, const struct b32 *key, uint64_t version,
    enum review_want want, struct err *e);
void folder_close(struct folder *f); /* NULL is fine */
/* During the event: it lends the open folder. */
NODISCARD enum err_code folder_change(
    struct folder *f, const struct stage_event *ev, struct err *e);
/* After the last one: sizes by architecture of everything the drive holds
 * before and after, and a finding if files lie outside of the usual places
 * of a drive that has them. */
NODISCARD enum err_code folder_end(struct folder *f, struct err *e);

#endif
