/* town: a private DHT on loopback, a few nodes on a thread of their own. */
#ifndef TESTS_PEER_TOWN_H
#define TESTS_PEER_TOWN_H

#include <string.h>

#include "net/dht/dht.h"
#include "net/io/io.h"
#include "support/vec.h"

#define TOWN_NODES 3

struct town;

struct town_node {
	struct town *town;
	struct dht *dht;
	struct io_socket *sock[2];
	struct addr at;
};

struct town {
	struct io *io;
	struct town_node node[TOWN_NODES];
	size_t peers; /* records of all, atomic */
	struct addr bootstrap;
};

static inline void
town_send(void *ctx, uint32_t sock, const struct addr *to, struct view d,
    unsigned ttl)
{
	struct town_node *n = ctx;
	size_t len = d.len;

	(void)ttl;
	(void)io_send(n->sock[sock], d.ptr, &len, len, to);
}

static inline uint64_t
town_wall_ms(void *ctx)
{
	(void)ctx;
	return io_wall_ms();
}

static inline void
town_datagram(void *ctx, struct io_socket *s, struct view d,
    const struct addr *from, uint64_t now)
{
	struct town *t = ctx;

	for (size_t i = 0; i < TOWN_NODES; i++)
		for (uint32_t k = 0; k < 2; k++)
			if (t->node[i].sock[k] == s)
				dht_recv(t->node[i].dht, k, d, from, now);
}

static inline uint64_t
town_turn(void *ctx, uint64_t now)
{
	uint64_t deadline = UINT64_MAX, next;
	struct town *t = ctx;
	struct dht_stored st;
	size_t peers = 0;

	for (size_t i = 0; i < TOWN_NODES; i++) {
		next = dht_turn(t->node[i].dht, now);
		deadline = next < deadline ? next : deadline;
		dht_stored(t->node[i].dht, &st);
		peers += st.peers;
	}
	__atomic_store_n(&t->peers, peers, __ATOMIC_RELAXED);
	return deadline;
}

static inline void
town_node_open(struct town *t, struct town_node *n)
{
	const struct dht_env env = {
	    .ctx = n, .send = town_send, .wall_ms = town_wall_ms};
	const struct addr any = {.family = 4, .ip = {127, 0, 0, 1}};
	struct dht_opts o = {.rpc = {.role = RPC_SERVER, .open = true}};
	struct err e = ERR_INIT;

	n->town = t;
	for (size_t k = 0; k < 2; k++)
		check_ok(io_socket_open(&n->sock[k], t->io, &any, &e), &e);
	io_socket_addr(n->sock[RPC_SOCK_SERVER], &n->at);
	o.rpc.self = &n->at;
	o.rpc.port = n->at.port;
	if (n != t->node) {
		o.rpc.bootstrap = &t->node[0].at;
		o.rpc.nbootstrap = 1;
	}
	check_ok(dht_new(&n->dht, &o, &env, io_now(), &e), &e);
}

static inline void
town_open(struct town *t)
{
	static const struct io_handler handler = {
	    .datagram = town_datagram, .turn = town_turn};
	struct err e = ERR_INIT;

	memset(t, 0, sizeof(*t));
	check_ok(io_new(&t->io, &handler, t, &e), &e);
	for (size_t i = 0; i < TOWN_NODES; i++)
		town_node_open(t, &t->node[i]);
	t->bootstrap = t->node[0].at;
	check_ok(io_start(t->io, &e), &e);
}

static inline void
town_close(struct town *t)
{
	io_stop(t->io);
	for (size_t i = 0; i < TOWN_NODES; i++)
		dht_free(t->node[i].dht);
	io_free(t->io);
}

/* Announcements that the nodes keep. */
static inline size_t
town_peers(struct town *t)
{
	return __atomic_load_n(&t->peers, __ATOMIC_RELAXED);
}

#endif
