/* Cores, and the turns in which everything happens. */
#include "replicate/replicate.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "replicate/impl.h"

/* -- life ----------------------------------------------------------------- */

enum err_code
replicate_new(struct replicate **out, struct store *s,
    const struct replicate_opts *o, struct err *e)
{
	struct replicate *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_nomem(e);
	r->store = s;
	r->o = *o;
	if (r->o.commit_bytes == 0)
		r->o.commit_bytes = COMMIT_BYTES;
	if (r->o.commit_us == 0)
		r->o.commit_us = COMMIT_US;
	if (r->o.request_us == 0)
		r->o.request_us = REQUEST_US;
	r->served_max = SERVED_MAX;
	buf_init(&r->value, MESSAGE_BLOCK_MAX - 65536);
	*out = r;
	return ERR_OK;
}

static void
unlink_busy(struct replicate_core *c)
{
	if (!c->busy)
		return;
	if (c->busy_prev != NULL)
		c->busy_prev->busy_next = c->busy_next;
	else
		c->r->busy = c->busy_next;
	if (c->busy_next != NULL)
		c->busy_next->busy_prev = c->busy_prev;
	c->busy = false;
}

static void
unlink_warm(struct replicate_core *c)
{
	struct replicate *r = c->r;

	if (!c->warm)
		return;
	if (c->warm_prev != NULL)
		c->warm_prev->warm_next = c->warm_next;
	else
		r->warm = c->warm_next;
	if (c->warm_next != NULL)
		c->warm_next->warm_prev = c->warm_prev;
	else
		r->cold = c->warm_prev;
	c->warm = false;
	r->nwarm--;
}

void
replicate_warm(struct replicate_core *c)
{
	struct replicate *r = c->r;
	struct replicate_core *cold;

	if (r->warm == c)
		return;
	unlink_warm(c);
	c->warm = true;
	c->warm_prev = NULL;
	c->warm_next = r->warm;
	if (r->warm != NULL)
		r->warm->warm_prev = c;
	else
		r->cold = c;
	r->warm = c;
	if (++r->nwarm <= WARM_MAX)
		return;
	cold = r->cold;
	unlink_warm(cold);
	core_rest(cold->core);
}

static void
core_free(struct replicate_core *c)
{
	struct replicate *r = c->r;
	struct replicate_core **link;
	uint64_t at;

	memcpy(&at, core_discovery_key(c->core)->b, sizeof(at));
	for (link = &r->table[at & (r->ntable - 1)]; *link != c;
	     link = &(*link)->chain)
		;
	*link = c->chain;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		r->cores = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	for (struct replicate_peer *p = r->peers; p != NULL; p = p->next)
		if (p->offer == c)
			p->offer = c->next;
	r->ncores--;
	unlink_busy(c);
	unlink_warm(c);
	core_fork_free(c->fork);
	collect_end(c);
	core_close(c->core);
	goals_clear(c);
	bitmap_deinit(&c->here);
	bitmap_deinit(&c->asked);
	free(c->run);
	free(c);
}

void
replicate_free(struct replicate *r)
{
	if (r == NULL)
		return;
	while (r->peers != NULL)
		replicate_peer_remove(r->peers, r->now);
	while (r->cores != NULL)
		core_free(r->cores);
	free(r->table);
	events_free(r);
	buf_deinit(&r->value);
	free(r);
}

/* -- cores ---------------------------------------------------------------- */

struct replicate_core *
replicate_by_dkey(struct replicate *r, const struct b32 *dkey)
{
	struct replicate_core *c = NULL;
	uint64_t at;

	memcpy(&at, dkey->b, sizeof(at));
	if (r->ntable > 0)
		c = r->table[at & (r->ntable - 1)];
	while (c != NULL && !b32_eq(core_discovery_key(c->core), dkey))
		c = c->chain;
	return c;
}

static void
chain_in(struct replicate *r, struct replicate_core *c)
{
	uint64_t at;

	memcpy(&at, core_discovery_key(c->core)->b, sizeof(at));
	at &= r->ntable - 1;
	c->chain = r->table[at];
	r->table[at] = c;
}

static enum err_code
grow_table(struct replicate *r, struct err *e)
{
	size_t n = r->ntable == 0 ? 64 : 2 * r->ntable;
	struct replicate_core **table;

	if (r->ncores < r->ntable)
		return ERR_OK;
	if ((table = calloc(n, sizeof(struct replicate_core *))) == NULL)
		return err_nomem(e);
	free(r->table);
	r->table = table;
	r->ntable = n;
	for (struct replicate_core *c = r->cores; c != NULL; c = c->next)
		chain_in(r, c);
	return ERR_OK;
}

enum err_code
replicate_core_add(struct replicate *r, const struct b32 *key,
    struct replicate_core **out, struct err *e)
{
	struct replicate_core *c;
	enum err_code rc;

	if ((rc = grow_table(r, e)) != ERR_OK)
		return rc;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return err_nomem(e);
	if ((rc = core_open(&c->core, r->store, key, CORE_READ, e)) != ERR_OK) {
		free(c);
		return rc;
	}
	c->r = r;
	c->told = *core_head(c->core);
	c->wake = UINT64_MAX;
	c->generation = UINT64_MAX;
	bitmap_init(&c->here, SIZE_MAX);
	bitmap_init(&c->asked, SIZE_MAX);
	c->serial = ++r->serial;
	c->next = r->cores;
	if (r->cores != NULL)
		r->cores->prev = c;
	r->cores = c;
	r->ncores++;
	chain_in(r, c);
	replicate_warm(c);
	*out = c;
	return ERR_OK;
}

struct replicate_core *
replicate_find(struct replicate *r, const struct b32 *key)
{
	struct replicate_core *c;
	struct b32 dkey;

	hash_discovery_key(&dkey, key);
	c = replicate_by_dkey(r, &dkey);
	return c != NULL && c->local ? c : NULL;
}

struct replicate_core *
replicate_each(struct replicate *r, const struct replicate_core *c)
{
	struct replicate_core *next = c == NULL ? r->cores : c->next;

	while (next != NULL && !next->local)
		next = next->next;
	return next;
}

static enum err_code
open_stored(struct replicate *r, const struct b32 *key,
    struct replicate_core **out, struct err *e)
{
	static const struct err none = ERR_INIT;
	enum err_code rc = replicate_core_add(r, key, out, e);

	if (rc != ERR_NOT_FOUND)
		return rc;
	/* made by another process a moment ago, or new */
	*e = none;
	if ((rc = core_add(r->store, NULL, key, NULL, e)) != ERR_OK ||
	    (rc = store_refresh(r->store, e)) != ERR_OK)
		return rc;
	return replicate_core_add(r, key, out, e);
}

enum err_code
replicate_open(struct replicate *r, const struct b32 *key,
    struct replicate_core **out, struct err *e)
{
	struct replicate_core *c;
	struct replicate_peer *p;
	struct session *s;
	struct b32 dkey;
	enum err_code rc = ERR_OK;

	hash_discovery_key(&dkey, key);
	c = replicate_by_dkey(r, &dkey);
	if (c == NULL && (rc = open_stored(r, key, &c, e)) != ERR_OK)
		return rc;
	*out = c;
	if (c->local)
		return ERR_OK;
	c->local = true;
	for (s = c->sessions; s != NULL; s = s->core_next) {
		session_serve(s, false);
		session_signal(s); /* we are active now */
	}
	for (p = r->peers; p != NULL && rc == ERR_OK; p = p->next)
		if (!c->conflict && session_find(c, p) == NULL)
			rc = session_offer(p, c, e);
	return rc;
}

void
replicate_close(struct replicate_core *c)
{
	c->local = false;
	replicate_forget(c);
	while (c->sessions != NULL)
		session_free(c->sessions, SESSION_CLOSE);
	replicate_wake(c);
}

void
replicate_release(struct replicate_core *c)
{
	struct session *s, *next;

	c->local = false;
	replicate_forget(c);
	for (s = c->sessions; s != NULL; s = next) {
		next = s->core_next;
		session_serve(s, true);
		if (!s->open) /* an offer that nobody answered yet */
			session_free(s, SESSION_CLOSE);
		else if (!session_idle(s))
			session_signal(s);
	}
	replicate_wake(c);
}

struct replicate_core *
replicate_peek(struct replicate *r, const struct b32 *dkey)
{
	return replicate_by_dkey(r, dkey);
}

void
replicate_serve_most(struct replicate *r, uint32_t cores)
{
	r->served_max = cores;
}

struct core *
replicate_core_handle(struct replicate_core *c)
{
	return c->core;
}

bool
replicate_active(const struct replicate_core *c)
{
	return c->local || c->outstanding > 0;
}

void
replicate_wake(struct replicate_core *c)
{
	c->attention = true;
	if (c->busy)
		return;
	c->busy = true;
	c->busy_prev = NULL;
	c->busy_next = c->r->busy;
	if (c->r->busy != NULL)
		c->r->busy->busy_prev = c;
	c->r->busy = c;
}

static enum err_code
changed(struct replicate_core *c, struct err *e)
{
	enum err_code rc;

	/* while we hold the lock nobody else changes it */
	if (c->writer != NULL || c->generation == store_generation(c->r->store))
		return ERR_OK;
	replicate_warm(c);
	if ((rc = core_refresh(c->core, e)) != ERR_OK ||
	    (rc = collect_tell(c, e)) != ERR_OK)
		return rc;
	c->generation = store_generation(c->r->store);
	if (goals_any(c) && (rc = goals_recount(c, e)) != ERR_OK)
		return rc;
	goals_settle(c);
	replicate_wake(c);
	return ERR_OK;
}

enum err_code
replicate_changed(struct replicate *r, struct replicate_core *only,
    uint64_t now, struct err *e)
{
	struct replicate_core *c = only != NULL ? only : r->cores;
	enum err_code rc = store_refresh(r->store, e);

	r->now = now;
	for (; c != NULL && rc == ERR_OK; c = only != NULL ? NULL : c->next)
		rc = changed(c, e);
	return rc;
}

/* -- turns ---------------------------------------------------------------- */

/* Nothing to do for it any more: the lock is free, and the handle as well if
 * nobody uses it. */
static void
rest(struct replicate_core *c)
{
	if (c->writer != NULL && c->outstanding == 0 && !c->dirty &&
	    c->fork == NULL)
		collect_end(c);
	if (c->attention || c->writer != NULL)
		return;
	if (c->local || c->sessions != NULL) {
		if (c->wake == UINT64_MAX)
			unlink_busy(c);
	} else if (c->nevents == 0) {
		core_free(c); /* nobody uses it, or will hear of it */
	}
}

static uint64_t
core_deadline(struct replicate_core *c)
{
	const struct replicate *r = c->r;
	uint64_t at = asked_deadline(c), other = UINT64_MAX;

	/* nothing is asked or stored while the disk is full */
	if (r->now < r->full_until && (c->dirty || goals_any(c)))
		other = r->full_until;
	else if (c->dirty)
		other = c->dirty_since + r->o.commit_us;
	return other < at ? other : at;
}

static enum err_code
core_step(struct replicate_core *c, struct err *e)
{
	enum err_code rc;

	if (c->attention || c->r->now >= c->wake) {
		c->attention = false;
		if (c->outstanding > 0 && c->r->now >= c->wake)
			asked_timeouts(c);
		if ((rc = download_schedule(c, e)) != ERR_OK)
			return rc;
	}
	if (collect_due(c)) {
		if ((rc = collect_commit(c, e)) != ERR_OK)
			return rc;
		/* a longer head may be asked for from the new one */
		if ((rc = download_schedule(c, e)) != ERR_OK)
			return rc;
	}
	c->wake = core_deadline(c);
	replicate_warm(c);
	rest(c);
	return ERR_OK;
}

enum err_code
replicate_step(struct replicate *r, uint64_t now, bool *more, struct err *e)
{
	struct replicate_core *c, *next;
	struct replicate_peer *p;
	enum err_code rc;

	r->now = now;
	*more = false;
	for (c = r->busy; c != NULL; c = next) {
		next = c->busy_next;
		if ((rc = core_step(c, e)) != ERR_OK)
			return rc;
	}
	if ((rc = serve_step(r, more, e)) != ERR_OK)
		return rc;
	for (c = r->busy; c != NULL && !*more; c = c->busy_next)
		*more = c->attention;
	for (p = r->busy_peers; p != NULL; p = p->busy_next)
		if (p->failed == ERR_NOMEM)
			return err_nomem(e);
	return r->event_lost ? err_nomem(e) : ERR_OK;
}

enum err_code
replicate_flush(struct replicate *r, uint64_t now, struct err *e)
{
	struct replicate_core *c;
	enum err_code rc = ERR_OK;

	r->now = now;
	for (c = r->cores; c != NULL && rc == ERR_OK; c = c->next)
		if (c->dirty)
			rc = collect_commit(c, e);
	return rc;
}

uint64_t
replicate_deadline(const struct replicate *r)
{
	uint64_t at = serve_deadline(r);

	for (struct replicate_core *c = r->busy; c != NULL; c = c->busy_next) {
		if (c->attention)
			return 0;
		if (c->wake < at)
			at = c->wake;
	}
	return at;
}
