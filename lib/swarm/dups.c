#include "swarm/dups.h"

bool
dups_ours(const struct b32 *local, const struct b32 *remote)
{
	return view_cmp(view_b32(local), view_b32(remote)) > 0;
}

enum dups_verdict
dups_judge(const struct dups_case *c, bool ours)
{
	/* it does not dial while it has a connection */
	if (c->old_initiator == c->new_initiator)
		return DUPS_KEEP_NEW;
	if (!c->new_initiator && c->old_used && c->old_age >= DUPS_RACE_US)
		return DUPS_KEEP_NEW;
	return c->new_initiator == ours ? DUPS_KEEP_NEW : DUPS_KEEP_OLD;
}
