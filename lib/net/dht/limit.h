/* limit: how many handshakes one host, and all together, may ask for. A
 * fixed table: addresses can be forged, memory cannot be asked for. Private
 * to the room. */
#ifndef NET_DHT_LIMIT_H
#define NET_DHT_LIMIT_H

#include "base/addr.h"

#define LIMIT_SETS 64
#define LIMIT_WAYS 4

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
/* One more from this host now? */
bool limit_take(struct limit *l, const struct addr *from, uint64_t now);

#endif
