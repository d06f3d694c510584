/* What a cut to fewer blocks takes from the index pages of a core. */
#include <string.h>

#include "core/impl.h"

/* Nodes with an index below 2 * length that cover more than length blocks
 * are ancestors of its last leaf. */
static enum err_code
clear_spine(
    struct pages *nodes, uint64_t length, uint64_t old_length, struct err *e)
{
	uint64_t at = 2 * length - 2, last = 2 * old_length - 2;
	uint8_t *page;
	enum err_code rc;

	while (flat_right_span(at) < last || flat_left_span(at) != 0) {
		at = flat_parent(at);
		if (at >= 2 * length || flat_right_span(at) < 2 * length)
			continue;
		rc = pages_get(nodes, at / NODES_PER_PAGE, &page, e);
		if (rc != ERR_OK)
			return rc;
		slot_clear(page, at);
	}
	return ERR_OK;
}

enum err_code
core_cut_nodes(
    struct pages *nodes, uint64_t length, uint64_t old_length, struct err *e)
{
	uint64_t first = 2 * length, no = first / NODES_PER_PAGE;
	uint8_t *page;
	enum err_code rc;

	if (first % NODES_PER_PAGE == 0) {
		pages_cut(nodes, no);
	} else {
		pages_cut(nodes, no + 1);
		if ((rc = pages_get(nodes, no, &page, e)) != ERR_OK)
			return rc;
		for (uint64_t i = first; i / NODES_PER_PAGE == no; i++)
			slot_clear(page, i);
	}
	return length == 0 ? ERR_OK : clear_spine(nodes, length, old_length, e);
}

enum err_code
core_cut_bits(struct pages *bits, uint64_t length, struct err *e)
{
	uint64_t no = length / BITS_PER_PAGE;
	size_t bit = length % BITS_PER_PAGE;
	uint8_t *page;
	enum err_code rc;

	if (bit == 0) {
		pages_cut(bits, no);
		return ERR_OK;
	}
	pages_cut(bits, no + 1);
	if ((rc = pages_get(bits, no, &page, e)) != ERR_OK)
		return rc;
	page[bit / 8] &= (uint8_t)((1u << (bit % 8)) - 1);
	memset(page + bit / 8 + 1, 0, BITS_PAGE - bit / 8 - 1);
	return ERR_OK;
}
