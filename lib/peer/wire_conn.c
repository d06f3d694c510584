/* One connection on the network thread: stream, cipher, frames. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "peer/wire_relay.h"

#define LINK_PLAIN_MAX (64u << 10) /* of a relay, which says little */

/* What comes behind an event. */
static size_t
part(enum wire_kind kind)
{
	if (kind == WIRE_FAILED)
		return sizeof(struct b32);
	if (kind == WIRE_LOOKED || kind == WIRE_MET)
		return sizeof(struct peer_topic);
	return kind == WIRE_NETWORK ? sizeof(struct wire_network) : 0;
}

struct wire_event *
wire_event_new(enum wire_kind kind, struct wire_conn *c)
{
	bool says = kind == WIRE_CLOSED || kind == WIRE_FAILED;
	struct wire_event *ev =
	    calloc(1, sizeof(*ev) + (says ? WIRE_TEXT : 0) + part(kind));

	if (ev == NULL)
		return NULL;
	ev->kind = kind;
	ev->conn = c;
	if (part(kind) != 0)
		ev->part = ev + 1;
	if (says)
		ev->text = (char *)(ev + 1) + part(kind);
	return ev;
}

void
wire_tell(struct wire *w, struct wire_event *ev)
{
	io_list_add(&w->events, &ev->item);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* A fair part of what all connections may hold. */
static size_t
share(const struct wire *w, size_t all, size_t most, size_t least)
{
	size_t part = all / (w->nconns + 1);

	return part > most ? most : part < least ? least : part;
}

static void
share_room(struct wire *w)
{
	__atomic_store_n(&w->room,
	    share(w, OUT_ROOM_SHARED, OUT_ROOM, OUT_ROOM_LEAST),
	    __ATOMIC_RELAXED);
}

/* -- the table ------------------------------------------------------------ */

static struct wire_conn **
bucket_of(struct wire *w, uint32_t id)
{
	return &w->bucket[id & (WIRE_BUCKETS - 1)];
}

struct wire_conn *
wire_conn_find(struct wire *w, uint32_t id)
{
	struct wire_conn *c = *bucket_of(w, id);

	while (c != NULL && c->id != id)
		c = c->next;
	return c;
}

static enum err_code
enlist(struct wire *w, struct wire_conn *c, struct err *e)
{
	struct wire_conn **grown;
	size_t cap = w->cap == 0 ? 16 : 2 * w->cap;

	if (w->nconns == w->cap) {
		grown = realloc(w->conn, cap * sizeof(struct wire_conn *));
		if (grown == NULL)
			return err_nomem(e);
		w->conn = grown;
		w->cap = cap;
	}
	c->at = w->nconns;
	w->conn[w->nconns++] = c;
	c->next = *bucket_of(w, c->id);
	*bucket_of(w, c->id) = c;
	share_room(w);
	return ERR_OK;
}

static void
delist(struct wire *w, struct wire_conn *c)
{
	struct wire_conn **at = bucket_of(w, c->id);

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	w->conn[c->at] = w->conn[--w->nconns];
	w->conn[c->at]->at = c->at;
	share_room(w);
}

/* What may come before anything is credited: with a limit of rate, a quarter
 * of a second of it. */
static uint32_t
window(const struct wire *w, bool initiator)
{
	uint32_t most = initiator ? WINDOW_DIALLED : WINDOW_ACCEPTED;
	uint64_t part = w->down.rate / 4;

	if (w->down.rate == 0 || part > most)
		return most;
	return part > WINDOW_LEAST ? (uint32_t)part : WINDOW_LEAST;
}

enum err_code
wire_conn_new(struct wire_conn **out, struct wire *w, struct wire_sock *s,
    bool initiator, struct err *e)
{
	struct udx_opts o = {.recv_window = window(w, initiator)};
	struct wire_conn *c;
	enum err_code rc;

	if (w->nconns >= w->max)
		return err_set(
		    e, ERR_LIMIT, "%zu connections are open", w->nconns);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return err_nomem(e);
	c->wire = w;
	c->sock = s;
	c->about.initiator = initiator;
	c->opened = c->wrote = io_now();
	buf_init(&c->early, EARLY_MAX);
	do
		secret_random(&c->id, sizeof(c->id));
	while (wire_conn_find(w, c->id) != NULL);
	o.local_id = c->id;
	c->last = wire_event_new(WIRE_CLOSED, c);
	rc =
	    c->last == NULL ? err_nomem(e) : udx_new(&c->udx, &o, c->opened, e);
	if (rc == ERR_OK)
		rc = enlist(w, c, e);
	if (rc != ERR_OK) {
		udx_free(c->udx);
		free(c->last);
		free(c);
		return rc;
	}
	*out = c;
	return ERR_OK;
}

static void take_bytes(struct wire_conn *c, struct view v);

enum err_code
wire_conn_start(struct wire_conn *c, uint32_t remote_id, const struct addr *to,
    const struct noise_keys *keys, uint64_t now, struct err *e)
{
	struct secret_stream_opts o = {.initiator = c->about.initiator,
	    .keys = keys,
	    .plain_max = c->link ? LINK_PLAIN_MAX : SECRET_PLAIN_MAX};
	enum err_code rc;

	if ((rc = secret_stream_new(&c->secret, &o, e)) != ERR_OK)
		return rc;
	c->about.key = keys->remote;
	c->about.addr = *to;
	c->opened = now;
	memcpy(c->about.hash, keys->hash, sizeof(c->about.hash));
	udx_connect(c->udx, remote_id, to, now);
	c->dirty = true;
	if (c->early.failed != ERR_OK)
		wire_conn_close(c, "too much came before the handshake");
	else if (c->early.len != 0)
		take_bytes(c, buf_view(&c->early));
	buf_deinit(&c->early);
	return ERR_OK;
}

void
wire_conn_release(struct wire_conn *c, uint64_t now)
{
	c->released = true;
	c->gone = udx_reason(c->udx) == UDX_FINISHED ? now + LINGER_US : now;
	c->deadline = least(c->deadline, c->gone);
}

void
wire_conn_free(struct wire_conn *c)
{
	delist(c->wire, c);
	if (c->wire->finding != NULL)
		wire_find_closed(c->wire->finding, c, io_now());
	wire_relay_link_gone(c);
	wire_relay_forget(c);
	if (c->sock != NULL && c->sock->owned)
		wire_sock_close(c->wire, c->sock);
	udx_free(c->udx);
	secret_stream_free(c->secret);
	buf_deinit(&c->early);
	free(c->last);
	free(c);
}

/* -- in ------------------------------------------------------------------- */

static void
settled(struct wire_conn *c)
{
	wire_hands_settled(c->wire->hands, c->id);
	if (c->wire->finding != NULL)
		wire_find_settled(c->wire->finding, c);
}

/* Its event was made with the connection: closing needs no memory. */
void
wire_conn_close(struct wire_conn *c, const char *text)
{
	struct wire_event *ev;

	if (c->state == CONN_CLOSED)
		return;
	if (udx_reason(c->udx) == UDX_LIVE)
		udx_destroy(c->udx);
	c->dirty = true;
	if (c->state == CONN_OPENING)
		settled(c);
	c->state = CONN_CLOSED;
	if (c->wire->finding != NULL)
		wire_find_closed(c->wire->finding, c, io_now());
	if (c->link) {
		wire_relay_link_gone(c);
		wire_conn_release(c, io_now());
		return;
	}
	ev = c->last;
	c->last = NULL;
	(void)snprintf(ev->text, WIRE_TEXT, "%.199s", text);
	ev->dial = c->about.dial;
	ev->quiet = c->second;
	wire_tell(c->wire, ev);
}

/* False: no memory. The connection may be closed after it all the same. */
static bool
tell_opened(struct wire_conn *c)
{
	struct finding *f = c->wire->finding;
	struct wire_event *ev;

	if (c->state != CONN_OPENING || !secret_stream_open(c->secret))
		return true;
	if (c->through == NULL) /* else a direct way is still looked for */
		settled(c);
	if (c->link) {
		c->state = CONN_OPEN;
		return true;
	}
	if (f != NULL && !wire_find_admit(f, c, io_now())) {
		c->second = true;
		wire_conn_close(c, "there is another connection to this peer");
		return true;
	}
	if ((ev = wire_event_new(WIRE_OPENED, c)) == NULL)
		return false;
	c->state = CONN_OPEN;
	ev->dial = c->about.dial;
	wire_tell(c->wire, ev);
	return true;
}

static bool
tell_frame(struct wire_conn *c, struct secret_frame *f)
{
	struct wire_event *ev;

	if (c->link) {
		wire_relay_link_frame(c, f);
		return true;
	}
	if ((ev = wire_event_new(WIRE_FRAME, c)) == NULL)
		return false;
	if (!c->used && c->wire->finding != NULL)
		wire_find_used(c->wire->finding, c);
	ev->data = f->data;
	ev->head = f->head;
	ev->len = f->len;
	__atomic_add_fetch(
	    &c->inbox, f->len + WIRE_FRAME_COST, __ATOMIC_RELAXED);
	wire_tell(c->wire, ev);
	return true;
}

static void
take_bytes(struct wire_conn *c, struct view v)
{
	struct secret_frame f;
	struct err e = ERR_INIT;
	bool told;

	if (c->state == CONN_CLOSED)
		return;
	if (secret_stream_recv(c->secret, v, &e) != ERR_OK) {
		wire_conn_close(c, e.msg);
		return;
	}
	told = tell_opened(c);
	while (
	    told && c->state == CONN_OPEN && secret_stream_next(c->secret, &f))
		if (!(told = tell_frame(c, &f)))
			secret_stream_frame_free(&f);
	if (!told)
		wire_conn_close(c, "out of memory");
}

void
wire_conn_recv(
    struct wire_conn *c, struct view d, const struct addr *from, uint64_t now)
{
	struct view v;

	udx_recv(c->udx, d, from, now);
	c->dirty = true;
	while (udx_read(c->udx, &v)) {
		c->debt += v.len;
		if (c->secret != NULL)
			take_bytes(c, v);
		else /* the handshake's answer is on its way */
			buf_append(&c->early, v);
	}
}

/* The window opens while the other side keeps up. */
static void
settle_debt(struct wire_conn *c, uint64_t now)
{
	size_t room = share(c->wire, IN_ROOM_SHARED, IN_ROOM, IN_ROOM_LEAST);
	struct wire_rate *rate = &c->wire->down;
	size_t n;

	if (c->debt == 0 || __atomic_load_n(&c->inbox, __ATOMIC_RELAXED) > room)
		return;
	n = wire_rate_room(rate, now);
	n = n < c->debt ? n : c->debt;
	if (n == 0)
		return;
	wire_rate_take(rate, n);
	udx_credit(c->udx, n, now);
	c->debt -= n;
}

/* -- out ------------------------------------------------------------------ */

static void
put(struct wire_conn *c, uint8_t *data, size_t len, uint64_t now)
{
	struct err e = ERR_INIT;

	c->wrote = now;
	c->dirty = true;
	if (udx_write(c->udx, data, 0, len, &e) != ERR_OK)
		wire_conn_close(c, e.msg);
}

static void
hello(struct wire_conn *c, uint64_t now)
{
	struct err e = ERR_INIT;
	struct buf b;
	uint8_t *data;
	size_t len;

	buf_init(&b, 4096);
	if (secret_stream_pending(c->secret, &b, &e) != ERR_OK ||
	    buf_check(&b, &e) != ERR_OK) {
		wire_conn_close(c, e.msg);
	} else if (b.len != 0 && (data = buf_steal(&b, &len)) != NULL) {
		put(c, data, len, now);
	}
	buf_deinit(&b);
}

/* Seals in place. The count of what waits goes down as the stream sends. */
void
wire_conn_write(struct wire_conn *c, uint8_t *data, size_t len, uint64_t now)
{
	size_t n;

	/* what opened it may have come before its first turn: ours goes first */
	if (c->state == CONN_OPEN)
		hello(c, now);
	if (c->state == CONN_CLOSED || c->ending) {
		free(data);
		__atomic_sub_fetch(&c->outbox, len, __ATOMIC_RELAXED);
		return;
	}
	c->sealed += len;
	n = secret_stream_seal(c->secret, data, len);
	put(c, data, n, now);
}

static void
keepalive(struct wire_conn *c, uint64_t now)
{
	uint8_t *data;

	if (c->state != CONN_OPEN || c->ending || now - c->wrote < KEEPALIVE_US)
		return;
	if ((data = malloc(SECRET_EMPTY)) == NULL)
		return; /* the next turn tries again */
	put(c, data, secret_stream_seal(c->secret, data, 0), now);
}

/* The other side may write when the stream has little left to send. */
static void
tell_room(struct wire_conn *c)
{
	size_t unsent = udx_unsent(c->udx), gone;
	struct wire_event *ev;

	if (unsent >= c->sealed)
		return;
	gone = c->sealed - unsent;
	c->sealed = unsent;
	if (__atomic_sub_fetch(&c->outbox, gone, __ATOMIC_SEQ_CST) >
	    c->wire->room / 2)
		return;
	if (!__atomic_exchange_n(&c->thirsty, false, __ATOMIC_SEQ_CST))
		return;
	if ((ev = wire_event_new(WIRE_ROOM, c)) != NULL)
		wire_tell(c->wire, ev);
	else
		wire_conn_close(c, "out of memory");
}

static void
send_all(struct wire_conn *c, uint64_t now)
{
	struct wire *w = c->wire;
	struct io_socket *s = c->sock->io;
	struct udx_out out;
	size_t room;

	while (
	    !io_socket_blocked(s) && (room = wire_rate_room(&w->up, now)) > 0) {
		room = room > UDX_TRAIN_MAX ? UDX_TRAIN_MAX : room;
		room = room < UDX_DATAGRAM_MAX ? UDX_DATAGRAM_MAX : room;
		if (!udx_poll(c->udx, now, w->train, room, &out))
			break;
		wire_rate_take(&w->up, out.len);
		io_socket_fragment(
		    s, out.fragment ? IO_MAY_FRAGMENT : IO_WHOLE);
		if (!wire_transmit(c->sock, w->train, out.len, out.segment,
			&out.to, c->udx))
			break;
	}
	io_socket_fragment(s, IO_WHOLE);
}

/* By when it must be open. Before its keys are known the handshake has a
 * limit of its own. */
static uint64_t
open_by(const struct wire_conn *c)
{
	if (c->state != CONN_OPENING)
		return IO_NEVER;
	if (c->awaits != NULL)
		return c->opened + AWAIT_US;
	return c->secret != NULL ? c->opened + OPEN_US : IO_NEVER;
}

static void
check_end(struct wire_conn *c, uint64_t now)
{
	enum udx_reason why = udx_reason(c->udx);

	if (c->state == CONN_CLOSED)
		return;
	if (why != UDX_LIVE) {
		wire_conn_close(c, udx_reason_text(why));
	} else if (now >= open_by(c)) {
		wire_conn_close(c, "the handshake was not finished in time");
	} else if (c->hang_up != 0 && now >= c->hang_up) {
		wire_conn_close(c, "it does not hang up");
	} else if (c->secret != NULL && udx_read_ended(c->udx) && !c->ending) {
		/* END is answered with END */
		c->ending = true;
		udx_end(c->udx);
	}
}

/* A rate that is used up ends in a pause, whatever is due. */
static void
pause_for_rate(struct wire_conn *c, uint64_t now)
{
	struct wire *w = c->wire;
	uint64_t next;

	if (wire_rate_room(&w->up, now) == 0) {
		next = wire_rate_next(&w->up, now);
		if (c->deadline < next) {
			c->dirty = true;
			c->deadline = next;
		}
	}
	if (c->debt > 0 && wire_rate_room(&w->down, now) == 0)
		c->deadline = least(c->deadline, wire_rate_next(&w->down, now));
}

void
wire_conn_pump(struct wire_conn *c, uint64_t now)
{
	c->dirty = false;
	if (c->doomed)
		wire_conn_close(c, "there is a newer connection to this peer");
	if (c->secret != NULL && c->state != CONN_CLOSED) {
		hello(c, now);
		settle_debt(c, now);
		keepalive(c, now);
	}
	udx_set_send_limit(c->udx,
	    (uint32_t)share(c->wire, SEND_SHARED, SEND_MOST, SEND_LEAST));
	udx_batch_end(c->udx, now);
	if (c->sock != NULL)
		send_all(c, now);
	if (c->state != CONN_CLOSED)
		tell_room(c);
	check_end(c, now);
	/* what a stream without a socket owes waits for nobody */
	c->deadline = c->sock != NULL ? udx_deadline(c->udx) : IO_NEVER;
	if (c->state == CONN_OPEN)
		c->deadline = least(c->deadline, c->wrote + KEEPALIVE_US);
	c->deadline = least(c->deadline, open_by(c));
	if (c->hang_up != 0)
		c->deadline = least(c->deadline, c->hang_up);
	pause_for_rate(c, now);
	if (c->released)
		c->deadline = least(c->deadline, c->gone);
	if (c->sock != NULL && io_socket_blocked(c->sock->io)) {
		/* the turn that begins when it is writable again */
		c->dirty = true;
		c->deadline = c->released ? c->gone : IO_NEVER;
	}
}
