/* plot: a replica that wants all, a store that has it, and a peer that says
 * what the test wants. */
#ifndef TESTS_REPLICATE_PLOT_H
#define TESTS_REPLICATE_PLOT_H

#include "foe.h"

/* What is being said. */
static struct core_proof *proof;
static struct buf value;

static inline int
plot_setup(void **state)
{
	(void)state;
	proof = calloc(1, sizeof(*proof));
	check(proof != NULL);
	buf_init(&value, 1 << 20);
	return 0;
}

static inline int
plot_teardown(void **state)
{
	(void)state;
	free(proof);
	buf_deinit(&value);
	return 0;
}

/* The foe claims to have so many blocks, as truth does, and was asked for the
 * head. */
static inline struct replicate_core *
plot_meet(struct net *n, struct side *truth, struct side *b, struct foe *f,
    uint64_t blocks)
{
	struct replicate_core *rc;
	struct err e = ERR_INIT;

	net_side(n, truth, true, NULL);
	net_side(n, b, false, NULL);
	net_fill(truth, blocks);
	rc = net_open(b);
	check_ok(replicate_download(rc, 0, UINT64_MAX, &e), &e);
	foe_join(n, f, b);
	foe_turn(n, f);
	foe_sync(f, 0, blocks, 0);
	foe_range(f, false, 0, blocks);
	foe_turn(n, f);
	check(f->rc == ERR_OK && f->nq == 1 && f->q[0].part.has_upgrade);
	return rc;
}

#endif
