/* Where sources and targets come from: links, other stores, peers. */
#include "tests/unit/multisig/relfix.h"

/* -- sources ---------------------------------------------------------------------- */

static void
truncated_source(void **state)
{
	struct relfix x;

	(void)state;
	relfix_begin(&x);
	check_ok(hyperdrive_batch_new(
		     &x.src.b, x.src.d, CORE_BATCH_REAL, BLOBS_SHARED, &x.e),
	    &x.e);
	check_ok(hyperdrive_batch_truncate(x.src.b, x.req.length, &x.e), &x.e);
	drivefix_commit(&x.src);
	relfix_put(&x, "/b", 1, 1000);
	check_code(
	    release_request(&x.o, 0, 3, &x.req, &x.bytes, &x.e), ERR_CONFLICT);
	check(strcmp(x.e.tag, "FORK_MISMATCH") == 0);
	relfix_close(&x);
}

static void
source_link(void **state)
{
	struct relfix x;
	uint64_t early;

	(void)state;
	relfix_begin(&x);
	early = x.req.length;
	relfix_put(&x, "/b", 1, 1000);
	x.o.has_source_version = true;
	x.o.source_length = early;
	check_ok(release_request(&x.o, 0, 3, &x.req, &x.bytes, &x.e), &x.e);
	check(x.req.length == early);
	check(x.req.version == 3 && x.req.fork == 0);
	x.o.source_fork = 1;
	check_code(
	    release_request(&x.o, 0, 3, &x.req, &x.bytes, &x.e), ERR_CONFLICT);
	check(strcmp(x.e.tag, "FORK_MISMATCH") == 0);
	relfix_expect_refused(&x, ERR_CONFLICT, "FORK_MISMATCH");
	relfix_close(&x);
}

static void
no_source(void **state)
{
	struct relfix x;

	(void)state;
	relfix_begin(&x);
	memset(x.o.source.b, 3, 32);
	relfix_expect_refused(&x, ERR_PEERS, "SOURCE_CORE_TOO_SMALL");
	check_code(
	    release_request(&x.o, 4, 3, &x.req, &x.bytes, &x.e), ERR_PEERS);
	relfix_close(&x);
}

/* A block of the source that is not here is named, and fetched if possible. */
struct giver {
	struct store *from, *to;
	uint64_t given;
};

/* Levels from a node up to one that c has. */
static uint64_t
levels(struct core *c, uint64_t flat)
{
	struct err e = ERR_INIT;
	struct node n;
	struct want w;
	uint64_t up = 0;

	if (core_head(c)->length == 0)
		return 0;
	for (; core_node(c, flat, &n, &w, &e) == ERR_NEED_BLOCK; up++)
		flat = flat_parent(flat);
	return up;
}

static enum err_code
give(void *ctx, const struct want *w, struct err *e)
{
	struct giver *g = ctx;
	struct core *from = NULL, *to = NULL;
	/* a node comes with a block below it: only that proves its size */
	uint64_t block =
	    w->kind == WANT_NODE ? flat_left_span(w->index) / 2 : w->index;
	struct core_request q = {.has_block = w->kind != WANT_LENGTH,
	    .block_index = block,
	    .manifest = true};
	struct core_proof *p = calloc(1, sizeof(*p));
	enum core_outcome outcome;
	struct buf value;
	struct want none;

	check(p != NULL);
	buf_init(&value, CORE_BLOCK_MAX);
	check_ok(core_open(&from, g->from, &w->key, CORE_READ, e), e);
	check_ok(core_open(&to, g->to, &w->key, CORE_REPLICA, e), e);
	q.has_upgrade = core_head(to)->length < core_head(from)->length;
	q.upgrade_start = core_head(to)->length;
	q.upgrade_length = core_head(from)->length - core_head(to)->length;
	q.block_nodes = levels(to, 2 * block);
	check_ok(core_proof_make(p, &value, from, &q, &none, e), e);
	check_ok(core_proof_apply(to, p, &outcome, e), e);
	g->given++;
	core_close(from);
	core_close(to);
	buf_deinit(&value);
	free(p);
	return ERR_OK;
}

static void
sparse_source(void **state)
{
	struct relfix x;
	struct want w;
	struct b32 blobs;
	struct giver g;
	struct fix there;
	struct fetch fetch = {.get = give, .ctx = &g};

	(void)state;
	relfix_begin(&x);
	fix_dir(&there);
	fix_store(&there);
	g = (struct giver){x.o.store, there.s, 0};
	/* the other store knows how long both cores are, and one block */
	check(hyperdrive_blobs_key(x.src.d, &blobs));
	check_ok(core_add(there.s, NULL, &x.o.source, NULL, &x.e), &x.e);
	check_ok(core_add(there.s, NULL, &blobs, NULL, &x.e), &x.e);
	w = (struct want){x.o.source, WANT_BLOCK, 0};
	check_ok(give(&g, &w, &x.e), &x.e);
	w.key = blobs;
	check_ok(give(&g, &w, &x.e), &x.e);
	x.o.store = there.s;
	check_code(relfix_run(&x), ERR_NOT_FOUND);
	check(!x.r.committed && !relfix_journal(&x));
	x.o.fetch = &fetch;
	check_ok(relfix_verify(&x), &x.e);
	check_ok(relfix_run(&x), &x.e);
	relfix_expect_released(&x);
	check(g.given >= x.req.length + x.req.blobs_length - 1);
	store_close(there.s);
	x.o.store = g.from;
	relfix_close(&x);
}

/* -- a target that is longer elsewhere ----------------------------------------------- */

struct updater {
	struct giver g;
	uint64_t length; /* asked for the metadata core */
	bool works;
};
static struct updater updater;

static enum err_code
bring(void *ctx, const struct b32 *key, uint64_t length, uint64_t timeout_ms,
    struct err *e)
{
	struct relfix *x = ctx;
	struct want w = {*key, WANT_LENGTH, length};

	(void)timeout_ms;
	if (b32_eq(key, &x->c.key))
		updater.length = length;
	if (!updater.works)
		return ERR_OK;
	check_ok(core_add(updater.g.to, NULL, key, NULL, e), e);
	return give(&updater.g, &w, e);
}

/* What is elsewhere stays unseen: somebody else's release. */
static void
behind(void **state)
{
	struct relfix x;

	(void)state;
	relfix_begin(&x);
	check_ok(relfix_run(&x), &x.e);
	x.o.first_commit = false;
	relfix_put(&x, "/b", 1, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	x.o.peers = &x.peers;
	x.of_target = (struct peers_answer){2, 2, 50, 2};
	updater = (struct updater){.works = false};
	x.peers.update = bring;
	relfix_expect_refused(&x, ERR_PEERS, "TARGET_CORE_INSUFFICIENT_PEERS");
	check(strstr(x.e.msg, "50 blocks") != NULL);
	check(updater.length == 50);
	relfix_close(&x);
}

/* The second release from another machine, with other signers: it gets
 * source and target from the first one. */
static void
other_machine(void **state)
{
	struct relfix x;
	struct fix there;
	struct want w;
	struct b32 blobs;
	struct fetch fetch = {.get = give, .ctx = &updater.g};

	(void)state;
	relfix_begin(&x);
	check_ok(relfix_run(&x), &x.e);
	x.o.first_commit = false;
	relfix_put(&x, "/b", 3, 1000);
	relfix_request(&x);
	for (size_t i = 0; i < 2; i++)
		check_ok(response_make(&x.res[i], &x.req, &x.pair[2 - i], &x.e),
		    &x.e);
	fix_dir(&there);
	fix_store(&there);
	updater = (struct updater){.g = {x.o.store, there.s, 0}, .works = true};
	check(hyperdrive_blobs_key(x.src.d, &blobs));
	check_ok(core_add(there.s, NULL, &x.o.source, NULL, &x.e), &x.e);
	check_ok(core_add(there.s, NULL, &blobs, NULL, &x.e), &x.e);
	w = (struct want){x.o.source, WANT_BLOCK, 0};
	check_ok(give(&updater.g, &w, &x.e), &x.e);
	w.key = blobs;
	check_ok(give(&updater.g, &w, &x.e), &x.e);
	x.of_target = (struct peers_answer){2, 2, 1, 2};
	x.peers.update = bring;
	x.o.peers = &x.peers;
	x.o.fetch = &fetch;
	x.o.store = there.s;
	x.of_source = (struct peers_answer){2, 2, x.req.length, 2};
	x.o.min_peers = x.o.min_full = 2;
	check_ok(relfix_run(&x), &x.e);
	check(updater.length == 1);
	check(x.r.part[0].before.length > 0 && x.r.committed);
	check(relfix_length(&x, &x.c.key) == x.req.length);
	check(relfix_length(&x, &x.c.blobs_key) == x.req.blobs_length);
	store_close(there.s);
	x.o.store = updater.g.from;
	relfix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(truncated_source),
	    cmocka_unit_test(source_link),
	    cmocka_unit_test(no_source),
	    cmocka_unit_test(sparse_source),
	    cmocka_unit_test(behind),
	    cmocka_unit_test(other_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
