/*
 * Two streams, and a script of what happens between them: writes, ends,
 * datagrams that arrive in any order, twice or never, time that passes, and
 * packets that nobody sent. Each reader gets the exact bytes or an error;
 * nothing is polled without end, no deadline lies in the past, and what is
 * buffered stays within the window.
 *
 * A forged packet with data is indistinguishable from a true one: from then
 * on the bytes of that direction are not compared.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/dec.h"
#include "net/udx/impl.h"
#include "vec.h"

#define LINE 128
#define OPS_MAX 400
#define POLLS_MAX 400
#define WINDOW 40000
#define IDS 7 /* of side 0; side 1 has one more */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct datagram {
	uint8_t bytes[UDX_DATAGRAM_MAX];
	size_t len;
	int to;
};

struct game {
	struct udx *u[2];
	struct addr addr[2];
	uint64_t now, written[2], read[2], kept[2];
	bool forged[2], ended[2];
	struct datagram line[LINE];
	size_t n;
};

static uint8_t
byte_at(int side, uint64_t offset)
{
	return (uint8_t)(offset * 167 + (offset >> 8) * 13 + (size_t)side);
}

static void
read_all(struct game *g, int side)
{
	struct udx *u = g->u[side];
	struct view v;

	while (udx_read(u, &v)) {
		for (size_t i = 0; i < v.len && !g->forged[side]; i++)
			check(v.ptr[i] == byte_at(1 - side, g->read[side] + i));
		g->read[side] += v.len;
		g->kept[side] += v.len;
	}
	while (udx_read_message(u, &v))
		check(v.len <= UDX_RECEIVE_MAX);
	check(g->forged[side] || g->read[side] <= g->written[1 - side]);
	check(u->rcv.held + u->rcv.ready + u->rcv.uncredited <=
	      2 * (WINDOW + UDX_RECEIVE_MAX));
	if (udx_reason(u) == UDX_FINISHED && !g->forged[side])
		check(g->read[side] == g->written[1 - side]);
}

static void
give(struct game *g, int to, struct view d)
{
	udx_recv(g->u[to], d, &g->addr[1 - to], g->now);
	read_all(g, to);
}

static void
poll_side(struct game *g, int side)
{
	static uint8_t train[UDX_TRAIN_MAX];
	struct udx_out out;
	size_t polls = 0;

	udx_batch_end(g->u[side], g->now);
	while (udx_poll(g->u[side], g->now, train, sizeof(train), &out)) {
		check(++polls < POLLS_MAX);
		check(out.segment <= UDX_DATAGRAM_MAX);
		for (size_t at = 0; at < out.len && g->n < LINE;
		     at += out.segment) {
			struct datagram *d = &g->line[g->n++];
			struct view v =
			    view_sub(view_of(train, out.len), at, out.segment);

			memcpy(d->bytes, v.ptr, v.len);
			d->len = v.len;
			d->to = 1 - side;
		}
	}
	check(udx_deadline(g->u[side]) > g->now);
}

static void
write_side(struct game *g, int side, size_t n)
{
	uint8_t *data = malloc(n > 0 ? n : 1);
	struct err e = ERR_INIT;

	check(data != NULL);
	for (size_t i = 0; i < n; i++)
		data[i] = byte_at(side, g->written[side] + i);
	if (udx_write(g->u[side], data, 0, n, &e) == ERR_OK)
		g->written[side] += n;
}

static void
line_op(struct game *g, uint8_t op, size_t i)
{
	struct datagram d;

	if (g->n == 0)
		return;
	i %= g->n;
	d = g->line[i];
	if (op != 3) /* 3: it comes again later */
		g->line[i] = g->line[--g->n];
	if (op != 2) /* 2: it is lost */
		give(g, d.to, view_of(d.bytes, d.len));
}

/* -128 to 127 */
static uint32_t
near(struct dec *d)
{
	uint32_t n = dec_u8(d);

	return n < 128 ? n : n - 256;
}

/* A packet of any content for a stream that exists. */
static void
forge(struct game *g, int to, struct dec *d)
{
	uint8_t bytes[UDX_HEADER + 255] = {0};
	struct udx_packet p = {.remote_id = (uint32_t)(IDS + to)};
	const struct udx *u = g->u[to];
	struct view rest;

	p.type = dec_u8(d);
	p.padding = dec_u8(d);
	p.window = dec_u32le(d);
	p.seq = u->rcv.nxt + near(d);
	p.ack = u->snd.una + near(d);
	rest = dec_fixed(d, dec_left(d) < 40 ? dec_left(d) : 40);
	udx_packet_header(bytes, &p);
	if (rest.len > 0)
		memcpy(bytes + UDX_HEADER, rest.ptr, rest.len);
	/* ranges are of this stream, too */
	for (size_t i = 0; (p.type & UDX_SACK) != 0 && i + 4 <= rest.len;
	     i += 4)
		bytes[UDX_HEADER + i] = (uint8_t)(u->snd.una + rest.ptr[i]);
	if ((p.type & (UDX_DATA | UDX_END)) != 0)
		g->forged[to] = true;
	give(g, to, view_of(bytes, UDX_HEADER + rest.len));
}

static void
credit(struct game *g, int side, size_t n)
{
	if (udx_reason(g->u[side]) != UDX_LIVE)
		return;
	n = n < g->kept[side] ? n : (size_t)g->kept[side];
	udx_credit(g->u[side], n, g->now);
	g->kept[side] -= n;
}

static void
rare_op(struct game *g, int side, uint8_t arg)
{
	static const uint8_t text[] = "message";
	struct err e = ERR_INIT;

	switch (arg % 5) {
	case 0:
		udx_end(g->u[side]);
		break;
	case 1:
		udx_change_remote(g->u[side], (uint32_t)(IDS + 1 - side),
		    &g->addr[1 - side], g->now);
		break;
	case 2:
		(void)(udx_send_message(g->u[side], view_of(text, sizeof(text)),
			   &e) == ERR_OK);
		break;
	case 3:
		udx_too_big(g->u[side], 600u + arg * 4u);
		break;
	case 4:
		if (arg > 250)
			udx_destroy(g->u[side]);
		break;
	}
}

static void
play(struct game *g, struct dec *d)
{
	uint8_t op = dec_u8(d);
	int side = op >> 7;
	uint64_t arg;

	op &= 7;
	if (op == 6) {
		forge(g, side, d);
		return;
	}
	arg = dec_u16le(d);
	switch (op) {
	case 0:
		write_side(g, side, arg);
		break;
	case 4:
		g->now += arg * 50;
		break;
	case 5:
		credit(g, side, arg);
		break;
	case 7:
		rare_op(g, side, (uint8_t)arg);
		break;
	case 1:
	case 2:
	case 3:
		line_op(g, op, arg);
		break;
	}
}

static void
begin(struct game *g, uint32_t seq)
{
	struct err e = ERR_INIT;

	memset(g, 0, sizeof(*g));
	g->now = 1000000;
	for (int i = 0; i < 2; i++) {
		struct udx_opts o = {.local_id = (uint32_t)(IDS + i),
		    .recv_window = WINDOW,
		    .send_limit = 60000};

		g->addr[i] = (struct addr){.family = 4, .port = 1};
		check_ok(udx_new(&g->u[i], &o, g->now, &e), &e);
		udx_connect(
		    g->u[i], (uint32_t)(IDS + 1 - i), &g->addr[1 - i], g->now);
		g->u[i]->snd.una = g->u[i]->snd.nxt = seq;
		g->u[i]->rcv.nxt = g->u[i]->rcv.read = seq;
		g->u[i]->snd.win_seq = g->u[i]->snd.win_ack = seq;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct game g;
	struct dec d;

	dec_init(&d, view_of(data, size));
	begin(&g, UINT32_MAX - dec_u8(&d));
	for (int i = 0; i < OPS_MAX && dec_left(&d) > 0; i++) {
		play(&g, &d);
		poll_side(&g, 0);
		poll_side(&g, 1);
	}
	udx_free(g.u[0]);
	udx_free(g.u[1]);
	return 0;
}
