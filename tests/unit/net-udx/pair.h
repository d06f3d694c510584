/*
 * pair: two streams and a line between them, in virtual time. The line
 * delays each datagram by `delay`; `drop` and `seen` let a test look at what
 * is sent and lose some of it.
 */
#ifndef TESTS_NET_UDX_PAIR_H
#define TESTS_NET_UDX_PAIR_H

#include <stdlib.h>
#include <string.h>

#include "net/udx/impl.h"
#include "vec.h"

#define PAIR_LINE 16384 /* datagrams on the way, each direction */
#define PAIR_ID_A 0x11111111u
#define PAIR_ID_B 0x22222222u

struct pair_datagram {
	uint8_t bytes[UDX_DATAGRAM_MAX];
	size_t len;
	uint64_t at;
};

struct pair {
	struct udx *u[2];
	struct addr addr[2];
	uint64_t now, delay;
	struct pair_datagram *line[2]; /* to a side, in order of arrival */
	size_t first[2], n[2];
	struct buf got[2];	/* what each side read */
	size_t polls, sent[2];	/* datagrams */
	bool ended[2], keep[2]; /* keep: the reader gives no credit */
	/* True: the datagram from side `from` is lost. */
	bool (*drop)(
	    struct pair *p, int from, const struct udx_packet *k, size_t len);
	void *ctx;
	int tag;
};

static inline void
pair_connect(struct pair *p, int side)
{
	udx_connect(p->u[side], side == 0 ? PAIR_ID_B : PAIR_ID_A,
	    &p->addr[1 - side], p->now);
}

static inline void
pair_init_opts(struct pair *p, struct udx_opts a, struct udx_opts b)
{
	struct err e = ERR_INIT;

	memset(p, 0, sizeof(*p));
	p->now = 1000000;
	p->delay = 10000;
	a.local_id = PAIR_ID_A;
	b.local_id = PAIR_ID_B;
	check_ok(udx_new(&p->u[0], &a, p->now, &e), &e);
	check_ok(udx_new(&p->u[1], &b, p->now, &e), &e);
	for (int i = 0; i < 2; i++) {
		p->line[i] = malloc(PAIR_LINE * sizeof(*p->line[i]));
		check(p->line[i] != NULL);
		buf_init(&p->got[i], 1 << 28);
		p->addr[i] = (struct addr){.family = 4,
		    .port = (uint16_t)(4000 + i),
		    .ip = {127, 0, 0, (uint8_t)(i + 1)}};
	}
}

static inline void
pair_init(struct pair *p)
{
	struct udx_opts none = {0};

	pair_init_opts(p, none, none);
	pair_connect(p, 0);
	pair_connect(p, 1);
}

static inline void
pair_deinit(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		udx_free(p->u[i]);
		buf_deinit(&p->got[i]);
		free(p->line[i]);
	}
}

/* The sequence numbers of both directions begin here. */
static inline void
pair_begin_at(struct pair *p, uint32_t seq)
{
	for (int i = 0; i < 2; i++) {
		struct udx *u = p->u[i];

		u->snd.una = u->snd.nxt = u->rcv.nxt = u->rcv.read = seq;
		u->snd.win_seq = u->snd.win_ack = seq;
	}
}

static inline void
pair_read(struct pair *p, int side)
{
	struct view v;

	while (udx_read(p->u[side], &v)) {
		buf_append(&p->got[side], v);
		check(p->got[side].failed == ERR_OK);
		if (!p->keep[side])
			udx_credit(p->u[side], v.len, p->now);
	}
	p->ended[side] = udx_read_ended(p->u[side]);
}

static inline void
pair_give(struct pair *p, int to, struct view d)
{
	udx_recv(p->u[to], d, &p->addr[1 - to], p->now);
	pair_read(p, to);
}

static inline void
pair_carry(struct pair *p, int from, struct view d)
{
	struct udx_packet k;
	struct pair_datagram *g;
	int to = 1 - from;

	check(d.len <= UDX_DATAGRAM_MAX);
	p->sent[from]++;
	check(udx_packet_parse(&k, d));
	if (p->drop != NULL && p->drop(p, from, &k, d.len))
		return;
	check(p->n[to] < PAIR_LINE);
	g = &p->line[to][(p->first[to] + p->n[to]++) % PAIR_LINE];
	memcpy(g->bytes, d.ptr, d.len);
	g->len = d.len;
	g->at = p->now + p->delay;
}

/* Everything that side wants to send now. */
static inline size_t
pair_poll(struct pair *p, int side)
{
	static uint8_t train[UDX_TRAIN_MAX];
	struct udx_out out;
	size_t n = 0;

	while (udx_poll(p->u[side], p->now, train, sizeof(train), &out)) {
		check(out.segment > 0 && out.segment <= UDX_DATAGRAM_MAX);
		for (size_t at = 0; at < out.len; at += out.segment, n++)
			pair_carry(p, side,
			    view_sub(view_of(train, out.len), at, out.segment));
		check(++p->polls < 10000000);
	}
	return n;
}

/* When the first datagram to a side arrives. */
static inline uint64_t
pair_arrival(const struct pair *p, int to)
{
	return p->n[to] > 0 ? p->line[to][p->first[to]].at : UDX_NEVER;
}

static inline uint64_t
pair_next(const struct pair *p)
{
	uint64_t at = UDX_NEVER;

	for (int i = 0; i < 2; i++) {
		uint64_t d = udx_deadline(p->u[i]);

		at = d < at ? d : at;
		at = pair_arrival(p, i) < at ? pair_arrival(p, i) : at;
	}
	return at;
}

static inline void
pair_arrive(struct pair *p, int to)
{
	while (pair_arrival(p, to) <= p->now) {
		struct pair_datagram *g = &p->line[to][p->first[to]];

		p->first[to] = (p->first[to] + 1) % PAIR_LINE;
		p->n[to]--;
		pair_give(p, to, view_of(g->bytes, g->len));
	}
	udx_batch_end(p->u[to], p->now);
}

/* What is on the way is lost. */
static inline void
pair_forget(struct pair *p)
{
	p->n[0] = p->n[1] = 0;
}

/* Polls both sides and goes on to the next thing that happens; false: there
 * is none before `until`. */
static inline bool
pair_step(struct pair *p, uint64_t until)
{
	uint64_t at;

	pair_poll(p, 0);
	pair_poll(p, 1);
	at = pair_next(p);
	if (at > until) {
		p->now = until;
		return false;
	}
	check(at > p->now || pair_arrival(p, 0) <= p->now ||
	      pair_arrival(p, 1) <= p->now);
	p->now = at > p->now ? at : p->now;
	pair_arrive(p, 0);
	pair_arrive(p, 1);
	return true;
}

static inline void
pair_run(struct pair *p, uint64_t us)
{
	uint64_t until = p->now + us;

	while (pair_step(p, until))
		;
}

/* n bytes that tell their place. */
static inline void
pair_write(struct pair *p, int side, size_t n)
{
	uint8_t *data = malloc(n > 0 ? n : 1);
	struct err e = ERR_INIT;

	check(data != NULL);
	for (size_t i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + (size_t)side);
	check_ok(udx_write(p->u[side], data, 0, n, &e), &e);
}

static inline bool
pair_is(const struct pair *p, int reader, size_t n)
{
	if (p->got[reader].len != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (p->got[reader].data[i] !=
		    (uint8_t)(i * 31 + (i >> 8) * 7 + (size_t)(1 - reader)))
			return false;
	return true;
}

/* A packet that the other side did not send: `body` is payload or ranges. */
static inline void
pair_forge(struct pair *p, int to, struct udx_packet k, struct view body)
{
	uint8_t d[UDX_RECEIVE_MAX] = {0};

	k.remote_id = to == 0 ? PAIR_ID_A : PAIR_ID_B;
	check(body.len + UDX_HEADER + k.padding <= sizeof(d));
	udx_packet_header(d, &k);
	if (body.len > 0)
		memcpy(d + UDX_HEADER + k.padding, body.ptr, body.len);
	pair_give(p, to, view_of(d, UDX_HEADER + k.padding + body.len));
}

/* What side sends next, which must be one datagram; its packet. */
static inline struct udx_packet
pair_one(struct pair *p, int side, uint8_t *buf)
{
	struct udx_packet k = {0};
	struct udx_out out;

	check(udx_poll(p->u[side], p->now, buf, UDX_TRAIN_MAX, &out));
	check(out.len <= out.segment);
	check(udx_packet_parse(&k, view_of(buf, out.len)));
	return k;
}

static inline bool
pair_silent(struct pair *p, int side)
{
	static uint8_t buf[UDX_TRAIN_MAX];
	struct udx_out out;

	return !udx_poll(p->u[side], p->now, buf, sizeof(buf), &out);
}

static inline struct udx_stats
pair_stats(const struct pair *p, int side)
{
	struct udx_stats s;

	udx_stats(p->u[side], &s);
	return s;
}

#endif
