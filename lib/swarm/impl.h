/*
 * impl: what the files of this room share. Private.
 *
 *	swarm.c		life, turn, joining and leaving
 *	topics.c	when a topic is looked up and announced
 *	peers.c		who is dialled next, and when again
 *	table.c		the peers that are known, and their topics
 *	conns.c		connections: opened, closed, failed, banned (swarm.h)
 *	dups.c		which of two connections of one peer stays
 *
 * Peers and topics are a graph: an edge says that the record of that peer was
 * found under that topic, while we wanted to find some (SWARM_CLIENT). It is
 * in both lists. Counters of a topic and of the swarm are sums over the state
 * of peers: whoever changes a peer takes it out of the sums and puts it back
 * (table_count).
 *
 * Topics that are over are freed at the next turn, never inside a callback.
 */
#ifndef SWARM_IMPL_H
#define SWARM_IMPL_H

#include "crypto/sign.h"
#include "swarm/dups.h"
#include "swarm/swarm.h"

#define SECOND UINT64_C(1000000)
#define MINUTE (60 * SECOND)

#define BUCKETS 4096 /* of the table; a power of two */
#define BUCKET_BITS 12
#define TOPIC_EDGES_MAX 256 /* peers remembered for one topic */
#define TOPIC_BUCKETS 8192  /* of the topics; a power of two */

/* -- peers ---------------------------------------------------------------- */

/* Where a peer stands on the way to be dialled. One that is connected is
 * idle, or dialled as well (it came while we were dialling). */
enum peer_state { PEER_IDLE, PEER_QUEUED, PEER_WAITING, PEER_DIALLING };

struct peer {
	struct b32 key;
	struct addr relay[DHT_RELAYS_MAX];
	size_t nrelays;
	enum peer_state state;
	uint64_t due; /* WAITING: when it is queued */
	bool explicit;
	bool proven; /* a dial worked, since it was found */
	unsigned attempts;
	uint64_t banned_until; /* 0: never was */
	struct {
		uint64_t id; /* 0: none */
		uint64_t since;
		bool initiator, used;
	} conn;
	struct topic **topics; /* edges */
	size_t ntopics, cap;
	size_t place; /* in swarm.peers */
	struct peer *next;
};

/* -- topics --------------------------------------------------------------- */

enum topic_state { TOPIC_JOINED, TOPIC_LEAVING, TOPIC_OVER };

/* A node of the DHT, kept small: there are many topics. */
struct near {
	uint8_t ip[4];
	uint16_t port;
};

struct edge {
	struct peer *peer;
	uint32_t round; /* of the topic, when it was found last */
};

struct topic {
	struct swarm *s;
	struct topic *chain; /* in its bucket */
	struct b32 key;
	enum topic_state state;
	int flags;
	uint64_t joined;

	/* the search under way; NULL also while it is being started */
	struct dht_search *look, *gone;
	bool looking, going;
	bool announcing;      /* the look does */
	bool announced;	      /* records of us may be out there */
	struct near *closest; /* RPC_K at most; NULL: none */
	uint32_t nclosest;
	uint32_t round; /* searches that were started */
	uint32_t found, commits;

	uint64_t next;	/* when it is looked up; not while it is */
	uint64_t whole; /* when it is announced too; next <= whole */
	unsigned step;	/* of the backoff while nobody is connected */

	struct edge *edges;
	uint32_t nedges;
	size_t cap;
	/* sums over the edges */
	uint32_t connected, queued, dialling;
	bool dialled;	/* it had its turn */
	uint64_t queue; /* since when somebody waits for its first turn */
};

/* -- the swarm ------------------------------------------------------------ */

struct swarm {
	struct dht *dht;
	struct dht_server *server;
	struct swarm_env env;
	struct sign_pair pair;
	uint32_t peers_max, sought_max, parallel;
	uint64_t random, salt;
	uint64_t now; /* the latest that was told */

	struct peer *bucket[BUCKETS];
	struct peer **peers; /* all of them */
	size_t npeers, peers_cap;
	struct peer **explicits;
	size_t nexplicit, explicit_cap;
	/* sums over the peers */
	size_t queued, dialling, connected;
	size_t taken;	/* connected or dialled, and not explicit */
	size_t sought;	/* of them: by us */
	bool dirty;	/* something changed: a dial may be possible */
	uint64_t hold;	/* no dial before: the owner refused one */
	uint64_t wake;	/* not after the first PEER_WAITING is due */
	uint64_t fresh; /* when a new topic may have a dial beyond the limit */

	struct topic *topic_bucket[TOPIC_BUCKETS]; /* those not over */
	struct topic **topics;
	size_t ntopics, topics_cap, cursor;
	bool over;	 /* some may be TOPIC_OVER */
	size_t searches; /* looks under way */
	size_t backs;	 /* announcements being taken back */
	bool waiting;	 /* some wait to be */
	bool lonely;	 /* a topic may have lost its last peer */
	bool moved;	 /* topics_due is not known */
	uint64_t topics_due;
	uint64_t lonely_next; /* the next look for the lonely, not before */

	bool closing;
	uint64_t close_at;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* -- table.c -------------------------------------------------------------- */

uint32_t table_random(struct swarm *s, uint32_t below); /* below > 0 */
struct peer *table_find(const struct swarm *s, const struct b32 *key);
/* The one there is, or a new one in place of a worse; NULL: no room. */
struct peer *table_take(struct swarm *s, const struct b32 *key, uint64_t now);
/* Frees it, unless something holds it. */
void table_release(struct swarm *s, struct peer *p, uint64_t now);
void table_free(struct swarm *s);
/* Into the sums (by = 1), or out of them (-1). */
void table_count(struct swarm *s, struct peer *p, int by);
void table_set(struct swarm *s, struct peer *p, enum peer_state state);
bool table_linked(const struct topic *t, const struct peer *p);
/* The edge of both; a new one if there is room for it. May be NULL. */
struct edge *table_link(
    struct swarm *s, struct topic *t, struct peer *p, uint64_t now);
/* Edge i of a topic ends; its peer is freed if nothing else holds it. */
void table_unlink(struct swarm *s, struct topic *t, size_t i, uint64_t now);
static inline bool
table_banned(const struct peer *p, uint64_t now)
{
	return p->banned_until > now;
}

/* -- peers.c -------------------------------------------------------------- */

enum peers_priority {
	PEERS_VERY_LOW,
	PEERS_LOW,
	PEERS_NORMAL,
	PEERS_HIGH,
	PEERS_VERY_HIGH
};
enum peers_priority peers_priority(unsigned attempts);
/* How long to wait after the attempts-th close: a time without the jitter,
 * 0: it is not dialled again. */
uint64_t peers_delay(unsigned attempts, bool proven, bool explicit);
/* That time with jitter. */
uint64_t peers_jitter(struct swarm *s, uint64_t delay);
/* A record was found. */
void peers_found(
    struct swarm *s, struct topic *t, const struct dht_record *r, uint64_t now);
/* A dial failed, or a connection ended that was open for `lasted`. */
void peers_ended(
    struct swarm *s, struct peer *p, uint64_t lasted, bool ours, uint64_t now);
void peers_wait(struct swarm *s, struct peer *p, uint64_t due);
/* Do we want to dial it at all? */
bool peers_wanted(const struct peer *p);
void peers_hurry(struct swarm *s, uint64_t now); /* nobody waits any more */
uint64_t peers_turn(struct swarm *s, uint64_t now);
/* Is there room for a connection that came to us? */
bool peers_room(const struct swarm *s);

/* -- topics.c ------------------------------------------------------------- */

struct topic *topics_find(struct swarm *s, const struct b32 *key);
struct topic *topics_add(struct swarm *s, const struct b32 *key, uint64_t now);
void topics_flags(struct topic *t, int flags, uint64_t now);
void topics_refresh(struct topic *t, uint64_t now);
/* It becomes TOPIC_OVER, at once or when it is taken back everywhere. */
void topics_leave(struct topic *t, uint64_t now);
void topics_stop(struct topic *t); /* forget its searches */
void topics_end(struct topic *t);  /* freed by the next turn */
/* Begin to take back what waits for it, as far as there is room. */
void topics_take_back(struct swarm *s, uint64_t now);
uint64_t topics_turn(struct swarm *s, uint64_t now);
void topics_sweep(struct swarm *s); /* free those that are over */

#endif
