/* Our requests: kept, returned, cancelled, and given up in time. */
#include "replicate/impl.h"

#define LOOK_US 20000 /* the second look at a request that is late at once */

uint16_t
asked_add(struct session *s, enum request_kind kind, uint64_t index)
{
	uint16_t id = requests_add(&s->out, kind, index, s->core->r->now);

	if (id == 0)
		return 0;
	s->core->outstanding++;
	s->peer->outstanding++;
	return id;
}

void
asked_send(struct session *s, uint16_t id, const struct core_request *part,
    uint64_t priority)
{
	struct message_request m = {id, s->fork, priority, *part};

	message_put_request(session_begin(s, MESSAGE_REQUEST, 64), &m);
	session_end(s);
}

uint16_t
asked_of(struct session *s, uint64_t i)
{
	uint16_t id = requests_first(&s->out);

	for (; id != 0; id = requests_after(&s->out, id))
		if (s->out.slot[id - 1].kind == REQUEST_BLOCK &&
		    s->out.slot[id - 1].index == i)
			return id;
	return 0;
}

/* Block i was asked of several, and one of them is not any more. */
static void
let_go_shared(struct replicate_core *c, uint64_t i, bool here)
{
	struct session *s, *other = NULL;
	uint16_t id;
	int n = 0;

	for (s = c->sessions; s != NULL; s = s->core_next) {
		if ((id = asked_of(s, i)) == 0)
			continue;
		if (here) {
			s->out.slot[id - 1].shared = false;
			window_lost(
			    s->peer, c->r->now - s->out.slot[id - 1].sent);
			asked_cancel(s, id);
			continue;
		}
		other = s;
		n++;
	}
	if (n == 1)
		other->out.slot[asked_of(other, i) - 1].shared = false;
	if (n > 0)
		(void)bitmap_set(&c->asked, i);
}

/* The slot is free or cancelled already; q is what it was. */
static void
let_go(struct session *s, const struct request *q)
{
	struct replicate_core *c = s->core;
	bool here;

	c->outstanding--;
	s->peer->outstanding--;
	switch (q->kind) {
	case REQUEST_BLOCK:
		here = bitmap_get(&c->here, q->index);
		bitmap_clear_range(&c->asked, q->index, q->index + 1);
		if (q->shared)
			let_go_shared(c, q->index, here);
		if (!here && !bitmap_get(&c->asked, q->index))
			download_rescan(c, q->index);
		break;
	case REQUEST_UPGRADE:
		s->upgrading = false;
		c->upgrades--;
		break;
	case REQUEST_FORK:
	case REQUEST_HASH:
		c->forking = NULL;
		break;
	case REQUEST_FREE:
	case REQUEST_CANCELLED:
		break;
	}
	replicate_wake(c);
}

void
asked_over(struct session *s, uint16_t id)
{
	struct request q = s->out.slot[id - 1];

	requests_done(&s->out, id);
	let_go(s, &q);
}

void
asked_cancel(struct session *s, uint16_t id)
{
	struct request q = s->out.slot[id - 1];

	message_put_cancel(session_begin(s, MESSAGE_CANCEL, 16), id);
	session_end(s);
	requests_cancel(&s->out, id);
	let_go(s, &q);
}

void
asked_cancel_all(struct session *s)
{
	while (requests_first(&s->out) != 0)
		asked_cancel(s, requests_first(&s->out));
}

void
asked_cancel_upgrades(struct replicate_core *c)
{
	uint16_t id;

	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		for (id = requests_first(&s->out); s->upgrading && id != 0;
		     id = requests_after(&s->out, id))
			if (s->out.slot[id - 1].kind == REQUEST_UPGRADE) {
				asked_cancel(s, id);
				break;
			}
}

void
asked_over_all(struct session *s)
{
	while (requests_first(&s->out) != 0)
		asked_over(s, requests_first(&s->out));
}

/* -- time ----------------------------------------------------------------- */

static bool
another_could(const struct session *s, const struct request *q)
{
	for (struct session *t = s->core->sessions; t != NULL;
	     t = t->core_next) {
		if (t == s || !t->open || t->paused)
			continue;
		if (q->kind != REQUEST_BLOCK ||
		    (t->uploading && t->fork == s->fork &&
			q->index < t->length && remote_has(&t->has, q->index)))
			return true;
	}
	return false;
}

static void
give_up(struct session *s, uint16_t id)
{
	enum request_kind kind = s->out.slot[id - 1].kind;

	window_lost(s->peer, s->core->r->now - s->out.slot[id - 1].sent);
	if (kind == REQUEST_UPGRADE)
		s->refused_length = s->length;
	if (kind == REQUEST_FORK || kind == REQUEST_HASH)
		s->failed_fork = s->fork;
	asked_cancel(s, id);
}

static uint64_t
patience(const struct session *s, const struct request *q)
{
	uint64_t most = s->core->r->o.request_us;
	uint64_t us = 4 * window_fair(s->peer);

	if (q->kind == REQUEST_BLOCK || q->kind == REQUEST_HASH)
		return most;
	us = us < 1000000 ? 1000000 : us;
	return us < most ? us : most;
}

static void
session_timeouts(struct session *s)
{
	const struct replicate_core *c = s->core;
	bool all = s->upgrading || c->forking == s;
	uint64_t now = c->r->now;
	struct request *q;
	uint16_t id, next;

	for (id = requests_first(&s->out); id != 0; id = next) {
		q = &s->out.slot[id - 1];
		next = requests_after(&s->out, id);
		if (now < q->sent + patience(s, q)) {
			if (q->kind == REQUEST_BLOCK && !all)
				break;
			continue;
		}
		if (q->kind == REQUEST_BLOCK)
			window_timeout(s->peer);
		if (q->shared || another_could(s, q))
			give_up(s, id);
		else
			requests_touch(&s->out, id, now);
	}
}

void
asked_timeouts(struct replicate_core *c)
{
	struct session *s;

	for (s = c->sessions; s != NULL; s = s->core_next)
		session_timeouts(s);
}

uint64_t
asked_late(const struct session *s, const struct request *q)
{
	uint64_t most = s->core->r->o.request_us / 10;
	uint64_t us = window_fair(s->peer);

	if (window_silent(s->peer))
		us = 0;
	return q->sent + (q->shared ? 6 : 2) * (us < most ? us : most) + 1;
}

/* A request that is late and still of s alone was not taken because others
 * were busy, or are slow themselves: look again when it has waited half as
 * long again. The moments do not depend on when this is asked. */
static uint64_t
next_look(const struct session *s, const struct request *q)
{
	uint64_t now = s->core->r->now, at = asked_late(s, q);

	if (at <= now && at - q->sent < LOOK_US)
		at = q->sent + LOOK_US;
	while (at <= now)
		at += (at - q->sent) / 2;
	return at;
}

/* When a request of s times out, or may be asked of another. They are in the
 * order of their times, but those that two were asked for are late later. */
static uint64_t
session_deadline(const struct session *s)
{
	const struct replicate_core *c = s->core;
	bool all = s->upgrading || c->forking == s, later = false;
	uint64_t least = UINT64_MAX, at;
	const struct request *q;

	for (uint16_t id = requests_first(&s->out); id != 0 && (!later || all);
	     id = requests_after(&s->out, id)) {
		q = &s->out.slot[id - 1];
		at = q->sent + patience(s, q);
		least = at < least ? at : least;
		if (q->kind != REQUEST_BLOCK || later)
			continue;
		later = c->nsessions < 2 ||
			(!q->shared && asked_late(s, q) > c->r->now);
		at = c->nsessions < 2 ? least : next_look(s, q);
		least = at < least ? at : least;
	}
	return least;
}

uint64_t
asked_deadline(const struct replicate_core *c)
{
	uint64_t least = UINT64_MAX, at;

	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		if (s->out.n > 0 && (at = session_deadline(s)) < least)
			least = at;
	if (c->upgrades > 0 && c->upgrade_again > c->r->now &&
	    c->upgrade_again < least)
		least = c->upgrade_again;
	if (goals_any(c) && c->in == NULL && c->lock_again > c->r->now &&
	    c->lock_again < least)
		least = c->lock_again;
	return least;
}
