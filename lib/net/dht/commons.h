/*
 * commons: what all servers and connects of one node share: the relays that
 * worked for a key, the sockets opened for hole punching, and whose turn it
 * is to punch at random ports. Fixed tables. Private to the room.
 */
#ifndef NET_DHT_COMMONS_H
#define NET_DHT_COMMONS_H

#include "net/dht/dht.h"

#define COMMONS_KEYS 256
/* One punch at random ports has 256, all others one each. */
#define COMMONS_SOCKETS 384
/* After a punch at random ports the NAT in front of us gets a rest. */
#define COMMONS_RANDOM_REST_US UINT64_C(20000000)

struct commons_key {
	struct b32 key;
	uint64_t used; /* 0: free; else the higher, the later */
	struct addr relay[DHT_RELAYS_MAX];
	size_t nrelays;
};

struct commons {
	struct commons_key key[COMMONS_KEYS];
	uint64_t uses;
	size_t sockets;
	bool random;	    /* somebody punches at random ports */
	uint64_t random_at; /* not before */
};

/* NULL: no memory. */
struct commons *commons_new(void);
void commons_free(struct commons *r); /* NULL is fine */

/* At most DHT_RELAYS_MAX are kept; the key used longest ago is forgotten. */
void commons_remember(struct commons *r, const struct b32 *key,
    const struct addr *relay, size_t n);
size_t commons_recall(struct commons *r, const struct b32 *key,
    struct addr out[static DHT_RELAYS_MAX]);

/* A socket to punch with; DHT_NO_SOCK: not now. Close it, or let go of one
 * that somebody else has now. */
uint32_t commons_open(struct commons *r, const struct dht_env *env);
void commons_close(struct commons *r, const struct dht_env *env, uint32_t sock);
void commons_let_go(struct commons *r);

/* At most one punches at random ports at a time. */
NODISCARD bool commons_random_take(struct commons *r, uint64_t now);
void commons_random_give(struct commons *r, uint64_t now);

#endif
