/* When to end: peers that have everything. */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/pear-seed/seed.h"

#define TIMEOUT_MAX ((uint64_t)1 << 32) /* seconds */

enum err_code
goal_read(struct seeder *s, struct err *e)
{
	const struct cli_list *l = &s->a->until;
	const struct seed_args *a = s->a;
	struct goal *g = &s->goal;
	char shown[160];

	if ((g->until = calloc(l->n + 1, sizeof(*g->until))) == NULL)
		return err_nomem(e);
	for (; g->nuntil < l->n; g->nuntil++) {
		struct view text = view_str(l->item[g->nuntil]);

		if (z32_key_id(text, &g->until[g->nuntil], e) != ERR_OK)
			return err_set(e, ERR_USAGE,
			    "--until-sync %s must supply a valid z32 key",
			    err_quote(
				shown, sizeof(shown), text.ptr, text.len));
	}
	if (a->copies.set && a->copies.n == 0)
		return err_set(
		    e, ERR_USAGE, "--until-copies must be at least 1");
	g->copies = a->copies.set ? a->copies.n : 0;
	if (!a->timeout.set)
		return ERR_OK;
	if (g->nuntil == 0 && g->copies == 0 && a->blind_peers.n == 0)
		return err_set(e, ERR_USAGE,
		    "--timeout belongs to --until-sync, --until-copies or "
		    "--blind-peer");
	if (a->timeout.n > TIMEOUT_MAX)
		return err_set(e, ERR_USAGE, "--timeout is too long");
	g->end = peer_now() + a->timeout.n * 1000000;
	return ERR_OK;
}

/* -- who has what --------------------------------------------------------- */

static bool
core_at(struct replicate_core *c, const struct b32 *peer)
{
	uint64_t length, contiguous, fork;
	const struct core_head *h = core_head(replicate_core_handle(c));
	struct b32 who;

	for (size_t i = 0;
	     replicate_remote(c, i, &who, &length, &contiguous, &fork); i++)
		if (b32_eq(&who, peer) && fork == h->fork &&
		    contiguous >= h->length)
			return true;
	return false;
}

/* An empty core has nothing that could be missing there. */
static bool
drive_at(const struct drive *d, const struct b32 *peer)
{
	if (d->db == NULL || d->shape == DRIVE_PENDING || !core_at(d->db, peer))
		return false;
	return d->shape == DRIVE_CORE ||
	       core_head(replicate_core_handle(d->blobs))->length == 0 ||
	       core_at(d->blobs, peer);
}

size_t
goal_copies(const struct drive *d)
{
	if (d->db == NULL || d->shape == DRIVE_PENDING)
		return 0;
	return replicate_copies(
	    d->db, d->shape == DRIVE_WHOLE ? d->blobs : NULL);
}

static bool
synced(const struct seeder *s, const struct b32 *peer)
{
	for (size_t i = 0; i < s->drives.n; i++)
		if (!drive_at(s->drives.item[i], peer))
			return false;
	return s->drives.n > 0;
}

/* Of the drive that has the fewest. */
static uint64_t
copies(const struct seeder *s)
{
	uint64_t least = UINT64_MAX, n;

	for (size_t i = 0; i < s->drives.n; i++) {
		n = goal_copies(s->drives.item[i]);
		least = n < least ? n : least;
	}
	return s->drives.n > 0 ? least : 0;
}

/* -- the end -------------------------------------------------------------- */

static bool
reached(struct seeder *s)
{
	struct goal *g = &s->goal;
	uint64_t n;

	if (g->nuntil == 0 && g->copies == 0)
		return false;
	if (stored_due(&s->stored) != UINT64_MAX)
		return false; /* there may be more drives */
	/* in the order they were named */
	while (g->synced < g->nuntil && synced(s, &g->until[g->synced]))
		render_synced(s, &g->until[g->synced++]);
	if (g->copies == 0)
		return g->synced == g->nuntil;
	n = copies(s);
	if (n != g->shown)
		render_copies(s, n);
	g->shown = n;
	return g->synced == g->nuntil && n >= g->copies;
}

enum err_code
goal_check(struct seeder *s, bool *met, struct err *e)
{
	struct goal *g = &s->goal;

	*met = g->look && reached(s);
	g->look = false;
	if (*met || g->end == 0 || peer_now() < g->end)
		return ERR_OK;
	if (g->nuntil == 0 && g->copies == 0)
		return blind_late(s, e);
	if (g->synced < g->nuntil)
		return err_set(e, ERR_PEERS,
		    "after %" PRIu64 " s %zu of %zu peers have everything",
		    s->a->timeout.n, g->synced, g->nuntil);
	return err_set(e, ERR_PEERS,
	    "after %" PRIu64 " s there are %" PRIu64 " of %" PRIu64 " copies",
	    s->a->timeout.n, g->shown, g->copies);
}
