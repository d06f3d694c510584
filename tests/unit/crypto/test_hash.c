/* Hashes and namespaces against crypto.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "support/vectors.h"

static void
test_single_hashes(void **state)
{
	json_t *want = vec_at(vectors, "hashes");
	const struct b32 zeros = {{0}};
	struct b32 got;

	(void)state;
	hash_data(&got, VIEW_EMPTY);
	check_same(view_b32(&got), vec_hex_at(want, "blake2b256OfEmpty"));
	hash_discovery_key(&got, &zeros);
	check_same(view_b32(&got), vec_hex_at(want, "discoveryKeyOfZeros"));
	hash_leaf(&got, VIEW_EMPTY);
	check_same(view_b32(&got), vec_hex_at(want, "leafOfEmpty"));
	hash_leaf(&got, view_str("hello"));
	check_same(view_b32(&got), vec_hex_at(want, "leafOfHello"));
}

static void
test_namespaces(void **state)
{
	static const struct {
		const char *name;
		uint8_t id;
		const struct b32 *ns;
	} table[] = {
	    {"hypercore", 0, &HASH_NS_TREE},
	    {"hypercore", 1, &HASH_NS_REPLICATE_INITIATOR},
	    {"hypercore", 2, &HASH_NS_REPLICATE_RESPONDER},
	    {"hypercore", 3, &HASH_NS_MANIFEST},
	    {"hypercore", 4, &HASH_NS_DEFAULT},
	    {"corestore", 0, &HASH_NS_CORESTORE},
	    {"hyperdrive", 0, &HASH_NS_DRIVE_BLOBS},
	};
	json_t *all = vec_at(vectors, "namespaces");
	struct b32 got;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		json_t *row = vec_at(all, table[i].name);
		const char *hex =
		    json_string_value(json_array_get(row, table[i].id));

		hash_namespace(&got, table[i].name, table[i].id);
		check_same(view_b32(&got), vec_hex(hex));
		check_same(view_b32(table[i].ns), vec_hex(hex));
	}
}

/* The leaf of a block, by its definition and piece by piece. */
static void
slow_leaf(struct b32 *out, struct view block)
{
	uint8_t head[9] = {0};
	struct hash_state s;

	for (size_t i = 0; i < 8; i++)
		head[1 + i] = (uint8_t)((uint64_t)block.len >> (8 * i));
	hash_init(&s);
	hash_update(&s, view_of(head, sizeof(head)));
	for (size_t at = 0; at < block.len; at += 7)
		hash_update(&s, view_sub(block, at, 7));
	hash_final(&s, out);
}

static void
test_leaf_of_every_size(void **state)
{
	const size_t max = 70000;
	uint8_t *bytes = malloc(max);
	struct b32 got, want;

	(void)state;
	check(bytes != NULL);
	for (size_t i = 0; i < max; i++)
		bytes[i] = (uint8_t)(i * 31 + (i >> 8));
	for (size_t n = 0; n < max; n += n < 300 ? 1 : n / 9) {
		hash_leaf(&got, view_of(bytes, n));
		slow_leaf(&want, view_of(bytes, n));
		check_same(view_b32(&got), view_b32(&want));
	}
	free(bytes);
}

static void
test_parents(void **state)
{
	json_t *nodes = vec_at(vectors, "nodes");
	json_t *row, *rows[64] = {NULL};
	size_t i, tried = 0;

	(void)state;
	json_array_foreach(nodes, i, row)
	{
		uint64_t index = vec_num(row, "index");

		check(index < 64);
		rows[index] = row;
	}
	for (i = 1; i < 64; i += 4) { /* depth 1 */
		struct b32 left, right, got;

		if (rows[i] == NULL)
			continue;
		vec_b32_at(rows[i - 1], "hash", &left);
		vec_b32_at(rows[i + 1], "hash", &right);
		hash_parent(&got, vec_num(rows[i], "size"), &left, &right);
		check_same(view_b32(&got), vec_hex_at(rows[i], "hash"));
		hash_parent(&got, vec_num(rows[i], "size"), &right, &left);
		check(!view_eq(view_b32(&got), vec_hex_at(rows[i], "hash")));
		tried++;
	}
	check(tried == 10);
}

static void
test_batches_equal_the_whole(void **state)
{
	struct view parts[4] = {
	    view_str("ab"), VIEW_EMPTY, view_str("c"), view_str("defg")};
	struct b32 key = {{7, 8, 9}}, got, want;

	(void)state;
	hash_batch(&got, parts, 4);
	hash_data(&want, view_str("abcdefg"));
	check_same(view_b32(&got), view_b32(&want));
	hash_keyed_batch(&got, &key, parts, 4);
	check(!b32_eq(&got, &want));
	hash_keyed(&want, &key, view_str("abcdefg"));
	check_same(view_b32(&got), view_b32(&want));
	hash_batch(&got, NULL, 0);
	check_same(view_b32(&got),
	    vec_hex_at(vec_at(vectors, "hashes"), "blake2b256OfEmpty"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_single_hashes),
	    cmocka_unit_test(test_namespaces),
	    cmocka_unit_test(test_leaf_of_every_size),
	    cmocka_unit_test(test_parents),
	    cmocka_unit_test(test_batches_equal_the_whole),
	};

	return cmocka_run_group_tests(tests, vectors_setup, vectors_teardown);
}
