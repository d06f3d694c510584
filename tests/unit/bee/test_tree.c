/* bee/tree.c: blocks that lie. Every reader names core and block, or gives
 * a wrong but bounded answer; none loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bee/tree.h"
#include "tests/unit/bee/fake_core.h"
#include "tests/unit/bee/model.h"

struct block_spec {
	const char *key;
	size_t nlevels;
	struct bee_level level[2];
};

static void
add_block(struct core *c, const struct block_spec *s)
{
	struct view value = view_str("v");
	struct buf index, block;

	buf_init(&index, 1 << 14);
	buf_init(&block, 1 << 16);
	for (size_t i = 0; i < s->nlevels; i++)
		bee_level_encode(&index, &s->level[i]);
	bee_block_encode(&block, buf_view(&index), view_str(s->key), &value);
	fake_add(c, buf_view(&block));
	fake_commit(c);
	buf_deinit(&index);
	buf_deinit(&block);
}

static void
add_header(struct core *c)
{
	fake_add(c, vec_hex("0a0868797065726265651200"));
	fake_commit(c);
}

#define LEAF(...) \
	{ \
		.nkeys = sizeof((uint64_t[]){__VA_ARGS__}) / 8, \
		.key = { __VA_ARGS__ } \
	}
#define NODE1(k, s0, o0, s1, o1) \
	{ \
		.nkeys = 1, .key = {k}, .nchildren = 2, .child = { \
			{s0, o0}, \
			{s1, o1} \
		} \
	}

/* Walk everything, up or down; the number of entries seen. */
static enum err_code
walk(struct core *c, enum bee_order order, struct err *e)
{
	struct bee_range all = BEE_RANGE_ALL;
	struct bee_entry entry;
	struct bee_iter *it;
	struct want w;
	struct bee *b;
	enum err_code rc;
	bool more = true;

	all.order = order;
	check_ok(bee_open(&b, c, c->n, e), e);
	check_ok(bee_iter_open(&it, b, &all, e), e);
	do
		rc = bee_iter_next(it, &more, &entry, &w, e);
	while (rc == ERR_OK && more);
	bee_iter_close(it);
	bee_close(b);
	return rc;
}

static const struct {
	const char *what;
	struct block_spec block[3];
} hostile[] = {
    {"no root level", {{"a", 0, {{.nkeys = 0}}}}},
    {"key 0", {{"a", 1, {LEAF(0)}}}},
    {"key of a later block", {{"a", 1, {LEAF(2)}}}},
    {"child 0", {{"a", 1, {NODE1(1, 0, 0, 1, 1)}}}},
    {"child of a later block", {{"a", 1, {NODE1(1, 1, 1, 2, 0)}}}},
    {"own child", {{"a", 1, {NODE1(1, 1, 0, 1, 0)}}}},
    {"no such level", {{"a", 1, {NODE1(1, 1, 1, 1, 2)}}}},
    {"one child too few",
	{{"a", 1,
	    {{.nkeys = 1, .key = {1}, .nchildren = 1, .child = {{1, 0}}}}}}},
    {"children without keys",
	{{"a", 2, {{.nchildren = 1, .child = {{1, 1}}}, LEAF(1)}}}},
    {"empty child", {{"a", 2, {NODE1(1, 1, 1, 1, 1)}}}},
    {"two levels, each the other's child",
	{{"a", 2, {NODE1(1, 1, 1, 1, 1), NODE1(1, 1, 0, 1, 0)}}}},
    {"same key twice", {{"a", 1, {LEAF(1, 1)}}}},
    {"keys out of order", {{"b", 1, {LEAF(1)}}, {"a", 1, {LEAF(1, 2)}}}},
    {"child on the wrong side", {{"b", 1, {LEAF(1)}}, {"a", 1, {LEAF(2)}},
				    {"c", 1, {NODE1(1, 2, 0, 2, 0)}}}},
};

static void
test_hostile_trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct core c = {.n = 0};
		struct err e = ERR_INIT;
		struct bee_entry entry;
		struct bee *b;
		struct want w;

		add_header(&c);
		for (size_t j = 0; j < 3 && hostile[i].block[j].key; j++)
			add_block(&c, &hostile[i].block[j]);
		check_code(walk(&c, BEE_ASCENDING, &e), ERR_FORMAT);
		check(strstr(e.msg, "core ") != NULL);
		check(strstr(e.msg, ": block ") != NULL);
		check_code(walk(&c, BEE_DESCENDING, &e), ERR_FORMAT);
		check_ok(bee_open(&b, &c, c.n, &e), &e);
		for (const char *k = "0\0a\0aa\0b\0z\0"; *k; k += strlen(k) + 1)
			check(bee_get(b, view_str(k), &entry, &w, &e) !=
			      ERR_NEED_BLOCK);
		bee_close(b);
		check(c.reads < 2000);
		fake_free(&c);
	}
}

/* The same trees under a writer: no crash, no success that reads on. */
static void
test_hostile_trees_written(void **state)
{
	struct bee_header h = {.has_metadata = true};

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct core c = {.n = 0};
		struct core_batch cb = {&c};
		struct err e = ERR_INIT;
		struct bee_batch *b;
		struct want w;
		size_t n;

		add_header(&c);
		for (size_t j = 0; j < 3 && hostile[i].block[j].key; j++)
			add_block(&c, &hostile[i].block[j]);
		n = c.n;
		check_ok(bee_batch_new(&b, &c, &cb, &h, &e), &e);
		for (const char *k = "0\0a\0aa\0b\0z\0"; *k;
		     k += strlen(k) + 1) {
			enum err_code rc;

			rc = bee_batch_del(b, view_str(k), &w, &e);
			check(rc == ERR_OK || rc == ERR_FORMAT);
			rc = bee_batch_put(
			    b, view_str(k), view_str("x"), &w, &e);
			check(rc == ERR_OK || rc == ERR_FORMAT);
		}
		check_ok(bee_batch_flush(b, &e), &e);
		check(c.n <= n + 10);
		bee_batch_free(b);
		fake_free(&c);
	}
}

/* A chain of single-key nodes, deeper than any honest tree. */
static void
test_depth(void **state)
{
	struct core c = {.n = 0};
	struct err e = ERR_INIT;
	struct bee_entry entry;
	struct bee *b;
	struct want w;
	char key[8];

	(void)state;
	add_header(&c);
	for (uint64_t i = 1; i <= BEE_DEPTH_MAX + 10; i++) {
		struct block_spec s = {model_key(key, 1000 - i).len ? key : "",
		    2, {NODE1(i, i, 1, i - 1, 0), LEAF(i)}};

		key[5] = '\0';
		if (i == 1)
			s = (struct block_spec){key, 1, {LEAF(1)}};
		add_block(&c, &s);
	}
	check_ok(bee_open(&b, &c, c.n, &e), &e);
	check_code(bee_get(b, view_str("z"), &entry, &w, &e), ERR_FORMAT);
	check(strstr(e.msg, "too deep") != NULL);
	bee_close(b);
	check_code(walk(&c, BEE_DESCENDING, &e), ERR_FORMAT);
	check(strstr(e.msg, "too deep") != NULL);
	fake_free(&c);
}

/* A foreign tree with wide nodes is read, and refused by the writer. */
static void
test_wide_nodes(void **state)
{
	struct bee_header h = {.has_metadata = true};
	struct core c = {.n = 0};
	struct core_batch cb = {&c};
	struct block_spec s = {.nlevels = 1};
	struct err e = ERR_INIT;
	struct bee_batch *b;
	struct want w;
	char key[8] = "";

	(void)state;
	add_header(&c);
	for (size_t i = 0; i < 30; i++) {
		s.key = key;
		s.level[0].key[s.level[0].nkeys++] = i + 1;
		(void)model_key(key, i);
		key[5] = '\0';
		add_block(&c, &s);
	}
	check_ok(walk(&c, BEE_ASCENDING, &e), &e);
	check_ok(walk(&c, BEE_DESCENDING, &e), &e);
	check_ok(bee_check_version(&c, c.n, &w, &e), &e);
	check_ok(bee_batch_new(&b, &c, &cb, &h, &e), &e);
	check_code(
	    bee_batch_put(b, view_str("x"), view_str("y"), &w, &e), ERR_FORMAT);
	bee_batch_free(b);
	fake_free(&c);
}

/* A checkout that forgets its nodes goes on where it was. */
static void
test_trim(void **state)
{
	struct bee_header h = {.has_metadata = true};
	struct core c = {.n = 0};
	struct core_batch cb = {&c};
	struct model m = {.keys = 500};
	struct err e = ERR_INIT;
	struct bee_batch *b;
	struct bee_tree t;
	uint64_t seq = 1;
	struct want w;

	(void)state;
	check_ok(bee_batch_new(&b, &c, &cb, &h, &e), &e);
	for (size_t i = 0; i < m.keys; i++)
		model_put(&m, b, i, 1, &seq);
	check_ok(bee_batch_flush(b, &e), &e);
	fake_commit(&c);
	bee_batch_free(b);
	bee_tree_init(&t, BEE_TREE_READ, &c, NULL);
	check_ok(bee_tree_load_root(&t, c.n, &w, &e), &e);
	bee_tree_trim(&t);
	check(t.root != NULL && t.generation == 0);
	check(bee_arena_alloc(&t.arena, (size_t)32 << 20) != NULL);
	t.pins = 1;
	bee_tree_trim(&t);
	check(t.root != NULL && t.generation == 0);
	t.pins = 0;
	bee_tree_trim(&t);
	check(t.root == NULL && t.generation == 1);
	check(t.arena.total <= 65536);
	check_ok(bee_tree_load_root(&t, c.n, &w, &e), &e);
	bee_tree_deinit(&t);
	fake_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hostile_trees),
	    cmocka_unit_test(test_hostile_trees_written),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_wide_nodes),
	    cmocka_unit_test(test_trim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
