/*
 * node: a store on the network. Wiring only: it moves frames between
 * connections and replication, dials the peers it was given again and again,
 * and turns "this block is not here" into a wait.
 *
 *	peer_open(&n, &opts, e);
 *	const struct fetch *f = peer_fetch(n);	// for workflows
 *	peer_prepare(n, &key, 0, e);		// what a reader of a core needs
 *	...or for a seeder, for ever:
 *	peer_turn(n, until, e);
 *	peer_close(n);
 *
 * One thread, the one of the store; the network has its own inside. Nothing
 * happens with the store outside of these calls. Ctrl-C: opts.stop is asked
 * at least four times a second, ERR_INTERRUPTED follows.
 *
 * Connections are made as HyperDHT makes direct ones (network.md 3.3, 3.4),
 * so JavaScript peers dial and answer them.
 */
#ifndef PEER_NODE_H
#define PEER_NODE_H

#include "base/addr.h"
#include "core/want.h"
#include "crypto/sign.h"
#include "replicate/replicate.h"

#define PEER_CONNECTIONS_MAX 1024
#define PEER_AT_MAX 64

/* Where a peer is, and who it must be. */
struct peer_at {
	struct addr addr;
	struct b32 key;
};

/* "HOST:PORT:KEY", the key in z-base-32 or hex. ERR_INVALID names it. */
NODISCARD enum err_code peer_at_parse(
    struct peer_at *out, struct view text, struct err *e);

enum peer_kind {
	PEER_JOINED,	/* connected: key, addr */
	PEER_LEFT,	/* disconnected: text says why */
	PEER_UNREACHED, /* a dial failed, and is tried again, or somebody did
			 * not get through the handshake: addr, text */
	PEER_BLAMED,	/* sent what does not verify: text */
	PEER_CONFLICT,	/* of a core: text */
	PEER_TROUBLE,	/* here, and not the end: text */
	PEER_CORE,	/* replicate event of a core: HEAD, BLOCKS, DONE, … */
	PEER_LOOKED,	/* a topic was looked up or announced: topic */
	PEER_MET,	/* somebody who was found under a topic is connected,
			 * from now on or already: topic, its key only. Not told
			 * of those who found us: they say what they want */
	PEER_NETWORK,	/* peer_network() has something new */
	PEER_WAITING,	/* get() or peer_update() has got nothing for some
			 * seconds and goes on waiting, told once: text */
	PEER_TICK	/* some progress, at most ten times a second */
};

struct peer_event {
	enum peer_kind kind;
	struct b32 key; /* of the remote */
	struct addr addr;
	bool at; /* JOINED: dialled at an address of opts.at */
	const char *text;
	const struct replicate_event *core; /* PEER_CORE */
	const struct peer_topic *topic;	    /* PEER_LOOKED, PEER_MET */
};

/* What became of a topic the last time. */
struct peer_topic {
	struct b32 topic;
	size_t found;	  /* peers that announced it */
	size_t announced; /* nodes that took our announcement */
	uint64_t next;	  /* peer_now() of the next time */
};

/* Find peers in the DHT, by topic. IPv4, as the DHT is. */
struct peer_discovery {
	/* Nodes to begin with; none: the ones of `known` only. */
	const struct addr *bootstrap;
	size_t nbootstrap;
	uint32_t peers_max;  /* to be connected to; 0: 64 */
	uint32_t sought_max; /* of them dialled, for topics that have somebody;
			      * 0: peers_max */
	/* Where a bootstrap list was not given by hand, nodes that were heard
	 * of are remembered in the store (NETWORK_NODES) for next time. */
	bool remember;
	/* The key of a blind relay (network.md 3.9), proposed to peers that no
	 * way is found to through both NATs; NULL: none. What a peer proposes
	 * is accepted in any case. */
	const struct b32 *relay;
};

struct peer_opts {
	struct store *store;	      /* writable */
	bool serve;		      /* answer for every core of the store */
	const struct addr *listen;    /* NULL: not reachable */
	const struct sign_pair *pair; /* who we are; NULL: somebody new */
	const struct peer_at *at;
	size_t nat;
	uint32_t connections_max; /* 0: PEER_CONNECTIONS_MAX */
	uint64_t patience_us;	  /* without any progress; 0: 30 s */
	const struct peer_discovery *discovery; /* NULL: only o.at */
	uint64_t up_max, down_max; /* bytes a second; 0: no limit */
	bool (*stop)(void);	   /* NULL: never */
	void (*event)(void *ctx, const struct peer_event *ev);
	void *ctx;
};

struct peer_node;

NODISCARD enum err_code peer_open(
    struct peer_node **out, const struct peer_opts *o, struct err *e);
/* Says goodbye; what was verified is committed. */
void peer_close(struct peer_node *n);

/* One turn: frames in, work, frames out; waits until `until` (io time,
 * peer_now) if there is nothing to do. */
NODISCARD enum err_code peer_turn(
    struct peer_node *n, uint64_t until, struct err *e);
uint64_t peer_now(void); /* microseconds */

struct replicate *peer_replicate(struct peer_node *n);
/* Valid until peer_close(). get() waits for a block: ERR_PEERS says who was
 * asked and what they said; progress goes to opts.event. */
const struct fetch *peer_fetch(struct peer_node *n);
/* Where it listens; false if it does not. */
bool peer_address(const struct peer_node *n, struct addr *out);
const struct b32 *peer_key(const struct peer_node *n);
size_t peer_connections(const struct peer_node *n);
/* Every address was tried at least once, with success or without. */
bool peer_settled(const struct peer_node *n);
/* Whoever announces core c by its own topic was tried, and everybody who is
 * connected has said what he has of it, or that he has nothing. False while
 * the DHT does not answer. */
bool peer_all_told(struct peer_node *n, struct replicate_core *c);

enum peer_effort {
	PEER_MUST, /* look for peers as long as the patience lasts, if the core
		    * is empty here */
	PEER_MAY   /* until it is known that nobody announces it */
};
/* Make core `key` known here and as long as the connected peers have it, and
 * at least `length` blocks long (0: whatever they have). Waits until all
 * peers have answered for it or the patience is over. ERR_PEERS: nobody has
 * it, or none is long enough and it is too short here. */
NODISCARD enum err_code peer_update(struct peer_node *n, const struct b32 *key,
    uint64_t length, enum peer_effort effort, struct err *e);
/* Ask for blocks ahead of their use. */
void peer_ahead(
    struct peer_node *n, const struct b32 *key, uint64_t start, uint64_t end);

/* -- finding peers (opts.discovery) ---------------------------------------- */

#define PEER_SERVER 1 /* be found */
#define PEER_CLIENT 2 /* find */
/* With PEER_CLIENT: whoever is connected lacks what is wanted, so others are
 * looked for as if nobody were there. */
#define PEER_WANTING 4

/* The topic of a drive is the discovery key of its metadata core. Again with
 * other flags: changes them. */
NODISCARD enum err_code peer_join(
    struct peer_node *n, const struct b32 *topic, int flags, struct err *e);
NODISCARD enum err_code peer_leave(
    struct peer_node *n, const struct b32 *topic, struct err *e);
/* Stay connected to the peer with this key, wherever it is. */
NODISCARD enum err_code peer_join_peer(
    struct peer_node *n, const struct b32 *key, struct err *e);
/* Be reachable by our key, until peer_close(), without announcing a topic; a
 * PEER_SERVER is anyway. peer_network.reachable tells when. */
NODISCARD enum err_code peer_listen(struct peer_node *n, struct err *e);
/* Look for peers of a topic now, not at the next time. */
NODISCARD enum err_code peer_refresh(
    struct peer_node *n, const struct b32 *topic, struct err *e);
/* What is known of a topic that was joined; false: nothing yet. */
bool peer_topic(
    const struct peer_node *n, const struct b32 *topic, struct peer_topic *out);

struct peer_network {
	bool ready;	  /* the DHT was asked for the first time */
	bool online;	  /* it answers */
	bool firewalled;  /* strangers cannot reach this machine at once */
	bool consistent;  /* the NAT has one address for all (or is none) */
	bool reachable;	  /* by our key: nodes know the way to us */
	struct addr self; /* as others see it; family 0: unknown */
	size_t nodes;	  /* of the DHT that are known */
	size_t topics, announced, known, dialling;
};
/* All zeros without opts.discovery. */
void peer_network(struct peer_node *n, struct peer_network *out);

struct peer_totals {
	uint64_t bytes_in, bytes_out, blocks_in, blocks_out;
	uint32_t peers;
};
void peer_totals(struct peer_node *n, struct peer_totals *out);

#endif
