#include "codec/enc.h"
#include "net/rpc/impl.h"

/* In ticks of five seconds. */
#define REFRESH 60 /* between refreshes, if no query was made */
#define RECENT 12  /* heard of less than a minute ago */
#define OLD 360	   /* there since more than half an hour */
#define PING_EVERY 8
#define SMALL_EVERY 64
#define YOUNG 5 /* looks of a new node: after 0.5, 1, 2, 4 and 8 seconds */
#define LOOK_US (RPC_TICK_US / 10)
#define SILENT_MAX 2 /* ticks without answers: not online */
#define ENOUGH 4     /* answers and failures that say something */

#define WAKEUP_US (3 * RPC_TICK_US) /* a tick that late: we slept */

/* Between half of n and n: nodes started together act apart. */
static unsigned
offset(struct rpc *r, unsigned n)
{
	return n - (unsigned)rpc_random(r, n / 2);
}

void
rpc_upkeep_init(struct rpc *r, const struct rpc_opts *o, uint64_t now)
{
	struct upkeep *u = &r->upkeep;
	struct b32 id;

	u->tick = offset(r, 100);
	u->refresh = offset(r, REFRESH);
	u->last = now;
	u->next = now + RPC_TICK_US;
	u->look = now + LOOK_US;
	u->online = true;
	for (size_t i = o->nknown; i > 0; i--) {
		const struct addr *a = &o->known[i - 1];
		struct route *n;

		if (a->family != 4 || a->port == 0)
			continue;
		rpc_node_id(&id, a);
		n = routes_add(&r->routes, &id, a);
		if (n != NULL)
			n->added = n->pinged = n->seen = u->tick;
	}
}

static struct route *
route_at(struct rpc *r, const struct addr *a)
{
	struct b32 id;

	rpc_node_id(&id, a);
	return routes_get(&r->routes, &id);
}

static void
drop(struct rpc *r, const struct addr *a)
{
	struct route *n = route_at(r, a);

	if (n != NULL)
		routes_remove(&r->routes, n);
}

static enum err_code
ping(struct rpc *r, const struct addr *to,
    void (*done)(void *ctx, const struct rpc_reply *reply), uint64_t now)
{
	struct rpc_ask ask = {.to = *to,
	    .sock = UINT32_MAX,
	    .internal = true,
	    .command = RPC_PING,
	    .done = done,
	    .ctx = r};
	struct err e = ERR_INIT;
	uint64_t number;

	return rpc_request(r, &ask, now, &number, &e);
}

/* It answered as the node it was. */
static bool
alive(const struct rpc_reply *reply)
{
	return reply->m != NULL && reply->m->has_id;
}

/* -- a full row: its oldest node lives, or makes room ----------------------- */

static struct route *
oldest_of(struct rpc *r, const struct b32 *id)
{
	const struct routes_row *row = routes_row(&r->routes, id);
	struct route *oldest = NULL;

	for (size_t i = 0; i < row->n; i++) {
		struct route *n = row->node[i];

		if (n->pinged == r->upkeep.tick)
			continue;
		if (oldest == NULL || n->pinged < oldest->pinged ||
		    (n->pinged == oldest->pinged && n->added < oldest->added))
			oldest = n;
	}
	return oldest;
}

/* The node that would have to go for a node of that id, if it may. */
static struct route *
replaceable(struct rpc *r, const struct b32 *id)
{
	struct route *oldest = oldest_of(r, id);
	uint64_t tick = r->upkeep.tick;

	if (oldest != NULL && tick - oldest->pinged < RECENT &&
	    tick - oldest->added > OLD)
		return NULL;
	return oldest;
}

static struct swap *
swap_free(struct rpc *r)
{
	for (size_t i = 0; i < RPC_SWAPS_MAX; i++)
		if (!r->upkeep.swap[i].used)
			return &r->upkeep.swap[i];
	return NULL;
}

static struct route *
enter(struct rpc *r, const struct addr *a)
{
	struct route *n;
	struct b32 id;

	rpc_node_id(&id, a);
	n = routes_add(&r->routes, &id, a);
	if (n != NULL)
		n->added = n->pinged = n->seen = r->upkeep.tick;
	return n;
}

static void
swap_done(void *ctx, const struct rpc_reply *reply)
{
	struct rpc *r = ctx;
	struct swap *s = r->upkeep.swap;

	while (!s->used || !addr_eq(&s->old, &reply->from))
		s++;
	s->used = false;
	if (alive(reply))
		return;
	drop(r, &s->old);
	(void)enter(r, &s->fresh);
}

static void
swap_start(
    struct rpc *r, const struct b32 *id, const struct addr *fresh, uint64_t now)
{
	struct swap *s = swap_free(r);
	struct route *old;

	if (r->reach.boot != BOOT_DONE || s == NULL ||
	    (old = replaceable(r, id)) == NULL)
		return;
	old->pinged = r->upkeep.tick;
	if (ping(r, &old->addr, swap_done, now) == ERR_OK)
		*s = (struct swap){true, old->addr, *fresh};
}

/* -- does it still live? ---------------------------------------------------- */

static void
check_done(void *ctx, const struct rpc_reply *reply)
{
	struct rpc *r = ctx;

	r->upkeep.checks--;
	if (!alive(reply))
		drop(r, &reply->from);
}

static void
check(struct rpc *r, struct route *n, uint64_t now)
{
	n->pinged = r->upkeep.tick;
	if (ping(r, &n->addr, check_done, now) == ERR_OK)
		r->upkeep.checks++;
}

void
rpc_heard_down(struct rpc *r, const struct addr *node, uint64_t now)
{
	struct route *n = route_at(r, node);

	if (r->upkeep.checks >= RPC_CHECKS_MAX || n == NULL ||
	    (n->hinted && n->pinged >= r->upkeep.tick))
		return;
	n->hinted = true;
	check(r, n, now);
}

void
rpc_heard_nothing(struct rpc *r, const struct addr *to)
{
	drop(r, to);
}

/* -- who enters ------------------------------------------------------------- */

static void
refreshed(struct rpc *r, struct route *n)
{
	n->pinged = n->seen = r->upkeep.tick;
	n->hinted = false;
	routes_touch(&r->routes, n);
}

void
rpc_heard_reply(struct rpc *r, uint32_t sock, const struct rpc_message *m,
    const struct addr *from, uint64_t now)
{
	uint64_t tick = r->upkeep.tick;
	struct route *n;

	r->upkeep.answers++;
	r->upkeep.silent = 0;
	r->upkeep.online = true;
	if (!m->has_id) {
		rpc_reach_bare_sample(r, from, &m->to);
		return;
	}
	if ((n = routes_get(&r->routes, &m->id)) != NULL)
		refreshed(r, n);
	else if ((n = enter(r, from)) == NULL)
		swap_start(r, &m->id, from, now);
	/* what the other socket is known by says nothing of this one */
	if (n == NULL || sock != rpc_sock(r) ||
	    (n->sampled != 0 && tick - n->sampled < OLD))
		return;
	n->sampled = tick;
	rpc_reach_sample(r, &m->to);
}

static void
greet_done(void *ctx, const struct rpc_reply *reply)
{
	struct rpc *r = ctx;

	for (size_t i = 0; i < RPC_GREETS_MAX; i++)
		if (addr_eq(&r->upkeep.greet[i], &reply->from))
			r->upkeep.greet[i].family = 0;
}

/* A request may come from a forged address: who is new has to answer first,
 * and enters by that. */
static void
greet(struct rpc *r, const struct addr *a, uint64_t now)
{
	struct addr *room = NULL;

	for (size_t i = 0; i < RPC_GREETS_MAX; i++) {
		struct addr *g = &r->upkeep.greet[i];

		if (addr_eq(g, a))
			return;
		if (g->family == 0)
			room = g;
	}
	if (room != NULL && ping(r, a, greet_done, now) == ERR_OK)
		*room = *a;
}

void
rpc_heard_request(struct rpc *r, const struct rpc_incoming *in, uint64_t now)
{
	const struct b32 *id = &in->m.id;
	struct route *n;

	if (!in->m.has_id || b32_eq(id, &r->routes.id))
		return;
	if ((n = routes_get(&r->routes, id)) != NULL)
		refreshed(r, n);
	else if (routes_row(&r->routes, id)->n < ROUTES_K ||
		 replaceable(r, id) != NULL)
		greet(r, &in->from, now);
}

/* -- ticks ------------------------------------------------------------------ */

static void
refresh_done(void *ctx, const struct rpc_node *closest, size_t n,
    size_t answers, size_t commits, uint64_t now)
{
	struct rpc *r = ctx;

	(void)closest;
	(void)n;
	(void)answers;
	(void)commits;
	(void)now;
	r->upkeep.query = NULL;
}

void
rpc_queried(struct rpc *r)
{
	r->upkeep.refresh = REFRESH;
}

static void
look(struct rpc *r, const struct b32 *target, uint64_t now)
{
	struct rpc_query_opts o = {.internal = true,
	    .command = RPC_FIND_NODE,
	    .target = *target,
	    .background = true,
	    .done = refresh_done,
	    .ctx = r};
	struct upkeep *u = &r->upkeep;
	struct err e = ERR_INIT;

	u->refresh = REFRESH;
	if (u->query == NULL)
		(void)!rpc_query_start(&u->query, r, &o, now, &e);
}

void
rpc_refresh(struct rpc *r, uint64_t now)
{
	const struct b32 *target = &r->routes.id;

	if (r->routes.n > 0)
		target = &routes_at(&r->routes, rpc_random(r, r->routes.n))->id;
	look(r, target, now);
}

/* Nodes that begin together do not know each other from whom they all asked
 * first: a new one with few nodes looks for its neighbours again, soon. */
static bool
is_young(const struct rpc *r)
{
	return r->reach.boot == BOOT_DONE && r->reach.persistent &&
	       r->upkeep.young < YOUNG && r->routes.n < RPC_K;
}

static void
look_for_neighbours(struct rpc *r, uint64_t now)
{
	struct upkeep *u = &r->upkeep;

	if (!is_young(r) || now < u->look)
		return;
	u->look = now + (LOOK_US << u->young);
	u->young++;
	look(r, &r->routes.id, now);
}

static void
ping_some(struct rpc *r, uint64_t now)
{
	struct route *n = r->routes.oldest;
	unsigned left = r->requests.n > 2 ? 3 : 5;

	if (n == NULL) {
		rpc_refresh(r, now);
		return;
	}
	if (r->upkeep.tick - n->pinged < RECENT)
		left = 2;
	for (; n != NULL && left > 0; n = n->newer, left--)
		if (n->pinged != r->upkeep.tick)
			check(r, n, now);
}

/* The table and the network are as old as our sleep was long. */
static void
wakeup(struct rpc *r)
{
	struct upkeep *u = &r->upkeep;

	u->tick += UINT64_C(2) * OLD;
	u->tick += PING_EVERY - u->tick % PING_EVERY - 2; /* pings in two */
	u->refresh = 1;
	u->silent = 0;
	u->online = true;
	rpc_reach_wakeup(r);
	rpc_tell(r, RPC_WAKEUP);
}

static void
health(struct upkeep *u)
{
	uint64_t answers = u->answers - u->answers_then;
	uint64_t failures = u->failures - u->failures_then;

	u->answers_then = u->answers;
	u->failures_then = u->failures;
	if (answers > 0 || failures < ENOUGH)
		return;
	if (++u->silent >= SILENT_MAX)
		u->online = false;
}

static void
tick(struct rpc *r, bool slept, uint64_t now)
{
	struct upkeep *u = &r->upkeep;
	bool small;

	if (slept)
		wakeup(r);
	else
		u->tick++;
	u->hints = 0;
	health(u);
	if (r->reach.boot != BOOT_DONE)
		return;
	rpc_reach_tick(r, now);
	if (u->tick % PING_EVERY == 0)
		ping_some(r, now);
	small = u->tick % SMALL_EVERY == 0 && r->routes.n < RPC_K;
	if (small || --u->refresh == 0)
		rpc_refresh(r, now);
}

void
rpc_upkeep_turn(struct rpc *r, uint64_t now)
{
	struct upkeep *u = &r->upkeep;
	uint64_t last = u->last;

	look_for_neighbours(r, now);
	if (now < u->next)
		return;
	u->last = now;
	u->next = now + RPC_TICK_US;
	tick(r, now - last > WAKEUP_US, now);
}

uint64_t
rpc_upkeep_deadline(const struct rpc *r)
{
	const struct upkeep *u = &r->upkeep;

	return is_young(r) && u->look < u->next ? u->look : u->next;
}

void
rpc_renew(struct rpc *r, uint64_t now)
{
	wakeup(r);
	rpc_reach_renew(r, now);
}
