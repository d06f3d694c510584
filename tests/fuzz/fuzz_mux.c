/*
 * Channels. First byte even: frames of a stranger, each with a length of two
 * bytes, against an owner who takes some opens; tables stay bounded, what is
 * told lies in the frame, and errors have a reason. Odd: two honest sides and
 * a script; neither ever sees an error, and what one channel sends arrives at
 * one other, complete and in order, until one of the two is closed.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/dec.h"
#include "codec/enc.h"
#include "net/mux/mux.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHANNELS 32
#define STRANGERS 20 /* channels that one may open */

/* -- a stranger ----------------------------------------------------------- */

static void
drain(struct mux *m)
{
	uint8_t *data;
	size_t len;

	while (mux_take(m, &data, &len)) {
		check(len > 0);
		free(data);
	}
	check(mux_waiting(m) == 0);
}

static void
inside(struct view v, struct view frame)
{
	check(v.len == 0 ||
	      (v.ptr >= frame.ptr && v.ptr + v.len <= frame.ptr + frame.len));
}

struct owner {
	struct mux *m;
	size_t open;
	uint8_t mood; /* what it takes, rejects, closes */
	uint32_t seen;
};

static void
on_event(struct owner *o, const struct mux_event *ev, struct view frame)
{
	struct err e = ERR_INIT;
	struct mux_channel *ch;

	o->seen++;
	switch (ev->kind) {
	case MUX_OFFERED:
		check(ev->protocol.len <= MUX_PROTOCOL_MAX);
		check(ev->id.len <= MUX_ID_MAX);
		inside(ev->handshake, frame);
		if ((o->mood + o->seen) % 3 == 0)
			return;
		if (mux_open(o->m, ev->protocol, ev->id, VIEW_EMPTY, o, &ch,
			&e) != ERR_OK)
			check(e.code == ERR_LIMIT);
		else
			o->open++;
		break;
	case MUX_OPENED:
		check(ev->user == o && mux_is_open(ev->ch));
		if ((o->mood & 8) != 0) {
			mux_close(o->m, ev->ch);
			o->open--;
		}
		break;
	case MUX_MESSAGE:
		check(ev->user == o);
		inside(ev->body, frame);
		buf_append(mux_begin(ev->ch, ev->type, ev->body.len), ev->body);
		check_ok(mux_end(o->m, &e), &e);
		break;
	case MUX_REJECTED:
	case MUX_CLOSED:
		check(ev->user == o);
		o->open--;
		break;
	}
	check(o->open <= STRANGERS);
}

/* Looking at a frame before; how much is told depends on nothing else. */
static size_t
look(const struct owner *o, struct view frame)
{
	struct mux_scan s;
	struct mux_event ev;
	size_t n = 0;

	mux_scan_init(&s, frame);
	for (; mux_scan_next(&s, o->m, &ev); n++) {
		check(ev.kind == MUX_MESSAGE && ev.user == o);
		check(mux_is_open(ev.ch));
		inside(ev.body, frame);
	}
	return n;
}

static void
stranger(struct dec *d)
{
	const struct mux_limits l = {.channels = STRANGERS};
	struct owner o = {.mood = dec_u8(d)};
	struct err e = ERR_INIT;
	enum err_code rc = ERR_OK;
	struct mux_channel *ch;
	struct mux_event ev;
	struct view frame;

	check_ok(mux_new(&o.m, &l, &e), &e);
	for (uint8_t i = 0; i < (o.mood >> 4); i++, o.open++)
		check_ok(mux_open(o.m, view_str("p"), view_of("12", i % 3),
			     VIEW_EMPTY, &o, &ch, &e),
		    &e);
	while (rc == ERR_OK && dec_ok(d) && dec_left(d) > 2) {
		size_t n = dec_u16le(d);

		frame = dec_fixed(d, n < dec_left(d) ? n : dec_left(d));
		check(look(&o, frame) == look(&o, frame));
		if ((rc = mux_recv(o.m, frame, &e)) == ERR_OK) {
			while (mux_next(o.m, &ev, &e))
				on_event(&o, &ev, frame);
			rc = e.code;
		}
		if (rc == ERR_OK && (o.mood & 4) != 0)
			drain(o.m);
	}
	check(rc == ERR_OK || rc == ERR_FORMAT || rc == ERR_LIMIT);
	check(rc == ERR_OK || e.msg[0] != '\0');
	drain(o.m);
	mux_free(o.m);
}

/* -- two honest sides ----------------------------------------------------- */

/* A channel of one side; body of a message: its serial and its count. */
struct end {
	struct mux_channel *ch; /* NULL: free */
	uint32_t serial, sent, partner, got;
};

struct side {
	struct mux *m;
	struct end end[CHANNELS];
	uint32_t serial;
	uint8_t mood;
	uint8_t *frame[64]; /* on the line, oldest first */
	size_t len[64], n;
};

static void
open_one(struct side *s, struct view protocol, struct view id)
{
	struct err e = ERR_INIT;
	struct end *x = s->end;

	while (x < s->end + CHANNELS && x->ch != NULL)
		x++;
	if (x == s->end + CHANNELS)
		return;
	*x = (struct end){.serial = ++s->serial};
	check_ok(
	    mux_open(s->m, protocol, id, view_str("hs"), x, &x->ch, &e), &e);
}

static void
send_one(struct side *s, struct end *x, uint8_t size, bool hint)
{
	size_t len = size < 200 ? size : (size_t)(size - 199) * 700;
	struct err e = ERR_INIT;
	struct buf *b;

	if (x->ch == NULL)
		return;
	b = mux_begin(x->ch, size, hint ? len + 8 : 0);
	enc_u32le(b, x->serial);
	enc_u32le(b, x->sent);
	buf_fill(b, size, len);
	if (size % 7 == 3) {
		mux_cancel(s->m);
		return;
	}
	check_ok(mux_end(s->m, &e), &e);
	x->sent++;
}

static void
got_message(const struct mux_event *ev)
{
	struct end *x = ev->user;
	uint32_t serial, count;
	struct dec d;

	check(x->ch == ev->ch);
	dec_init(&d, ev->body);
	serial = dec_u32le(&d);
	count = dec_u32le(&d);
	check(dec_ok(&d) && count == x->got);
	check(count == 0 || serial == x->partner);
	check(dec_left(&d) == 0 || dec_u8(&d) == ev->type);
	x->partner = serial;
	x->got++;
}

static void
deliver(struct side *from, struct side *to)
{
	struct err e = ERR_INIT;
	struct mux_event ev;
	struct end *x;

	if (from->n == 0)
		return;
	check_ok(
	    mux_recv(to->m,
		view_of(from->frame[0] + MUX_FRAME_HEAD, from->len[0]), &e),
	    &e);
	while (mux_next(to->m, &ev, &e)) {
		x = ev.user;
		switch (ev.kind) {
		case MUX_OFFERED:
			check_same(ev.handshake, view_str("hs"));
			if (to->mood-- % 4 != 0)
				open_one(to, ev.protocol, ev.id);
			break;
		case MUX_OPENED:
			check(mux_is_open(x->ch) && x->ch == ev.ch);
			break;
		case MUX_MESSAGE:
			got_message(&ev);
			break;
		case MUX_REJECTED:
		case MUX_CLOSED:
			check(x->ch == ev.ch);
			x->ch = NULL;
			break;
		}
	}
	if (e.code != ERR_OK)
		vec_fail_err(__FILE__, __LINE__, "an honest peer", &e);
	free(from->frame[0]);
	from->n--;
	memmove(from->frame, from->frame + 1, from->n * sizeof(uint8_t *));
	memmove(from->len, from->len + 1, from->n * sizeof(size_t));
}

static void
transmit(struct side *s)
{
	while (s->n < 64 && mux_take(s->m, &s->frame[s->n], &s->len[s->n]))
		s->n++;
}

static void
command(struct side *s, struct side *other, struct dec *d)
{
	static const char *const ids[] = {"", "a", "b"};
	uint8_t c = dec_u8(d), arg = dec_u8(d);
	struct end *x = &s->end[arg % CHANNELS];

	switch (c % 6) {
	case 0:
		open_one(s, view_str("p"), view_str(ids[arg % 3]));
		break;
	case 1:
	case 2:
		send_one(s, x, dec_u8(d), c % 6 == 1);
		break;
	case 3:
		if (x->ch != NULL)
			mux_close(s->m, x->ch);
		x->ch = NULL;
		break;
	case 4:
		transmit(s);
		break;
	default:
		deliver(other, s);
		break;
	}
}

static void
honest(struct dec *d)
{
	static struct side s[2];
	const struct mux_limits l = {.batch = 1000};
	struct err e = ERR_INIT;

	memset(s, 0, sizeof(s));
	for (size_t i = 0; i < 2; i++) {
		check_ok(
		    mux_new(&s[i].m, i == 0 ? &l : &(struct mux_limits){0}, &e),
		    &e);
		s[i].mood = dec_u8(d);
	}
	while (dec_ok(d) && dec_left(d) > 2) {
		size_t who = dec_u8(d) & 1;

		command(&s[who], &s[1 - who], d);
	}
	for (size_t quiet = 0; quiet < 2;) {
		size_t before = s[0].n + s[1].n;

		transmit(&s[0]);
		transmit(&s[1]);
		quiet = before + s[0].n + s[1].n == 0 ? quiet + 1 : 0;
		deliver(&s[0], &s[1]);
		deliver(&s[1], &s[0]);
	}
	for (size_t i = 0; i < 2; i++)
		mux_free(s[i].m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dec d;
	uint8_t what;

	dec_init(&d, view_of(data, size));
	what = dec_u8(&d);
	if (what % 2 == 0)
		stranger(&d);
	else
		honest(&d);
	return 0;
}
