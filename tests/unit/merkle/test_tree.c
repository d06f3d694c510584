/* Appending, roots, tree hashes and upgrade sets: crypto.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "crypto/hash.h"
#include "merkle/tree.h"
#include "support/vectors.h"

static size_t
append(struct tree *t, size_t i, struct node made[static FLAT_ROOTS_MAX])
{
	struct view block = vec_hex(
	    json_string_value(json_array_get(vec_at(vectors, "blocks"), i)));
	struct b32 leaf;

	hash_leaf(&leaf, block);
	return tree_append(t, block.len, &leaf, made);
}

static void
check_head(const struct tree *t, const json_t *row)
{
	json_t *roots = vec_at(row, "roots");
	struct b32 hash;

	check(t->length == vec_num(row, "length"));
	check(t->byte_length == vec_num(row, "byteLength"));
	check(t->nroots == json_array_size(roots));
	for (size_t i = 0; i < t->nroots; i++)
		check(t->root[i].index ==
		      (uint64_t)json_integer_value(json_array_get(roots, i)));
	tree_hash(t, &hash);
	check_same(view_b32(&hash), vec_hex_at(row, "treeHash"));
}

static void
check_node(const struct node *nd)
{
	json_t *row;
	size_t i;

	json_array_foreach(vec_at(vectors, "nodes"), i, row)
	{
		if (vec_num(row, "index") != nd->index)
			continue;
		check(vec_num(row, "size") == nd->size);
		check_same(view_b32(&nd->hash), vec_hex_at(row, "hash"));
		return;
	}
	vec_fail(__FILE__, __LINE__, "made a node the vectors do not have");
}

static void
test_growing(void **state)
{
	json_t *heads = vec_at(vectors, "treeHashes");
	struct node made[FLAT_ROOTS_MAX];
	size_t total = 0;
	struct tree t;

	(void)state;
	tree_init(&t);
	check_head(&t, json_array_get(heads, 0));
	for (size_t i = 0; i < 20; i++) {
		size_t n = append(&t, i, made);

		check(made[0].index == 2 * i);
		for (size_t k = 0; k < n; k++)
			check_node(&made[k]);
		total += n;
		check_head(&t, json_array_get(heads, i + 1));
	}
	check(total == json_array_size(vec_at(vectors, "nodes")));
}

static void
test_from_roots(void **state)
{
	struct node made[FLAT_ROOTS_MAX], roots[FLAT_ROOTS_MAX];
	struct err e = ERR_INIT;
	struct tree t, back;
	struct b32 a, b;

	(void)state;
	tree_init(&t);
	for (size_t i = 0; i < 7; i++)
		(void)append(&t, i, made);
	check_ok(tree_from_roots(&back, 7, t.root, t.nroots, &e), &e);
	check(back.byte_length == t.byte_length && back.nroots == 3);
	tree_hash(&t, &a);
	tree_hash(&back, &b);
	check(b32_eq(&a, &b));
	check_code(tree_from_roots(&back, 7, t.root, 2, &e), ERR_FORMAT);
	check_code(tree_from_roots(&back, 11, t.root, 3, &e), ERR_FORMAT);
	check_code(
	    tree_from_roots(&back, UINT64_MAX, t.root, 3, &e), ERR_FORMAT);
	memcpy(roots, t.root, sizeof(roots));
	roots[0] = t.root[1];
	roots[1] = t.root[0];
	check_code(tree_from_roots(&back, 7, roots, 3, &e), ERR_FORMAT);
	check_ok(tree_from_roots(&back, 0, NULL, 0, &e), &e);
	check(back.length == 0 && back.byte_length == 0);
}

static void
test_nodes_compare(void **state)
{
	struct node a = {.index = 4, .size = 9, .hash = {{1}}}, b = a;

	(void)state;
	check(node_eq(&a, &b));
	b.index = 6;
	check(!node_eq(&a, &b));
	b = a;
	b.size = 8;
	check(!node_eq(&a, &b));
	b = a;
	b.hash.b[31] = 1;
	check(!node_eq(&a, &b));
	node_parent(&a, &a, &b); /* the result may lie on an input */
	check(a.index == flat_parent(4) && a.size == 18);
}

/* Worked from the definition in 3.3. */
static void
test_upgrade_table(void **state)
{
	static const struct {
		uint64_t a, b;
		size_t n;
		uint64_t want[8];
	} table[] = {
	    {0, 0, 0, {0}},
	    {0, 7, 3, {3, 9, 12}},
	    {4, 4, 0, {0}},
	    {5, 4, 0, {0}},
	    {1, 2, 1, {2}},
	    {3, 4, 1, {6}},
	    {4, 6, 1, {9}},
	    {5, 9, 3, {10, 13, 16}},
	    {9, 13, 3, {18, 21, 24}},
	    {6, 20, 3, {13, 23, 35}},
	};
	uint64_t got[TREE_UPGRADE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t n = tree_upgrade_set(table[i].a, table[i].b, got);

		check(n == table[i].n);
		for (size_t k = 0; k < n; k++)
			check(got[k] == table[i].want[k]);
	}
}

/* flat-tree's patch() lists the same nodes and the parents between. */
static void
test_upgrade_is_part_of_patch(void **state)
{
	uint64_t got[TREE_UPGRADE_MAX];
	json_t *row, *index;
	size_t i, k;

	(void)state;
	json_array_foreach(vec_at(vectors, "patch"), i, row)
	{
		uint64_t a = vec_num(row, "from");
		size_t at = 0, n = tree_upgrade_set(a, vec_num(row, "to"), got);

		json_array_foreach(vec_at(row, "indices"), k, index)
		{
			uint64_t v = (uint64_t)json_integer_value(index);

			if (at < n && got[at] == v)
				at++;
			else /* a parent: it reaches back into the old tree */
				check(flat_left_span(v) < 2 * a);
		}
		check(at == n);
	}
	check(i == 5);
}

/* Old roots and the upgrade set cover the new tree exactly once. */
static void
test_upgrade_covers(void **state)
{
	uint64_t got[TREE_UPGRADE_MAX];

	(void)state;
	for (uint64_t a = 0; a < 70; a++)
		for (uint64_t b = a; b < 140; b++) {
			size_t n = tree_upgrade_set(a, b, got);
			uint64_t next = 2 * a;

			for (size_t i = 0; i < n; i++) {
				check(flat_left_span(got[i]) == next);
				next = flat_right_span(got[i]) + 2;
			}
			check(next == 2 * b);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_growing),
	    cmocka_unit_test(test_from_roots),
	    cmocka_unit_test(test_nodes_compare),
	    cmocka_unit_test(test_upgrade_table),
	    cmocka_unit_test(test_upgrade_is_part_of_patch),
	    cmocka_unit_test(test_upgrade_covers),
	};

	return cmocka_run_group_tests(tests, vectors_setup, vectors_teardown);
}
