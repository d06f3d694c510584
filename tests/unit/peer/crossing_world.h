/* crossing_world: the clock, the nodes of the DHT, and sockets of crossing.h,
 * as all of its files see them. */
#ifndef TESTS_PEER_CROSSING_WORLD_H
#define TESTS_PEER_CROSSING_WORLD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "net/dht/dht.h"
#include "net/io/impl.h"
#include "net/relay/relay_message.h"
#include "peer/wire_relay.h"
#include "support/vec.h"

#include "kernel.h"

#define NODES 6
#define CALLS 16
#define STREAMS 16
#define TEXT_LEN 1000 /* of one frame of the talk */

/* -- the clock, instead of that of net/io ---------------------------------- */

static uint64_t now = 1000 * SECOND;

uint64_t
io_now(void)
{
	return now;
}

uint64_t
io_wall_ms(void)
{
	return now / 1000;
}

uint64_t
io_asleep(void)
{
	return 0;
}

/* -- who there is ---------------------------------------------------------- */

/* A wire; frames that it gets are numbered from 0 on. */
struct party {
	struct wire *w;
	struct sign_pair pair;
	uint8_t host; /* the last byte of its address */
	bool narrow;  /* behind a NAT, */
	bool random;  /* which has another port for each */
	struct wire_conn *conn;
	size_t opened, closed, failed;
	uint32_t said, heard; /* frames */
	char text[WIRE_TEXT]; /* of the last failure or end */
};

/* At the relay: a connection of somebody, and what he asked for. */
struct call {
	struct wire_conn *conn; /* NULL: free */
	struct mux *mux;
	struct mux_channel *ch;
	struct relay_pair pair;
	bool asks;
};

/* Two that follow each other belong together. */
struct stream {
	uint32_t id, remote_id; /* 0: free */
	struct call *call;
	struct io_socket *s;
	struct addr at; /* family 0: it has not said anything yet */
};

enum mood {
	MOOD_FAIR,
	MOOD_DEAF,     /* takes calls and never answers */
	MOOD_LIAR,     /* other tokens, the other part, other messages */
	MOOD_GARBAGE,  /* frames that are none */
	MOOD_REFUSES,  /* closes the channel */
	MOOD_DEAD_END, /* answers with a stream that leads nowhere */
	MOOD_TWICE     /* a fair answer, and then another one */
};

struct post {
	struct party p;
	enum mood mood;
	bool stuck; /* what comes for streams is lost */
	struct call call[CALLS];
	struct stream stream[STREAMS];
	size_t matched, asked;
	uint64_t bytes; /* of streams */
};

struct place {
	struct io *io;
	struct io_socket *sock[2];
	struct dht *dht;
	struct addr at;
	uint16_t mask; /* to the port of who is behind a random NAT */
};

static struct {
	struct place place[NODES];
	struct party a, b;
	struct post relay;
	bool direct; /* what a and b send to each other arrives */
} world;

/* A network of this process: guesses of ports would find the sockets of
 * another one that runs beside it, which has the same keys. */
static inline struct addr
host_addr(uint8_t host)
{
	const uint32_t id = (uint32_t)getpid();

	return (struct addr){.family = 4,
	    .ip = {127, (uint8_t)(1 + (id >> 8) % 250), (uint8_t)id, host}};
}

static struct party *
party_at(const struct addr *at)
{
	struct party *p = NULL;

	if (at->ip[3] == world.a.host)
		p = &world.a;
	else if (at->ip[3] == world.b.host)
		p = &world.b;
	return p != NULL && p->w != NULL ? p : NULL;
}

/* -- nodes of the DHT ------------------------------------------------------ */

static struct addr
masked(const struct place *n, const struct addr *a)
{
	const struct party *p = party_at(a);
	struct addr out = *a;

	if (p != NULL && p->random)
		out.port ^= n->mask;
	return out;
}

static inline void
node_send(void *ctx, uint32_t sock, const struct addr *to, struct view d,
    unsigned ttl)
{
	struct place *n = ctx;
	struct addr real = masked(n, to);
	size_t len = d.len;

	(void)ttl;
	(void)io_send(n->sock[sock], d.ptr, &len, len, &real);
}

static inline void
node_open(struct place *n)
{
	static const struct io_handler none = {.turn = NULL};
	const struct addr any = host_addr(1);
	const struct dht_env env = {.ctx = n, .send = node_send};
	struct dht_opts o = {.rpc = {.role = RPC_SERVER, .open = true}};
	struct err e = ERR_INIT;

	check_ok(io_new(&n->io, &none, n, &e), &e);
	for (size_t i = 0; i < 2; i++)
		check_ok(io_socket_open(&n->sock[i], n->io, &any, &e), &e);
	io_socket_addr(n->sock[RPC_SOCK_SERVER], &n->at);
	n->mask = (uint16_t)((size_t)(n - world.place) << 9);
	o.rpc.self = &n->at;
	o.rpc.port = n->at.port;
	if (n != world.place) {
		o.rpc.bootstrap = &world.place[0].at;
		o.rpc.nbootstrap = 1;
	}
	check_ok(dht_new(&n->dht, &o, &env, now, &e), &e);
}

/* -- sockets --------------------------------------------------------------- */

/* One datagram; what was sent in one piece is not put together. */
static bool
receive(struct io_socket *s, uint8_t d[static UDX_TRAIN_MAX], struct view *v,
    struct addr *from)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	ssize_t n;

	n = s->fd < 0 ? -1
		      : recvfrom(s->fd, d, UDX_TRAIN_MAX, MSG_DONTWAIT,
			    (struct sockaddr *)&in, &len);
	if (n < 0)
		return false;
	*from = (struct addr){.family = 4, .port = ntohs(in.sin_port)};
	memcpy(from->ip, &in.sin_addr, 4);
	*v = view_of(d, (size_t)n);
	return true;
}

static void
quiet_sockets(const struct io *io)
{
#ifdef UDP_GRO
	int off = 0;

	for (const struct io_socket *s = io->sockets; s != NULL; s = s->next)
		check(setsockopt(
			  s->fd, IPPROTO_UDP, UDP_GRO, &off, sizeof(off)) == 0);
#endif
	(void)io;
}

static inline bool
node_hears(struct place *n)
{
	static uint8_t d[UDX_TRAIN_MAX];
	struct addr from;
	struct view v;
	bool some = false;

	for (uint32_t i = 0; i < 2; i++) {
		while (receive(n->sock[i], d, &v, &from)) {
			from = masked(n, &from);
			dht_recv(n->dht, i, v, &from, now);
			some = true;
		}
	}
	return some;
}

#endif
