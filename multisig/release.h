/*
 * release: from a source to a signed target: request, verify, commit
 * (commands.md 9.4, 9.6 to 9.9; hyper-multisig@2.4.0). All checks of one
 * room, in the order of the contract; errors carry its codes as tags
 * (SOURCE_CORE_TOO_SMALL, …) and its texts.
 *
 * Verify is commit without writing: the same checks, the same proofs, held
 * against the target's key. Commit moves both cores of a drive in one
 * durable step (contents first in the batch), with a journal around it; run
 * again from any point, on any machine with the same request and responses,
 * it finishes or says that it is done.
 */
#ifndef MULTISIG_RELEASE_H
#define MULTISIG_RELEASE_H

#include "core/want.h"
#include "multisig/config.h"
#include "multisig/journal.h"
#include "multisig/peers.h"
#include "multisig/quorum.h"

#define RELEASE_TIMEOUT_MS 5000
#define RELEASE_LOOK_MS 15000 /* for who has a target that should be empty */
#define RELEASE_MIN_PEERS 2

struct release_event {
	enum release_event_kind {
		/* request */
		RELEASE_GETTING_SRC_BLOBS,
		RELEASE_VERIFY_DB_REQUESTABLE,
		RELEASE_GETTING_BLOBS_LENGTH,
		RELEASE_VERIFY_BLOBS_REQUESTABLE,
		RELEASE_CREATING_DRIVE,
		/* verify, commit */
		RELEASE_VERIFY_COMMITTABLE, /* source, target */
		RELEASE_RESPONSE,	    /* verdict, number */
		RELEASE_COMMIT_START,
		RELEASE_RESUMED, /* a journal of this request is open */
		RELEASE_FIRST,	 /* found out: nobody has any of it */
		RELEASE_VERIFY_COMMITTED, /* target */
		RELEASE_SEEDERS,	  /* id, done of total hold it all */
		RELEASE_PROGRESS,	  /* done, total bytes */
		RELEASE_WARNING		  /* message */
	} kind;
	const struct b32 *source, *target;
	const struct quorum_verdict *verdict;
	size_t number;
	uint64_t done, total;
	const char *id; /* "db", "blobs", "" for a core */
	const char *message;
};

struct release_opts {
	struct store *store;
	const struct config *config;
	enum request_kind kind;
	struct b32 source;
	bool has_source_version; /* of a verlink: fork and length it names */
	uint64_t source_fork, source_length;
	bool force; /* request: no seeding checks */
	/* verify, commit: skip rows 3 to 7, 9 and 14. What the target holds
	 * is compared with the source even so: no signature could hold. */
	bool force_dangerous;
	bool first_commit, skip_target_well_seeded;
	/* Without first_commit: it is the first one all the same if at least
	 * min_peers peers of the target say that it is empty. */
	bool find_first;
	bool dry_run; /* verify */
	uint64_t min_peers, min_full, timeout_ms, look_ms;
	const struct fetch *fetch; /* NULL: only what is here */
	const struct peers *peers; /* NULL: nobody */
	bool (*stop)(void *ctx);
	void (*event)(void *ctx, const struct release_event *ev);
	void *ctx;
};
#define RELEASE_OPTS_DEFAULT \
	{ \
		.kind = REQUEST_DRIVE, .min_peers = RELEASE_MIN_PEERS, \
		.min_full = RELEASE_MIN_PEERS, \
		.timeout_ms = RELEASE_TIMEOUT_MS, .look_ms = RELEASE_LOOK_MS \
	}

/* Make a request for `length` blocks of the source (0: all it has). The fork
 * is the target's, and a source of another fork is refused (FORK_MISMATCH).
 * bytes (reset here) gets the encoding. */
NODISCARD enum err_code release_request(const struct release_opts *o,
    uint64_t length, unsigned version, struct request *out, struct buf *bytes,
    struct err *e);

struct release_core {
	struct b32 key;
	uint64_t length;
	struct b32 tree_hash;
};

/* One core of the release: metadata (or the core itself), contents. */
struct release_part {
	struct release_core source, before, after; /* of the target: dest */
	bool done;	      /* the target held it already */
	struct buf signature; /* empty below quorum */
};

struct release_report {
	size_t nparts;
	struct release_part part[REQUEST_CORES_MAX];
	struct quorum quorum;
	bool already;	/* ALREADY_COMMITTED: nothing to do, exit 0 */
	bool committed; /* heads were moved by this run */
};
void release_report_init(struct release_report *r);
void release_report_deinit(struct release_report *r);

/* Verify (dry_run) or commit. req must be the decoding of request_bytes. A
 * journal that is open for another request of the same target is
 * ERR_CONFLICT with the tag COMMIT_INCOMPLETE. r is filled as far as it
 * came. */
NODISCARD enum err_code release_run(const struct release_opts *o,
    const struct request *req, struct view request_bytes,
    const struct response *res, size_t nres, struct release_report *r,
    struct err *e);

#endif
