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

#define SEARCH_REQUESTS_MAX \
	(SEARCH_STALE_MAX > RPC_K ? SEARCH_STALE_MAX : RPC_K)

struct search_ops {
	enum dht_command ask;
	void (*reply)(struct dht_search *s, const struct rpc_reply *r);
	/* The query is over: s->closest is set. */
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
	size_t nclosest;
	/* a struct search_step under way */
	uint64_t request[SEARCH_REQUESTS_MAX];
	size_t nrequests, pending, commits;
	void (*then)(struct dht_search *s, uint64_t now);
	/* records */
	struct dht_search_opts o; /* no addresses */
	struct addr relay[DHT_RELAYS_MAX];
	struct rpc_node stale[SEARCH_STALE_MAX];
	size_t nstale;
	/* values */
	struct dht_value_opts v;
	bool found; /* the best so far has v.seq */
	struct buf made;
};

/* Zeroed, in the list of the node. */
struct dht_search *search_new(struct dht *d, const struct search_ops *ops);
/* Ask; the first value is s->value as it is. Frees s on failure. */
NODISCARD enum err_code search_start(struct dht_search **out,
    struct dht_search *s, const struct addr *start, size_t nstart, uint64_t now,
    struct err *e);
/* Requests to some nodes, with the tokens they gave: value() makes what each
 * is told, in s->value, which is empty. After the last answer s->commits is
 * how many took it, and then() is called. */
struct search_step {
	enum dht_command put;
	const struct rpc_node *node;
	size_t n; /* <= SEARCH_REQUESTS_MAX */
	void (*value)(struct dht_search *s, const struct rpc_node *n);
	void (*then)(struct dht_search *s, uint64_t now);
};
void search_put(
    struct dht_search *s, const struct search_step *step, uint64_t now);

#endif
