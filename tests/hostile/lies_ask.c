/* What a peer that downloads can say wrong to one that serves. */
#include "liar.h"

static void
end_of_message(struct liar *l)
{
	static const unsigned type[] = {MESSAGE_SYNC, MESSAGE_REQUEST,
	    MESSAGE_CANCEL, MESSAGE_DATA, MESSAGE_NO_DATA, MESSAGE_WANT,
	    MESSAGE_UNWANT, MESSAGE_BITFIELD, MESSAGE_RANGE, MESSAGE_EXTENSION};

	/* flags that promise more, and then nothing */
	buf_byte(liar_message(l, type[l->lie->kind]), 0xfd);
	liar_send(l);
}

static void
unknown_type(struct liar *l)
{
	buf_fill(liar_message(l, 200), 7, 1000);
	liar_send(l);
}

/* -- requests ------------------------------------------------------------- */

#define HUGE (DEC_UINT_MAX - 7)

static const struct core_request absurd[] = {
    {.has_block = true, .block_index = 1u << 20},
    {.has_block = true, .block_index = HUGE},
    {.has_block = true, .block_nodes = HUGE},
    {.has_hash = true, .hash_index = HUGE},
    {.has_hash = true, .hash_nodes = HUGE},
    {.has_hash = true, .hash_index = 7, .hash_nodes = 100},
    {.has_seek = true, .seek_bytes = HUGE},
    {.has_seek = true, .has_hash = true, .seek_bytes = HUGE},
    {.has_seek = true, .has_hash = true, .seek_padding = HUGE},
    {.has_upgrade = true, .upgrade_length = HUGE},
    {.has_upgrade = true, .upgrade_start = HUGE, .upgrade_length = HUGE},
    {.has_upgrade = true, .upgrade_start = HUGE},
    {.has_upgrade = true, .upgrade_length = 0},
    {.has_block = true, .has_hash = true},
    {.has_block = true,
	.has_hash = true,
	.has_seek = true,
	.has_upgrade = true,
	.upgrade_length = 5},
    {.has_block = false},
};

/* 64 such requests are too many; who asks for less nonsense is only told. */
static void
ask_absurd(struct liar *l)
{
	for (unsigned i = 0; i < 200 && !l->dropped; i++)
		liar_request(l, i + 1,
		    &absurd[i % (sizeof(absurd) / sizeof(absurd[0]) - 1)]);
}

static void
ask_one(struct liar *l)
{
	liar_request(l, 1, &absurd[l->lie->kind]);
}

/* More than a peer may have outstanding, and nothing of it is read. */
static void
flood_requests(struct liar *l)
{
	struct core_request q = {.has_block = true};

	for (unsigned i = 0; i < 100000 && !l->dropped; i++) {
		q.block_index = i % core_head(l->core)->length;
		liar_request(l, l->lie->kind == 0 ? i + 1 : 1, &q);
	}
}

static void
other_fork(struct liar *l)
{
	struct message_request m = {.id = 1,
	    .fork = l->lie->kind == 0 ? 9 : HUGE,
	    .part = {.has_block = true}};

	message_put_request(liar_message(l, MESSAGE_REQUEST), &m);
	liar_send(l);
}

static void
flood_cancels(struct liar *l)
{
	for (unsigned i = 0; i < 100000 && !l->dropped; i++) {
		message_put_cancel(liar_message(l, MESSAGE_CANCEL), i);
		liar_send(l);
	}
}

/* -- wants and haves ------------------------------------------------------ */

static void
want(struct liar *l, unsigned type, uint64_t start, uint64_t length)
{
	struct buf *b = liar_message(l, type);

	enc_uint(b, 0);
	liar_uint(b, start);
	liar_uint(b, length);
	liar_send(l);
}

static void
flood_wants(struct liar *l)
{
	const uint64_t span = UINT64_C(1) << 21;

	for (uint64_t i = 0; i < 100000 && !l->dropped; i++)
		want(l, MESSAGE_WANT, l->lie->kind == 0 ? i * span : i,
		    l->lie->kind == 0 ? span : 1);
}

static void
absurd_wants(struct liar *l)
{
	want(l, MESSAGE_WANT, HUGE, HUGE);
	want(l, MESSAGE_WANT, 0, HUGE);
	want(l, MESSAGE_WANT, HUGE, 0);
	want(l, MESSAGE_UNWANT, HUGE, HUGE);
	want(l, MESSAGE_UNWANT, 7, 3);
}

/* Bits here and there in all that 53 bits can name. */
static void
flood_bitfields(struct liar *l)
{
	for (uint64_t i = 0; i < 20000 && !l->dropped; i++) {
		struct buf *b = liar_message(l, MESSAGE_BITFIELD);

		enc_uint(b, i * (UINT64_C(1) << 38));
		enc_uint(b, 32);
		buf_fill(b, 0xff, 32 * 4);
		liar_send(l);
	}
}

static void
long_bitfield(struct liar *l)
{
	const size_t words = (15u << 20) / 4;
	struct buf *b = liar_message(l, MESSAGE_BITFIELD);

	enc_uint(b, 0);
	enc_uint(b, words);
	buf_fill(b, 0xff, words * 4);
	liar_send(l);
}

static void
odd_bitfield(struct liar *l)
{
	struct buf *b = liar_message(l, MESSAGE_BITFIELD);

	enc_uint(b, l->lie->kind == 0 ? 7 : HUGE - HUGE % 32);
	enc_uint(b, l->lie->kind == 2 ? 1000000 : 4);
	buf_fill(b, 0xff, 16);
	liar_send(l);
}

static void
absurd_ranges(struct liar *l)
{
	liar_range(l, false, 0, HUGE);
	liar_range(l, false, HUGE, HUGE);
	liar_range(l, true, HUGE, HUGE);
	liar_range(l, false, HUGE, 0);
	liar_range(l, true, 0, HUGE);
}

static void
flood_ranges(struct liar *l)
{
	for (uint64_t i = 0; i < 100000 && !l->dropped; i++)
		liar_range(l, false, i * (UINT64_C(1) << 36), 1);
}

/* -- the rest ------------------------------------------------------------- */

static void
absurd_sync(struct liar *l)
{
	const uint64_t n = l->lie->kind == 1 ? UINT64_MAX : HUGE;

	liar_sync(l, 0, n, n);
	liar_sync(l, n, n, n);
	liar_sync(l, 0, 0, n);
}

static void
flood_syncs(struct liar *l)
{
	for (uint64_t i = 0; i < 100000 && !l->dropped; i++)
		liar_sync(l, i % 2, i, 0);
}

static void
flood_extensions(struct liar *l)
{
	for (unsigned i = 0; i < 1000 && !l->dropped; i++) {
		struct buf *b = liar_message(l, MESSAGE_EXTENSION);

		enc_uint(b, l->lie->kind == 0 ? 10 : 100000);
		buf_fill(b, 'x', 100000);
		liar_send(l);
	}
}

/* A seeder asked for nothing. */
static void
unasked_data(struct liar *l)
{
	for (unsigned i = 0; i < 100 && !l->dropped; i++) {
		liar_prove(l, i);
		liar_data(l, l->lie->kind == 0 ? 0 : 17 + i, l->proof);
	}
}

static void
flood_no_data(struct liar *l)
{
	for (unsigned i = 0; i < 100000 && !l->dropped; i++) {
		struct message_no_data m = {i, 1};

		message_put_no_data(liar_message(l, MESSAGE_NO_DATA), &m);
		liar_send(l);
	}
}

#define LIE(text, what, why, how, i) \
	{ \
		.name = text, .victim = TO_SEEDER, .end = what, .reason = why, \
		.opened = how, .kind = i \
	}

const struct lie lies_ask[] = {
    LIE("cut short: sync", LIE_DROPPED, "Out of bounds", end_of_message, 0),
    LIE("cut short: request", LIE_DROPPED, "Out of bounds", end_of_message, 1),
    LIE("cut short: cancel", LIE_DROPPED, "Out of bounds", end_of_message, 2),
    LIE("cut short: data", LIE_DROPPED, "Out of bounds", end_of_message, 3),
    LIE("cut short: no data", LIE_DROPPED, "", end_of_message, 4),
    LIE("cut short: want", LIE_DROPPED, "Out of bounds", end_of_message, 5),
    LIE("cut short: unwant", LIE_DROPPED, "Out of bounds", end_of_message, 6),
    LIE("cut short: bitfield", LIE_DROPPED, "Out of bounds", end_of_message, 7),
    LIE("cut short: range", LIE_DROPPED, "Out of bounds", end_of_message, 8),
    LIE("cut short: extension", LIE_ANY, NULL, end_of_message, 9),
    LIE("unknown message type", LIE_IGNORED, NULL, unknown_type, 0),
    {.name = "request: 200 of nonsense",
	.victim = TO_SEEDER,
	.end = LIE_DROPPED,
	.reason = "for what cannot be",
	.opened = ask_absurd,
	.tick = ask_one,
	.slow = true},
    LIE("request: a block beyond the end", LIE_IGNORED, NULL, ask_one, 0),
    LIE("request: block 2^53", LIE_IGNORED, NULL, ask_one, 1),
    LIE("request: 2^53 levels", LIE_IGNORED, NULL, ask_one, 2),
    LIE("request: hash 2^53", LIE_IGNORED, NULL, ask_one, 3),
    LIE("request: levels above the roots", LIE_IGNORED, NULL, ask_one, 5),
    LIE("request: seek 2^53", LIE_IGNORED, NULL, ask_one, 6),
    LIE("request: padding 2^53", LIE_IGNORED, NULL, ask_one, 8),
    LIE("request: upgrade of 2^53", LIE_IGNORED, NULL, ask_one, 9),
    LIE("request: upgrade beyond 2^53", LIE_IGNORED, NULL, ask_one, 10),
    LIE("request: upgrade of nothing", LIE_IGNORED, NULL, ask_one, 12),
    LIE("request: block and hash", LIE_IGNORED, NULL, ask_one, 13),
    LIE("request: everything at once", LIE_IGNORED, NULL, ask_one, 14),
    LIE("request: nothing", LIE_IGNORED, NULL, ask_one, 15),
    LIE("request: another fork", LIE_IGNORED, NULL, other_fork, 0),
    LIE("request: fork 2^53", LIE_IGNORED, NULL, other_fork, 1),
    LIE("flood: 100,000 requests", LIE_ANY, NULL, flood_requests, 0),
    LIE("flood: 100,000 requests of one id", LIE_ANY, NULL, flood_requests, 1),
    LIE("flood: cancels", LIE_ANY, NULL, flood_cancels, 0),
    LIE("flood: wants of every span", LIE_ANY, NULL, flood_wants, 0),
    LIE("flood: wants of single blocks", LIE_ANY, NULL, flood_wants, 1),
    LIE("want: absurd ranges", LIE_ANY, NULL, absurd_wants, 0),
    LIE("flood: sparse bitfields", LIE_ANY, NULL, flood_bitfields, 0),
    LIE("bitfield: of 15 MiB", LIE_ANY, NULL, long_bitfield, 0),
    LIE("bitfield: not aligned", LIE_ANY, NULL, odd_bitfield, 0),
    LIE("bitfield: at 2^53", LIE_ANY, NULL, odd_bitfield, 1),
    LIE("bitfield: shorter than it says", LIE_DROPPED, "Out of bounds",
	odd_bitfield, 2),
    LIE("range: absurd", LIE_ANY, NULL, absurd_ranges, 0),
    LIE("flood: ranges", LIE_ANY, NULL, flood_ranges, 0),
    LIE("sync: 2^53", LIE_ANY, NULL, absurd_sync, 0),
    LIE("sync: 2^64", LIE_DROPPED, "2^53", absurd_sync, 1),
    LIE("flood: syncs", LIE_ANY, NULL, flood_syncs, 0),
    LIE("flood: 100 MB of extensions", LIE_ANY, NULL, flood_extensions, 0),
    LIE("extension: name of 100,000 bytes", LIE_ANY, NULL, flood_extensions, 1),
    LIE("data: pushed to a seeder", LIE_ANY, NULL, unasked_data, 0),
    LIE("data: of a request that was not made", LIE_ANY, NULL, unasked_data, 1),
    LIE("flood: no data", LIE_ANY, NULL, flood_no_data, 0),
    {.name = NULL},
};
