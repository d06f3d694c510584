/*
 * swarm: who to be connected to (network.md 7; hyperswarm@4.17.2). Topics as
 * server and client, peers of several topics as one, dialling with
 * priorities, limits and backoff, duplicate connections. A pure machine over
 * net-dht: it decides, the owner has the connections.
 *
 *	swarm_new(&s, dht, &opts, &env, now, e);
 *	swarm_join(s, &topic, SWARM_SERVER | SWARM_CLIENT, now, e);
 *	env.dial(): dht_connect_start() and a stream; then
 *		swarm_opened(s, &key, true, id, now), swarm_closed(...)
 *	deadline = swarm_turn(s, now);
 *	swarm_leave(...), swarm_close(s, done, ctx, now): unannounces
 *
 * Call swarm_turn() after every change and every datagram of the DHT. What is
 * found or queued is dialled there. Microseconds; one thread; callbacks may
 * call anything here but swarm_free().
 *
 * Of swarm_opts.peers_max connections, an eighth is not given to those that
 * come to us, and a quarter not to topics that have their share: it is for
 * topics that have nobody. A seeder for many has a larger peers_max, and with
 * sought_max does not look for more peers than anybody else does.
 */
#ifndef SWARM_SWARM_H
#define SWARM_SWARM_H

#include "net/dht/dht.h"

#define SWARM_SERVER 1 /* be found */
#define SWARM_CLIENT 2 /* find */
/* With SWARM_CLIENT: whoever is connected lacks what is wanted, so others are
 * looked for as if nobody were there. */
#define SWARM_WANTING 4

#define SWARM_PEERS_MAX 64   /* connections, explicit ones not counted */
#define SWARM_PARALLEL 3     /* dials at a time */
#define SWARM_KNOWN_MAX 8192 /* peers remembered, the worst go first */
#define SWARM_TOPICS_MAX 65536
#define SWARM_EXPLICIT_MAX 256
/* Dialled for one topic before the others have had theirs. */
#define SWARM_TOPIC_PEERS_MAX 16

struct swarm;

struct swarm_peer_about {
	struct b32 key;
	const struct addr *relay; /* valid during the call */
	size_t nrelays;
	bool explicit;
	unsigned attempts; /* that ended, since it was found */
};

struct swarm_env {
	void *ctx;
	/* Begin to connect. Exactly one of swarm_opened() and swarm_failed()
	 * follows for it. False: not possible now (asked again later). */
	bool (*dial)(void *ctx, const struct swarm_peer_about *p, uint64_t now);
	/* Give up that dial: the peer came to us and its connection is the one
	 * that stays, or it was banned. Neither swarm_opened() nor
	 * swarm_failed() follows. NULL: it goes on, and is judged when it is
	 * open. */
	void (*undial)(void *ctx, const struct b32 *key);
	/* Close this connection: it lost against a newer one, or its peer was
	 * banned. swarm_closed() follows. */
	void (*drop)(void *ctx, uint64_t conn, const char *why);
	/* A topic was announced or looked up: peers that were found, 0: none
	 * yet; next: when it is looked up again. */
	void (*looked)(void *ctx, const struct b32 *topic, size_t found,
	    size_t announced, uint64_t next, uint64_t now);
	/* Somebody who was found under this topic is connected now, or whoever
	 * is connected was found under it. Not told of those that came to us
	 * and were never found. NULL: nobody wants to know. */
	void (*met)(void *ctx, const struct b32 *topic, uint64_t now);
};

struct swarm_opts {
	const struct sign_pair *pair; /* copied */
	struct dht_server *server;    /* announces; NULL: client topics only */
	uint32_t peers_max;	      /* 0: SWARM_PEERS_MAX */
	uint32_t sought_max; /* of them dialled, for topics that have somebody;
			      * 0: peers_max */
	uint32_t parallel;   /* 0: SWARM_PARALLEL */
	uint64_t seed;	     /* of shuffling and jitter; 0: random */
};

NODISCARD enum err_code swarm_new(struct swarm **out, struct dht *d,
    const struct swarm_opts *o, const struct swarm_env *env, uint64_t now,
    struct err *e);
/* The server of topics that are joined as one from now on: for who begins as
 * a client only. */
void swarm_serve(struct swarm *s, struct dht_server *server);
void swarm_free(struct swarm *s); /* NULL is fine; nothing is told */
uint64_t swarm_turn(struct swarm *s, uint64_t now);

/* Again with other flags: changes them. */
NODISCARD enum err_code swarm_join(struct swarm *s, const struct b32 *topic,
    int flags, uint64_t now, struct err *e);
void swarm_leave(struct swarm *s, const struct b32 *topic, uint64_t now);
/* Look (and announce) again now, not at the next time. NULL: all topics. */
void swarm_refresh(struct swarm *s, const struct b32 *topic, uint64_t now);
/* Stay connected to this one, wherever it is: dialled again for ever. */
NODISCARD enum err_code swarm_join_peer(
    struct swarm *s, const struct b32 *key, uint64_t now, struct err *e);
void swarm_leave_peer(struct swarm *s, const struct b32 *key, uint64_t now);
/* No connection to it any more, and none from it, for so long. */
void swarm_ban(
    struct swarm *s, const struct b32 *key, uint64_t until, uint64_t now);

/* May a stranger's handshake begin (limits, bans)? */
bool swarm_admits(struct swarm *s, const struct b32 *key, uint64_t now);
/* A connection is open; conn names it and is not 0. False: it is the one to
 * close (a duplicate that lost, banned, too many); it is not counted. If the
 * peer has another one, test that with a keepalive. True: it stays; an older
 * one of the same peer is dropped by env.drop(). */
bool swarm_opened(struct swarm *s, const struct b32 *key, bool initiator,
    uint64_t conn, uint64_t now);
/* Bytes went both ways on it: say so once. */
void swarm_used(struct swarm *s, uint64_t conn);
/* Also for those that were dropped, or refused: that is fine. */
void swarm_closed(struct swarm *s, uint64_t conn, uint64_t now);
void swarm_failed(
    struct swarm *s, const struct b32 *key, enum dht_failure why, uint64_t now);

/* Unannounce every topic; done once, within 5 s. */
void swarm_close(
    struct swarm *s, void (*done)(void *ctx), void *ctx, uint64_t now);

struct swarm_about {
	size_t topics, announced, known, connected, dialling, banned;
};
void swarm_about(const struct swarm *s, struct swarm_about *out);

#endif
