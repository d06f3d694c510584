/* Lies about frames and channels (network.md 5.1, 5.2). */
#include <string.h>

#include "liar.h"

static struct buf *
open_as(struct liar *l, uint64_t channel, struct view protocol, struct view id)
{
	struct buf *b = liar_frame(l);

	enc_uint(b, 0);
	enc_uint(b, 1);
	liar_uint(b, channel);
	enc_bytes(b, protocol);
	enc_bytes(b, id);
	return b;
}

/* Frames that are wrong by themselves, as hex. */
static const char *const wrong[] = {
    "fd01",		    /* a channel number that ends early */
    "ffffffffffffffffff00", /* one that is no number */
    "0000",		    /* a batch of nothing */
    "0000fe0100",	    /* a batch whose channel ends early */
    "000000020000",	    /* a batch in a batch */
    "0001",		    /* an open of nothing */
    "00010102616240",	    /* an open whose id ends early */
    "000105026162000000",   /* channel 5 before channel 1 */
    "000100026162000000",   /* channel 0 */
    "0002",		    /* a rejection of nothing */
    "000209",		    /* of a channel that was never opened */
    "0001fdffff02616200",   /* channel 65535 */
};

static void
say_wrong(struct liar *l)
{
	liar_hex(l, wrong[l->lie->kind]);
}

static void
long_names(struct liar *l)
{
	static uint8_t zeros[1 << 20];
	struct view big = view_of(zeros, sizeof(zeros)), small = view_str("x");

	open_as(l, 1, l->lie->kind == 0 ? big : small,
	    l->lie->kind == 1 ? big : small);
	if (l->lie->kind == 2)
		buf_append(&l->frame, big);
	liar_send(l);
}

/* Channels of cores that nobody has, without an end. */
static void
flood_channels(struct liar *l)
{
	struct b32 id;

	memset(&id, 0, sizeof(id));
	for (unsigned i = 0; i < 200000 && !l->dropped; i++) {
		memcpy(id.b, &i, sizeof(i));
		open_as(l, l->lie->kind == 0 ? i + 1 : 1,
		    view_str("hypercore/alpha"), view_b32(&id));
		buf_fill(&l->frame, 1, 33);
		liar_send(l);
	}
}

/* One frame of as many messages as it holds, for a channel that is not. */
static void
flood_batch(struct liar *l)
{
	struct buf *b = liar_frame(l);

	enc_uint(b, 0);
	enc_uint(b, 0);
	enc_uint(b, l->lie->kind);
	while (b->len < (15u << 20))
		buf_append(b, view_str("\x01\x02"));
	liar_send(l);
}

static void
flood_empty(struct liar *l)
{
	for (unsigned i = 0; i < 100000; i++) {
		liar_frame(l);
		liar_send(l);
	}
}

static void
unopened_channel(struct liar *l)
{
	struct buf *b = liar_frame(l);

	enc_uint(b, 77);
	enc_uint(b, MESSAGE_REQUEST);
	buf_fill(b, 1, 100);
	liar_send(l);
}

static void
open_twice(struct liar *l)
{
	liar_open(l);
	liar_open(l);
}

static void
open_close_loop(struct liar *l)
{
	for (unsigned i = 0; i < 20000 && !l->dropped; i++) {
		liar_open(l);
		liar_hex(l, "000301");
	}
}

static void
close_unknown(struct liar *l)
{
	for (unsigned i = 0; i < 1000; i++)
		liar_hex(l, "00037f");
}

static void
newer_control(struct liar *l)
{
	liar_hex(l, "00630102030405");
}

static void
other_protocol(struct liar *l)
{
	open_as(l, 1, view_str("hyperswarm/unheard-of"), view_str("id"));
	liar_send(l);
}

/* Who knows a discovery key need not know the key. */
static void
wrong_capability(struct liar *l)
{
	struct b32 c;

	liar_capability(l, &c);
	switch (l->lie->kind) {
	case 0:
		c.b[31] ^= 1;
		break;
	case 1: /* what the other side would say */
		l->initiator = !l->initiator;
		liar_capability(l, &c);
		break;
	default: /* of another connection */
		l->hash[0] ^= 1;
		liar_capability(l, &c);
		break;
	}
	open_as(l, 1, view_str("hypercore/alpha"), view_b32(&l->dkey));
	enc_uint(&l->frame, 1);
	enc_b32(&l->frame, &c);
	liar_send(l);
}

static void
no_capability(struct liar *l)
{
	open_as(l, 1, view_str("hypercore/alpha"), view_b32(&l->dkey));
	if (l->lie->kind == 1)
		buf_fill(&l->frame, 1, 20);
	liar_send(l);
}

/* An open that is never followed by anything. */
static void
say_nothing(struct liar *l)
{
	(void)l;
}

#define WRONG(i, text, why) \
	{ \
		.name = text, .victim = TO_SEEDER, .end = LIE_DROPPED, \
		.reason = why, .begin = say_wrong, .kind = i \
	}
#define HARMLESS(i, text) \
	{ \
		.name = text, .victim = TO_SEEDER, .end = LIE_IGNORED, \
		.begin = say_wrong, .kind = i \
	}
#define LIE(text, what, why, how, i) \
	{ \
		.name = text, .victim = TO_SEEDER, .end = what, .reason = why, \
		.begin = how, .kind = i \
	}

const struct lie lies_frame[] = {
    WRONG(0, "frame: channel number cut short", "frame"),
    WRONG(1, "frame: channel number above 2^53", "frame"),
    WRONG(2, "frame: batch of nothing", "frame"),
    WRONG(3, "frame: batch channel cut short", "frame"),
    WRONG(4, "frame: batch in a batch", "a batch in a batch"),
    WRONG(5, "frame: open of nothing", "frame"),
    WRONG(6, "frame: id cut short", "frame"),
    WRONG(7, "frame: channel 5 before channel 1", "channel number"),
    WRONG(8, "frame: channel 0 opened", "channel number"),
    WRONG(9, "frame: rejection of nothing", "frame"),
    WRONG(10, "frame: rejection of no channel", "rejection of no"),
    WRONG(11, "frame: channel 65535 first", "channel number"),
    LIE("frame: protocol name of 1 MiB", LIE_IGNORED, NULL, long_names, 0),
    LIE("frame: id of 1 MiB", LIE_IGNORED, NULL, long_names, 1),
    LIE("frame: handshake of 1 MiB", LIE_IGNORED, NULL, long_names, 2),
    LIE("flood: 200,000 channels", LIE_ANY, NULL, flood_channels, 0),
    LIE("flood: one channel opened 200,000 times", LIE_ANY, NULL,
	flood_channels, 1),
    LIE("flood: 15 MiB batch for no channel", LIE_ANY, NULL, flood_batch, 9),
    LIE("flood: 15 MiB batch of control", LIE_DROPPED, "frame", flood_batch, 0),
    LIE("flood: empty frames", LIE_IGNORED, NULL, flood_empty, 0),
    LIE("channel: never opened", LIE_IGNORED, NULL, unopened_channel, 0),
    LIE("channel: opened twice", LIE_DROPPED, "channel number", open_twice, 0),
    LIE("channel: opened and closed 20,000 times", LIE_ANY, NULL,
	open_close_loop, 0),
    LIE("channel: closing what is not open", LIE_IGNORED, NULL, close_unknown,
	0),
    LIE("channel: unknown control message", LIE_IGNORED, NULL, newer_control,
	0),
    LIE("channel: unknown protocol", LIE_IGNORED, NULL, other_protocol, 0),
    LIE("channel: half open, then silence", LIE_IGNORED, NULL, say_nothing, 0),
    LIE("capability: one bit wrong", LIE_DROPPED, "without knowing",
	wrong_capability, 0),
    LIE("capability: reflected", LIE_DROPPED, "without knowing",
	wrong_capability, 1),
    LIE("capability: of another connection", LIE_DROPPED, "without knowing",
	wrong_capability, 2),
    LIE("capability: none", LIE_DROPPED, "handshake", no_capability, 0),
    LIE("capability: cut short", LIE_DROPPED, "handshake", no_capability, 1),
    {.name = NULL},
};
