/* Which blocks are here. */
#include <string.h>

#include "core/impl.h"

static enum err_code
load_bits(struct core *c, uint64_t no, struct err *e)
{
	enum err_code rc;

	if (c->bits_here && c->bits_no == no)
		return ERR_OK;
	c->bits_here = false;
	rc = pages_read(
	    c->store, STORE_BITS, c->number, no, c->bits, BITS_PAGE, e);
	if (rc != ERR_OK)
		return err_wrap(e, "core %s", c->name);
	c->bits_here = true;
	c->bits_no = no;
	return ERR_OK;
}

bool
core_bit(const uint8_t *page, uint64_t index)
{
	uint64_t i = index % BITS_PER_PAGE;

	return (page[i / 8] >> (i % 8) & 1) != 0;
}

/* A bit that is set stays so while the fork does; one that is not may have
 * been set by another handle since. */
enum err_code
core_block_here(struct core *c, uint64_t index, bool *here, struct err *e)
{
	uint64_t no = index / BITS_PER_PAGE;
	bool moved;
	enum err_code rc;

	*here = index < c->head.contiguous ||
		(index < c->head.length && c->bits_here && c->bits_no == no &&
		    core_bit(c->bits, index));
	if (*here || index >= c->head.length)
		return ERR_OK;
	if ((rc = core_catch_up(c, &moved, e)) != ERR_OK ||
	    (rc = load_bits(c, no, e)) != ERR_OK)
		return rc;
	*here = core_bit(c->bits, index);
	return ERR_OK;
}

bool
core_has(struct core *c, uint64_t index)
{
	bool here;

	return core_block_here(c, index, &here, NULL) == ERR_OK && here;
}

static void
set_bits(uint8_t *page, uint64_t n)
{
	for (uint64_t i = 0; i < n / 8; i++)
		page[i] = 0xff;
	if (n % 8 != 0)
		page[n / 8] |= (uint8_t)((1u << (n % 8)) - 1);
}

static void
clear_bits(uint8_t *page, uint64_t from)
{
	if (from % 8 != 0)
		page[from / 8] &= (uint8_t)((1u << (from % 8)) - 1);
	for (uint64_t i = (from + 7) / 8; i < BITS_PAGE; i++)
		page[i] = 0;
}

/* Blocks from the start of a page to `end`, at most the whole page. */
static uint64_t
in_page(uint64_t no, uint64_t end)
{
	uint64_t first = no * BITS_PER_PAGE;

	if (end <= first)
		return 0;
	return end - first < BITS_PER_PAGE ? end - first : BITS_PER_PAGE;
}

enum err_code
core_bits(struct core *c, uint64_t page,
    uint8_t out[static CORE_BITS_BLOCKS / 8], struct err *e)
{
	bool moved;
	enum err_code rc;

	memset(out, 0, BITS_PAGE);
	if (in_page(page, c->head.contiguous) < in_page(page, c->head.length)) {
		if ((rc = core_catch_up(c, &moved, e)) != ERR_OK ||
		    (rc = load_bits(c, page, e)) != ERR_OK)
			return rc;
		memcpy(out, c->bits, BITS_PAGE);
	}
	/* another handle may have set some behind our head */
	clear_bits(out, in_page(page, c->head.length));
	set_bits(out, in_page(page, c->head.contiguous));
	return ERR_OK;
}

static uint64_t
count_page(const uint8_t *page, uint64_t no, uint64_t start, uint64_t end)
{
	uint64_t n = 0, from = in_page(no, start), to = in_page(no, end);

	for (; from < to && from % 8 != 0; from++)
		n += core_bit(page, from);
	for (; from + 8 <= to; from += 8)
		n += (uint64_t)__builtin_popcount(page[from / 8]);
	for (; from < to; from++)
		n += core_bit(page, from);
	return n;
}

/* Only pages that are stored are looked at: a log may be far longer than
 * what is here of it. */
static enum err_code
count_stored(struct core *c, struct store_iter *it, uint64_t start,
    uint64_t end, uint64_t *n, struct err *e)
{
	struct view key, val;
	uint64_t no;
	bool more;
	enum err_code rc;

	while ((rc = store_iter_next(it, &more, &key, &val, e)) == ERR_OK &&
	       more) {
		no = pages_key_no(key);
		if (no > (end - 1) / BITS_PER_PAGE)
			break;
		if (val.len != BITS_PAGE)
			return err_set(e, ERR_CORRUPT,
			    "core %s: bitfield page %llu has %zu bytes",
			    c->name, (unsigned long long)no, val.len);
		*n += count_page(val.ptr, no, start, end);
	}
	return rc;
}

enum err_code
core_count(
    struct core *c, uint64_t start, uint64_t end, uint64_t *n, struct err *e)
{
	uint8_t from[PAGES_KEY_LEN];
	struct store_iter *it;
	bool moved;
	enum err_code rc;

	if (end > c->head.length)
		end = c->head.length;
	*n = 0;
	if ((rc = core_catch_up(c, &moved, e)) != ERR_OK)
		return rc;
	if (start < c->head.contiguous) {
		*n = (end < c->head.contiguous ? end : c->head.contiguous) -
		     start;
		start += *n;
	}
	if (start >= end)
		return ERR_OK;
	pages_key(from, c->number, start / BITS_PER_PAGE);
	rc = store_iter_open(&it, c->store, NULL, STORE_BITS, view_of(from, 8),
	    view_of(from, PAGES_KEY_LEN), e);
	if (rc != ERR_OK)
		return err_wrap(e, "core %s", c->name);
	rc = count_stored(c, it, start, end, n, e);
	store_iter_close(it);
	return rc;
}

enum err_code
core_first_gap(struct core *c, uint64_t from, uint64_t *gap, struct err *e)
{
	bool here = true;
	enum err_code rc;

	while (from < c->head.length) {
		if ((rc = core_block_here(c, from, &here, e)) != ERR_OK)
			return rc;
		if (!here)
			break;
		from++;
	}
	*gap = from;
	return ERR_OK;
}
