/* --all: the drives among the cores of the store. A core is a drive if its
 * first block says so; cores without a block have nothing to give. */
#include <string.h>

#include "base/arr.h"
#include "cmd/pear-seed/seed.h"
#include "hyperdrive/drive.h"

#include <stdlib.h>

#define SCAN_US 2000000

struct found {
	struct b32 key;
	uint64_t length;
};

struct scan {
	struct found *item;
	size_t n, cap;
	bool full; /* no memory for more */
};

static bool
collect(void *ctx, const struct core_info *i)
{
	struct scan *k = ctx;

	if (i->head.length == 0)
		return true;
	if (!ARR_RESERVE(k->item, k->n + 1, k->cap)) {
		k->full = true;
		return false;
	}
	k->item[k->n++] = (struct found){i->key, i->head.length};
	return true;
}

/* ERR_OK with *is false also for what cannot be read: that is looked at
 * again when it changes. */
static enum err_code
is_drive(struct seeder *s, const struct b32 *key, bool *is, struct err *e)
{
	struct hyperdrive *d;
	struct want w;
	enum err_code rc;

	*is = false;
	rc = hyperdrive_open(&d, s->store, key, CORE_READ, e);
	if (rc == ERR_OK) {
		rc = hyperdrive_find_blobs(d, &w, e);
		*is = rc == ERR_OK;
		hyperdrive_close(d);
	}
	if (rc == ERR_NOMEM)
		return rc;
	*e = (struct err)ERR_INIT;
	return ERR_OK;
}

static enum err_code
judge(struct seeder *s, const struct found *f, struct err *e)
{
	struct keymap *seen = &s->stored.seen;
	struct keymap_slot *slot;
	enum err_code rc;
	bool is;

	if (drives_find(s, &f->key) != NULL)
		return drives_add(s, &f->key, DRIVE_STORED, e);
	slot = keymap_get(seen, &f->key);
	if (slot != NULL && slot->value.n == f->length)
		return ERR_OK;
	if ((rc = is_drive(s, &f->key, &is, e)) != ERR_OK)
		return rc;
	if (is)
		return drives_add(s, &f->key, DRIVE_STORED, e);
	if ((slot = keymap_put(seen, &f->key)) == NULL)
		return err_nomem(e);
	slot->value.n = f->length;
	return ERR_OK;
}

static enum err_code
scan(struct seeder *s, struct err *e)
{
	struct scan k = {.item = NULL};
	enum err_code rc = core_list(s->store, collect, &k, e);

	if (rc == ERR_OK && k.full)
		rc = err_nomem(e);
	drives_begin(s, DRIVE_STORED);
	for (size_t i = 0; i < k.n && rc == ERR_OK; i++)
		rc = judge(s, &k.item[i], e);
	if (rc == ERR_OK)
		drives_end(s, DRIVE_STORED);
	free(k.item);
	return rc;
}

enum err_code
stored_turn(struct seeder *s, struct err *e)
{
	struct stored *st = &s->stored;
	uint64_t generation;
	enum err_code rc;

	if (!s->a->all || peer_now() < st->next)
		return ERR_OK;
	generation = store_generation(s->store);
	if (st->scanned && generation == st->generation)
		return ERR_OK;
	rc = scan(s, e);
	st->scanned = true;
	st->generation = generation;
	/* a download changes the store many times a second */
	st->next = peer_now() + SCAN_US;
	return rc == ERR_OK ? rc : err_wrap(e, "--all");
}
