/* Lookups: whom they ask, whom they believe, and when they end. */
#include "look.h"

/* -- a network of nodes that all answer ------------------------------------- */

struct net {
	size_t n;	 /* nodes are lab_addr(1) to lab_addr(n) */
	bool dead[2000]; /* say nothing */
	bool shy[2000];	 /* answer without an id */
	size_t asked, double_asked, stored;
	bool was[2000];
};

static size_t
number_of(const struct addr *a)
{
	return (size_t)a->ip[2] << 8 | a->ip[3];
}

/* The 20 of the network next to the target. */
static size_t
nearest(const struct net *w, struct addr out[static RPC_K])
{
	struct b32 id, best[RPC_K];
	size_t n = 0;

	for (size_t i = 1; i <= w->n; i++) {
		struct addr a = lab_addr((unsigned)i);
		size_t at = n;

		rpc_node_id(&id, &a);
		if (n == RPC_K && routes_cmp(&target, &id, &best[n - 1]) > 0)
			continue;
		at -= n == RPC_K;
		n += n < RPC_K;
		for (; at > 0 && routes_cmp(&target, &id, &best[at - 1]) < 0;
		     at--) {
			best[at] = best[at - 1];
			out[at] = out[at - 1];
		}
		best[at] = id;
		out[at] = a;
	}
	return n;
}

/* Nodes say what their neighbours are: some at random, and, of the nearest
 * hundred, those next to the target. */
static void
net_answer(struct lab *l, struct net *w, const struct lab_packet *p)
{
	size_t i = number_of(&p->to);
	struct rpc_message m = lab_reply_of(p);
	struct addr closer[RPC_K];
	struct buf b;

	if (p->m.reply || w->dead[i])
		return;
	if (p->m.has_token) {
		w->stored++;
		lab_answer(l, p);
		return;
	}
	w->double_asked += w->was[i] && p->m.command == FIND;
	w->was[i] = true;
	w->asked++;
	if (!w->shy[i]) {
		say_closer(l, p, closer, nearest(w, closer));
		return;
	}
	buf_init(&b, RPC_PACKET_MAX);
	m.has_id = false;
	for (size_t k = 0; k < nearest(w, closer); k++)
		rpc_addr_put(&b, &closer[k]);
	m.closer = buf_view(&b);
	lab_say(l, p->sock, &p->to, &m);
	buf_deinit(&b);
}

static void
net_run(struct lab *l, struct net *w, struct end *e)
{
	size_t at = 0;

	for (size_t i = 0; i < 200 && e->ends == 0; i++) {
		while (at < l->nsent)
			net_answer(l, w, &l->sent[at++]);
		l->now += 100000;
		lab_turn(l);
	}
}

static void
test_nearest(void **state)
{
	static struct net w;
	struct addr near[RPC_K], first = lab_addr(7);
	struct end e = {0};
	struct rpc_query_opts o = opts(&e);
	struct lab l;

	(void)state;
	w = (struct net){.n = 1000};
	lab_server(&l);
	o.start = &first;
	o.nstart = 1;
	start(&l, &o, &e);
	net_run(&l, &w, &e);
	check(e.ends == 1 && e.n == RPC_K && e.answers == e.replies);
	check(nearest(&w, near) == RPC_K && w.double_asked == 0);
	for (size_t i = 0; i < RPC_K; i++)
		check(addr_eq(&e.closest[i].addr, &near[i]));
	check(w.asked <= 22 && l.r->requests.n == 0);
	check(
	    e.closest[3].has_token && e.closest[3].token.b[0] == near[3].ip[3]);
	lab_free(&l);
}

/* Silent nodes, and nodes without an id, do not end it, nor take part. */
static void
test_faults(void **state)
{
	static struct net w;
	struct addr near[RPC_K], first = lab_addr(7);
	struct end e = {0};
	struct rpc_query_opts o = opts(&e);
	struct lab l;
	size_t hints = 0;

	(void)state;
	w = (struct net){.n = 1000};
	(void)nearest(&w, near);
	for (size_t i = 0; i < 5; i++)
		w.dead[number_of(&near[i])] = true;
	for (size_t i = 5; i < 8; i++)
		w.shy[number_of(&near[i])] = true;
	lab_server(&l);
	o.start = &first;
	o.nstart = 1;
	o.commit = commit;
	start(&l, &o, &e);
	net_run(&l, &w, &e);
	check(e.ends == 1 && e.n == 13 && e.commits == 13 && w.stored == 13);
	for (size_t i = 0; i < e.n - 1; i++)
		check(number_of(&e.closest[i].addr) != number_of(&near[i % 8]));
	/* who named the silent ones hears of it */
	for (size_t i = 0; i < l.nsent; i++)
		hints += l.sent[i].m.internal &&
			 l.sent[i].m.command == RPC_DOWN_HINT;
	check(hints >= 5 && hints <= 60);
	lab_free(&l);
}

/* The first sending of everything is lost. */
static void
test_lossy(void **state)
{
	static struct net w;
	struct addr first = lab_addr(7);
	struct end e = {0};
	struct rpc_query_opts o = opts(&e);
	struct lab l;
	size_t at = 0;

	(void)state;
	w = (struct net){.n = 300};
	lab_server(&l);
	o.start = &first;
	o.nstart = 1;
	start(&l, &o, &e);
	for (size_t i = 0; i < 300 && e.ends == 0; i++) {
		for (; at < l.nsent; at++) {
			bool repeated = false;

			for (size_t k = 0; k < at; k++)
				repeated = repeated ||
					   l.sent[k].m.tid == l.sent[at].m.tid;
			if (repeated)
				net_answer(&l, &w, &l.sent[at]);
		}
		l.now += 100000;
		lab_turn(&l);
	}
	check(e.ends == 1 && e.n == RPC_K);
	lab_free(&l);
}

/* -- whom it believes (W13) ------------------------------------------------- */

static void
test_believed(void **state)
{
	static const struct {
		const char *told;
		bool by_public, by_private, by_loopback;
	} rows[] = {
	    {"8.8.8.8:1000", true, true, true},
	    {"8.8.8.8:0", false, false, false},
	    {"10.0.0.7:1000", false, true, true},
	    {"192.168.0.1:53", false, true, true},
	    {"169.254.1.1:80", false, true, true},
	    {"127.0.0.1:22", false, false, true},
	    {"127.9.9.9:1000", false, false, true},
	    {"0.0.0.0:1000", false, false, false},
	    {"0.1.2.3:1000", false, false, false},
	    {"224.0.0.1:1000", false, false, false},
	    {"255.255.255.255:1000", false, false, false},
	    {"9.9.9.9:49737", false, false, false}, /* ourselves */
	};
	static const char *const by[] = {
	    "8.0.0.1:1000", "10.0.0.1:1000", "127.0.0.1:1000"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t k = 0; k < 3; k++) {
			const bool want[] = {rows[i].by_public,
			    rows[i].by_private, rows[i].by_loopback};
			struct addr first = lab_parse(by[k]);
			struct addr told[] = {lab_parse(rows[i].told), first,
			    lab_parse(rows[i].told)};
			struct end e = {0};
			struct rpc_query_opts o = opts(&e);
			struct lab l;

			lab_server(&l);
			o.start = &first;
			o.nstart = 1;
			start(&l, &o, &e);
			check(l.nsent == 1);
			say_closer(&l, &l.sent[0], told, 3);
			check(l.nsent == 1 + (size_t)want[k]);
			lab_free(&l);
		}
}

/* One answer names 200 nodes, the next one as many others: twenty of each
 * are heard, and the whole has an end. */
static void
test_babbler(void **state)
{
	struct addr many[200], first = lab_addr(7);
	struct end e = {0};
	struct rpc_query_opts o = opts(&e);
	struct lab l;
	size_t at = 0;
	unsigned next = 1000;

	(void)state;
	lab_server(&l);
	o.start = &first;
	o.nstart = 1;
	start(&l, &o, &e);
	for (size_t i = 0; i < 2000 && e.ends == 0; i++) {
		while (at < l.nsent && e.ends == 0) {
			struct lab_packet *p = &l.sent[at++];
			struct rpc_message m = lab_reply_of(p);
			struct buf b;

			if (p->m.command != FIND || p->m.internal)
				continue;
			buf_init(&b, RPC_PACKET_MAX);
			for (size_t k = 0; k < 200; k++) {
				many[k] = lab_addr(next++);
				rpc_addr_put(&b, &many[k]);
			}
			m.closer = buf_view(&b);
			m.has_id = false; /* nothing is ever closer */
			lab_say(&l, p->sock, &p->to, &m);
			buf_deinit(&b);
		}
		l.now += 50000;
		lab_turn(&l);
	}
	check(e.ends == 1 && e.answers == 512 && e.n == 0);
	lab_free(&l);
}

/* -- sources ---------------------------------------------------------------- */

static void
test_nobody(void **state)
{
	struct end e = {0};
	struct rpc_query_opts o = opts(&e);
	struct lab l;

	(void)state;
	lab_server(&l);
	o.commit = commit;
	start(&l, &o, &e);
	check(l.nsent == 0);
	lab_turn(&l);
	check(e.ends == 1 && e.n == 0 && e.answers == 0 && e.asked == 0);
	check(l.r->queries == NULL);
	lab_free(&l);
}

static void
done_again(void *ctx, const struct rpc_node *closest, size_t n, size_t answers,
    size_t commits, uint64_t now)
{
	struct end *e = ctx;
	struct rpc_query_opts o = opts(e);

	o.done = done_again;
	done(ctx, closest, n, answers, commits, now);
	if (e->ends < 100)
		check(rpc_query_start(&e->q, e->l->r, &o, now,
			  &(struct err)ERR_INIT) == ERR_OK);
}

/* Who starts another one at its end does not keep the machine in a turn. */
static void
test_nobody_again(void **state)
{
	struct end e = {0};
	struct rpc_query_opts o = opts(&e);
	struct lab l;

	(void)state;
	lab_server(&l);
	o.done = done_again;
	start(&l, &o, &e);
	for (size_t i = 1; i <= 3; i++) {
		lab_turn(&l);
		check(e.ends == i && l.due == l.now);
	}
	lab_free(&l);
}

/* A cache of old nodes, of which nobody lives: then the table, and when that
 * is old too, the bootstrap nodes. */
static void
test_fallback(void **state)
{
	struct addr boot = lab_parse("7.7.7.7:7"), old[RPC_K], in_table;
	struct addr self = lab_parse("9.9.9.9:49737");
	struct rpc_opts ro = {.role = RPC_SERVER,
	    .self = &self,
	    .open = true,
	    .bootstrap = &boot,
	    .nbootstrap = 1};
	struct end e = {0};
	struct rpc_query_opts o = opts(&e);
	struct lab l;

	(void)state;
	lab_new(&l, &ro);
	lab_until(&l, l.now + 7 * LAB_SECOND);
	check(l.r->reach.boot == BOOT_DONE);
	in_table = lab_addr(999);
	lab_meet(&l, &in_table);
	for (unsigned i = 0; i < RPC_K; i++)
		old[i] = lab_addr(i + 1);
	o.start = old;
	o.nstart = RPC_K;
	l.nsent = 0;
	start(&l, &o, &e);
	check(l.nsent == 3); /* carefully at first */
	check(lab_find(&l, &in_table) == NULL);
	for (size_t i = 0; i < 60 && lab_find(&l, &boot) == NULL; i++)
		lab_until(&l, l.now + LAB_SECOND);
	check(lab_find(&l, &in_table) != NULL && e.ends == 0);
	lab_until(&l, l.now + 10 * LAB_SECOND);
	check(e.ends == 1 && e.answers == 0);
	lab_free(&l);
}

static void
test_table(void **state)
{
	struct end e = {0};
	struct rpc_query_opts o = opts(&e);
	struct addr a;
	struct lab l;

	(void)state;
	lab_server(&l);
	for (unsigned i = 1; i <= 60; i++) {
		a = lab_addr(i);
		lab_meet(&l, &a);
	}
	l.nsent = 0;
	start(&l, &o, &e);
	check(l.nsent == 10); /* at once */
	for (size_t i = 0; i < 10; i++)
		check(!l.sent[i].m.internal && l.sent[i].m.has_target &&
		      b32_eq(&l.sent[i].m.target, &target));
	o.background = true;
	o.internal = true;
	o.command = RPC_FIND_NODE;
	l.nsent = 0;
	start(&l, &o, &e);
	check(l.nsent == 2 && l.sent[0].m.internal);
	lab_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nearest),
	    cmocka_unit_test(test_faults),
	    cmocka_unit_test(test_lossy),
	    cmocka_unit_test(test_believed),
	    cmocka_unit_test(test_babbler),
	    cmocka_unit_test(test_nobody),
	    cmocka_unit_test(test_nobody_again),
	    cmocka_unit_test(test_fallback),
	    cmocka_unit_test(test_table),
	};

	memset(target.b, 0x5a, sizeof(target.b));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
