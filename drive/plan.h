/*
 * plan: what a stage will do, in a file that can be reviewed, kept, and held
 * against the real run.
 *
 * The plan names the drive at its length and tree hash, every change with
 * size and BLAKE2b-256 of the content (`b2sum -l 256`), and the lengths and
 * tree hashes both cores will have. The real run computes the same plan
 * again and succeeds only if the two are equal: since tree hashes cover
 * every byte, nothing can differ from what was reviewed.
 *
 * {"format":"pear-stage-plan","version":1,"drive":KEY,"chunking":NAME,
 *  "base":{"fork","length","treeHash","blobs":{"fork","length","treeHash"}},
 *  "changes":[{"op","path","size","executable","linkname"|"hash","from"}],
 *  "result":{as base}}
 */
#ifndef DRIVE_PLAN_H
#define DRIVE_PLAN_H

#include <jansson.h>

#include "core/batch.h"

#define PLAN_SIZE_MAX (1u << 30) /* bytes of a plan file */

struct plan {
	json_t *doc;	 /* NULL = no plan is kept */
	json_t *changes; /* borrowed from doc */
};

struct plan_change {
	enum plan_op { PLAN_ADD, PLAN_CHANGE, PLAN_REMOVE } op;
	const char *path;
	uint64_t size;
	bool executable;
	const char *linkname;  /* a link, else NULL */
	const struct b32 *sum; /* a file's content, else NULL */
	const char *from;      /* renamed or copied from, else NULL */
};

void plan_deinit(struct plan *p);
/* Begin: the drive as it is. blobs may be NULL (none yet). */
NODISCARD enum err_code plan_begin(struct plan *p, const struct core *db,
    const struct core *blobs, const char *chunking, struct err *e);
NODISCARD enum err_code plan_add(
    struct plan *p, const struct plan_change *c, struct err *e);
/* End: what the batches will make of it. */
NODISCARD enum err_code plan_end(struct plan *p, const struct core_batch *db,
    const struct core_batch *blobs, struct err *e);

NODISCARD enum err_code plan_write(
    const struct plan *p, const char *path, struct b32 *sum, struct err *e);
NODISCARD enum err_code plan_read(
    struct plan *p, const char *path, struct b32 *sum, struct err *e);
/* The same text as plan_read takes, from memory. */
NODISCARD enum err_code plan_parse(
    struct plan *p, struct view text, struct err *e);
/* The chunking a plan was made with. */
const char *plan_chunking(const struct plan *p);

/* ERR_CONFLICT names the first thing that is not as reviewed. plan_check_base
 * looks at drive and base only, before any file is read. */
NODISCARD enum err_code plan_check_base(
    const struct plan *reviewed, const struct plan *now, struct err *e);
NODISCARD enum err_code plan_check(
    const struct plan *reviewed, const struct plan *now, struct err *e);

#endif
