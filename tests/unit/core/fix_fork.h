/* fix_fork: a writer with a history, and replicas that follow it. */
#ifndef TESTS_CORE_FIX_FORK_H
#define TESTS_CORE_FIX_FORK_H

#include "core/fork.h"
#include "fix.h"

#define BLOCKS_MAX 400

/* The writer; version[i] tells what block i holds now. */
struct story {
	struct fix f;
	struct core *c;
	unsigned versions;
	unsigned version[BLOCKS_MAX];
};

static struct core_proof *proof, *lie;
static struct buf value;

static inline int
setup(void **state)
{
	(void)state;
	proof = calloc(1, sizeof(*proof));
	lie = calloc(1, sizeof(*lie));
	check(proof != NULL && lie != NULL);
	buf_init(&value, 1 << 20);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	free(proof);
	free(lie);
	buf_deinit(&value);
	return 0;
}

static inline struct view
story_block(unsigned version, uint64_t i, char *space, size_t cap)
{
	int n = snprintf(space, cap, "%u of version %u%.*s", (unsigned)i,
	    version, (int)((i + version) % 13), ".............");

	return view_of(space, (size_t)n);
}

static inline void
story_begin(struct story *s)
{
	memset(s, 0, sizeof(*s));
	fix_open(&s->f, 9, true);
	s->c = fix_core(&s->f, CORE_WRITE);
}

static inline void
story_end(struct story *s)
{
	core_close(s->c);
	fix_close(&s->f);
}

static inline void
story_append(struct story *s, uint64_t n)
{
	struct err e = ERR_INIT;
	struct core_batch *b = fix_batch(s->c);
	char space[64];
	uint64_t i = core_head(s->c)->length;

	s->versions++;
	check(i + n <= BLOCKS_MAX);
	for (uint64_t end = i + n; i < end; i++) {
		s->version[i] = s->versions;
		check_ok(core_batch_append(b,
			     story_block(s->versions, i, space, sizeof(space)),
			     NULL, &e),
		    &e);
	}
	fix_commit(b);
	core_batch_free(b);
}

static inline void
story_truncate(struct story *s, uint64_t length)
{
	struct err e = ERR_INIT;
	struct core_batch *b = fix_batch(s->c);

	check_ok(core_batch_truncate(b, length, &e), &e);
	fix_commit(b);
	core_batch_free(b);
}

/* -- replicas ------------------------------------------------------------- */

struct replica {
	struct fix f;
	struct core *c;
	bool has[BLOCKS_MAX];
	unsigned version[BLOCKS_MAX];
};

static inline void
replica_begin(struct replica *r)
{
	memset(r, 0, sizeof(*r));
	fix_open(&r->f, 9, false);
	r->c = fix_core(&r->f, CORE_REPLICA);
}

static inline void
replica_again(struct replica *r)
{
	core_close(r->c);
	fix_again(&r->f);
	r->c = fix_core(&r->f, CORE_REPLICA);
}

static inline void
replica_end(struct replica *r)
{
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

static inline void
apply(struct replica *r)
{
	struct err e = ERR_INIT;
	enum core_outcome o;

	check_ok(core_proof_apply(r->c, proof, &o, &e), &e);
}

/* The longer head of the same fork. */
static inline void
replica_upgrade(struct replica *r, struct story *s)
{
	struct core_request q = {.has_upgrade = true, .manifest = true};
	uint64_t have = core_head(r->c)->length;

	if (have == core_head(s->c)->length)
		return;
	q.upgrade_start = have;
	q.upgrade_length = core_head(s->c)->length - have;
	make(s->c, &q);
	apply(r);
}

static inline void
replica_get(struct replica *r, struct story *s, uint64_t i)
{
	struct err e = ERR_INIT;
	struct core_request q = {.has_block = true, .block_index = i};
	uint64_t flat = 2 * i;
	struct want w;
	struct node n;

	for (; core_node(r->c, flat, &n, &w, &e) == ERR_NEED_BLOCK;
	     flat = flat_parent(flat))
		q.block_nodes++;
	make(s->c, &q);
	apply(r);
	check(core_has(r->c, i));
	r->has[i] = true;
	r->version[i] = s->version[i];
}

/* Is exactly what was fetched here, and right? */
static inline void
replica_expect(struct replica *r)
{
	struct err e = ERR_INIT;
	struct want w;
	struct buf b;
	char space[64];

	buf_init(&b, 1 << 20);
	for (uint64_t i = 0; i < core_head(r->c)->length; i++) {
		check(core_has(r->c, i) == r->has[i]);
		if (!r->has[i])
			continue;
		buf_reset(&b);
		check_ok(core_get(r->c, i, &b, &w, &e), &e);
		check_same(buf_view(&b),
		    story_block(r->version[i], i, space, sizeof(space)));
	}
	buf_deinit(&b);
	check_ok(core_verify(r->c, &e), &e);
}

static inline bool
same_head(struct core *a, struct core *b)
{
	const struct core_head *x = core_head(a), *y = core_head(b);

	return x->length == y->length && x->byte_length == y->byte_length &&
	       x->fork == y->fork && b32_eq(&x->tree_hash, &y->tree_hash) &&
	       view_eq(core_signature(a), core_signature(b));
}

#endif
