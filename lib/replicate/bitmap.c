#include "replicate/bitmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"

void
bitmap_init(struct bitmap *b, size_t max)
{
	*b = (struct bitmap){.max = max};
}

void
bitmap_clear_all(struct bitmap *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->page[i].word);
	b->n = b->last = 0;
}

void
bitmap_deinit(struct bitmap *b)
{
	bitmap_clear_all(b);
	free(b->page);
	b->page = NULL;
	b->cap = 0;
}

/* Position of the first page >= no. */
static size_t
position(struct bitmap *b, uint64_t no)
{
	size_t low = 0, high = b->n, mid;

	if (b->last < b->n && b->page[b->last].no == no)
		return b->last;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (b->page[mid].no < no)
			low = mid + 1;
		else
			high = mid;
	}
	b->last = low;
	return low;
}

const struct bitmap_page *
bitmap_from(struct bitmap *b, uint64_t no)
{
	size_t at = position(b, no);

	return at < b->n ? &b->page[at] : NULL;
}

const struct bitmap_page *
bitmap_find(struct bitmap *b, uint64_t no)
{
	const struct bitmap_page *p = bitmap_from(b, no);

	return p != NULL && p->no == no ? p : NULL;
}

static struct bitmap_page *
make(struct bitmap *b, uint64_t no)
{
	size_t at = position(b, no);
	uint64_t *word;

	if (at < b->n && b->page[at].no == no)
		return &b->page[at];
	if (b->n == b->max || !ARR_RESERVE(b->page, b->n + 1, b->cap) ||
	    (word = calloc(BITMAP_WORDS, sizeof(*word))) == NULL)
		return NULL;
	memmove(
	    &b->page[at + 1], &b->page[at], (b->n - at) * sizeof(b->page[at]));
	b->page[at] = (struct bitmap_page){no, word, 0};
	b->n++;
	b->last = at;
	return &b->page[at];
}

/* Words where there were none. */
static bool
unfold(struct bitmap_page *p)
{
	if (p->word != NULL)
		return true;
	p->word = malloc(BITMAP_WORDS * sizeof(*p->word));
	if (p->word == NULL)
		return false;
	memset(p->word, 0xff, BITMAP_WORDS * sizeof(*p->word));
	return true;
}

static void
fold(struct bitmap_page *p)
{
	if (p->ones != BITMAP_PAGE)
		return;
	free(p->word);
	p->word = NULL;
}

/* Bits [from, to) of a word. */
static uint64_t
mask(unsigned from, unsigned to)
{
	uint64_t m = to == 64 ? UINT64_MAX : (UINT64_C(1) << to) - 1;

	return m & ~((UINT64_C(1) << from) - 1);
}

static void
change(struct bitmap_page *p, uint32_t from, uint32_t to, bool on)
{
	uint32_t end;
	uint64_t m, *w;

	for (; from < to; from = end) {
		end = (from / 64 + 1) * 64;
		if (end > to)
			end = to;
		w = &p->word[from / 64];
		m = mask(from % 64, (end - 1) % 64 + 1);
		p->ones -= (uint32_t)__builtin_popcountll(*w);
		*w = on ? *w | m : *w & ~m;
		p->ones += (uint32_t)__builtin_popcountll(*w);
	}
}

bool
bitmap_get(struct bitmap *b, uint64_t i)
{
	return (bitmap_word(b, i / 64) >> (i % 64) & 1) != 0;
}

uint64_t
bitmap_word(struct bitmap *b, uint64_t w)
{
	const struct bitmap_page *p = bitmap_find(b, w / BITMAP_WORDS);

	if (p == NULL)
		return 0;
	return p->word == NULL ? UINT64_MAX : p->word[w % BITMAP_WORDS];
}

static bool
set_in_page(struct bitmap *b, uint64_t no, uint32_t from, uint32_t to)
{
	struct bitmap_page *p = make(b, no);

	if (p == NULL)
		return false;
	if (p->word != NULL) {
		change(p, from, to, true);
		fold(p);
	}
	return true;
}

bool
bitmap_set(struct bitmap *b, uint64_t i)
{
	uint32_t at = i % BITMAP_PAGE;

	return set_in_page(b, i / BITMAP_PAGE, at, at + 1);
}

bool
bitmap_set_range(struct bitmap *b, uint64_t start, uint64_t end)
{
	uint64_t stop;

	for (; start < end; start = stop) {
		stop = (start / BITMAP_PAGE + 1) * BITMAP_PAGE;
		if (stop > end)
			stop = end;
		if (!set_in_page(b, start / BITMAP_PAGE,
			(uint32_t)(start % BITMAP_PAGE),
			(uint32_t)((stop - 1) % BITMAP_PAGE + 1)))
			return false;
	}
	return true;
}

static void
drop(struct bitmap *b, size_t at)
{
	free(b->page[at].word);
	b->n--;
	memmove(
	    &b->page[at], &b->page[at + 1], (b->n - at) * sizeof(b->page[at]));
}

void
bitmap_clear_range(struct bitmap *b, uint64_t start, uint64_t end)
{
	size_t at = position(b, start / BITMAP_PAGE);
	uint64_t first, from, to;
	struct bitmap_page *p;

	while (at < b->n && b->page[at].no * BITMAP_PAGE < end) {
		p = &b->page[at];
		first = p->no * BITMAP_PAGE;
		from = start > first ? start - first : 0;
		to = end - first < BITMAP_PAGE ? end - first : BITMAP_PAGE;
		/* Without memory the page goes: what is not set is unknown,
		 * which is always safe to say. */
		if ((from == 0 && to == BITMAP_PAGE) || !unfold(p)) {
			drop(b, at);
			continue;
		}
		if (from < to)
			change(p, (uint32_t)from, (uint32_t)to, false);
		at++;
	}
}

bool
bitmap_put(
    struct bitmap *b, uint64_t no, const uint64_t word[static BITMAP_WORDS])
{
	struct bitmap_page *p = make(b, no);

	if (p == NULL || !unfold(p))
		return false;
	p->ones = 0;
	for (size_t i = 0; i < BITMAP_WORDS; i++) {
		p->word[i] = word[i];
		p->ones += (uint32_t)__builtin_popcountll(word[i]);
	}
	fold(p);
	return true;
}

static void
put_half(struct bitmap_page *p, uint32_t half, uint32_t x)
{
	uint64_t *w = &p->word[half / 2];
	unsigned shift = half % 2 * 32;

	p->ones -= (uint32_t)__builtin_popcountll(*w);
	*w = (*w & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)x << shift;
	p->ones += (uint32_t)__builtin_popcountll(*w);
}

static uint32_t
little_endian(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

bool
bitmap_put_words(
    struct bitmap *b, uint64_t start, const uint8_t *bytes, size_t n)
{
	uint64_t half = start / 32;
	struct bitmap_page *p;
	size_t i = 0, stop;

	while (i < n) {
		p = make(b, (half + i) / (2 * BITMAP_WORDS));
		if (p == NULL || !unfold(p))
			return false;
		stop = i + 2 * BITMAP_WORDS -
		       (size_t)((half + i) % (2 * BITMAP_WORDS));
		for (; i < n && i < stop; i++)
			put_half(p, (uint32_t)((half + i) % (2 * BITMAP_WORDS)),
			    little_endian(bytes + 4 * i));
		fold(p);
	}
	return true;
}

uint64_t
bitmap_first_unset(struct bitmap *b, uint64_t from)
{
	const struct bitmap_page *p;
	uint64_t w;

	while ((p = bitmap_find(b, from / BITMAP_PAGE)) != NULL) {
		if (p->word == NULL) {
			from = (p->no + 1) * BITMAP_PAGE;
			continue;
		}
		w = ~p->word[from / 64 % BITMAP_WORDS] & mask(from % 64, 64);
		if (w != 0)
			return from / 64 * 64 + (uint64_t)__builtin_ctzll(w);
		from = (from / 64 + 1) * 64;
	}
	return from;
}
