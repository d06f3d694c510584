#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "net/rpc/impl.h"

#define CONCURRENCY 10
#define CAUTIOUS 3   /* while only cached nodes were asked */
#define BACKGROUND 2 /* while other requests are under way */
#define IDLE 3	     /* so many requests are no traffic to speak of */
#define SENDS 6
#define CLOSER_MAX RPC_K	  /* of one answer */
#define SEEN_MAX 1024		  /* addresses heard of */
#define ASKED_MAX 512		  /* and asked */
#define GONE_US UINT64_C(2000000) /* silent for longer: probably down */
#define TELLERS 4		  /* remembered of those who named a node */
#define HINTS_MAX 50		  /* DOWN_HINTs a tick */

enum seen_state { SEEN_PENDING, SEEN_ASKED, SEEN_ANSWERED, SEEN_DOWN };

/* An address, and what became of it. */
struct seen {
	struct b32 id;
	struct addr addr;
	enum seen_state state;
	bool slow;	  /* its first sending was in vain */
	uint64_t request; /* while SEEN_ASKED */
	uint64_t asked_at;
	uint16_t teller[TELLERS]; /* positions of who named it */
	size_t ntellers;
};

/* Where nodes to ask come from; the next is opened when the one before gave
 * too few answers. */
enum source { FROM_CACHE, FROM_TABLE, FROM_BOOTSTRAP };

enum stage {
	QUERY_ASKS,
	QUERY_COMMITS,
	QUERY_ENDS, /* in the next turn: everybody answered, or nobody can */
	QUERY_DEAD  /* cancelled while one of its callbacks runs */
};

struct commit {
	uint64_t request; /* 0: settled */
	bool again;	  /* the token was too old, a new one was tried */
};

struct rpc_query {
	struct rpc *r;
	struct rpc_query *prev, *next;
	struct rpc_query_opts o;
	struct buf value;
	enum stage stage;
	enum source source;
	unsigned busy; /* callbacks that are running */
	unsigned concurrency, inflight, nslow;
	size_t asked, answers, errors;
	struct seen *seen;
	size_t nseen, cap;
	struct rpc_node closest[RPC_K];
	size_t n;
	struct commit commit[RPC_K];
	size_t committing, commits;
};

static void go_on(struct rpc_query *q, uint64_t now);

/* -- life ------------------------------------------------------------------ */

static void
query_free(struct rpc_query *q)
{
	buf_deinit(&q->value);
	free(q->seen);
	free(q);
}

static void
leave(struct rpc_query *q)
{
	if (q->prev != NULL)
		q->prev->next = q->next;
	else
		q->r->queries = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
}

/* Around everything that calls out: the query outlives it. */
static void
enter(struct rpc_query *q)
{
	q->busy++;
}

static void
release(struct rpc_query *q)
{
	if (--q->busy == 0 && q->stage == QUERY_DEAD)
		query_free(q);
}

void
rpc_query_cancel(struct rpc_query *q)
{
	for (size_t i = 0; i < q->nseen; i++)
		if (q->seen[i].state == SEEN_ASKED)
			rpc_forget(q->r, q->seen[i].request);
	for (size_t i = 0; i < q->n; i++)
		rpc_forget(q->r, q->commit[i].request);
	leave(q);
	q->stage = QUERY_DEAD;
	enter(q);
	release(q);
}

void
rpc_queries_free(struct rpc *r)
{
	struct rpc_query *q = r->queries, *next;

	for (; q != NULL; q = next) {
		next = q->next;
		rpc_query_cancel(q);
	}
}

static void
finish(struct rpc_query *q, uint64_t now)
{
	leave(q);
	q->stage = QUERY_DEAD;
	enter(q);
	if (q->o.done != NULL)
		q->o.done(
		    q->o.ctx, q->closest, q->n, q->answers, q->commits, now);
	release(q);
}

/* -- addresses heard of ---------------------------------------------------- */

static struct seen *
seen_at(struct rpc_query *q, const struct addr *a)
{
	for (size_t i = 0; i < q->nseen; i++)
		if (addr_eq(&q->seen[i].addr, a))
			return &q->seen[i];
	return NULL;
}

static bool
is_closer(const struct rpc_query *q, const struct b32 *id)
{
	return q->n < RPC_K ||
	       routes_cmp(&q->o.target, id, &q->closest[q->n - 1].id) < 0;
}

static struct seen *
seen_add(struct rpc_query *q, const struct addr *a)
{
	struct seen *s;
	struct b32 id;

	rpc_node_id(&id, a);
	if (!is_closer(q, &id) || b32_eq(&id, &q->r->routes.id) ||
	    q->nseen == SEEN_MAX)
		return NULL;
	if (!ARR_RESERVE(q->seen, q->nseen + 1, q->cap))
		return NULL;
	s = &q->seen[q->nseen++];
	*s = (struct seen){.id = id, .addr = *a};
	return s;
}

/* The pending node next to the target. */
static struct seen *
next_pending(struct rpc_query *q)
{
	struct seen *best = NULL;

	for (size_t i = 0; i < q->nseen; i++) {
		struct seen *s = &q->seen[i];

		if (s->state != SEEN_PENDING || !is_closer(q, &s->id))
			continue;
		if (best == NULL ||
		    routes_cmp(&q->o.target, &s->id, &best->id) < 0)
			best = s;
	}
	return best;
}

static void
add_list(struct rpc_query *q, const struct addr *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].family == 4 && list[i].port != 0 &&
		    !rpc_is_self(q->r, &list[i]) &&
		    seen_at(q, &list[i]) == NULL)
			(void)seen_add(q, &list[i]);
}

static void
add_table(struct rpc_query *q)
{
	struct route *near[RPC_K];
	size_t n = routes_closest(&q->r->routes, &q->o.target, near, RPC_K);

	for (size_t i = 0; i < n; i++)
		add_list(q, &near[i]->addr, 1);
}

/* Where to go on from, when there is nobody left to ask. */
static void
open_source(struct rpc_query *q)
{
	q->source++;
	if (q->source == FROM_TABLE)
		add_table(q);
	else
		add_list(q, q->r->bootstrap, q->r->nbootstrap);
}

/* -- nodes that are down --------------------------------------------------- */

/* Let who named it know, so that it forgets it. */
static void
down_hint(struct rpc_query *q, const struct addr *to, const struct addr *down,
    uint64_t now)
{
	struct rpc_ask ask = {.to = *to,
	    .sock = UINT32_MAX,
	    .internal = true,
	    .command = RPC_DOWN_HINT};
	struct err e = ERR_INIT;
	uint64_t number;
	struct buf b;

	if (q->r->upkeep.hints >= HINTS_MAX)
		return;
	q->r->upkeep.hints++;
	buf_init(&b, RPC_ADDR_LEN);
	rpc_addr_put(&b, down);
	ask.value = buf_view(&b);
	(void)!rpc_request(q->r, &ask, now, &number, &e);
	buf_deinit(&b);
}

static void
mark_down(struct rpc_query *q, struct seen *s, uint64_t now)
{
	s->state = SEEN_DOWN;
	for (size_t i = 0; i < s->ntellers; i++)
		down_hint(q, &q->seen[s->teller[i]].addr, &s->addr, now);
}

/* -- answers --------------------------------------------------------------- */

static void
heard_of(struct rpc_query *q, const struct addr *a, size_t teller, uint64_t now)
{
	struct seen *s = seen_at(q, a);

	if (s == NULL && (s = seen_add(q, a)) == NULL)
		return;
	if (s->state == SEEN_DOWN)
		down_hint(q, &q->seen[teller].addr, a, now);
	else if (s->ntellers < TELLERS)
		s->teller[s->ntellers++] = (uint16_t)teller;
}

static void
heard_closer(struct rpc_query *q, struct view list, size_t teller, uint64_t now)
{
	struct addr from = q->seen[teller].addr, a;
	size_t n = list.len / RPC_ADDR_LEN;

	for (size_t i = 0; i < n && i < CLOSER_MAX; i++) {
		rpc_addr_at(list, i, &a);
		if (rpc_addr_believed(&a, &from) && !rpc_is_self(q->r, &a))
			heard_of(q, &a, teller, now);
	}
}

static void
push_closest(
    struct rpc_query *q, const struct rpc_message *m, const struct addr *from)
{
	size_t i = q->n, last = RPC_K - 1;

	while (i > 0 &&
	       routes_cmp(&q->o.target, &m->id, &q->closest[i - 1].id) < 0)
		i--;
	if (i > 0 && b32_eq(&m->id, &q->closest[i - 1].id))
		return;
	if (q->n < RPC_K)
		last = q->n++;
	memmove(&q->closest[i + 1], &q->closest[i],
	    (last - i) * sizeof(q->closest[0]));
	q->closest[i] = (struct rpc_node){.id = m->id,
	    .addr = *from,
	    .has_token = m->has_token,
	    .token = m->token};
}

/* It does not count as under way any more. */
static void
settled(struct rpc_query *q, struct seen *s)
{
	q->inflight--;
	q->nslow -= s->slow;
	s->request = 0;
}

static void
answered(struct rpc_query *q, struct seen *s, const struct rpc_reply *reply)
{
	const struct rpc_message *m = reply->m;
	size_t at = (size_t)(s - q->seen);

	s->state = SEEN_ANSWERED;
	if (m->error == RPC_OK)
		q->answers++;
	else
		q->errors++;
	if (m->error == RPC_OK && m->has_id && is_closer(q, &m->id))
		push_closest(q, m, &reply->from);
	heard_closer(q, m->closer, at, reply->now);
	if (q->o.background)
		q->concurrency =
		    q->r->requests.n < IDLE ? CONCURRENCY : BACKGROUND;
	if (m->error == RPC_OK && q->o.reply != NULL)
		q->o.reply(q->o.ctx, reply);
}

static void
visited(void *ctx, const struct rpc_reply *reply)
{
	struct rpc_query *q = ctx;
	struct seen *s = seen_at(q, &reply->from);

	settled(q, s);
	enter(q);
	if (reply->m != NULL) {
		answered(q, s, reply);
	} else {
		q->errors++;
		mark_down(q, s, reply->now);
	}
	go_on(q, reply->now);
	release(q);
}

static void
visit_slow(void *ctx, const struct addr *to)
{
	struct rpc_query *q = ctx;

	seen_at(q, to)->slow = true;
	q->nslow++;
}

/* -- asking ---------------------------------------------------------------- */

static void
visit(struct rpc_query *q, struct seen *s, uint64_t now)
{
	struct rpc_ask ask = {.to = s->addr,
	    .sock = UINT32_MAX,
	    .internal = q->o.internal,
	    .has_target = true,
	    .command = q->o.command,
	    .target = q->o.target,
	    .value = buf_view(&q->value),
	    .sends = SENDS,
	    .done = visited,
	    .ctx = q};
	struct err e = ERR_INIT;

	q->asked++;
	s->state = SEEN_DOWN;
	if (rpc_request_start(q->r, &ask, visit_slow, now, &s->request, &e) !=
	    ERR_OK)
		return;
	s->state = SEEN_ASKED;
	s->asked_at = now;
	q->inflight++;
}

static unsigned
room(const struct rpc_query *q)
{
	unsigned n = q->concurrency;

	if (q->source == FROM_CACHE && q->answers + q->errors < CONCURRENCY &&
	    n > CAUTIOUS)
		n = CAUTIOUS;
	return n + q->nslow;
}

/* -- committing ------------------------------------------------------------ */

static bool commit_at(struct rpc_query *q, size_t i, uint64_t now);

/* A token that grew old while others were waited for is no reason to go
 * without this node: the refusal brings a new one. */
static bool
commit_again(struct rpc_query *q, size_t i, const struct rpc_reply *reply)
{
	const struct rpc_message *m = reply->m;

	if (m == NULL || m->error != RPC_INVALID_TOKEN || !m->has_token ||
	    q->commit[i].again)
		return false;
	q->commit[i].again = true;
	q->closest[i].token = m->token;
	q->closest[i].has_token = true;
	return commit_at(q, i, reply->now);
}

static void
committed(void *ctx, const struct rpc_reply *reply)
{
	struct rpc_query *q = ctx;
	size_t i = 0;

	while (q->commit[i].request == 0 ||
	       !addr_eq(&q->closest[i].addr, &reply->from))
		i++;
	q->commit[i].request = 0;
	enter(q);
	if (reply->m != NULL && reply->m->error == RPC_OK)
		q->commits++;
	if (!commit_again(q, i, reply) && q->stage == QUERY_COMMITS)
		q->committing--;
	if (q->committing == 0 && q->stage == QUERY_COMMITS)
		finish(q, reply->now);
	release(q);
}

static bool
commit_at(struct rpc_query *q, size_t i, uint64_t now)
{
	const struct rpc_node *n = &q->closest[i];
	struct rpc_ask ask = {.to = n->addr,
	    .sock = UINT32_MAX,
	    .internal = q->o.internal,
	    .has_target = true,
	    .has_token = n->has_token,
	    .command = q->o.command,
	    .target = q->o.target,
	    .token = n->token,
	    .value = buf_view(&q->value)};
	struct err e = ERR_INIT;

	if (!q->o.commit(q->o.ctx, n, &ask) || q->stage == QUERY_DEAD)
		return false;
	ask.to = n->addr;
	ask.done = committed;
	ask.ctx = q;
	return rpc_request_start(
		   q->r, &ask, NULL, now, &q->commit[i].request, &e) == ERR_OK;
}

/* Who did not answer yet is not waited for; if it is in the table, it has to
 * prove that it belongs there. */
static void
leave_slow(struct rpc_query *q, uint64_t now)
{
	for (size_t i = 0; i < q->nseen; i++) {
		struct seen *s = &q->seen[i];

		if (s->state != SEEN_ASKED)
			continue;
		rpc_forget(q->r, s->request);
		rpc_heard_down(q->r, &s->addr, now);
		if (now - s->asked_at >= GONE_US)
			mark_down(q, s, now);
	}
}

static void
search_end(struct rpc_query *q, uint64_t now)
{
	q->stage = q->o.commit != NULL ? QUERY_COMMITS : QUERY_ENDS;
	leave_slow(q, now);
	for (size_t i = 0; i < q->n && q->stage == QUERY_COMMITS; i++)
		q->committing += commit_at(q, i, now);
	if (q->stage == QUERY_COMMITS && q->committing == 0)
		q->stage = QUERY_ENDS;
}

/* -- progress -------------------------------------------------------------- */

static bool
search_over(struct rpc_query *q)
{
	if (q->inflight == 0)
		return true;
	return q->nslow == q->inflight && q->n == RPC_K;
}

static void
go_on(struct rpc_query *q, uint64_t now)
{
	struct seen *s;

	if (q->stage != QUERY_ASKS)
		return;
	do {
		while (q->inflight < room(q) && q->asked < ASKED_MAX &&
		       (s = next_pending(q)) != NULL)
			visit(q, s, now);
		if (q->asked < ASKED_MAX && next_pending(q) != NULL)
			return;
		if (!search_over(q))
			return;
		if (q->source == FROM_BOOTSTRAP || q->answers >= RPC_K / 4)
			break;
		open_source(q);
	} while (q->stage == QUERY_ASKS);
	search_end(q, now);
}

static enum err_code
query_init(struct rpc_query *q, const struct rpc_query_opts *o, struct err *e)
{
	q->o = *o;
	q->o.value = VIEW_EMPTY;
	q->o.start = NULL;
	q->concurrency = o->background ? BACKGROUND : CONCURRENCY;
	buf_init(&q->value, RPC_PACKET_MAX);
	buf_append(&q->value, o->value);
	return buf_check(&q->value, e);
}

enum err_code
rpc_query_start(struct rpc_query **out, struct rpc *r,
    const struct rpc_query_opts *o, uint64_t now, struct err *e)
{
	struct rpc_query *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return err_nomem(e);
	if (query_init(q, o, e) != ERR_OK) {
		query_free(q);
		return err_wrap(e, "query");
	}
	q->r = r;
	q->next = r->queries;
	if (q->next != NULL)
		q->next->prev = q;
	r->queries = q;
	rpc_queried(r);
	add_list(q, o->start, o->nstart);
	while (q->nseen < RPC_K && q->source < FROM_BOOTSTRAP)
		open_source(q);
	*out = q;
	enter(q);
	go_on(q, now);
	release(q);
	return ERR_OK;
}

static struct rpc_query *
due(const struct rpc *r)
{
	struct rpc_query *q = r->queries;

	while (q != NULL && q->stage != QUERY_ENDS)
		q = q->next;
	return q;
}

/* Each that ended before; a query that another one's end starts, and that
 * finds nobody to ask, ends in the next turn. */
void
rpc_queries_turn(struct rpc *r, uint64_t now)
{
	struct rpc_query *q;
	size_t n = 0;

	for (q = r->queries; q != NULL; q = q->next)
		n += q->stage == QUERY_ENDS;
	for (; n > 0 && (q = due(r)) != NULL; n--)
		finish(q, now);
}

bool
rpc_queries_due(const struct rpc *r)
{
	return due(r) != NULL;
}
