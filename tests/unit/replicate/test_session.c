/* session: recorded conversations of two JavaScript peers, with us in the
 * place of one of them: what we say must be what it said. */
#include "core/fix.h"
#include "net/mux/mux.h"
#include "replicate/message.h"
#include "replicate/replicate.h"

#define SAID_MAX 128

struct said {
	uint64_t type;
	struct view body;
};

struct talk {
	const json_t *session, *log;
	struct fix f;
	struct replicate *r;
	struct replicate_peer *p;
	struct replicate_core *c;
	uint64_t now;
	struct said ours[SAID_MAX]; /* control messages left out */
	size_t n;
	uint8_t *frame[SAID_MAX]; /* that ours point into */
	size_t nframes;
};

static json_t *sessions, *golden;
static struct core_proof *proof;
static struct manifest *manifest;

static int
setup(void **state)
{
	(void)state;
	sessions = vec_load("net/sessions");
	golden = vec_load("net/hypercore");
	proof = calloc(1, sizeof(*proof));
	manifest = calloc(1, sizeof(*manifest));
	check(proof != NULL && manifest != NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	json_decref(sessions);
	json_decref(golden);
	free(proof);
	free(manifest);
	return 0;
}

/* -- messages of frames --------------------------------------------------- */

static void
note(struct said *list, size_t *n, uint64_t channel, struct view v)
{
	struct dec d;

	dec_init(&d, v);
	check(*n < SAID_MAX);
	if (channel == 0)
		return;
	list[*n].type = dec_uint(&d);
	list[(*n)++].body = dec_rest(&d);
}

static void
split(struct view frame, struct said *list, size_t *n)
{
	uint64_t channel, len;
	struct dec d, t;

	dec_init(&d, frame);
	channel = dec_uint(&d);
	t = d;
	if (channel != 0 || dec_uint(&t) != 0) {
		note(list, n, channel, dec_rest(&d));
		return;
	}
	d = t;
	channel = dec_uint(&d);
	while (dec_left(&d) > 0) {
		if ((len = dec_uint(&d)) == 0)
			channel = dec_uint(&d);
		else
			note(list, n, channel, dec_fixed(&d, (size_t)len));
	}
	check(dec_done(&d));
}

/* What one side of the record said, in all. */
static size_t
recorded(const struct talk *t, const char *from, struct said *list)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(t->log); i++) {
		const json_t *o = json_array_get(t->log, i);

		if (strcmp(vec_str(o, "from"), from) == 0)
			split(vec_hex_at(o, "frame"), list, &n);
	}
	return n;
}

/* -- talking -------------------------------------------------------------- */

static void
turn(struct talk *t)
{
	struct err e = ERR_INIT;
	struct replicate_event ev;
	uint8_t *data;
	size_t len;
	bool more = true;

	while (more) {
		t->now += 1000;
		check_ok(replicate_step(t->r, t->now, &more, &e), &e);
	}
	while (replicate_next(t->r, &ev))
		;
	while (replicate_peer_take(t->p, &data, &len)) {
		check(t->nframes < SAID_MAX);
		t->frame[t->nframes++] = data;
		split(view_of(data + MUX_FRAME_HEAD, len), t->ours, &t->n);
	}
}

static void
hear(struct talk *t, struct view frame)
{
	struct err e = ERR_INIT;

	check_ok(replicate_peer_recv(t->p, frame, t->now, &e), &e);
	turn(t);
}

/* The frames of one side, as they were. */
static void
hear_all(struct talk *t, const char *from)
{
	for (size_t i = 0; i < json_array_size(t->log); i++) {
		const json_t *o = json_array_get(t->log, i);

		if (strcmp(vec_str(o, "from"), from) == 0)
			hear(t, vec_hex_at(o, "frame"));
	}
}

/* In the store is what `f` of t says; a peer as in session i joins. */
static void
begin(struct talk *t, size_t i, bool initiator)
{
	struct replicate_opts o = {.serve = true};
	struct replicate_peer_opts po = {.initiator = initiator};
	struct err e = ERR_INIT;

	t->session = json_array_get(sessions, i);
	t->log = vec_at(t->session, "log");
	po.hash = vec_hex_at(t->session, "handshakeHash").ptr;
	check_ok(replicate_new(&t->r, t->f.s, &o, &e), &e);
	check_ok(replicate_open(t->r, &t->f.key, &t->c, &e), &e);
	check_ok(replicate_peer_add(t->r, &po, 1, &t->p, &e), &e);
	turn(t);
}

static void
end(struct talk *t)
{
	replicate_free(t->r);
	fix_close(&t->f);
	while (t->nframes > 0)
		free(t->frame[--t->nframes]);
}

/* -- stores --------------------------------------------------------------- */

/* The core of the golden proofs, eleven blocks, in a new store. */
static void
golden_store(struct fix *f, bool writer)
{
	const json_t *p = vec_at(golden, "proofs"), *blocks;
	struct core_batch *batch;
	struct err e = ERR_INIT;
	struct core *c;
	struct b32 seed;

	memset(f, 0, sizeof(*f));
	fix_dir(f);
	fix_store(f);
	vec_b32_at(p, "seed", &seed);
	check_ok(sign_pair_seed(&f->pair, &seed, &e), &e);
	manifest_single(&f->m, &f->pair.pub);
	manifest_key(&f->key, &f->m);
	check_same(view_b32(&f->key), vec_hex_at(p, "key"));
	check_ok(core_add(f->s, writer ? &f->m : NULL, &f->key,
		     writer ? &f->pair : NULL, &e),
	    &e);
	check_ok(store_refresh(f->s, &e), &e);
	if (!writer)
		return;
	c = fix_core(f, CORE_WRITE);
	batch = fix_batch(c);
	blocks = vec_at(p, "blocks");
	for (size_t i = 0; i < json_array_size(blocks); i++)
		check_ok(
		    core_batch_append(batch,
			vec_hex(json_string_value(json_array_get(blocks, i))),
			NULL, &e),
		    &e);
	fix_commit(batch);
	core_batch_free(batch);
	check_same(core_signature(c), vec_hex_at(p, "signature"));
	core_close(c);
}

static void
copy_block(struct core *to, struct core *from, uint64_t i, bool first)
{
	struct core_request q = {.has_block = true, .block_index = i};
	struct err e = ERR_INIT;
	enum core_outcome o;
	struct want w;
	struct node node;
	struct buf b;

	if (first)
		q = (struct core_request){.has_upgrade = true,
		    .manifest = true,
		    .upgrade_length = core_head(from)->length};
	for (uint64_t at = 2 * i;
	     !first && core_node(to, at, &node, &w, &e) == ERR_NEED_BLOCK;
	     at = flat_parent(at))
		q.block_nodes++;
	buf_init(&b, 1 << 20);
	check_ok(core_proof_make(proof, &b, from, &q, &w, &e), &e);
	check_ok(core_proof_apply(to, proof, &o, &e), &e);
	buf_deinit(&b);
}

/* A replica of it with blocks 2, 3 and 9. */
static void
sparse_store(struct fix *f)
{
	struct core *from, *to;
	struct fix whole;

	golden_store(&whole, true);
	golden_store(f, false);
	from = fix_core(&whole, CORE_READ);
	to = fix_core(f, CORE_REPLICA);
	copy_block(to, from, 0, true);
	copy_block(to, from, 2, false);
	copy_block(to, from, 3, false);
	copy_block(to, from, 9, false);
	core_close(to);
	core_close(from);
	fix_close(&whole);
}

/* An empty store with the key whose manifest session i carries. */
static void
learned_store(struct fix *f, size_t i)
{
	struct said list[SAID_MAX];
	struct talk t = {.log = vec_at(json_array_get(sessions, i), "log")};
	struct err e = ERR_INIT;
	size_t n = recorded(&t, "seeder", list);
	struct dec d;
	uint64_t id;

	memset(f, 0, sizeof(*f));
	fix_dir(f);
	fix_store(f);
	for (size_t k = 0; k < n; k++) {
		dec_init(&d, list[k].body);
		if (list[k].type == MESSAGE_DATA &&
		    message_dec_data(&d, &id, proof, manifest) &&
		    proof->manifest != NULL)
			manifest_key(&f->key, proof->manifest);
	}
	check_ok(core_add(f->s, NULL, &f->key, NULL, &e), &e);
	check_ok(store_refresh(f->s, &e), &e);
}

/* -- comparing ------------------------------------------------------------ */

/* Messages of one type, in order, are the same. */
static void
same_of(const struct talk *t, const char *from, enum message_type type)
{
	struct said list[SAID_MAX];
	size_t n = recorded(t, from, list), k = 0;

	for (size_t i = 0; i < n; i++) {
		if (list[i].type != type)
			continue;
		while (k < t->n && t->ours[k].type != type)
			k++;
		check(k < t->n);
		check_same(t->ours[k++].body, list[i].body);
	}
	while (k < t->n)
		check(t->ours[k++].type != type);
}

/* Our k-th message. */
static void
said(const struct talk *t, size_t k, enum message_type type, const char *hex)
{
	check(k < t->n);
	check(t->ours[k].type == type);
	check_view_hex(t->ours[k].body, hex);
}

/* -- we are the seeder ---------------------------------------------------- */

static void
test_seeder(void **state)
{
	struct talk t = {.now = 1};

	(void)state;
	golden_store(&t.f, true);
	begin(&t, 0, false);
	hear_all(&t, "downloader");
	for (enum message_type m = 0; m < MESSAGE_TYPES; m++)
		same_of(&t, "seeder", m);
	end(&t);
}

static void
test_sparse_seeder(void **state)
{
	struct talk t = {.now = 1};

	(void)state;
	sparse_store(&t.f);
	begin(&t, 1, false);
	hear_all(&t, "downloader");
	for (enum message_type m = 0; m < MESSAGE_TYPES; m++)
		same_of(&t, "seeder", m);
	end(&t);
}

/* -- we are the downloader ------------------------------------------------ */

/* The seeder's answer to our request, from the record. */
static void
answer(struct talk *t, const struct message_request *q)
{
	struct said list[SAID_MAX];
	size_t n = recorded(t, "seeder", list);
	struct dec d;
	struct buf b;
	uint64_t id;

	for (size_t i = 0; i < n; i++) {
		dec_init(&d, list[i].body);
		if (list[i].type != MESSAGE_DATA ||
		    !message_dec_data(&d, &id, proof, manifest) ||
		    proof->has_block != q->part.has_block ||
		    (proof->has_block &&
			proof->block_index != q->part.block_index))
			continue;
		buf_init(&b, 1 << 20);
		enc_u8(&b, 1);
		enc_u8(&b, MESSAGE_DATA);
		message_put_data(&b, q->id, proof);
		hear(t, buf_view(&b));
		buf_deinit(&b);
		return;
	}
	vec_fail(__FILE__, __LINE__, "the record has an answer");
}

static void
test_downloader(void **state)
{
	struct talk t = {.now = 1};
	struct message_request q;
	struct err e = ERR_INIT;
	struct dec d;
	struct core *core;
	struct want w;
	struct buf b;
	int heard = 0;

	(void)state;
	golden_store(&t.f, false);
	begin(&t, 0, true);
	check_ok(replicate_download(t.c, 0, UINT64_MAX, &e), &e);
	turn(&t);
	for (size_t i = 0; heard < 3; i++) {
		const json_t *o = json_array_get(t.log, i);

		if (strcmp(vec_str(o, "from"), "seeder") != 0)
			continue;
		hear(&t, vec_hex_at(o, "frame"));
		heard++;
	}
	said(&t, 0, MESSAGE_SYNC, "07000000");
	said(&t, 1, MESSAGE_REQUEST, "180100000b");
	for (size_t k = 1; k < t.n; k++) {
		dec_init(&d, t.ours[k].body);
		if (t.ours[k].type == MESSAGE_REQUEST &&
		    message_dec_request(&d, &q))
			answer(&t, &q);
	}
	/* in order, with as many nodes as the original asked for */
	said(&t, 2, MESSAGE_REQUEST, "0101000003");
	said(&t, 10, MESSAGE_REQUEST, "0109000801");
	said(&t, 12, MESSAGE_REQUEST, "010b000a00");
	/* nothing is told before it is durable; then contiguity and length */
	said(&t, 13, MESSAGE_RANGE, "00000b");
	said(&t, 14, MESSAGE_SYNC, "0e000b0b");
	check(t.n == 15);
	core = replicate_core_handle(t.c);
	check(core_head(core)->contiguous == 11);
	check_ok(core_verify(core, &e), &e);
	buf_init(&b, 64);
	check_ok(core_get(core, 0, &b, &w, &e), &e);
	check_same(buf_view(&b), view_str("block 0"));
	buf_deinit(&b);
	end(&t);
}

/* The seeder appends while connected; block 1 is read at the end. */
static void
test_live(void **state)
{
	struct want w = {.kind = WANT_BLOCK, .index = 1};
	struct talk t = {.now = 1};
	struct err e = ERR_INIT;
	size_t n = 0;

	(void)state;
	learned_store(&t.f, 2);
	begin(&t, 2, true);
	replicate_follow(t.c, true);
	turn(&t);
	for (size_t i = 0; i < json_array_size(t.log); i++) {
		const json_t *o = json_array_get(t.log, i);

		if (strcmp(vec_str(o, "from"), "seeder") != 0)
			continue;
		if (i + 1 == json_array_size(t.log))
			check_ok(replicate_need(t.c, &w, &e), &e);
		turn(&t);
		hear(&t, vec_hex_at(o, "frame"));
		n++;
	}
	check(n == 9);
	said(&t, 0, MESSAGE_SYNC, "07000000");
	said(&t, 1, MESSAGE_REQUEST, "1801000001");
	said(&t, 2, MESSAGE_SYNC, "0e000101");
	said(&t, 3, MESSAGE_REQUEST, "0801000101");
	said(&t, 4, MESSAGE_SYNC, "0e000202");
	said(&t, 5, MESSAGE_REQUEST, "210100010001");
	/* no word of block 1: the seeder has it */
	check(t.n == 6 && core_has(replicate_core_handle(t.c), 1));
	end(&t);
}

/* Blocks are forgotten at the seeder: a want, its bitfield, a request. */
static void
test_cleared(void **state)
{
	struct want w = {.kind = WANT_BLOCK, .index = 5};
	struct talk t = {.now = 1};
	struct err e = ERR_INIT;
	size_t k;

	(void)state;
	learned_store(&t.f, 4);
	begin(&t, 4, true);
	replicate_follow(t.c, true);
	turn(&t);
	for (size_t i = 0; i < json_array_size(t.log); i++) {
		const json_t *o = json_array_get(t.log, i);
		struct view frame = vec_hex_at(o, "frame");

		if (strcmp(vec_str(o, "from"), "seeder") != 0)
			continue;
		hear(&t, frame);
		if (frame.ptr[1] == MESSAGE_RANGE)
			check_ok(replicate_need(t.c, &w, &e), &e);
		turn(&t);
	}
	for (k = 0; k < t.n && t.ours[k].type != MESSAGE_WANT; k++)
		;
	said(&t, k, MESSAGE_WANT, "00fe00002000");
	said(&t, k + 1, MESSAGE_REQUEST, "210100050101");
	check(core_has(replicate_core_handle(t.c), 5));
	check(!core_has(replicate_core_handle(t.c), 3));
	end(&t);
}

/* A block is pushed that was not asked for: it is not taken. */
static void
test_push(void **state)
{
	struct replicate_peer_stats st;
	struct talk t = {.now = 1};

	(void)state;
	learned_store(&t.f, 5);
	begin(&t, 5, true);
	replicate_follow(t.c, true);
	turn(&t);
	hear_all(&t, "seeder");
	check(core_head(replicate_core_handle(t.c))->length == 2);
	check(!core_has(replicate_core_handle(t.c), 1));
	replicate_peer_stats(t.p, &st);
	check(st.wasted == 1 && st.blocks_in == 0);
	for (size_t k = 0; k < t.n; k++)
		if (t.ours[k].type == MESSAGE_SYNC)
			check((t.ours[k].body.ptr[0] & 16) == 0);
	end(&t);
}

/* -- the key -------------------------------------------------------------- */

static void
test_capability(void **state)
{
	struct talk t = {.now = 1};
	struct err e = ERR_INIT;
	struct view frame;
	uint8_t bad[256];

	(void)state;
	golden_store(&t.f, true);
	begin(&t, 0, false);
	frame = vec_hex_at(json_array_get(t.log, 1), "frame");
	check(frame.len < sizeof(bad));
	memcpy(bad, frame.ptr, frame.len);
	bad[frame.len - 1] ^= 1;
	check_code(replicate_peer_recv(t.p, view_of(bad, frame.len), 2, &e),
	    ERR_VERIFY);
	end(&t);
	/* our own capability sent back proves nothing either */
	golden_store(&t.f, true);
	begin(&t, 0, true);
	check_code(replicate_peer_recv(t.p, frame, 2, &e), ERR_VERIFY);
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_seeder),
	    cmocka_unit_test(test_sparse_seeder),
	    cmocka_unit_test(test_downloader),
	    cmocka_unit_test(test_live),
	    cmocka_unit_test(test_cleared),
	    cmocka_unit_test(test_push),
	    cmocka_unit_test(test_capability),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
