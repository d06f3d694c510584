/*
 * ends: a server and a client on a virtual network, and the first packets of
 * the stream between them: enough to tell whether a way was found, and which.
 */
#ifndef TESTS_DHT_ENDS_H
#define TESTS_DHT_ENDS_H

#include "duo.h"
#include "vnet.h"

#define NODES 12
#define STREAM 0xf0 /* a packet of a stream: this, and its receiver's id */

/* -- one of the two ends --------------------------------------------------- */

struct end {
	struct vhost *host;
	struct sign_pair pair;
	uint32_t id; /* of its stream */
	struct dht_peer_found f;
	bool shaken, answered, took; /* took: f.sock, or taken, is ours */
	bool failed;
	enum dht_failure why;
	uint32_t taken;
	struct dht_connect *c;
	struct dht_server *s;
	unsigned announced, offers;
	bool refuses, mute;
};

static inline void
say(struct end *x, uint32_t sock, const struct addr *to)
{
	uint8_t v[5] = {STREAM};

	if (x->mute)
		return;
	memcpy(v + 1, &x->f.peer.udx_id, 4);
	vhost_send(x->host, sock, to, view_of(v, sizeof(v)), 0);
}

static inline void
take(struct end *x, uint32_t sock)
{
	x->took = sock >= RPC_SOCK_OTHER;
	x->taken = sock;
}

static inline uint32_t
on_offer(
    void *ctx, const struct b32 *remote, const struct addr *from, uint64_t now)
{
	struct end *x = ctx;

	(void)remote, (void)from, (void)now;
	x->offers++;
	return x->refuses ? 0 : x->id;
}

static inline void
on_server_connected(
    void *ctx, uint32_t udx_id, struct dht_peer_found *f, uint64_t now)
{
	struct end *x = ctx;

	(void)now;
	check(udx_id == x->id && !x->shaken);
	x->f = *f;
	x->shaken = true;
	if (f->peer.addr.family != 0)
		say(x, f->sock, &f->peer.addr);
}

static inline void
on_server_failed(void *ctx, uint32_t udx_id, const char *why)
{
	struct end *x = ctx;

	check(udx_id == x->id && x->shaken && why != NULL);
	x->failed = true;
}

static inline void
on_announced(void *ctx, uint64_t now)
{
	(void)now;
	((struct end *)ctx)->announced++;
}

static inline void
on_connected(void *ctx, struct dht_peer_found *f, uint64_t now)
{
	struct end *x = ctx;

	(void)now;
	check(!x->shaken && !x->failed);
	x->f = *f;
	x->shaken = true;
	x->c = NULL;
	take(x, f->sock);
	say(x, f->sock, &f->peer.addr);
}

static inline void
on_failed(void *ctx, enum dht_failure why, uint64_t now)
{
	struct end *x = ctx;

	(void)now;
	check(!x->shaken && !x->failed);
	x->failed = true;
	x->why = why;
	x->c = NULL;
}

/* The first packet of the other's stream. */
static inline void
on_stream(void *ctx, struct vhost *h, uint32_t sock, struct view v,
    const struct addr *from)
{
	struct end *x = ctx;
	uint32_t id;

	check(v.len == 5 && v.ptr[0] == STREAM);
	memcpy(&id, v.ptr + 1, 4);
	if (id != x->id)
		return;
	if (x->answered) {
		if (x->s != NULL)
			say(x, sock, from);
		return;
	}
	x->answered = true;
	if (x->c != NULL) {
		dht_connect_udx(x->c, sock, from, h->net->now);
		return; /* which answers */
	}
	if (x->s == NULL)
		return;
	dht_server_udx(x->s, id, sock);
	take(x, sock);
	say(x, sock, from);
}

/* -- both ------------------------------------------------------------------ */

struct pair {
	struct vnet net;
	struct end server, client;
};

static inline void
end_init(struct end *x, struct vhost *h, uint8_t seed)
{
	memset(x, 0, sizeof(*x));
	x->host = h;
	x->pair = duo_pair(seed);
	x->id = 1000u + seed;
	h->stream = on_stream;
	h->ctx = x;
}

static inline void
end_listen(struct end *x)
{
	const struct dht_server_opts o = {.pair = &x->pair,
	    .offer = on_offer,
	    .connected = on_server_connected,
	    .failed = on_server_failed,
	    .announced = on_announced,
	    .ctx = x};
	struct err e = ERR_INIT;

	check_ok(
	    dht_listen_start(&x->s, x->host->d, &o, x->host->net->now, &e), &e);
	x->host->deadline = 0;
}

static inline void
end_connect(struct end *x, const struct b32 *remote)
{
	const struct dht_connect_opts o = {.pair = &x->pair,
	    .remote = *remote,
	    .udx_id = x->id,
	    .local = true,
	    .connected = on_connected,
	    .failed = on_failed,
	    .ctx = x};
	struct err e = ERR_INIT;

	x->shaken = x->failed = x->answered = false;
	check_ok(
	    dht_connect_start(&x->c, x->host->d, &o, x->host->net->now, &e),
	    &e);
	x->host->deadline = 0;
}

static inline void
end_deinit(struct end *x)
{
	if (x->took)
		vhost_close(x->host, x->taken);
	if (x->shaken)
		dht_peer_free(&x->f.peer);
	sign_pair_free(&x->pair);
}

/* Nodes, a server that is announced, and a client. */
static inline struct pair *
pair_new(enum vnat_kind server, enum vnat_kind client, uint64_t seed)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct vnat *nat;

	check(p != NULL);
	vnet_init(&p->net, seed);
	vnet_nodes(&p->net, NODES);
	vnet_run(&p->net, 20 * SECOND);
	nat = server != VNAT_NONE ? vnet_nat(&p->net, server) : NULL;
	end_init(&p->server, vnet_join(&p->net, nat), 1);
	nat = client != VNAT_NONE ? vnet_nat(&p->net, client) : NULL;
	end_init(&p->client, vnet_join(&p->net, nat), 2);
	end_listen(&p->server);
	vnet_run(&p->net, 30 * SECOND);
	return p;
}

static inline void
pair_free(struct pair *p)
{
	end_deinit(&p->server);
	end_deinit(&p->client);
	p->server.took = p->client.took = false;
	vnet_deinit(&p->net);
	free(p);
}

/* Both ends hold the same keys, and a packet went each way. */
static inline bool
pair_connected(const struct pair *p)
{
	const struct end *s = &p->server, *c = &p->client;

	return s->shaken && c->shaken && s->answered && c->answered &&
	       b32_eq(&s->f.peer.keys.remote, &c->pair.pub) &&
	       memcmp(s->f.peer.keys.rx.ptr, c->f.peer.keys.tx.ptr, 32) == 0;
}

/* Packets of a stream are sent again, each second. */
static inline void
say_again(struct end *x)
{
	if (x->shaken && !x->answered && x->f.peer.addr.family != 0)
		say(x, x->f.sock, &x->f.peer.addr);
}

static inline void
run_until_over(struct pair *p, uint64_t seconds)
{
	for (uint64_t i = 0; i < seconds * 10; i++) {
		if (p->client.failed || pair_connected(p))
			return;
		vnet_run(&p->net, SECOND / 10);
		if (i % 10 == 9) {
			say_again(&p->client);
			say_again(&p->server);
		}
	}
}

#endif
