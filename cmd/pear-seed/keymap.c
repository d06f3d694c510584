#include "cmd/pear-seed/keymap.h"

#include <stdlib.h>
#include <string.h>

#define CAP_MIN 64

static size_t
home(const struct keymap *m, const struct b32 *key)
{
	size_t h;

	memcpy(&h, key->b, sizeof(h));
	return h & (m->cap - 1);
}

void
keymap_deinit(struct keymap *m)
{
	free(m->slot);
	memset(m, 0, sizeof(*m));
}

/* Its slot, or the empty one where it would be; cap > 0. */
static struct keymap_slot *
probe(const struct keymap *m, const struct b32 *key)
{
	size_t i = home(m, key);

	while (m->slot[i].used && !b32_eq(&m->slot[i].key, key))
		i = (i + 1) & (m->cap - 1);
	return &m->slot[i];
}

struct keymap_slot *
keymap_get(const struct keymap *m, const struct b32 *key)
{
	struct keymap_slot *s = m->cap > 0 ? probe(m, key) : NULL;

	return s != NULL && s->used ? s : NULL;
}

static bool
grow(struct keymap *m)
{
	struct keymap next = {.cap = m->cap == 0 ? CAP_MIN : 2 * m->cap};

	next.slot = calloc(next.cap, sizeof(*next.slot));
	if (next.slot == NULL)
		return false;
	for (size_t i = 0; i < m->cap; i++)
		if (m->slot[i].used)
			*probe(&next, &m->slot[i].key) = m->slot[i];
	next.n = m->n;
	free(m->slot);
	*m = next;
	return true;
}

struct keymap_slot *
keymap_put(struct keymap *m, const struct b32 *key)
{
	struct keymap_slot *s = keymap_get(m, key);

	if (s != NULL)
		return s;
	if (2 * (m->n + 1) > m->cap && !grow(m))
		return NULL;
	s = probe(m, key);
	*s = (struct keymap_slot){.key = *key, .used = true};
	m->n++;
	return s;
}

void
keymap_delete(struct keymap *m, const struct b32 *key)
{
	struct keymap_slot *s = keymap_get(m, key);
	size_t hole, i, at;

	if (s == NULL)
		return;
	m->n--;
	hole = (size_t)(s - m->slot);
	/* whoever was pushed past the hole moves into it */
	for (i = (hole + 1) & (m->cap - 1); m->slot[i].used;
	     i = (i + 1) & (m->cap - 1)) {
		at = home(m, &m->slot[i].key);
		if (((i - at) & (m->cap - 1)) < ((i - hole) & (m->cap - 1)))
			continue;
		m->slot[hole] = m->slot[i];
		hole = i;
	}
	m->slot[hole] = (struct keymap_slot){.used = false};
}
