/*
 * What is to be fetched: lengths, ranges of blocks, and blocks that a read
 * waits for. Ranges never overlap, and each knows how many of its blocks are
 * not here, stored or collected.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "replicate/repair.h"

uint64_t
goals_length(const struct replicate_core *c)
{
	return c->in != NULL ? core_intake_head(c->in)->length
			     : core_head(c->core)->length;
}

uint64_t
goals_fork(const struct replicate_core *c)
{
	return c->in != NULL ? core_intake_head(c->in)->fork
			     : core_head(c->core)->fork;
}

uint64_t
goals_end(const struct replicate_core *c, const struct goal *g)
{
	return g->end != UINT64_MAX ? g->end : goals_length(c);
}

bool
goals_longer(const struct replicate_core *c)
{
	const struct goals *g = &c->goals;
	uint64_t length = goals_length(c), want = g->reach;

	if (g->follow)
		return true;
	if (g->n > 0 && g->range[g->n - 1].end > want)
		want = g->range[g->n - 1].end;
	for (size_t i = 0; i < g->nneeds; i++)
		if (g->need[i] >= want)
			want = g->need[i] + 1;
	return want > length;
}

bool
goals_any(const struct replicate_core *c)
{
	const struct goals *g = &c->goals;

	return g->follow || g->reach != 0 || g->n != 0 || g->nneeds != 0;
}

/* -- counting ------------------------------------------------------------- */

/* Blocks of [start, end) that are not here; those behind the head count. */
static enum err_code
count_missing(struct replicate_core *c, uint64_t start, uint64_t end,
    uint64_t *n, struct err *e)
{
	uint64_t here, first, stop;
	enum err_code rc = core_count(c->core, start, end, &here, e);

	if (rc != ERR_OK)
		return rc;
	*n = end > start ? end - start - here : 0;
	/* what is collected is in a run, and in no count of the store */
	for (size_t i = 0; i < c->nruns; i++) {
		first = c->run[i].start > start ? c->run[i].start : start;
		stop = c->run[i].start + c->run[i].length;
		stop = stop < end ? stop : end;
		*n -= stop > first ? stop - first : 0;
	}
	return ERR_OK;
}

enum err_code
goals_recount(struct replicate_core *c, struct err *e)
{
	struct goals *g = &c->goals;
	enum err_code rc = ERR_OK;

	g->left = 0;
	for (size_t i = 0; i < g->n && rc == ERR_OK; i++) {
		rc = count_missing(c, g->range[i].start,
		    goals_end(c, &g->range[i]), &g->range[i].left, e);
		g->left += g->range[i].left;
	}
	return rc;
}

size_t
goals_from(const struct goals *g, uint64_t i)
{
	size_t low = 0, high = g->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (g->range[mid].end <= i)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void
goals_taken(struct replicate_core *c, uint64_t i)
{
	struct goals *g = &c->goals;
	size_t at = goals_from(g, i);

	if (at == g->n || g->range[at].start > i || g->range[at].left == 0)
		return;
	g->range[at].left--;
	g->left--;
}

void
goals_grown(struct replicate_core *c, uint64_t from, uint64_t to)
{
	struct goals *g = &c->goals;
	struct goal *last = g->n > 0 ? &g->range[g->n - 1] : NULL;

	if (last == NULL || last->end != UINT64_MAX || to <= last->start)
		return;
	from = from > last->start ? from : last->start;
	last->left += to - from;
	g->left += to - from;
	g->told = false;
}

/* -- ranges --------------------------------------------------------------- */

/* Missing blocks of the parts of [start, end) that no range covers yet. */
static enum err_code
count_new(struct replicate_core *c, uint64_t start, uint64_t end, uint64_t *sum,
    struct err *e)
{
	struct goals *g = &c->goals;
	size_t at = goals_from(g, start);
	uint64_t n, stop;
	enum err_code rc;

	if (end == UINT64_MAX)
		end = goals_length(c);
	for (*sum = 0; start < end; at++) {
		stop = at < g->n && g->range[at].start < end
			   ? g->range[at].start
			   : end;
		if (start < stop) {
			if ((rc = count_missing(c, start, stop, &n, e)) !=
			    ERR_OK)
				return rc;
			*sum += n;
		}
		if (at >= g->n || g->range[at].end >= end)
			break;
		if (g->range[at].end > start)
			start = g->range[at].end;
	}
	return ERR_OK;
}

/* Put [start, end) in, with all ranges it touches becoming one. */
static enum err_code
add_range(struct replicate_core *c, uint64_t start, uint64_t end, struct err *e)
{
	struct goals *g = &c->goals;
	struct goal sum = {start, end, 0};
	size_t first = start > 0 ? goals_from(g, start - 1) : 0, last;
	uint64_t fresh;
	enum err_code rc;

	if (!ARR_RESERVE(g->range, g->n + 1, g->cap))
		return err_nomem(e);
	if ((rc = count_new(c, start, end, &fresh, e)) != ERR_OK)
		return rc;
	for (last = first; last < g->n && g->range[last].start <= end; last++) {
		if (g->range[last].start < sum.start)
			sum.start = g->range[last].start;
		if (g->range[last].end > sum.end)
			sum.end = g->range[last].end;
		sum.left += g->range[last].left;
	}
	sum.left += fresh;
	g->left += fresh;
	memmove(&g->range[first + 1], &g->range[last],
	    (g->n - last) * sizeof(*g->range));
	g->n = g->n - (last - first) + 1;
	g->range[first] = sum;
	/* a range with an end counts blocks behind the head as well */
	return end == UINT64_MAX ? goals_recount(c, e) : ERR_OK;
}

static enum err_code
refuse_writable(const struct replicate_core *c, struct err *e)
{
	return err_set(e, ERR_READONLY,
	    "this store writes the core itself: it takes no longer history of "
	    "it (length %llu) from others",
	    (unsigned long long)core_head(c->core)->length);
}

static enum err_code
check_frozen(const struct replicate_core *c, struct err *e)
{
	if (!c->conflict)
		return ERR_OK;
	return err_set(e, ERR_CONFLICT,
	    "two signed histories of this core are known: it is frozen");
}

/* Is somebody else writing it? Better said now than never. */
static enum err_code
try_lock(struct replicate_core *c, struct err *e)
{
	enum err_code rc;

	if ((rc = check_frozen(c, e)) != ERR_OK ||
	    (rc = collect_begin(c, e)) != ERR_OK)
		return rc;
	replicate_wake(c);
	return ERR_OK;
}

enum err_code
replicate_download(
    struct replicate_core *c, uint64_t start, uint64_t end, struct err *e)
{
	enum err_code rc = check_frozen(c, e);
	uint64_t left;

	if (rc != ERR_OK)
		return rc;
	if (core_writable(c->core) && end > core_head(c->core)->length) {
		if (end != UINT64_MAX)
			return refuse_writable(c, e);
		end = core_head(c->core)->length;
	}
	if (start >= end)
		return ERR_OK;
	if (end != UINT64_MAX) {
		rc = count_new(c, start, end, &left, e);
		if (rc != ERR_OK || left == 0)
			return rc;
	}
	if ((rc = try_lock(c, e)) != ERR_OK ||
	    (rc = add_range(c, start, end, e)) != ERR_OK)
		return rc;
	c->goals.told = false;
	download_rescan(c, start);
	return ERR_OK;
}

void
replicate_follow(struct replicate_core *c, bool on)
{
	if (c->goals.follow == on)
		return;
	c->goals.follow = on;
	c->goals.told = false;
	replicate_wake(c);
	if (!on && !goals_any(c) && !c->dirty && c->outstanding == 0)
		collect_end(c);
}

void
replicate_reach(struct replicate_core *c, uint64_t length)
{
	if (length <= core_head(c->core)->length || length <= c->goals.reach ||
	    core_writable(c->core))
		return;
	c->goals.reach = length;
	c->goals.told = false;
	replicate_wake(c);
}

/* -- needs ---------------------------------------------------------------- */

static bool
in_range(const struct goals *g, uint64_t i)
{
	size_t at = goals_from(g, i);

	return at < g->n && g->range[at].start <= i;
}

static bool
is_need(const struct goals *g, uint64_t i)
{
	for (size_t k = 0; k < g->nneeds; k++)
		if (g->need[k] == i)
			return true;
	return false;
}

static enum err_code
add_need(struct replicate_core *c, uint64_t i, struct err *e)
{
	struct goals *g = &c->goals;

	if (!ARR_RESERVE(g->need, g->nneeds + 1, g->needs_cap))
		return err_nomem(e);
	g->need[g->nneeds++] = i;
	g->told = false;
	download_rescan(c, i);
	return ERR_OK;
}

static enum err_code
need_block(struct replicate_core *c, uint64_t i, struct err *e)
{
	struct goals *g = &c->goals;
	enum err_code rc;

	if (core_writable(c->core) && i >= core_head(c->core)->length)
		return refuse_writable(c, e);
	if (is_need(g, i))
		return ERR_OK;
	if (g->nneeds == NEEDS_MAX)
		return err_set(e, ERR_LIMIT,
		    "more than %d blocks are waited for", NEEDS_MAX);
	if ((rc = try_lock(c, e)) != ERR_OK ||
	    (rc = add_need(c, i, e)) != ERR_OK)
		return rc;
	/* one after the other: guess that it goes on, unless the reader told */
	if (i == g->next_need && !in_range(g, i)) {
		g->hint_start = i + 1;
		g->hint_end = i + 1 + HINT_BLOCKS;
	}
	g->next_need = i + 1;
	c->urgent = true;
	return ERR_OK;
}

enum err_code
goals_repair(struct replicate_core *c, uint64_t i, struct err *e)
{
	if (!in_range(&c->goals, i) && !is_need(&c->goals, i) &&
	    c->goals.nneeds < NEEDS_MAX)
		return add_need(c, i, e);
	download_rescan(c, i);
	return ERR_OK;
}

/* A read found it damaged, as e says: if it can be fetched, it is. */
static enum err_code
need_repair(struct replicate_core *c, uint64_t i, struct err *e)
{
	struct err damage = *e;
	enum err_code rc = repair_block(c, i, e);

	if (rc != ERR_OK || !core_has(c->core, i))
		return rc == ERR_OK ? need_block(c, i, e) : rc;
	*e = damage;
	return ERR_CORRUPT;
}

bool
replicate_here(struct replicate_core *c, const struct want *w)
{
	struct node node;
	struct want missing;

	switch (w->kind) {
	case WANT_BLOCK:
	case WANT_REPAIR:
		return core_has(c->core, w->index);
	case WANT_NODE:
		return core_node(c->core, w->index, &node, &missing, NULL) ==
		       ERR_OK;
	case WANT_LENGTH:
		return core_head(c->core)->length >= w->index;
	}
	return false;
}

enum err_code
replicate_need(struct replicate_core *c, const struct want *w, struct err *e)
{
	if (w->kind != WANT_REPAIR && replicate_here(c, w))
		return ERR_OK;
	switch (w->kind) {
	case WANT_BLOCK:
		return need_block(c, w->index, e);
	case WANT_REPAIR:
		return need_repair(c, w->index, e);
	case WANT_NODE:
		/* only a chain from a block proves the sizes of nodes */
		return need_block(c, flat_left_span(w->index) / 2, e);
	case WANT_LENGTH:
		if (core_writable(c->core))
			return refuse_writable(c, e);
		replicate_reach(c, w->index);
		return ERR_OK;
	}
	return ERR_OK;
}

/* -- done ----------------------------------------------------------------- */

static bool
longer_somewhere(const struct replicate_core *c)
{
	const struct core_head *h = core_head(c->core);

	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		if (s->open && !s->paused && s->fork == h->fork &&
		    s->length > h->length)
			return true;
	return false;
}

bool
goals_met(struct replicate_core *c)
{
	const struct goals *g = &c->goals;

	return g->nneeds == 0 && g->left == 0 &&
	       core_head(c->core)->length >= g->reach &&
	       !(goals_longer(c) && longer_somewhere(c));
}

static void
settle_needs(struct replicate_core *c)
{
	struct goals *g = &c->goals;
	size_t kept = 0;

	for (size_t i = 0; i < g->nneeds; i++)
		if (!core_has(c->core, g->need[i]))
			g->need[kept++] = g->need[i];
	g->nneeds = kept;
	if (kept == 0)
		c->urgent = false;
}

void
goals_settle(struct replicate_core *c)
{
	struct goals *g = &c->goals;
	bool any = goals_any(c);
	size_t kept = 0;

	settle_needs(c);
	if (core_head(c->core)->length >= g->reach)
		g->reach = 0;
	for (size_t i = 0; i < g->n; i++)
		if (g->range[i].left > 0 || g->range[i].end == UINT64_MAX)
			g->range[kept++] = g->range[i];
	g->n = kept;
	if (!any || g->told || c->dirty || !goals_met(c))
		return;
	g->told = true;
	events_add(c, NULL, REPLICATE_DONE, 0, 0, NULL);
}

void
goals_clear(struct replicate_core *c)
{
	free(c->goals.range);
	free(c->goals.need);
	c->goals = (struct goals){0};
	c->urgent = false;
}

void
replicate_forget(struct replicate_core *c)
{
	goals_clear(c);
	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		while (requests_first(&s->out) != 0)
			asked_cancel(s, requests_first(&s->out));
	replicate_wake(c);
	if (!c->dirty)
		collect_end(c);
}
