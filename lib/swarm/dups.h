/*
 * dups: which of two connections of one peer stays (network.md 7.3). Both
 * sides judge alone and must come to the same end, so the rule is one of the
 * connections: that of the larger key stays, whichever was first.
 *
 * Two cases are no race of that kind: the same side dialled again, so it has
 * lost the first; and a new connection long after the old one was in use,
 * which tells that as well.
 */
#ifndef SWARM_DUPS_H
#define SWARM_DUPS_H

#include <stdint.h>

#include "base/view.h"

/* What is dialled before the other side's connection is seen arrives within
 * this time after it. */
#define DUPS_RACE_US UINT64_C(3000000)

struct dups_case {
	bool old_initiator, new_initiator; /* did we dial it? */
	bool old_used;			   /* bytes went both ways */
	uint64_t old_age;
};

enum dups_verdict { DUPS_KEEP_OLD, DUPS_KEEP_NEW };

/* Is ours the side whose connection stays? */
bool dups_ours(const struct b32 *local, const struct b32 *remote);
enum dups_verdict dups_judge(const struct dups_case *c, bool ours);

#endif
