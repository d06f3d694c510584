#include "net/rpc/impl.h"

/* In ticks of five seconds. */
#define STABLE 240		 /* 20 minutes without change: be persistent */
#define MORE_STABLE (3 * STABLE) /* after a test that failed */
#define SERVER_AGAIN 12		 /* the same, of who wants to serve */
#define SERVER_SOON 1		 /* its address is not known yet */

#define TEST_NODES 5
#define TEST_ENOUGH 3 /* answers of five; of fewer, one is */

void
rpc_reach_init(struct rpc *r, const struct rpc_opts *o)
{
	struct reach *c = &r->reach;

	sampler_init(&c->nat);
	c->firewalled = !o->open;
	c->stable = o->role == RPC_SERVER ? SERVER_SOON : STABLE;
}

const struct addr *
rpc_reach_self(const struct rpc *r)
{
	return r->self.family != 0 ? &r->self : &r->reach.nat.addr;
}

/* -- what others say -------------------------------------------------------- */

void
rpc_reach_sample(struct rpc *r, const struct addr *self)
{
	if (sampler_add(&r->reach.nat, self) && r->self.family == 0)
		rpc_tell(r, RPC_ADDRESS);
}

/* Bootstrap nodes often have no id. A few of such answers count. */
void
rpc_reach_bare_sample(
    struct rpc *r, const struct addr *from, const struct addr *self)
{
	struct reach *c = &r->reach;
	size_t max = r->nbootstrap > 0 ? r->nbootstrap : 1;

	if (c->nsample >= max)
		return;
	for (size_t i = 0; i < c->nsample; i++)
		if (addr_eq(&c->sample[i], from))
			return;
	c->sample[c->nsample++] = *from;
	rpc_reach_sample(r, self);
}

/* -- ephemeral, persistent -------------------------------------------------- */

static void
be_ephemeral(struct rpc *r)
{
	if (!r->reach.persistent)
		return;
	r->reach.persistent = false;
	rpc_tell(r, RPC_EPHEMERAL);
}

/* The node of that address from now on. */
static void
take_id(struct rpc *r, const struct addr *self, uint64_t now)
{
	struct b32 id;

	rpc_node_id(&id, self);
	if (b32_eq(&id, &r->routes.id))
		return;
	routes_rekey(&r->routes, &id);
	if (r->reach.boot == BOOT_DONE)
		rpc_refresh(r, now);
}

static void boot_tested(struct rpc *r, bool passed, uint64_t now);

/* The test is over: passed with the address `self`, or failed with NULL. */
static void
test_end(struct rpc *r, const struct addr *self, uint64_t now)
{
	struct reach *c = &r->reach;
	bool changed = false;

	if (self != NULL) {
		changed = c->firewalled;
		c->firewalled = false;
		take_id(r, self, now);
		if (c->aim == REACH_PERSISTENT) {
			c->persistent = true;
			rpc_tell(r, RPC_PERSISTENT);
		}
		if (changed)
			rpc_tell(r, RPC_ADDRESS);
	}
	if (c->boot == BOOT_TEST)
		boot_tested(r, self != NULL, now);
}

/* -- the firewall test (2.3) ------------------------------------------------ */

/* Enough answers came to the server socket, and all agree that it is seen
 * under its own port at the host that is known already. */
static bool
test_passed(struct rpc *r)
{
	const struct addr *got = &r->reach.probe.addr;
	const struct addr *self = rpc_reach_self(r);
	struct reach *c = &r->reach;

	if (c->passed < (c->asked >= TEST_NODES ? TEST_ENOUGH : 1))
		return false;
	if (r->self.family != 0)
		return addr_eq(got, &r->self);
	return got->family != 0 && got->port == r->port &&
	       addr_same_host(got, &c->host) && addr_same_host(got, self);
}

static void
test_answers(struct rpc *r, uint64_t now)
{
	struct reach *c = &r->reach;
	struct addr self;

	c->testing = false;
	if (!test_passed(r)) {
		test_end(r, NULL, now);
		return;
	}
	self = c->probe.addr;
	c->nat = c->probe;
	c->nsample = 0;
	test_end(r, &self, now);
}

static void
test_answer(void *ctx, const struct rpc_reply *reply)
{
	struct rpc *r = ctx;
	struct reach *c = &r->reach;

	if (reply->m != NULL && reply->sock == RPC_SOCK_SERVER) {
		c->passed++;
		(void)sampler_add(&c->probe, &reply->m->to);
	}
	if (--c->missing == 0)
		test_answers(r, reply->now);
}

static bool
ask_back(struct rpc *r, const struct addr *to,
    void (*done)(void *ctx, const struct rpc_reply *reply), uint64_t now)
{
	uint8_t port[2] = {(uint8_t)r->port, (uint8_t)(r->port >> 8)};
	struct rpc_ask ask = {.to = *to,
	    .sock = UINT32_MAX,
	    .internal = true,
	    .command = RPC_PING_NAT,
	    .value = view_of(port, sizeof(port)),
	    .done = done,
	    .ctx = r};
	struct err e = ERR_INIT;
	uint64_t number;

	return rpc_request(r, &ask, now, &number, &e) == ERR_OK;
}

/* The nodes heard of last, and bootstrap nodes if they are few. */
static size_t
test_nodes(const struct rpc *r, struct addr out[static TEST_NODES])
{
	size_t n = rpc_known(r, out, TEST_NODES), known = n;

	for (size_t i = 0; i < r->nbootstrap && n < TEST_NODES; i++) {
		size_t j = 0;

		while (j < known && !addr_eq(&out[j], &r->bootstrap[i]))
			j++;
		if (j == known)
			out[n++] = r->bootstrap[i];
	}
	return n;
}

static void
test_ask(struct rpc *r, uint64_t now)
{
	struct reach *c = &r->reach;
	struct addr nodes[TEST_NODES];
	size_t n = test_nodes(r, nodes);

	sampler_init(&c->probe);
	c->testing = true;
	c->asked = c->missing = c->passed = 0;
	for (size_t i = 0; i < n; i++)
		if (ask_back(r, &nodes[i], test_answer, now))
			c->asked = ++c->missing;
	if (c->asked == 0)
		test_answers(r, now);
}

static void
test_start(struct rpc *r, enum reach_aim aim, uint64_t now)
{
	const struct addr *self = rpc_reach_self(r);
	struct reach *c = &r->reach;
	struct addr at = *self;

	c->aim = aim;
	c->host = at;
	if (aim == REACH_PERSISTENT)
		c->tested = at;
	if (at.family == 0 || at.port == 0 || c->persistent ||
	    (aim == REACH_FIREWALL && !c->firewalled))
		test_end(r, NULL, now);
	else if (!c->firewalled)
		test_end(r, &at, now);
	else
		test_ask(r, now);
}

/* -- bootstrap -------------------------------------------------------------- */

static void
boot_ready(struct rpc *r)
{
	struct reach *c = &r->reach;

	c->boot = BOOT_DONE;
	if (c->told_ready)
		return;
	c->told_ready = true;
	rpc_tell(r, RPC_READY);
}

static void
boot_later(struct rpc *r)
{
	r->reach.again = true;
	r->reach.heard = r->upkeep.answers;
}

static void
boot_queried(void *ctx, const struct rpc_node *closest, size_t n,
    size_t answers, size_t commits, uint64_t now)
{
	struct rpc *r = ctx;
	struct reach *c = &r->reach;
	bool server = r->role == RPC_SERVER;

	(void)closest;
	(void)n;
	(void)commits;
	c->query = NULL;
	if (answers == 0 && c->firewalled)
		boot_later(r);
	if (c->boot == BOOT_AGAIN || (!server && !c->quick_passed)) {
		boot_ready(r);
		return;
	}
	c->boot = BOOT_TEST;
	test_start(r, server ? REACH_PERSISTENT : REACH_FIREWALL, now);
}

/* On a short path the query may end before this answer: the reference then
 * takes itself for firewalled, here the test is made up for. */
static void
quick_done(void *ctx, const struct rpc_reply *reply)
{
	struct rpc *r = ctx;
	struct reach *c = &r->reach;

	if (reply->m == NULL)
		return;
	c->quick_passed = true;
	if (c->boot == BOOT_DONE && !c->testing)
		test_start(r, REACH_FIREWALL, reply->now);
}

/* One answer of the server socket while the query goes on: then it is worth
 * to test the firewall at once. */
static void
boot_answer(void *ctx, const struct rpc_reply *reply)
{
	struct rpc *r = ctx;
	struct reach *c = &r->reach;

	if (c->quick_sent || !c->firewalled || r->role == RPC_SERVER)
		return;
	c->quick_sent = true;
	(void)ask_back(r, &reply->from, quick_done, reply->now);
}

static void
boot_query(struct rpc *r, enum boot step, uint64_t now)
{
	struct rpc_query_opts o = {.internal = true,
	    .command = RPC_FIND_NODE,
	    .target = r->routes.id,
	    .background = true,
	    .reply = boot_answer,
	    .done = boot_queried,
	    .ctx = r};
	struct err e = ERR_INIT;

	r->reach.boot = step;
	if (rpc_query_start(&r->reach.query, r, &o, now, &e) != ERR_OK)
		boot_ready(r);
}

static void
boot_tested(struct rpc *r, bool passed, uint64_t now)
{
	if (passed)
		boot_query(r, BOOT_AGAIN, now);
	else
		boot_ready(r);
}

/* What is known from the start needs no test. */
static void
boot_as_told(struct rpc *r, uint64_t now)
{
	struct reach *c = &r->reach;

	if (r->role != RPC_SERVER || !r->open || r->self.family == 0)
		return;
	c->aim = REACH_PERSISTENT;
	test_end(r, &r->self, now);
}

void
rpc_reach_turn(struct rpc *r, uint64_t now)
{
	if (r->reach.boot != BOOT_NEW)
		return;
	boot_as_told(r, now);
	boot_query(r, BOOT_FIRST, now);
}

/* -- later ------------------------------------------------------------------ */

/* Everything that was tested is to be tested again. */
static void
start_over(struct rpc *r, uint64_t now)
{
	struct reach *c = &r->reach;

	be_ephemeral(r);
	c->nsample = 0;
	c->firewalled = !r->open;
	c->quick_sent = c->quick_passed = false;
	c->stable = r->role == RPC_SERVER ? SERVER_SOON : STABLE;
	rpc_tell(r, RPC_ADDRESS);
	if (c->boot == BOOT_DONE && !c->testing)
		boot_query(r, BOOT_FIRST, now);
	else
		boot_later(r);
}

/* The address that the id is made of, or the host whose firewall was tested,
 * is another one now. */
static bool
moved(const struct rpc *r)
{
	const struct addr *self = rpc_reach_self(r);
	const struct reach *c = &r->reach;
	struct b32 id;

	if (self->family == 0)
		return false;
	if (!c->firewalled && !r->open && !addr_same_host(self, &c->host))
		return true;
	rpc_node_id(&id, self);
	return c->persistent && self->port != 0 && !b32_eq(&id, &r->routes.id);
}

void
rpc_reach_tick(struct rpc *r, uint64_t now)
{
	struct reach *c = &r->reach;
	const struct addr *self = rpc_reach_self(r);
	bool server = r->role == RPC_SERVER;

	if (!c->testing && moved(r)) {
		start_over(r, now);
		return;
	}
	if (c->again && !c->testing && r->upkeep.answers > c->heard) {
		c->again = c->quick_sent = c->quick_passed = false;
		boot_query(r, BOOT_FIRST, now);
		return;
	}
	if (r->role == RPC_CLIENT_ONLY || c->persistent || c->testing ||
	    --c->stable > 0)
		return;
	if (server)
		c->stable = self->family == 0 ? SERVER_SOON : SERVER_AGAIN;
	else
		c->stable = MORE_STABLE;
	/* who waits for a better network need not test the same one again */
	if (server || !addr_same_host(&c->tested, self))
		test_start(r, REACH_PERSISTENT, now);
}

void
rpc_reach_wakeup(struct rpc *r)
{
	struct reach *c = &r->reach;

	c->tested = (struct addr){0};
	if (r->role == RPC_SERVER)
		return;
	c->stable = MORE_STABLE;
	be_ephemeral(r);
}

void
rpc_reach_renew(struct rpc *r, uint64_t now)
{
	if (r->self.family != 0)
		return;
	sampler_init(&r->reach.nat);
	start_over(r, now);
}
