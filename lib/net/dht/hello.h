/*
 * hello: what both ends of a handshake tell about where they are (network.md
 * 3.6): the public address if anybody can reach it, and the addresses of the
 * own interfaces for neighbours. Private to the room.
 */
#ifndef NET_DHT_HELLO_H
#define NET_DHT_HELLO_H

#include "net/dht/node_impl.h"

#define HELLO_ADDRS_MAX 9 /* the public one, and interfaces */

struct hello {
	bool open; /* then the first address is the public one */
	struct addr address[HELLO_ADDRS_MAX];
	size_t n;
};

void hello_get(const struct dht *d, struct hello *out);
enum dht_firewall hello_firewall(const struct hello *h);
/* The socket that streams of this node use if nothing else is better. */
uint32_t hello_sock(const struct dht *d);

/* Which of theirs has most in common with one of ours; NULL: none has. */
const struct addr *hello_match(const struct addr *ours, size_t nours,
    const struct addr *theirs, size_t ntheirs);

/* Append IPv4 addresses as a list of a payload; and back, at most max. */
void hello_put(struct buf *b, const struct addr *a, size_t n);
size_t hello_list(struct view list, struct addr *out, size_t max);

#endif
