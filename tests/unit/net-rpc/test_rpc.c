/* What a node answers: as the original, to strangers, liars and floods. */
#include "lab.h"

/* -- as the original -------------------------------------------------------- */

static void
same_reply(struct lab *l, const struct lab_packet *p, const json_t *reply)
{
	struct view want = vec_hex_at(reply, "packet");
	struct rpc_message m;

	check(rpc_decode(&m, want));
	check(p->m.reply && p->len == want.len && p->m.tid == m.tid);
	check(addr_eq(&p->m.to, &m.to) && p->sock == RPC_SOCK_SERVER);
	check(p->m.has_id && m.has_id && b32_eq(&p->m.id, &m.id));
	check(p->m.has_token == m.has_token && p->m.error == m.error);
	check(p->m.closer.len == m.closer.len && p->m.value.len == m.value.len);
	for (size_t i = 0; i < m.closer.len / RPC_ADDR_LEN; i++) {
		struct addr a, b;
		bool in = false;

		rpc_addr_at(m.closer, i, &a);
		for (size_t j = 0; j < m.closer.len / RPC_ADDR_LEN; j++) {
			rpc_addr_at(p->m.closer, j, &b);
			in = in || addr_eq(&a, &b);
		}
		check(in && lab_knows(l, &a));
	}
}

static void
live_step(struct lab *l, const json_t *step)
{
	const json_t *replies = vec_at(step, "replies");
	struct addr from = lab_parse("127.0.0.1:46596");
	struct addr other = lab_parse("127.0.0.1:46631");

	l->nsent = 0;
	rpc_recv(
	    l->r, RPC_SOCK_SERVER, vec_hex_at(step, "sent"), &from, l->now);
	lab_until(l, l->now + 79000);
	if (strcmp(vec_str(step, "about"), "delayed_ping 80 ms") == 0)
		check(l->nsent == 0);
	lab_until(l, l->now + 1000);
	if (json_object_get(step, "repliesAtOtherPort") != NULL) {
		check(l->nsent == 1 && addr_eq(&l->sent[0].to, &other));
		return;
	}
	check(l->nsent == json_array_size(replies));
	if (l->nsent == 1)
		same_reply(l, &l->sent[0], json_array_get(replies, 0));
}

/* The steps of a bare socket with node 3 of a testnet; we are that node. */
static void
test_live(void **state)
{
	json_t *doc = vec_load("net/dht-rpc");
	struct addr self = lab_parse("127.0.0.1:49739");
	struct addr near[] = {
	    lab_parse("127.0.0.1:49738"), lab_parse("127.0.0.1:49740")};
	struct rpc_opts o = {.role = RPC_SERVER, .self = &self, .open = true};
	const json_t *step;
	struct lab l;
	size_t i, steps = 0;

	(void)state;
	lab_new(&l, &o);
	lab_turn(&l);
	lab_meet(&l, &near[0]);
	lab_meet(&l, &near[1]);
	json_array_foreach(vec_at(vec_at(doc, "live"), "steps"), i, step)
	{
		/* one is for another node; the last has their token */
		if (i == 1 || i == 10)
			continue;
		live_step(&l, step);
		steps++;
	}
	check(steps == 9);
	lab_free(&l);
	json_decref(doc);
}

/* -- commands --------------------------------------------------------------- */

static void
test_commands(void **state)
{
	static const struct {
		uint64_t command;
		const char *value; /* hex */
		int answers;
	} rows[] = {
	    {RPC_PING, "", 1},
	    {RPC_PING, "0000", 1},
	    {RPC_PING_NAT, "", 0},
	    {RPC_PING_NAT, "01", 0},
	    {RPC_PING_NAT, "0000", 0}, /* port 0 is never contacted */
	    {RPC_PING_NAT, "0100", 1},
	    {RPC_PING_NAT, "0100ffff", 1},
	    {RPC_FIND_NODE, "", 0},
	    {RPC_DOWN_HINT, "", 0},
	    {RPC_DOWN_HINT, "0900000105", 0},
	    {RPC_DOWN_HINT, "090000010500", 1},
	    {RPC_DELAYED_PING, "", 0},
	    {RPC_DELAYED_PING, "010000", 0},
	    {RPC_DELAYED_PING, "00000000", 1},
	    {RPC_DELAYED_PING, "10270000", 1}, /* ten seconds */
	    {RPC_DELAYED_PING, "11270000", 0},
	    {RPC_DELAYED_PING, "ffffffff", 0},
	    {5, "", 1},
	    {0xffffffff, "00", 1},
	};
	struct addr from = lab_addr(1);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rpc_message m = {.internal = true,
		    .command = rows[i].command,
		    .value = vec_hex(rows[i].value)};
		struct lab l;

		lab_server(&l);
		lab_say(&l, RPC_SOCK_CLIENT, &from, &m);
		lab_until(&l, l.now + 10 * LAB_SECOND);
		check(l.nsent == (size_t)rows[i].answers && l.requests == 0);
		/* the id stays with the server socket, and so do tokens */
		check(l.nsent == 0 ||
		      (!l.sent[0].m.has_id && !l.sent[0].m.has_token &&
			  l.sent[0].sock == RPC_SOCK_CLIENT));
		lab_free(&l);
	}
}

/* So many delayed answers, and no more. */
static void
test_delayed(void **state)
{
	struct rpc_message m = {.internal = true,
	    .command = RPC_DELAYED_PING,
	    .value = vec_hex("e8030000")};
	struct lab l;

	(void)state;
	lab_server(&l);
	for (unsigned i = 0; i < 1000; i++) {
		struct addr from = lab_addr(i % 200 + 1);

		lab_say(&l, RPC_SOCK_SERVER, &from, &m);
	}
	lab_until(&l, l.now + LAB_SECOND - 1);
	check(l.nsent == 0);
	lab_until(&l, l.now + 1);
	check(l.nsent == RPC_DELAYED_MAX);
	lab_free(&l);
}

static void
test_tokens(void **state)
{
	struct addr from = lab_addr(1), other = lab_addr(2);
	struct rpc_message m = {.command = 3, .has_target = true};
	struct lab l;

	(void)state;
	lab_server(&l);
	lab_meet(&l, &other);
	l.nsent = 0;
	lab_say(&l, RPC_SOCK_SERVER, &from, &m);
	check(l.requests == 1 && !l.in.proven && l.nsent == 1);
	check(l.sent[0].m.has_token && l.sent[0].m.closer.len == 6);
	m.has_token = true;
	m.token = l.sent[0].m.token;
	lab_say(&l, RPC_SOCK_SERVER, &from, &m);
	check(l.requests == 2 && l.in.proven);
	/* of another host: refused, with one that is right, and more */
	lab_say(&l, RPC_SOCK_SERVER, &other, &m);
	check(l.requests == 2 && l.nsent == 3);
	check(l.sent[2].m.error == RPC_INVALID_TOKEN);
	check(l.sent[2].m.has_token && l.sent[2].m.closer.len == 6);
	m.token = l.sent[2].m.token;
	lab_say(&l, RPC_SOCK_SERVER, &other, &m);
	check(l.requests == 3 && l.in.proven);
	/* internal commands are as strict */
	m.internal = true;
	m.command = RPC_PING;
	m.token.b[0] ^= 1;
	lab_say(&l, RPC_SOCK_SERVER, &other, &m);
	check(l.sent[4].m.error == RPC_INVALID_TOKEN);
	lab_free(&l);
}

static void
test_answer(void **state)
{
	static uint8_t big[RPC_PACKET_MAX];
	struct addr from = lab_addr(1), a;
	struct rpc_message m = {.command = 3, .has_target = true};
	struct lab l;

	(void)state;
	lab_server(&l);
	l.mute = true;
	for (unsigned i = 2; i < 40; i++) {
		a = lab_addr(i);
		lab_meet(&l, &a);
	}
	lab_say(&l, RPC_SOCK_SERVER, &from, &m);
	check(l.requests == 1);
	l.nsent = 0;
	rpc_answer(l.r, &l.in, RPC_OK, VIEW_EMPTY, RPC_NO_TOKEN);
	rpc_answer(l.r, &l.in, RPC_OK, VIEW_EMPTY, RPC_NO_CLOSER);
	rpc_answer(l.r, &l.in, 17, view_str("x"), 0);
	/* what does not fit goes without closer nodes, or not at all */
	rpc_answer(l.r, &l.in, RPC_OK, view_of(big, 1390), 0);
	rpc_answer(l.r, &l.in, RPC_OK, view_of(big, sizeof(big)), 0);
	check(l.nsent == 4);
	check(l.sent[0].m.closer.len == RPC_K * RPC_ADDR_LEN);
	check(!l.sent[0].m.has_token && l.sent[0].m.has_id);
	check(l.sent[1].m.closer.len == 0 && l.sent[1].m.has_token);
	check(l.sent[2].m.error == 17 && l.sent[2].m.value.len == 1);
	check(l.sent[3].m.closer.len == 0 && l.sent[3].m.value.len == 1390);
	lab_free(&l);
}

static void
test_unhandled(void **state)
{
	struct addr from = lab_addr(1);
	struct rpc_message m = {.command = 3};
	struct lab l;

	(void)state;
	lab_server(&l);
	l.r->env.request = NULL;
	lab_say(&l, RPC_SOCK_SERVER, &from, &m);
	check(l.nsent == 1 && l.sent[0].m.error == RPC_UNKNOWN_COMMAND);
	lab_free(&l);
}

static void
test_pass(void **state)
{
	struct addr from = lab_addr(1), to = lab_addr(2);
	struct rpc_message m = {.tid = 77, .command = 0, .has_target = true};
	struct lab l;

	(void)state;
	lab_server(&l);
	m.to = from;
	m.value = view_str("noise");
	rpc_pass(l.r, RPC_SOCK_SERVER, &to, &m);
	rpc_pass(l.r, RPC_SOCK_CLIENT, &to, &m);
	check(l.nsent == 2 && l.sent[0].m.tid == 77 && !l.sent[0].m.reply);
	check(l.sent[0].m.has_id && !l.sent[1].m.has_id);
	check(view_eq(l.sent[0].m.value, view_str("noise")));
	check(addr_eq(&l.sent[0].to, &to) && l.sent[1].sock == RPC_SOCK_CLIENT);
	lab_free(&l);
}

/* -- strangers -------------------------------------------------------------- */

/* Nothing of this is answered, passed on or remembered. */
static void
test_refused(void **state)
{
	static const struct {
		const char *from, *hex;
	} rows[] = {
	    {"9.0.0.1:0", "030401007f0000014bc200"},
	    {"[::1]:1000", "030401007f0000014bc200"},
	    {"9.0.0.1:1000", ""},
	    {"9.0.0.1:1000", "03"},
	    {"9.0.0.1:1000", "030401007f0000014b"},
	    {"9.0.0.1:1000", "040401007f0000014bc200"},
	    {"9.0.0.1:1000", "030c01007f0000014bc20200"},   /* target cut */
	    {"9.0.0.1:1000", "031401007f0000014bc203ff"},   /* value cut */
	    {"9.0.0.1:1000", "030201007f0000014bc2000000"}, /* token cut */
	    {"9.0.0.1:1000", "130001007f0000014bc2"},	    /* to no request */
	    {"9.0.0.1:1000", "130401007f0000014bc2fdffff"},
	};
	struct lab l;

	(void)state;
	lab_server(&l);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr from = lab_parse(rows[i].from);

		rpc_recv(
		    l.r, RPC_SOCK_SERVER, vec_hex(rows[i].hex), &from, l.now);
	}
	lab_until(&l, l.now + LAB_SECOND);
	check(l.nsent == 0 && l.requests == 0 && l.r->routes.n == 0);
	lab_free(&l);
}

/* An id that is not of the address counts as none. */
static void
test_false_id(void **state)
{
	struct addr from = lab_addr(1), other = lab_addr(2);
	struct rpc_message m = {.command = 3, .has_id = true};
	struct lab l;

	(void)state;
	lab_server(&l);
	rpc_node_id(&m.id, &other);
	lab_say(&l, RPC_SOCK_SERVER, &from, &m);
	check(l.requests == 1 && !l.in.m.has_id && l.nsent == 1);
	rpc_node_id(&m.id, &from);
	lab_say(&l, RPC_SOCK_SERVER, &from, &m);
	check(l.requests == 2 && l.in.m.has_id);
	lab_free(&l);
}

/* One host gets so many answers, and all others theirs; a whole network on
 * the loopback has enough. */
static void
test_flood(void **state)
{
	struct addr from = lab_addr(1), other = lab_addr(2);
	struct addr local = lab_parse("127.0.0.1:5000");
	struct rpc_message m = {.internal = true, .command = RPC_PING};
	struct lab l;

	(void)state;
	lab_server(&l);
	for (size_t i = 0; i < 3000; i++) {
		from.port++;
		lab_say(&l, RPC_SOCK_SERVER, &from, &m);
	}
	check(l.nsent == 1000);
	lab_say(&l, RPC_SOCK_SERVER, &other, &m);
	check(l.nsent == 1001);
	for (size_t i = 0; i < 3000; i++)
		lab_say(&l, RPC_SOCK_SERVER, &local, &m);
	check(l.nsent == 4001);
	l.now += LAB_SECOND;
	l.nsent = 0;
	for (size_t i = 0; i < 3000; i++)
		lab_say(&l, RPC_SOCK_SERVER, &from, &m);
	check(l.nsent == 100);
	lab_free(&l);
}

static void
test_opts(void **state)
{
	struct addr boot[RPC_BOOTSTRAP_MAX + 1] = {{0}};
	struct rpc_env env = {0};
	struct rpc_opts o = {
	    .bootstrap = boot, .nbootstrap = RPC_BOOTSTRAP_MAX + 1};
	struct err e = ERR_INIT;
	struct rpc *r = NULL;

	(void)state;
	check_code(rpc_new(&r, &o, &env, 0, &e), ERR_LIMIT);
	check(r == NULL);
	rpc_free(NULL);
}

static void
test_reserved(void **state)
{
	static const struct {
		const char *addr;
		bool reserved;
	} rows[] = {
	    {"0.1.2.3:1", true},
	    {"1.0.0.0:1", false},
	    {"9.255.255.255:1", false},
	    {"10.0.0.0:1", true},
	    {"10.255.255.255:1", true},
	    {"11.0.0.0:1", false},
	    {"100.63.255.255:1", false},
	    {"100.64.0.0:1", true},
	    {"100.127.255.255:1", true},
	    {"100.128.0.0:1", false},
	    {"127.0.0.1:1", true},
	    {"169.254.1.1:1", true},
	    {"172.15.255.255:1", false},
	    {"172.16.0.0:1", true},
	    {"172.31.255.255:1", true},
	    {"172.32.0.0:1", false},
	    {"192.0.0.255:1", true},
	    {"192.0.1.0:1", false},
	    {"192.0.2.1:1", true},
	    {"192.168.255.1:1", true},
	    {"192.169.0.0:1", false},
	    {"198.17.255.255:1", false},
	    {"198.19.255.255:1", true},
	    {"198.51.100.7:1", true},
	    {"203.0.113.9:1", true},
	    {"203.0.114.0:1", false},
	    {"223.255.255.255:1", false},
	    {"224.0.0.1:1", true},
	    {"240.0.0.1:1", true},
	    {"255.255.255.255:1", true},
	    {"[2001:db8::1]:1", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a = lab_parse(rows[i].addr);

		check(rpc_addr_reserved(&a) == rows[i].reserved);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_live),
	    cmocka_unit_test(test_commands),
	    cmocka_unit_test(test_delayed),
	    cmocka_unit_test(test_tokens),
	    cmocka_unit_test(test_answer),
	    cmocka_unit_test(test_unhandled),
	    cmocka_unit_test(test_pass),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_false_id),
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_opts),
	    cmocka_unit_test(test_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
