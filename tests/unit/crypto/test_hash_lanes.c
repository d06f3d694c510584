/* Leaves in lanes against leaves one by one, which libsodium computes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/hash_lanes.h"
#include "support/dice.h"
#include "support/vec.h"

#define MANY 24

/* Bytes of no regular pattern; the caller frees them. */
static uint8_t *
bytes(size_t n)
{
	uint8_t *p = malloc(n);

	check(p != NULL);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(any(251) + i);
	return p;
}

static void
same_as_alone(const struct view *block, size_t n)
{
	struct b32 got[MANY + 1], want;

	check(n <= MANY);
	memset(got, 0x5a, sizeof(got));
	hash_leaves(got, block, n);
	for (size_t i = 0; i < n; i++) {
		hash_leaf(&want, block[i]);
		check_same(view_b32(&got[i]), view_b32(&want));
	}
	/* and nothing behind them */
	for (size_t k = 0; k < sizeof(got[n].b); k++)
		check(got[n].b[k] == 0x5a);
}

/* Copies of exactly the length, so that a sanitizer sees a byte too much. */
static void
test_lengths(void **state)
{
	uint8_t *own[5];
	struct view block[5];
	size_t len;

	(void)state;
	for (size_t from = 0; from <= 1100; from++) {
		for (size_t i = 0; i < 5; i++) {
			len = (from + i * 257) % 1101;
			own[i] = bytes(len + 1);
			block[i] = view_of(own[i] + 1, len);
		}
		same_as_alone(block, 5);
		for (size_t i = 0; i < 5; i++)
			free(own[i]);
	}
}

/* All mixes of lengths around the ends of parts, for up to five blocks. */
static void
test_mixes(void **state)
{
	static const size_t length[] = {0, 1, 118, 119, 120, 247, 248, 500};
	const size_t kinds = sizeof(length) / sizeof(length[0]);
	uint8_t *data = bytes(1024);
	struct view block[5];
	size_t all = 1;

	(void)state;
	for (size_t n = 1; n <= 5; n++) {
		all *= kinds;
		for (size_t mix = 0; mix < all; mix++) {
			for (size_t i = 0, m = mix; i < n; i++, m /= kinds)
				block[i] =
				    view_of(data + 31 * i, length[m % kinds]);
			same_as_alone(block, n);
		}
	}
	free(data);
}

/* Long ones, at any place, and more of them than lanes: lanes are given the
 * next block as they end. */
static void
test_long(void **state)
{
	const size_t room = 300000;
	uint8_t *data = bytes(room);
	struct view block[MANY];
	size_t n, at;

	(void)state;
	for (int round = 0; round < 40; round++) {
		n = any(MANY + 1);
		for (size_t i = 0; i < n; i++) {
			at = any(room);
			block[i] = view_of(
			    data + at, any(any(4) == 0 ? room - at + 1
						       : (room - at) / 50 + 1));
		}
		same_as_alone(block, n);
	}
	free(data);
}

/* One byte of one block changes that hash only. */
static void
test_apart(void **state)
{
	uint8_t *data = bytes(8 * 300);
	struct b32 before[8], after[8];
	struct view block[8];

	(void)state;
	for (size_t i = 0; i < 8; i++)
		block[i] = view_of(data + 300 * i, 300);
	hash_leaves(before, block, 8);
	for (size_t i = 0; i < 8; i++) {
		data[300 * i + any(300)] ^= 1;
		hash_leaves(after, block, 8);
		for (size_t k = 0; k < 8; k++)
			check(b32_eq(&before[k], &after[k]) == (k != i));
		memcpy(before, after, sizeof(before));
	}
	free(data);
}

static void
test_vectors(void **state)
{
	json_t *vectors = vec_load("crypto");
	json_t *want = vec_at(vectors, "hashes");
	const struct view block[2] = {VIEW_EMPTY, view_str("hello")};
	struct b32 got[2];

	(void)state;
	hash_leaves(got, block, 2);
	check_same(view_b32(&got[0]), vec_hex_at(want, "leafOfEmpty"));
	check_same(view_b32(&got[1]), vec_hex_at(want, "leafOfHello"));
	json_decref(vectors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_mixes),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
