#include "replicate/remote.h"

void
remote_init(struct remote *r)
{
	r->contiguous = 0;
	r->ndenied = 0;
	bitmap_init(&r->bits, REMOTE_PAGES_MAX);
}

void
remote_deinit(struct remote *r)
{
	bitmap_deinit(&r->bits);
}

/* What it says again it has again. */
static void
forgive(struct remote *r, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < r->ndenied;)
		if (r->denied[i] >= start && r->denied[i] < end)
			r->denied[i] = r->denied[--r->ndenied];
		else
			i++;
}

void
remote_range(struct remote *r, const struct message_range *m)
{
	uint64_t end = m->start + m->length;

	if (m->drop) {
		if (m->start < r->contiguous)
			r->contiguous = m->start;
		bitmap_clear_range(&r->bits, m->start, end);
		return;
	}
	forgive(r, m->start, end);
	if (m->start != 0) {
		if (end > r->contiguous)
			(void)bitmap_set_range(&r->bits, m->start, end);
		return;
	}
	if (end > r->contiguous) {
		r->contiguous = end;
		/* no page below is of use any more */
		bitmap_clear_range(&r->bits, 0, end);
	}
}

void
remote_bitfield(struct remote *r, const struct message_bitfield *m)
{
	if (m->start % 32 != 0)
		return;
	/* The bitfield is the truth about what it covers. */
	if (m->start < r->contiguous)
		r->contiguous = m->start;
	forgive(r, m->start, m->start + m->words.len * 8);
	(void)bitmap_put_words(
	    &r->bits, m->start, m->words.ptr, m->words.len / 4);
}

void
remote_deny(struct remote *r, uint64_t i)
{
	if (r->ndenied < REMOTE_DENIED_MAX)
		r->denied[r->ndenied++] = i;
}

static bool
is_denied(const struct remote *r, uint64_t i)
{
	for (size_t k = 0; k < r->ndenied; k++)
		if (r->denied[k] == i)
			return true;
	return false;
}

bool
remote_has(struct remote *r, uint64_t i)
{
	if (r->ndenied != 0 && is_denied(r, i))
		return false;
	return i < r->contiguous || bitmap_get(&r->bits, i);
}

bool
remote_has_range(struct remote *r, uint64_t start, uint64_t length)
{
	uint64_t end = start + length;

	if (end <= r->contiguous)
		return true;
	return bitmap_first_unset(&r->bits,
		   start > r->contiguous ? start : r->contiguous) >= end;
}

uint64_t
remote_contiguous(struct remote *r)
{
	return bitmap_first_unset(&r->bits, r->contiguous);
}

uint64_t
remote_word(struct remote *r, uint64_t w)
{
	uint64_t bits, first = 64 * w;

	if (first + 64 <= r->contiguous)
		bits = UINT64_MAX;
	else
		bits = bitmap_word(&r->bits, w);
	if (first < r->contiguous && r->contiguous - first < 64)
		bits |= (UINT64_C(1) << (r->contiguous - first)) - 1;
	for (size_t k = 0; k < r->ndenied; k++)
		if (r->denied[k] / 64 == w)
			bits &= ~(UINT64_C(1) << (r->denied[k] % 64));
	return bits;
}

uint64_t
remote_skip(struct remote *r, uint64_t i)
{
	const struct bitmap_page *p;

	if (i < r->contiguous)
		return i;
	p = bitmap_from(&r->bits, i / BITMAP_PAGE);
	if (p == NULL)
		return UINT64_MAX;
	return p->no * BITMAP_PAGE > i ? p->no * BITMAP_PAGE : i;
}
