/* Lookups that commit, are refused, or cancelled. */
#include "look.h"

/* -- commits ---------------------------------------------------------------- */

static void
ready_to_commit(struct lab *l, struct end *e, struct addr *a)
{
	struct rpc_query_opts o = opts(e);

	*a = lab_addr(1);
	lab_server(l);
	o.start = a;
	o.nstart = 1;
	o.commit = commit;
	start(l, &o, e);
	say_closer(l, &l->sent[0], NULL, 0);
}

static void
test_commit(void **state)
{
	struct end e = {0};
	struct addr a;
	struct lab l;

	(void)state;
	ready_to_commit(&l, &e, &a);
	check(l.nsent == 2 && l.sent[1].m.has_token && e.asked == 1);
	check(l.sent[1].m.token.b[0] == 1 && e.ends == 0);
	check(view_eq(l.sent[1].m.value, view_str("kept")));
	lab_answer(&l, &l.sent[1]);
	check(e.ends == 1 && e.commits == 1 && e.n == 1);
	lab_free(&l);
}

/* The token grew old while the query went on. */
static void
test_old_token(void **state)
{
	struct end e = {0};
	struct rpc_message m;
	struct addr a;
	struct lab l;

	(void)state;
	ready_to_commit(&l, &e, &a);
	m = lab_reply_of(&l.sent[1]);
	m.error = RPC_INVALID_TOKEN;
	m.has_token = true;
	m.token.b[0] = 77;
	lab_say(&l, RPC_SOCK_SERVER, &a, &m);
	check(l.nsent == 3 && l.sent[2].m.token.b[0] == 77 && e.asked == 2);
	check(e.token.b[0] == 77 && e.ends == 0);
	m.tid = l.sent[2].m.tid; /* not for ever */
	lab_say(&l, RPC_SOCK_SERVER, &a, &m);
	check(l.nsent == 3 && e.ends == 1 && e.commits == 0);
	lab_free(&l);
}

static void
test_no_commit(void **state)
{
	struct end e = {.refuse = true}, f = {0};
	struct addr a;
	struct lab l, k;

	(void)state;
	ready_to_commit(&l, &e, &a); /* nobody is good enough */
	lab_turn(&l);
	check(e.ends == 1 && e.n == 1 && e.commits == 0 && l.nsent == 1);
	lab_free(&l);
	ready_to_commit(&k, &f, &a); /* it does not answer any more */
	lab_until(&k, k.now + 4 * LAB_SECOND);
	check(f.ends == 1 && f.commits == 0 && k.nsent == 5);
	lab_free(&k);
}

/* -- ends ------------------------------------------------------------------- */

static void
test_cancel(void **state)
{
	struct addr first = lab_addr(7),
		    more[3] = {lab_addr(1), lab_addr(2), lab_addr(3)};
	struct end e = {.cancel_at = 2}, f = {0};
	struct rpc_query_opts o = opts(&e);
	struct lab l;

	(void)state;
	lab_server(&l);
	o.start = &first;
	o.nstart = 1;
	start(&l, &o, &e);
	say_closer(&l, &l.sent[0], more, 3);
	check(l.nsent == 4 && e.replies == 1);
	say_closer(&l, &l.sent[1], more, 0); /* cancels itself */
	check(e.replies == 2 && l.r->queries == NULL);
	check(l.r->requests.n == 0);
	lab_answer(&l, &l.sent[2]);
	o.ctx = &f;
	start(&l, &o, &f);
	rpc_query_cancel(f.q);
	lab_until(&l, l.now + 10 * LAB_SECOND);
	check(e.ends == 0 && f.ends == 0 && e.replies == 2);
	/* and with the machine */
	start(&l, &o, &f);
	lab_free(&l);
	check(f.ends == 0);
}

static void
test_errors(void **state)
{
	struct addr first = lab_addr(7), other = lab_addr(8);
	static uint8_t big[RPC_PACKET_MAX + 1];
	struct end e = {0};
	struct rpc_query_opts o = opts(&e);
	struct err err = ERR_INIT;
	struct rpc_message m;
	struct buf b;
	struct lab l;

	(void)state;
	lab_server(&l);
	o.start = &first;
	o.nstart = 1;
	o.value = view_of(big, sizeof(big));
	check_code(rpc_query_start(&e.q, l.r, &o, l.now, &err), ERR_LIMIT);
	o.value = view_str("v");
	start(&l, &o, &e);
	check(view_eq(l.sent[0].m.value, view_str("v")));
	/* who says no is not one of the closest, but may know others */
	m = lab_reply_of(&l.sent[0]);
	m.error = RPC_UNKNOWN_COMMAND;
	buf_init(&b, 6);
	rpc_addr_put(&b, &other);
	m.closer = buf_view(&b);
	lab_say(&l, RPC_SOCK_SERVER, &first, &m);
	buf_deinit(&b);
	check(l.nsent == 2 && addr_eq(&l.sent[1].to, &other));
	lab_answer(&l, &l.sent[1]);
	lab_turn(&l);
	check(e.ends == 1 && e.n == 1 && e.answers == 1 && e.replies == 1);
	lab_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_commit),
	    cmocka_unit_test(test_old_token),
	    cmocka_unit_test(test_no_commit),
	    cmocka_unit_test(test_cancel),
	    cmocka_unit_test(test_errors),
	};

	memset(target.b, 0x5a, sizeof(target.b));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
