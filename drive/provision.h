/*
 * provision: a source version onto a target, on top of production
 * (commands.md 7; data-formats 7).
 *
 * The target becomes production's blocks, followed by one compact difference
 * to the source's content: the source's history does not come along. One
 * pass, one durable step: after an error or a kill the target is as it was.
 * A dry run is the same pass on dry batches.
 *
 * Before anything is written the target must be an extension of production,
 * or a beginning of it (metadata and contents): anything else is ERR_CONFLICT
 * ERR_TARGET_DIVERGED with the way out.
 */
#ifndef DRIVE_PROVISION_H
#define DRIVE_PROVISION_H

#include "drive/stage.h"
#include "pear/link.h"

struct provision_event {
	enum provision_event_kind {
		PROVISION_EVENT_SYNCING, /* what: "metadata", "blobs" */
		PROVISION_EVENT_BLOCKS,	 /* what, done, total blocks */
		PROVISION_EVENT_SYNCED,	 /* what */
		PROVISION_EVENT_DIFFING,
		PROVISION_EVENT_DIFF,	/* type, path, removed, added, stored */
		PROVISION_EVENT_DIFFED, /* report */
		PROVISION_EVENT_STAGING,   /* real run: DIFFs once more */
		PROVISION_EVENT_STAGED,	   /* report */
		PROVISION_EVENT_SETTING,   /* field, value */
		PROVISION_EVENT_UNSETTING, /* field */
		PROVISION_EVENT_PROGRESS   /* done, total bytes */
	} kind;
	const char *what, *path, *field;
	bool writing; /* DIFF: the second time, in the real pass */
	const json_t *value;
	const struct provision_report *report; /* `after` as it will be */
	int type;			       /* 1 add, 0 change, -1 remove */
	uint64_t removed, added, stored, done, total;
};

/* How contents are laid into the target. */
enum provision_sharing {
	PROVISION_SHARED, /* blocks the target's history holds are used again */
	PROVISION_PLAIN	  /* every block anew: what the original writes */
};

struct provision_drive { /* one side of the report */
	struct b32 key;
	uint64_t fork, length;
	struct b32 tree_hash;
	bool has_blobs;
	struct b32 blobs_key;
	uint64_t blobs_length;
	struct b32 blobs_hash;
};

struct provision_opts {
	struct store *store;
	struct pear_link source, production; /* versioned */
	struct b32 target;
	enum provision_sharing sharing;
	bool dry_run;
	bool allow_prerelease;
	bool latest; /* production may be longer than its link says */
	/* 0.0 although nobody could say whether production is empty */
	bool bootstrap;
	const struct fetch *fetch;
	/* real run, after all checks and the diff, before the first byte is
	 * written; false stops with ERR_INTERRUPTED (cooldown) */
	bool (*proceed)(void *ctx);
	bool (*stop)(void *ctx);
	void (*event)(void *ctx, const struct provision_event *ev);
	void *ctx;
};

struct provision_report {
	struct provision_drive source, before, after, production;
	bool production_is_target;
	char *version; /* of the source's package.json; owned */
	uint64_t changes, add, remove, change, fields;
	uint64_t bytes_added, bytes_removed, bytes_stored;
	uint64_t copied_blocks, copied_bytes; /* from production */
};
void provision_report_deinit(struct provision_report *r);

NODISCARD enum err_code drive_provision(
    const struct provision_opts *o, struct provision_report *r, struct err *e);

/* In memory, on nothing but production: what the target would be if the
 * build in `dir` were staged and provisioned (chunking: as it was staged).
 * Writes nothing; the target's key plays no part in tree hashes. */
struct provision_rebuild {
	struct store *store;
	struct b32 production;
	uint64_t length; /* of production; 0 = it is empty */
	const char *dir;
	enum stage_chunking chunking;
	enum provision_sharing sharing;
	bool (*stop)(void *ctx);
	void *ctx;
};
NODISCARD enum err_code drive_provision_rebuild(
    const struct provision_rebuild *o, struct provision_drive *out,
    struct err *e);

#endif
