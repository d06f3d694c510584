#include "peer/wire_relay.h"

#include <stdlib.h>

#include "net/relay/relay_client.h"

#define PAIR_US (15 * SECOND)
/* A packet sent again through the relay is here by then. */
#define QUIET_US (3 * SECOND)
/* What the relay has not delivered by then, it never will: the stream must not
 * wait for that until it is given up. */
#define STUCK_US (2 * SECOND)
/* For the relay to answer our END. */
#define HANG_UP_US (5 * SECOND)
/* Links at a time; strangers may make us dial whom they like. */
#define LINKS_MAX 64
#define LINKS_OFFERED_MAX 32

enum through_state { THROUGH_PAIRING, THROUGH_RELAYED, THROUGH_MOVED };

struct through {
	struct through *next;
	struct finding *finding;
	enum through_state state;
	bool offered;		  /* the stream was dialled by the other side */
	struct wire_conn *conn;	  /* the stream; NULL: let go of */
	struct wire_conn *link;	  /* NULL: gone */
	struct dht_connect *dial; /* of the link; NULL: over */
	const char *why;	  /* the link is gone, if anybody knows */
	struct relay_client *client;
	struct dht_peer peer; /* keys of the stream, until it starts */
	uint32_t remote_id;   /* of its other end */
	uint64_t deadline;    /* PAIRING */
	uint64_t moved;	      /* MOVED: when */
	uint64_t heard;	      /* MOVED: the last packet through the relay */
	bool told;	      /* MOVED: the other end, all of before is there */
	bool direct;	      /* MOVED: it has answered that */
};

/* -- the link ------------------------------------------------------------- */

static void
on_link_connected(void *ctx, struct dht_peer_found *x, uint64_t now)
{
	struct through *t = ctx;
	struct wire_sock *s = wire_sock_number(t->finding->wire, x->sock);

	t->dial = NULL;
	if (s == NULL)
		wire_conn_close(t->link, "its socket is closed");
	else
		wire_seek_start(
		    t->finding, t->link, s, &x->peer, &x->peer.addr, now);
	dht_peer_free(&x->peer);
}

static void
on_link_failed(void *ctx, enum dht_failure why, uint64_t now)
{
	struct through *t = ctx;

	(void)now;
	t->dial = NULL;
	t->why = dht_failure_text(why);
	wire_conn_free(t->link);
}

static enum err_code
dial(struct through *t, const struct b32 *relay, uint64_t now, struct err *e)
{
	struct wire *w = t->finding->wire;
	struct dht_connect_opts o = {.pair = &w->pair,
	    .remote = *relay,
	    .local = true,
	    .connected = on_link_connected,
	    .failed = on_link_failed,
	    .ctx = t};
	struct wire_conn *link;
	enum err_code rc = wire_conn_new(&link, w, NULL, true, e);

	if (rc != ERR_OK)
		return rc;
	o.udx_id = link->id;
	rc = dht_connect_start(&t->dial, t->finding->dht, &o, now, e);
	if (rc != ERR_OK) {
		wire_conn_free(link);
		return rc;
	}
	link->about.key = *relay;
	link->link = true;
	link->serves = t;
	t->link = link;
	return ERR_OK;
}

void
wire_relay_link_packet(struct wire_conn *link, struct wire_sock *s,
    const struct addr *from, uint64_t now)
{
	struct through *t = link->serves;

	if (t != NULL && t->dial != NULL)
		dht_connect_udx(t->dial, s->number, from, now);
}

void
wire_relay_link_frame(struct wire_conn *link, struct secret_frame *f)
{
	struct through *t = link->serves;
	struct view v = view_of(f->data + f->head, f->len);
	struct err e = ERR_INIT;

	if (t != NULL && relay_client_recv(t->client, v, &e) != ERR_OK)
		wire_conn_close(link, e.msg);
	secret_stream_frame_free(f);
}

/* The stream must not use its socket any more. */
void
wire_relay_link_gone(struct wire_conn *link)
{
	struct through *t = link->serves;

	link->serves = NULL;
	if (t == NULL)
		return;
	if (t->dial != NULL)
		dht_connect_cancel(t->dial);
	t->dial = NULL;
	t->link = NULL;
	if (t->conn != NULL && t->conn->borrows) {
		t->conn->sock = NULL;
		t->conn->borrows = false;
	}
}

static void
say(struct through *t, uint64_t now)
{
	struct wire_conn *link = t->link;
	uint8_t *data;
	size_t len;

	while (link->state == CONN_OPEN &&
	       relay_client_take(t->client, &data, &len)) {
		__atomic_add_fetch(&link->outbox, len, __ATOMIC_RELAXED);
		wire_conn_write(link, data, len, now);
	}
}

/* -- life ----------------------------------------------------------------- */

static void
hang_up(struct through *t, uint64_t now)
{
	struct wire_conn *link = t->link;

	if (link == NULL)
		return;
	wire_relay_link_gone(link);
	if (link->secret == NULL) {
		wire_conn_free(link);
		return;
	}
	if (!link->ending)
		udx_end(link->udx);
	link->ending = link->dirty = true;
	link->hang_up = now + HANG_UP_US;
}

void
wire_relay_forget(struct wire_conn *c)
{
	struct through *t = c->through;

	if (t == NULL)
		return;
	if (c->borrows)
		c->sock = NULL;
	c->borrows = false;
	c->through = NULL;
	t->conn = NULL;
}

static void
through_free(struct through *t, uint64_t now)
{
	if (t->conn != NULL)
		wire_relay_forget(t->conn);
	hang_up(t, now);
	relay_client_free(t->client);
	dht_peer_free(&t->peer);
	free(t);
}

static size_t
count(const struct finding *f, bool offered)
{
	size_t n = 0;

	for (const struct through *t = f->through; t != NULL; t = t->next)
		n += !offered || t->offered;
	return n;
}

static enum err_code
begin(struct through *t, const struct dht_relaying *r, uint64_t now,
    struct err *e)
{
	const struct relay_pair pair = {
	    .initiator = r->initiator, .token = r->token, .id = t->conn->id};
	enum err_code rc;

	rc =
	    relay_client_new(&t->client, &t->finding->wire->pair.pub, &pair, e);
	return rc != ERR_OK ? rc : dial(t, &r->key, now, e);
}

void
wire_relay_begin(struct finding *f, struct wire_conn *c,
    const struct dht_relaying *r, struct dht_peer *p, uint64_t now)
{
	struct through *t = NULL;
	struct err e = ERR_INIT;

	if (c->through == NULL && c->state == CONN_OPENING &&
	    count(f, false) < LINKS_MAX &&
	    (p != NULL || count(f, true) < LINKS_OFFERED_MAX))
		t = calloc(1, sizeof(*t));
	if (t == NULL) {
		if (p != NULL)
			dht_peer_free(p);
		return;
	}
	t->finding = f;
	t->conn = c;
	t->offered = p == NULL;
	t->deadline = now + PAIR_US;
	if (p != NULL)
		t->peer = *p;
	t->remote_id = p != NULL ? p->udx_id : c->awaits->udx_id;
	if (begin(t, r, now, &e) != ERR_OK) {
		if (c->seek != NULL)
			c->seek->unmet = "it cannot be dialled";
		through_free(t, now);
		return;
	}
	c->through = t;
	t->next = f->through;
	f->through = t;
}

/* -- packets of the stream ------------------------------------------------ */

static bool
is_relayed(
    const struct through *t, const struct wire_sock *s, const struct addr *from)
{
	return t->link != NULL && t->link->sock == s &&
	       addr_eq(from, &t->link->about.addr);
}

/* The direct way is open: whoever looked for it may stop. */
static void
on_direct(struct through *t, struct wire_sock *s, const struct addr *from,
    uint64_t now)
{
	struct wire_conn *c = t->conn;

	if (c->seek != NULL && c->seek->connect != NULL) {
		dht_connect_udx(c->seek->connect, s->number, from, now);
		return;
	}
	if (c->offered && t->finding->server != NULL)
		dht_server_udx(t->finding->server, c->id, s->number);
	wire_relay_move(c, s, from, now);
}

void
wire_relay_packet(struct wire_conn *c, struct wire_sock *s,
    const struct addr *from, uint64_t now)
{
	struct through *t = c->through;
	bool relayed = is_relayed(t, s, from);

	switch (t->state) {
	case THROUGH_PAIRING:
		/* the other side may hear of the pair before we do */
		if (!relayed)
			wire_find_packet(t->finding, c, s, from, now);
		break;
	case THROUGH_RELAYED:
		if (!relayed && c->state != CONN_CLOSED)
			on_direct(t, s, from, now);
		break;
	case THROUGH_MOVED:
		if (relayed)
			t->heard = now;
		else if (s == c->sock)
			t->direct = t->direct || t->told;
		break;
	}
}

void
wire_relay_move(struct wire_conn *c, struct wire_sock *s, const struct addr *to,
    uint64_t now)
{
	struct through *t = c->through;

	if (t->state != THROUGH_RELAYED || c->state == CONN_CLOSED)
		return;
	wire_seek_take_sock(c, s);
	udx_change_remote(c->udx, t->remote_id, to, now);
	wire_find_settled(t->finding, c);
	t->state = THROUGH_MOVED;
	t->moved = t->heard = now;
	c->dirty = true;
}

/* -- turns ---------------------------------------------------------------- */

static void
start_relayed(struct through *t, uint32_t id, uint64_t now)
{
	struct wire_conn *c = t->conn;
	struct dht_peer *p = c->awaits != NULL ? c->awaits : &t->peer;
	struct err e = ERR_INIT;

	p->udx_id = id;
	t->state = THROUGH_RELAYED;
	c->sock = t->link->sock;
	c->borrows = true;
	if (wire_conn_start(c, p->udx_id, &t->link->about.addr, &p->keys, now,
		&e) != ERR_OK)
		wire_conn_close(c, e.msg);
	wire_seek_stop_awaiting(c);
	dht_peer_free(&t->peer);
	wire_find_changed(t->finding);
}

/* Why they do not meet; NULL: they may yet. */
static const char *
unmet(const struct through *t, enum relay_state state, uint64_t now)
{
	if (state == RELAY_REFUSED)
		return "it refuses";
	if (t->link == NULL)
		return t->why != NULL ? t->why : "it hangs up";
	if (now < t->deadline)
		return NULL;
	if (t->link->state != CONN_OPEN)
		return dht_failure_text(DHT_PEER_SILENT);
	return "nobody else came to it";
}

/* True: it is over. */
static bool
turn_pairing(struct through *t, uint64_t now)
{
	struct wire_conn *c = t->conn;
	enum relay_state state;
	const char *why;
	uint32_t id = 0;

	if (c->state != CONN_OPENING)
		return true;
	state = relay_client_state(t->client, &id);
	if (t->link != NULL && t->link->state == CONN_OPEN &&
	    state == RELAY_PAIRED) {
		start_relayed(t, id, now);
		return false;
	}
	if ((why = unmet(t, state, now)) == NULL)
		return false;
	wire_relay_forget(c);
	wire_seek_unmet(c, why, now);
	return true;
}

/* Nothing of ours is on its way through the relay, so the other end may be
 * told to leave it, too; and it is left when it is quiet. */
static bool
turn_moved(struct through *t, uint64_t now)
{
	struct wire_conn *c = t->conn;
	struct err e = ERR_INIT;

	if (t->link == NULL || now >= t->moved + STUCK_US) {
		c->dirty = c->dirty || !udx_change_done(c->udx);
		udx_change_force(c->udx);
	}
	if (t->link == NULL)
		return true;
	if (!udx_change_done(c->udx))
		return false;
	if (!t->told && udx_send_message(c->udx, VIEW_EMPTY, &e) == ERR_OK)
		t->told = c->dirty = true;
	return t->direct && now - t->heard >= QUIET_US;
}

static bool
turn(struct through *t, uint64_t now)
{
	if (t->conn == NULL)
		return true;
	if (t->link != NULL)
		say(t, now);
	if (t->conn->state == CONN_CLOSED)
		return false; /* it says goodbye; freed soon */
	switch (t->state) {
	case THROUGH_PAIRING:
		return turn_pairing(t, now);
	case THROUGH_RELAYED:
		if (t->link == NULL)
			wire_conn_close(t->conn, "the relay is gone");
		return false;
	case THROUGH_MOVED:
		return turn_moved(t, now);
	}
	return true;
}

static uint64_t
due(const struct through *t)
{
	if (t->conn->state == CONN_CLOSED)
		return IO_NEVER;
	if (t->state == THROUGH_PAIRING)
		return t->deadline;
	if (t->state == THROUGH_MOVED && !udx_change_done(t->conn->udx))
		return t->moved + STUCK_US;
	if (t->state == THROUGH_MOVED && t->direct)
		return t->heard + QUIET_US;
	return IO_NEVER;
}

uint64_t
wire_relay_turn(struct finding *f, uint64_t now)
{
	struct through **at = &f->through, *t;
	uint64_t next = IO_NEVER;

	while ((t = *at) != NULL) {
		if (turn(t, now)) {
			*at = t->next;
			through_free(t, now);
			continue;
		}
		next = due(t) < next ? due(t) : next;
		at = &t->next;
	}
	return next;
}

void
wire_relay_free_all(struct finding *f)
{
	struct through *t;

	while ((t = f->through) != NULL) {
		f->through = t->next;
		through_free(t, io_now());
	}
}
