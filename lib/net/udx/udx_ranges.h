/*
 * udx_ranges: a set of sequence numbers as sorted, disjoint, half open
 * ranges that do not touch. Numbers wrap; all of a set lies within 2^31.
 *
 * What the receiver has out of order, and what the sender was told about.
 */
#ifndef NET_UDX_UDX_RANGES_H
#define NET_UDX_UDX_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct udx_range {
	uint32_t start, end;
};

struct udx_ranges {
	struct udx_range *r; /* NULL while it never held anything */
	uint32_t n, cap;
};

/* a stands before b in the order of a wrapping counter. */
static inline bool
udx_seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

void udx_ranges_deinit(struct udx_ranges *s); /* empties it */
/* Adds [start, end), start before end. False: no memory, nothing changed. */
bool udx_ranges_add(struct udx_ranges *s, uint32_t start, uint32_t end);
/* The first range that ends behind seq: it holds seq or follows it. */
uint32_t udx_ranges_find(const struct udx_ranges *s, uint32_t seq);
bool udx_ranges_has(const struct udx_ranges *s, uint32_t seq);
/* Forgets everything before `below`. */
void udx_ranges_trim(struct udx_ranges *s, uint32_t below);

#endif
