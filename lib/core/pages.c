#include "core/pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"

void
pages_init(struct pages *p, struct store *s, enum store_table t,
    uint64_t number, size_t size)
{
	memset(p, 0, sizeof(*p));
	p->store = s;
	p->table = t;
	p->number = number;
	p->size = size;
	p->cut = UINT64_MAX;
}

void
pages_reset(struct pages *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->page[i].data);
	p->n = 0;
	p->last = 0;
	p->cut = UINT64_MAX;
	if (p->slot != NULL)
		memset(p->slot, 0, p->nslot * sizeof(*p->slot));
}

void
pages_deinit(struct pages *p)
{
	pages_reset(p);
	free(p->page);
	free(p->slot);
	p->page = NULL;
	p->slot = NULL;
	p->cap = p->nslot = 0;
}

static size_t
slot_of(const struct pages *p, uint64_t no)
{
	return (size_t)((no * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
	       (p->nslot - 1);
}

static void
slot_put(struct pages *p, size_t position)
{
	size_t i = slot_of(p, p->page[position].no);

	while (p->slot[i] != 0)
		i = (i + 1) & (p->nslot - 1);
	p->slot[i] = (uint32_t)position + 1;
}

static bool
slots_grow(struct pages *p)
{
	size_t want = p->nslot == 0 ? 64 : p->nslot * 2;
	uint32_t *slot;

	if ((p->n + 1) * 2 <= p->nslot)
		return true;
	if (want > UINT32_MAX || (slot = calloc(want, sizeof(*slot))) == NULL)
		return false;
	free(p->slot);
	p->slot = slot;
	p->nslot = want;
	for (size_t i = 0; i < p->n; i++)
		slot_put(p, i);
	return true;
}

uint8_t *
pages_peek(struct pages *p, uint64_t no)
{
	size_t i, at;

	if (p->n == 0)
		return NULL;
	if (p->page[p->last].no == no)
		return p->page[p->last].data;
	for (i = slot_of(p, no); p->slot[i] != 0;
	     i = (i + 1) & (p->nslot - 1)) {
		at = p->slot[i] - 1;
		if (p->page[at].no == no) {
			p->last = at;
			return p->page[at].data;
		}
	}
	return NULL;
}

enum err_code
pages_get(struct pages *p, uint64_t no, uint8_t **data, struct err *e)
{
	uint8_t *fresh = pages_peek(p, no);
	enum err_code rc = ERR_OK;

	if (fresh != NULL) {
		*data = fresh;
		return ERR_OK;
	}
	if (!ARR_RESERVE(p->page, p->n + 1, p->cap) || !slots_grow(p) ||
	    (fresh = calloc(1, p->size)) == NULL)
		return err_nomem(e);
	if (p->store != NULL && no < p->cut)
		rc = pages_read(
		    p->store, p->table, p->number, no, fresh, p->size, e);
	if (rc != ERR_OK) {
		free(fresh);
		return rc;
	}
	p->page[p->n] = (struct page){no, fresh};
	slot_put(p, p->n);
	p->last = p->n++;
	*data = fresh;
	return ERR_OK;
}

void
pages_cut(struct pages *p, uint64_t no)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (p->page[i].no < no)
			p->page[kept++] = p->page[i];
		else
			free(p->page[i].data);
	}
	p->n = kept;
	p->last = 0;
	if (no < p->cut)
		p->cut = no;
	if (p->slot == NULL)
		return;
	memset(p->slot, 0, p->nslot * sizeof(*p->slot));
	for (size_t i = 0; i < p->n; i++)
		slot_put(p, i);
}

static int
by_number(const void *a, const void *b)
{
	const struct page *x = a, *y = b;

	return x->no < y->no ? -1 : x->no > y->no;
}

static enum err_code
put_cut(struct pages *p, struct store_txn *txn, struct err *e)
{
	uint8_t from[PAGES_KEY_LEN];

	pages_key(from, p->number, p->cut);
	return store_del_range(txn, p->table, view_of(from, PAGES_KEY_LEN / 2),
	    view_of(from, sizeof(from)), e);
}

enum err_code
pages_put(struct pages *p, struct store_txn *txn, struct err *e)
{
	uint8_t key[PAGES_KEY_LEN];
	uint8_t *val;
	enum err_code rc;

	if (p->cut != UINT64_MAX && (rc = put_cut(p, txn, e)) != ERR_OK)
		return rc;
	if (p->n == 0)
		return ERR_OK;
	qsort(p->page, p->n, sizeof(*p->page), by_number);
	memset(p->slot, 0, p->nslot * sizeof(*p->slot));
	for (size_t i = 0; i < p->n; i++)
		slot_put(p, i);
	p->last = 0;
	for (size_t i = 0; i < p->n; i++) {
		pages_key(key, p->number, p->page[i].no);
		rc = store_reserve(
		    txn, p->table, view_of(key, sizeof(key)), p->size, &val, e);
		if (rc != ERR_OK)
			return rc;
		memcpy(val, p->page[i].data, p->size);
	}
	return ERR_OK;
}

static void
put_be64(uint8_t *p, uint64_t x)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(x >> (56 - 8 * i));
}

void
pages_key(uint8_t out[static PAGES_KEY_LEN], uint64_t number, uint64_t no)
{
	put_be64(out, number);
	put_be64(out + 8, no);
}

uint64_t
pages_key_no(struct view key)
{
	uint64_t no = 0;

	for (size_t i = 8; i < key.len && i < PAGES_KEY_LEN; i++)
		no = no << 8 | key.ptr[i];
	return no;
}

enum err_code
pages_read(struct store *s, enum store_table t, uint64_t number, uint64_t no,
    uint8_t *out, size_t size, struct err *e)
{
	uint8_t key[PAGES_KEY_LEN];
	struct view val;
	enum err_code rc;

	pages_key(key, number, no);
	rc = store_get(s, NULL, t, view_of(key, sizeof(key)), &val, e);
	if (rc == ERR_NOT_FOUND) {
		memset(out, 0, size);
		return ERR_OK;
	}
	if (rc != ERR_OK)
		return rc;
	if (val.len != size)
		return err_set(e, ERR_CORRUPT,
		    "index page %llu of core number %llu has %zu bytes",
		    (unsigned long long)no, (unsigned long long)number,
		    val.len);
	memcpy(out, val.ptr, size);
	return ERR_OK;
}
