/*
 * provision_impl: what the files of provision share. Private.
 *
 *	open      three drives, held against each other
 *	diff      source and destination side by side -> rows
 *	write     rows onto a batch, and the metadata fields
 *
 * The diff and the write pass know the source only as a struct
 * provision_source, so that a folder can stand in for a staged drive. The
 * destination is what the batch begins with: the target, or production where
 * the target is only a beginning of it.
 */
#ifndef DRIVE_PROVISION_IMPL_H
#define DRIVE_PROVISION_IMPL_H

#include "drive/need.h"
#include "drive/provision.h"

/* -- source --------------------------------------------------------------- */

struct provision_item {
	struct view path; /* until the next item; normal, without NUL */
	struct entry en;  /* the caller's; has_blob for every file */
	uint64_t size;	  /* bytes of the content */
	size_t index;	  /* for the source's own use */
};

struct provision_source {
	/* In byte order of paths. */
	NODISCARD enum err_code (*next)(struct provision_source *s, bool *more,
	    struct provision_item *out, struct err *e);
	/* Has the item (of en and index) the bytes of `id`? The sizes are
	 * known to be equal. */
	NODISCARD enum err_code (*same)(struct provision_source *s,
	    const struct provision_item *it, struct core *blobs,
	    const struct blobs_id *id, bool *same, struct err *e);
	/* Its chunks to the writer; a dry batch may get them without bytes.
	 * The caller ends the content. */
	NODISCARD enum err_code (*store)(struct provision_source *s,
	    const struct provision_item *it, struct blobs_writer *wr,
	    enum core_batch_mode mode, struct blobs_id *id, uint64_t *stored,
	    struct err *e);
	/* A metadata field, NULL if absent; the caller's. */
	NODISCARD enum err_code (*field)(struct provision_source *s,
	    const char *name, json_t **out, struct err *e);
};

/* -- run ------------------------------------------------------------------ */

/* One change. en is what the target will hold, apart from the blob of a new
 * content. */
struct provision_row {
	enum provision_op {
		PROVISION_REMOVE = -1,
		PROVISION_CHANGE,
		PROVISION_ADD
	} op;
	bool content; /* bytes are stored; else link, or metadata only */
	char *path;   /* owned */
	struct entry en;
	size_t index;
	uint64_t removed, added;
};

struct provision_rows {
	struct provision_row *row;
	size_t n, cap;
	uint64_t bytes; /* of contents to be stored */
};
void provision_rows_deinit(struct provision_rows *r);

struct provision_run {
	const struct fetch *fetch;
	bool (*stop)(void *ctx);
	void (*event)(
	    void *ctx, const struct provision_event *ev); /* or NULL */
	void *ctx;
	enum provision_sharing sharing;

	/* Production at its length; NULL: there is none. */
	struct hyperdrive *production;
	uint64_t db_length, blobs_length;
	/* What the diff is against: a version and its contents core, which is
	 * NULL if nothing was ever stored. */
	struct bee *dst;
	struct core *dst_blobs;

	struct provision_source *source;
	struct provision_rows rows;
	uint64_t done; /* bytes of contents, progress */
};

NODISCARD enum err_code provision_stopping(
    const struct provision_run *p, struct err *e);
void provision_emit(
    const struct provision_run *p, const struct provision_event *ev);
void provision_progress(struct provision_run *p, uint64_t bytes);

/* -- open ----------------------------------------------------------------- */

/* A drive at a version, of a link with fork, length (0: its newest) and maybe
 * tree hash. at is NULL for an empty drive. */
struct provision_side {
	struct hyperdrive *drive;
	struct bee *at;
	uint64_t blobs_length;
};
void provision_side_close(struct provision_side *s);
NODISCARD enum err_code provision_open_source(struct provision_side *out,
    const struct provision_opts *o, struct provision_drive *r, struct err *e);
/* out->drive NULL: production is empty, or not known here. */
NODISCARD enum err_code provision_open_production(struct provision_side *out,
    const struct provision_opts *o, struct provision_drive *r, struct err *e);
/* Any drive of the store at a version that it had; blobs_length is that of
 * then. */
NODISCARD enum err_code provision_open_at(struct provision_side *out,
    struct store *s, const struct b32 *key, uint64_t length, struct err *e);
NODISCARD enum err_code provision_open_target(
    struct hyperdrive **out, const struct provision_opts *o, struct err *e);
/* Is one the beginning of the other? ERR_CONFLICT, ERR_TARGET_DIVERGED. */
NODISCARD enum err_code provision_compare(struct hyperdrive *target,
    const struct provision_side *production, const struct fetch *f,
    struct err *e);
/* version of package.json; ERR_INVALID, ERR_INVALID_MANIFEST. */
NODISCARD enum err_code provision_semver(struct provision_side *source,
    const struct provision_opts *o, char **version, struct err *e);
/* Key, heads and hashes of a drive as it is, of a checkout, of a batch. */
NODISCARD enum err_code provision_describe(struct provision_drive *r,
    struct hyperdrive *d, uint64_t length, const struct fetch *f,
    struct err *e);
void provision_describe_batch(
    struct provision_drive *r, struct hyperdrive_batch *hb);

/* -- diff, write ---------------------------------------------------------- */

/* Fill p->rows: removals in the destination's order, then the rest in the
 * source's. */
NODISCARD enum err_code provision_diff(struct provision_run *p, struct err *e);

enum provision_talk { PROVISION_SILENT, PROVISION_TELL };

/* Production's blocks that the batch lacks. */
NODISCARD enum err_code provision_copy(struct provision_run *p,
    struct hyperdrive_batch *hb, enum provision_talk talk,
    struct provision_report *r, struct err *e);
NODISCARD enum err_code provision_write(struct provision_run *p,
    struct hyperdrive_batch *hb, enum core_batch_mode mode,
    struct provision_report *r, struct err *e);
/* The fields, and the final flush. */
NODISCARD enum err_code provision_fields(struct provision_run *p,
    struct hyperdrive_batch *hb, enum provision_talk talk,
    struct provision_report *r, struct err *e);

/* -- the two sources ------------------------------------------------------ */

struct provision_from_drive {
	struct provision_source s;
	struct provision_run *run;
	struct hyperdrive_list *list;
	struct bee *at;
	struct core *blobs;
	struct buf block;
};
void provision_from_drive_init(struct provision_from_drive *d,
    struct provision_run *p, const struct provision_side *side);
void provision_from_drive_deinit(struct provision_from_drive *d);

struct provision_from_dir;
NODISCARD enum err_code provision_from_dir_new(struct provision_from_dir **out,
    const struct provision_rebuild *o, struct err *e);
void provision_from_dir_free(struct provision_from_dir *d);
struct provision_source *provision_from_dir_source(
    struct provision_from_dir *d);

/* Field of a checkout, NULL if absent. */
NODISCARD enum err_code provision_field_of(struct bee *at, const char *name,
    json_t **out, const struct fetch *f, struct err *e);

#endif
