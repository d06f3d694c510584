/* limit: how much one host, and all together, may ask for. A fixed table:
 * addresses can be forged, memory cannot be asked for. */
#ifndef NET_RPC_LIMIT_H
#define NET_RPC_LIMIT_H

#include "base/addr.h"

#define LIMIT_SETS 64
#define LIMIT_WAYS 4

struct limit_rate {
	uint64_t rate;	/* a second, at most 1,000,000 */
	uint64_t burst; /* at once */
};

/* A bucket as one time: when it will be full again. */
struct limit_source {
	struct addr host; /* IPv6: its /64 */
	uint64_t full;
};

struct limit {
	struct b32 key; /* nobody knows which hosts share a set */
	uint64_t full;	/* of all together */
	struct limit_source source[LIMIT_SETS][LIMIT_WAYS];
};

void limit_init(struct limit *l);
/* One more from this host now? Hosts by `each`, together by `all`; NULL: no
 * matter how many hosts. */
bool limit_take(struct limit *l, const struct addr *from,
    const struct limit_rate *each, const struct limit_rate *all, uint64_t now);

#endif
