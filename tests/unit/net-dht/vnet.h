/*
 * vnet: hosts with real dht machines, NATs between some of them, and the
 * rest of the internet, in one process and in virtual time. Everything that
 * is random outside the machines comes from a seed.
 *
 * NATs: a cone lets anybody in on a port that is mapped; a restricted one
 * those hosts, a port-restricted one those addresses, that were sent to. A
 * symmetric one has a new port for every address, and filters like the one
 * before it. A packet of a short life passes the own NAT and goes no further.
 */
#ifndef TESTS_DHT_VNET_H
#define TESTS_DHT_VNET_H

#include <stdlib.h>
#include <string.h>

#include "net/dht/dht.h"
#include "support/vec.h"

#ifndef VNET_HOSTS
#define VNET_HOSTS 24
#endif
#define VNET_NATS 8
#define VNET_SOCKS 400
#define VNET_FLOWS 16384
#define VNET_PACKETS 4096

enum vnat_kind {
	VNAT_NONE,
	VNAT_CONE,
	VNAT_RESTRICTED,
	VNAT_PORT_RESTRICTED,
	VNAT_SYMMETRIC,
	VNAT_BLOCKED /* nothing passes but what goes to port 53 */
};

struct vflow { /* inner has sent to remote, as outer */
	struct addr inner, remote;
	uint16_t outer;
};

struct vnat {
	enum vnat_kind kind;
	uint8_t ip; /* 90.0.0.ip */
	uint16_t next;
	struct vflow *flow;
	size_t nflows;
};

struct vhost {
	struct vnet *net;
	struct dht *d;
	struct vnat *nat; /* NULL: public */
	struct addr ip;	  /* with the port of its socket 0 */
	bool open[VNET_SOCKS];
	size_t opened; /* besides the two */
	size_t opens;  /* ever */
	uint64_t deadline;
	/* what comes that is neither rpc nor a punch; NULL: dropped */
	void (*stream)(void *ctx, struct vhost *h, uint32_t sock, struct view v,
	    const struct addr *from);
	void *ctx;
};

struct vpacket {
	uint64_t due;
	struct addr from, to;
	size_t len;
	uint8_t data[RPC_PACKET_MAX];
};

struct vnet {
	uint64_t now, seed;
	unsigned loss; /* percent */
	struct vhost host[VNET_HOSTS];
	size_t nhosts;
	struct vnat nat[VNET_NATS];
	size_t nnats;
	struct vpacket *packet[VNET_PACKETS];
	size_t npackets;
	size_t sent, bytes;
};

static inline uint32_t
vnet_rand(struct vnet *n, uint32_t below)
{
	n->seed = n->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(n->seed >> 33) % below;
}

static inline struct addr
vnet_addr(unsigned a, unsigned d, unsigned port)
{
	struct addr x = {.family = 4, .port = (uint16_t)port};

	x.ip[0] = (uint8_t)a;
	x.ip[3] = (uint8_t)d;
	return x;
}

static inline uint16_t
vhost_port(uint32_t sock)
{
	return (uint16_t)(40000 + sock);
}

/* -- NATs ----------------------------------------------------------------- */

/* The port that a packet leaves the NAT from. */
static inline uint16_t
vnat_out(struct vnet *n, struct vnat *t, const struct addr *inner,
    const struct addr *remote)
{
	uint16_t outer = 0;

	for (size_t i = 0; i < t->nflows; i++) {
		struct vflow *f = &t->flow[i];

		if (!addr_eq(&f->inner, inner))
			continue;
		if (addr_eq(&f->remote, remote))
			return f->outer;
		if (t->kind != VNAT_SYMMETRIC)
			outer = f->outer;
	}
	if (outer == 0) {
		outer = t->next;
		t->next = (uint16_t)(1024 + (t->next - 1024u + 1u +
						vnet_rand(n, 200)) %
						(65536 - 1024));
	}
	check(t->nflows < VNET_FLOWS);
	t->flow[t->nflows++] = (struct vflow){*inner, *remote, outer};
	return outer;
}

/* The address inside that a packet to a port comes to; false: dropped. */
static inline bool
vnat_in(const struct vnat *t, uint16_t outer, const struct addr *from,
    struct addr *inner)
{
	for (size_t i = 0; i < t->nflows; i++) {
		const struct vflow *f = &t->flow[i];

		if (f->outer != outer)
			continue;
		*inner = f->inner;
		if (t->kind == VNAT_CONE ||
		    (t->kind == VNAT_RESTRICTED &&
			addr_same_host(&f->remote, from)) ||
		    addr_eq(&f->remote, from))
			return true;
	}
	return false;
}

/* -- packets -------------------------------------------------------------- */

static inline void
vnet_post(struct vnet *n, const struct addr *from, const struct addr *to,
    struct view v)
{
	struct vpacket *p;

	n->sent++;
	n->bytes += v.len;
	if (n->loss > 0 && vnet_rand(n, 100) < n->loss)
		return;
	check(n->npackets < VNET_PACKETS && v.len <= RPC_PACKET_MAX);
	p = malloc(sizeof(*p));
	check(p != NULL);
	p->due = n->now + 5000 + vnet_rand(n, 30000);
	p->from = *from;
	p->to = *to;
	p->len = v.len;
	memcpy(p->data, v.ptr, v.len);
	n->packet[n->npackets++] = p;
}

static inline void
vhost_send(void *ctx, uint32_t sock, const struct addr *to, struct view v,
    unsigned ttl)
{
	struct vhost *h = ctx;
	struct addr from = h->ip;

	check(sock < VNET_SOCKS && h->open[sock]);
	check(to->family == 4 && to->port != 0);
	from.port = vhost_port(sock);
	if (h->nat != NULL && to->ip[0] != 10) {
		if (h->nat->kind == VNAT_BLOCKED)
			return;
		from.port = vnat_out(h->net, h->nat, &from, to);
		memcpy(from.ip, ((uint8_t[]){90, 0, 0, h->nat->ip}), 4);
	}
	if (ttl == 0 || to->ip[0] == 10)
		vnet_post(h->net, &from, to, v);
}

static inline void
vhost_recv(struct vhost *h, const struct vpacket *p, uint16_t port)
{
	uint32_t sock = port - vhost_port(0);
	struct view v = view_of(p->data, p->len);

	if (sock >= VNET_SOCKS || !h->open[sock] || h->d == NULL)
		return;
	if (rpc_peek(v) || v.len == 1)
		dht_recv(h->d, sock, v, &p->from, h->net->now);
	else if (h->stream != NULL)
		h->stream(h->ctx, h, sock, v, &p->from);
	h->deadline = h->net->now; /* its turn */
}

static inline void
vnet_deliver(struct vnet *n, const struct vpacket *p)
{
	struct addr to = p->to;
	const struct vnat *lan = NULL;

	if (to.ip[0] == 90) {
		for (size_t i = 0; i < n->nnats; i++)
			if (n->nat[i].ip == to.ip[3] &&
			    vnat_in(&n->nat[i], p->to.port, &p->from, &to))
				lan = &n->nat[i];
		if (lan == NULL)
			return;
	}
	for (size_t i = 0; i < n->nhosts; i++)
		if (addr_same_host(&n->host[i].ip, &to))
			vhost_recv(&n->host[i], p, to.port);
}

/* -- hosts ---------------------------------------------------------------- */

static inline uint32_t
vhost_open(void *ctx)
{
	struct vhost *h = ctx;

	for (uint32_t i = 2; i < VNET_SOCKS; i++) {
		if (h->open[i])
			continue;
		h->open[i] = true;
		h->opened++;
		h->opens++;
		return i;
	}
	return DHT_NO_SOCK;
}

static inline void
vhost_close(void *ctx, uint32_t sock)
{
	struct vhost *h = ctx;

	check(sock >= 2 && sock < VNET_SOCKS && h->open[sock]);
	h->open[sock] = false;
	h->opened--;
}

static inline size_t
vhost_interfaces(void *ctx, struct addr *out, size_t n)
{
	struct vhost *h = ctx;

	if (n == 0)
		return 0;
	*out = h->ip;
	out->port = vhost_port(RPC_SOCK_SERVER);
	return 1;
}

static inline void
vnet_init(struct vnet *n, uint64_t seed)
{
	memset(n, 0, sizeof(*n));
	n->seed = seed * 2 + 1;
	n->now = 1000000;
}

/* Its sockets have the ports 40000, 40001, and more. */
static inline struct vhost *
vnet_host(struct vnet *n, struct vnat *nat)
{
	struct vhost *h = &n->host[n->nhosts];

	check(n->nhosts < VNET_HOSTS);
	h->net = n;
	h->nat = nat;
	h->ip = vnet_addr(nat != NULL ? 10 : 80, (unsigned)++n->nhosts,
	    vhost_port(RPC_SOCK_CLIENT));
	h->open[RPC_SOCK_CLIENT] = h->open[RPC_SOCK_SERVER] = true;
	h->deadline = n->now;
	return h;
}

static inline struct vnat *
vnet_nat(struct vnet *n, enum vnat_kind kind)
{
	struct vnat *t = &n->nat[n->nnats++];

	check(n->nnats <= VNET_NATS);
	t->kind = kind;
	t->ip = (uint8_t)n->nnats;
	t->next = (uint16_t)(2000 + vnet_rand(n, 50000));
	t->flow = calloc(VNET_FLOWS, sizeof(*t->flow));
	check(t->flow != NULL);
	return t;
}

static inline void
vhost_start(struct vhost *h, struct dht_opts *o)
{
	const struct dht_env env = {.ctx = h,
	    .send = vhost_send,
	    .socket_open = vhost_open,
	    .socket_close = vhost_close,
	    .interfaces = vhost_interfaces};
	struct err e = ERR_INIT;

	o->rpc.port = vhost_port(RPC_SOCK_SERVER);
	check_ok(dht_new(&h->d, o, &env, h->net->now, &e), &e);
}

/* n public nodes of a network of their own, which store and relay. */
static inline void
vnet_nodes(struct vnet *n, size_t count)
{
	struct addr boot = {0}, self;

	for (size_t i = 0; i < count; i++) {
		struct vhost *h = vnet_host(n, NULL);
		struct dht_opts o = {.rpc.role = RPC_SERVER};

		self = h->ip;
		self.port = vhost_port(RPC_SOCK_SERVER);
		if (i == 0)
			boot = self;
		o.rpc.self = &self;
		o.rpc.open = true;
		o.rpc.bootstrap = &boot;
		o.rpc.nbootstrap = i > 0;
		vhost_start(h, &o);
	}
}

/* A host of anybody's, who knows the first node. */
static inline struct vhost *
vnet_join(struct vnet *n, struct vnat *nat)
{
	struct vhost *h = vnet_host(n, nat);
	struct addr boot = n->host[0].ip;
	struct dht_opts o = {
	    .rpc = {.role = RPC_ADAPTIVE, .bootstrap = &boot, .nbootstrap = 1}};

	boot.port = vhost_port(RPC_SOCK_SERVER);
	vhost_start(h, &o);
	return h;
}

/* The next thing that happens, if it is not after `until`. */
static inline bool
vnet_step(struct vnet *n, uint64_t until)
{
	uint64_t due = until;
	size_t packet = n->npackets;
	struct vhost *host = NULL;

	for (size_t i = 0; i < n->npackets; i++)
		if (n->packet[i]->due < due)
			due = n->packet[packet = i]->due;
	for (size_t i = 0; i < n->nhosts; i++)
		if (n->host[i].d != NULL && n->host[i].deadline < due)
			due = (host = &n->host[i])->deadline;
	if (due > n->now)
		n->now = due;
	if (host != NULL) {
		host->deadline = UINT64_MAX;
		due = dht_turn(host->d, n->now);
		/* what is due now would stop the time */
		if (due <= n->now)
			due = n->now + 1;
		if (due < host->deadline)
			host->deadline = due;
	} else if (packet < n->npackets) {
		struct vpacket *p = n->packet[packet];

		n->packet[packet] = n->packet[--n->npackets];
		vnet_deliver(n, p);
		free(p);
	}
	return host != NULL || due < until;
}

static inline void
vnet_run(struct vnet *n, uint64_t us)
{
	uint64_t until = n->now + us;

	while (vnet_step(n, until))
		;
	n->now = until;
}

static inline void
vnet_deinit(struct vnet *n)
{
	for (size_t i = 0; i < n->nhosts; i++) {
		dht_free(n->host[i].d);
		n->host[i].d = NULL;
		check(n->host[i].opened == 0);
	}
	for (size_t i = 0; i < n->npackets; i++)
		free(n->packet[i]);
	for (size_t i = 0; i < n->nnats; i++)
		free(n->nat[i].flow);
}

#endif
