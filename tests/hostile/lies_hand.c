/* Lies of the handshake (network.md 3.3, 3.4, 3.6). */
#include <string.h>

#include "base/bug.h"
#include "crypto/secret.h"
#include "wire.h"

/* The first message of a true handshake. */
static struct view
first(struct wire *w)
{
	struct view packet;
	struct err e = ERR_INIT;

	if (wire_handshake(w, &e) != ERR_OK ||
	    !dht_dial_poll(w->dial, wire_now(), &packet))
		bug("no first packet");
	return packet;
}

static void
say_noise(struct wire *w)
{
	uint8_t d[1400];
	uint16_t n;

	for (unsigned i = 0; i < 3000; i++) {
		secret_random(d, sizeof(d));
		secret_random(&n, sizeof(n));
		/* request, answer, one byte, stream, anything */
		d[0] = (uint8_t[]){0x03, 0x13, 0x00, 0xff, d[0]}[i % 5];
		wire_datagram(w, view_of(d, n % sizeof(d)));
		if (i % 100 == 0)
			wire_turn(w, 1);
	}
}

static void
cut_short(struct wire *w)
{
	struct view p = first(w);

	for (size_t n = 0; n < p.len; n++)
		wire_datagram(w, view_sub(p, 0, n));
}

static void
flip_bits(struct wire *w)
{
	struct view p = first(w);
	uint8_t d[DHT_PACKET_MAX];

	for (size_t i = 0; i < p.len; i++) {
		memcpy(d, p.ptr, p.len);
		d[i] ^= (uint8_t)(1u << (i % 8));
		wire_datagram(w, view_of(d, p.len));
		if (i % 50 == 0)
			wire_turn(w, 1);
	}
}

static void
longer(struct wire *w)
{
	struct view p = first(w);
	uint8_t d[9000];

	memset(d, 0, sizeof(d));
	memcpy(d, p.ptr, p.len);
	for (size_t n = p.len + 1; n <= sizeof(d); n += 97)
		wire_datagram(w, view_of(d, n));
}

static void
other_server(struct wire *w)
{
	w->remote = w->pair.pub; /* a key that is somebody's */
	wire_datagram(w, first(w));
}

static void
replay(struct wire *w)
{
	struct view p = first(w);

	for (unsigned i = 0; i < 500; i++) {
		wire_datagram(w, p);
		if (i % 50 == 0)
			wire_turn(w, 1);
	}
}

/* As many as it takes, each of somebody else; nobody goes on. */
static void
flood(struct wire *w)
{
	static struct wire space; /* large */
	struct wire *other = &space;
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < 600; i++) {
		if (wire_init(other, 3 + i % 4, 100000 + i, &e) != ERR_OK)
			bug("no socket");
		wire_to(other, &w->to, &w->remote);
		wire_datagram(other, first(other));
		wire_deinit(other);
	}
}

/* Half a handshake: the answer comes, and is not heard. */
static void
half_open(struct wire *w)
{
	wire_datagram(w, first(w));
	dht_dial_free(w->dial);
	w->dial = NULL;
}

static bool
hold_back(struct wire *w, uint8_t *p, size_t n)
{
	(void)w;
	(void)p;
	(void)n;
	return false;
}

/* -- resets --------------------------------------------------------------- */

static void
reset_first(struct wire *w)
{
	wire_destroy(w);
}

static void
reset_after_header(struct wire *w)
{
	struct buf b;

	wire_header(w, &b);
	wire_bytes(w, buf_view(&b));
	buf_deinit(&b);
	wire_destroy(w);
}

static void
reset_mid_header(struct wire *w)
{
	struct buf b;

	wire_header(w, &b);
	wire_bytes(w, view_sub(buf_view(&b), 0, 20));
	buf_deinit(&b);
	wire_run(w, 50);
	wire_destroy(w);
}

static void
reset_open(struct wire *w)
{
	wire_destroy(w);
}

static void
end_open(struct wire *w)
{
	udx_end(w->udx);
}

static void
end_first(struct wire *w)
{
	udx_end(w->udx);
}

static void
no_header(struct wire *w)
{
	(void)w;
}

#define HAND(text, what, why, how) \
	{ \
		.name = "handshake: " text, .end = what, .reason = why, \
		.dial = how \
	}

const struct wire_lie lies_hand[] = {
    HAND("3,000 datagrams of noise", LIE_IGNORED, NULL, say_noise),
    HAND("cut at each length", LIE_IGNORED, NULL, cut_short),
    HAND("each byte wrong", LIE_ANY, NULL, flip_bits),
    HAND("longer than it is", LIE_ANY, NULL, longer),
    HAND("for another server", LIE_IGNORED, NULL, other_server),
    {.name = "handshake: the same 500 times",
	.end = LIE_DROPPED,
	.reason = "time",
	.dial = replay,
	.when = LATE,
	.tap = hold_back},
    {.name = "handshake: half open",
	.end = LIE_DROPPED,
	.reason = "time",
	.dial = half_open,
	.when = LATE},
    {.name = "handshake: the header never comes",
	.end = LIE_DROPPED,
	.reason = "time",
	.stream = no_header,
	.when = LATE},
    {.name = "reset: before the header",
	.end = LIE_DROPPED,
	.reason = "reset",
	.stream = reset_first},
    {.name = "reset: inside the header",
	.end = LIE_DROPPED,
	.reason = "reset",
	.stream = reset_mid_header},
    {.name = "reset: after the header",
	.end = LIE_DROPPED,
	.reason = "reset",
	.stream = reset_after_header},
    {.name = "reset: when it is open",
	.end = LIE_DROPPED,
	.reason = "reset",
	.open = reset_open},
    {.name = "end: before the header",
	.end = LIE_DROPPED,
	.reason = "",
	.stream = end_first},
    {.name = "end: when it is open",
	.end = LIE_DROPPED,
	.reason = "",
	.open = end_open,
	.no_client = true},
    HAND("600 from four hosts, none goes on", LIE_ANY, NULL, flood),
    {.name = NULL},
};
