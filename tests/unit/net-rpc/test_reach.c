/* Bootstrap, own address, firewall, ephemeral or persistent. */
#include "lab.h"

#define SELF "9.9.9.9:49737"
#define CLIENT "9.9.9.9:50000"

/* How the world around the machine is. */
struct world {
	const char *server, *client; /* as which address it is seen */
	bool blocked;	  /* nothing reaches the server socket unasked */
	bool silent;	  /* nobody answers */
	bool no_id;	  /* the bootstrap nodes answer without one */
	size_t vary;	  /* every answer tells another port */
	size_t at;	  /* packets looked at */
	size_t nat_tests; /* PING_NATs */
	unsigned nodes;	  /* lab_addr(1) to lab_addr(nodes) */
};

static void
world_answer(struct world *w, struct lab *l, const struct lab_packet *p)
{
	struct rpc_message m = lab_reply_of(p);
	bool test = p->m.internal && p->m.command == RPC_PING_NAT;
	uint32_t sock = test ? RPC_SOCK_SERVER : p->sock;
	struct buf b;

	w->nat_tests += test;
	if (w->silent || (test && w->blocked))
		return;
	check(!test ||
	      (p->m.value.len == 2 &&
		  p->m.value.ptr[0] + 256 * p->m.value.ptr[1] == LAB_PORT));
	m.to = lab_parse(sock == RPC_SOCK_SERVER ? w->server : w->client);
	if (w->vary > 0)
		m.to.port = (uint16_t)(m.to.port + w->vary++);
	m.has_id = !w->no_id;
	buf_init(&b, RPC_PACKET_MAX);
	for (unsigned i = 1; i <= w->nodes && i <= RPC_K && !test; i++) {
		struct addr a = lab_addr(i);

		rpc_addr_put(&b, &a);
	}
	m.closer = buf_view(&b);
	lab_say(l, sock, &p->to, &m);
	buf_deinit(&b);
}

static void
world_run(struct world *w, struct lab *l, uint64_t how_long)
{
	uint64_t until = l->now + how_long;

	while (l->now < until) {
		lab_until(l, l->now + LAB_SECOND / 4);
		for (; w->at < l->nsent; w->at++)
			if (!l->sent[w->at].m.reply)
				world_answer(w, l, &l->sent[w->at]);
		if (l->nsent > LAB_SENT_MAX / 2)
			l->nsent = w->at = 0;
	}
}

static struct rpc_about
about(const struct lab *l)
{
	struct rpc_about a;

	rpc_about(l->r, &a);
	return a;
}

static void
start(struct lab *l, enum rpc_role role)
{
	static struct addr boot;
	struct rpc_opts o = {.role = role, .bootstrap = &boot, .nbootstrap = 1};

	boot = lab_addr(1);
	lab_new(l, &o);
	check(!about(l).ready);
}

static struct world
open_world(void)
{
	return (struct world){.server = SELF, .client = CLIENT, .nodes = 8};
}

static bool
is_self(const struct lab *l, const char *want)
{
	struct addr a = lab_parse(want), got = about(l).self;

	return addr_eq(&a, &got);
}

/* What becomes of each role in each world, half a minute later. */
static void
test_start(void **state)
{
	static const struct {
		enum rpc_role role;
		struct world world;
		bool firewalled, persistent;
		const char *self;
	} rows[] = {
	    {RPC_SERVER, {SELF, CLIENT, .nodes = 8}, false, true, SELF},
	    {RPC_SERVER, {SELF, CLIENT, .nodes = 1}, false, true, SELF},
	    {RPC_SERVER, {SELF, CLIENT, .nodes = 1, .no_id = true}, false, true,
		SELF},
	    {RPC_SERVER, {SELF, CLIENT, .nodes = 8, .blocked = true}, true,
		false, CLIENT},
	    /* the server socket is seen at another host, another port, or at
	     * one that changes */
	    {RPC_SERVER, {"9.9.9.8:49737", CLIENT, .nodes = 8}, true, false,
		CLIENT},
	    {RPC_SERVER, {"9.9.9.9:1", CLIENT, .nodes = 8}, true, false,
		CLIENT},
	    {RPC_SERVER, {SELF, CLIENT, .nodes = 8, .vary = 1}, true, false,
		"9.9.9.9:0"},
	    {RPC_ADAPTIVE, {SELF, CLIENT, .nodes = 8}, false, false, SELF},
	    {RPC_ADAPTIVE, {SELF, CLIENT, .nodes = 8, .blocked = true}, true,
		false, CLIENT},
	    {RPC_CLIENT_ONLY, {SELF, CLIENT, .nodes = 8}, false, false, SELF},
	    {RPC_CLIENT_ONLY, {SELF, CLIENT, .nodes = 8, .blocked = true}, true,
		false, CLIENT},
	    {RPC_SERVER, {SELF, CLIENT, .nodes = 8, .silent = true}, true,
		false, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = rows[i].world;
		struct rpc_about a;
		struct lab l;

		start(&l, rows[i].role);
		world_run(&w, &l, 30 * LAB_SECOND);
		a = about(&l);
		check(a.ready && lab_events(&l, RPC_READY) == 1);
		check(a.firewalled == rows[i].firewalled);
		check(a.persistent == rows[i].persistent);
		check(lab_events(&l, RPC_PERSISTENT) == a.persistent);
		check(rows[i].self != NULL ? is_self(&l, rows[i].self)
					   : a.self.family == 0);
		check(rpc_sock(l.r) ==
		      (a.firewalled ? RPC_SOCK_CLIENT : RPC_SOCK_SERVER));
		lab_free(&l);
	}
}

/* Persistent: the id is that of the address, and the table is kept by it. */
static void
test_id(void **state)
{
	struct world w = open_world();
	struct addr self = lab_parse(SELF);
	struct rpc_about a;
	struct b32 id;
	struct lab l;

	(void)state;
	start(&l, RPC_SERVER);
	world_run(&w, &l, 30 * LAB_SECOND);
	a = about(&l);
	rpc_node_id(&id, &self);
	check(a.persistent && b32_eq(&a.id, &id) && a.nodes == 8);
	check(b32_eq(&l.r->routes.id, &id));
	l.nsent = w.at = 0;
	lab_meet(&l, &(struct addr){4, 1000, {9, 0, 0, 3}});
	check(l.sent[0].m.has_id && b32_eq(&l.sent[0].m.id, &id));
	lab_free(&l);
}

/* Two of five answers are not enough. */
static void
test_quorum(void **state)
{
	struct world w = open_world();
	struct lab l;
	size_t tests = 0;

	(void)state;
	start(&l, RPC_SERVER);
	for (size_t i = 0; i < 200; i++) {
		lab_until(&l, l.now + LAB_SECOND / 10);
		for (; w.at < l.nsent; w.at++) {
			w.blocked = tests >= 2;
			world_answer(&w, &l, &l.sent[w.at]);
			tests += l.sent[w.at].m.command == RPC_PING_NAT;
		}
	}
	check(tests >= 5 && about(&l).ready && !about(&l).persistent);
	check(about(&l).firewalled);
	lab_free(&l);
}

/* The answer came, but back to the socket that asked: that proves nothing. */
static void
test_wrong_socket(void **state)
{
	struct world w = open_world();
	struct lab l;

	(void)state;
	start(&l, RPC_SERVER);
	for (size_t i = 0; i < 200; i++) {
		lab_until(&l, l.now + LAB_SECOND / 10);
		for (; w.at < l.nsent; w.at++) {
			struct lab_packet *p = &l.sent[w.at];

			if (p->m.command == RPC_PING_NAT)
				lab_answer(&l, p);
			else
				world_answer(&w, &l, p);
		}
	}
	check(about(&l).ready && !about(&l).persistent);
	check(about(&l).firewalled);
	lab_free(&l);
}

/* The first answer to the server socket comes when the query is over. */
static void
test_late(void **state)
{
	struct world w = open_world();
	size_t quick = SIZE_MAX;
	struct lab l;

	(void)state;
	start(&l, RPC_ADAPTIVE);
	for (size_t i = 0; i < 20 && !about(&l).ready; i++) {
		lab_turn(&l);
		for (; w.at < l.nsent; w.at++)
			if (l.sent[w.at].m.command != RPC_PING_NAT)
				world_answer(&w, &l, &l.sent[w.at]);
			else
				quick = w.at;
	}
	check(quick != SIZE_MAX && about(&l).ready && about(&l).firewalled);
	world_answer(&w, &l, &l.sent[quick]);
	world_run(&w, &l, LAB_SECOND);
	check(w.nat_tests == 6 && !about(&l).firewalled && is_self(&l, SELF));
	check(lab_events(&l, RPC_READY) == 1);
	lab_free(&l);
}

/* A node that was told its address needs nobody. */
static void
test_told(void **state)
{
	struct addr self = lab_parse(SELF);
	struct rpc_opts o = {.role = RPC_SERVER, .self = &self, .open = true};
	struct world w = {
	    .server = "8.8.8.8:8", .client = "8.8.8.8:9", .nodes = 8};
	struct lab l;

	(void)state;
	lab_new(&l, &o);
	check(!about(&l).persistent);
	lab_turn(&l);
	check(about(&l).persistent && about(&l).ready && l.nsent == 0);
	check(is_self(&l, SELF));
	/* whatever others say */
	for (unsigned i = 1; i < 20; i++) {
		struct addr a = lab_addr(i);

		lab_meet(&l, &a);
	}
	world_run(&w, &l, 200 * LAB_SECOND);
	check(is_self(&l, SELF) && about(&l).persistent);
	check(lab_events(&l, RPC_EPHEMERAL) == 0 && w.nat_tests == 0);
	check(lab_events(&l, RPC_ADDRESS) == 0);
	lab_free(&l);
}

/* The same, but it has to be reachable there. */
static void
test_told_closed(void **state)
{
	struct addr self = lab_parse(SELF), boot = lab_addr(1);
	struct rpc_opts o = {.role = RPC_SERVER,
	    .self = &self,
	    .bootstrap = &boot,
	    .nbootstrap = 1};
	struct world w = open_world(), blocked = open_world();
	struct lab l, k;

	(void)state;
	lab_new(&l, &o);
	world_run(&w, &l, 20 * LAB_SECOND);
	check(about(&l).persistent && w.nat_tests > 0);
	lab_free(&l);
	blocked.blocked = true;
	lab_new(&k, &o);
	world_run(&blocked, &k, 20 * LAB_SECOND);
	check(!about(&k).persistent && about(&k).firewalled);
	lab_free(&k);
}

/* The first node of a network learns its address from the second. */
static void
test_first(void **state)
{
	struct rpc_opts o = {.role = RPC_SERVER, .open = true};
	struct addr a = lab_addr(1);
	struct lab l;

	(void)state;
	lab_new(&l, &o);
	lab_until(&l, l.now + LAB_SECOND);
	check(about(&l).ready && !about(&l).persistent);
	lab_meet(&l, &a);
	check(is_self(&l, SELF));
	lab_until(&l, l.now + 2 * LAB_TICK);
	check(about(&l).persistent);
	lab_free(&l);
}

/* Twenty minutes without change, then persistent; a client never. */
static void
test_adaptive(void **state)
{
	static const enum rpc_role roles[] = {RPC_ADAPTIVE, RPC_CLIENT_ONLY};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world w = open_world();
		struct lab l;

		start(&l, roles[i]);
		world_run(&w, &l, 1150 * LAB_SECOND);
		check(!about(&l).persistent && !about(&l).firewalled);
		world_run(&w, &l, 100 * LAB_SECOND);
		check(about(&l).persistent == (i == 0));
		lab_free(&l);
	}
}

/* Blocked at first: tested after twenty minutes, and not again while the host
 * is the same. */
static void
test_adaptive_blocked(void **state)
{
	struct world w = open_world();
	struct lab l;
	size_t tests;

	(void)state;
	w.blocked = true;
	start(&l, RPC_ADAPTIVE);
	world_run(&w, &l, 100 * LAB_SECOND);
	tests = w.nat_tests;
	check(tests == RPC_SENDS); /* the one of the bootstrap */
	world_run(&w, &l, 1200 * LAB_SECOND);
	check(w.nat_tests > tests && !about(&l).persistent);
	tests = w.nat_tests;
	w.blocked = false;
	world_run(&w, &l, 4000 * LAB_SECOND);
	check(w.nat_tests == tests && !about(&l).persistent);
	/* after a sleep it may be another network */
	l.now += 3600 * LAB_SECOND;
	world_run(&w, &l, 3700 * LAB_SECOND);
	check(w.nat_tests > tests && about(&l).persistent);
	lab_free(&l);
}

/* A server that could not be reached tries again every minute. */
static void
test_server_again(void **state)
{
	struct world w = open_world();
	struct lab l;

	(void)state;
	w.blocked = true;
	start(&l, RPC_SERVER);
	world_run(&w, &l, 30 * LAB_SECOND);
	check(!about(&l).persistent);
	w.blocked = false;
	world_run(&w, &l, 70 * LAB_SECOND);
	check(about(&l).persistent && !about(&l).firewalled);
	lab_free(&l);
}

static void
test_sleep(void **state)
{
	struct world w = open_world();
	struct lab l, k;

	(void)state;
	start(&l, RPC_ADAPTIVE);
	world_run(&w, &l, 1300 * LAB_SECOND);
	check(about(&l).persistent);
	l.now += 100 * LAB_SECOND;
	world_run(&w, &l, LAB_SECOND);
	check(!about(&l).persistent && lab_events(&l, RPC_WAKEUP) == 1);
	check(lab_events(&l, RPC_EPHEMERAL) == 1);
	lab_free(&l);
	w = open_world();
	start(&k, RPC_SERVER); /* who wants to serve goes on */
	world_run(&w, &k, 60 * LAB_SECOND);
	k.now += 100 * LAB_SECOND;
	world_run(&w, &k, LAB_SECOND);
	check(about(&k).persistent && lab_events(&k, RPC_WAKEUP) == 1);
	lab_free(&k);
}

static void
test_renew(void **state)
{
	struct world w = open_world();
	struct lab l;

	(void)state;
	start(&l, RPC_SERVER);
	world_run(&w, &l, 60 * LAB_SECOND);
	check(about(&l).persistent && is_self(&l, SELF));
	w.server = "7.7.7.7:49737";
	w.client = "7.7.7.7:50000";
	rpc_renew(l.r, l.now);
	check(!about(&l).persistent && about(&l).firewalled);
	check(about(&l).self.family == 0 && about(&l).ready);
	world_run(&w, &l, 60 * LAB_SECOND);
	check(about(&l).persistent && is_self(&l, "7.7.7.7:49737"));
	check(lab_events(&l, RPC_READY) == 1);
	check(lab_events(&l, RPC_PERSISTENT) == 2);
	/* a fixed address does not move, and a start is not disturbed */
	lab_free(&l);
	w = open_world();
	start(&l, RPC_SERVER);
	lab_turn(&l);
	rpc_renew(l.r, l.now);
	world_run(&w, &l, 60 * LAB_SECOND);
	check(about(&l).persistent && lab_events(&l, RPC_READY) == 1);
	lab_free(&l);
}

/* There was no network when it began, or when it was told of a new one while
 * the bootstrap went on: the quick test of the firewall is made up for. */
static void
test_offline(void **state)
{
	(void)state;
	for (int renewed = 0; renewed < 2; renewed++) {
		struct world w = open_world();
		struct lab l;

		w.silent = renewed == 0;
		start(&l, RPC_ADAPTIVE);
		world_run(&w, &l, 60 * LAB_SECOND);
		check(about(&l).ready && about(&l).firewalled == w.silent);
		if (renewed == 1) {
			w.blocked = true;
			rpc_renew(l.r, l.now);
			world_run(&w, &l, LAB_SECOND / 4);
			w.silent = true;
			check(l.r->reach.boot == BOOT_FIRST);
			rpc_renew(l.r, l.now);
			world_run(&w, &l, 20 * LAB_SECOND);
			check(l.r->reach.boot == BOOT_DONE);
		}
		w.silent = w.blocked = false;
		world_run(&w, &l, 60 * LAB_SECOND);
		check(!about(&l).firewalled && is_self(&l, SELF));
		check(lab_events(&l, RPC_READY) == 1);
		lab_free(&l);
	}
}

/* Twenty nodes more, who say what they see. */
static void
meet_more(struct lab *l)
{
	for (unsigned i = 100; i < 120; i++) {
		struct rpc_ask ask = {
		    .to = lab_addr(i), .sock = UINT32_MAX, .internal = true};
		struct err e = ERR_INIT;
		uint64_t number;

		check_ok(rpc_request(l->r, &ask, l->now, &number, &e), &e);
	}
}

/* Most of those it hears of say that it is somewhere else now. */
static void
test_moved(void **state)
{
	struct world w = open_world();
	struct lab l;

	(void)state;
	start(&l, RPC_SERVER);
	world_run(&w, &l, 60 * LAB_SECOND);
	check(about(&l).persistent);
	w.server = "7.7.7.7:49737";
	w.client = "7.7.7.7:50000";
	meet_more(&l);
	world_run(&w, &l, 6 * LAB_SECOND);
	check(lab_events(&l, RPC_EPHEMERAL) == 1);
	world_run(&w, &l, 120 * LAB_SECOND);
	check(about(&l).persistent && is_self(&l, "7.7.7.7:49737"));
	lab_free(&l);
}

/* The same of a client: its firewall is another one. */
static void
test_client_moved(void **state)
{
	struct world w = open_world();
	struct lab l;

	(void)state;
	start(&l, RPC_CLIENT_ONLY);
	world_run(&w, &l, 60 * LAB_SECOND);
	check(!about(&l).firewalled);
	w = (struct world){.server = "7.7.7.7:49737",
	    .client = "7.7.7.7:50000",
	    .nodes = 8,
	    .blocked = true,
	    .at = w.at};
	meet_more(&l);
	world_run(&w, &l, 60 * LAB_SECOND);
	check(about(&l).firewalled && w.nat_tests > 0);
	check(about(&l).self.ip[0] == 7 && lab_events(&l, RPC_READY) == 1);
	lab_free(&l);
}

/* One liar is not believed once there are others, nor can he repeat it. */
static void
test_liar(void **state)
{
	struct world w = open_world();
	struct addr a = lab_addr(200);
	struct lab l;

	(void)state;
	start(&l, RPC_ADAPTIVE);
	w.blocked = true;
	world_run(&w, &l, 30 * LAB_SECOND);
	for (size_t i = 0; i < 50; i++) {
		struct rpc_ask ask = {
		    .to = a, .sock = UINT32_MAX, .internal = true};
		struct err e = ERR_INIT;
		struct rpc_message m;
		uint64_t number;

		check_ok(rpc_request(l.r, &ask, l.now, &number, &e), &e);
		m = lab_reply_of(&l.sent[l.nsent - 1]);
		m.to = lab_parse("6.6.6.6:6");
		m.has_id = i % 2 == 0;
		lab_say(&l, l.sent[l.nsent - 1].sock, &a, &m);
	}
	check(is_self(&l, CLIENT));
	lab_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_start),
	    cmocka_unit_test(test_id),
	    cmocka_unit_test(test_quorum),
	    cmocka_unit_test(test_wrong_socket),
	    cmocka_unit_test(test_late),
	    cmocka_unit_test(test_told),
	    cmocka_unit_test(test_told_closed),
	    cmocka_unit_test(test_first),
	    cmocka_unit_test(test_adaptive),
	    cmocka_unit_test(test_adaptive_blocked),
	    cmocka_unit_test(test_server_again),
	    cmocka_unit_test(test_sleep),
	    cmocka_unit_test(test_renew),
	    cmocka_unit_test(test_offline),
	    cmocka_unit_test(test_moved),
	    cmocka_unit_test(test_client_moved),
	    cmocka_unit_test(test_liar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
