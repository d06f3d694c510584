/*
 * A session on a real small store, against a peer that the input plays: raw
 * frames, messages, honest answers, and honest answers with a byte changed.
 * The peer knows the key and has no signing key, so whatever it does: the
 * store holds a head that was signed, and only blocks that are true.
 *
 *	byte 0: what the store is (mod 3)	rest: steps, see play()
 */
#include <stdlib.h>
#include <string.h>

#include "replicate/foe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LENGTH 20
#define STEPS_MAX 100

enum { WRITER, EMPTY, PART, KINDS };

static struct fix truth; /* a writer of all blocks */
static struct core *true_core;
static struct fix stores[KINDS];
static struct core_proof *answer_proof;
static struct buf value;

static void
fill_part(struct fix *f)
{
	struct core_request q = {
	    .has_upgrade = true, .manifest = true, .upgrade_length = LENGTH};
	struct err e = ERR_INIT;
	struct core *c = fix_core(f, CORE_REPLICA);
	enum core_outcome o;
	struct want w;

	/* the head, then blocks 0, 4 and 8 */
	for (uint64_t i = 0; i <= 12; i += 4) {
		check_ok(core_proof_make(
			     answer_proof, &value, true_core, &q, &w, &e),
		    &e);
		check_ok(core_proof_apply(c, answer_proof, &o, &e), &e);
		q = (struct core_request){.has_block = true,
		    .block_index = i,
		    .block_nodes = i == 0 ? 4 : 1 + i / 4};
	}
	core_close(c);
}

static void
make_store(int kind)
{
	struct core *c;

	fix_open(&stores[kind], 9, kind == WRITER);
	if (kind == PART)
		fill_part(&stores[kind]);
	if (kind != WRITER)
		return;
	c = fix_core(&stores[kind], CORE_WRITE);
	fix_append(c, LENGTH);
	core_close(c);
}

static void
make_all(void)
{
	answer_proof = calloc(1, sizeof(*answer_proof));
	check(answer_proof != NULL);
	buf_init(&value, 1 << 20);
	fix_open(&truth, 9, true);
	true_core = fix_core(&truth, CORE_WRITE);
	fix_append(true_core, LENGTH);
	for (int i = 0; i < KINDS; i++)
		make_store(i);
}

/* -- the peer ------------------------------------------------------------- */

/* The true answer to the request at `at`; with one byte changed. */
static void
answer(struct foe *f, size_t at, size_t where, uint8_t flip)
{
	const struct message_request *q = &f->q[at];
	struct err e = ERR_INIT;
	struct want w;
	struct buf b, *to;

	if (core_proof_make(
		answer_proof, &value, true_core, &q->part, &w, &e) != ERR_OK) {
		foe_no_data(f, q->id, 1);
		return;
	}
	answer_proof->fork = q->fork;
	buf_init(&b, 1 << 20);
	message_put_data(&b, q->id, answer_proof);
	b.data[where % b.len] ^= flip;
	to = foe_begin(f, MESSAGE_DATA);
	buf_append(to, buf_view(&b));
	foe_end(f);
	buf_deinit(&b);
}

static void
raw(struct net *n, struct foe *f, struct view frame)
{
	if (f->peer == NULL)
		return;
	f->raw = true;
	f->rc = replicate_peer_recv(f->peer, frame, n->now, &f->e);
	if (f->rc == ERR_OK)
		return;
	replicate_peer_remove(f->peer, n->now);
	f->peer = NULL;
}

static void
message(struct foe *f, unsigned type, struct view body)
{
	buf_append(mux_begin(f->ch, type, 0), body);
	foe_end(f);
}

/* One step of the input. */
static void
play(struct net *n, struct foe *f, struct dec *d, size_t *answered)
{
	uint8_t op = dec_u8(d) % 8, a = dec_u8(d), b = dec_u8(d);
	struct message_request q = {.id = a};

	switch (op) {
	case 0:
		raw(n, f, dec_fixed(d, a < dec_left(d) ? a : dec_left(d)));
		break;
	case 1:
		message(f, b % (MESSAGE_TYPES + 2u),
		    dec_fixed(d, a < dec_left(d) ? a : dec_left(d)));
		break;
	case 2:
		if (*answered < f->nq)
			answer(f, (*answered)++, 0, 0);
		break;
	case 3:
		if (*answered < f->nq)
			answer(f, (*answered)++, a, b);
		break;
	case 4:
		foe_sync(f, a >> 6, a & 63, b);
		break;
	case 5:
		foe_range(f, (a & 128) != 0, a & 127, b);
		break;
	case 6:
		n->now += (uint64_t)(a * b) * 1000;
		break;
	default:
		q.part.has_block = (b & 1) != 0;
		q.part.has_hash = (b & 2) != 0;
		q.part.has_upgrade = (b & 4) != 0;
		q.part.manifest = (b & 8) != 0;
		q.fork = (b & 16) != 0;
		q.priority = (b & 32) != 0;
		q.part.block_index = q.part.hash_index = a;
		q.part.block_nodes = q.part.hash_nodes = b >> 5;
		q.part.upgrade_start = a >> 4;
		q.part.upgrade_length = a & 15;
		foe_request(f, &q);
	}
}

/* -- what must hold ------------------------------------------------------- */

static void
check_store(int kind, bool *changed)
{
	static uint64_t before[KINDS] = {LENGTH, 0, 3};
	struct err e = ERR_INIT;
	struct core *c;
	struct buf b;
	struct want w;
	char space[64];
	uint64_t n;

	check_ok(store_refresh(stores[kind].s, &e), &e);
	c = fix_core(&stores[kind], CORE_READ);
	check_ok(core_verify(c, &e), &e);
	check(core_head(c)->fork == 0);
	check(core_head(c)->length == LENGTH ||
	      (kind == EMPTY && core_head(c)->length == 0));
	if (core_head(c)->length == LENGTH)
		check(b32_eq(&core_head(c)->tree_hash,
		    &core_head(true_core)->tree_hash));
	buf_init(&b, 1 << 20);
	for (uint64_t i = 0; i < LENGTH; i++) {
		if (!core_has(c, i))
			continue;
		buf_reset(&b);
		check_ok(core_get(c, i, &b, &w, &e), &e);
		check_same(buf_view(&b), fix_block(i, space, sizeof(space)));
	}
	buf_deinit(&b);
	check_ok(core_count(c, 0, LENGTH, &n, &e), &e);
	*changed =
	    n != before[kind] || (kind == EMPTY && core_head(c)->length != 0);
	core_close(c);
}

static void
run(int kind, struct dec *d)
{
	struct replicate_opts o = {.serve = true};
	struct replicate_peer_stats st;
	struct replicate_status status;
	struct replicate_core *c;
	struct err e = ERR_INIT;
	static struct side s;
	static struct foe f;
	struct net n = {.now = 1};
	size_t answered = 0;

	memset(&s, 0, sizeof(s));
	s.f = stores[kind];
	check_ok(replicate_new(&s.r, s.f.s, &o, &e), &e);
	c = net_open(&s);
	check_ok(replicate_download(c, 0, UINT64_MAX, &e), &e);
	foe_join(&n, &f, &s);
	foe_turn(&n, &f);
	for (int i = 0; i < STEPS_MAX && dec_left(d) > 2; i++) {
		if (f.peer == NULL || f.ch == NULL)
			break;
		play(&n, &f, d, &answered);
		foe_turn(&n, &f);
	}
	/* its fault, never ours */
	check(f.rc != ERR_IO && f.rc != ERR_NOSPACE && f.rc != ERR_CORRUPT &&
	      f.rc != ERR_READONLY);
	if (f.peer != NULL) {
		replicate_peer_stats(f.peer, &st);
		check(st.outstanding <= REPLICATE_REQUESTS_MAX);
		check(st.queued <= REPLICATE_REQUESTS_MAX + 16);
	}
	replicate_status(c, &status);
	check(!status.conflict && status.outstanding <= LENGTH + 2);
	check_ok(replicate_flush(s.r, n.now, &e), &e);
	foe_leave(&n, &f);
	replicate_free(s.r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dec d;
	bool changed;
	int kind;

	if (true_core == NULL)
		make_all();
	if (size < 4)
		return 0;
	dec_init(&d, view_of(data, size));
	kind = dec_u8(&d) % KINDS;
	run(kind, &d);
	check_store(kind, &changed);
	if (changed) {
		fix_close(&stores[kind]);
		make_store(kind);
	}
	return 0;
}
