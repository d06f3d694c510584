#include "net/udx/udx_ranges.h"

#include <stdlib.h>
#include <string.h>

#define RANGES_MIN 16

void
udx_ranges_deinit(struct udx_ranges *s)
{
	free(s->r);
	*s = (struct udx_ranges){NULL, 0, 0};
}

static bool
grow(struct udx_ranges *s)
{
	uint32_t cap = s->cap == 0 ? RANGES_MIN : s->cap * 2;
	struct udx_range *r = realloc(s->r, cap * sizeof(*r));

	if (r == NULL)
		return false;
	s->r = r;
	s->cap = cap;
	return true;
}

uint32_t
udx_ranges_find(const struct udx_ranges *s, uint32_t seq)
{
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (udx_seq_before(seq, s->r[mid].end))
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

bool
udx_ranges_has(const struct udx_ranges *s, uint32_t seq)
{
	uint32_t i = udx_ranges_find(s, seq);

	return i < s->n && !udx_seq_before(seq, s->r[i].start);
}

static void
remove_at(struct udx_ranges *s, uint32_t at, uint32_t n)
{
	memmove(s->r + at, s->r + at + n,
	    (s->n - at - n) * sizeof(struct udx_range));
	s->n -= n;
}

bool
udx_ranges_add(struct udx_ranges *s, uint32_t start, uint32_t end)
{
	/* From here on ranges touch [start, end) or stand behind it. */
	uint32_t first = udx_ranges_find(s, start - 1), last = first;

	while (last < s->n && !udx_seq_before(end, s->r[last].start))
		last++;
	if (first == last) {
		if (s->n == s->cap && !grow(s))
			return false;
		memmove(s->r + first + 1, s->r + first,
		    (s->n - first) * sizeof(struct udx_range));
		s->r[first] = (struct udx_range){start, end};
		s->n++;
		return true;
	}
	if (udx_seq_before(start, s->r[first].start))
		s->r[first].start = start;
	if (udx_seq_before(end, s->r[last - 1].end))
		end = s->r[last - 1].end;
	s->r[first].end = end;
	remove_at(s, first + 1, last - first - 1);
	return true;
}

void
udx_ranges_trim(struct udx_ranges *s, uint32_t below)
{
	uint32_t i = udx_ranges_find(s, below);

	if (i > 0)
		remove_at(s, 0, i);
	if (s->n > 0 && udx_seq_before(s->r[0].start, below))
		s->r[0].start = below;
	if (s->n == 0)
		udx_ranges_deinit(s);
}
