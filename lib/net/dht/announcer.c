#include "net/dht/announcer.h"

#include <string.h>

#include "crypto/hash.h"

#define PING_US UINT64_C(3000000)
#define PINGS 100 /* about five minutes, then anew */
#define RETRY_US UINT64_C(3000000)
#define RETRIES_MAX 5 /* doublings of it */
#define VALUE_MAX 512

void
announcer_init(struct announcer *a, struct dht *d, const struct sign_pair *pair,
    uint64_t now)
{
	memset(a, 0, sizeof(*a));
	a->d = d;
	a->pair = pair;
	hash_data(&a->target, view_b32(&pair->pub));
	a->state = ANNOUNCER_WAITING;
	a->due = now;
}

static void
forget(struct announcer *a, struct announcer_job *job, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (job[i].request != 0)
			rpc_forget(a->d->rpc, job[i].request);
		job[i].request = 0;
	}
}

static void
stop(struct announcer *a)
{
	if (a->query != NULL)
		rpc_query_cancel(a->query);
	a->query = NULL;
	forget(a, a->job, DHT_RELAYS_MAX);
}

void
announcer_deinit(struct announcer *a)
{
	stop(a);
	forget(a, a->back, 2 * DHT_RELAYS_MAX);
}

static bool
under_way(const struct announcer_job *job, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (job[i].request != 0)
			return true;
	return false;
}

static bool
in_set(const struct announcer_set *s, const struct addr *node)
{
	for (size_t i = 0; i < s->n; i++)
		if (addr_eq(&s->at[i].relay, node))
			return true;
	return false;
}

bool
announcer_is_relay(const struct announcer *a, const struct addr *node)
{
	/* one may relay before its answer to the announcement is here */
	if (a->state == ANNOUNCER_TELLING)
		for (size_t i = 0; i < DHT_RELAYS_MAX; i++)
			if (a->job[i].request != 0 &&
			    addr_eq(&a->job[i].to, node))
				return true;
	for (size_t i = 0; i < ANNOUNCER_PAST; i++)
		if (in_set(&a->past[i], node))
			return true;
	return in_set(&a->now, node) || in_set(&a->next, node);
}

size_t
announcer_addresses(
    const struct announcer *a, struct addr out[static DHT_RELAYS_MAX])
{
	struct hello h;
	size_t n = 0;

	hello_get(a->d, &h);
	if (h.open)
		out[n++] = h.address[0];
	for (size_t i = 0; i < a->now.n && n < DHT_RELAYS_MAX; i++)
		out[n++] = a->now.at[i].relay;
	return n;
}

/* -- requests ------------------------------------------------------------- */

static bool
request(struct announcer *a, struct announcer_job *job, struct rpc_ask *ask,
    uint64_t now)
{
	struct err e;

	ask->to = job->to;
	ask->sock = UINT32_MAX;
	ask->ctx = job;
	job->announcer = a;
	if (rpc_request(a->d->rpc, ask, now, &job->request, &e) == ERR_OK)
		return true;
	job->request = 0;
	return false;
}

/* ANNOUNCE or UNANNOUNCE at the node of the job, which gave a token. */
static bool
tell(struct announcer *a, struct announcer_job *job, enum dht_command c,
    const struct rpc_node *n, void (*done)(void *, const struct rpc_reply *),
    uint64_t now)
{
	struct rpc_ask ask = {.command = (uint64_t)c,
	    .has_target = true,
	    .target = a->target,
	    .has_token = true,
	    .token = n->token,
	    .done = done};
	struct buf value;
	bool ok;

	buf_init(&value, VALUE_MAX);
	search_announce_value(&value, c, &a->target, n, a->pair, NULL, 0);
	ask.value = buf_view(&value);
	ok = value.failed == ERR_OK && request(a, job, &ask, now);
	buf_deinit(&value);
	return ok;
}

/* -- taking it back ------------------------------------------------------- */

static void
on_taken_back(void *ctx, const struct rpc_reply *reply)
{
	struct announcer_job *job = ctx;

	(void)reply;
	job->request = 0;
}

/* It needs a token of now, and a node that still knows us. */
static void
on_token(void *ctx, const struct rpc_reply *reply)
{
	struct announcer_job *job = ctx;
	struct rpc_node n;

	job->request = 0;
	if (reply->m == NULL || !reply->m->has_token ||
	    !rpc_id_valid(reply->m, &reply->from) || reply->m->value.len == 0)
		return;
	n = (struct rpc_node){.id = reply->m->id,
	    .addr = reply->from,
	    .has_token = true,
	    .token = reply->m->token};
	(void)tell(
	    job->announcer, job, DHT_UNANNOUNCE, &n, on_taken_back, reply->now);
}

static void
take_back(struct announcer *a, const struct addr *node, uint64_t now)
{
	struct rpc_ask ask = {.command = DHT_FIND_PEER,
	    .has_target = true,
	    .target = a->target,
	    .done = on_token};

	for (size_t i = 0; i < 2 * DHT_RELAYS_MAX; i++) {
		struct announcer_job *job = &a->back[i];

		if (job->request != 0)
			continue;
		job->to = *node;
		(void)request(a, job, &ask, now);
		return;
	}
}

/* -- pings ---------------------------------------------------------------- */

static void
on_pong(void *ctx, const struct rpc_reply *reply)
{
	struct announcer_job *job = ctx;

	job->request = 0;
	job->announcer->answers += reply->m != NULL;
}

static void
ping(struct announcer *a, uint64_t now)
{
	struct rpc_ask ask = {
	    .internal = true, .command = RPC_PING, .done = on_pong};

	a->pings++;
	a->answers = 0;
	for (size_t i = 0; i < a->now.n; i++) {
		a->job[i].to = a->now.at[i].relay;
		(void)request(a, &a->job[i], &ask, now);
	}
}

/* -- announcements -------------------------------------------------------- */

static bool
same_relays(const struct announcer_set *a, const struct announcer_set *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!in_set(b, &a->at[i].relay))
			return false;
	return true;
}

static void
wait_again(struct announcer *a, uint64_t now)
{
	a->state = ANNOUNCER_WAITING;
	a->due = now + (RETRY_US << a->failures);
	if (a->failures < RETRIES_MAX)
		a->failures++;
}

/* Everybody answered who does. */
static void
told(struct announcer *a, uint64_t now)
{
	struct announcer_set before = a->now;

	if (a->next.n == 0) { /* the old ones may still be of use */
		wait_again(a, now);
		return;
	}
	a->failures = 0;
	a->news = a->news || !same_relays(&before, &a->next);
	memmove(&a->past[1], &a->past[0],
	    (ANNOUNCER_PAST - 1) * sizeof(a->past[0]));
	a->past[0] = before;
	a->now = a->next;
	a->next.n = 0;
	for (size_t i = 0; i < before.n; i++)
		if (!in_set(&a->now, &before.at[i].relay))
			take_back(a, &before.at[i].relay, now);
	a->state = ANNOUNCER_STEADY;
	a->pings = 0;
	ping(a, now);
	a->due = now + PING_US;
}

static void
on_told(void *ctx, const struct rpc_reply *reply)
{
	struct announcer_job *job = ctx;
	struct announcer *a = job->announcer;

	job->request = 0;
	if (reply->m == NULL || reply->m->error != RPC_OK)
		return;
	if (a->closing) {
		take_back(a, &reply->from, reply->now);
		return;
	}
	a->next.at[a->next.n++] =
	    (struct announcer_relay){reply->from, reply->m->to};
}

static void
on_found(void *ctx, const struct rpc_node *closest, size_t n, size_t answers,
    size_t commits, uint64_t now)
{
	struct announcer *a = ctx;
	size_t jobs = 0;

	(void)answers, (void)commits;
	a->query = NULL;
	a->state = ANNOUNCER_TELLING;
	a->next.n = 0;
	a->nclosest = n;
	for (size_t i = 0; i < n; i++) {
		a->closest[i] = closest[i].addr;
		if (jobs == DHT_RELAYS_MAX || !closest[i].has_token)
			continue;
		a->job[jobs].to = closest[i].addr;
		jobs += tell(
		    a, &a->job[jobs], DHT_ANNOUNCE, &closest[i], on_told, now);
	}
}

static void
find(struct announcer *a, uint64_t now)
{
	const struct rpc_query_opts q = {.command = DHT_FIND_PEER,
	    .target = a->target,
	    .start = a->closest,
	    .nstart = a->nclosest,
	    .done = on_found,
	    .ctx = a};
	struct err e;

	stop(a);
	a->stale = false;
	a->state = ANNOUNCER_FINDING;
	a->sock = hello_sock(a->d);
	hello_get(a->d, &a->hello);
	if (rpc_query_start(&a->query, a->d->rpc, &q, now, &e) != ERR_OK)
		wait_again(a, now);
}

/* A round of pings is over: again in three seconds, or are we lost? */
static void
steady(struct announcer *a, uint64_t now)
{
	if (under_way(a->job, DHT_RELAYS_MAX))
		return;
	if (a->answers < a->now.n)
		a->stale = true;
	else if (now >= a->due && a->pings < PINGS) {
		ping(a, now);
		a->due = now + PING_US;
	} else if (now >= a->due)
		a->stale = true;
}

uint64_t
announcer_turn(struct announcer *a, uint64_t now)
{
	if (a->closing) {
		if (!under_way(a->back, 2 * DHT_RELAYS_MAX) &&
		    !under_way(a->job, DHT_RELAYS_MAX))
			a->state = ANNOUNCER_CLOSED;
		return UINT64_MAX;
	}
	if (a->state == ANNOUNCER_TELLING && !under_way(a->job, DHT_RELAYS_MAX))
		told(a, now);
	if (a->state == ANNOUNCER_STEADY)
		steady(a, now);
	if ((a->state == ANNOUNCER_STEADY && a->stale) ||
	    (a->state == ANNOUNCER_WAITING && (a->stale || now >= a->due)))
		find(a, now);
	if (a->state == ANNOUNCER_WAITING ||
	    (a->state == ANNOUNCER_STEADY &&
		!under_way(a->job, DHT_RELAYS_MAX)))
		return a->due;
	return UINT64_MAX;
}

void
announcer_refresh(struct announcer *a)
{
	a->stale = true;
}

void
announcer_moved(struct announcer *a)
{
	struct hello h;

	hello_get(a->d, &h);
	if (hello_sock(a->d) != a->sock || h.open != a->hello.open ||
	    (h.open && !addr_eq(&h.address[0], &a->hello.address[0])))
		a->stale = true;
}

/* What is being told comes back when it was heard: before that there may be
 * nothing to take back, and after it nobody would. */
void
announcer_close(struct announcer *a, uint64_t now)
{
	if (a->state != ANNOUNCER_TELLING)
		stop(a);
	a->closing = true;
	for (size_t i = 0; i < a->now.n; i++)
		take_back(a, &a->now.at[i].relay, now);
	for (size_t i = 0; i < a->next.n; i++)
		if (!in_set(&a->now, &a->next.at[i].relay))
			take_back(a, &a->next.at[i].relay, now);
}

bool
announcer_closed(const struct announcer *a)
{
	return a->state == ANNOUNCER_CLOSED;
}
