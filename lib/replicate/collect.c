/*
 * Taking what was verified: the writer of a core while something is fetched,
 * what it collects, and what peers are told after each commit.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "replicate/impl.h"

#define DROPS_MAX 256 /* ranges in which a clearing is told */

/* -- the writer ----------------------------------------------------------- */

static enum err_code
take_lock(struct replicate_core *c, struct err *e)
{
	enum err_code rc = core_open(
	    &c->writer, c->r->store, core_key(c->core), CORE_REPLICA, e);

	if (rc == ERR_LOCKED)
		c->lock_again = c->r->now + LOCK_PAUSE_US;
	if (rc != ERR_OK || store_generation(c->r->store) == c->generation)
		return rc;
	/* others may have changed it while nobody held it */
	if ((rc = core_refresh(c->core, e)) != ERR_OK ||
	    (rc = collect_tell(c, e)) != ERR_OK)
		return rc;
	bitmap_clear_all(&c->here);
	c->generation = store_generation(c->r->store);
	return goals_recount(c, e);
}

enum err_code
collect_begin(struct replicate_core *c, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (c->in != NULL)
		return ERR_OK;
	if (c->writer == NULL && (rc = take_lock(c, e)) != ERR_OK) {
		core_close(c->writer);
		c->writer = NULL;
		return rc;
	}
	c->lock_told = false;
	return core_intake_new(&c->in, c->writer, e);
}

static void
forget_collected(struct replicate_core *c)
{
	c->nruns = 0;
	c->dirty = c->grown = false;
	c->dirty_bytes = c->dirty_blocks = 0;
}

void
collect_drop(struct replicate_core *c)
{
	core_intake_free(c->in);
	c->in = NULL;
	if (!c->dirty)
		return;
	forget_collected(c);
	bitmap_clear_all(&c->here);
}

void
collect_end(struct replicate_core *c)
{
	collect_drop(c);
	core_close(c->writer);
	c->writer = NULL;
	bitmap_clear_all(&c->here);
	bitmap_clear_all(&c->asked);
}

/* -- which blocks are here ------------------------------------------------ */

enum err_code
collect_look(struct replicate_core *c, uint64_t i, struct err *e)
{
	const uint64_t parts = BITMAP_PAGE / CORE_BITS_BLOCKS;
	uint64_t no = i / BITMAP_PAGE, word[BITMAP_WORDS] = {0};
	uint8_t page[CORE_BITS_BLOCKS / 8];
	enum err_code rc;

	if (bitmap_find(&c->here, no) != NULL)
		return ERR_OK;
	for (uint64_t k = 0; k < parts; k++) {
		rc = core_bits(c->core, no * parts + k, page, e);
		if (rc != ERR_OK)
			return rc;
		for (size_t b = 0; b < sizeof(page); b++)
			word[(k * sizeof(page) + b) / 8] |= (uint64_t)page[b]
							    << (b % 8 * 8);
	}
	return bitmap_put(&c->here, no, word) ? ERR_OK : err_nomem(e);
}

static enum err_code
note_run(struct replicate_core *c, uint64_t i, struct err *e)
{
	struct run *r;

	/* a few peers, each in order, leave a few runs that grow */
	for (size_t k = 0; k < 4 && k < c->nruns; k++) {
		r = &c->run[c->nruns - 1 - k];
		if (r->start + r->length == i) {
			r->length++;
			return ERR_OK;
		}
	}
	if (!ARR_RESERVE(c->run, c->nruns + 1, c->runs_cap))
		return err_nomem(e);
	c->run[c->nruns++] = (struct run){i, 1};
	return ERR_OK;
}

static enum err_code
note_block(struct replicate_core *c, uint64_t i, uint64_t bytes, struct err *e)
{
	enum err_code rc;

	if ((rc = collect_look(c, i, e)) != ERR_OK)
		return rc;
	if (bitmap_get(&c->here, i))
		return ERR_OK;
	if (!bitmap_set(&c->here, i))
		return err_nomem(e);
	goals_taken(c, i);
	c->dirty_bytes += bytes;
	c->dirty_blocks++;
	return note_run(c, i, e);
}

enum err_code
collect_proof(struct session *s, const struct core_proof *p,
    enum core_outcome *outcome, struct err *e)
{
	struct replicate_core *c = s->core;
	uint64_t before = core_intake_head(c->in)->length, after;
	const struct b32 *leaf = ahead_leaf(c->r, p->block);
	enum err_code rc = core_intake_leaf(c->in, p, leaf, outcome, e);

	if (rc != ERR_OK || *outcome == CORE_IGNORED)
		return rc;
	if (!c->dirty)
		c->dirty_since = c->r->now;
	c->dirty = true;
	after = core_intake_head(c->in)->length;
	if (after != before) {
		c->grown = true;
		/* pages of `here` are right beyond the head, too: zero */
		goals_grown(c, before, after);
	}
	return p->has_block ? note_block(c, p->block_index, p->block.len, e)
			    : ERR_OK;
}

/* -- commit --------------------------------------------------------------- */

/* A block somebody waits for is collected. */
static bool
need_collected(struct replicate_core *c)
{
	for (size_t i = 0; i < c->goals.nneeds; i++)
		if (bitmap_get(&c->here, c->goals.need[i]))
			return true;
	return false;
}

bool
collect_due(struct replicate_core *c)
{
	const struct replicate *r = c->r;

	return c->dirty && r->now >= r->full_until &&
	       (c->outstanding == 0 || c->dirty_bytes >= r->o.commit_bytes ||
		   r->now >= c->dirty_since + r->o.commit_us ||
		   (goals_any(c) && !c->goals.told && c->goals.left == 0 &&
		       c->goals.nneeds == 0) ||
		   (c->urgent && need_collected(c)));
}

static void
tell_collected(struct replicate_core *c)
{
	for (struct session *s = c->sessions; s != NULL; s = s->core_next) {
		for (size_t i = 0; i < c->nruns; i++)
			session_have(
			    s, c->run[i].start, c->run[i].length, false);
		if (c->grown)
			session_signal(s);
	}
	if (c->grown)
		events_add(c, NULL, REPLICATE_HEAD, 0, 0, NULL);
	if (c->dirty_blocks > 0)
		events_add(c, NULL, REPLICATE_BLOCKS, c->dirty_blocks,
		    c->dirty_bytes, NULL);
}

enum err_code
collect_commit(struct replicate_core *c, struct err *e)
{
	enum err_code rc;

	if (!c->dirty)
		return ERR_OK;
	if ((rc = core_intake_commit(c->in, e)) != ERR_OK)
		return collect_trouble(c, rc, e);
	if ((rc = core_refresh(c->core, e)) != ERR_OK)
		return rc;
	c->generation = store_generation(c->r->store);
	c->r->full_pause = 0;
	tell_collected(c);
	c->blocks_in += c->dirty_blocks;
	c->bytes_in += c->dirty_bytes;
	c->told = *core_head(c->core);
	forget_collected(c);
	goals_settle(c);
	return ERR_OK;
}

enum err_code
collect_trouble(struct replicate_core *c, enum err_code rc, struct err *e)
{
	static const struct err none = ERR_INIT;
	struct replicate *r = c->r;

	if (rc != ERR_NOSPACE)
		return rc;
	r->full_pause = r->full_pause == 0 ? FULL_PAUSE_US : 2 * r->full_pause;
	if (r->full_pause > FULL_PAUSE_MAX_US)
		r->full_pause = FULL_PAUSE_MAX_US;
	r->full_until = r->now + r->full_pause;
	events_add(c, NULL, REPLICATE_TROUBLE, 0, 0, e->msg);
	*e = none;
	return ERR_OK;
}

/* -- what others changed -------------------------------------------------- */

static void
tell_dropped(struct replicate_core *c, uint64_t start, uint64_t end)
{
	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		session_have(s, start, end - start, true);
}

/* Blocks below the old contiguous length that are not here any more; the
 * first one at our own is not. */
static enum err_code
tell_cleared(struct replicate_core *c, uint64_t end, struct err *e)
{
	uint64_t i = core_head(c->core)->contiguous, start = i;
	bool was = false, here;
	int n = 0;
	enum err_code rc;

	for (; i < end && n < DROPS_MAX; i++) {
		if ((rc = collect_look(c, i, e)) != ERR_OK)
			return rc;
		if ((here = bitmap_get(&c->here, i)) == was)
			continue;
		was = here;
		if (here) {
			tell_dropped(c, start, i);
			n++;
		}
		start = i;
	}
	if (!was || i < end)
		tell_dropped(c, start, end);
	return ERR_OK;
}

/* Holders of parts of a log get new bitfields where they asked for them. */
static enum err_code
tell_parts(struct replicate_core *c, struct err *e)
{
	const struct core_head *h = core_head(c->core);
	struct message_want w = {0, 0, false};
	uint64_t count;
	enum err_code rc;

	if (h->contiguous == h->length)
		return ERR_OK;
	if ((rc = core_count(c->core, 0, h->length, &count, e)) != ERR_OK ||
	    count == c->told_count)
		return rc;
	c->told_count = count;
	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		for (size_t i = 0; i < s->wants.n && rc == ERR_OK; i++) {
			w.start = s->wants.span[i].start;
			w.length = s->wants.span[i].length;
			rc = serve_want(s, &w, e);
		}
	return rc;
}

/* How much of the old log is left is not known: all is told anew. */
static void
tell_truncated(struct replicate_core *c, uint64_t old_length)
{
	for (struct session *s = c->sessions; s != NULL; s = s->core_next) {
		session_have(s, 0, old_length, true);
		s->signaled = 0;
		session_have(s, 0, core_head(c->core)->contiguous, false);
	}
}

enum err_code
collect_tell(struct replicate_core *c, struct err *e)
{
	const struct core_head *h = core_head(c->core);
	struct core_head old = c->told;
	bool moved = h->fork != old.fork || h->length != old.length;
	struct session *s;
	enum err_code rc = ERR_OK;

	c->told = *h;
	bitmap_clear_all(&c->here);
	if (h->fork != old.fork || h->length < old.length)
		tell_truncated(c, old.length);
	else if (h->contiguous < old.contiguous)
		rc = tell_cleared(c, old.contiguous, e);
	else if (h->contiguous > old.contiguous)
		for (s = c->sessions; s != NULL; s = s->core_next)
			session_have(s, old.contiguous,
			    h->contiguous - old.contiguous, false);
	if (rc == ERR_OK && c->nsessions > 0)
		rc = tell_parts(c, e);
	if (!moved || rc != ERR_OK)
		return rc;
	for (s = c->sessions; s != NULL; s = s->core_next)
		session_signal(s);
	events_add(c, NULL, REPLICATE_HEAD, 0, 0, NULL);
	return ERR_OK;
}
