/*
 * journal: what a commit is about to do, kept in STORE_JOURNAL until it is
 * done (commands.md 9.8; architecture 2). One per target: while one is open
 * any other commit for that target is refused.
 *
 *	key    "multisig" 00, target key 32
 *	value  JSON text: see docs/formats
 */
#ifndef MULTISIG_JOURNAL_H
#define MULTISIG_JOURNAL_H

#include "multisig/response.h"
#include "store/store.h"

enum journal_phase {
	JOURNAL_VERIFIED,  /* all checks passed, nothing written yet */
	JOURNAL_COMMITTED, /* heads moved; seeders are still to be waited for */
};

struct journal {
	struct b32 key; /* target */
	struct b32 source;
	struct b32 request_hash;
	struct buf request; /* bytes */
	char **response;    /* z-base-32; owned */
	size_t nresponses, cap;
	bool first;		/* the target was empty before */
	uint64_t length_before; /* of the target's cores */
	uint64_t blobs_before;
	enum journal_phase phase;
};

void journal_init(struct journal *j);
void journal_deinit(struct journal *j);
/* A copy of a text. */
NODISCARD enum err_code journal_add_response(
    struct journal *j, struct view text, struct err *e);
/* ERR_NOT_FOUND: none is open. ERR_CORRUPT names the target. */
NODISCARD enum err_code journal_read(struct journal *out, struct store *s,
    const struct b32 *target, struct err *e);
NODISCARD enum err_code journal_decode(
    struct journal *out, struct view text, struct err *e);
/* Appends the text. */
NODISCARD enum err_code journal_encode(
    struct buf *out, const struct journal *j, struct err *e);
/* Durable when it returns (txn NULL), or inside a transaction. */
NODISCARD enum err_code journal_write(const struct journal *j, struct store *s,
    struct store_txn *txn, struct err *e);
NODISCARD enum err_code journal_erase(struct store *s, struct store_txn *txn,
    const struct b32 *target, struct err *e);
NODISCARD enum err_code journal_list(struct store *s,
    bool (*each)(void *ctx, const struct journal *j), void *ctx, struct err *e);

#endif
