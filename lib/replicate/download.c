/*
 * What to ask whom for: a longer head first, then what a read waits for,
 * then ranges in order, spread over peers; when nothing is left to ask, what
 * slow peers have not delivered is asked of idle ones as well.
 */
#include "base/arr.h"
#include "replicate/impl.h"

#define ROUND 8	     /* requests to one peer before the next has a turn */
#define SHARED_MAX 3 /* peers from which one block is expected */
#define UPGRADES_MAX 64
#define UPGRADE_WAIT_US 500000
#define SEGMENTS_NEW 3 /* spans asked about at once */

void
download_rescan(struct replicate_core *c, uint64_t i)
{
	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		if (s->scan > i)
			s->scan = i;
	replicate_wake(c);
}

/* -- who can be asked ----------------------------------------------------- */

static bool
usable(const struct session *s)
{
	return s->open && s->synced && s->uploading && !s->paused &&
	       s->length > 0 && s->peer->failed == ERR_OK &&
	       s->fork == goals_fork(s->core);
}

static uint32_t
spare(const struct session *s)
{
	uint32_t window = window_size(s->peer);

	/* after a full disk: what cannot be kept is not fetched */
	if (s->core->r->full_pause != 0)
		return s->core->outstanding == 0 ? 1 : 0;
	return s->peer->outstanding < window ? window - s->peer->outstanding
					     : 0;
}

/* A shorter peer proves blocks up to its own roots: they must be here. */
static enum err_code
is_rooted(struct session *s, bool *ok, struct err *e)
{
	struct replicate_core *c = s->core;
	uint64_t root[FLAT_ROOTS_MAX], levels;
	size_t n;
	enum err_code rc;

	*ok = s->length >= goals_length(c) || s->rooted == s->length;
	if (*ok)
		return ERR_OK;
	n = flat_roots(s->length, root);
	for (size_t i = 0; i < n; i++) {
		rc = core_intake_climb(c->in, root[i], &levels, e);
		if (rc != ERR_OK || levels != 0)
			return rc;
	}
	s->rooted = s->length;
	*ok = true;
	return ERR_OK;
}

/* Blocks that s may be asked for are below. */
static uint64_t
limit(const struct session *s)
{
	uint64_t length = goals_length(s->core);

	return s->length < length ? s->length : length;
}

/* Once for each span: what do you have there? */
static enum err_code
ask_about(struct session *s, uint64_t i, struct err *e)
{
	uint64_t segment = i / WANTS_SPAN;
	struct message_want w = {segment * WANTS_SPAN, WANTS_SPAN, false};

	for (size_t k = s->nsegments; k > 0; k--)
		if (s->segment[k - 1] == segment)
			return ERR_OK;
	if (s->nsegments == WANTS_MAX)
		return ERR_OK;
	if (!ARR_RESERVE(s->segment, s->nsegments + 1, s->segments_cap))
		return err_nomem(e);
	s->segment[s->nsegments++] = segment;
	message_put_want(session_begin(s, MESSAGE_WANT, 32), &w);
	session_end(s);
	return ERR_OK;
}

/* -- blocks --------------------------------------------------------------- */

static enum err_code
ask_block(
    struct session *s, uint64_t i, uint64_t priority, bool *sent, struct err *e)
{
	struct replicate_core *c = s->core;
	struct core_request part = {.has_block = true, .block_index = i};
	uint16_t id;
	enum err_code rc;

	*sent = false;
	rc = core_intake_climb(c->in, 2 * i, &part.block_nodes, e);
	if (rc != ERR_OK)
		return rc;
	if ((id = asked_add(s, REQUEST_BLOCK, i)) == 0) {
		s->scan = i < s->scan ? i : s->scan; /* later, then */
		return ERR_OK;
	}
	if (!bitmap_set(&c->asked, i)) {
		asked_over(s, id);
		return err_nomem(e);
	}
	asked_send(s, id, &part, priority);
	*sent = true;
	return ERR_OK;
}

/* The first block of [i, end) that s has and that is neither here nor asked
 * for; UINT64_MAX: none. */
static enum err_code
scan(
    struct session *s, uint64_t i, uint64_t end, uint64_t *found, struct err *e)
{
	struct replicate_core *c = s->core;
	const struct bitmap_page *page;
	uint64_t w, bits;
	enum err_code rc;

	*found = UINT64_MAX;
	while ((i = remote_skip(&s->has, i)) < end) {
		if ((rc = collect_look(c, i, e)) != ERR_OK)
			return rc;
		page = bitmap_find(&c->here, i / BITMAP_PAGE);
		if (page->word == NULL) {
			i = (page->no + 1) * BITMAP_PAGE;
			continue;
		}
		w = i / 64;
		bits = ~page->word[w % BITMAP_WORDS] &
		       ~bitmap_word(&c->asked, w) & remote_word(&s->has, w) &
		       (UINT64_MAX << (i % 64));
		if (bits == 0) {
			i = (w + 1) * 64;
			continue;
		}
		i = w * 64 + (uint64_t)__builtin_ctzll(bits);
		if (i < end)
			*found = i;
		return ERR_OK;
	}
	return ERR_OK;
}

/* The next block for s out of the goals, in order, and of the hint. */
static enum err_code
next_block(struct session *s, uint64_t *found, struct err *e)
{
	struct replicate_core *c = s->core;
	struct goals *g = &c->goals;
	uint64_t stop = limit(s), done = core_head(c->core)->contiguous;
	uint64_t start, end;
	enum err_code rc;

	if (s->scan < done)
		s->scan = done;
	for (size_t at = goals_from(g, s->scan); at < g->n; at++) {
		start =
		    g->range[at].start > s->scan ? g->range[at].start : s->scan;
		end = goals_end(c, &g->range[at]);
		end = end < stop ? end : stop;
		if (start >= stop)
			break;
		if (g->range[at].left == 0)
			continue;
		if ((rc = scan(s, start, end, found, e)) != ERR_OK)
			return rc;
		if (*found != UINT64_MAX) {
			s->scan = *found + 1;
			return ERR_OK;
		}
	}
	if (s->scan < stop)
		s->scan = stop;
	end = g->hint_end < stop ? g->hint_end : stop;
	return scan(s, g->hint_start, end, found, e);
}

/* s has nothing for us that we know of: ask what it has of the goals. */
static enum err_code
ask_around(struct session *s, struct err *e)
{
	struct replicate_core *c = s->core;
	struct goals *g = &c->goals;
	uint64_t i, end, stop = limit(s);
	size_t before = s->nsegments;
	enum err_code rc = ERR_OK;

	if (s->has.contiguous >= stop)
		return ERR_OK;
	for (size_t at = 0; at < g->n && rc == ERR_OK; at++) {
		if (g->range[at].left == 0)
			continue;
		i = g->range[at].start;
		if (i < core_head(c->core)->contiguous)
			i = core_head(c->core)->contiguous;
		if (i < s->has.contiguous)
			i = s->has.contiguous;
		end = goals_end(c, &g->range[at]);
		end = end < stop ? end : stop;
		for (; i < end && rc == ERR_OK;
		     i = (i / WANTS_SPAN + 1) * WANTS_SPAN) {
			if (s->nsegments >= before + SEGMENTS_NEW)
				return ERR_OK;
			rc = ask_about(s, i, e);
		}
	}
	return rc;
}

/* -- needs ---------------------------------------------------------------- */

static struct session *
best_for(struct replicate_core *c, uint64_t i, const struct session *but)
{
	struct session *best = NULL;
	uint64_t cost, least = UINT64_MAX;
	bool ok;

	for (struct session *s = c->sessions; s != NULL; s = s->core_next) {
		if (s == but || !usable(s) || i >= limit(s) ||
		    s->out.n >= REPLICATE_REQUESTS_MAX ||
		    requests_full(&s->out) || !remote_has(&s->has, i) ||
		    is_rooted(s, &ok, NULL) != ERR_OK || !ok)
			continue;
		cost = window_fair(s->peer) * (1 + s->peer->outstanding);
		if (window_silent(s->peer))
			cost += UINT64_MAX / 2;
		if (cost < least) {
			least = cost;
			best = s;
		}
	}
	return best;
}

static bool
is_late(const struct session *s, const struct request *q)
{
	return s->core->r->now >= asked_late(s, q);
}

/* Ask a second peer for a block that a first one keeps us waiting for. */
static enum err_code
share(struct session *from, uint16_t id, struct session *to, uint64_t priority,
    bool *sent, struct err *e)
{
	uint64_t i = from->out.slot[id - 1].index;
	enum err_code rc = ask_block(to, i, priority, sent, e);

	if (rc != ERR_OK || !*sent)
		return rc;
	from->out.slot[id - 1].shared = true;
	to->out.slot[to->out.last - 1].shared = true;
	return ERR_OK;
}

static enum err_code
hurry(struct replicate_core *c, uint64_t i, struct err *e)
{
	struct session *s, *to;
	struct request *q;
	bool sent;
	uint16_t id = 0;

	for (s = c->sessions; s != NULL; s = s->core_next)
		if ((id = asked_of(s, i)) != 0)
			break;
	if (id == 0)
		return ERR_OK;
	q = &s->out.slot[id - 1];
	if (q->shared || !is_late(s, q) || (to = best_for(c, i, s)) == NULL)
		return ERR_OK;
	return share(s, id, to, 1, &sent, e);
}

static enum err_code
ask_need(struct replicate_core *c, uint64_t i, struct err *e)
{
	struct session *s;
	bool sent;
	enum err_code rc;

	if (i >= goals_length(c))
		return ERR_OK;
	if ((rc = collect_look(c, i, e)) != ERR_OK || bitmap_get(&c->here, i))
		return rc;
	if (bitmap_get(&c->asked, i))
		return c->nsessions > 1 ? hurry(c, i, e) : ERR_OK;
	if ((s = best_for(c, i, NULL)) != NULL)
		return ask_block(s, i, 1, &sent, e);
	for (s = c->sessions; s != NULL && rc == ERR_OK; s = s->core_next)
		if (usable(s) && i < limit(s) && i >= s->has.contiguous)
			rc = ask_about(s, i, e);
	return rc;
}

static enum err_code
ask_needs(struct replicate_core *c, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t k = 0; k < c->goals.nneeds && rc == ERR_OK; k++)
		rc = ask_need(c, c->goals.need[k], e);
	return rc;
}

/* -- spreading ------------------------------------------------------------ */

/* Of how many block i may still be expected: not those that are late. */
static unsigned
count_asked(const struct replicate_core *c, uint64_t i)
{
	unsigned n = 0;
	uint16_t id;

	for (struct session *s = c->sessions; s != NULL; s = s->core_next) {
		id = s->out.n > 0 ? asked_of(s, i) : 0;
		n += id != 0 && !is_late(s, &s->out.slot[id - 1]);
	}
	return n;
}

/* May s be asked for what q asks another for? */
static bool
may_share(struct session *s, const struct request *q)
{
	if (q->kind != REQUEST_BLOCK || q->index >= limit(s) ||
	    !remote_has(&s->has, q->index) ||
	    s->core->r->now - q->sent < 2 * window_fair(s->peer))
		return false;
	return !q->shared || (asked_of(s, q->index) == 0 &&
				 count_asked(s->core, q->index) < SHARED_MAX);
}

/* It keeps us waiting itself. Of whom nothing is known, one answer is waited
 * for; then it did so, or it did not. */
static bool
is_behind(const struct session *s)
{
	uint16_t id = requests_first(&s->out);

	if (s->peer->least_us == 0 && (s->peer->usual_us != 0 || id != 0))
		return true;
	return id != 0 && s->core->r->now > s->out.slot[id - 1].sent +
						2 * window_fair(s->peer);
}

/* What another peer is late with, the oldest. False: nothing, or s is late
 * itself. */
static bool
late_one(struct session *s, struct session **from, uint16_t *id)
{
	uint64_t oldest = UINT64_MAX;
	const struct request *q;

	if (is_behind(s))
		return false;
	for (struct session *t = s->core->sessions; t != NULL;
	     t = t->core_next) {
		if (t == s)
			continue;
		for (uint16_t k = requests_first(&t->out); k != 0;
		     k = requests_after(&t->out, k)) {
			q = &t->out.slot[k - 1];
			if (q->sent >= oldest || (!q->shared && !is_late(t, q)))
				break;
			if (!is_late(t, q) || !may_share(s, q))
				continue;
			oldest = q->sent;
			*from = t;
			*id = k;
			break;
		}
	}
	return oldest != UINT64_MAX;
}

/* Up to `most` requests to s. *n: how many were sent. */
static enum err_code
ask_some(struct session *s, uint32_t most, uint32_t *n, struct err *e)
{
	struct session *from;
	uint64_t i;
	uint16_t id;
	bool sent = true;
	enum err_code rc;

	for (*n = 0; *n < most && sent; ++*n) {
		if ((rc = next_block(s, &i, e)) != ERR_OK)
			return rc;
		if (i != UINT64_MAX)
			rc = ask_block(s, i, 0, &sent, e);
		else if (s->core->nsessions > 1 && late_one(s, &from, &id))
			rc = share(from, id, s, 0, &sent, e);
		else
			break;
		if (rc != ERR_OK)
			return rc;
	}
	if (*n < most && s->core->goals.left > 0)
		return ask_around(s, e);
	return ERR_OK;
}

static enum err_code
spread(struct replicate_core *c, struct err *e)
{
	struct session *list = NULL, *last = NULL, *s, **link;
	uint32_t n, most;
	bool ok;
	enum err_code rc;

	for (s = c->sessions; s != NULL; s = s->core_next) {
		if (!usable(s) || spare(s) == 0)
			continue;
		if ((rc = is_rooted(s, &ok, e)) != ERR_OK)
			return rc;
		if (!ok)
			continue;
		link = window_silent(s->peer) ? &last : &list;
		s->fill_next = *link;
		*link = s;
	}
	for (link = &list; *link != NULL;)
		link = &(*link)->fill_next;
	*link = last;
	while (list != NULL) {
		for (link = &list; (s = *link) != NULL;) {
			most = spare(s) < ROUND ? spare(s) : ROUND;
			if ((rc = ask_some(s, most, &n, e)) != ERR_OK)
				return rc;
			if (n < ROUND)
				*link = s->fill_next;
			else
				link = &s->fill_next;
		}
	}
	return ERR_OK;
}

/* -- a longer head -------------------------------------------------------- */

static struct session *
who_upgrades(const struct replicate_core *c)
{
	const struct core_head *h = core_head(c->core);
	struct session *best = NULL;

	for (struct session *s = c->sessions; s != NULL; s = s->core_next) {
		if (!s->open || !s->uploading || s->paused ||
		    s->peer->failed != ERR_OK || s->fork != h->fork ||
		    !s->can_upgrade_us || s->length <= h->length ||
		    s->acked != h->length || s->upgrading ||
		    s->refused_length == s->length)
			continue;
		if (best == NULL || s->length > best->length ||
		    (s->length == best->length &&
			window_fair(s->peer) < window_fair(best->peer)))
			best = s;
	}
	return best;
}

/* From a head that is durable: the peer has to know it. One is asked; if it
 * keeps us waiting, more and more are. */
static bool
may_upgrade(const struct replicate_core *c)
{
	return (c->upgrades == 0 || (c->r->now >= c->upgrade_again &&
					c->upgrades < UPGRADES_MAX)) &&
	       !c->grown && !core_writable(c->core) && goals_longer(c);
}

static bool
ask_upgrade_of(struct session *s)
{
	struct replicate_core *c = s->core;
	uint64_t length = core_head(c->core)->length;
	struct core_request part = {.has_upgrade = true,
	    .upgrade_start = length,
	    .upgrade_length = s->length - length};
	uint16_t id = asked_add(s, REQUEST_UPGRADE, length);

	if (id == 0)
		return false;
	part.manifest = core_manifest(c->core) == NULL && s->has_manifest;
	s->upgrading = true;
	c->upgrades++;
	asked_send(s, id, &part, 0);
	return true;
}

static void
ask_upgrade(struct replicate_core *c)
{
	uint32_t n = c->upgrades == 0 ? 1 : 3 * c->upgrades;
	struct session *s;

	if (!may_upgrade(c))
		return;
	for (; n > 0 && (s = who_upgrades(c)) != NULL; n--)
		if (!ask_upgrade_of(s))
			break;
	c->upgrade_again = c->r->now + UPGRADE_WAIT_US;
}

/* -- all of it ------------------------------------------------------------ */

/* Is there something that somebody could be asked for? */
static bool
has_work(const struct replicate_core *c)
{
	if (c->fork != NULL || forks_possible(c) ||
	    (may_upgrade(c) && who_upgrades(c) != NULL))
		return true;
	if (c->goals.left == 0 && c->goals.nneeds == 0 && c->in == NULL)
		return false;
	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		if (usable(s))
			return true;
	return false;
}

/* The lock is somebody else's: say so once, and try again. */
static enum err_code
begin(struct replicate_core *c, struct err *e)
{
	static const struct err none = ERR_INIT;
	enum err_code rc = collect_begin(c, e);

	if (rc != ERR_LOCKED && rc != ERR_READONLY && rc != ERR_CONFLICT)
		return collect_trouble(c, rc, e);
	if (!c->lock_told)
		events_add(c, NULL, REPLICATE_TROUBLE, 0, 0, e->msg);
	c->lock_told = true;
	c->lock_again = c->r->now + LOCK_PAUSE_US;
	*e = none;
	return ERR_OK;
}

enum err_code
download_schedule(struct replicate_core *c, struct err *e)
{
	const struct replicate *r = c->r;
	enum err_code rc;

	if (c->conflict || r->now < r->full_until || !goals_any(c) ||
	    !has_work(c) || (c->in == NULL && r->now < c->lock_again))
		return ERR_OK;
	if (c->fork == NULL && ((rc = begin(c, e)) != ERR_OK || c->in == NULL))
		return rc;
	if ((rc = forks_schedule(c, e)) != ERR_OK || c->fork != NULL ||
	    c->in == NULL)
		return rc;
	ask_upgrade(c);
	if ((rc = ask_needs(c, e)) != ERR_OK)
		return rc;
	return spread(c, e);
}
