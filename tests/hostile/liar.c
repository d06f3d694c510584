#include "liar.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "codec/hex.h"
#include "crypto/hash.h"

#define PROTOCOL "hypercore/alpha"
#define FRAME_MAX (64u << 20)

enum control { BATCH, OPEN, REJECT, CLOSE };

enum err_code
liar_init(struct liar *l, const struct lie *lie, struct core *truth,
    bool initiator, const uint8_t hash[static 64], struct err *e)
{
	memset(l, 0, sizeof(*l));
	l->lie = lie;
	l->core = truth;
	l->key = *core_key(truth);
	l->dkey = *core_discovery_key(truth);
	l->initiator = initiator;
	memcpy(l->hash, hash, sizeof(l->hash));
	buf_init(&l->frame, FRAME_MAX);
	buf_init(&l->value, CORE_BLOCK_MAX);
	l->proof = calloc(1, sizeof(*l->proof));
	return l->proof == NULL ? err_nomem(e) : ERR_OK;
}

void
liar_deinit(struct liar *l)
{
	buf_deinit(&l->frame);
	buf_deinit(&l->value);
	free(l->proof);
}

/* -- out ------------------------------------------------------------------ */

struct buf *
liar_frame(struct liar *l)
{
	buf_reset(&l->frame);
	return &l->frame;
}

void
liar_send(struct liar *l)
{
	bug_if(l->frame.failed != ERR_OK);
	if (!l->dropped)
		l->send(l->ctx, buf_view(&l->frame));
}

void
liar_hex(struct liar *l, const char *hex)
{
	bug_if(hex_decode(view_str(hex), liar_frame(l), NULL) != ERR_OK);
	liar_send(l);
}

void
liar_uint(struct buf *b, uint64_t n)
{
	if (n <= DEC_UINT_MAX) {
		enc_uint(b, n);
		return;
	}
	enc_u8(b, 0xff);
	enc_u64le(b, n);
}

struct buf *
liar_message(struct liar *l, unsigned type)
{
	struct buf *b = liar_frame(l);

	enc_uint(b, 1);
	enc_uint(b, type);
	return b;
}

void
liar_capability(const struct liar *l, struct b32 *out)
{
	const struct b32 *ns = l->initiator ? &HASH_NS_REPLICATE_INITIATOR
					    : &HASH_NS_REPLICATE_RESPONDER;
	const struct view v[2] = {view_b32(ns), view_b32(&l->key)};

	hash_keyed64_batch(out, l->hash, v, 2);
}

void
liar_open(struct liar *l)
{
	struct message_handshake h = {.seeks = true};
	struct buf *b = liar_frame(l);

	liar_capability(l, &h.capability);
	enc_uint(b, 0);
	enc_uint(b, OPEN);
	enc_uint(b, 1);
	enc_bytes(b, view_str(PROTOCOL));
	enc_bytes(b, view_b32(&l->dkey));
	message_put_handshake(b, &h);
	l->open = true;
	liar_send(l);
}

void
liar_sync(
    struct liar *l, uint64_t fork, uint64_t length, uint64_t remote_length)
{
	struct buf *b = liar_message(l, MESSAGE_SYNC);

	/* canUpgrade, uploading, downloading, hasManifest */
	enc_uint(b, 15);
	liar_uint(b, fork);
	liar_uint(b, length);
	liar_uint(b, remote_length);
	liar_send(l);
}

void
liar_range(struct liar *l, bool drop, uint64_t start, uint64_t length)
{
	struct buf *b = liar_message(l, MESSAGE_RANGE);

	enc_uint(b, drop);
	liar_uint(b, start);
	liar_uint(b, length);
	liar_send(l);
}

void
liar_hello_as(struct liar *l, uint64_t fork, uint64_t length)
{
	liar_sync(l, fork, length, 0);
	liar_range(l, false, 0, length);
}

void
liar_hello(struct liar *l)
{
	const struct core_head *h = core_head(l->core);

	liar_hello_as(l, h->fork, h->length);
}

void
liar_request(struct liar *l, uint64_t id, const struct core_request *q)
{
	struct message_request m = {
	    .id = id, .fork = core_head(l->core)->fork, .part = *q};

	message_put_request(liar_message(l, MESSAGE_REQUEST), &m);
	liar_send(l);
}

void
liar_data(struct liar *l, uint64_t id, const struct core_proof *p)
{
	message_put_data(liar_message(l, MESSAGE_DATA), id, p);
	liar_send(l);
}

/* Levels from a leaf to the root above it. */
static uint64_t
levels(uint64_t block, uint64_t length)
{
	uint64_t root[FLAT_ROOTS_MAX], n = 0;
	size_t k = flat_roots(length, root), r = 0;

	while (r + 1 < k && flat_right_span(root[r]) < 2 * block)
		r++;
	for (uint64_t at = 2 * block; at != root[r]; at = flat_parent(at))
		n++;
	return n;
}

void
liar_prove(struct liar *l, uint64_t block)
{
	struct core_request q = {.has_block = true,
	    .block_index = block % core_head(l->core)->length};
	struct err e = ERR_INIT;
	struct want w;

	q.block_nodes = levels(q.block_index, core_head(l->core)->length);
	if (core_proof_make(l->proof, &l->value, l->core, &q, &w, &e) != ERR_OK)
		bug("the truth has no such block");
}

void
liar_answer(struct liar *l, const struct message_request *q)
{
	struct message_no_data no = {q->id, MESSAGE_NOT_VALID};
	struct err e = ERR_INIT;
	struct want w;

	if (core_proof_make(l->proof, &l->value, l->core, &q->part, &w, &e) !=
	    ERR_OK) {
		message_put_no_data(liar_message(l, MESSAGE_NO_DATA), &no);
		liar_send(l);
		return;
	}
	if (l->lie->bend != NULL)
		l->lie->bend(l, l->proof);
	liar_data(l, q->id, l->proof);
}

/* -- in ------------------------------------------------------------------- */

static void
on_opened(struct liar *l)
{
	if (!l->open)
		liar_open(l);
	if (l->lie->opened != NULL)
		l->lie->opened(l);
	else if (l->lie->victim == TO_READER)
		liar_hello(l);
}

static void
on_open(struct liar *l, struct dec *d)
{
	uint64_t n = dec_uint(d);
	struct view id;
	struct buf *b;

	(void)dec_bytes(d, 64);
	id = dec_bytes(d, 64);
	if (!dec_ok(d))
		return;
	if (view_eq(id, view_b32(&l->dkey))) {
		l->channel = n;
		on_opened(l);
		return;
	}
	b = liar_frame(l);
	enc_uint(b, 0);
	enc_uint(b, REJECT);
	enc_uint(b, n);
	liar_send(l);
}

/* Growth is acknowledged, or nothing would be asked of us. */
static void
on_sync(struct liar *l, struct dec *d)
{
	const struct core_head *h = core_head(l->core);
	struct message_sync m;

	if (!message_dec_sync(d, &m) || m.length == l->told)
		return;
	l->told = m.length;
	if (l->lie->opened == NULL)
		liar_sync(l, h->fork, h->length, m.length);
}

static void
on_request(struct liar *l, struct dec *d)
{
	struct message_request q;

	if (!message_dec_request(d, &q))
		return;
	l->requests++;
	l->last_id = q.id;
	if (q.part.has_block &&
	    q.part.block_index < sizeof(l->asked) / sizeof(l->asked[0]))
		l->asked[q.part.block_index] = true;
	if (l->lie->request == NULL || !l->lie->request(l, &q))
		liar_answer(l, &q);
}

static void
on_message(struct liar *l, uint64_t channel, struct view v)
{
	struct dec d;
	uint64_t type;

	dec_init(&d, v);
	type = dec_uint(&d);
	if (!dec_ok(&d))
		return;
	if (channel == 0 && type == OPEN)
		on_open(l, &d);
	else if (channel != 0 && channel == l->channel && type == MESSAGE_SYNC)
		on_sync(l, &d);
	else if (channel != 0 && channel == l->channel &&
		 type == MESSAGE_REQUEST)
		on_request(l, &d);
}

void
liar_begin(struct liar *l)
{
	if (l->lie->begin != NULL)
		l->lie->begin(l);
	else if (l->lie->victim == TO_SEEDER)
		liar_open(l);
}

void
liar_tick(struct liar *l)
{
	if (l->lie->tick != NULL && !l->dropped)
		l->lie->tick(l);
}

void
liar_recv(struct liar *l, struct view frame)
{
	struct dec d, head;
	uint64_t channel, len;

	dec_init(&d, frame);
	channel = dec_uint(&d);
	head = d;
	if (channel != 0 || dec_uint(&head) != BATCH) {
		on_message(l, channel, dec_rest(&d));
		return;
	}
	d = head;
	channel = dec_uint(&d);
	while (dec_ok(&d) && dec_left(&d) > 0) {
		if ((len = dec_uint(&d)) == 0)
			channel = dec_uint(&d);
		else
			on_message(l, channel, dec_fixed(&d, (size_t)len));
	}
}
