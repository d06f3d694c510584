/* Requests under way: when they are sent, whose answer counts, their line. */
#include "lab.h"

struct told {
	size_t n, failed, again;
	uint64_t rtt, at;
	uint32_t sock;
	struct addr from;
	struct lab *lab; /* start another one in `done` */
	uint64_t forget; /* forget this one in `again` */
};

static void
done(void *ctx, const struct rpc_reply *reply)
{
	struct told *t = ctx;

	t->n++;
	t->failed += reply->m == NULL;
	t->rtt = reply->rtt_us;
	t->at = reply->now;
	t->sock = reply->sock;
	t->from = reply->from;
}

static uint64_t
ask(struct lab *l, const struct addr *to, bool internal, unsigned sends,
    struct told *t)
{
	struct rpc_ask a = {.to = *to,
	    .sock = UINT32_MAX,
	    .internal = internal,
	    .sends = sends,
	    .done = done,
	    .ctx = t};
	struct err e = ERR_INIT;
	uint64_t number = 0;

	check_ok(rpc_request(l->r, &a, l->now, &number, &e), &e);
	check(number != 0);
	return number;
}

static void
test_sendings(void **state)
{
	static const unsigned sends[] = {0, 1, 4, 6};
	struct addr to = lab_addr(1);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		unsigned want = sends[i] > 0 ? sends[i] : RPC_SENDS;
		struct told t = {0};
		struct lab l;
		uint64_t start;

		lab_server(&l);
		start = l.now;
		(void)ask(&l, &to, true, sends[i], &t);
		for (unsigned k = 1; k <= want; k++) {
			check(l.nsent == k && t.n == 0);
			check(l.sent[k - 1].m.tid == l.sent[0].m.tid);
			lab_until(&l, start + k * LAB_SECOND - 1);
			check(l.nsent == k && t.n == 0);
			lab_until(&l, start + k * LAB_SECOND);
		}
		check(l.nsent == want && t.n == 1 && t.failed == 1);
		check(addr_eq(&t.from, &to));
		/* an answer that late is for nobody */
		lab_answer(&l, &l.sent[0]);
		check(t.n == 1 && l.r->requests.n == 0);
		lab_free(&l);
	}
}

static void
test_answered(void **state)
{
	struct addr to = lab_addr(1);
	struct told t = {0};
	struct lab l;

	(void)state;
	lab_server(&l);
	(void)ask(&l, &to, true, 0, &t);
	check(l.sent[0].sock == RPC_SOCK_SERVER && l.sent[0].m.has_id);
	lab_until(&l, l.now + LAB_SECOND + 20000);
	lab_answer(&l, &l.sent[0]);
	check(t.n == 1 && t.failed == 0 && t.rtt == 20000 && t.at == l.now);
	lab_answer(&l, &l.sent[0]); /* once */
	check(t.n == 1 && lab_knows(&l, &to));
	lab_until(&l, l.now + 4 * LAB_SECOND);
	check(l.nsent == 2);
	lab_free(&l);
}

/* Who answers: the node that was asked, whatever it was asked for. Who guesses
 * the tid, which has 16 bits only, ends no request of ours. */
static void
test_whose(void **state)
{
	struct addr to = lab_addr(1), other = lab_addr(2), port = to;
	struct rpc_message m;
	struct told t = {0};
	struct lab l;

	(void)state;
	port.port++;
	lab_server(&l);
	for (size_t i = 0; i < 2; i++) {
		l.nsent = 0;
		(void)ask(&l, &to, i == 0, 0, &t);
		m = lab_reply_of(&l.sent[0]);
		lab_say(&l, RPC_SOCK_SERVER, &other, &m);
		lab_say(&l, RPC_SOCK_SERVER, &port, &m);
		m.tid++;
		lab_say(&l, RPC_SOCK_SERVER, &to, &m);
		check(t.n == i);
		m.tid--;
		lab_say(&l, RPC_SOCK_CLIENT, &to, &m);
		check(t.n == i + 1 && t.sock == RPC_SOCK_CLIENT);
		check(addr_eq(&t.from, &to) && !lab_knows(&l, &other));
	}
	lab_free(&l);
}

static void
test_forget(void **state)
{
	struct addr to = lab_addr(1);
	struct told t = {0};
	struct lab l;
	uint64_t a, b;

	(void)state;
	lab_server(&l);
	a = ask(&l, &to, true, 0, &t);
	b = ask(&l, &to, true, 0, &t);
	check(a != b && l.sent[0].m.tid != l.sent[1].m.tid);
	rpc_forget(l.r, a);
	rpc_forget(l.r, a);
	rpc_forget(l.r, 0);
	rpc_forget(l.r, b ^ 1);
	lab_answer(&l, &l.sent[0]);
	check(t.n == 0);
	lab_answer(&l, &l.sent[1]);
	check(t.n == 1 && l.r->requests.total == 0);
	rpc_forget(l.r, b);
	lab_free(&l);
}

/* At most 80 in a slot of 750 ms and 160 in four; answers make room; nobody
 * is lost or overtaken. */
static void
test_line(void **state)
{
	struct told t = {0};
	struct lab l;
	struct addr to;
	uint64_t start;

	(void)state;
	lab_server(&l);
	l.now += RPC_SLOT_US * 8;
	start = l.now;
	for (unsigned i = 0; i < 300; i++) {
		to = lab_addr(i + 1);
		(void)ask(&l, &to, true, 1, &t);
	}
	check(l.nsent == 80);
	lab_turn(&l);
	check(l.nsent == 80 && l.due <= start + RPC_SLOT_US);
	lab_answer(&l, &l.sent[0]);
	lab_turn(&l);
	check(l.nsent == 81);
	lab_until(&l, l.due);
	check(l.nsent == 161);
	lab_until(&l, start + 60 * LAB_SECOND);
	check(t.n == 300 && t.failed == 299);
	for (unsigned i = 0; i < 300; i++) {
		to = lab_addr(i + 1);
		check(addr_eq(&l.sent[i].to, &to));
	}
	lab_free(&l);
}

static void
test_refused(void **state)
{
	static uint8_t big[RPC_PACKET_MAX];
	struct rpc_ask a = {.to = lab_addr(1), .value = view_of(big, 1472)};
	struct err e = ERR_INIT;
	uint64_t number = 7;
	struct lab l;

	(void)state;
	lab_server(&l);
	check_code(rpc_request(l.r, &a, l.now, &number, &e), ERR_LIMIT);
	a.value = VIEW_EMPTY;
	a.to.port = 0;
	check_code(rpc_request(l.r, &a, l.now, &number, &e), ERR_INVALID);
	a.to = lab_parse("[::1]:1");
	check_code(rpc_request(l.r, &a, l.now, &number, &e), ERR_INVALID);
	check(number == 7 && l.nsent == 0 && l.r->requests.n == 0);
	a.to = lab_addr(1); /* nobody is told */
	check_ok(rpc_request(l.r, &a, l.now, &number, &e), &e);
	lab_until(&l, l.now + 5 * LAB_SECOND);
	check(l.r->requests.n == 0);
	lab_free(&l);
}

/* There is a tid for each, and an end of memory. */
static void
test_many(void **state)
{
	static bool seen[65536];
	struct addr to = lab_addr(1);
	struct rpc_ask a = {.to = to, .sock = RPC_SOCK_CLIENT};
	struct err e = ERR_INIT;
	uint64_t number;
	struct lab l;
	size_t n = 0;

	(void)state;
	lab_server(&l);
	while (rpc_request(l.r, &a, l.now, &number, &e) == ERR_OK) {
		check(!seen[number & 0xffff]);
		seen[number & 0xffff] = true;
		n++;
	}
	check(n == 16384 && e.code == ERR_LIMIT);
	check(l.sent[0].sock == RPC_SOCK_CLIENT && !l.sent[0].m.has_id);
	lab_free(&l);
}

/* -- what callbacks do ------------------------------------------------------ */

static void
done_ask(void *ctx, const struct rpc_reply *reply)
{
	struct told *t = ctx;

	done(t, reply);
	if (t->n < 3) {
		struct rpc_ask a = {.to = reply->from,
		    .sock = UINT32_MAX,
		    .sends = 1,
		    .done = done_ask,
		    .ctx = t};
		struct err e = ERR_INIT;
		uint64_t number;

		check_ok(
		    rpc_request(t->lab->r, &a, reply->now, &number, &e), &e);
	}
}

static void
test_from_callback(void **state)
{
	struct lab l;
	struct told t = {.lab = &l};
	struct rpc_ask a = {.to = lab_addr(1),
	    .sock = UINT32_MAX,
	    .sends = 1,
	    .done = done_ask,
	    .ctx = &t};
	struct err e = ERR_INIT;
	uint64_t number;

	(void)state;
	lab_server(&l);
	check_ok(rpc_request(l.r, &a, l.now, &number, &e), &e);
	lab_until(&l, l.now + LAB_SECOND);
	check(t.n == 1 && l.nsent == 2);
	lab_answer(&l, &l.sent[1]);
	check(t.n == 2 && l.nsent == 3);
	lab_until(&l, l.now + LAB_SECOND);
	check(t.n == 3 && t.failed == 2 && l.nsent == 3);
	lab_free(&l);
}

static void
again(void *ctx, const struct addr *to)
{
	struct told *t = ctx;

	(void)to;
	t->again++;
	rpc_forget(t->lab->r, t->forget);
}

static void
test_again(void **state)
{
	struct lab l;
	struct told t = {.lab = &l};
	struct rpc_ask a = {
	    .to = lab_addr(1), .sock = UINT32_MAX, .done = done, .ctx = &t};
	struct err e = ERR_INIT;
	uint64_t number;

	(void)state;
	lab_server(&l);
	check_ok(rpc_request_start(l.r, &a, again, l.now, &number, &e), &e);
	lab_until(&l, l.now + 4 * LAB_SECOND);
	check(t.again == 1 && t.n == 1 && l.nsent == 4);
	check_ok(rpc_request_start(l.r, &a, again, l.now, &t.forget, &e), &e);
	lab_until(&l, l.now + 4 * LAB_SECOND);
	check(t.again == 2 && t.n == 1 && l.r->requests.n == 0);
	lab_free(&l);
}

static void
forget_all(void *ctx, enum rpc_event ev)
{
	struct told *t = ctx;

	t->again += ev == RPC_ADDRESS;
	rpc_forget(t->lab->r, t->forget);
}

/* The answer tells our address, too: who hears of that first, and lets go of
 * the request, is not told by it. */
static void
test_forgotten_by_event(void **state)
{
	struct lab l;
	struct told t = {.lab = &l};
	struct rpc_opts o = {.role = RPC_ADAPTIVE};
	struct addr to = lab_addr(1);

	(void)state;
	lab_new(&l, &o);
	lab_turn(&l);
	lab_turn(&l);
	l.nsent = 0;
	l.r->env = (struct rpc_env){&l, lab_send, lab_request, NULL};
	t.forget = ask(&l, &to, true, 0, &t);
	l.r->env.ctx = &t; /* nothing is sent from now on */
	l.r->env.event = forget_all;
	lab_answer(&l, &l.sent[0]);
	check(t.again == 1 && t.n == 0 && l.r->requests.n == 0);
	lab_free(&l);
}

/* A node that was asked often enough is no longer one. */
static void
test_gone(void **state)
{
	struct addr a = lab_addr(1), b = lab_addr(2);
	struct told t = {0};
	struct lab l;

	(void)state;
	lab_server(&l);
	lab_meet(&l, &a);
	lab_meet(&l, &b);
	(void)ask(&l, &a, true, 0, &t);
	(void)ask(&l, &b, true, 1, &t); /* that says too little */
	lab_until(&l, l.now + 4 * LAB_SECOND);
	check(t.failed == 2 && !lab_knows(&l, &a) && lab_knows(&l, &b));
	lab_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sendings),
	    cmocka_unit_test(test_answered),
	    cmocka_unit_test(test_whose),
	    cmocka_unit_test(test_forget),
	    cmocka_unit_test(test_line),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_from_callback),
	    cmocka_unit_test(test_again),
	    cmocka_unit_test(test_forgotten_by_event),
	    cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
