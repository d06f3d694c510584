/*
 * connect_impl: a connect, as its files see it. Private.
 *
 * connect.c	life: start, end, what may come in by itself
 * connect_find.c	FIND_PEER and handshakes through relays, until one answers
 * connect_way.c	which way to take then (3.6), and the rounds of a punch
 *
 *	FINDING -> shaken -> ENDED (direct, open)
 *		-> PASSIVE (we are open) -> ENDED
 *		-> the steps of a punch, with a ping to a neighbour beside
 *		   them -> ENDED
 */
#ifndef NET_DHT_CONNECT_IMPL_H
#define NET_DHT_CONNECT_IMPL_H

#include "net/dht/hello.h"
#include "net/dht/impl.h"
#include "net/dht/punch.h"
#include "net/dht/commons.h"

#define CONNECT_FLIGHTS 3 /* two, if no relays were given */
#define CONNECT_RELAYS_MAX 8
#define CONNECT_ADDRS_MAX 8

enum connect_state {
	CONNECT_FINDING,
	CONNECT_PASSIVE,
	/* a round through the server's relay, a wait, and what our NAT is */
	CONNECT_PROBE,
	CONNECT_PAUSE,
	CONNECT_JUDGE,
	CONNECT_JUDGE_AGAIN,
	/* the round that starts both, and the punching */
	CONNECT_ROUND,
	CONNECT_PUNCH,
	CONNECT_ENDED
};

struct connect_flight {
	struct dht_connect *connect;
	uint64_t request; /* 0: free */
	struct addr relay;
	bool given; /* those are tried one after the other */
};

struct connect_way { /* a relay of the server, and how it sees it */
	struct addr relay, server;
};

/* What the answer of the server said. */
struct connect_shaken {
	struct addr relay;  /* that answered */
	struct addr server; /* as the relay sees it; family 0: not told */
	struct addr self;   /* we, as the relay sees us, */
	uint32_t sock;	    /* at this socket */
	bool relayed;
	enum dht_firewall firewall;
	struct addr address[CONNECT_ADDRS_MAX];
	size_t naddresses;
	bool has_ways;
	uint64_t id; /* of the handshake, at the server */
	struct connect_way way[CONNECT_RELAYS_MAX];
	size_t nways;
};

struct dht_connect {
	struct node_user user; /* first */
	struct dht *d;
	struct sign_pair pair;
	struct dht_connect_opts o;
	struct dht_relaying propose; /* what o.propose points to */
	enum connect_state state;
	struct b32 target;
	uint64_t now; /* of the last call */
	/* finding */
	struct noise *noise;
	struct buf request;	    /* PEER_HANDSHAKE, the same to all */
	enum dht_firewall firewall; /* that it tells */
	struct rpc_query *query;
	struct connect_flight flight[CONNECT_FLIGHTS];
	struct addr given[CONNECT_RELAYS_MAX];
	size_t ngiven, next_given;
	struct addr found[RPC_K];
	size_t nfound, next_found;
	/* a packet of the stream that was early; family 0: none */
	struct addr early;
	uint32_t early_sock;
	/* shaken */
	struct connect_shaken s;
	struct dht_peer peer;
	uint64_t deadline; /* of PASSIVE, PAUSE */
	uint64_t ping;	   /* to a neighbour; 0: none */
	struct addr neighbour;
	struct punch *punch;
	struct secret secret;
	struct b32 token, remote_token;
	struct connect_way way; /* of the server, for probes */
	uint64_t round;
	uint64_t asked; /* the request of a round; 0: none */
	bool probed_again, hoped, has_remote_token;
	size_t silent; /* rounds that nobody answered */
};

/* connect.c: the end, one of the two. */
void connect_done(struct dht_connect *c, uint32_t sock, const struct addr *to,
    enum dht_path path);
void connect_fail(struct dht_connect *c, enum dht_failure why);

/* connect_find.c */
NODISCARD enum err_code connect_find(struct dht_connect *c, struct err *e);
void connect_find_stop(struct dht_connect *c);

/* Where a relay says that the server is, if it may say so, else none. */
struct addr connect_where(const struct addr *server, const struct addr *relay);

/* connect_way.c: after the handshake. */
/* It is known where the server is, or it knows where we are. */
bool connect_is_direct(const struct dht_connect *c);
void connect_choose(struct dht_connect *c);
uint64_t connect_way_turn(struct dht_connect *c);
void connect_way_stop(struct dht_connect *c);

#endif
