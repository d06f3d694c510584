#include "drive/origin.h"

#include <stdlib.h>

void
origin_deinit(struct origin *o)
{
	free(o->slot);
	*o = (struct origin){NULL, 0, 0};
}

static bool
same_id(const struct blobs_id *a, const struct blobs_id *b)
{
	return a->block_offset == b->block_offset &&
	       a->block_length == b->block_length &&
	       a->byte_length == b->byte_length && a->block_map == b->block_map;
}

/* The slot of the id, or the free one where it belongs. */
static struct origin_slot *
probe(const struct origin *o, const struct blobs_id *id)
{
	uint64_t h =
	    id->block_offset * UINT64_C(0x9e3779b97f4a7c15) ^ id->block_length;
	size_t i = (size_t)((h ^ h >> 29) & (o->cap - 1));

	while (o->slot[i].path != NULL && !same_id(&o->slot[i].id, id))
		i = (i + 1) & (o->cap - 1);
	return &o->slot[i];
}

static bool
grow(struct origin *o)
{
	struct origin old = *o;

	o->cap = old.cap == 0 ? 64 : old.cap * 2;
	if ((o->slot = calloc(o->cap, sizeof(*o->slot))) == NULL) {
		*o = old;
		return false;
	}
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i].path != NULL)
			*probe(o, &old.slot[i].id) = old.slot[i];
	free(old.slot);
	return true;
}

enum err_code
origin_add(struct origin *o, const struct blobs_id *id, const char *path,
    bool removed, struct err *e)
{
	struct origin_slot *s;

	if (id->block_length == 0)
		return ERR_OK;
	if (o->n * 4 >= o->cap * 3 && !grow(o))
		return err_nomem(e);
	s = probe(o, id);
	if (s->path == NULL)
		o->n++;
	else if (s->removed || !removed)
		return ERR_OK;
	*s = (struct origin_slot){*id, path, removed};
	return ERR_OK;
}

struct origin_slot *
origin_find(const struct origin *o, const struct blobs_id *id)
{
	struct origin_slot *s;

	if (o->cap == 0 || id->block_length == 0)
		return NULL;
	s = probe(o, id);
	return s->path == NULL ? NULL : s;
}
