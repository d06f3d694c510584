/* Lies of the transport (network.md 1). */
#include <string.h>

#include "net/udx/udx_packet.h"
#include "wire.h"

/* -- what goes out anyway, changed ---------------------------------------- */

static bool
has_payload(const uint8_t *p, size_t n)
{
	return n > UDX_HEADER && (p[2] & UDX_DATA) != 0;
}

static bool
tap_flip(struct wire *w, uint8_t *p, size_t n)
{
	/* after the header of the cipher, so that there is a peer */
	if (has_payload(p, n) && w->told)
		p[n - 1] ^= 0x20;
	return true;
}

static bool
tap_twice(struct wire *w, uint8_t *p, size_t n)
{
	wire_datagram(w, view_of(p, n));
	return true;
}

static bool
tap_short(struct wire *w, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && i < UDX_HEADER + 4; i++)
		wire_datagram(w, view_of(p, i));
	return true;
}

/* Acknowledges what was never sent. */
static bool
tap_ack(struct wire *w, uint8_t *p, size_t n)
{
	uint8_t d[2048];

	if (n > sizeof(d))
		return true;
	memcpy(d, p, n);
	d[17] = (uint8_t)(d[17] + 0x40);
	wire_datagram(w, view_of(d, n));
	return true;
}

/* Closed once it has said hello: until then it has to hear. */
static bool
tap_window(struct wire *w, uint8_t *p, size_t n)
{
	if (n >= UDX_HEADER && (w->lie->kind != 0 || w->liar.channel != 0))
		memset(p + 8, w->lie->kind == 0 ? 0 : 0xff, 4);
	return true;
}

static bool
tap_silent(struct wire *w, uint8_t *p, size_t n)
{
	(void)p;
	(void)n;
	return !w->told;
}

/* -- packets of its own --------------------------------------------------- */

static void
flood_ahead(struct wire *w)
{
	uint8_t bytes[1400];

	memset(bytes, 1, sizeof(bytes));
	for (uint32_t i = 0; i < 20000; i++) {
		/* never the next one */
		wire_packet(w, UDX_DATA,
		    w->lie->kind == 0 ? 1000 + i : i * 200003 + 1000, 0,
		    4u << 20, view_of(bytes, sizeof(bytes)));
		if (i % 64 == 0)
			wire_turn(w, 0);
	}
}

static void
sack_nonsense(struct wire *w)
{
	uint8_t ranges[8 * 50];
	uint32_t seed = 1;

	for (unsigned round = 0; round < 2000; round++) {
		for (size_t i = 0; i < sizeof(ranges); i++) {
			seed = seed * 1664525 + 1013904223;
			ranges[i] = (uint8_t)(seed >> (round % 2 ? 24 : 30));
		}
		wire_packet(w, UDX_SACK, 1, round % 3, 4u << 20,
		    view_of(ranges, sizeof(ranges) - round % 9));
		if (round % 64 == 0)
			wire_turn(w, 0);
	}
}

static void
flood_type(struct wire *w)
{
	uint8_t bytes[1000];

	memset(bytes, 7, sizeof(bytes));
	for (unsigned i = 0; i < 20000; i++) {
		wire_packet(w, (uint8_t)w->lie->kind, 1, 1, 4u << 20,
		    view_of(bytes,
			w->lie->kind == UDX_MESSAGE ? sizeof(bytes) : 0));
		if (i % 64 == 0)
			wire_turn(w, 0);
	}
}

static void
every_type(struct wire *w)
{
	uint8_t bytes[100];

	memset(bytes, 0xa5, sizeof(bytes));
	for (unsigned type = 0; type < 256; type++) {
		/* but no END and no DESTROY: they are lies of their own */
		if ((type & (UDX_END | UDX_DESTROY)) != 0)
			continue;
		wire_packet(w, (uint8_t)type, 0x7fffffff, 0x7fffffff, 0,
		    view_of(bytes, type % sizeof(bytes)));
	}
}

static void
huge_datagrams(struct wire *w)
{
	static uint8_t d[60000];
	struct udx_packet p = {
	    .type = UDX_DATA, .remote_id = w->remote_id, .seq = 5000};

	memset(d, 3, sizeof(d));
	udx_packet_header(d, &p);
	for (size_t n = 1473; n < sizeof(d); n += 500)
		wire_datagram(w, view_of(d, n));
}

static void
other_streams(struct wire *w)
{
	uint32_t id = w->remote_id;
	uint8_t bytes[500];

	memset(bytes, 9, sizeof(bytes));
	for (uint32_t i = 1; i <= 20000; i++) {
		w->remote_id = id + i;
		wire_packet(w, i % 2 == 0 ? UDX_DESTROY : UDX_DATA, 1, 1, 0,
		    view_of(bytes, sizeof(bytes)));
		if (i % 64 == 0)
			wire_turn(w, 0);
	}
	w->remote_id = id;
}

static void
end_and_more(struct wire *w)
{
	uint8_t bytes[100];

	memset(bytes, 1, sizeof(bytes));
	wire_run(w, 20);
	wire_packet(w, UDX_END, 2, 1, 4u << 20, VIEW_EMPTY);
	for (uint32_t i = 3; i < 100; i++)
		wire_packet(
		    w, UDX_DATA, i, 1, 4u << 20, view_of(bytes, sizeof(bytes)));
}

/* Many at once, each with as much as a receiver may have to keep. */
static void
crowd_ahead(struct wire *w)
{
	static struct wire space; /* large */
	struct wire *other = &space;
	struct err e = ERR_INIT;
	uint8_t bytes[1400];

	memset(bytes, 1, sizeof(bytes));
	for (unsigned i = 0; i < 40; i++) {
		if (wire_init(other, 8, 200000 + i, &e) != ERR_OK)
			return;
		wire_to(other, &w->to, &w->remote);
		other->truth = w->truth;
		if (wire_handshake(other, &e) != ERR_OK)
			return;
		for (int k = 0; k < 100 && !other->connected; k++)
			wire_turn(other, 5);
		for (uint32_t k = 2; other->connected && k < 2900; k++) {
			wire_packet(other, UDX_DATA, k, 0, 4u << 20,
			    view_of(bytes, sizeof(bytes)));
			if (k % 16 == 0)
				wire_turn(other, 1);
		}
		wire_deinit(other); /* without a word */
	}
}

/* What cannot be answered still has to be, to one who does not read. */
static void
ask_in_vain(struct liar *l)
{
	struct buf *b;

	for (unsigned i = 0; i < 400; i++) {
		b = liar_frame(l);
		enc_uint(b, 0);
		enc_uint(b, 0);
		enc_uint(b, 1);
		for (unsigned k = 0; k < 20000; k++) {
			/* request, flags, id, fork, block, levels */
			buf_append(b, view_str("\x06\x01\x01\x7f\x09\x01"));
			buf_byte(b, 0);
		}
		liar_send(l);
	}
}

static const struct lie ask_vainly = {.name = "asks for another fork",
    .victim = TO_SEEDER,
    .opened = ask_in_vain};

/* Asks for everything and then takes nothing. */
static void
ask_all(struct liar *l)
{
	struct core_request q = {.has_block = true};

	for (unsigned i = 0; i < 500; i++) {
		q.block_index = i % core_head(l->core)->length;
		liar_request(l, i + 1, &q);
	}
}

static const struct lie ask_everything = {
    .name = "asks for everything", .victim = TO_SEEDER, .opened = ask_all};

#define PACKET(text, what, why, how, i) \
	{ \
		.name = "packet: " text, .end = what, .reason = why, \
		.open = how, .kind = i \
	}
#define TAP(text, what, why, how, i) \
	{ \
		.name = "packet: " text, .end = what, .reason = why, \
		.tap = how, .kind = i \
	}

const struct wire_lie lies_packet[] = {
    TAP("a bit wrong in all data", LIE_DROPPED, "", tap_flip, 0),
    TAP("all sent twice", LIE_IGNORED, NULL, tap_twice, 0),
    TAP("all sent in parts as well", LIE_IGNORED, NULL, tap_short, 0),
    TAP("acknowledges what was not sent", LIE_IGNORED, NULL, tap_ack, 0),
    {.name = "packet: window of 0, and 500 requests",
	.end = LIE_IGNORED,
	.tap = tap_window,
	.says = &ask_everything},
    {.name = "packet: window of 0, and 8 million requests",
	.end = LIE_ANY,
	.tap = tap_window,
	.says = &ask_vainly},
    PACKET("40 streams full of gaps", LIE_IGNORED, NULL, crowd_ahead, 0),
    TAP("window of 4 GiB", LIE_IGNORED, NULL, tap_window, 1),
    {.name = "packet: silence after 500 requests",
	.end = LIE_DROPPED,
	.reason = "",
	.tap = tap_silent,
	.says = &ask_everything,
	.when = LATE},
    PACKET("20,000 ahead of the next", LIE_IGNORED, NULL, flood_ahead, 0),
    PACKET("20,000 far ahead of the next", LIE_IGNORED, NULL, flood_ahead, 1),
    PACKET("2,000 nonsense ranges", LIE_IGNORED, NULL, sack_nonsense, 0),
    PACKET("20,000 heartbeats", LIE_IGNORED, NULL, flood_type, UDX_HEARTBEAT),
    PACKET("20,000 messages", LIE_IGNORED, NULL, flood_type, UDX_MESSAGE),
    PACKET("20,000 bare acknowledgements", LIE_IGNORED, NULL, flood_type, 0),
    PACKET("every type of packet", LIE_IGNORED, NULL, every_type, 0),
    PACKET("larger than any is", LIE_IGNORED, NULL, huge_datagrams, 0),
    PACKET("20,000 for other streams", LIE_IGNORED, NULL, other_streams, 0),
    PACKET("data behind the end", LIE_DROPPED, "", end_and_more, 0),
    {.name = NULL},
};
