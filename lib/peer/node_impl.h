/* node_impl: what the files of node share. Private. */
#ifndef PEER_NODE_IMPL_H
#define PEER_NODE_IMPL_H

#include "peer/known.h"
#include "peer/node.h"
#include "peer/wire.h"

#define SLICE_US 250000 /* between two looks at opts.stop */
#define REDIAL_FIRST_US 500000
#define REDIAL_MOST_US 15000000
#define PATIENCE_US 30000000
#define TICK_US 100000
#define GOODBYE_US 200000
#define STRAGGLER_US 2000000 /* for dials, once somebody is there */
#define QUIET_US 5000000     /* to take announcements back */
#define REFRESH_US 50000
#define POLL_US 1000000 /* the store, where its folder cannot be watched */

/* A connection, from WIRE_OPENED to WIRE_CLOSED. */
struct link {
	struct wire_conn *conn;
	struct replicate_peer *peer; /* NULL: dropped, waits to be closed */
	char why[200];		     /* of the drop */
};

struct dial {
	struct peer_at at;
	enum { DIAL_WAITS, DIAL_RUNS, DIAL_LINKED } state;
	bool tried;
	uint64_t again, delay;
	char text[200]; /* of the last failure */
};

/* A topic that was joined. There may be many. */
struct topic {
	struct topic *chain; /* in its bucket */
	struct b32 key;
	uint32_t found, announced;
	int flags;
	uint64_t next;	 /* as struct peer_topic */
	uint64_t looked; /* when for the first time; 0: not yet */
};
#define TOPIC_BUCKETS 8192 /* a power of two */

struct peer_node {
	struct peer_opts o;
	struct peer_discovery discovery; /* what o.discovery points to */
	struct b32 relay;		 /* and discovery.relay */
	struct addr *bootstrap;		 /* its list */
	struct topic **topic; /* TOPIC_BUCKETS; NULL without discovery */
	struct peer_network network;
	struct known_list known;
	bool known_new;
	uint64_t remembered;
	uint64_t heard;	 /* of the network */
	uint64_t joined; /* the first connection */
	struct sign_pair pair;
	struct wire *wire;
	struct replicate *repl;
	struct fetch fetch;
	struct link **link;
	size_t nlinks, cap;
	struct dial *dial;
	struct peer_totals gone; /* of peers that left */
	/* Of those who were found, the one that was missed last, and why. */
	struct b32 missed;
	char missed_why[200];
	uint64_t ticked, refreshed;
	bool changed; /* the store, by others */
	bool ever;    /* somebody was connected */
	bool waited;  /* and nothing came: it was told */
	bool quiet;   /* what was announced is taken back */
};

/* node.c */
/* The peer is gone for replication; what it did still counts. */
void peer_retire(struct peer_node *n, struct link *l, uint64_t now);
void peer_closed(struct peer_node *n, struct wire_event *ev, uint64_t now);

/* node_life.c */
/* ERR_PEERS: why nobody gave what was asked. */
NODISCARD enum err_code peer_nobody(
    struct peer_node *n, const struct b32 *key, struct err *e);
/* No connection, and none in sight. */
bool peer_hopeless(const struct peer_node *n);

/* node_find.c */
void peer_topics_free(struct peer_node *n);
void peer_on_looked(struct peer_node *n, const struct wire_event *ev);
void peer_on_met(struct peer_node *n, const struct wire_event *ev);
void peer_on_network(struct peer_node *n, const struct wire_event *ev);
void peer_remember(struct peer_node *n);
/* Every topic was looked up, and whoever was found was tried. */
bool peer_looked(const struct peer_node *n);
/* The same of one topic; of all, if it is none of ours. */
bool peer_tried(const struct peer_node *n, const struct b32 *topic);
/* Those who can be asked were asked, or were waited for long enough. */
bool peer_ready(const struct peer_node *n);
/* How many announce the topic that most announce. */
size_t peer_found(const struct peer_node *n);

/* node_fetch.c */
void peer_fetch_init(struct peer_node *n);

#endif
