/* fix_proof: writers of every length and replicas of them. */
#ifndef TESTS_CORE_FIX_PROOF_H
#define TESTS_CORE_FIX_PROOF_H

#include "fix.h"

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

static inline int
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

static inline int
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

static inline void
replica_open(struct pair *r)
{
	fix_open(&r->f, 9, false);
	r->c = fix_core(&r->f, CORE_REPLICA);
}

static inline void
replica_close(struct pair *r)
{
	struct err e = ERR_INIT;

	check_ok(core_verify(r->c, &e), &e);
	core_close(r->c);
	fix_close(&r->f);
}

static inline void
make(struct core *c, const struct core_request *q)
{
	struct err e = ERR_INIT;
	struct want w;

	check_ok(core_proof_make(proof, &value, c, q, &w, &e), &e);
}

static inline enum core_outcome
apply(struct core *c)
{
	struct err e = ERR_INIT;
	enum core_outcome o;

	check_ok(core_proof_apply(c, proof, &o, &e), &e);
	return o;
}

static inline void
upgrade_to(struct core *replica, struct core *from)
{
	struct core_request q = {.has_upgrade = true, .manifest = true};

	q.upgrade_start = core_head(replica)->length;
	q.upgrade_length = core_head(from)->length - q.upgrade_start;
	make(from, &q);
	check(apply(replica) == CORE_TAKEN);
}

static inline bool
same_head(struct core *a, struct core *b)
{
	const struct core_head *x = core_head(a), *y = core_head(b);

	return x->length == y->length && x->byte_length == y->byte_length &&
	       x->fork == y->fork && b32_eq(&x->tree_hash, &y->tree_hash) &&
	       view_eq(core_signature(a), core_signature(b));
}

/* Levels from a flat index to the first node that c has. */
static inline uint64_t
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

static inline void
get_block(struct core *replica, struct core *from, uint64_t i)
{
	struct core_request q = {.has_block = true, .block_index = i};

	q.block_nodes = levels(replica, 2 * i);
	make(from, &q);
	check(apply(replica) == CORE_TAKEN);
	check(core_has(replica, i));
	check(apply(replica) == CORE_IGNORED);
}

#endif
