/* The DHT and the swarm on the network thread: who is dialled, and who may
 * connect. */
#include <stdlib.h>
#include <string.h>

#include "peer/wire_relay.h"

#define BAN_US (600 * SECOND)
#define LOOK_US (5 * SECOND) /* between two looks at the interfaces */
#define SLEPT_US (10 * SECOND)
#define TELL_US (SECOND / 4) /* between two reports */
#define ROUNDS_MAX 4	     /* of both machines in one turn */

void
wire_find_changed(struct finding *f)
{
	f->changed = true;
}

void
wire_find_failed(struct finding *f, const struct b32 *key, const char *text)
{
	struct wire_event *ev = wire_event_new(WIRE_FAILED, NULL);

	if (ev == NULL)
		return;
	*ev->key = *key;
	err_quote(ev->text, WIRE_TEXT, text, strlen(text));
	wire_tell(f->wire, ev);
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

	wire_find_changed(f);
	if (ev == RPC_WAKEUP && f->swarm != NULL)
		swarm_refresh(f->swarm, NULL, io_now());
}

static uint64_t
wall_ms(void *ctx)
{
	(void)ctx;
	return io_wall_ms();
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
	wire_find_changed(f);
	if (ev == NULL)
		return;
	*ev->topic = (struct peer_topic){.topic = *topic,
	    .found = nfound,
	    .announced = announced,
	    .next = next};
	wire_tell(f->wire, ev);
}

static void
on_met(void *ctx, const struct b32 *topic, uint64_t now)
{
	struct finding *f = ctx;
	struct wire_event *ev = wire_event_new(WIRE_MET, NULL);

	(void)now;
	if (ev == NULL)
		return; /* told again at the next connection */
	ev->topic->topic = *topic;
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
	wire_seek_opened(c);
	c->counted = swarm_opened(
	    f->swarm, &c->about.key, c->about.initiator, c->id, now);
	close_doomed(f->wire);
	wire_find_changed(f);
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
	bool dialled = c->seek != NULL && !c->seek->admitted;

	wire_seek_stop_awaiting(c);
	wire_seek_end(c);
	wire_find_settled(f, c);
	if (c->counted)
		swarm_closed(f->swarm, c->id, now);
	else if (dialled)
		swarm_failed(f->swarm, &c->about.key, DHT_PEER_SILENT, now);
	c->counted = false;
	wire_find_changed(f);
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
		rc = wire_seek_listen(f, now, &e);
	if (rc == ERR_OK)
		rc = swarm_join(f->swarm, &cmd->at.key, cmd->flags, now, &e);
	if (rc != ERR_OK)
		wire_find_failed(f, &cmd->at.key, e.msg);
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
			wire_find_failed(f, key, e.msg);
		break;
	case WIRE_SERVE:
		if (wire_seek_listen(f, now, &e) != ERR_OK)
			wire_find_failed(f, &f->wire->pair.pub, e.msg);
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
	wire_find_changed(f);
}

/* -- turns ---------------------------------------------------------------- */

/* The clock of the machines stands still while the machine sleeps. */
static bool
slept(struct finding *f)
{
	uint64_t asleep = io_asleep();
	bool woke = asleep > f->asleep + SLEPT_US;

	f->asleep = asleep;
	return woke;
}

/* Other interfaces or addresses than the last time? */
static bool
moved(struct finding *f)
{
	struct addr list[INTERFACES_MAX];
	size_t n = io_interfaces(list, INTERFACES_MAX);
	bool same = n == f->ninterfaces;

	for (size_t i = 0; same && i < n; i++)
		same = addr_eq(&list[i], &f->interface[i]);
	memcpy(f->interface, list, n * sizeof(*list));
	f->ninterfaces = n;
	return !same;
}

/* After a sleep, and in another place, what was known of ours is old. */
static void
look_around(struct finding *f, uint64_t now)
{
	bool renew;

	if (now < f->look)
		return;
	f->look = now + LOOK_US;
	renew = slept(f);
	renew = moved(f) || renew;
	if (!renew || f->swarm == NULL)
		return;
	rpc_renew(dht_rpc(f->dht), now);
	swarm_refresh(f->swarm, NULL, now);
}

static void
report(struct finding *f, uint64_t now)
{
	struct wire_event *ev;
	struct addr relay[DHT_RELAYS_MAX];
	struct peer_network *out;
	struct swarm_about sa;
	struct rpc_about ra;

	if (!f->changed || now - f->told < TELL_US)
		return;
	f->told = now; /* without memory now, another time */
	if ((ev = wire_event_new(WIRE_NETWORK, NULL)) == NULL)
		return;
	f->changed = false;
	rpc_about(dht_rpc(f->dht), &ra);
	swarm_about(f->swarm, &sa);
	out = &ev->network->about;
	*out = (struct peer_network){.ready = ra.ready,
	    .online = ra.online,
	    .firewalled = ra.firewalled,
	    .consistent = ra.self.family != 0 && ra.self.port != 0,
	    .reachable =
		f->server != NULL && dht_server_relays(f->server, relay) > 0,
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

/* What the DHT finds, or fails to reach, the swarm acts on at once: a report
 * must not say that nobody is dialled while somebody is about to be. */
static uint64_t
turn_machines(struct finding *f, uint64_t now)
{
	uint64_t dials, asks;
	bool changed, again;

	for (int i = 0; i < ROUNDS_MAX; i++) {
		dials = swarm_turn(f->swarm, now);
		changed = f->changed;
		f->changed = false;
		asks = dht_turn(f->dht, now);
		again = f->changed;
		f->changed = changed || again;
		if (!again)
			return dials < asks ? dials : asks;
	}
	return now;
}

uint64_t
wire_find_turn(struct finding *f, uint64_t now)
{
	uint64_t deadline, next;

	look_around(f, now);
	deadline = wire_relay_turn(f, now);
	next = turn_machines(f, now);
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
	const struct swarm_env senv = {.ctx = f,
	    .dial = wire_seek_dial,
	    .undial = wire_seek_undial,
	    .drop = on_drop,
	    .looked = on_looked,
	    .met = on_met};
	struct swarm_opts so = {.pair = &f->wire->pair,
	    .peers_max = o->peers_max,
	    .sought_max = o->sought_max};
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
	if (o->relay != NULL) {
		f->has_relay = true;
		f->relay = *o->relay;
	}
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
	wire_relay_free_all(f);
	swarm_free(f->swarm);
	dht_free(f->dht);
	free(f);
}
