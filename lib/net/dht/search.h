/*
 * search: a query for records or values, from its start to what is told at
 * its end. search.c has what all of them share, and records; value.c has
 * values. Private to the room.
 *
 * A callback of the user may cancel the search that is calling it: `inside`
 * keeps it alive until the call returns.
 */
#ifndef NET_DHT_SEARCH_H
#define NET_DHT_SEARCH_H

#include "net/dht/node_impl.h"

#define SEARCH_STALE_MAX 40 /* nodes that tell an old record of ours */

struct search_ops {
	enum dht_command ask, put; /* put: what commit sends */
	void (*reply)(struct dht_search *s, const struct rpc_reply *r);
	/* The value of the request that commits at n, in s->value; NULL: the
	 * search does not commit. */
	void (*commit)(struct dht_search *s, const struct rpc_node *n);
	void (*done)(struct dht_search *s, uint64_t now);
};

struct dht_search {
	struct dht *d;
	struct dht_search *next, *prev;
	const struct search_ops *ops;
	struct rpc_query *query; /* NULL: over */
	bool inside, cancelled;
	struct b32 target;
	struct buf value;
	/* what the query ended with */
	struct rpc_node closest[RPC_K];
	size_t nclosest, commits;
	/* records: o.relay points to relay */
	struct dht_search_opts o;
	struct addr relay[DHT_RELAYS_MAX];
	struct rpc_node stale[SEARCH_STALE_MAX];
	uint64_t request[SEARCH_STALE_MAX]; /* UNANNOUNCE under way, or 0 */
	size_t nstale, pending;
	/* values */
	struct dht_value_opts v;
	bool found; /* the best so far has v.seq */
	struct buf put;
};

/* Zeroed, in the list of the node. */
struct dht_search *search_new(struct dht *d, const struct search_ops *ops);
/* Ask; the first value is s->value as it is. Frees s on failure. */
NODISCARD enum err_code search_start(struct dht_search **out,
    struct dht_search *s, const struct addr *start, size_t nstart, uint64_t now,
    struct err *e);

#endif
