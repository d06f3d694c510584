/* Handshakes: datagrams that belong to no stream. Network thread only. */
#include <stdlib.h>
#include <string.h>

#include "net/dht/direct.h"
#include "peer/wire_impl.h"

struct hand { /* one dial */
	struct hand *next;
	struct dht_dial *dial;
	struct wire_conn *conn; /* NULL: closed before the answer came */
	struct wire_sock *sock;
	struct addr to;
	uint32_t number;
};

struct handshakes {
	struct wire *wire;
	struct dht_listen *listen; /* NULL: only dials */
	struct hand *first;
};

enum err_code
wire_hands_new(
    struct handshakes **out, struct wire *w, bool listen, struct err *e)
{
	struct handshakes *h = calloc(1, sizeof(*h));
	struct dht_listen_opts o = {.pair = &w->pair};
	enum err_code rc = ERR_OK;

	if (h == NULL)
		return err_nomem(e);
	h->wire = w;
	if (listen)
		rc = dht_listen_new(&h->listen, &o, e);
	if (rc != ERR_OK) {
		free(h);
		return rc;
	}
	*out = h;
	return ERR_OK;
}

static void
hand_free(struct hand *d)
{
	dht_dial_free(d->dial);
	free(d);
}

void
wire_hands_free(struct handshakes *h)
{
	struct hand *d;

	if (h == NULL)
		return;
	while ((d = h->first) != NULL) {
		h->first = d->next;
		hand_free(d);
	}
	dht_listen_free(h->listen);
	free(h);
}

void
wire_hands_settled(struct handshakes *h, uint32_t id)
{
	for (struct hand *d = h->first; d != NULL; d = d->next)
		if (d->conn != NULL && d->conn->id == id)
			d->conn = NULL;
	if (h->listen != NULL)
		dht_listen_settled(h->listen, id);
}

/* -- answering ------------------------------------------------------------ */

static void
transmit(struct wire_sock *s, struct view packet, const struct addr *to)
{
	/* a packet that does not go is sent again by who needs it */
	(void)wire_transmit(s, packet.ptr, packet.len, packet.len, to, NULL);
}

static void
take_offer(struct handshakes *h, struct wire_sock *s, uint64_t now)
{
	struct wire_conn *c;
	struct dht_peer peer;
	struct err e = ERR_INIT;

	if (!wire_seek_make_way(h->wire, now) ||
	    wire_conn_new(&c, h->wire, s, false, &e) != ERR_OK) {
		dht_listen_refuse(h->listen);
		return;
	}
	if (dht_listen_accept(h->listen, c->id, &peer, &e) != ERR_OK) {
		dht_listen_refuse(h->listen);
		wire_conn_free(c);
		return;
	}
	transmit(s, dht_listen_packet(h->listen), &peer.addr);
	if (wire_conn_start(c, peer.udx_id, &peer.addr, &peer.keys, now, &e) !=
	    ERR_OK)
		wire_conn_close(c, e.msg);
	dht_peer_free(&peer);
}

/* -- dialling ------------------------------------------------------------- */

static void
failed(struct handshakes *h, uint32_t number, const char *text)
{
	struct wire_event *ev = wire_event_new(WIRE_FAILED, NULL);

	if (ev == NULL)
		return; /* no memory: this address is not tried again */
	ev->dial = number;
	err_quote(ev->text, WIRE_TEXT, text, strlen(text));
	wire_tell(h->wire, ev);
}

static enum err_code
begin(struct handshakes *h, struct hand *d, const struct peer_at *at,
    uint64_t now, struct err *e)
{
	struct dht_dial_opts o = {
	    .pair = &h->wire->pair, .remote = at->key, .to = at->addr};
	enum err_code rc;

	d->sock =
	    h->wire->fixed[at->addr.family == 6 ? WIRE_SOCK_6 : WIRE_SOCK_4];
	d->to = at->addr;
	if ((rc = wire_conn_new(&d->conn, h->wire, d->sock, true, e)) != ERR_OK)
		return rc;
	d->conn->about.dial = d->number;
	o.udx_id = d->conn->id;
	if ((rc = dht_dial_new(&d->dial, &o, now, e)) != ERR_OK)
		wire_conn_free(d->conn);
	return rc;
}

void
wire_hands_dial(struct handshakes *h, uint32_t number, const struct peer_at *at,
    uint64_t now)
{
	struct hand *d = calloc(1, sizeof(*d));
	struct err e = ERR_INIT;

	if (d == NULL) {
		failed(h, number, "out of memory");
		return;
	}
	d->number = number;
	if (begin(h, d, at, now, &e) != ERR_OK) {
		failed(h, number, e.msg);
		free(d);
		return;
	}
	d->next = h->first;
	h->first = d;
}

static void
finish(struct handshakes *h, struct hand *d, uint64_t now)
{
	enum dht_dial_state state = dht_dial_state(d->dial);
	struct dht_peer peer;
	struct err e = ERR_INIT;

	if (d->conn == NULL)
		return; /* told when it was closed */
	if (state != DHT_DONE) {
		wire_conn_free(d->conn);
		failed(h, d->number, dht_dial_text(state));
		return;
	}
	dht_dial_take(d->dial, &peer);
	if (wire_conn_start(d->conn, peer.udx_id, &peer.addr, &peer.keys, now,
		&e) != ERR_OK)
		wire_conn_close(d->conn, e.msg);
	dht_peer_free(&peer);
}

/* -- turns ---------------------------------------------------------------- */

bool
wire_hands_recv(struct handshakes *h, struct wire_sock *s, struct view d,
    const struct addr *from, uint64_t now)
{
	for (struct hand *p = h->first; p != NULL; p = p->next)
		if (p->sock == s && dht_dial_recv(p->dial, d, from))
			return true;
	/* the node of the DHT listens there */
	if (h->listen == NULL ||
	    (h->wire->finding != NULL && s->number != WIRE_SOCK_6))
		return false;
	switch (dht_listen_recv(h->listen, d, from, now)) {
	case DHT_NONE:
		break;
	case DHT_ANSWER:
		transmit(s, dht_listen_packet(h->listen), from);
		break;
	case DHT_OFFER:
		take_offer(h, s, now);
		break;
	}
	return true;
}

uint64_t
wire_hands_turn(struct handshakes *h, uint64_t now)
{
	struct hand **at = &h->first, *d;
	uint64_t deadline = IO_NEVER, next;
	struct view packet;

	while ((d = *at) != NULL) {
		if (d->conn != NULL && !io_socket_blocked(d->sock->io) &&
		    dht_dial_poll(d->dial, now, &packet))
			transmit(d->sock, packet, &d->to);
		if (d->conn == NULL ||
		    dht_dial_state(d->dial) != DHT_DIALLING) {
			*at = d->next;
			finish(h, d, now);
			hand_free(d);
			continue;
		}
		next = dht_dial_deadline(d->dial);
		deadline = next < deadline ? next : deadline;
		at = &d->next;
	}
	return deadline;
}
