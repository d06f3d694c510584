/*
 * punch: one end of a hole punch (network.md 3.8; hyperdht@6.34.0
 * lib/holepuncher.js): its sockets, what its NAT is, what the other end said
 * about itself, and the bytes that open the way. The rounds through the
 * relays are its owner's. Private to the room.
 *
 *	punch_new(&p, d, PUNCH_FIRST, remote, now, e);
 *	punch_nat(p, allow, now) until it is not PUNCH_ASKING
 *	punch_update(p, ...);		what the other end said
 *	punch_start(p, now);
 *	punch_recv() gets every byte; punch_turn() in every turn
 *	p->state: PUNCH_THROUGH: p->sock and p->from
 *
 * It calls nobody back: the owner looks at it in its turn.
 *
 *	both consistent		a byte to every address each second
 *	random there		bytes to random ports of the proven host
 *	random here		256 sockets to the proven address
 */
#ifndef NET_DHT_PUNCH_H
#define NET_DHT_PUNCH_H

#include "net/dht/nat.h"
#include "net/dht/node_impl.h"
#include "net/dht/punch_payload.h"

#define PUNCH_TTL 5 /* far enough for the own NAT */
#define PUNCH_BIRTHDAY 256
#define PUNCH_REOPENS 3
#define PUNCH_ROUNDS 10	   /* bytes to each address */
#define PUNCH_RANDOMS 1750 /* 17 s of random ports, 35 s of sockets */
#define PUNCH_ASKED_MAX 8  /* nodes, for what our NAT is */

enum punch_role {
	PUNCH_FIRST, /* the client: it decides */
	PUNCH_SECOND /* echoes every byte, waits for the stream */
};

enum punch_state {
	PUNCH_READY,
	PUNCH_STEADY,	/* both consistent */
	PUNCH_PORTS,	/* random there */
	PUNCH_SOCKETS,	/* random here */
	PUNCH_THROUGH,	/* the way is open */
	PUNCH_EXHAUSTED /* nothing came */
};

struct punch_remote {
	struct addr addr;
	bool proven; /* it answered from that host */
};

struct punch_question { /* one node under way */
	struct punch *punch;
	uint64_t request; /* 0: none */
};

struct punch {
	struct dht *d;
	enum punch_role role;
	enum punch_state state;
	struct nat nat;
	unsigned reopens;
	/* what the other end said */
	enum dht_firewall remote_firewall;
	bool remote_punching;
	struct punch_remote remote[PUNCH_ADDRS_MAX];
	size_t nremotes;
	/* sock[0] is the one that rounds and both-consistent use */
	uint32_t *sock;
	size_t nsocks;
	struct addr from; /* PUNCH_THROUGH: where it came from, to sock[0] */
	/* asking nodes */
	struct punch_question question[NAT_SAMPLES];
	struct addr asked[PUNCH_ASKED_MAX];
	size_t nasked;
	unsigned asks; /* rounds of questions so far */
	/* sending */
	bool random; /* it is our turn to use random ports */
	struct addr proven;
	uint64_t next;
	unsigned sent;
};

/* ERR_LIMIT: no socket. */
NODISCARD enum err_code punch_new(struct punch **out, struct dht *d,
    enum punch_role role, enum dht_firewall remote, uint64_t now,
    struct err *e);
void punch_free(struct punch *p, uint64_t now); /* NULL is fine */

uint32_t punch_sock(const struct punch *p);
bool punch_has_sock(const struct punch *p, uint32_t sock);
/* That socket is somebody else's from now on. */
void punch_give_sock(struct punch *p, uint32_t sock);

/* What our NAT is, for p->nat. Unstable: not known, or random at both ends;
 * a new socket may do better, if that is allowed. */
enum punch_nat { PUNCH_ASKING, PUNCH_STABLE, PUNCH_UNSTABLE };
enum punch_allow { PUNCH_KEEP, PUNCH_REOPEN };
enum punch_nat punch_nat(struct punch *p, enum punch_allow allow, uint64_t now);

/* What the other end says, reached at via; proven: it is there. */
void punch_update(struct punch *p, const struct punch_payload *said,
    const struct addr *via, bool proven);
/* One byte from sock[0]; near: only our own NAT should see it. */
enum punch_far { PUNCH_NEAR, PUNCH_FAR };
void punch_byte(struct punch *p, const struct addr *to, enum punch_far far);

bool punch_needs_random(const struct punch *p);
/* Its turn for random ports, until it ends. False: another's. */
NODISCARD bool punch_take_random(struct punch *p, uint64_t now);
/* False: nothing to punch at, or nothing would help. */
NODISCARD bool punch_start(struct punch *p, uint64_t now);
/* A datagram of one byte. */
void punch_recv(
    struct punch *p, uint32_t sock, const struct addr *from, uint64_t now);
/* Sends what is due; the next deadline. */
uint64_t punch_turn(struct punch *p, uint64_t now);

#endif
