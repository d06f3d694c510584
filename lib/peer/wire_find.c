/*
 * The DHT and the swarm on the network thread: who is dialled, and who may
 * connect. A connection is made here before it is known where it goes; it
 * starts when the handshake through the DHT has ended.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer/wire_impl.h"
#include "swarm/swarm.h"

#define BAN_US (600 * SECOND)
#define LOOK_US (5 * SECOND) /* between two looks at the interfaces */
#define INTERFACES_MAX 16
#define TELL_US (SECOND / 4) /* between two reports */

/* A peer that is being dialled. */
struct seek {
	struct finding *finding;
	struct wire_conn *conn;
	struct dht_connect *connect; /* NULL: it has ended */
	struct b32 key;
};

struct finding {
	struct wire *wire;
	struct dht *dht;
	struct swarm *swarm;
	struct dht_server *server; /* NULL: until something is announced */
	struct addr interface[INTERFACES_MAX];
	size_t ninterfaces;
	uint64_t look; /* at the interfaces */
	bool changed;  /* the other side has something to hear */
	uint64_t told;
	int quitting; /* parts that have not said that they are done */
};

static void
changed(struct finding *f)
{
	f->changed = true;
}

/* -- what the DHT asks of us ---------------------------------------------- */

static void
send_datagram(void *ctx, uint32_t sock, const struct addr *to, struct view d,
    unsigned ttl)
{
	struct finding *f = ctx;
	struct wire_sock *s = wire_sock_number(f->wire, sock);

	if (s == NULL)
		return;
	if (ttl != 0)
		(void)io_send_ttl(s->io, d, to, ttl);
	else
		(void)wire_transmit(s, d.ptr, d.len, d.len, to, NULL);
}

static uint32_t
socket_open(void *ctx)
{
	struct finding *f = ctx;
	struct wire_sock *s = wire_sock_more(f->wire);

	return s != NULL ? s->number : DHT_NO_SOCK;
}

static void
socket_close(void *ctx, uint32_t number)
{
	struct finding *f = ctx;
	struct wire_sock *s = wire_sock_number(f->wire, number);

	if (s != NULL && number >= WIRE_SOCK_FIXED && !s->owned)
		wire_sock_close(f->wire, s);
}

/* A socket that is bound to one address has no other. */
static size_t
interfaces(void *ctx, struct addr *out, size_t n)
{
	static const struct addr any = {.family = 4};
	struct finding *f = ctx;
	struct addr at;
	size_t i;

	io_socket_addr(f->wire->fixed[WIRE_SOCK_4]->io, &at);
	if (!addr_same_host(&at, &any)) {
		out[0] = at;
		return n > 0;
	}
	for (i = 0; i < n && i < f->ninterfaces; i++) {
		out[i] = f->interface[i];
		out[i].port = at.port;
	}
	return i;
}

static void
on_dht_event(void *ctx, enum rpc_event ev)
{
	struct finding *f = ctx;

	changed(f);
	if (ev == RPC_WAKEUP && f->swarm != NULL)
		swarm_refresh(f->swarm, NULL, io_now());
}

static uint64_t
wall_ms(void *ctx)
{
	struct timespec t = {0};

	(void)ctx;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* -- connections ---------------------------------------------------------- */

/* Its socket and address are known. A socket of hole punching is the
 * connection's from now on. */
static void
start(struct finding *f, struct wire_conn *c, struct wire_sock *s,
    const struct dht_peer *p, const struct addr *to, uint64_t now)
{
	struct err e = ERR_INIT;

	c->sock = s;
	s->owned = s->number >= WIRE_SOCK_FIXED;
	if (wire_conn_start(c, p->udx_id, to, &p->keys, now, &e) != ERR_OK)
		wire_conn_close(c, e.msg);
	changed(f);
}

static void
stop_awaiting(struct wire_conn *c)
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
	stop_awaiting(c);
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
		stop_awaiting(c);
		start(f, c, s, &x->peer, &x->peer.addr, now);
	} else {
		c->sock = s;
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
		start(f, c, s, c->awaits, from, now);
		stop_awaiting(c);
	} else if (c->seek != NULL && c->seek->connect != NULL) {
		dht_connect_udx(c->seek->connect, s->number, from, now);
	}
}

/* -- dialling ------------------------------------------------------------- */

static void
on_connected(void *ctx, struct dht_peer_found *x, uint64_t now)
{
	struct seek *k = ctx;

	k->connect = NULL;
	found(k->finding, k->conn, x, now);
}

static void
tell_failed(struct finding *f, const struct b32 *key, const char *text)
{
	struct wire_event *ev = wire_event_new(WIRE_FAILED, NULL);

	if (ev == NULL)
		return;
	*ev->key = *key;
	err_quote(ev->text, WIRE_TEXT, text, strlen(text));
	wire_tell(f->wire, ev);
}

static void
on_failed(void *ctx, enum dht_failure why, uint64_t now)
{
	struct seek *k = ctx;
	struct finding *f = k->finding;
	struct b32 key = k->key;

	k->conn->seek = NULL;
	wire_conn_free(k->conn);
	free(k);
	tell_failed(f, &key, dht_failure_text(why));
	swarm_failed(f->swarm, &key, why, now);
	changed(f);
}

static bool
dial(void *ctx, const struct swarm_peer_about *p, uint64_t now)
{
	struct finding *f = ctx;
	struct seek *k = calloc(1, sizeof(*k));
	struct dht_connect_opts o = {.pair = &f->wire->pair,
	    .remote = p->key,
	    .relay = p->relay,
	    .nrelays = p->nrelays,
	    .local = true,
	    .connected = on_connected,
	    .failed = on_failed,
	    .ctx = k};
	struct err e = ERR_INIT;

	if (k == NULL)
		return false;
	k->finding = f;
	k->key = p->key;
	if (wire_conn_new(&k->conn, f->wire, NULL, true, &e) != ERR_OK) {
		free(k);
		return false;
	}
	o.udx_id = k->conn->id;
	if (dht_connect_start(&k->connect, f->dht, &o, now, &e) != ERR_OK) {
		wire_conn_free(k->conn);
		free(k);
		return false;
	}
	k->conn->seek = k;
	k->conn->about.key = p->key;
	changed(f);
	return true;
}

/* It ended, well or badly. */
static void
end_seek(struct wire_conn *c)
{
	struct seek *k = c->seek;

	c->seek = NULL;
	if (k != NULL && k->connect != NULL)
		dht_connect_cancel(k->connect);
	free(k);
}

/* -- listening ------------------------------------------------------------ */

static uint32_t
on_offer(
    void *ctx, const struct b32 *remote, const struct addr *from, uint64_t now)
{
	struct finding *f = ctx;
	struct err e = ERR_INIT;
	struct wire_conn *c;

	(void)from;
	if (!swarm_admits(f->swarm, remote, now) ||
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

	if (c != NULL)
		found(f, c, x, now);
	else
		dht_peer_free(&x->peer);
}

/* Nobody on the other side knows of it: nobody hears that it is gone. */
static void
on_offer_failed(void *ctx, uint32_t id, const char *why)
{
	struct finding *f = ctx;
	struct wire_conn *c = wire_conn_find(f->wire, id);

	if (c == NULL || c->state != CONN_OPENING)
		return;
	c->offered = false;
	c->second = true;
	wire_conn_close(c, why);
}

static void
on_announced(void *ctx, uint64_t now)
{
	struct finding *f = ctx;

	swarm_refresh(f->swarm, NULL, now);
	changed(f);
}

static enum err_code
listen(struct finding *f, uint64_t now, struct err *e)
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

/* -- the swarm ------------------------------------------------------------ */

static void
on_drop(void *ctx, uint64_t conn, const char *why)
{
	struct finding *f = ctx;
	struct wire_conn *c = wire_conn_find(f->wire, (uint32_t)conn);

	(void)why;
	if (c != NULL)
		c->doomed = c->dirty = true;
}

static void
on_looked(void *ctx, const struct b32 *topic, size_t nfound, size_t announced,
    uint64_t next, uint64_t now)
{
	struct finding *f = ctx;
	struct wire_event *ev = wire_event_new(WIRE_LOOKED, NULL);

	(void)now;
	changed(f);
	if (ev == NULL)
		return;
	*ev->topic = (struct peer_topic){.topic = *topic,
	    .found = nfound,
	    .announced = announced,
	    .next = next};
	wire_tell(f->wire, ev);
}

/* The ones it replaces go first, so that a peer is never there twice. */
static void
close_doomed(struct wire *w)
{
	for (size_t i = 0; i < w->nconns; i++)
		if (w->conn[i]->doomed && w->conn[i]->state != CONN_CLOSED)
			wire_conn_close(
			    w->conn[i], "there is a newer connection to it");
}

bool
wire_find_admit(struct finding *f, struct wire_conn *c, uint64_t now)
{
	end_seek(c);
	c->counted = swarm_opened(
	    f->swarm, &c->about.key, c->about.initiator, c->id, now);
	close_doomed(f->wire);
	changed(f);
	return c->counted;
}

void
wire_find_used(struct finding *f, struct wire_conn *c)
{
	c->used = true;
	swarm_used(f->swarm, c->id);
}

void
wire_find_settled(struct finding *f, struct wire_conn *c)
{
	if (c->offered && f->server != NULL)
		dht_server_settled(f->server, c->id);
	c->offered = false;
}

/* Closed, or freed before it was anything. */
void
wire_find_closed(struct finding *f, struct wire_conn *c, uint64_t now)
{
	bool dialled = c->seek != NULL;

	stop_awaiting(c);
	end_seek(c);
	wire_find_settled(f, c);
	if (c->counted)
		swarm_closed(f->swarm, c->id, now);
	else if (dialled)
		swarm_failed(f->swarm, &c->about.key, DHT_PEER_SILENT, now);
	c->counted = false;
	changed(f);
}

/* -- orders --------------------------------------------------------------- */

static void
part_done(void *ctx)
{
	struct finding *f = ctx;
	struct wire_event *ev;

	if (--f->quitting > 0 ||
	    (ev = wire_event_new(WIRE_QUIET, NULL)) == NULL)
		return;
	wire_tell(f->wire, ev);
}

static void
server_quiet(void *ctx)
{
	struct finding *f = ctx;

	f->server = NULL;
	part_done(f);
}

static void
quit(struct finding *f, uint64_t now)
{
	if (f->quitting > 0)
		return;
	f->quitting = 1 + (f->server != NULL);
	swarm_close(f->swarm, part_done, f, now);
	if (f->server != NULL)
		dht_server_close(f->server, server_quiet, f, now);
}

/* What cannot be done for lack of memory is said, and done another time. */
static void
join(struct finding *f, const struct wire_command *cmd, uint64_t now)
{
	struct err e = ERR_INIT;
	enum err_code rc = ERR_OK;

	if ((cmd->flags & SWARM_SERVER) != 0)
		rc = listen(f, now, &e);
	if (rc == ERR_OK)
		rc = swarm_join(f->swarm, &cmd->at.key, cmd->flags, now, &e);
	if (rc != ERR_OK)
		tell_failed(f, &cmd->at.key, e.msg);
}

void
wire_find_obey(struct finding *f, const struct wire_command *cmd, uint64_t now)
{
	const struct b32 *key = &cmd->at.key;
	struct err e = ERR_INIT;

	switch (cmd->order) {
	case WIRE_JOIN:
		join(f, cmd, now);
		break;
	case WIRE_LEAVE:
		swarm_leave(f->swarm, key, now);
		break;
	case WIRE_JOIN_PEER:
		if (swarm_join_peer(f->swarm, key, now, &e) != ERR_OK)
			tell_failed(f, key, e.msg);
		break;
	case WIRE_REFRESH:
		swarm_refresh(f->swarm, key, now);
		break;
	case WIRE_BAN:
		swarm_ban(f->swarm, key, now + BAN_US, now);
		break;
	case WIRE_QUIT:
		quit(f, now);
		break;
	case WIRE_DIAL:
	case WIRE_WRITE:
	case WIRE_DROP:
	case WIRE_RELEASE:
		break; /* not of the finding */
	}
	changed(f);
}

/* -- turns ---------------------------------------------------------------- */

/* Another interface or address: what was known of our place is old. */
static void
look_around(struct finding *f, uint64_t now)
{
	struct addr list[INTERFACES_MAX];
	size_t n;
	bool same;

	if (now < f->look)
		return;
	f->look = now + LOOK_US;
	n = io_interfaces(list, INTERFACES_MAX);
	same = n == f->ninterfaces;
	for (size_t i = 0; same && i < n; i++)
		same = addr_eq(&list[i], &f->interface[i]);
	if (same)
		return;
	memcpy(f->interface, list, n * sizeof(*list));
	f->ninterfaces = n;
	if (f->dht != NULL) {
		rpc_renew(dht_rpc(f->dht), now);
		swarm_refresh(f->swarm, NULL, now);
	}
}

static void
report(struct finding *f, uint64_t now)
{
	struct wire_event *ev;
	struct peer_network *out;
	struct swarm_about sa;
	struct rpc_about ra;

	if (!f->changed || now - f->told < TELL_US ||
	    (ev = wire_event_new(WIRE_NETWORK, NULL)) == NULL)
		return;
	f->changed = false;
	f->told = now;
	rpc_about(dht_rpc(f->dht), &ra);
	swarm_about(f->swarm, &sa);
	out = &ev->network->about;
	*out = (struct peer_network){.ready = ra.ready,
	    .online = ra.online,
	    .firewalled = ra.firewalled,
	    .consistent = ra.self.family != 0 && ra.self.port != 0,
	    .self = ra.self,
	    .nodes = ra.nodes,
	    .topics = sa.topics,
	    .announced = sa.announced,
	    .known = sa.known,
	    .dialling = sa.dialling};
	ev->network->nknown =
	    rpc_known(dht_rpc(f->dht), ev->network->known, WIRE_KNOWN_MAX);
	wire_tell(f->wire, ev);
}

uint64_t
wire_find_turn(struct finding *f, uint64_t now)
{
	uint64_t deadline, next;

	look_around(f, now);
	next = swarm_turn(f->swarm, now);
	deadline = dht_turn(f->dht, now);
	deadline = next < deadline ? next : deadline;
	report(f, now);
	next = f->changed ? f->told + TELL_US : f->look;
	return next < deadline ? next : deadline;
}

void
wire_find_recv(struct finding *f, struct wire_sock *s, struct view d,
    const struct addr *from, uint64_t now)
{
	if (s->number != WIRE_SOCK_6)
		dht_recv(f->dht, s->number, d, from, now);
}

/* -- life ----------------------------------------------------------------- */

static enum err_code
open_machines(struct finding *f, const struct wire_discovery *o, struct err *e)
{
	const struct dht_env env = {.ctx = f,
	    .send = send_datagram,
	    .socket_open = socket_open,
	    .socket_close = socket_close,
	    .interfaces = interfaces,
	    .event = on_dht_event,
	    .wall_ms = wall_ms};
	const struct swarm_env senv = {
	    .ctx = f, .dial = dial, .drop = on_drop, .looked = on_looked};
	struct swarm_opts so = {
	    .pair = &f->wire->pair, .peers_max = o->peers_max};
	struct dht_opts d = {.rpc = {.role = RPC_ADAPTIVE,
				 .bootstrap = o->bootstrap,
				 .nbootstrap = o->nbootstrap,
				 .known = o->known,
				 .nknown = o->nknown}};
	uint64_t now = io_now();
	struct addr at;
	enum err_code rc;

	io_socket_addr(f->wire->fixed[WIRE_SOCK_4]->io, &at);
	d.rpc.port = at.port;
	look_around(f, now);
	if ((rc = dht_new(&f->dht, &d, &env, now, e)) != ERR_OK)
		return rc;
	return swarm_new(&f->swarm, f->dht, &so, &senv, now, e);
}

enum err_code
wire_find_new(struct finding **out, struct wire *w,
    const struct wire_discovery *o, struct err *e)
{
	struct finding *f = calloc(1, sizeof(*f));
	enum err_code rc;

	if (f == NULL)
		return err_nomem(e);
	f->wire = w;
	if ((rc = open_machines(f, o, e)) != ERR_OK) {
		wire_find_free(f);
		return rc;
	}
	*out = f;
	return ERR_OK;
}

void
wire_find_free(struct finding *f)
{
	if (f == NULL)
		return;
	swarm_free(f->swarm);
	dht_free(f->dht);
	free(f);
}
