/*
 * town: swarms with real DHT nodes under them, on a virtual network in
 * virtual time. A connection is a pair of ends and the first packets between
 * them: an end opens a while after it heard of the other, and when one is
 * shut the other hears of it a while later.
 */
#ifndef TESTS_SWARM_TOWN_H
#define TESTS_SWARM_TOWN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define VNET_HOSTS 40
#include "net-dht/vnet.h"
#include "swarm/impl.h"

#define TOWN_NODES 10 /* of the DHT, besides the swarms */
#define TOWN_SWARMS 24
#define TOWN_LINKS 20000
#define TOWN_STREAM 0xf0 /* a packet of a stream: this, and its id */

enum town_state { END_NONE, END_OPEN, END_SHUT };

struct town_end {
	struct resident *who; /* NULL: nobody yet */
	enum town_state state;
	uint64_t open_at, shut_at; /* UINT64_MAX: not planned */
	uint32_t sock;		   /* ours alone, or one of the two */
};

/* Both udx ids are the number of the link. End 0 dialled. */
struct town_link {
	struct town_end end[2];
	struct dht_connect *c;
	struct b32 remote;
};

struct resident {
	struct town *town;
	struct vhost *host;
	struct sign_pair pair;
	struct dht_server *server;
	struct swarm *s;
	uint64_t due;
	bool poked;
	size_t opened, dials, looks;
};

struct town {
	struct vnet net;
	struct resident who[TOWN_SWARMS];
	size_t n, nlinks;
	struct town_link link[TOWN_LINKS];
};

/* -- ends of a connection -------------------------------------------------- */

static inline void
town_say(
    struct town *t, size_t i, int side, uint32_t sock, const struct addr *to)
{
	uint8_t v[5] = {TOWN_STREAM};

	memcpy(v + 1, &(uint32_t){(uint32_t)i}, 4);
	vhost_send(
	    t->link[i].end[side].who->host, sock, to, view_of(v, sizeof(v)), 0);
}

/* A socket of a hole punch came with the path. */
static inline void
town_take_sock(struct town_end *x, uint32_t sock)
{
	if (x->sock >= RPC_SOCK_OTHER && x->sock != sock)
		vhost_close(x->who->host, x->sock);
	x->sock = sock;
}

static inline void
town_shut(struct town *t, size_t i, int side)
{
	struct town_end *mine = &t->link[i].end[side];
	struct town_end *other = &t->link[i].end[1 - side];

	town_take_sock(mine, 0);
	mine->state = END_SHUT;
	mine->open_at = mine->shut_at = UINT64_MAX;
	if (other->state == END_OPEN && other->shut_at == UINT64_MAX)
		other->shut_at = t->net.now + 20000 + vnet_rand(&t->net, 50000);
}

static inline void
town_open(struct town *t, size_t i, int side)
{
	struct town_link *l = &t->link[i];
	struct resident *r = l->end[side].who;
	struct b32 remote = l->remote;

	if (side == 1) {
		remote = l->end[0].who->pair.pub;
		dht_server_settled(r->server, (uint32_t)i);
	}
	l->end[side].open_at = UINT64_MAX;
	/* the other one may be gone: what it said before came */
	l->end[side].state = END_OPEN;
	if (l->end[1 - side].state == END_SHUT)
		l->end[side].shut_at =
		    t->net.now + 1 + vnet_rand(&t->net, 50000);
	if (!swarm_opened(r->s, &remote, side == 0, i, t->net.now))
		town_shut(t, i, side);
	else
		r->opened++;
	r->poked = true;
}

static inline void
town_close(struct town *t, size_t i, int side)
{
	struct resident *r = t->link[i].end[side].who;

	town_shut(t, i, side);
	swarm_closed(r->s, i, t->net.now);
	r->poked = true;
}

/* -- what the DHT tells ---------------------------------------------------- */

static inline uint64_t
town_soon(struct town *t)
{
	return t->net.now + 20000 + vnet_rand(&t->net, 60000);
}

static inline uint32_t
town_offer(
    void *ctx, const struct b32 *remote, const struct addr *from, uint64_t now)
{
	struct resident *r = ctx;
	uint32_t id;

	(void)from;
	if (!swarm_admits(r->s, remote, now))
		return 0;
	/* the newest dial of that key to us */
	for (id = (uint32_t)r->town->nlinks; id-- > 1;) {
		struct town_link *l = &r->town->link[id];

		if (b32_eq(&l->remote, &r->pair.pub) &&
		    b32_eq(&l->end[0].who->pair.pub, remote))
			break;
	}
	if (id == 0 || r->town->link[id].end[1].who != NULL)
		return 0;
	r->town->link[id].end[1].who = r;
	return id;
}

static inline void
town_came(void *ctx, uint32_t id, struct dht_peer_found *f, uint64_t now)
{
	struct resident *r = ctx;
	struct town_link *l = &r->town->link[id];

	(void)now;
	dht_peer_free(&f->peer);
	if (f->peer.addr.family != 0)
		town_say(r->town, id, 1, f->sock, &f->peer.addr);
	check(l->end[1].who == r);
}

static inline void
town_lost(void *ctx, uint32_t id, const char *why)
{
	struct resident *r = ctx;

	(void)why;
	r->town->link[id].end[1].open_at = UINT64_MAX;
}

static inline void
town_connected(void *ctx, struct dht_peer_found *f, uint64_t now)
{
	struct town_link *l = ctx;
	struct resident *r = l->end[0].who;

	(void)now;
	town_take_sock(&l->end[0], f->sock);
	dht_peer_free(&f->peer);
	l->c = NULL;
	check(l->end[1].who != NULL);
	town_say(
	    r->town, (size_t)(l - r->town->link), 0, f->sock, &f->peer.addr);
}

/* The other end was heard of. */
static inline void
town_heard(void *ctx, struct vhost *h, uint32_t sock, struct view v,
    const struct addr *from)
{
	struct resident *r = ctx;
	struct town_link *l;
	struct town_end *x;
	uint32_t id;
	int side;

	check(v.len == 5 && v.ptr[0] == TOWN_STREAM);
	memcpy(&id, v.ptr + 1, 4);
	l = &r->town->link[id];
	side = l->end[0].who == r ? 0 : 1;
	x = &l->end[side];
	if (side == 0 && l->c != NULL)
		dht_connect_udx(l->c, sock, from, h->net->now);
	if (x->state != END_NONE || x->open_at != UINT64_MAX || l->c != NULL)
		return;
	if (side == 1) {
		dht_server_udx(r->server, id, sock);
		town_take_sock(x, sock);
		town_say(r->town, id, side, sock, from);
	}
	x->open_at = town_soon(r->town);
}

static inline void
town_failed(void *ctx, enum dht_failure why, uint64_t now)
{
	struct town_link *l = ctx;
	struct resident *r = l->end[0].who;

	l->c = NULL;
	l->end[0].state = END_SHUT;
	swarm_failed(r->s, &l->remote, why, now);
	r->poked = true;
}

/* -- what the swarm asks --------------------------------------------------- */

static inline bool
town_dial(void *ctx, const struct swarm_peer_about *p, uint64_t now)
{
	struct resident *r = ctx;
	struct town *t = r->town;
	size_t i = t->nlinks++;
	struct town_link *l = &t->link[i];
	struct dht_connect_opts o = {.pair = &r->pair,
	    .remote = p->key,
	    .udx_id = (uint32_t)i,
	    .relay = p->relay,
	    .nrelays = p->nrelays,
	    .connected = town_connected,
	    .failed = town_failed,
	    .ctx = l};
	struct err e = ERR_INIT;

	check(i < TOWN_LINKS);
	for (int side = 0; side < 2; side++)
		l->end[side] = (struct town_end){
		    .open_at = UINT64_MAX, .shut_at = UINT64_MAX};
	l->end[0].who = r;
	l->remote = p->key;
	r->dials++;
	check_ok(dht_connect_start(&l->c, r->host->d, &o, now, &e), &e);
	return true;
}

static inline void
town_undial(void *ctx, const struct b32 *key)
{
	struct resident *r = ctx;
	struct town *t = r->town;

	for (size_t i = t->nlinks; i-- > 1;) {
		struct town_link *l = &t->link[i];

		if (l->end[0].who != r || !b32_eq(&l->remote, key))
			continue;
		check(l->end[0].state == END_NONE);
		if (l->c != NULL)
			dht_connect_cancel(l->c);
		l->c = NULL;
		town_shut(t, i, 0);
		return;
	}
	vec_fail(__FILE__, __LINE__, "no such dial");
}

static inline void
town_drop(void *ctx, uint64_t conn, const char *why)
{
	struct resident *r = ctx;
	struct town_link *l = &r->town->link[conn];

	(void)why;
	town_shut(r->town, conn, l->end[0].who == r ? 0 : 1);
}

static inline void
town_looked(void *ctx, const struct b32 *topic, size_t found, size_t announced,
    uint64_t next, uint64_t now)
{
	(void)topic;
	(void)found;
	(void)announced;
	(void)next;
	(void)now;
	((struct resident *)ctx)->looks++;
}

static inline void
town_announced(void *ctx, uint64_t now)
{
	struct resident *r = ctx;

	swarm_refresh(r->s, NULL, now);
	r->poked = true;
}

/* -- time ------------------------------------------------------------------ */

static inline void
town_turns(struct town *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct resident *r = &t->who[i];
		size_t before = r->s == NULL ? 0 : r->s->searches + r->dials;

		if (r->s == NULL)
			continue;
		r->due = swarm_turn(r->s, t->net.now);
		if (r->poked || r->s->searches + r->dials != before)
			r->host->deadline = 0;
		r->poked = false;
	}
}

static inline uint64_t
town_links(struct town *t)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 1; i < t->nlinks; i++)
		for (int side = 0; side < 2; side++) {
			struct town_end *x = &t->link[i].end[side];

			if (x->open_at <= t->net.now)
				town_open(t, i, side);
			else if (x->shut_at <= t->net.now)
				town_close(t, i, side);
			next = x->open_at < next ? x->open_at : next;
			next = x->shut_at < next ? x->shut_at : next;
		}
	return next;
}

static inline void
town_run(struct town *t, uint64_t us)
{
	uint64_t until = t->net.now + us, next;

	do {
		next = town_links(t);
		town_turns(t);
		for (size_t i = 0; i < t->n; i++)
			if (t->who[i].s != NULL && t->who[i].due < next)
				next = t->who[i].due;
		if (next <= t->net.now)
			next = t->net.now + 1;
		(void)vnet_step(&t->net, next < until ? next : until);
	} while (t->net.now < until);
}

/* -- life ------------------------------------------------------------------ */

static inline struct town *
town_new(uint64_t seed)
{
	struct town *t = calloc(1, sizeof(*t));

	check(t != NULL);
	t->nlinks = 1;
	vnet_init(&t->net, seed);
	vnet_nodes(&t->net, TOWN_NODES);
	vnet_run(&t->net, 30 * SECOND);
	return t;
}

static inline struct resident *
town_add(struct town *t)
{
	struct resident *r = &t->who[t->n];
	struct dht_server_opts listen = {.offer = town_offer,
	    .connected = town_came,
	    .failed = town_lost,
	    .announced = town_announced,
	    .ctx = r};
	struct swarm_env env = {.ctx = r,
	    .dial = town_dial,
	    .undial = town_undial,
	    .drop = town_drop,
	    .looked = town_looked};
	struct swarm_opts o = {.pair = &r->pair};
	struct b32 seed = {{0x55, (uint8_t)t->n}};
	struct err e = ERR_INIT;

	check(t->n++ < TOWN_SWARMS);
	check_ok(sign_pair_seed(&r->pair, &seed, &e), &e);
	r->town = t;
	r->host = vnet_join(&t->net, NULL);
	r->host->stream = town_heard;
	r->host->ctx = r;
	listen.pair = &r->pair;
	check_ok(
	    dht_listen_start(&r->server, r->host->d, &listen, t->net.now, &e),
	    &e);
	o.server = r->server;
	o.seed = t->net.seed + t->n;
	check_ok(swarm_new(&r->s, r->host->d, &o, &env, t->net.now, &e), &e);
	r->poked = true;
	return r;
}

/* Its host is gone, without a word. */
static inline void
town_kill(struct resident *r)
{
	struct town *t = r->town;

	for (size_t i = 1; i < t->nlinks; i++)
		for (int side = 0; side < 2; side++)
			if (t->link[i].end[side].who == r &&
			    t->link[i].end[side].state != END_SHUT)
				town_shut(t, i, side);
	swarm_free(r->s);
	r->s = NULL;
	dht_free(r->host->d);
	r->host->d = NULL;
}

static inline void
town_free(struct town *t)
{
	for (size_t i = 1; i < t->nlinks; i++)
		for (int side = 0; side < 2; side++)
			town_take_sock(&t->link[i].end[side], 0);
	for (size_t i = 0; i < t->n; i++) {
		swarm_free(t->who[i].s);
		sign_pair_free(&t->who[i].pair);
	}
	vnet_deinit(&t->net);
	free(t);
}

static inline struct resident *
town_join(struct resident *r, const struct b32 *topic, int flags)
{
	struct err e = ERR_INIT;

	check_ok(swarm_join(r->s, topic, flags, r->town->net.now, &e), &e);
	r->poked = true;
	return r;
}

static inline size_t
town_connections(const struct resident *r)
{
	struct swarm_about about;

	swarm_about(r->s, &about);
	return about.connected;
}

#endif
