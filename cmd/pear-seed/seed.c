/* Opening drives, following them, and the loop. */
#include "cmd/pear-seed/seed.h"

#include <stdlib.h>
#include <string.h>

#include "cli/stop.h"
#include "cmd/common/common.h"
#include "core/identity.h"
#include "hyperdrive/drive.h"

#define INTERVAL_TTY_MS 500
#define INTERVAL_PLAIN_MS 3000

/* -- command line --------------------------------------------------------- */

static enum err_code
read_links(struct seeder *s, struct err *e)
{
	enum err_code rc;

	s->seed = calloc(s->a->links.n + 1, sizeof(*s->seed));
	if (s->seed == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < s->a->links.n; i++) {
		rc = common_link(&s->seed[s->n].link, s->a->links.item[i], e);
		if (rc != ERR_OK)
			return rc;
		s->n++;
	}
	return ERR_OK;
}

static enum err_code
read_until(struct seeder *s, struct err *e)
{
	const struct cli_list *l = &s->a->until;
	char shown[160];

	if ((s->until = calloc(l->n + 1, sizeof(*s->until))) == NULL)
		return err_nomem(e);
	for (; s->nuntil < l->n; s->nuntil++) {
		struct view text = view_str(l->item[s->nuntil]);

		if (z32_key_id(text, &s->until[s->nuntil], e) != ERR_OK)
			return err_set(e, ERR_USAGE,
			    "--until-sync %s must supply a valid z32 key",
			    err_quote(
				shown, sizeof(shown), text.ptr, text.len));
	}
	return ERR_OK;
}

/* -- drives --------------------------------------------------------------- */

/* Everything, for as long as we run; a core of our own is only served. */
static enum err_code
keep(struct seeder *s, struct replicate_core **out, const struct b32 *key,
    struct err *e)
{
	enum err_code rc;

	rc = replicate_open(peer_replicate(s->node), key, out, e);
	if (rc != ERR_OK || core_writable(replicate_core_handle(*out)))
		return rc;
	replicate_follow(*out, true);
	return replicate_download(*out, 0, UINT64_MAX, e);
}

static enum err_code
find_contents(struct seeder *s, struct seed *d, struct err *e)
{
	struct hyperdrive *drive;
	struct want w;
	bool known = false;
	enum err_code rc;

	d->look = false;
	rc = hyperdrive_open(&drive, s->store, &d->link.key, CORE_READ, e);
	if (rc == ERR_OK) {
		rc = hyperdrive_find_blobs(drive, &w, e);
		known =
		    rc == ERR_OK && hyperdrive_blobs_key(drive, &d->blobs_key);
		hyperdrive_close(drive);
	}
	/* not here yet, or not a drive at all: then there is one core */
	if (rc == ERR_NEED_BLOCK || rc == ERR_FORMAT || rc == ERR_UNSUPPORTED ||
	    rc == ERR_NOT_FOUND)
		return ERR_OK;
	if (rc != ERR_OK || !known)
		return rc;
	if ((rc = keep(s, &d->blobs, &d->blobs_key, e)) == ERR_OK)
		seed_render_contents(s, d);
	return rc;
}

static enum err_code
look_again(struct seeder *s, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < s->n && rc == ERR_OK; i++)
		if (s->seed[i].look && s->seed[i].blobs == NULL)
			rc = find_contents(s, &s->seed[i], e);
	return rc;
}

/* -- until-sync ----------------------------------------------------------- */

static bool
has_all(struct replicate_core *c, const struct b32 *peer)
{
	uint64_t length, contiguous, fork;
	const struct core_head *h;
	struct b32 who;

	if (c == NULL)
		return false;
	h = core_head(replicate_core_handle(c));
	for (size_t i = 0;
	     replicate_remote(c, i, &who, &length, &contiguous, &fork); i++)
		if (b32_eq(&who, peer) && fork == h->fork &&
		    contiguous >= h->length)
			return true;
	return false;
}

static bool
synced(struct seeder *s, const struct b32 *peer)
{
	for (size_t i = 0; i < s->n; i++)
		if (!has_all(s->seed[i].db, peer) ||
		    !has_all(s->seed[i].blobs, peer))
			return false;
	return true;
}

/* In the order they were named. */
static bool
all_synced(struct seeder *s)
{
	while (s->synced < s->nuntil && synced(s, &s->until[s->synced]))
		seed_render_synced(s, &s->until[s->synced++]);
	return s->nuntil > 0 && s->synced == s->nuntil;
}

/* -- the run -------------------------------------------------------------- */

static void
on_event(void *ctx, const struct peer_event *ev)
{
	struct seeder *s = ctx;

	if (ev->kind != PEER_CORE) {
		seed_render_peer(s, ev);
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		if (s->seed[i].db == ev->core->core)
			s->seed[i].look = true;
	seed_render_core(s, ev->core);
}

static enum err_code
connect(struct seeder *s, struct err *e)
{
	struct peer_at at[PEER_AT_MAX];
	struct addr listen;
	struct peer_opts o = {.store = s->store,
	    .serve = true,
	    .pair = &s->pair,
	    .at = at,
	    .nat = s->a->peers.n,
	    .stop = cli_stopping,
	    .event = on_event,
	    .ctx = s};
	enum err_code rc;

	if ((rc = common_net_words(at, &s->a->peers, e)) != ERR_OK)
		return rc;
	if (s->a->listen != NULL) {
		if (addr_parse(&listen, view_str(s->a->listen), e) != ERR_OK) {
			e->code = ERR_USAGE;
			return err_wrap(e, "--listen");
		}
		o.listen = &listen;
	} else if (o.nat == 0) {
		return err_set(e, ERR_USAGE,
		    "--listen or --peer is needed: nobody is looked for");
	}
	if (s->c->common.offline)
		return err_set(e, ERR_USAGE, "--offline leaves nothing to do");
	rc =
	    core_identity_derive(&s->pair, s->store, view_str("hyperswarm"), e);
	return rc == ERR_OK ? peer_open(&s->node, &o, e) : rc;
}

static enum err_code
open_drives(struct seeder *s, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < s->n && rc == ERR_OK; i++) {
		struct seed *d = &s->seed[i];

		if ((rc = keep(s, &d->db, &d->link.key, e)) != ERR_OK)
			break;
		d->topic = *core_discovery_key(replicate_core_handle(d->db));
		d->look = true;
	}
	return rc;
}

static enum err_code
loop(struct seeder *s, struct err *e)
{
	enum err_code rc;

	for (;;) {
		if ((rc = look_again(s, e)) != ERR_OK || all_synced(s))
			return rc;
		if (peer_now() >= s->next_stats) {
			seed_render_stats(s);
			s->next_stats = peer_now() + s->interval_us;
		}
		if ((rc = peer_turn(s->node, s->next_stats, e)) != ERR_OK)
			return rc;
	}
}

static enum err_code
seed(struct seeder *s, struct err *e)
{
	enum err_code rc;

	if ((rc = read_links(s, e)) != ERR_OK ||
	    (rc = read_until(s, e)) != ERR_OK ||
	    (rc = common_store(&s->store, s->c, STORE_CREATE, e)) != ERR_OK ||
	    (rc = connect(s, e)) != ERR_OK)
		return rc;
	seed_render_start(s);
	if ((rc = open_drives(s, e)) == ERR_OK)
		rc = loop(s, e);
	/* to be stopped is how this ends */
	return rc == ERR_INTERRUPTED ? ERR_OK : rc;
}

enum err_code
seed_run(struct cli *c, const struct seed_args *a, struct err *e)
{
	struct seeder s = {.c = c, .a = a};
	uint64_t ms = c->common.tty ? INTERVAL_TTY_MS : INTERVAL_PLAIN_MS;
	enum err_code rc;

	s.interval_us = (a->interval.set ? a->interval.n : ms) * 1000;
	if (s.interval_us == 0)
		s.interval_us = 1000;
	rc = seed(&s, e);
	cli_status_clear(c);
	peer_close(s.node);
	store_close(s.store);
	sign_pair_free(&s.pair);
	free(s.seed);
	free(s.until);
	free(s.line);
	return rc;
}
