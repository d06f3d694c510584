/*
 * bee_replay: which keys are there, and from which block, after a run of
 * puts and dels; the judge of bee_check_version(). Memory is that of the
 * live keys, not of all operations. Private to lib/bee.
 */
#ifndef BEE_REPLAY_H
#define BEE_REPLAY_H

#include "base/err.h"
#include "bee/arena.h"

struct bee_fact {
	struct view key;
	uint64_t seq;
	bool live; /* false: this block deleted the key */
};

struct bee_replay {
	struct bee_arena arena; /* key bytes */
	struct bee_fact *fact;
	size_t n, cap;
	size_t limit; /* at this many facts the old ones go */
};

void bee_replay_init(struct bee_replay *r);
void bee_replay_deinit(struct bee_replay *r);
/* In ascending seq; the key is copied. */
NODISCARD enum err_code bee_replay_add(struct bee_replay *r, struct view key,
    uint64_t seq, bool live, struct err *e);
/* Leave one live fact per key, sorted by key. */
NODISCARD enum err_code bee_replay_settle(struct bee_replay *r, struct err *e);

#endif
