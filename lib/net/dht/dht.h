/*
 * dht: a HyperDHT node (network.md 3; hyperdht@6.34.0), as a pure machine on
 * top of rpc: it stores records and relays handshakes for others, looks up
 * and announces, listens under a key, and connects to one, through relays
 * and NATs. What it does not have is the connection itself: it ends with
 * keys, stream ids, a socket and an address (struct dht_peer).
 *
 *	dht_new(&d, &opts, &env, now, e);
 *	dht_recv(d, sock, datagram, &from, now); // what is not UDX
 *	deadline = dht_turn(d, now);		 // after every change
 *
 * Callbacks may call anything of this header but dht_free(). No socket,
 * clock or thread; microseconds; one thread at a time.
 */
#ifndef NET_DHT_DHT_H
#define NET_DHT_DHT_H

#include "net/dht/direct.h"
#include "net/rpc/rpc.h"

#define DHT_RELAYS_MAX 3 /* addresses in a record */
#define DHT_NO_SOCK UINT32_MAX

struct dht;

struct dht_env {
	void *ctx;
	/* Transmit a datagram; lost is fine. ttl 0: the system's. */
	void (*send)(void *ctx, uint32_t sock, const struct addr *to,
	    struct view datagram, unsigned ttl);
	/* One more socket on any port of the host, for hole punching;
	 * DHT_NO_SOCK: not now. What comes to it goes to dht_recv(), UDX to
	 * the streams. Given back with socket_close() unless a connection
	 * took it over (dht_peer_found.sock). Both may be NULL: there are no
	 * others. */
	uint32_t (*socket_open)(void *ctx);
	void (*socket_close)(void *ctx, uint32_t sock);
	/* Addresses of the own interfaces (not loopback unless the sockets are
	 * bound to it), with the server socket's port. Returns how many. May
	 * be NULL: none are told to neighbours. */
	size_t (*interfaces)(void *ctx, struct addr *out, size_t n);
	void (*event)(void *ctx, enum rpc_event ev); /* may be NULL */
	/* The wall clock in milliseconds, against which the bumps of others
	 * are judged. NULL: none are kept. */
	uint64_t (*wall_ms)(void *ctx);
};

struct dht_opts {
	struct rpc_opts rpc;
	uint32_t records_max; /* 0: 65,536 */
};

NODISCARD enum err_code dht_new(struct dht **out, const struct dht_opts *o,
    const struct dht_env *env, uint64_t now, struct err *e);
void dht_free(struct dht *d); /* NULL is fine; nothing is told */
void dht_recv(struct dht *d, uint32_t sock, struct view datagram,
    const struct addr *from, uint64_t now);
uint64_t dht_turn(struct dht *d, uint64_t now);
struct rpc *dht_rpc(struct dht *d); /* about, known, renew */

/* What it keeps for others. */
struct dht_stored {
	size_t peers, servers, mutables, immutables;
};
void dht_stored(const struct dht *d, struct dht_stored *out);

/* -- records -------------------------------------------------------------- */

struct dht_record { /* a peer of a topic */
	struct b32 key;
	struct addr relay[DHT_RELAYS_MAX];
	size_t nrelays;
	struct addr from; /* who told; of FIND_PEER: a relay to the server */
};

/* One lookup, announce, unannounce, get or put under way. */
struct dht_search;

struct dht_search_opts {
	struct b32 topic;
	const struct addr *start; /* closest nodes of last time */
	size_t nstart;
	/* Announce: who, and how to reach it; NULL: only look. The pair must
	 * live until the end. */
	const struct sign_pair *pair;
	const struct addr *relay;
	size_t nrelays;
	bool clear; /* unannounce stale copies of oneself as well */
	/* Each record, as it comes; the same may come many times. NULL:
	 * nobody wants them. */
	void (*found)(void *ctx, const struct dht_record *r, uint64_t now);
	/* The end: the closest nodes, how many took the announcement, or
	 * took it back. The search is freed behind it. May be NULL. */
	void (*done)(void *ctx, const struct rpc_node *closest, size_t n,
	    size_t commits, uint64_t now);
	void *ctx;
};

NODISCARD enum err_code dht_lookup(struct dht_search **out, struct dht *d,
    const struct dht_search_opts *o, uint64_t now, struct err *e);
/* Take pair's record of the topic back at the closest nodes. */
NODISCARD enum err_code dht_unannounce(struct dht_search **out, struct dht *d,
    const struct dht_search_opts *o, uint64_t now, struct err *e);
/* FIND_PEER: found() is called with the record of a server; topic is the hash
 * of its key. */
NODISCARD enum err_code dht_find_peer(struct dht_search **out, struct dht *d,
    const struct dht_search_opts *o, uint64_t now, struct err *e);
void dht_search_cancel(struct dht_search *s); /* before done; untold */

#define DHT_VALUE_MAX 1000

struct dht_value_opts {
	const struct sign_pair *pair; /* mutable put */
	struct b32 key;	   /* get: public key, or hash of the value */
	uint64_t seq;	   /* put: its number; get: at least */
	struct view value; /* put */
	/* Verified values as they come, each with a higher seq than the one
	 * before; an immutable one comes once. May be NULL. */
	void (*found)(void *ctx, uint64_t seq, struct view value);
	/* The end; how many nodes took what was put. May be NULL. */
	void (*done)(void *ctx, size_t commits);
	void *ctx;
};
enum dht_value { DHT_MUTABLE, DHT_IMMUTABLE };
NODISCARD enum err_code dht_get(struct dht_search **out, struct dht *d,
    enum dht_value kind, const struct dht_value_opts *o, uint64_t now,
    struct err *e);
/* A value of 1 to DHT_VALUE_MAX bytes, else ERR_INVALID. */
NODISCARD enum err_code dht_put(struct dht_search **out, struct dht *d,
    enum dht_value kind, const struct dht_value_opts *o, uint64_t now,
    struct err *e);

/* -- a finished handshake ------------------------------------------------- */

/* Both sides may meet at this blind relay (3.9): who it is, what to ask it
 * for, and which of the two proposed it. */
struct dht_relaying {
	struct b32 key, token;
	bool initiator; /* we did */
};

/* Which path it took, for people and tables. */
enum dht_path { DHT_DIRECT, DHT_OPEN, DHT_LAN, DHT_PUNCHED, DHT_RELAYED };

struct dht_peer_found {
	struct dht_peer peer; /* keys and ids; the callee takes the keys over */
	uint32_t sock;	      /* send from this one; if it is not one of the
			       * two, it is the callee's from now on */
	enum dht_path path;
	/* family 0 of peer.addr: wait for the first UDX packet with our id,
	 * on any socket, at most 10 s, and connect to where it came from; or
	 * meet at the relay that the client proposes, if it does. */
	bool has_relay;
	struct dht_relaying relay;
};

/* -- listening (3.5) ------------------------------------------------------ */

struct dht_server;

struct dht_server_opts {
	const struct sign_pair *pair; /* copied */
	/* A stranger proved who he is: his first message is paid for. Return
	 * the id of a new UDX stream of ours for him, or 0 to ignore him. */
	uint32_t (*offer)(void *ctx, const struct b32 *remote,
	    const struct addr *from, uint64_t now);
	/* Once: the keys, and where to connect that stream to. Without an
	 * address the first packet tells: then call dht_server_udx(). */
	void (*connected)(
	    void *ctx, uint32_t udx_id, struct dht_peer_found *f, uint64_t now);
	/* Nothing came of it: let the stream go. */
	void (*failed)(void *ctx, uint32_t udx_id, const char *why);
	/* Announced for the first time, or after a change: relay addresses
	 * are new. */
	void (*announced)(void *ctx, uint64_t now);
	void *ctx;
};

NODISCARD enum err_code dht_listen_start(struct dht_server **out, struct dht *d,
    const struct dht_server_opts *o, uint64_t now, struct err *e);
/* Its relay addresses for topic announcements; returns how many. */
size_t dht_server_relays(
    const struct dht_server *s, struct addr out[static DHT_RELAYS_MAX]);
/* The first UDX packet of that stream came in, on sock: connect it to where
 * it came from. A sock that is not one of the two is the caller's from now on
 * (as with dht_peer_found), punching for it ends, and it is settled. */
void dht_server_udx(struct dht_server *s, uint32_t udx_id, uint32_t sock);
/* The stream is open, or gone: it does not count as in flight any more. */
void dht_server_settled(struct dht_server *s, uint32_t udx_id);
/* Unannounce at the relays; done may be NULL. The server answers nobody from
 * now on, and tells nothing about streams in flight: they are the caller's.
 * It is freed behind done, or by dht_free(). */
void dht_server_close(
    struct dht_server *s, void (*done)(void *ctx), void *ctx, uint64_t now);

/* -- connecting (3.6, 3.8) ------------------------------------------------ */

struct dht_connect;

enum dht_failure {
	DHT_PEER_NOT_FOUND, /* nobody knows the key */
	DHT_PEER_SILENT,    /* known, but no answer */
	DHT_PEER_REFUSED,   /* it answered with an error */
	DHT_CANNOT_PUNCH,   /* both NATs are random, or no relays */
	DHT_PUNCH_FAILED,   /* tried and nothing came through */
	DHT_CONNECT_FAILED  /* no memory and the like */
};
const char *dht_failure_text(enum dht_failure f);

struct dht_connect_opts {
	const struct sign_pair *pair; /* who we are; copied */
	struct b32 remote;
	uint32_t udx_id;	  /* our stream */
	const struct addr *relay; /* where to ask first; may be none */
	size_t nrelays;
	bool local; /* LAN addresses are fine (the default of others) */
	/* Propose to meet at a relay; NULL: no. Copied. */
	const struct dht_relaying *propose;
	/* Before a way through NATs is looked for: they may meet at this relay
	 * at the same time. Takes the keys of p over. NULL: never. */
	void (*meet)(void *ctx, const struct dht_relaying *r,
	    struct dht_peer *p, uint64_t now);
	/* One of the two, once. */
	void (*connected)(void *ctx, struct dht_peer_found *f, uint64_t now);
	void (*failed)(void *ctx, enum dht_failure why, uint64_t now);
	void *ctx;
};

NODISCARD enum err_code dht_connect_start(struct dht_connect **out,
    struct dht *d, const struct dht_connect_opts *o, uint64_t now,
    struct err *e);
/* The first UDX packet of that stream came in by itself: use where from. */
void dht_connect_udx(struct dht_connect *c, uint32_t sock,
    const struct addr *from, uint64_t now);
void dht_connect_cancel(struct dht_connect *c); /* before the end */

#endif
