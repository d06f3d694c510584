#include "merkle/flat.h"

/* Node at depth d, offset o: (1 + 2o) * 2^d - 1. */

unsigned
flat_depth(uint64_t index)
{
	unsigned depth = 0;

	for (; index & 1; index >>= 1)
		depth++;
	return depth;
}

uint64_t
flat_offset(uint64_t index)
{
	return index >> (flat_depth(index) + 1);
}

uint64_t
flat_index(unsigned depth, uint64_t offset)
{
	return ((2 * offset + 1) << depth) - 1;
}

uint64_t
flat_parent(uint64_t index)
{
	return flat_index(flat_depth(index) + 1, flat_offset(index) >> 1);
}

uint64_t
flat_sibling(uint64_t index)
{
	return flat_index(flat_depth(index), flat_offset(index) ^ 1);
}

uint64_t
flat_left_child(uint64_t index)
{
	unsigned depth = flat_depth(index);

	return flat_index(depth - 1, flat_offset(index) << 1);
}

uint64_t
flat_right_child(uint64_t index)
{
	unsigned depth = flat_depth(index);

	return flat_index(depth - 1, (flat_offset(index) << 1) + 1);
}

uint64_t
flat_left_span(uint64_t index)
{
	return flat_offset(index) << (flat_depth(index) + 1);
}

uint64_t
flat_right_span(uint64_t index)
{
	return ((flat_offset(index) + 1) << (flat_depth(index) + 1)) - 2;
}

uint64_t
flat_count(uint64_t index)
{
	return UINT64_C(1) << flat_depth(index);
}

size_t
flat_roots(uint64_t length, uint64_t out[static FLAT_ROOTS_MAX])
{
	uint64_t start = 0;
	size_t n = 0;

	for (unsigned k = 54; k-- > 0;) {
		uint64_t leaves = UINT64_C(1) << k;

		if ((length & leaves) == 0)
			continue;
		out[n++] = start + leaves - 1;
		start += 2 * leaves;
	}
	return n;
}
