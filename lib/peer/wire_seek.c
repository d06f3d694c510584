/*
 * Connections through the DHT: dialled, or answered. A connection is made
 * before it is known where it goes; it starts when the handshake has ended.
 */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/secret.h"
#include "peer/wire_relay.h"

/* Before another stranger may have its place. */
#define SILENT_US (SECOND / 2)
#define SLOW_US (3 * SECOND)
/* Nodes that agree on where we are: before that nobody knows our NAT. */
#define SAMPLES_ENOUGH 3

/* -- connections ---------------------------------------------------------- */

void
wire_seek_take_sock(struct wire_conn *c, struct wire_sock *s)
{
	if (c->sock != s && c->sock != NULL && c->sock->owned && !c->borrows)
		wire_sock_close(c->wire, c->sock);
	c->borrows = false;
	c->sock = s;
	s->owned = s->number >= WIRE_SOCK_FIXED;
}

void
wire_seek_start(struct finding *f, struct wire_conn *c, struct wire_sock *s,
    const struct dht_peer *p, const struct addr *to, uint64_t now)
{
	struct err e = ERR_INIT;

	wire_relay_forget(c);
	wire_seek_take_sock(c, s);
	if (wire_conn_start(c, p->udx_id, to, &p->keys, now, &e) != ERR_OK)
		wire_conn_close(c, e.msg);
	wire_find_changed(f);
}

void
wire_seek_stop_awaiting(struct wire_conn *c)
{
	if (c->awaits == NULL)
		return;
	dht_peer_free(c->awaits);
	free(c->awaits);
	c->awaits = NULL;
}

/* Keys without an address: the remote's first packet says where it is. */
static void
await(struct wire_conn *c, struct dht_peer_found *found, uint64_t now)
{
	wire_seek_stop_awaiting(c);
	if ((c->awaits = malloc(sizeof(*c->awaits))) == NULL) {
		dht_peer_free(&found->peer);
		wire_conn_close(c, "out of memory");
		return;
	}
	*c->awaits = found->peer;
	c->about.key = found->peer.keys.remote;
	c->opened = now;
	c->dirty = true;
}

/* What a handshake through the DHT gave. It may come twice: a way that is
 * better than the first, as long as nothing was heard by the first. */
static void
found(struct finding *f, struct wire_conn *c, struct dht_peer_found *x,
    uint64_t now)
{
	struct wire_sock *s = wire_sock_number(f->wire, x->sock);

	if (c->through != NULL && c->secret != NULL) {
		if (s != NULL && x->peer.addr.family != 0)
			wire_relay_move(c, s, &x->peer.addr, now);
		dht_peer_free(&x->peer);
		return;
	}
	if (c->state != CONN_OPENING) {
		dht_peer_free(&x->peer);
		return;
	}
	if (x->peer.addr.family == 0) {
		if (c->secret == NULL)
			await(c, x, now);
		else
			dht_peer_free(&x->peer);
		return;
	}
	if (s == NULL) {
		wire_conn_close(c, "its socket is closed");
	} else if (c->secret == NULL) {
		wire_seek_stop_awaiting(c);
		wire_seek_start(f, c, s, &x->peer, &x->peer.addr, now);
	} else {
		wire_seek_take_sock(c, s);
		c->about.addr = x->peer.addr;
		udx_change_remote(c->udx, x->peer.udx_id, &x->peer.addr, now);
		c->dirty = true;
	}
	dht_peer_free(&x->peer);
}

void
wire_find_packet(struct finding *f, struct wire_conn *c, struct wire_sock *s,
    const struct addr *from, uint64_t now)
{
	if (c->awaits != NULL) {
		if (c->offered && f->server != NULL)
			dht_server_udx(f->server, c->id, s->number);
		wire_seek_start(f, c, s, c->awaits, from, now);
		wire_seek_stop_awaiting(c);
	} else if (c->seek != NULL && c->seek->connect != NULL) {
		dht_connect_udx(c->seek->connect, s->number, from, now);
	}
}

/* -- dialling ------------------------------------------------------------- */

static void
on_connected(void *ctx, struct dht_peer_found *x, uint64_t now)
{
	struct seek *k = ctx;
	struct wire_conn *c = k->conn;
	bool admitted = k->admitted;

	k->connect = NULL;
	found(k->finding, c, x, now);
	if (admitted)
		wire_seek_end(c);
}

static void
on_meet(
    void *ctx, const struct dht_relaying *r, struct dht_peer *p, uint64_t now)
{
	struct seek *k = ctx;

	wire_relay_begin(k->finding, k->conn, r, p, now);
}

static void
fail(struct seek *k, enum dht_failure why, uint64_t now)
{
	struct finding *f = k->finding;
	struct b32 key = k->key;
	char text[WIRE_TEXT];

	k->conn->seek = NULL;
	wire_conn_free(k->conn);
	(void)snprintf(text, sizeof(text), "%s%s%s", dht_failure_text(why),
	    k->unmet != NULL ? ", nor by the relay: " : "",
	    k->unmet != NULL ? k->unmet : "");
	free(k);
	wire_find_failed(f, &key, text);
	swarm_failed(f->swarm, &key, why, now);
	wire_find_changed(f);
}

static void on_failed(void *ctx, enum dht_failure why, uint64_t now);

/* relay: where to ask first. */
static bool
dial(struct seek *k, const struct addr *relay, size_t nrelays, uint64_t now)
{
	struct finding *f = k->finding;
	struct dht_relaying r = {.key = f->relay};
	struct dht_connect_opts o = {.pair = &f->wire->pair,
	    .remote = k->key,
	    .udx_id = k->conn->id,
	    .relay = relay,
	    .nrelays = nrelays,
	    .local = true,
	    .propose = k->proposed ? &r : NULL,
	    .meet = on_meet,
	    .connected = on_connected,
	    .failed = on_failed,
	    .ctx = k};
	struct err e = ERR_INIT;

	secret_random(&r.token, sizeof(r.token));
	return dht_connect_start(&k->connect, f->dht, &o, now, &e) == ERR_OK;
}

/* A relay costs somebody else: it is proposed when nothing else helps. */
static bool
dial_relay(struct seek *k, enum dht_failure why, uint64_t now)
{
	if (!k->finding->has_relay || k->proposed ||
	    (why != DHT_CANNOT_PUNCH && why != DHT_PUNCH_FAILED))
		return false;
	k->proposed = true;
	return dial(k, NULL, 0, now);
}

static void
on_failed(void *ctx, enum dht_failure why, uint64_t now)
{
	struct seek *k = ctx;

	k->connect = NULL;
	k->why = why;
	if (k->admitted)
		wire_seek_end(k->conn);
	else if (k->conn->through == NULL && !dial_relay(k, why, now))
		fail(k, why, now);
}

/* Another port for every address, as far as is known: punching takes long
 * then, if it works at all. */
static bool
may_be_random(const struct finding *f)
{
	struct rpc_about about;

	rpc_about(dht_rpc(f->dht), &about);
	return about.firewalled &&
	       (about.self.port == 0 || about.samples < SAMPLES_ENOUGH);
}

bool
wire_seek_dial(void *ctx, const struct swarm_peer_about *p, uint64_t now)
{
	struct finding *f = ctx;
	struct seek *k = calloc(1, sizeof(*k));
	struct err e = ERR_INIT;

	if (k == NULL)
		return false;
	k->finding = f;
	k->key = p->key;
	if (wire_conn_new(&k->conn, f->wire, NULL, true, &e) != ERR_OK) {
		free(k);
		return false;
	}
	k->proposed = f->has_relay && may_be_random(f);
	if (!dial(k, p->relay, p->nrelays, now)) {
		wire_conn_free(k->conn);
		free(k);
		return false;
	}
	k->conn->seek = k;
	k->conn->about.key = p->key;
	wire_find_changed(f);
	return true;
}

/* Lost against a connection that is open, before it came to anything. */
void
wire_seek_undial(void *ctx, const struct b32 *key)
{
	struct finding *f = ctx;
	struct wire *w = f->wire;

	for (size_t i = 0; i < w->nconns; i++) {
		struct wire_conn *c = w->conn[i];

		if (c->seek == NULL || c->seek->admitted ||
		    !b32_eq(&c->seek->key, key))
			continue;
		wire_seek_end(c);
		if (c->secret == NULL && c->awaits == NULL) {
			wire_conn_free(c);
		} else {
			c->second = true;
			wire_conn_close(c, "there is another one to it");
		}
		return;
	}
}

void
wire_seek_end(struct wire_conn *c)
{
	struct seek *k = c->seek;

	c->seek = NULL;
	if (k != NULL && k->connect != NULL)
		dht_connect_cancel(k->connect);
	free(k);
}

void
wire_seek_opened(struct wire_conn *c)
{
	if (c->through == NULL || c->seek == NULL || c->seek->connect == NULL)
		wire_seek_end(c);
	else
		c->seek->admitted = true;
}

void
wire_seek_unmet(struct wire_conn *c, const char *why, uint64_t now)
{
	if (c->seek != NULL)
		c->seek->unmet = why;
	if (c->seek != NULL && c->seek->connect == NULL) {
		fail(c->seek, c->seek->why, now);
	} else if (c->seek == NULL && !c->offered) {
		c->second = true; /* nobody was told of it */
		wire_conn_close(c, "nothing came from it");
	}
}

/* -- listening ------------------------------------------------------------ */

/* It could have answered, and has not. Who waits for a hole to be punched
 * cannot yet. */
static bool
is_silent(const struct wire_conn *c)
{
	struct udx_stats st;

	udx_stats(c->udx, &st);
	return c->secret != NULL && st.packets_received == 0;
}

bool
wire_seek_make_way(struct wire *w, uint64_t now)
{
	struct wire_conn *c, *silent = NULL, *slow = NULL, **worst;
	size_t n = 0;

	for (size_t i = 0; i < w->nconns; i++) {
		c = w->conn[i];
		if (c->state != CONN_OPENING || c->about.initiator)
			continue;
		n++;
		worst = is_silent(c) ? &silent : &slow;
		if (*worst == NULL || c->opened < (*worst)->opened)
			*worst = c;
	}
	if (n < w->max / 2 + 1)
		return true;
	c = slow != NULL && now - slow->opened >= SLOW_US ? slow : NULL;
	if (silent != NULL && now - silent->opened >= SILENT_US)
		c = silent;
	if (c == NULL)
		return false;
	c->second = true; /* nobody was told of it */
	wire_conn_close(c, "too many others");
	return true;
}

static uint32_t
on_offer(
    void *ctx, const struct b32 *remote, const struct addr *from, uint64_t now)
{
	struct finding *f = ctx;
	struct err e = ERR_INIT;
	struct wire_conn *c;

	(void)from;
	if (!swarm_admits(f->swarm, remote, now) ||
	    !wire_seek_make_way(f->wire, now) ||
	    wire_conn_new(&c, f->wire, NULL, false, &e) != ERR_OK)
		return 0;
	c->about.key = *remote;
	c->offered = true;
	return c->id;
}

static void
on_offer_connected(
    void *ctx, uint32_t id, struct dht_peer_found *x, uint64_t now)
{
	struct finding *f = ctx;
	struct wire_conn *c = wire_conn_find(f->wire, id);

	if (c == NULL) {
		dht_peer_free(&x->peer);
		return;
	}
	found(f, c, x, now);
	if (x->has_relay && c->awaits != NULL)
		wire_relay_begin(f, c, &x->relay, NULL, now);
}

/* Nobody on the other side knows of it: nobody hears that it is gone. */
static void
on_offer_failed(void *ctx, uint32_t id, const char *why)
{
	struct finding *f = ctx;
	struct wire_conn *c = wire_conn_find(f->wire, id);

	if (c == NULL)
		return;
	c->offered = false;
	if (c->state != CONN_OPENING || c->through != NULL)
		return; /* it came, or may come, through a relay */
	c->second = true;
	wire_conn_close(c, why);
}

static void
on_announced(void *ctx, uint64_t now)
{
	struct finding *f = ctx;

	swarm_refresh(f->swarm, NULL, now);
	wire_find_changed(f);
}

enum err_code
wire_seek_listen(struct finding *f, uint64_t now, struct err *e)
{
	struct dht_server_opts o = {.pair = &f->wire->pair,
	    .offer = on_offer,
	    .connected = on_offer_connected,
	    .failed = on_offer_failed,
	    .announced = on_announced,
	    .ctx = f};
	enum err_code rc;

	if (f->server != NULL)
		return ERR_OK;
	if ((rc = dht_listen_start(&f->server, f->dht, &o, now, e)) == ERR_OK)
		swarm_serve(f->swarm, f->server);
	return rc;
}
