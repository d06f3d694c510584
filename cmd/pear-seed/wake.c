/* Which drives are open: waking and sleeping. */
#include <stdlib.h>

#include "cmd/common/drive.h"
#include "cmd/pear-seed/seed.h"

#define RETRY_S 5
#define RETRY_MOST_S 600
#define VISITS_MAX 64
#define VISIT_US 10000000 /* for peers that say nothing */
#define TICK_US 50000	  /* between two looks at those awake, while it moves */
#define REST_US 1000000	  /* and while nothing does */
/* Reading many drives takes time that peers wait for. */
#define SLICE_US 20000
#define FIRST_US 1000000 /* at the start nobody waits yet */

/* -- the list of those awake ---------------------------------------------- */

static void
unlink_awake(struct drives *all, struct drive *d)
{
	if (d->newer != NULL)
		d->newer->older = d->older;
	else
		all->newest = d->older;
	if (d->older != NULL)
		d->older->newer = d->newer;
	else
		all->oldest = d->newer;
	all->awake--;
}

static void
link_awake(struct drives *all, struct drive *d)
{
	d->newer = NULL;
	d->older = all->newest;
	if (all->newest != NULL)
		all->newest->newer = d;
	else
		all->oldest = d;
	all->newest = d;
	all->awake++;
}

static void
touch(struct drives *all, struct drive *d)
{
	if (all->newest == d)
		return;
	unlink_awake(all, d);
	link_awake(all, d);
}

static void
begin_visit(struct drives *all, struct drive *d)
{
	all->visiting += !d->visiting;
	d->visiting = true;
	d->until = peer_now() + VISIT_US;
}

static void
end_visit(struct drives *all, struct drive *d)
{
	all->visiting -= d->visiting;
	d->visiting = false;
}

/* -- opening and closing -------------------------------------------------- */

/* Everything, for as long as it is open; a core of our own is only served,
 * unless a block of it was lost. */
static enum err_code
keep(struct seeder *s, const struct drive *d, struct replicate_core **out,
    const struct b32 *key, struct err *e)
{
	struct replicate_core *c;
	enum err_code rc;

	rc = replicate_open(peer_replicate(s->node), key, &c, e);
	if (rc != ERR_OK)
		return rc;
	if (!core_writable(replicate_core_handle(c))) {
		replicate_follow(c, true);
		rc = replicate_download(c, 0, UINT64_MAX, e);
	} else if (d->rotten) {
		rc = replicate_download(c, 0, look_head(c).length, e);
	}
	if (rc == ERR_OK)
		*out = c;
	return rc;
}

static enum err_code
open_db(struct seeder *s, struct drive *d, struct err *e)
{
	struct drives *all = &s->drives;
	enum err_code rc;

	if (d->db != NULL)
		return ERR_OK;
	if ((rc = keep(s, d, &d->db, &d->key, e)) != ERR_OK)
		return rc;
	d->writable = core_writable(replicate_core_handle(d->db));
	d->stored = true;
	begin_visit(all, d);
	link_awake(all, d);
	return ERR_OK;
}

static enum err_code
open_blobs(struct seeder *s, struct drive *d, struct err *e)
{
	enum err_code rc;

	if (d->db == NULL || d->shape != DRIVE_WHOLE || d->blobs != NULL)
		return ERR_OK;
	if ((rc = keep(s, d, &d->blobs, &d->blobs_key, e)) == ERR_OK)
		begin_visit(&s->drives, d);
	return rc;
}

/* A core may be of several drives, if their first blocks say so. */
static bool
used_elsewhere(
    struct seeder *s, const struct drive *but, struct replicate_core *c)
{
	const struct core *core = replicate_core_handle(c);
	const struct drive *d = drives_find(s, core_key(core));

	if (d != NULL && d != but && d->db == c)
		return true;
	d = drives_blobs(s, core_key(core));
	for (; d != NULL; d = d->by_blobs)
		if (d != but && d->blobs == c)
			return true;
	return false;
}

static void
let_go(struct seeder *s, struct drive *d, void (*how)(struct replicate_core *c))
{
	struct replicate_core *db = d->db, *blobs = d->blobs;

	if (db == NULL)
		return;
	end_visit(&s->drives, d);
	unlink_awake(&s->drives, d);
	d->db = d->blobs = NULL;
	if (!used_elsewhere(s, d, db))
		how(db);
	if (blobs != NULL && blobs != db && !used_elsewhere(s, d, blobs))
		how(blobs);
}

void
drives_let_go(struct seeder *s, struct drive *d)
{
	let_go(s, d, replicate_close);
}

/* Contents of which nothing is here may be none, or not known yet: somebody
 * must have said so. */
static bool
hollow(const struct drive *d)
{
	struct replicate_status st;

	if (d->blobs == NULL)
		return d->hollow;
	replicate_status(d->blobs, &st);
	return st.head.length == 0 && st.told > 0 && st.longest == 0;
}

static void
rest(struct seeder *s, struct drive *d)
{
	d->hollow = hollow(d);
	d->rotten = d->rotten && !drives_whole(d);
	d->db_head = look_head(d->db);
	if (d->blobs != NULL)
		d->blobs_head = look_head(d->blobs);
	let_go(s, d, replicate_release);
}

/* -- what is under way ---------------------------------------------------- */

bool
drives_whole(const struct drive *d)
{
	struct drive_head db, blobs;

	look_heads(d, &db, &blobs);
	if (d->shape == DRIVE_PENDING || db.length == 0 || !look_whole(&db))
		return false;
	if (d->shape == DRIVE_CORE)
		return true;
	return blobs.length > 0 || d->writable ? look_whole(&blobs) : hollow(d);
}

bool
drives_behind(struct replicate_core *c, const struct replicate_status *st)
{
	return !core_writable(replicate_core_handle(c)) && !st->conflict &&
	       (st->longest > st->head.length || st->highest > st->head.fork);
}

/* Is there nobody to get more from, or nothing more? */
static bool
quiet(struct replicate_core *c, bool all_here)
{
	struct replicate_status st;

	if (c == NULL)
		return true;
	replicate_status(c, &st);
	return st.outstanding == 0 && !drives_behind(c, &st) &&
	       (all_here || st.peers == 0);
}

static bool
may_rest(const struct drive *d)
{
	bool all_here = (d->writable && !d->rotten) || drives_whole(d);

	return !d->visiting && !d->trouble && !d->queued[DRIVES_LOOKS] &&
	       quiet(d->db, all_here) && quiet(d->blobs, all_here);
}

static bool
told(struct drive *d, uint64_t now)
{
	return now >= d->until ||
	       (replicate_pending(d->db) == 0 &&
		   (d->blobs == NULL || replicate_pending(d->blobs) == 0));
}

/* Those that were opened last are the ones that are visited. */
static void
look_at_visits(struct drives *all, uint64_t now)
{
	size_t left = all->visiting;

	for (struct drive *d = all->newest; d != NULL && left > 0;
	     d = d->older) {
		if (!d->visiting)
			continue;
		left--;
		if (told(d, now))
			end_visit(all, d);
	}
}

static void
rest_some(struct seeder *s)
{
	struct drives *all = &s->drives;
	struct drive *d = all->oldest, *next;

	for (; d != NULL && all->awake > all->most; d = next) {
		next = d->newer;
		if (may_rest(d))
			rest(s, d);
	}
}

/* -- looking -------------------------------------------------------------- */

/* At first, as many as may be are open; later, those that have a reason. */
static bool
must_open(const struct drives *all, const struct drive *d)
{
	return d->db == NULL && !d->joined &&
	       (all->awake < all->most || !d->stored);
}

static enum err_code
look(struct seeder *s, struct drive *d, bool wake, struct err *e)
{
	enum err_code rc;

	if ((wake || must_open(&s->drives, d)) &&
	    (rc = open_db(s, d, e)) != ERR_OK)
		return rc;
	if (!d->joined) {
		render_keys(s, d);
		rc =
		    peer_join(s->node, &d->topic, PEER_SERVER | PEER_CLIENT, e);
		if (rc != ERR_OK)
			return rc;
		d->joined = true;
	}
	if ((rc = look_contents(s, d, e)) != ERR_OK ||
	    (rc = open_blobs(s, d, e)) != ERR_OK)
		return rc;
	render_length(s, d);
	look_name(s, d);
	return ERR_OK;
}

/* A drive with a fault does not end the others. */
static enum err_code
look_or_wait(struct seeder *s, struct drive *d, bool wake, struct err *e)
{
	char link[PEAR_LINK_TEXT_MAX];
	enum err_code rc = look(s, d, wake, e);

	if (rc == ERR_OK) {
		d->trouble = false;
		d->wait = 0;
		return ERR_OK;
	}
	pear_link_key(link, &d->key);
	if (rc == ERR_NOMEM || (!s->running && (d->sources & DRIVE_NAMED) != 0))
		return err_wrap(e, "%s", link);
	d->wait = d->wait == 0 ? RETRY_S : 2 * d->wait;
	d->wait = d->wait > RETRY_MOST_S ? RETRY_MOST_S : d->wait;
	cli_warn(s->c, "%s: %s; trying again in %u s", link, e->msg,
	    (unsigned)d->wait);
	*e = (struct err)ERR_INIT;
	d->trouble = true;
	d->until = peer_now() + d->wait * UINT64_C(1000000);
	if (d->until < s->drives.retry)
		s->drives.retry = d->until;
	return ERR_OK;
}

static enum err_code
retries(struct seeder *s, uint64_t now, struct err *e)
{
	struct drives *all = &s->drives;
	uint64_t first = UINT64_MAX;
	enum err_code rc = ERR_OK;

	if (now < all->retry)
		return ERR_OK;
	all->retry = UINT64_MAX;
	for (size_t i = 0; i < all->n && rc == ERR_OK; i++) {
		struct drive *d = all->item[i];

		if (d->trouble && now >= d->until)
			rc = look_or_wait(s, d, true, e);
		if (d->trouble && d->until < first)
			first = d->until;
	}
	all->retry = first;
	return rc;
}

/* -- turns ---------------------------------------------------------------- */

/* Never more visits at a time than a part of those that may be open. */
static bool
may_visit(const struct drives *all)
{
	size_t most = all->most / 4 + 1;

	return all->visiting < (most < VISITS_MAX ? most : VISITS_MAX);
}

static enum err_code
work(struct seeder *s, uint64_t end, struct err *e)
{
	struct drives *all = &s->drives;
	enum err_code rc = ERR_OK;
	struct drive *d;

	while (rc == ERR_OK && peer_now() < end && may_visit(all) &&
	       (d = drives_next(all, DRIVES_VISITS)) != NULL)
		if (d->db == NULL && !d->trouble)
			rc = look_or_wait(s, d, true, e);
	while (rc == ERR_OK && peer_now() < end &&
	       (d = drives_next(all, DRIVES_LOOKS)) != NULL)
		if (!d->trouble)
			rc = look_or_wait(s, d, false, e);
	return rc;
}

enum err_code
drives_turn(struct seeder *s, struct err *e)
{
	struct drives *all = &s->drives;
	uint64_t now = peer_now();
	enum err_code rc;

	if ((rc = heads_turn(s, e)) != ERR_OK || now < all->due)
		return rc;
	look_at_visits(all, now);
	rest_some(s);
	if ((rc = retries(s, now, e)) != ERR_OK ||
	    (rc = work(s, now + (s->running ? SLICE_US : FIRST_US), e)) !=
		ERR_OK)
		return rc;
	all->due = all->retry;
	now = peer_now();
	if (all->first[DRIVES_LOOKS] != NULL || all->visiting > 0)
		all->due = now + TICK_US;
	else if (all->awake > all->most && now + REST_US < all->due)
		all->due = now + REST_US;
	return ERR_OK;
}

/* -- queues --------------------------------------------------------------- */

void
drives_look(struct seeder *s, struct drive *d)
{
	drives_queue(&s->drives, d, DRIVES_LOOKS);
}

void
drives_wake(struct seeder *s, struct drive *d)
{
	if (d->db == NULL)
		drives_queue(&s->drives, d, DRIVES_VISITS);
	else
		touch(&s->drives, d);
}
