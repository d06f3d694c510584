/*
 * peers: who else has a core, as far as a run needs to know (commands.md
 * 9.3). Filled by the network, by fakes in tests; without one (NULL) nobody
 * answers, and every count is 0.
 */
#ifndef MULTISIG_PEERS_H
#define MULTISIG_PEERS_H

#include "base/err.h"
#include "base/view.h"

enum peers_until {
	PEERS_ENOUGH, /* want_peers and want_full are there */
	/* One of them is longer than `length`, or everybody who can be found
	 * has said how long it is. */
	PEERS_KNOWN
};

struct peers_question {
	struct b32 key;	 /* core */
	uint64_t length; /* a full copy has at least these blocks */
	enum peers_until until;
	uint64_t want_peers, want_full; /* PEERS_ENOUGH */
	uint64_t timeout_ms;
};

/* Two connections of one peer count once. */
struct peers_answer {
	uint64_t peers;	  /* connected */
	uint64_t full;	  /* of these, with all of `length` blocks */
	uint64_t longest; /* greatest length any of them reported */
	uint64_t told;	  /* how many of them have reported one */
};

struct peers {
	/* Waits until enough is there or the time is up; too few is no error.
	 * ERR_INTERRUPTED when asked to stop. */
	NODISCARD enum err_code (*count)(void *ctx,
	    const struct peers_question *q, struct peers_answer *out,
	    struct err *e);
	/* Make the local replica as long as the peers have it (at most to
	 * `length`), nodes and signature only; nobody having it is no error.
	 * May be NULL. */
	NODISCARD enum err_code (*update)(void *ctx, const struct b32 *key,
	    uint64_t length, uint64_t timeout_ms, struct err *e);
	void *ctx;
};

/* p == NULL: nobody. */
NODISCARD enum err_code peers_count(const struct peers *p,
    const struct peers_question *q, struct peers_answer *out, struct err *e);

#endif
