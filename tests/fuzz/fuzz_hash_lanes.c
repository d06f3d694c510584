/*
 * Leaves in lanes against leaves one by one. Byte 0 says how many blocks
 * there are, the next three bytes of each where it begins and ends in the
 * rest, which is copied behind a few bytes: blocks may overlap, be empty and
 * lie at any place.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/hash_lanes.h"
#include "support/vec.h"

#define MANY 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t
next(struct view *v)
{
	uint8_t x = v->len > 0 ? v->ptr[0] : 0;

	*v = view_sub(*v, 1, v->len);
	return x;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in = view_of(data, size), block[MANY];
	size_t n = next(&in) % (MANY + 1), at[MANY], len[MANY];
	struct b32 got[MANY], want;
	uint8_t *copy;

	for (size_t i = 0; i < n; i++) {
		at[i] = next(&in);
		len[i] = next(&in);
		len[i] |= (size_t)next(&in) << 8;
	}
	/* of exactly the length, for the sanitizer */
	copy = malloc(in.len + 1);
	check(copy != NULL);
	if (in.len > 0)
		memcpy(copy, in.ptr, in.len);
	for (size_t i = 0; i < n; i++)
		block[i] = view_sub(view_of(copy, in.len), at[i], len[i]);
	hash_leaves(got, block, n);
	for (size_t i = 0; i < n; i++) {
		hash_leaf(&want, block[i]);
		check(b32_eq(&got[i], &want));
	}
	free(copy);
	return 0;
}
