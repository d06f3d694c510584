/*
 * stage: a deployment directory into a drive (commands.md 5).
 *
 * One pass plans and applies: the directory is scanned in byte order of full
 * paths, merged with the drive's entries, every changed file is cut into
 * chunks and appended beyond the heads, and everything becomes visible in
 * one durable step at the end. A dry run is the same pass on dry batches: it
 * knows the resulting lengths and tree hashes and writes nothing.
 *
 * After any error, and after a kill at any moment, the drive is as it was.
 */
#ifndef DRIVE_STAGE_H
#define DRIVE_STAGE_H

#include "blobs/chunker.h"
#include "drive/ignore.h"
#include "drive/plan.h"
#include "hyperdrive/drive.h"

enum stage_chunking {
	STAGE_CHUNKING_CDC,	  /* content-defined, shared in all history */
	STAGE_CHUNKING_FIXED,	  /* plain 64 KiB blocks, nothing shared */
	STAGE_CHUNKING_PEAR,	  /* as the reference's deduplicating mirror */
	STAGE_CHUNKING_PEAR_EXACT /* and its maps for empty files too */
};
/* "cdc", "fixed", "pear", "pear-exact"; false if unknown. */
bool stage_chunking_parse(const char *text, enum stage_chunking *out);
enum chunker_kind stage_chunker(enum stage_chunking c);

struct scan_entry;

/* What happens, in order; strings are valid during the call only. */
struct stage_event {
	enum stage_event_kind {
		STAGE_EVENT_WARNING,
		STAGE_EVENT_TRUNCATE, /* length: to where */
		STAGE_EVENT_DIFF,
		STAGE_EVENT_PROGRESS
	} kind;
	/* WARNING */
	const char *message;
	/* DIFF: type 1 add, 0 change, -1 remove */
	int type;
	const char *path;
	uint64_t removed, added; /* bytes of old and new content */
	uint64_t stored;	 /* bytes really appended */
	const char *from;	 /* renamed or copied from, or NULL */
	bool renamed;		 /* from leaves the drive */
	/* what the folder holds there, and the open folder; NULL: removed */
	const struct scan_entry *disk;
	int root;
	/* PROGRESS */
	uint64_t done, total; /* bytes of files looked at */
	uint64_t length;      /* TRUNCATE */
};

struct stage_report;

struct stage_opts {
	struct store *store;
	struct b32 key;
	const char *dir;
	struct ignore_texts ignore, only; /* of the command line */
	bool purge, dry_run, readonly_diff, skip_package_json, allow_empty;
	bool no_cache;
	bool has_truncate;
	uint64_t truncate;
	enum stage_chunking chunking;
	const char *plan_out; /* dry run: write the plan there */
	const char *plan;     /* real run: must be exactly this */
	/* wall clock in ns, for the stat cache */
	int64_t now;
	bool (*stop)(void *ctx); /* polled; true = ERR_INTERRUPTED */
	void (*event)(void *ctx, const struct stage_event *ev);
	void *ctx;
	/* called once the drive is open, before anything is read: for the
	 * header block of the output */
	void (*opened)(void *ctx, const struct stage_report *r);
};

struct stage_cores {
	uint64_t fork, length, byte_length;
	struct b32 tree_hash;
};

struct stage_report {
	char *name;    /* pear.name or name, "" without */
	char *version; /* package.json, NULL without */
	struct b32 key, blobs_key;
	struct stage_cores before, after; /* metadata core */
	bool has_blobs;
	struct stage_cores blobs_before, blobs_after;
	uint64_t files, add, remove, change; /* purged not in remove */
	uint64_t purged;
	uint64_t bytes_added, bytes_removed, bytes_stored;
	bool dry_run;
	struct b32 plan_sum; /* of the plan file, if one was named */
};

/* r is filled as far as the run came; stage_report_deinit() always. */
NODISCARD enum err_code drive_stage(
    const struct stage_opts *opts, struct stage_report *r, struct err *e);
void stage_report_deinit(struct stage_report *r);

#endif
