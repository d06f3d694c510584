/* intake: from nothing to a whole replica, in every order and shape. */
#include "crypto/hash_lanes.h"
#include "fix_proof.h"

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

/* A leaf that was computed before takes the place of the computing, and of
 * no check. */
static void
test_leaf(void **state)
{
	struct err e = ERR_INIT;
	struct pair r;
	struct core_intake *in;
	struct core_request q = {
	    .has_upgrade = true, .upgrade_length = 20, .manifest = true};
	enum core_outcome o;
	struct b32 leaf;

	(void)state;
	replica_open(&r);
	check_ok(core_intake_new(&in, r.c, &e), &e);
	make(writer[LEN], &q);
	check_ok(core_intake_leaf(in, proof, NULL, &o, &e), &e);
	for (uint64_t i = 0; i < LEN; i++) {
		memset(&q, 0, sizeof(q));
		q.has_block = true;
		q.block_index = i;
		q.block_nodes = i < 16 ? 4 : 2;
		make(writer[LEN], &q);
		hash_leaves(&leaf, &proof->block, 1);
		leaf.b[i] ^= 1;
		check_code(
		    core_intake_leaf(in, proof, &leaf, &o, &e), ERR_VERIFY);
		leaf.b[i] ^= 1;
		*spare = *proof;
		spare->block_nodes.node[0].hash.b[0] ^= 1;
		check_code(
		    core_intake_leaf(in, spare, &leaf, &o, &e), ERR_VERIFY);
		check_ok(core_intake_leaf(in, proof, &leaf, &o, &e), &e);
		check(o == CORE_TAKEN);
	}
	check_ok(core_intake_commit(in, &e), &e);
	core_intake_free(in);
	check_ok(core_verify(r.c, &e), &e);
	fix_expect(r.c, LEN);
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

/* A prologue is signed by nobody, cannot be cut, and travels whole. */
static void
test_prologue(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct core_batch *b;
	struct core_commit commit = {.batch = &b, .nbatch = 1};
	struct core_request q = {
	    .has_upgrade = true, .upgrade_length = 1, .manifest = true};
	struct pair r;
	struct want w;
	struct tree at;
	char space[64];

	(void)state;
	fix_open(&f, 9, true);
	check_ok(core_tree_at(writer[5], 3, &at, &w, &e), &e);
	f.m.has_prologue = true;
	f.m.prologue_length = 3;
	tree_hash(&at, &f.m.prologue_hash);
	manifest_key(&f.key, &f.m);
	check_ok(core_add(f.s, &f.m, &f.key, &f.pair, &e), &e);
	check_ok(store_refresh(f.s, &e), &e);
	c = fix_core(&f, CORE_WRITE);
	b = fix_batch(c);
	for (uint64_t i = 0; i < 3; i++) {
		if (i > 0)
			check_code(core_commit(&commit, &e), ERR_INVALID);
		check_ok(core_batch_append(
			     b, fix_block(i, space, sizeof(space)), NULL, &e),
		    &e);
	}
	check_ok(core_commit(&commit, &e), &e);
	core_batch_free(b);
	fix_append(c, 4);
	b = fix_batch(c);
	check_ok(core_batch_truncate(b, 2, &e), &e);
	check_code(core_commit(&commit, &e), ERR_INVALID);
	core_batch_free(b);
	fix_expect(c, 7);

	make(c, &q);
	check(proof->upgrade_start == 0 && proof->upgrade_length == 3);
	memset(&r, 0, sizeof(r));
	fix_dir(&r.f);
	fix_store(&r.f);
	r.f.key = f.key;
	check_ok(core_add(r.f.s, &f.m, &f.key, NULL, &e), &e);
	check_ok(store_refresh(r.f.s, &e), &e);
	r.c = fix_core(&r.f, CORE_REPLICA);
	proof->upgrade_length = 2;
	check_code(core_proof_apply(r.c, proof, &(enum core_outcome){0}, &e),
	    ERR_VERIFY);
	proof->upgrade_length = 3;
	check(apply(r.c) == CORE_TAKEN);
	check(same_head(r.c, c));
	replica_close(&r);
	core_close(c);
	fix_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_blocks),
	    cmocka_unit_test(test_upgrades),
	    cmocka_unit_test(test_block_in_upgrade),
	    cmocka_unit_test(test_hashes),
	    cmocka_unit_test(test_seeks),
	    cmocka_unit_test(test_intake),
	    cmocka_unit_test(test_leaf),
	    cmocka_unit_test(test_forks),
	    cmocka_unit_test(test_prologue),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
