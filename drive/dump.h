/*
 * dump: a drive, or a part of it, out of the store into a folder or a
 * stream (commands.md 12).
 *
 * Every byte is checked against the drive's Merkle tree before it is
 * written. Nothing is ever written outside the folder: paths and link
 * targets that could leave it fail the dump before the first write, and
 * every path is opened beneath the folder without following links
 * (base/beneath.h). Files are written beside and renamed; a file that holds
 * the right bytes already is left alone, so an interrupted dump goes on
 * where it stopped.
 */
#ifndef DRIVE_DUMP_H
#define DRIVE_DUMP_H

#include "hyperdrive/drive.h"

struct dump_event {
	enum dump_event_kind {
		DUMP_EVENT_DIFF, /* type, path, removed, added */
		DUMP_EVENT_WARNING,
		DUMP_EVENT_PROGRESS /* done, total */
	} kind;
	int type; /* 1 add, 0 change, -1 remove */
	const char *path;
	uint64_t removed, added, done, total;
	const char *message;
};

struct dump_opts {
	struct store *store;
	struct b32 key;
	bool has_checkout;
	uint64_t checkout; /* core length; 0 = nothing */
	bool has_fork;
	uint64_t fork; /* refused if the drive's is another */
	bool has_hash;
	struct b32 hash;	 /* tree hash the version must have */
	const char *prefix;	 /* path of the link, or NULL */
	const char *const *only; /* further literal prefixes */
	size_t nonly;
	const char *dir; /* for dump_write */
	bool dry_run, force, prune, check;
	const char *home; /* never pruned without asking, or NULL */
	/* asked before files are deleted from a folder where that looks like
	 * a mistake; NULL or false refuses */
	bool (*confirm_prune)(void *ctx, uint64_t files);
	const struct fetch *fetch; /* for blocks that are not here */
	bool (*stop)(void *ctx);
	void (*event)(void *ctx, const struct dump_event *ev);
	void *ctx;
};

struct dump_report {
	struct b32 key, tree_hash;
	uint64_t fork, length; /* what was dumped */
	uint64_t files, add, change, remove, bytes;
};

/* Into opts->dir. ERR_EXISTS "Dir is not empty. To overwrite: --force" with
 * tag ERR_DIR_NONEMPTY; ERR_NOT_FOUND "not found" for an absent path;
 * with opts->check nothing is written and a difference is ERR_VERIFY. */
NODISCARD enum err_code drive_dump(
    const struct dump_opts *opts, struct dump_report *r, struct err *e);

/* Out of the drive in path order: begin for each entry, data for each block
 * of a file, end. NULL callbacks are skipped; without `data` no content is
 * read (listing). `single`: the prefix names exactly this file. */
struct dump_stream {
	NODISCARD enum err_code (*begin)(void *ctx, const char *path,
	    const char *linkname, bool single, struct err *e);
	NODISCARD enum err_code (*data)(
	    void *ctx, struct view block, struct err *e);
	NODISCARD enum err_code (*end)(void *ctx, struct err *e);
	void *ctx;
};
NODISCARD enum err_code drive_dump_stream(const struct dump_opts *opts,
    const struct dump_stream *to, struct dump_report *r, struct err *e);

#endif
