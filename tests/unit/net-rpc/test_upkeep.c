/* The table: who enters and leaves it, ticks, sleep. */
#include "lab.h"

static struct rpc_message
request_of(const struct addr *from, bool internal, uint64_t command)
{
	struct rpc_message m = {
	    .internal = internal, .command = command, .has_id = true};

	rpc_node_id(&m.id, from);
	return m;
}

static size_t
sent_to(const struct lab *l, const struct addr *a)
{
	size_t n = 0;

	for (size_t i = 0; i < l->nsent; i++)
		n += addr_eq(&l->sent[i].to, a) && !l->sent[i].m.reply;
	return n;
}

/* -- who enters ------------------------------------------------------------- */

/* A request may be forged: its sender has to answer before it counts. */
static void
test_greeting(void **state)
{
	struct addr a = lab_addr(1), b = lab_addr(2);
	struct rpc_message m = request_of(&a, true, RPC_PING);
	struct lab l;

	(void)state;
	lab_server(&l);
	lab_say(&l, RPC_SOCK_SERVER, &a, &m);
	lab_say(&l, RPC_SOCK_SERVER, &a, &m);
	check(!lab_knows(&l, &a) && sent_to(&l, &a) == 1);
	lab_answer(&l, &l.sent[0]);
	check(lab_knows(&l, &a) && l.r->routes.n == 1);
	lab_say(&l, RPC_SOCK_SERVER, &a, &m);
	check(sent_to(&l, &a) == 1);
	/* forged: nobody answers, and it may try again later */
	m = request_of(&b, true, RPC_PING);
	lab_say(&l, RPC_SOCK_SERVER, &b, &m);
	lab_until(&l, l.now + 4 * LAB_SECOND);
	check(!lab_knows(&l, &b) && sent_to(&l, &b) == RPC_SENDS);
	lab_say(&l, RPC_SOCK_SERVER, &b, &m);
	check(sent_to(&l, &b) == RPC_SENDS + 1);
	lab_free(&l);
}

/* A new node looks for nodes near itself: five times, further and further
 * apart. */
static void
test_neighbours(void **state)
{
	struct addr a = lab_addr(1);
	struct rpc_message m = request_of(&a, true, RPC_PING);
	struct lab l;
	size_t looks = 0;

	(void)state;
	lab_server(&l);
	lab_say(&l, RPC_SOCK_SERVER, &a, &m);
	lab_answer(&l, &l.sent[0]);
	check(lab_knows(&l, &a));
	l.r->upkeep.young = 0;
	for (unsigned s = 0; s < 40; s++) {
		l.nsent = 0;
		lab_until(&l, l.now + LAB_SECOND / 2);
		for (size_t i = 0; i < l.nsent; i++) {
			if (!l.sent[i].m.internal ||
			    l.sent[i].m.command != RPC_FIND_NODE)
				continue;
			check(b32_eq(&l.sent[i].m.target, &l.r->routes.id));
			looks++;
			lab_answer(&l, &l.sent[i]);
		}
	}
	check(looks == 5 && l.r->upkeep.young == 5);
	lab_free(&l);
}

static void
test_greetings_at_once(void **state)
{
	struct lab l;

	(void)state;
	lab_server(&l);
	for (unsigned i = 1; i <= 100; i++) {
		struct addr a = lab_addr(i);
		struct rpc_message m = request_of(&a, false, 3);

		m.has_target = false;
		l.mute = true;
		lab_say(&l, RPC_SOCK_SERVER, &a, &m);
	}
	check(l.nsent == RPC_GREETS_MAX && l.requests == 100);
	lab_free(&l);
}

static void
test_itself(void **state)
{
	struct addr self = lab_parse("9.9.9.9:49737");
	struct rpc_message m = request_of(&self, true, RPC_PING);
	struct lab l;

	(void)state;
	lab_server(&l);
	lab_say(&l, RPC_SOCK_SERVER, &self, &m);
	check(l.nsent == 1 && l.sent[0].m.reply && l.r->routes.n == 0);
	lab_free(&l);
}

static void
test_known(void **state)
{
	struct addr a = lab_addr(1), b = lab_addr(2), bad = {0}, out[4];
	struct addr known[] = {a, bad, b, a};
	struct rpc_opts o = {.known = known, .nknown = 4};
	struct lab l;

	(void)state;
	lab_new(&l, &o);
	check(l.r->routes.n == 2 && lab_knows(&l, &a) && lab_knows(&l, &b));
	check(rpc_known(l.r, out, 4) == 2);
	check(addr_eq(&out[0], &b) && addr_eq(&out[1], &a));
	lab_turn(&l); /* asked at once: they may be old */
	check(l.nsent == 2);
	lab_answer(&l, lab_find(&l, &a));
	check(rpc_known(l.r, out, 1) == 1 && addr_eq(&out[0], &a));
	lab_free(&l);
}

/* -- full rows --------------------------------------------------------------- */

/* The i-th node whose id begins with the other bit than ours. */
static struct addr
far_node(struct lab *l, unsigned i)
{
	struct b32 id;
	struct addr a;

	for (unsigned h = 1;; h++) {
		a = lab_addr(h);
		rpc_node_id(&id, &a);
		if (((id.b[0] ^ l->r->routes.id.b[0]) & 0x80) != 0 && i-- == 0)
			return a;
	}
}

static void
full_row(struct lab *l)
{
	lab_server(l);
	for (unsigned i = 0; i < ROUTES_K; i++) {
		struct addr a = far_node(l, i);

		lab_meet(l, &a);
	}
	lab_until(l, l->now + LAB_TICK);
	l->nsent = 0;
	check(l->r->routes.n == ROUTES_K);
}

static void
test_full_row(void **state)
{
	struct addr first, fresh, other, third;
	struct rpc_message m;
	struct lab l;

	(void)state;
	full_row(&l);
	fresh = far_node(&l, ROUTES_K);
	other = far_node(&l, ROUTES_K + 1);
	/* the oldest lives: it stays */
	lab_meet(&l, &fresh);
	check(l.nsent == 2);
	first = l.sent[1].to;
	lab_answer(&l, &l.sent[1]);
	check(lab_knows(&l, &first) && !lab_knows(&l, &fresh));
	/* the next one is silent, and one answers without an id: they go */
	lab_meet(&l, &fresh);
	lab_meet(&l, &other);
	check(l.nsent == 6);
	third = l.sent[5].to;
	m = lab_reply_of(&l.sent[5]);
	m.has_id = false;
	lab_say(&l, RPC_SOCK_SERVER, &third, &m);
	check(!lab_knows(&l, &third) && lab_knows(&l, &other));
	lab_until(&l, l.now + 4 * LAB_SECOND);
	check(!lab_knows(&l, &l.sent[3].to) && lab_knows(&l, &fresh));
	check(l.r->routes.n == ROUTES_K);
	lab_free(&l);
}

static void
test_swaps_at_once(void **state)
{
	struct lab l;

	(void)state;
	full_row(&l);
	for (unsigned i = 0; i < 10; i++) {
		struct addr a = far_node(&l, ROUTES_K + i);

		lab_meet(&l, &a);
	}
	check(l.nsent == 10 + RPC_SWAPS_MAX);
	lab_until(&l, l.now + 4 * LAB_SECOND);
	check(l.r->routes.n == ROUTES_K);
	lab_free(&l);
}

/* -- hints ------------------------------------------------------------------- */

static void
hint(struct lab *l, const struct addr *down)
{
	struct addr from = lab_addr(60000);
	struct rpc_message m = {.internal = true, .command = RPC_DOWN_HINT};
	struct buf b;

	buf_init(&b, 6);
	rpc_addr_put(&b, down);
	m.value = buf_view(&b);
	lab_say(l, RPC_SOCK_SERVER, &from, &m);
	buf_deinit(&b);
}

static void
test_hints(void **state)
{
	struct addr a = lab_addr(1), b = lab_addr(2), stranger = lab_addr(3);
	struct lab l;

	(void)state;
	lab_server(&l);
	lab_meet(&l, &a);
	lab_meet(&l, &b);
	l.nsent = 0;
	hint(&l, &stranger); /* nobody is sent to where others want */
	check(sent_to(&l, &stranger) == 0 && l.nsent == 1);
	hint(&l, &a);
	hint(&l, &a);
	hint(&l, &b);
	check(sent_to(&l, &a) == 1 && sent_to(&l, &b) == 1);
	lab_answer(&l, lab_find(&l, &a));
	lab_until(&l, l.now + 4 * LAB_SECOND);
	check(lab_knows(&l, &a) && !lab_knows(&l, &b));
	lab_free(&l);
}

static void
test_hints_at_once(void **state)
{
	struct lab l;
	size_t pings = 0;

	(void)state;
	lab_server(&l);
	for (unsigned i = 1; i <= 40; i++) {
		struct addr a = lab_addr(i);

		lab_meet(&l, &a);
	}
	l.nsent = 0;
	for (unsigned i = 1; i <= 40; i++) {
		struct addr a = lab_addr(i);

		hint(&l, &a);
	}
	for (size_t i = 0; i < l.nsent; i++)
		pings += !l.sent[i].m.reply;
	check(pings == RPC_CHECKS_MAX);
	lab_free(&l);
}

/* -- ticks ------------------------------------------------------------------- */

/* Everybody answers for that long; at `step`, and never more often. */
static void
live(struct lab *l, uint64_t how_long)
{
	uint64_t until = l->now + how_long;
	size_t at = l->nsent;

	while (l->now < until) {
		lab_until(l, l->now + LAB_SECOND / 2);
		for (; at < l->nsent; at++)
			if (!l->sent[at].m.reply)
				lab_answer(l, &l->sent[at]);
	}
}

/* In forty seconds, two to five of the oldest nodes are asked; one that died
 * leaves. */
static void
test_pings(void **state)
{
	struct addr a[10];
	struct lab l;
	size_t asked = 0;

	(void)state;
	lab_server(&l);
	for (unsigned i = 0; i < 10; i++) {
		a[i] = lab_addr(i + 1);
		lab_meet(&l, &a[i]);
	}
	live(&l, 120 * LAB_SECOND);
	l.nsent = 0;
	live(&l, 40 * LAB_SECOND);
	for (unsigned i = 0; i < 10; i++)
		asked += sent_to(&l, &a[i]) > 0;
	check(asked >= 2 && asked <= 5 && l.nsent <= 5);
	check(l.r->routes.n == 10);
	lab_until(&l, l.now + 300 * LAB_SECOND);
	check(l.r->routes.n == 0);
	lab_free(&l);
}

/* After five minutes without a query, one. */
static void
test_refresh(void **state)
{
	struct addr a = lab_addr(1);
	struct lab l;
	size_t finds = 0;

	(void)state;
	lab_server(&l);
	for (unsigned i = 1; i <= 40; i++) {
		a = lab_addr(i);
		lab_meet(&l, &a);
	}
	l.nsent = 0;
	live(&l, 301 * LAB_SECOND);
	for (size_t i = 0; i < l.nsent; i++)
		finds += l.sent[i].m.command == RPC_FIND_NODE;
	check(finds >= 10 && finds <= 40);
	lab_free(&l);
}

static void
test_online(void **state)
{
	struct rpc_about about;
	struct lab l;

	(void)state;
	lab_server(&l);
	for (unsigned i = 1; i <= 40; i++) {
		struct addr a = lab_addr(i);

		lab_meet(&l, &a);
	}
	rpc_about(l.r, &about);
	check(about.online && about.nodes == l.r->routes.n && about.ready);
	lab_until(&l, l.now + 600 * LAB_SECOND);
	rpc_about(l.r, &about);
	check(!about.online && about.nodes == 0);
	lab_meet(&l, &(struct addr){4, 1000, {9, 0, 0, 1}});
	rpc_about(l.r, &about);
	check(about.online && about.nodes == 1);
	lab_free(&l);
}

/* -- sleep ------------------------------------------------------------------- */

static void
test_sleep(void **state)
{
	struct addr a = lab_addr(1);
	struct lab l;
	size_t asked = 0;

	(void)state;
	lab_server(&l);
	for (unsigned i = 1; i <= 10; i++) {
		a = lab_addr(i);
		lab_meet(&l, &a);
	}
	lab_until(&l, l.now + 7 * LAB_SECOND);
	check(lab_events(&l, RPC_WAKEUP) == 0);
	l.now += 10 * LAB_SECOND; /* late, but awake */
	lab_turn(&l);
	check(lab_events(&l, RPC_WAKEUP) == 0);
	l.now += 3600 * LAB_SECOND;
	l.nsent = 0;
	lab_turn(&l);
	check(lab_events(&l, RPC_WAKEUP) == 1);
	/* a refresh, and soon the oldest nodes are asked */
	for (size_t i = 0; i < l.nsent; i++)
		asked += l.sent[i].m.command == RPC_FIND_NODE;
	check(asked > 0);
	live(&l, 11 * LAB_SECOND);
	asked = 0;
	for (size_t i = 0; i < l.nsent; i++)
		asked += l.sent[i].m.internal && !l.sent[i].m.reply &&
			 l.sent[i].m.command == RPC_PING;
	check(asked >= 2);
	lab_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_greeting),
	    cmocka_unit_test(test_neighbours),
	    cmocka_unit_test(test_greetings_at_once),
	    cmocka_unit_test(test_itself),
	    cmocka_unit_test(test_known),
	    cmocka_unit_test(test_full_row),
	    cmocka_unit_test(test_swaps_at_once),
	    cmocka_unit_test(test_hints),
	    cmocka_unit_test(test_hints_at_once),
	    cmocka_unit_test(test_pings),
	    cmocka_unit_test(test_refresh),
	    cmocka_unit_test(test_online),
	    cmocka_unit_test(test_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
