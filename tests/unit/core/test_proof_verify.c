/* proof_verify: changed proofs must not be believed. */
#include "fix_proof.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_changed),
	    cmocka_unit_test(test_lying_sizes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
