/* What a peer that serves can say wrong to one that downloads. */
#include "liar.h"

#define HUGE (DEC_UINT_MAX - 7)

static bool
never_answer(struct liar *l, const struct message_request *q)
{
	(void)l;
	(void)q;
	return true;
}

static bool
answer_nothing_here(struct liar *l, const struct message_request *q)
{
	struct message_no_data m = {q->id, l->lie->kind};

	message_put_no_data(liar_message(l, MESSAGE_NO_DATA), &m);
	liar_send(l);
	return true;
}

static bool
answer_heads_only(struct liar *l, const struct message_request *q)
{
	(void)l;
	return !q->part.has_upgrade;
}

static bool
answer_and_close(struct liar *l, const struct message_request *q)
{
	liar_answer(l, q);
	liar_hex(l, "000301");
	return true;
}

static bool
answer_thrice(struct liar *l, const struct message_request *q)
{
	for (int i = 0; i < 3; i++)
		liar_answer(l, q);
	return true;
}

/* A true proof, of a block that was not asked for. */
static bool
answer_another(struct liar *l, const struct message_request *q)
{
	struct message_request other = *q;

	if (!q->part.has_block || q->part.has_upgrade)
		return false;
	other.part.block_index =
	    (q->part.block_index + 37) % core_head(l->core)->length;
	liar_answer(l, &other);
	return true;
}

static bool
answer_other_id(struct liar *l, const struct message_request *q)
{
	struct message_request other = *q;

	if (q->part.has_upgrade)
		return false;
	other.id += 1000;
	liar_answer(l, &other);
	return true;
}

/* -- hellos --------------------------------------------------------------- */

static void
hello_absurd(struct liar *l)
{
	static const uint64_t length[] = {
	    121, 1u << 20, UINT64_C(1) << 40, HUGE};

	liar_hello_as(l, 0, length[l->lie->kind]);
}

static void
hello_fork(struct liar *l)
{
	liar_hello_as(
	    l, l->lie->kind == 0 ? 1 : HUGE, core_head(l->core)->length);
}

/* Says it has all, then that it has nothing, without an end. */
static void
hello_flapping(struct liar *l)
{
	for (int i = 0; i < 2000 && !l->dropped; i++) {
		liar_hello(l);
		liar_range(l, true, 0, core_head(l->core)->length);
	}
	liar_hello(l);
}

static void
hello_pushing(struct liar *l)
{
	struct core_request q = {.has_upgrade = true, .manifest = true};
	struct message_request m = {.part = q};

	m.part.upgrade_length = core_head(l->core)->length;
	liar_answer(l, &m);
	for (unsigned i = 0; i < 100; i++) {
		liar_prove(l, i);
		liar_data(l, 0, l->proof);
	}
	liar_hello(l);
}

static void
hello_bits(struct liar *l)
{
	liar_hello(l);
	for (uint64_t i = 0; i < 20000 && !l->dropped; i++) {
		struct buf *b = liar_message(l, MESSAGE_BITFIELD);

		enc_uint(b, i * (UINT64_C(1) << 38));
		enc_uint(b, 32);
		buf_fill(b, 0xff, 32 * 4);
		liar_send(l);
	}
}

static void
hello_extensions(struct liar *l)
{
	liar_hello(l);
	for (unsigned i = 0; i < 1000 && !l->dropped; i++) {
		struct buf *b = liar_message(l, MESSAGE_EXTENSION);

		enc_uint(b, 1);
		buf_fill(b, 'x', 100000);
		liar_send(l);
	}
}

static void
reject(struct liar *l)
{
	struct buf *b = liar_frame(l);

	enc_uint(b, 0);
	enc_uint(b, 2);
	enc_uint(b, l->channel);
	liar_send(l);
}

static void
close_at_once(struct liar *l)
{
	if (l->step++ > 1000)
		return;
	liar_hex(l, "000301");
	liar_open(l);
	liar_hello(l);
}

/* -- data that is too much ------------------------------------------------ */

static bool
answer_many_nodes(struct liar *l, const struct message_request *q)
{
	struct buf *b = liar_message(l, MESSAGE_DATA);

	enc_uint(b, 8); /* an upgrade */
	enc_uint(b, q->id);
	enc_uint(b, q->fork);
	enc_uint(b, 0);
	enc_uint(b, q->part.upgrade_length);
	liar_uint(b, l->lie->kind == 0 ? 100000 : HUGE);
	for (unsigned i = 0; l->lie->kind == 0 && i < 100000; i++) {
		enc_uint(b, 2 * i);
		enc_uint(b, 1);
		buf_fill(b, 3, 32);
	}
	liar_send(l);
	return true;
}

static bool
answer_long_value(struct liar *l, const struct message_request *q)
{
	struct buf *b;

	if (!q->part.has_block)
		return false;
	b = liar_message(l, MESSAGE_DATA);
	enc_uint(b, 1); /* a block */
	enc_uint(b, q->id);
	enc_uint(b, q->fork);
	enc_uint(b, q->part.block_index);
	liar_uint(b, UINT64_C(1) << 50);
	buf_fill(b, 3, 100);
	liar_send(l);
	return true;
}

/* A fork, proven with roots that nobody signed. */
static void
bend_fork(struct liar *l, struct core_proof *p)
{
	p->fork = 1;
	(void)l;
}

#define SAY(text, what, why, hello, answer, i) \
	{ \
		.name = text, .victim = TO_READER, .end = what, .reason = why, \
		.opened = hello, .request = answer, .kind = i \
	}

const struct lie lies_say[] = {
    SAY("seeder: never answers", LIE_ANY, NULL, NULL, never_answer, 0),
    SAY("seeder: answers heads only", LIE_ANY, NULL, NULL, answer_heads_only,
	0),
    SAY("seeder: never has it", LIE_ANY, NULL, NULL, answer_nothing_here, 1),
    SAY("seeder: calls all nonsense", LIE_ANY, NULL, NULL, answer_nothing_here,
	2),
    SAY("seeder: answers and closes", LIE_ANY, NULL, NULL, answer_and_close, 0),
    SAY("seeder: answers three times", LIE_ANY, NULL, NULL, answer_thrice, 0),
    SAY("seeder: answers with another block", LIE_ANY, NULL, NULL,
	answer_another, 0),
    SAY("seeder: answers another request", LIE_ANY, NULL, NULL, answer_other_id,
	0),
    SAY("seeder: one block more than there is", LIE_ANY, NULL, hello_absurd,
	NULL, 0),
    SAY("seeder: a million blocks", LIE_ANY, NULL, hello_absurd, NULL, 1),
    SAY("seeder: 2^40 blocks", LIE_ANY, NULL, hello_absurd, NULL, 2),
    SAY("seeder: 2^53 blocks", LIE_ANY, NULL, hello_absurd, NULL, 3),
    SAY("seeder: a fork without proof", LIE_ANY, NULL, hello_fork,
	answer_nothing_here, 0),
    SAY("seeder: fork 2^53", LIE_ANY, NULL, hello_fork, never_answer, 1),
    {.name = "seeder: a fork that nobody signed",
	.victim = TO_READER,
	.end = LIE_BLAMED,
	.reason = "",
	.opened = hello_fork,
	.bend = bend_fork},
    SAY("seeder: has all, has nothing", LIE_ANY, NULL, hello_flapping, NULL, 0),
    SAY("seeder: pushes everything", LIE_ANY, NULL, hello_pushing, never_answer,
	0),
    SAY("seeder: bits up to 2^53", LIE_ANY, NULL, hello_bits, never_answer, 0),
    SAY("seeder: 100 MB of extensions", LIE_ANY, NULL, hello_extensions,
	never_answer, 0),
    SAY("seeder: rejects", LIE_ANY, NULL, reject, never_answer, 0),
    SAY("seeder: closes and opens", LIE_ANY, NULL, close_at_once, never_answer,
	0),
    SAY("data: 100,000 nodes", LIE_DROPPED, "data", NULL, answer_many_nodes, 0),
    SAY("data: 2^53 nodes", LIE_DROPPED, "data", NULL, answer_many_nodes, 1),
    SAY("data: a block of 2^50 bytes", LIE_DROPPED, "data", NULL,
	answer_long_value, 0),
    {.name = NULL},
};
