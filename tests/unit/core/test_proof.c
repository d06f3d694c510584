/* proof: golden proofs of hypercore@11.37.1, every request shape between a
 * writer and a replica, and changed proofs that must not be believed. */
#include "fix.h"

#include "codec/enc.h"
#include "crypto/hash.h"

#define LEN 20

/* One writer of each length 0 to LEN, made once. */
static struct fix writers[LEN + 1];
static struct core *writer[LEN + 1];

struct pair {
	struct fix f;
	struct core *c;
};

static struct core_proof *proof, *spare;
static struct buf value;

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (uint64_t n = 0; n <= LEN; n++) {
		fix_open(&writers[n], 9, true);
		writer[n] = fix_core(&writers[n], CORE_WRITE);
		if (n > 0)
			fix_append(writer[n], n);
		check_ok(core_verify(writer[n], &e), &e);
	}
	proof = calloc(1, sizeof(*proof));
	spare = calloc(1, sizeof(*spare));
	check(proof != NULL && spare != NULL);
	buf_init(&value, 1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (uint64_t n = 0; n <= LEN; n++) {
		core_close(writer[n]);
		fix_close(&writers[n]);
	}
	free(proof);
	free(spare);
	buf_deinit(&value);
	return 0;
}

static void
replica_open(struct pair *r)
{
	fix_open(&r->f, 9, false);
	r->c = fix_core(&r->f, CORE_REPLICA);
}

static void
replica_close(struct pair *r)
{
	struct err e = ERR_INIT;

	check_ok(core_verify(r->c, &e), &e);
	core_close(r->c);
	fix_close(&r->f);
}

static void
make(struct core *c, const struct core_request *q)
{
	struct err e = ERR_INIT;
	struct want w;

	check_ok(core_proof_make(proof, &value, c, q, &w, &e), &e);
}

static enum core_outcome
apply(struct core *c)
{
	struct err e = ERR_INIT;
	enum core_outcome o;

	check_ok(core_proof_apply(c, proof, &o, &e), &e);
	return o;
}

static void
upgrade_to(struct core *replica, struct core *from)
{
	struct core_request q = {.has_upgrade = true, .manifest = true};

	q.upgrade_start = core_head(replica)->length;
	q.upgrade_length = core_head(from)->length - q.upgrade_start;
	make(from, &q);
	check(apply(replica) == CORE_TAKEN);
}

static bool
same_head(struct core *a, struct core *b)
{
	const struct core_head *x = core_head(a), *y = core_head(b);

	return x->length == y->length && x->byte_length == y->byte_length &&
	       x->fork == y->fork && b32_eq(&x->tree_hash, &y->tree_hash) &&
	       view_eq(core_signature(a), core_signature(b));
}

/* Levels from a flat index to the first node that c has. */
static uint64_t
levels(struct core *c, uint64_t flat)
{
	struct err e = ERR_INIT;
	struct node n;
	struct want w;
	uint64_t k = 0;

	while (core_node(c, flat, &n, &w, &e) == ERR_NEED_BLOCK) {
		flat = flat_parent(flat);
		k++;
	}
	return k;
}

static void
get_block(struct core *replica, struct core *from, uint64_t i)
{
	struct core_request q = {.has_block = true, .block_index = i};

	q.block_nodes = levels(replica, 2 * i);
	make(from, &q);
	check(apply(replica) == CORE_TAKEN);
	check(core_has(replica, i));
	check(apply(replica) == CORE_IGNORED);
}

/* Every length, blocks in a scattered order, from nothing to all. */
static void
test_all_blocks(void **state)
{
	struct err e = ERR_INIT;
	struct pair r;

	(void)state;
	for (uint64_t n = 1; n <= LEN; n++) {
		replica_open(&r);
		upgrade_to(r.c, writer[n]);
		check(same_head(r.c, writer[n]));
		check(core_manifest(r.c) != NULL);
		for (uint64_t k = 0, i = n / 2; k < n; k++) {
			while (core_has(r.c, i))
				i = (i + 1) % n;
			get_block(r.c, writer[n], i);
			i = (i * 7 + 3) % n;
		}
		check(core_head(r.c)->contiguous == n);
		fix_expect(r.c, n);
		core_close(r.c);
		fix_again(&r.f);
		r.c = fix_core(&r.f, CORE_REPLICA);
		fix_expect(r.c, n);
		check_ok(core_verify(r.c, &e), &e);
		replica_close(&r);
	}
}

/* From every length to every greater one, asking for the whole, for a part
 * (additional nodes follow), and together with each block. */
static void
test_upgrades(void **state)
{
	struct pair r;
	struct core_request q;

	(void)state;
	for (uint64_t a = 0; a < LEN; a++) {
		for (uint64_t b = a + 1; b <= LEN; b++) {
			replica_open(&r);
			if (a > 0)
				upgrade_to(r.c, writer[a]);
			memset(&q, 0, sizeof(q));
			q.has_upgrade = q.manifest = true;
			q.upgrade_start = a;
			q.upgrade_length = 1 + (b * 5 + a) % (b - a);
			q.has_block = (a + b) % 3 != 0;
			q.block_index = a + (b * 3) % q.upgrade_length;
			if ((a + b) % 3 == 1 && a > 0) {
				q.block_index = b % a;
				q.block_nodes = levels(r.c, 2 * q.block_index);
			}
			make(writer[b], &q);
			check(apply(r.c) == CORE_TAKEN);
			check(same_head(r.c, writer[b]));
			if (q.has_block)
				check(core_has(r.c, q.block_index));
			check(apply(r.c) == CORE_IGNORED);
			replica_close(&r);
		}
	}
}

/* Every old block with an upgrade behind it, and every new one. */
static void
test_block_in_upgrade(void **state)
{
	struct pair r;
	struct core_request q;

	(void)state;
	for (uint64_t a = 0; a <= 13; a += 13) {
		for (uint64_t i = 0; i < LEN; i++) {
			replica_open(&r);
			if (a > 0)
				upgrade_to(r.c, writer[a]);
			memset(&q, 0, sizeof(q));
			q.has_upgrade = q.has_block = true;
			q.upgrade_start = a;
			q.upgrade_length = LEN - a;
			q.block_index = i;
			if (i < a)
				q.block_nodes = levels(r.c, 2 * i);
			q.manifest = true;
			make(writer[LEN], &q);
			check(apply(r.c) == CORE_TAKEN);
			check(core_has(r.c, i));
			replica_close(&r);
		}
	}
}

/* Hash requests: proven nodes are stored, a claimed first pair is not. */
static void
test_hashes(void **state)
{
	struct err e = ERR_INIT;
	struct pair r;
	struct core_request q;
	struct node got, real;
	struct want w;

	(void)state;
	for (uint64_t flat = 0; flat < 2 * LEN - 1; flat++) {
		if (flat_right_span(flat) > 2 * LEN - 2)
			continue;
		replica_open(&r);
		upgrade_to(r.c, writer[LEN]);
		memset(&q, 0, sizeof(q));
		q.has_hash = true;
		q.hash_index = flat;
		q.hash_nodes = levels(r.c, flat);
		make(writer[LEN], &q);
		check(apply(r.c) ==
		      (q.hash_nodes > 1 ? CORE_TAKEN : CORE_IGNORED));
		for (uint64_t at = flat, k = 0; k < q.hash_nodes; k++) {
			at = flat_parent(at);
			check_ok(core_node(r.c, at, &got, &w, &e), &e);
			check_ok(core_node(writer[LEN], at, &real, &w, &e), &e);
			check(node_eq(&got, &real));
		}
		replica_close(&r);
	}
}

/* Seeks to every byte: under a hash, with an upgrade; padded or not. */
static void
test_seeks(void **state)
{
	struct err e = ERR_INIT;
	struct pair r;
	struct core_request q;
	struct core *from = writer[13];
	struct want w;
	uint64_t total = core_head(from)->byte_length, index, within;

	(void)state;
	for (uint64_t byte = 0; byte <= total; byte++) {
		replica_open(&r);
		memset(&q, 0, sizeof(q));
		q.has_upgrade = q.has_seek = q.manifest = true;
		q.upgrade_length = 13;
		q.seek_bytes = byte;
		q.seek_padding = byte % 5 == 0 ? 2 : 0;
		make(from, &q);
		check(proof->has_seek == (byte < total) || q.seek_padding != 0);
		check(apply(r.c) == CORE_TAKEN);
		check(same_head(r.c, from));
		/* Inside the first root, beside the path of block 1. */
		memset(&q, 0, sizeof(q));
		q.has_hash = q.has_seek = true;
		q.hash_index = 2;
		q.hash_nodes = 3;
		q.seek_bytes = byte;
		if (core_proof_make(proof, &value, from, &q, &w, &e) ==
		    ERR_OK) {
			check(byte < total);
			(void)apply(r.c);
		}
		check_ok(core_verify(r.c, &e), &e);
		/* The replica leads to the byte, block by block. */
		while (byte < total && core_seek(r.c, byte, &index, &within, &w,
					   &e) == ERR_NEED_BLOCK)
			get_block(r.c, from, w.index);
		replica_close(&r);
	}
}

static void
test_refused_requests(void **state)
{
	struct err e = ERR_INIT;
	struct want w;
	struct pair r;
	static const struct core_request bad[] = {
	    {.has_block = true, .block_index = 13},
	    {.has_block = true, .block_index = UINT64_MAX},
	    {.has_block = true, .block_index = 2, .block_nodes = 4},
	    {.has_block = true, .block_nodes = UINT64_MAX},
	    {.has_block = true, .has_hash = true},
	    {.has_hash = true, .hash_index = 26},
	    {.has_hash = true, .hash_index = 15},
	    {.has_hash = true, .hash_index = UINT64_MAX},
	    {.has_seek = true, .seek_bytes = 3},
	    {.has_hash = true, .has_seek = true, .seek_bytes = 90},
	    {.has_upgrade = true},
	    {.has_upgrade = true, .upgrade_length = 14},
	    {.has_upgrade = true, .upgrade_start = 13, .upgrade_length = 1},
	    {.has_upgrade = true,
		.upgrade_start = UINT64_MAX,
		.upgrade_length = 2},
	    {.has_upgrade = true,
		.upgrade_length = 5,
		.has_block = true,
		.block_index = 7},
	    {.has_upgrade = true,
		.upgrade_length = 5,
		.has_block = true,
		.has_seek = true},
	    {.has_upgrade = true,
		.upgrade_start = 2,
		.upgrade_length = 5,
		.has_hash = true,
		.hash_index = 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		enum err_code rc =
		    core_proof_make(proof, &value, writer[13], &bad[i], &w, &e);

		if (rc != ERR_INVALID)
			fprintf(stderr, "request %zu\n", i);
		check(rc == ERR_INVALID);
	}
	/* What is not here is wanted, not refused. */
	replica_open(&r);
	upgrade_to(r.c, writer[13]);
	check_code(
	    core_proof_make(proof, &value, r.c,
		&(struct core_request){.has_block = true, .block_index = 5}, &w,
		&e),
	    ERR_NEED_BLOCK);
	check(w.kind == WANT_BLOCK && w.index == 5);
	replica_close(&r);
	check_ok(core_proof_make(proof, &value, writer[0],
		     &(struct core_request){
			 .has_upgrade = true, .upgrade_length = 1},
		     &w, &e),
	    &e);
	check(!proof->has_upgrade && !proof->has_block);
}

/* -- golden proofs -------------------------------------------------------- */

static void
enc_nodes(struct buf *b, const struct core_nodes *n)
{
	enc_uint(b, n->n);
	for (size_t i = 0; i < n->n; i++) {
		enc_uint(b, n->node[i].index);
		enc_uint(b, n->node[i].size);
		enc_b32(b, &n->node[i].hash);
	}
}

/* The data message of network.md 6.1, with request 0. */
static void
enc_proof(struct buf *b, const struct core_proof *p)
{
	enc_uint(b, (p->has_block ? 1u : 0) | (p->has_hash ? 2u : 0) |
			(p->has_seek ? 4u : 0) | (p->has_upgrade ? 8u : 0));
	enc_uint(b, 0);
	enc_uint(b, p->fork);
	if (p->has_block) {
		enc_uint(b, p->block_index);
		enc_bytes(b, p->block);
		enc_nodes(b, &p->block_nodes);
	}
	if (p->has_hash) {
		enc_uint(b, p->hash_index);
		enc_nodes(b, &p->hash_nodes);
	}
	if (p->has_seek) {
		enc_uint(b, p->seek_bytes);
		enc_nodes(b, &p->seek_nodes);
	}
	if (!p->has_upgrade)
		return;
	enc_uint(b, p->upgrade_start);
	enc_uint(b, p->upgrade_length);
	enc_nodes(b, &p->upgrade_nodes);
	enc_nodes(b, &p->additional_nodes);
	enc_bytes(b, p->signature);
}

static uint64_t
cell(const json_t *row, size_t i, bool *has)
{
	json_int_t n = json_integer_value(json_array_get(row, i));

	*has = n >= 0;
	return n < 0 ? 0 : (uint64_t)n;
}

static void
read_row(struct core_request *q, const json_t *row)
{
	bool skip;

	memset(q, 0, sizeof(*q));
	q->block_index = cell(row, 1, &q->has_block);
	q->block_nodes = cell(row, 2, &skip);
	q->hash_index = cell(row, 3, &q->has_hash);
	q->hash_nodes = cell(row, 4, &skip);
	q->seek_bytes = cell(row, 5, &q->has_seek);
	q->seek_padding = cell(row, 6, &skip);
	q->upgrade_start = cell(row, 7, &q->has_upgrade);
	q->upgrade_length = cell(row, 8, &skip);
}

static void
check_row(const json_t *row, struct buf *msg)
{
	struct err e = ERR_INIT;
	struct core_request q;
	struct want w;
	struct b32 h;
	const char *answer = json_string_value(json_array_get(row, 9));
	struct core *c = writer[json_integer_value(json_array_get(row, 0))];
	enum err_code rc;

	read_row(&q, row);
	rc = core_proof_make(proof, &value, c, &q, &w, &e);
	if ((rc == ERR_OK) != (answer != NULL))
		fprintf(stderr, "%s: %s\n", json_dumps(row, 0), e.msg);
	check((rc == ERR_OK) == (answer != NULL));
	if (answer == NULL) {
		check(rc == ERR_INVALID);
		return;
	}
	buf_reset(msg);
	enc_proof(msg, proof);
	hash_data(&h, buf_view(msg));
	if (!view_eq(view_b32(&h), vec_hex(answer)))
		fprintf(stderr, "%s\n", json_dumps(row, 0));
	check_view_hex(view_b32(&h), answer);
}

/* Byte for byte what hypercore answers, and it refuses what that refuses. */
static void
test_vectors(void **state)
{
	json_t *v = vec_load("proofs"), *rows = vec_at(v, "rows");
	struct buf msg;

	(void)state;
	check_same(view_b32(core_key(writer[1])), vec_hex_at(v, "key"));
	buf_init(&msg, 1 << 16);
	for (size_t i = 0; i < json_array_size(rows); i++)
		check_row(json_array_get(rows, i), &msg);
	check(json_array_size(rows) > 2000);
	buf_deinit(&msg);
	json_decref(v);
}

/* -- changed proofs ------------------------------------------------------- */

/* The changed proof in `spare` is refused, or it leaves the replica as it
 * was, or it gives exactly what the true one gives. */
static void
try_changed(struct core *replica, struct core *from)
{
	struct err e = ERR_INIT;
	struct core_intake *in;
	enum core_outcome o = CORE_IGNORED;
	enum err_code rc;

	check_ok(core_intake_new(&in, replica, &e), &e);
	rc = core_intake_proof(in, spare, &o, &e);
	if (rc == ERR_OK && o == CORE_TAKEN)
		check(b32_eq(&core_intake_head(in)->tree_hash,
			  &core_head(from)->tree_hash) &&
		      core_intake_head(in)->fork == core_head(from)->fork);
	else
		check(rc == ERR_OK || rc == ERR_VERIFY || rc == ERR_CONFLICT);
	core_intake_free(in);
}

static void
must_fail(struct core *replica)
{
	struct err e = ERR_INIT;
	struct core_intake *in;
	enum core_outcome o = CORE_IGNORED;
	enum err_code rc;

	check_ok(core_intake_new(&in, replica, &e), &e);
	rc = core_intake_proof(in, spare, &o, &e);
	check(rc == ERR_VERIFY || rc == ERR_CONFLICT ||
	      (rc == ERR_OK && o == CORE_IGNORED));
	core_intake_free(in);
}

static void
change_list(struct core *replica, struct core_nodes *list)
{
	struct core_nodes keep = *list;

	for (size_t i = 0; i < keep.n; i++) {
		for (size_t k = 0; k < 32; k++) {
			list->node[i].hash.b[k] ^= (uint8_t)(1u << (k % 8));
			must_fail(replica);
			*list = keep;
		}
		for (unsigned k = 0; k < 64; k += 3) {
			list->node[i].size ^= UINT64_C(1) << k;
			must_fail(replica);
			*list = keep;
			list->node[i].index ^= UINT64_C(1) << k;
			must_fail(replica);
			*list = keep;
		}
		memmove(&list->node[i], &list->node[i + 1],
		    (keep.n - i - 1) * sizeof(list->node[0]));
		list->n--;
		must_fail(replica);
		*list = keep;
		memmove(&list->node[i + 1], &list->node[i],
		    (keep.n - i) * sizeof(list->node[0]));
		list->n++;
		must_fail(replica);
		*list = keep;
		if (i > 0) {
			list->node[i] = keep.node[i - 1];
			list->node[i - 1] = keep.node[i];
			must_fail(replica);
			*list = keep;
		}
	}
}

static void
change_rest(struct core *replica, struct core *from)
{
	uint8_t space[256];

	for (unsigned k = 0; k < 60; k += 2) {
		spare->block_index ^= UINT64_C(1) << k;
		try_changed(replica, from);
		spare->block_index = proof->block_index;
		spare->upgrade_start ^= UINT64_C(1) << k;
		try_changed(replica, from);
		spare->upgrade_start = proof->upgrade_start;
		spare->upgrade_length ^= UINT64_C(1) << k;
		try_changed(replica, from);
		spare->upgrade_length = proof->upgrade_length;
		spare->fork ^= UINT64_C(1) << k;
		must_fail(replica);
		spare->fork = proof->fork;
	}
	check(proof->signature.len < sizeof(space));
	for (size_t k = 0; k < proof->signature.len; k++) {
		memcpy(space, proof->signature.ptr, proof->signature.len);
		space[k] ^= 0x40;
		spare->signature = view_of(space, proof->signature.len);
		/* The last two, patch and patch nodes, say nothing without
		 * allowPatch. */
		if (k < 66)
			must_fail(replica);
		else
			try_changed(replica, from);
		spare->signature = view_of(space, k);
		must_fail(replica);
	}
	spare->signature = proof->signature;
	for (size_t k = 0; k < proof->block.len; k++) {
		memcpy(space, proof->block.ptr, proof->block.len);
		space[k] ^= 1;
		spare->block = view_of(space, proof->block.len);
		must_fail(replica);
	}
	spare->block = proof->block;
}

static void
test_changed(void **state)
{
	struct pair r;
	struct core_request q;

	(void)state;
	for (uint64_t a = 0; a <= 14; a += 7) {
		replica_open(&r);
		if (a > 0)
			upgrade_to(r.c, writer[a]);
		memset(&q, 0, sizeof(q));
		q.has_upgrade = q.has_block = q.manifest = true;
		q.upgrade_start = a;
		q.upgrade_length = 4;
		q.block_index = a + 2;
		make(writer[LEN - 1], &q);
		*spare = *proof;
		change_list(r.c, &spare->block_nodes);
		change_list(r.c, &spare->upgrade_nodes);
		change_list(r.c, &spare->additional_nodes);
		change_rest(r.c, writer[LEN - 1]);
		check(apply(r.c) == CORE_TAKEN);
		/* And one without upgrade. */
		memset(&q, 0, sizeof(q));
		q.has_block = true;
		q.block_index = 11;
		q.block_nodes = levels(r.c, 22);
		make(writer[LEN - 1], &q);
		*spare = *proof;
		change_list(r.c, &spare->block_nodes);
		spare->block_index = 12;
		must_fail(r.c);
		replica_close(&r);
	}
}

/* Two sizes that sum up right give a right parent; they must not be kept. */
static void
test_lying_sizes(void **state)
{
	struct err e = ERR_INIT;
	struct pair r;
	struct core_request q = {
	    .has_hash = true, .hash_index = 4, .hash_nodes = 4};
	struct node n;
	struct want w;

	(void)state;
	replica_open(&r);
	upgrade_to(r.c, writer[16]);
	make(writer[16], &q);
	proof->hash_nodes.node[0].size += 3;
	proof->hash_nodes.node[1].size -= 3;
	check(apply(r.c) == CORE_TAKEN);
	check_code(core_node(r.c, 4, &n, &w, &e), ERR_NEED_BLOCK);
	check_code(core_node(r.c, 6, &n, &w, &e), ERR_NEED_BLOCK);
	check_ok(core_node(r.c, 5, &n, &w, &e), &e);
	for (uint64_t i = 0; i < 16; i++)
		if (!core_has(r.c, i))
			get_block(r.c, writer[16], i);
	fix_expect(r.c, 16);
	replica_close(&r);
}

/* Many proofs in one step; a wrong one between them changes nothing. */
static void
test_intake(void **state)
{
	struct err e = ERR_INIT;
	struct pair r;
	struct core_intake *in;
	struct core_request q = {
	    .has_upgrade = true, .upgrade_length = 20, .manifest = true};
	enum core_outcome o;

	(void)state;
	replica_open(&r);
	check_ok(core_intake_new(&in, r.c, &e), &e);
	make(writer[LEN], &q);
	check_ok(core_intake_proof(in, proof, &o, &e), &e);
	for (uint64_t i = 0; i < LEN; i++) {
		memset(&q, 0, sizeof(q));
		q.has_block = true;
		q.block_index = i;
		q.block_nodes = i < 16 ? 4 : 2;
		make(writer[LEN], &q);
		*spare = *proof;
		spare->block_nodes.node[0].hash.b[0] ^= 1;
		check_code(core_intake_proof(in, spare, &o, &e), ERR_VERIFY);
		check_ok(core_intake_proof(in, proof, &o, &e), &e);
		check(o == CORE_TAKEN);
	}
	check(core_head(r.c)->length == 0);
	check_ok(core_intake_commit(in, &e), &e);
	check(core_head(r.c)->contiguous == LEN);
	core_intake_free(in);
	fix_expect(r.c, LEN);
	replica_close(&r);

	/* Without commit nothing has happened. */
	replica_open(&r);
	check_ok(core_intake_new(&in, r.c, &e), &e);
	q = (struct core_request){.has_upgrade = true,
	    .upgrade_length = 20,
	    .has_block = true,
	    .manifest = true};
	make(writer[LEN], &q);
	check_ok(core_intake_proof(in, proof, &o, &e), &e);
	core_intake_free(in);
	check(core_head(r.c)->length == 0 && !core_has(r.c, 0));
	replica_close(&r);
}

/* A truncated core is replicated from nothing; a replica that has the older
 * fork is told. */
static void
test_forks(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct pair r, old;
	struct core *c;
	struct core_batch *b;
	enum core_outcome o;
	struct core_request q = {
	    .has_upgrade = true, .upgrade_length = 5, .manifest = true};

	(void)state;
	fix_open(&f, 9, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 8);
	replica_open(&old);
	upgrade_to(old.c, c);
	b = fix_batch(c);
	check_ok(core_batch_truncate(b, 5, &e), &e);
	fix_commit(b);
	core_batch_free(b);
	replica_open(&r);
	upgrade_to(r.c, c);
	check(same_head(r.c, c) && core_head(r.c)->fork == 1);
	make(c, &q);
	check_code(core_proof_apply(old.c, proof, &o, &e), ERR_CONFLICT);
	replica_close(&r);
	replica_close(&old);
	core_close(c);
	fix_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_all_blocks),
	    cmocka_unit_test(test_upgrades),
	    cmocka_unit_test(test_block_in_upgrade),
	    cmocka_unit_test(test_hashes),
	    cmocka_unit_test(test_seeks),
	    cmocka_unit_test(test_refused_requests),
	    cmocka_unit_test(test_changed),
	    cmocka_unit_test(test_lying_sizes),
	    cmocka_unit_test(test_intake),
	    cmocka_unit_test(test_forks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
