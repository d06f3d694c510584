#include "blobs/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"

#define SLOTS_MIN 64u

void
seen_deinit(struct seen *s)
{
	free(s->entry);
	free(s->slot);
	memset(s, 0, sizeof(*s));
}

void
seen_clear(struct seen *s)
{
	s->n = 0;
	if (s->nslots > 0)
		memset(s->slot, 0, s->nslots * sizeof(*s->slot));
}

/* The slot of `leaf`, or the empty one where it belongs. */
static uint32_t *
slot_of(const struct seen *s, const struct b32 *leaf)
{
	uint64_t h;
	size_t at;

	memcpy(&h, leaf->b, sizeof(h));
	at = (size_t)h & (s->nslots - 1);
	while (
	    s->slot[at] != 0 && !b32_eq(&s->entry[s->slot[at] - 1].leaf, leaf))
		at = (at + 1) & (s->nslots - 1);
	return &s->slot[at];
}

bool
seen_find(const struct seen *s, const struct b32 *leaf, uint64_t *index)
{
	uint32_t slot;

	if (s->n == 0)
		return false;
	slot = *slot_of(s, leaf);
	if (slot == 0)
		return false;
	*index = s->entry[slot - 1].index;
	return true;
}

static bool
grow(struct seen *s)
{
	size_t n = s->nslots == 0 ? SLOTS_MIN : s->nslots * 2;
	uint32_t *slot = calloc(n, sizeof(*slot));

	if (slot == NULL)
		return false;
	free(s->slot);
	s->slot = slot;
	s->nslots = n;
	for (size_t i = 0; i < s->n; i++)
		*slot_of(s, &s->entry[i].leaf) = (uint32_t)(i + 1);
	return true;
}

enum err_code
seen_put(struct seen *s, const struct b32 *leaf, uint64_t index, struct err *e)
{
	uint32_t *slot;

	if (s->n >= UINT32_MAX - 1 ||
	    !ARR_RESERVE(s->entry, s->n + 1, s->cap) ||
	    ((s->n + 1) * 2 > s->nslots && !grow(s)))
		return err_nomem(e);
	slot = slot_of(s, leaf);
	if (*slot == 0) {
		s->entry[s->n].leaf = *leaf;
		*slot = (uint32_t)++s->n;
	}
	s->entry[*slot - 1].index = index;
	return ERR_OK;
}
