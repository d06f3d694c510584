/* crossing_post: the blind relay of crossing.h, fair or not. Its connections
 * are those of a wire; what comes for a stream goes on at its sockets. */
#ifndef TESTS_PEER_CROSSING_POST_H
#define TESTS_PEER_CROSSING_POST_H

#include "crossing_world.h"

/* -- the relay ------------------------------------------------------------- */

/* True: it was for a stream, and went on if that is known to lead anywhere. */
static bool
post_forwards(
    struct post *r, struct io_socket *s, struct view v, const struct addr *from)
{
	static uint8_t copy[UDX_TRAIN_MAX];
	struct stream *to;
	size_t len = v.len;
	uint32_t id;

	if (!udx_peek(v, &id))
		return false;
	for (size_t i = 0; i < STREAMS; i++) {
		if (r->stream[i].id == 0 || r->stream[i].id != id)
			continue;
		r->stream[i].at = *from;
		r->stream[i].s = s;
		to = &r->stream[i ^ 1];
		r->bytes += v.len;
		if (r->stuck || to->id == 0 || to->at.family == 0)
			return true;
		memcpy(copy, v.ptr, v.len);
		for (size_t k = 0; k < 4; k++)
			copy[4 + k] = (uint8_t)(to->remote_id >> (8 * k));
		(void)io_send(to->s, copy, &len, len, &to->at);
		return true;
	}
	return false;
}

static inline void
post_flush(struct post *r, struct call *c)
{
	struct err e = ERR_INIT;
	uint8_t *data;
	size_t len;

	while (mux_take(c->mux, &data, &len))
		check_ok(wire_write(r->p.w, c->conn, data, len, &e), &e);
}

static inline void
post_says(struct call *c, uint64_t type, const struct relay_pair *p)
{
	struct err e = ERR_INIT;

	relay_message_pair_encode(mux_begin(c->ch, type, 64), p);
	check_ok(mux_end(c->mux, &e), &e);
}

static inline uint32_t
post_stream(struct post *r, struct stream *s, struct call *c)
{
	*s = (struct stream){.call = c,
	    .remote_id = c->pair.id,
	    .id =
		(uint32_t)(7000 + 100 * r->matched + (size_t)(s - r->stream))};
	return s->id;
}

static inline void
post_joins(struct post *r, struct call *x, struct call *y)
{
	struct relay_pair px = x->pair, py = y->pair;
	size_t i = 0;

	while (i < STREAMS && r->stream[i].id != 0)
		i += 2;
	check(i < STREAMS);
	r->matched++;
	px.id = post_stream(r, &r->stream[i], x);
	py.id = post_stream(r, &r->stream[i + 1], y);
	post_says(x, RELAY_PAIR, &px);
	post_says(y, RELAY_PAIR, &py);
	if (r->mood == MOOD_TWICE) {
		px.id = py.id = 66;
		post_says(x, RELAY_PAIR, &px);
		post_says(y, RELAY_PAIR, &py);
	}
	post_flush(r, x);
	post_flush(r, y);
}

static inline void
post_lies(struct call *c)
{
	struct relay_pair p = c->pair;

	p.id = 66;
	p.token.b[0] ^= 1;
	post_says(c, RELAY_PAIR, &p);
	p.token.b[0] ^= 1;
	p.initiator = !p.initiator;
	post_says(c, RELAY_PAIR, &p);
	p.initiator = !p.initiator;
	post_says(c, RELAY_PAIR + 1, &p);
}

static inline void
post_garbage(struct post *r, struct call *c)
{
	uint8_t *data = malloc(MUX_FRAME_HEAD + 40 + MUX_FRAME_TAIL);
	struct err e = ERR_INIT;

	check(data != NULL);
	memset(data, 0xff, MUX_FRAME_HEAD + 40);
	data[MUX_FRAME_HEAD] = 0; /* a batch, of a channel of 2^64 - 1 */
	check_ok(wire_write(r->p.w, c->conn, data, 40, &e), &e);
}

static inline void
post_asked(struct post *r, struct call *c)
{
	struct relay_pair p = c->pair;

	r->asked++;
	switch (r->mood) {
	case MOOD_DEAF:
		return;
	case MOOD_LIAR:
		post_lies(c);
		return;
	case MOOD_GARBAGE:
		post_garbage(r, c);
		return;
	case MOOD_REFUSES:
		mux_close(c->mux, c->ch);
		c->ch = NULL;
		return;
	case MOOD_DEAD_END:
		p.id = 66;
		post_says(c, RELAY_PAIR, &p);
		return;
	case MOOD_FAIR:
	case MOOD_TWICE:
		break;
	}
	c->asks = true;
	for (size_t i = 0; i < CALLS; i++) {
		struct call *o = &r->call[i];

		if (o->conn == NULL || !o->asks || o == c ||
		    !b32_eq(&o->pair.token, &c->pair.token) ||
		    o->pair.initiator == c->pair.initiator)
			continue;
		o->asks = c->asks = false;
		post_joins(r, c, o);
		return;
	}
}

static inline void
post_frame(struct post *r, struct call *c, struct view frame)
{
	struct err e = ERR_INIT;
	struct mux_event ev;

	check_ok(mux_recv(c->mux, frame, &e), &e);
	while (mux_next(c->mux, &ev, &e)) {
		if (ev.kind == MUX_OFFERED) {
			check_ok(mux_open(c->mux, ev.protocol, ev.id,
				     VIEW_EMPTY, NULL, &c->ch, &e),
			    &e);
		} else if (ev.kind == MUX_MESSAGE) {
			check(relay_message_pair_decode(&c->pair, ev.body));
			post_asked(r, c);
		}
	}
	check(e.code == ERR_OK);
	post_flush(r, c);
}

/* The streams of who hangs up end as well. */
static inline void
post_hangs_up(struct post *r, struct call *c)
{
	for (size_t i = 0; i < STREAMS; i++)
		if (r->stream[i].id != 0 && r->stream[i].call == c)
			r->stream[i].id = 0;
	for (size_t i = 0; i < STREAMS; i += 2)
		if (r->stream[i].id == 0)
			r->stream[i + 1].id = 0;
	mux_free(c->mux);
	*c = (struct call){NULL};
}

static inline void
post_event(struct post *r, struct wire_event *ev)
{
	struct err e = ERR_INIT;
	struct call *c = r->call;

	if (ev->kind != WIRE_OPENED && ev->kind != WIRE_FRAME &&
	    ev->kind != WIRE_CLOSED)
		return;
	while (c < r->call + CALLS - 1 &&
	       c->conn != (ev->kind == WIRE_OPENED ? NULL : ev->conn))
		c++;
	if (ev->kind == WIRE_OPENED) {
		check(c->conn == NULL);
		c->conn = ev->conn;
		check_ok(mux_new(&c->mux, &(struct mux_limits){0}, &e), &e);
	} else if (ev->kind == WIRE_FRAME) {
		post_frame(r, c, view_of(ev->data + ev->head, ev->len));
		wire_done(r->p.w, ev->conn, ev->len);
	} else if (c->conn == ev->conn) {
		post_hangs_up(r, c);
	}
}

#endif
