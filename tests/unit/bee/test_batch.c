/* bee/batch.c, put.c, del.c, emit.c: every block of the golden vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bee/bee.h"
#include "crypto/hash.h"
#include "tests/unit/bee/fake_core.h"

struct world {
	struct core core;
	struct core_batch cb;
	struct bee_batch *bee;
	bool forgetful;	    /* blocks are elsewhere after each flush */
	uint64_t end[1024]; /* core length after each flush */
	size_t nend;
};

static void
world_init(struct world *x, const struct bee_header *h)
{
	struct err e = ERR_INIT;

	memset(x, 0, sizeof(*x));
	x->cb.core = &x->core;
	check_ok(bee_batch_new(&x->bee, &x->core, &x->cb, h, &e), &e);
}

static void
world_deinit(struct world *x)
{
	bee_batch_free(x->bee);
	fake_free(&x->core);
}

static void
put(struct world *x, struct view key, struct view value)
{
	struct err e = ERR_INIT;
	enum err_code rc;
	struct want w;

	until_here(rc, bee_batch_put(x->bee, key, value, &w, &e));
	check_ok(rc, &e);
}

static void
del(struct world *x, struct view key)
{
	struct err e = ERR_INIT;
	enum err_code rc;
	struct want w;

	until_here(rc, bee_batch_del(x->bee, key, &w, &e));
	check_ok(rc, &e);
}

static void
flush(struct world *x, const struct bee_header *h)
{
	struct err e = ERR_INIT;

	check_ok(bee_batch_flush(x->bee, &e), &e);
	fake_commit(&x->core);
	check(x->nend < 1024);
	x->end[x->nend++] = x->core.n;
	if (!x->forgetful)
		return;
	/* a new batch that has to fetch every block it reads */
	bee_batch_free(x->bee);
	check_ok(bee_batch_new(&x->bee, &x->core, &x->cb, h, &e), &e);
	fake_forget(&x->core);
}

static void
run_ops(struct world *x, const json_t *ops, const struct bee_header *h)
{
	bool batch = false;
	const json_t *op;
	size_t i;

	json_array_foreach(ops, i, op)
	{
		const char *name = json_string_value(json_array_get(op, 0));
		const char *k = json_string_value(json_array_get(op, 1));
		const char *v = json_string_value(json_array_get(op, 2));

		if (strcmp(name, "batch") == 0)
			batch = true;
		else if (strcmp(name, "put") == 0)
			put(x, view_str(k), view_str(v));
		else if (strcmp(name, "del") == 0)
			del(x, view_str(k));
		if (strcmp(name, "flush") == 0)
			batch = false;
		if (!batch)
			flush(x, h);
	}
}

static void
check_blocks(struct world *x, const json_t *s)
{
	const json_t *blocks = json_object_get(s, "blocks");
	const json_t *hashes = json_object_get(s, "blockHashes");

	check(x->core.n == vec_num(s, "length"));
	for (size_t i = 0; i < x->core.n; i++) {
		struct view got = fake_view(&x->core, i);

		if (blocks != NULL) {
			check_view_hex(
			    got, json_string_value(json_array_get(blocks, i)));
		} else {
			struct b32 h;

			hash_data(&h, got);
			check_view_hex(view_of(h.b, 8),
			    json_string_value(json_array_get(hashes, i)));
		}
	}
}

static void
check_listing(struct world *x, const json_t *s)
{
	const json_t *listing = json_object_get(s, "listing");
	struct bee_range all = BEE_RANGE_ALL;
	struct err e = ERR_INIT;
	struct bee_entry entry;
	struct bee_iter *it;
	struct want w;
	struct bee *b;
	uint64_t n = 0;
	bool more;

	check_ok(bee_open(&b, &x->core, x->core.n, &e), &e);
	check_ok(bee_iter_open(&it, b, &all, &e), &e);
	for (;; n++) {
		const json_t *want = json_array_get(listing, n);
		enum err_code rc;

		until_here(rc, bee_iter_next(it, &more, &entry, &w, &e));
		check_ok(rc, &e);
		if (!more)
			break;
		if (listing == NULL)
			continue;
		check_same(entry.key,
		    view_str(json_string_value(json_array_get(want, 0))));
		check(entry.seq ==
		      (uint64_t)json_integer_value(json_array_get(want, 1)));
	}
	check(n == vec_num(s, "keys"));
	bee_iter_close(it);
	bee_close(b);
}

/* Every length is a version if and only if a flush ended there. */
static void
check_versions(struct world *x)
{
	size_t next = 0;

	for (uint64_t v = 2; v <= x->core.n; v++) {
		struct err e = ERR_INIT;
		enum err_code rc;
		struct want w;

		while (next < x->nend && x->end[next] < v)
			next++;
		until_here(rc, bee_check_version(&x->core, v, &w, &e));
		if (next < x->nend && x->end[next] == v)
			check_ok(rc, &e);
		else
			check_code(rc, ERR_INVALID);
	}
}

static void
run_vectors(bool forgetful)
{
	json_t *file = vec_load("hyperbee");
	const json_t *seqs = vec_at(file, "sequences"), *s;
	struct b32 feed;
	size_t i;

	check(json_array_size(seqs) == 21);
	memset(feed.b, 0xcd, sizeof(feed.b));
	json_array_foreach(seqs, i, s)
	{
		bool meta = strstr(vec_str(s, "label"), "metadata") != NULL;
		struct bee_header h = {.has_metadata = meta};
		struct world x;

		if (meta)
			h.content_feed = view_b32(&feed);
		world_init(&x, &h);
		x.forgetful = forgetful;
		run_ops(&x, vec_at(s, "ops"), &h);
		check_blocks(&x, s);
		check_listing(&x, s);
		if (!forgetful)
			check_versions(&x);
		world_deinit(&x);
	}
	json_decref(file);
}

static void
test_vectors(void **state)
{
	(void)state;
	run_vectors(false);
}

static void
test_vectors_fetching_every_block(void **state)
{
	(void)state;
	run_vectors(true);
}

/* The operation that a golden block was made by. */
static void
replay_block(struct world *x, const json_t *entry)
{
	struct err e = ERR_INIT;
	struct bee_block block;

	check_ok(bee_block_decode(&block, vec_hex_at(entry, "block"), &e), &e);
	if (block.has_value)
		put(x, block.key, block.value);
	else
		del(x, block.key);
}

static void
replay_db(struct world *x, const json_t *db, bool batch)
{
	struct bee_header h = {.has_metadata = true};
	size_t from = x->core.n, n = json_array_size(db);

	for (size_t i = from == 0 ? 1 : 0; i < n; i++) {
		replay_block(x, json_array_get(db, i));
		if (!batch)
			flush(x, &h);
	}
	flush(x, &h);
	check(x->core.n == from + n);
	for (size_t i = 0; i < n; i++)
		check_same(fake_view(&x->core, from + i),
		    vec_hex_at(json_array_get(db, i), "block"));
}

/* Drives: one core written in two steps, each of one kind. */
static void
test_drive_vectors(void **state)
{
	static const struct {
		const char *outer, *first, *second;
		bool batch;
	} t[] = {
	    {NULL, "single", "more", false},
	    {NULL, "batched", NULL, true},
	    {"stage", "afterFirst", "afterSecond", true},
	    {"provision", "afterFirst", "afterSecond", true},
	};
	json_t *file = vec_load("drive");

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct bee_header h = {.has_metadata = true};
		const json_t *o =
		    t[i].outer == NULL ? file : vec_at(file, t[i].outer);
		struct world x;

		world_init(&x, &h);
		replay_db(&x, vec_at(vec_at(o, t[i].first), "db"), t[i].batch);
		if (t[i].second != NULL)
			replay_db(&x, vec_at(vec_at(o, t[i].second), "db"),
			    t[i].batch);
		check_versions(&x);
		world_deinit(&x);
	}
	json_decref(file);
}

static void
test_pending_is_seen(void **state)
{
	struct bee_header h = {.has_metadata = true};
	struct err e = ERR_INIT;
	struct bee_entry entry;
	struct world x;
	struct want w;

	(void)state;
	world_init(&x, &h);
	check_code(
	    bee_batch_get(x.bee, view_str("a"), &entry, &w, &e), ERR_NOT_FOUND);
	check(x.core.n == 0);
	put(&x, view_str("a"), view_str("1"));
	check(x.core.n == 1); /* the header, not the operation */
	check_ok(bee_batch_get(x.bee, view_str("a"), &entry, &w, &e), &e);
	check(entry.seq == 1);
	check_same(entry.value, view_str("1"));
	put(&x, view_str("a"), view_str("2"));
	check_ok(bee_batch_get(x.bee, view_str("a"), &entry, &w, &e), &e);
	check(entry.seq == 2);
	check_same(entry.value, view_str("2"));
	flush(&x, &h);
	check_ok(bee_batch_get(x.bee, view_str("a"), &entry, &w, &e), &e);
	check(entry.seq == 2);
	check_same(entry.value, view_str("2"));
	del(&x, view_str("a"));
	check_code(
	    bee_batch_get(x.bee, view_str("a"), &entry, &w, &e), ERR_NOT_FOUND);
	flush(&x, &h);
	check(x.core.n == 4);
	world_deinit(&x);
}

static void
test_limits(void **state)
{
	struct bee_header h = {.has_metadata = false};
	uint8_t *big = calloc(1, CORE_BLOCK_MAX);
	struct err e = ERR_INIT;
	struct world x;
	struct want w;

	(void)state;
	check(big != NULL);
	world_init(&x, &h);
	check_code(bee_batch_put(x.bee, view_str("k"),
		       view_of(big, CORE_BLOCK_MAX), &w, &e),
	    ERR_LIMIT);
	check_code(bee_batch_put(x.bee, view_of(big, CORE_BLOCK_MAX),
		       view_str("v"), &w, &e),
	    ERR_LIMIT);
	check(x.core.n == 0);
	put(&x, view_str("k"), view_of(big, CORE_BLOCK_MAX - (1u << 20) - 1));
	flush(&x, &h);
	check(x.core.n == 2);
	world_deinit(&x);
	free(big);
}

/* Half a flush must not be taken for a whole one by a later call. */
static void
test_failed_flush_is_final(void **state)
{
	struct bee_header h = {.has_metadata = true};
	struct view k = view_str("k");
	struct err e = ERR_INIT;
	struct bee_entry entry;
	struct world x;
	struct want w;

	(void)state;
	world_init(&x, &h);
	put(&x, view_str("a"), k);
	put(&x, view_str("b"), k);
	put(&x, view_str("c"), k);
	x.core.refuse_at = 3;
	check_code(bee_batch_flush(x.bee, &e), ERR_NOSPACE);
	x.core.refuse_at = 0;
	check(x.core.n == 3);
	check_code(bee_batch_flush(x.bee, &e), ERR_NOSPACE);
	check_code(bee_batch_put(x.bee, k, k, &w, &e), ERR_NOSPACE);
	check_code(bee_batch_del(x.bee, k, &w, &e), ERR_NOSPACE);
	check_code(bee_batch_get(x.bee, k, &entry, &w, &e), ERR_NOSPACE);
	check(x.core.n == 3);
	world_deinit(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_vectors_fetching_every_block),
	    cmocka_unit_test(test_drive_vectors),
	    cmocka_unit_test(test_pending_is_seen),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_failed_flush_is_final),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
