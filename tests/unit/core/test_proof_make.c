/* proof_make: golden answers of hypercore@11.37.1, and refusals. */
#include "fix_proof.h"

#include "codec/enc.h"
#include "crypto/hash.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_refused_requests),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
