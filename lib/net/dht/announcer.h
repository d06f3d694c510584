/*
 * announcer: keeps a server findable (network.md 3.5; hyperdht@6.34.0
 * lib/announcer.js): announced at the three closest nodes, which relay for it
 * from then on, and pinged every three seconds, so that NATs keep the way
 * open. Private to the room.
 *
 *	announcer_init(&a, d, &pair, now);
 *	announcer_turn(&a, now) in every turn: the next deadline
 *	a.news: the relays are others; the owner clears it
 *	announcer_close(&a, now), until announcer_closed(&a)
 */
#ifndef NET_DHT_ANNOUNCER_H
#define NET_DHT_ANNOUNCER_H

#include "net/dht/hello.h"

#define ANNOUNCER_PAST 2 /* generations of relays still taken for ours */

enum announcer_state {
	ANNOUNCER_WAITING, /* until next */
	ANNOUNCER_FINDING, /* the closest nodes */
	ANNOUNCER_TELLING, /* them */
	ANNOUNCER_STEADY,  /* pings until the time is over */
	ANNOUNCER_CLOSED
};

struct announcer_relay {
	struct addr relay; /* the node */
	struct addr self;  /* we, as it sees us */
};

struct announcer_set {
	struct announcer_relay at[DHT_RELAYS_MAX];
	size_t n;
};

/* One request under way: an announcement, a ping, or taking one back. */
struct announcer_job {
	struct announcer *announcer;
	uint64_t request; /* 0: free */
	struct addr to;
};

struct announcer {
	struct dht *d;
	const struct sign_pair *pair; /* the owner's */
	struct b32 target;
	enum announcer_state state;
	bool news, closing;
	bool stale; /* begin anew as soon as possible */
	struct rpc_query *query;
	struct addr closest[RPC_K]; /* of last time */
	size_t nclosest;
	struct announcer_set now, next, past[ANNOUNCER_PAST];
	struct announcer_job job[DHT_RELAYS_MAX];      /* told, or pinged */
	struct announcer_job back[2 * DHT_RELAYS_MAX]; /* taken back */
	size_t answers;				       /* of the pings */
	unsigned pings;	   /* rounds since the announcement */
	unsigned failures; /* announcements in a row that nobody took */
	uint64_t due;
	/* where handshakes come to since the last announcement */
	uint32_t sock;
	struct hello hello;
};

void announcer_init(struct announcer *a, struct dht *d,
    const struct sign_pair *pair, uint64_t now);
void announcer_deinit(struct announcer *a); /* says nothing */
uint64_t announcer_turn(struct announcer *a, uint64_t now);
void announcer_refresh(struct announcer *a); /* at the next turn */
/* Our address is known better: announce again if that matters. */
void announcer_moved(struct announcer *a);
/* Take everything back. */
void announcer_close(struct announcer *a, uint64_t now);
bool announcer_closed(const struct announcer *a);

/* Is it one that relays for us, or did lately? */
bool announcer_is_relay(const struct announcer *a, const struct addr *node);
/* How others find us: our own address if it is public, then the relays. */
size_t announcer_addresses(
    const struct announcer *a, struct addr out[static DHT_RELAYS_MAX]);

#endif
