/* --all: the drives among the cores of the store. A core is a drive if its
 * first block says so; cores without a block have nothing to give. */
#include <string.h>

#include "base/arr.h"
#include "cmd/pear-seed/seed.h"
#include "hyperdrive/drive.h"

#include <stdlib.h>

#define SCAN_US 2000000
/* Reading them takes time that peers wait for; at the start nobody does. */
#define SLICE_US 20000
#define FIRST_US 1000000
#define PAUSE_US 50000

static bool
collect(void *ctx, const struct core_info *i)
{
	struct stored *st = ctx;

	if (i->head.length == 0)
		return true;
	if (!ARR_RESERVE(st->core, st->n + 1, st->cap)) {
		st->full = true;
		return false;
	}
	st->core[st->n++] = (struct stored_core){i->key, i->head.length};
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
judge(struct seeder *s, const struct stored_core *f, struct err *e)
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
begin(struct seeder *s, struct err *e)
{
	struct stored *st = &s->stored;
	enum err_code rc;

	st->generation = store_generation(s->store);
	st->scanned = true;
	if ((rc = core_list(s->store, collect, st, e)) != ERR_OK)
		return rc;
	if (st->full)
		return err_nomem(e);
	drives_begin(s, DRIVE_STORED);
	return ERR_OK;
}

static enum err_code
go_on(struct seeder *s, struct err *e)
{
	uint64_t end = peer_now() + (s->running ? SLICE_US : FIRST_US);
	struct stored *st = &s->stored;
	enum err_code rc;

	while (st->at < st->n && peer_now() < end)
		if ((rc = judge(s, &st->core[st->at++], e)) != ERR_OK)
			return rc;
	if (st->at < st->n) {
		st->next = peer_now() + PAUSE_US;
		return ERR_OK;
	}
	drives_end(s, DRIVE_STORED);
	s->goal.look = true;
	/* a download changes the store many times a second */
	st->next = peer_now() + SCAN_US;
	stored_forget(st);
	return ERR_OK;
}

void
stored_forget(struct stored *st)
{
	free(st->core);
	st->core = NULL;
	st->n = st->cap = st->at = 0;
}

enum err_code
stored_turn(struct seeder *s, struct err *e)
{
	struct stored *st = &s->stored;
	enum err_code rc = ERR_OK;

	if (!s->a->all || peer_now() < st->next)
		return ERR_OK;
	if (st->n == 0) {
		if (st->scanned && store_generation(s->store) == st->generation)
			return ERR_OK;
		rc = begin(s, e);
	}
	if (rc == ERR_OK)
		rc = go_on(s, e);
	return rc == ERR_OK ? rc : err_wrap(e, "--all");
}

uint64_t
stored_due(const struct stored *st)
{
	return st->n > 0 ? st->next : UINT64_MAX;
}
