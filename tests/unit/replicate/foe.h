/* foe: a peer that says whatever a test likes, raw, to one side. */
#ifndef TESTS_REPLICATE_FOE_H
#define TESTS_REPLICATE_FOE_H

#include "crypto/hash.h"
#include "net.h"
#include "replicate/message.h"

#define FOE_SAID 4096

struct foe {
	struct side *side;
	struct replicate_peer *peer;
	struct mux *mux;
	struct mux_channel *ch;
	uint64_t heard[MESSAGE_TYPES];
	/* requests of the side, in order */
	struct message_request q[FOE_SAID];
	size_t nq;
	struct message_no_data no; /* the last one */
	struct message_range range;
	struct message_sync sync;
	struct core_proof *proof; /* of the last data */
	struct manifest *manifest;
	uint64_t data_id;
	uint64_t cancelled, closed;
	bool opens;	 /* what is offered again */
	uint64_t opened; /* so often */
	bool raw; /* frames went past our mux: it may not understand all */
	enum err_code rc; /* of the side, about us */
	struct err e;
};

static const uint8_t foe_hash[64] = {9, 9, 9};

/* Open the channel of the side's core, knowing the key. */
static inline void
foe_open(struct foe *f)
{
	struct message_handshake h = {.seeks = true};
	struct err e = ERR_INIT;
	const struct view part[2] = {
	    view_b32(&HASH_NS_REPLICATE_INITIATOR), view_b32(&f->side->f.key)};
	struct b32 dkey;
	struct buf b;

	hash_keyed64_batch(&h.capability, foe_hash, part, 2);
	hash_discovery_key(&dkey, &f->side->f.key);
	buf_init(&b, 256);
	message_put_handshake(&b, &h);
	check_ok(mux_open(f->mux, view_str("hypercore/alpha"), view_b32(&dkey),
		     buf_view(&b), NULL, &f->ch, &e),
	    &e);
	buf_deinit(&b);
}

static inline void
foe_join(struct net *n, struct foe *f, struct side *side)
{
	struct replicate_peer_opts o = {.hash = foe_hash, .initiator = false};
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	f->side = side;
	f->proof = calloc(1, sizeof(*f->proof));
	f->manifest = calloc(1, sizeof(*f->manifest));
	check(f->proof != NULL && f->manifest != NULL);
	check_ok(replicate_peer_add(side->r, &o, n->now, &f->peer, &e), &e);
	check_ok(mux_new(&f->mux, NULL, &e), &e);
	foe_open(f);
}

static inline void
foe_leave(struct net *n, struct foe *f)
{
	if (f->peer != NULL)
		replicate_peer_remove(f->peer, n->now);
	mux_free(f->mux);
	free(f->proof);
	free(f->manifest);
	memset(f, 0, sizeof(*f));
}

static inline void
foe_note(struct foe *f, const struct mux_event *ev)
{
	struct dec d;

	dec_init(&d, ev->body);
	check(ev->type < MESSAGE_TYPES);
	f->heard[ev->type]++;
	if (ev->type == MESSAGE_REQUEST && f->nq < FOE_SAID)
		check(message_dec_request(&d, &f->q[f->nq++]));
	if (ev->type == MESSAGE_NO_DATA)
		check(message_dec_no_data(&d, &f->no));
	if (ev->type == MESSAGE_RANGE)
		check(message_dec_range(&d, &f->range));
	if (ev->type == MESSAGE_SYNC)
		check(message_dec_sync(&d, &f->sync));
	if (ev->type == MESSAGE_CANCEL)
		check(message_dec_cancel(&d, &f->cancelled));
	if (ev->type == MESSAGE_DATA)
		check(message_dec_data(&d, &f->data_id, f->proof, f->manifest));
}

static inline void
foe_hear(struct foe *f, struct err *e)
{
	struct mux_event ev;

	while (mux_next(f->mux, &ev, e)) {
		if (ev.kind == MUX_MESSAGE)
			foe_note(f, &ev);
		if (ev.kind == MUX_OFFERED && f->opens) {
			foe_open(f);
			f->opened++;
		}
		if (ev.kind == MUX_CLOSED || ev.kind == MUX_REJECTED) {
			f->closed++;
			f->ch = NULL;
		}
	}
	check(e->code == ERR_OK || f->raw);
}

/* Both have said all they have to say now. */
static inline void
foe_turn(struct net *n, struct foe *f)
{
	struct err e = ERR_INIT;
	uint8_t *data;
	size_t len;
	bool more = true;

	while (f->peer != NULL && mux_take(f->mux, &data, &len)) {
		f->rc = replicate_peer_recv(f->peer,
		    view_of(data + MUX_FRAME_HEAD, len), n->now, &f->e);
		free(data);
		if (f->rc == ERR_OK)
			continue;
		replicate_peer_remove(f->peer, n->now);
		f->peer = NULL;
	}
	if (f->peer != NULL)
		replicate_peer_credit(f->peer, 256u << 10);
	for (int i = 0; i < 100000 && more; i++)
		check_ok(replicate_step(f->side->r, n->now, &more, &e), &e);
	check(!more);
	net_events(f->side);
	while (f->peer != NULL && replicate_peer_take(f->peer, &data, &len)) {
		if (mux_recv(f->mux, view_of(data + MUX_FRAME_HEAD, len), &e) !=
		    ERR_OK)
			check(f->raw);
		else
			foe_hear(f, &e);
		free(data);
	}
}

static inline struct buf *
foe_begin(struct foe *f, enum message_type t)
{
	check(f->ch != NULL);
	return mux_begin(f->ch, t, 0);
}

static inline void
foe_end(struct foe *f)
{
	check_ok(mux_end(f->mux, &f->e), &f->e);
}

static inline void
foe_sync(struct foe *f, uint64_t fork, uint64_t length, uint64_t acked)
{
	const struct message_sync m = {.can_upgrade = true,
	    .uploading = true,
	    .downloading = true,
	    .has_manifest = true,
	    .fork = fork,
	    .length = length,
	    .remote_length = acked};

	message_put_sync(foe_begin(f, MESSAGE_SYNC), &m);
	foe_end(f);
}

static inline void
foe_range(struct foe *f, bool drop, uint64_t start, uint64_t length)
{
	const struct message_range m = {drop, start, length};

	message_put_range(foe_begin(f, MESSAGE_RANGE), &m);
	foe_end(f);
}

static inline void
foe_request(struct foe *f, const struct message_request *m)
{
	message_put_request(foe_begin(f, MESSAGE_REQUEST), m);
	foe_end(f);
}

static inline void
foe_block(struct foe *f, uint64_t id, uint64_t index, uint64_t nodes)
{
	const struct message_request m = {.id = id,
	    .part = {
		.has_block = true, .block_index = index, .block_nodes = nodes}};

	foe_request(f, &m);
}

static inline void
foe_data(struct foe *f, uint64_t id, const struct core_proof *p)
{
	message_put_data(foe_begin(f, MESSAGE_DATA), id, p);
	foe_end(f);
}

static inline void
foe_no_data(struct foe *f, uint64_t id, uint64_t reason)
{
	const struct message_no_data m = {id, reason};

	message_put_no_data(foe_begin(f, MESSAGE_NO_DATA), &m);
	foe_end(f);
}

/* What an honest holder of c would answer, in *p (value owns the block). */
static inline void
foe_honest(struct core *c, const struct message_request *q,
    struct core_proof *p, struct buf *value)
{
	struct err e = ERR_INIT;
	struct want w;

	check_ok(core_proof_make(p, value, c, &q->part, &w, &e), &e);
}

#endif
