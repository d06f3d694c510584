/*
 * release_impl: what the files of the release share. Private to it.
 */
#ifndef MULTISIG_RELEASE_IMPL_H
#define MULTISIG_RELEASE_IMPL_H

#include "hyperdrive/drive.h"
#include "multisig/release.h"

/* One core of a release: where it comes from, where it goes. */
struct release_line {
	const char *id; /* "db", "blobs"; "" for a core */
	/* of the target */
	struct manifest manifest;
	struct b32 key;
	struct core *target; /* NULL: not in this store, length 0 */
	/* what the request says */
	uint64_t length;
	struct b32 tree_hash;
	struct core *source;
	struct tree tree; /* the source's at `length` */
	bool done;	  /* the target holds it already */
};

struct release {
	const struct release_opts *o;
	struct hyperdrive *drive; /* the source, if it is a drive */
	struct core *core;	  /* the source, if it is a core */
	size_t n;
	struct release_line line[REQUEST_CORES_MAX];
	bool first;   /* the target must be empty */
	bool resumed; /* a journal of this request is open */
};

/* ERR_PEERS SOURCE_CORE_TOO_SMALL if the source is not in the store: that is
 * a length of 0. */
NODISCARD enum err_code release_open_source(
    struct release *run, uint64_t length, struct err *e);
/* The targets of a manifest; those not in the store stay NULL. */
NODISCARD enum err_code release_open_targets(
    struct release *run, const struct config *c, struct err *e);
/* Ask peers for a longer replica of the target; it is opened anew. */
NODISCARD enum err_code release_update_target(struct release *run,
    struct release_line *l, uint64_t length, struct err *e);
void release_close(struct release *run);

uint64_t release_target_length(const struct release_line *l);
uint64_t release_target_fork(const struct release_line *l);
/* For loops around local reads: is it worth another try? Fetches what `c` is
 * missing, and lets c see it; otherwise *rc is the result. */
bool release_again(struct release *run, struct core *c, enum err_code *rc,
    const struct want *w, struct err *e);
NODISCARD enum err_code release_tree_at(struct release *run, struct core *c,
    uint64_t length, struct tree *out, struct err *e);
/* Contents that the source's metadata needs at a length; ERR_INVALID if that
 * is not the end of a change. */
NODISCARD enum err_code release_blobs_length(
    struct release *run, uint64_t length, uint64_t *out, struct err *e);

/* "<CODE>: <id> <text>" with the code as tag; id NULL: none. */
NODISCARD enum err_code release_code(struct err *e, enum err_code rc,
    const char *code, const char *id, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* A source link that names a version is about this source. */
NODISCARD enum err_code release_check_version(
    const struct release *run, struct err *e);
/* Rows 1, 4, 5 of commands.md 9.6, for a length. */
NODISCARD enum err_code release_check_length(
    const struct release_line *l, uint64_t length, struct err *e);
NODISCARD enum err_code release_check_seeded(
    struct release *run, const struct release_line *l, struct err *e);
/* Row 8: what the target has is how the source begins. */
NODISCARD enum err_code release_check_prefix(
    struct release *run, const struct release_line *l, struct err *e);
/* Fork, key, type (9.9 rows 1, 5, 6), trees of the source, what is done. */
NODISCARD enum err_code release_check_request(
    struct release *run, const struct request *req, struct err *e);
/* Rows 3 to 9. */
NODISCARD enum err_code release_check_committable(
    struct release *run, struct err *e);
/* Row 12 without writing: every block that the commit needs is here. */
NODISCARD enum err_code release_rehearse(struct release *run, struct err *e);
/* Rows 12, 13: move the targets and the journal in one step. */
NODISCARD enum err_code release_commit(struct release *run,
    struct journal *journal, struct release_report *r, struct err *e);

void release_tell(const struct release_opts *o, const struct release_event *ev);

#endif
