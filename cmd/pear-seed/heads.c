/* The lengths of drives that sleep: all of them in one pass over the store,
 * when it has changed. */
#include "cmd/pear-seed/seed.h"

#define LOOK_US 2000000
#define SHARE 50 /* of the time at most one part is for this */

static bool
same(const struct drive_head *a, const struct drive_head *b)
{
	return a->length == b->length && a->bytes == b->bytes &&
	       a->contiguous == b->contiguous;
}

/* Somebody else wrote it: peers are to hear of it. */
static void
take_db(struct seeder *s, struct drive *d, const struct drive_head *h)
{
	bool grown = h->length != d->db_head.length, known = d->stored;

	if (d->db != NULL)
		return;
	if (known && !same(&d->db_head, h))
		drives_look(s, d);
	d->db_head = *h;
	if (known && grown)
		drives_wake(s, d);
}

static bool
take(void *ctx, const struct core_info *i)
{
	struct seeder *s = ctx;
	const struct drive_head h = {
	    i->head.length, i->head.contiguous, i->head.byte_length};
	struct drive *d = drives_find(s, &i->key);

	if (d != NULL) {
		take_db(s, d, &h);
		d->writable = i->writable;
		d->stored = true;
	}
	d = drives_blobs(s, &i->key);
	for (; d != NULL; d = d->by_blobs)
		if (b32_eq(&d->blobs_key, &i->key) && d->blobs == NULL)
			d->blobs_head = h;
	return true;
}

enum err_code
heads_turn(struct seeder *s, struct err *e)
{
	struct drives *all = &s->drives;
	uint64_t generation, began = peer_now(), took;
	enum err_code rc;

	if (all->n <= all->most || (!all->new &&began < all->heads_next))
		return ERR_OK;
	generation = store_generation(s->store);
	if (!all->new &&generation == all->generation) {
		all->heads_next = began + LOOK_US;
		return ERR_OK;
	}
	if ((rc = core_list(s->store, take, s, e)) != ERR_OK)
		return rc;
	all->new = false;
	all->generation = generation;
	/* a download changes the store many times a second */
	took = (peer_now() - began) * SHARE;
	all->heads_next = began + (took > LOOK_US ? took : LOOK_US);
	return ERR_OK;
}
