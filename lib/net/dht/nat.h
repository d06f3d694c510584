/*
 * nat: what kind of NAT a socket is behind, judged by how nodes of the DHT
 * see it (network.md 3.8; hyperdht@6.34.0 lib/nat.js). Pure; a plain value.
 *
 *	nat_init(&n, NAT_FIREWALLED);
 *	nat_add(&n, &seen, &by);	// from each answer
 *	nat_known(&n): n.firewall and n.address will not get better
 *
 * Three equal of the sampled addresses: consistent. All different: random.
 * Two equal: random, unless two addresses of different hosts are each seen
 * twice (a host with two ways out).
 */
#ifndef NET_DHT_NAT_H
#define NET_DHT_NAT_H

#include "net/dht/message.h"
#include "net/dht/punch_payload.h"

#define NAT_SAMPLES 4  /* enough for a judgement */
#define NAT_ANSWERS 16 /* more are not counted */

struct nat_seen {
	struct addr addr; /* port 0: the host on any port */
	unsigned hits;
};

enum nat_reach { NAT_FIREWALLED, NAT_OPEN };

struct nat {
	enum nat_reach reach;	    /* of the whole node */
	enum dht_firewall firewall; /* the judgement */
	/* Our addresses as the other side should know them: those of the most
	 * hits; the host alone if it is random. */
	struct addr address[PUNCH_ADDRS_MAX];
	size_t naddresses;
	bool frozen; /* the judgement was told: it stays */
	unsigned sampled;
	struct addr by[NAT_ANSWERS]; /* who was counted: sampled of them */
	/* most hits first */
	struct nat_seen full[NAT_ANSWERS], host[NAT_ANSWERS];
	size_t nfull, nhosts;
};

void nat_init(struct nat *n, enum nat_reach reach);
/* `by` saw us as `seen`. Each is counted once. */
void nat_add(struct nat *n, const struct addr *seen, const struct addr *by);
bool nat_counted(const struct nat *n, const struct addr *by);
/* More answers are not needed. */
bool nat_known(const struct nat *n);

#endif
