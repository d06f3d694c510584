/* Higher forks, which replicas follow, and two histories of one length. */
#include <stdio.h>

#include "codec/z32.h"
#include "replicate/impl.h"

/* -- following ------------------------------------------------------------ */

static bool
can_tell(const struct session *s, uint64_t fork)
{
	return s->open && s->synced && s->uploading && !s->paused &&
	       s->peer->failed == ERR_OK && s->length > 0 && s->fork == fork &&
	       s->failed_fork != fork;
}

/* Who has the highest fork above ours. */
static struct session *
who_forked(const struct replicate_core *c)
{
	uint64_t fork = goals_fork(c);
	struct session *best = NULL;

	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		if (s->fork > fork && can_tell(s, s->fork)) {
			fork = s->fork;
			best = s;
		}
	return best;
}

bool
forks_possible(const struct replicate_core *c)
{
	return c->fork != NULL ||
	       (c->forking == NULL && !core_writable(c->core) &&
		   who_forked(c) != NULL);
}

static void
ask_fork(struct replicate_core *c)
{
	struct session *s = who_forked(c);
	struct core_request part = {.has_upgrade = true};
	uint16_t id;

	if (s == NULL || (id = asked_add(s, REQUEST_FORK, s->length)) == 0)
		return;
	part.upgrade_length = s->length;
	part.manifest = core_manifest(c->core) == NULL && s->has_manifest;
	c->forking = s;
	asked_send(s, id, &part, 0);
}

/* Those who have the block below the node know the answer. */
static bool
ask_hash(struct replicate_core *c, const struct core_request *q)
{
	uint64_t fork = core_fork_number(c->fork);
	uint64_t block = flat_left_span(q->hash_index) / 2;
	struct session *best = NULL;
	uint16_t id;

	for (struct session *s = c->sessions; s != NULL; s = s->core_next) {
		if (!can_tell(s, fork) || s->length < core_fork_length(c->fork))
			continue;
		if (best == NULL || remote_has(&s->has, block))
			best = s;
	}
	if (best == NULL ||
	    (id = asked_add(best, REQUEST_HASH, q->hash_index)) == 0)
		return false;
	c->forking = best;
	asked_send(best, id, q, 0);
	return true;
}

static void
drop_fork(struct replicate_core *c)
{
	core_fork_free(c->fork);
	c->fork = NULL;
	replicate_wake(c);
}

static void
tell_fork(struct replicate_core *c, uint64_t common, uint64_t old_length)
{
	for (struct session *s = c->sessions; s != NULL; s = s->core_next) {
		if (s->signaled > common)
			s->signaled = common;
		s->rooted = 0;
		s->scan = 0;
		if (old_length > common)
			session_have(s, common, old_length - common, true);
		session_signal(s);
	}
	c->told = *core_head(c->core);
	events_add(c, NULL, REPLICATE_HEAD, 0, 0, NULL);
}

static enum err_code
adopt(struct replicate_core *c, struct err *e)
{
	static const struct err none = ERR_INIT;
	uint64_t old_length = core_head(c->core)->length;
	uint64_t common = core_fork_common(c->fork);
	enum err_code rc = core_fork_commit(c->fork, e);

	if (rc == ERR_CHANGED) { /* look for the beginning once more */
		*e = none;
		drop_fork(c);
		return ERR_OK;
	}
	if (rc == ERR_NOSPACE)
		return collect_trouble(c, rc, e);
	if (rc != ERR_OK)
		return rc;
	drop_fork(c);
	bitmap_clear_all(&c->here);
	if ((rc = core_refresh(c->core, e)) != ERR_OK ||
	    (rc = collect_begin(c, e)) != ERR_OK ||
	    (rc = goals_recount(c, e)) != ERR_OK)
		return rc;
	c->generation = store_generation(c->r->store);
	c->goals.told = false;
	tell_fork(c, common, old_length);
	goals_settle(c);
	return ERR_OK;
}

enum err_code
forks_schedule(struct replicate_core *c, struct err *e)
{
	struct core_request q = {0};

	if (c->forking != NULL || core_writable(c->core))
		return ERR_OK;
	if (c->fork == NULL) {
		ask_fork(c);
		return ERR_OK;
	}
	while (core_fork_ask(c->fork, &q)) {
		if (ask_hash(c, &q))
			return ERR_OK;
		/* nobody knows: more is fetched anew than had to be */
		core_fork_settle(c->fork);
	}
	return adopt(c, e);
}

/* The proven head of a higher fork. What was asked for the old one is of no
 * use any more. */
static enum err_code
start_fork(struct session *s, const struct core_proof *p, struct err *e)
{
	struct replicate_core *c = s->core;
	static const struct err none = ERR_INIT;
	enum err_code rc;

	if ((rc = collect_commit(c, e)) != ERR_OK)
		return rc;
	rc = core_fork_new(&c->fork, c->writer, p, e);
	if (rc == ERR_OK) {
		for (struct session *t = c->sessions; t != NULL;
		     t = t->core_next)
			asked_cancel_all(t);
		collect_drop(c);
		replicate_wake(c);
		return ERR_OK;
	}
	if (rc != ERR_VERIFY && rc != ERR_CONFLICT)
		return rc;
	s->failed_fork = s->fork;
	if (rc == ERR_VERIFY)
		answers_blame(s, e);
	*e = none;
	return ERR_OK;
}

enum err_code
forks_proof(struct session *s, const struct core_proof *p, struct err *e)
{
	struct replicate_core *c = s->core;
	static const struct err none = ERR_INIT;
	enum core_outcome outcome;
	enum err_code rc;

	if (c->fork != NULL || c->in == NULL || p->fork <= goals_fork(c))
		return ERR_OK;
	if (goals_length(c) > 0)
		return start_fork(s, p, e);
	/* an empty core takes any fork */
	rc = collect_proof(s, p, &outcome, e);
	if (rc == ERR_VERIFY || rc == ERR_CONFLICT) {
		s->failed_fork = s->fork;
		answers_blame(s, e);
		*e = none;
		return ERR_OK;
	}
	return rc == ERR_OK ? rc : collect_trouble(c, rc, e);
}

enum err_code
forks_answer(struct session *s, const struct core_proof *p, struct err *e)
{
	struct replicate_core *c = s->core;
	static const struct err none = ERR_INIT;
	enum err_code rc;

	if (c->fork == NULL || p->fork != core_fork_number(c->fork))
		return ERR_OK;
	rc = core_fork_answer(c->fork, p, e);
	if (rc != ERR_VERIFY)
		return rc;
	s->failed_fork = s->fork;
	answers_blame(s, e);
	*e = none;
	return ERR_OK;
}

/* -- two histories -------------------------------------------------------- */

/* Is there a root of ours at `length` that theirs differs from? */
static bool
differs(
    struct replicate_core *c, const struct core_verified *v, uint64_t length)
{
	struct tree mine;
	struct want w;

	if (core_tree_at(c->core, length, &mine, &w, NULL) != ERR_OK)
		return false;
	for (size_t i = 0; i < mine.nroots; i++)
		for (size_t k = 0; k < v->n; k++)
			if (v->node[k].index == mine.root[i].index &&
			    !node_eq(&v->node[k], &mine.root[i]))
				return true;
	return false;
}

/* Only what was signed can contradict: ours is looked at again, too. */
static bool
ours_is_signed(struct replicate_core *c)
{
	const struct core_head *h = core_head(c->core);
	struct tree tree;
	struct want w;

	return core_tree_at(c->core, h->length, &tree, &w, NULL) == ERR_OK &&
	       manifest_verify(core_manifest(c->core), core_key(c->core), &tree,
		   h->fork, core_signature(c->core), NULL) == ERR_OK;
}

/* Nothing is changed any more, and whoever takes part is shown why. */
static void
freeze(struct session *from, uint64_t length)
{
	struct replicate_core *c = from->core;
	char text[256], name[Z32_KEY_LEN + 1];
	struct session *s;

	c->conflict = true;
	(void)snprintf(text, sizeof(text),
	    "core %s: two signed histories differ below length %llu: nothing "
	    "is taken or given any more",
	    z32_key(name, core_key(c->core)), (unsigned long long)length);
	events_add(c, from->peer, REPLICATE_CONFLICT, 0, 0, text);
	while ((s = c->sessions) != NULL) {
		if (s->open && s->fork == core_head(c->core)->fork)
			serve_history(
			    s, s->length < length ? s->length : length);
		session_free(s, SESSION_CLOSE);
	}
	core_fork_free(c->fork);
	c->fork = NULL;
	collect_end(c);
}

enum err_code
forks_history(struct session *s, const struct core_proof *p, struct err *e)
{
	struct replicate_core *c = s->core;
	struct core_verified *v = &c->r->verified;
	struct tree empty;
	struct core_trust t = {core_key(c->core), core_manifest(c->core),
	    core_head(c->core)->fork, &empty};
	uint64_t length = p->upgrade_length;
	enum err_code rc;

	tree_init(&empty);
	if (t.manifest == NULL || p->fork != t.fork ||
	    length > core_head(c->core)->length)
		return ERR_OK;
	rc = core_proof_verify(v, p, &t, e);
	if (rc == ERR_NOMEM)
		return rc;
	e->code = ERR_OK;
	if (rc != ERR_OK || !v->upgraded || !differs(c, v, length))
		return ERR_OK;
	if (!ours_is_signed(c)) {
		events_add(c, NULL, REPLICATE_TROUBLE, 0, 0,
		    "the history that is stored here is not signed");
		return ERR_OK;
	}
	freeze(s, length);
	return ERR_OK;
}
