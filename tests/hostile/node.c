/*
 * Lies to a node of the DHT that seeds: floods of handshakes that are valid,
 * commands that are not, and a node that everybody knows and that answers
 * whatever it likes. The sockets are on 127.0.0.N: hosts are limited, and a
 * flood has many.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "crypto/secret.h"
#include "net/dht/message.h"
#include "node.h"
#include "node_honest.h"

#define HOST_FIRST 10u
#define HOSTS 200u
#define CHECK_US UINT64_C(60000000)
#define LIE_US UINT64_C(6000000)
#define FLOOD_US UINT64_C(10000000)
#define FLOOD 10000u
#define GUESTS 3u /* honest ones that come during the flood */
#define CONNECT_US UINT64_C(2000000)
#define BIG 20000u

struct node_run {
	struct node_target *t;
	int fd[HOSTS];
	struct addr at[HOSTS];
	uint32_t turn;
	uint32_t told; /* datagrams */
	uint64_t begun;
	const char *wrong;
};

struct node_lie {
	const char *name;
	/* Once in a while, until it returns false or time is up. */
	bool (*tell)(struct node_run *r);
	uint32_t least; /* datagrams, else it was not told */
};

/* -- sockets -------------------------------------------------------------- */

static void
to_sockaddr(struct sockaddr_in *out, const struct addr *a)
{
	memset(out, 0, sizeof(*out));
	out->sin_family = AF_INET;
	out->sin_port = htons(a->port);
	memcpy(&out->sin_addr, a->ip, 4);
}

static enum err_code
open_sockets(struct node_run *r, struct err *e)
{
	struct sockaddr_in in;
	socklen_t len;

	for (unsigned i = 0; i < HOSTS; i++)
		r->fd[i] = -1;
	for (unsigned i = 0; i < HOSTS; i++) {
		r->at[i] = (struct addr){
		    .family = 4, .ip = {127, 0, 0, (uint8_t)(HOST_FIRST + i)}};
		to_sockaddr(&in, &r->at[i]);
		len = sizeof(in);
		r->fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (r->fd[i] < 0 ||
		    bind(r->fd[i], (struct sockaddr *)&in, len) != 0 ||
		    getsockname(r->fd[i], (struct sockaddr *)&in, &len) != 0)
			return err_os(e, errno, "socket of a liar");
		r->at[i].port = ntohs(in.sin_port);
	}
	return ERR_OK;
}

static void
close_sockets(struct node_run *r)
{
	for (unsigned i = 0; i < HOSTS; i++)
		if (r->fd[i] >= 0)
			(void)close(r->fd[i]);
}

static void
send_to(struct node_run *r, unsigned host, const struct addr *to, struct view v)
{
	struct sockaddr_in in;

	to_sockaddr(&in, to);
	r->told += sendto(r->fd[host % HOSTS], v.ptr, v.len, 0,
		       (struct sockaddr *)&in, sizeof(in)) > 0;
}

static void
say(struct node_run *r, unsigned host, const struct addr *to,
    const struct rpc_message *m)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	rpc_encode(&b, m);
	if (b.failed == ERR_OK)
		send_to(r, host, to, buf_view(&b));
	buf_deinit(&b);
}

/* -- a flood of handshakes ------------------------------------------------ */

static void
one_handshake(struct node_run *r, uint32_t number)
{
	struct dht_dial_opts o = {
	    .remote = r->t->t.key, .to = r->t->t.at, .udx_id = number + 1};
	struct sign_pair pair = {0};
	struct dht_dial *d = NULL;
	struct view packet;
	struct err e = ERR_INIT;
	struct b32 seed;

	secret_random(&seed, sizeof(seed));
	o.pair = &pair;
	if (sign_pair_seed(&pair, &seed, &e) == ERR_OK &&
	    dht_dial_new(&d, &o, wire_now(), &e) == ERR_OK &&
	    dht_dial_poll(d, wire_now(), &packet))
		send_to(r, number, &o.to, packet);
	dht_dial_free(d);
	sign_pair_free(&pair);
}

static bool
flood(struct node_run *r)
{
	uint64_t age = wire_now() - r->begun;
	uint64_t due = age * FLOOD / FLOOD_US;

	while (r->turn < due && r->turn < FLOOD)
		one_handshake(r, r->turn++);
	return r->turn < FLOOD;
}

/* -- requests ------------------------------------------------------------- */

static bool
bad_commands(struct node_run *r)
{
	uint8_t junk[1200];
	struct rpc_message m = {.to = r->t->t.at};
	uint16_t n;

	for (int i = 0; i < 100; i++, r->turn++) {
		secret_random(junk, sizeof(junk));
		secret_random(&n, sizeof(n));
		m.tid = (uint16_t)r->turn;
		m.internal = r->turn % 3 == 0;
		m.command =
		    r->turn % 40 == 39 ? UINT64_C(1) << 52 : r->turn / 8 % 13;
		m.has_target = (r->turn & 1) != 0;
		m.has_token = (r->turn & 2) != 0;
		m.has_id = (r->turn & 4) != 0;
		memcpy(m.target.b, junk, 32);
		memcpy(m.id.b, junk, 32);
		junk[0] = (uint8_t)r->turn; /* counts, flags, lengths */
		m.value = view_of(junk, n % sizeof(junk));
		say(r, r->turn / 50, &r->t->t.at, &m);
	}
	return r->turn < 20000;
}

/* Handshakes that say they come from relays, servers, or are answers. */
static bool
forged_handshakes(struct node_run *r)
{
	struct rpc_message m = {.to = r->t->t.at,
	    .command = DHT_PEER_HANDSHAKE,
	    .has_target = true};
	struct dht_handshake h;
	uint8_t noise[512];
	struct buf b;

	for (int i = 0; i < 50; i++, r->turn++) {
		secret_random(noise, sizeof(noise));
		h = (struct dht_handshake){.mode = r->turn % 6,
		    .noise = view_of(noise, r->turn % sizeof(noise)),
		    .peer =
			r->turn % 3 ? r->at[r->turn % HOSTS] : r->t->bootstrap,
		    .relay = r->turn % 5 ? r->t->t.at : (struct addr){0}};
		hash_data(&m.target,
		    view_b32(r->turn % 7 ? &r->t->t.key : &r->t->topic));
		m.tid = (uint16_t)(r->turn * 31);
		m.reply = r->turn % 4 == 3;
		buf_init(&b, RPC_PACKET_MAX);
		dht_handshake_encode(&b, &h);
		m.value = buf_view(&b);
		say(r, r->turn / 20, &r->t->t.at, &m);
		buf_deinit(&b);
	}
	return r->turn < 10000;
}

static bool
punches(struct node_run *r)
{
	struct rpc_message m = {.to = r->t->t.at,
	    .command = DHT_PEER_HOLEPUNCH,
	    .has_target = true};
	struct dht_holepunch h;
	uint8_t box[300];
	struct buf b;

	hash_data(&m.target, view_b32(&r->t->t.key));
	for (int i = 0; i < 50; i++, r->turn++) {
		secret_random(box, sizeof(box));
		h = (struct dht_holepunch){.mode = r->turn % 5,
		    .id = r->turn % 300,
		    .payload = view_of(box, r->turn % sizeof(box)),
		    .peer = r->at[r->turn % HOSTS]};
		m.tid = (uint16_t)r->turn;
		buf_init(&b, RPC_PACKET_MAX);
		dht_holepunch_encode(&b, &h);
		m.value = buf_view(&b);
		say(r, r->turn / 20, &r->t->t.at, &m);
		send_to(r, r->turn, &r->t->t.at, view_of(box, 1));
		buf_deinit(&b);
	}
	return r->turn < 10000;
}

/* -- a node that everybody knows ------------------------------------------ */

/* Be in the tables of the seeder and of the nodes: by asking them. */
static void
introduce(struct node_run *r, unsigned host)
{
	struct rpc_message m = {.internal = true,
	    .command = RPC_FIND_NODE,
	    .has_target = true,
	    .has_id = true,
	    .tid = (uint16_t)r->turn};

	rpc_node_id(&m.id, &r->at[host]);
	m.target = r->t->topic;
	m.to = r->t->t.at;
	say(r, host, &m.to, &m);
	m.to = r->t->bootstrap;
	say(r, host, &m.to, &m);
	r->told -= 2; /* that was no lie yet */
}

/* Port 0, the asker itself, us, private and reserved hosts, all again. */
static void
put_closer(
    struct node_run *r, struct buf *b, const struct addr *asker, size_t room)
{
	const struct addr list[] = {*asker, r->t->t.at, r->at[3], r->at[3],
	    {.family = 4, .port = 0, .ip = {127, 0, 0, 1}},
	    {.family = 4, .port = 53, .ip = {10, 0, 0, 1}},
	    {.family = 4, .port = 53, .ip = {192, 168, 1, 1}},
	    {.family = 4, .port = 1, .ip = {0, 0, 0, 0}},
	    {.family = 4, .port = 9, .ip = {255, 255, 255, 255}},
	    {.family = 4, .port = 9, .ip = {224, 0, 0, 1}},
	    {.family = 4, .port = 0, .ip = {8, 8, 8, 8}}};

	for (size_t i = 0; b->len + RPC_ADDR_LEN <= room; i++)
		rpc_addr_put(b, &list[i % (sizeof(list) / sizeof(list[0]))]);
}

/* Whatever was asked: with a right id and tid. */
static void
answer(struct node_run *r, unsigned host, const struct rpc_message *q,
    const struct addr *from, size_t room)
{
	struct rpc_message m = {.reply = true,
	    .tid = q->tid,
	    .to = *from,
	    .has_id = true,
	    .has_token = true};
	struct dht_handshake h = {.mode = DHT_REPLY, .peer = r->at[5]};
	struct buf closer, value;
	uint8_t noise[400];

	buf_init(&closer, 1 << 16);
	buf_init(&value, 1 << 16);
	secret_random(noise, sizeof(noise));
	rpc_node_id(&m.id, &r->at[host]);
	secret_random(&m.token, sizeof(m.token));
	put_closer(r, &closer, from, room);
	m.closer = buf_view(&closer);
	h.noise = view_of(noise, sizeof(noise));
	if (!q->internal && q->command == DHT_PEER_HANDSHAKE)
		dht_handshake_encode(&value, &h);
	else if (!q->internal)
		buf_append(&value, view_of(noise, r->turn % sizeof(noise)));
	m.value = buf_view(&value);
	say(r, host, from, &m);
	buf_deinit(&closer);
	buf_deinit(&value);
}

static bool
answer_all(struct node_run *r, size_t room)
{
	uint8_t d[2048];
	struct rpc_message q;
	struct sockaddr_in in;
	struct addr from;

	for (unsigned host = 0; host < 30; host++) {
		socklen_t len = sizeof(in);
		ssize_t n = recvfrom(
		    r->fd[host], d, sizeof(d), 0, (struct sockaddr *)&in, &len);

		if (r->turn % 200 == host)
			introduce(r, host);
		if (n <= 0 || !rpc_decode(&q, view_of(d, (size_t)n)) || q.reply)
			continue;
		from = (struct addr){.family = 4, .port = ntohs(in.sin_port)};
		memcpy(from.ip, &in.sin_addr, 4);
		answer(r, host, &q, &from, room);
	}
	r->turn++;
	return true;
}

static bool
closer_nodes(struct node_run *r)
{
	return answer_all(r, 240 * RPC_ADDR_LEN / 2);
}

static bool
large_answers(struct node_run *r)
{
	return answer_all(r, BIG);
}

static const struct node_lie lies[] = {
    {"dht: malformed commands", bad_commands, 19000},
    {"dht: forged handshakes and replies", forged_handshakes, 9000},
    {"dht: punches for nobody", punches, 18000},
    {"dht: closer nodes that are none", closer_nodes, 50},
    {"dht: replies of 20 kB", large_answers, 50},
    {"dht: 10,000 handshakes in 10 s", flood, FLOOD},
};

/* -- judging -------------------------------------------------------------- */

static pid_t
start_check(const struct node_run *r, size_t number)
{
	char name[32], check[4096];
	char *argv[] = {check, name, NULL};

	(void)snprintf(name, sizeof(name), "%zu", number);
	(void)snprintf(check, sizeof(check), "%s", r->t->t.check);
	return process_start(argv, NULL);
}

/* Honest ones that come one after the other while it is told: most of them
 * connect at once. */
static void
while_guests_come(struct node_run *r, const struct node_lie *lie)
{
	struct honest *h = NULL;
	unsigned prompt = 0;
	struct err e = ERR_INIT;
	bool more = true;

	for (unsigned i = 0; i < GUESTS; i++) {
		while (wire_now() - r->begun < (i + 1) * FLOOD_US / 4) {
			more = more && lie->tell(r);
			(void)poll(NULL, 0, 1);
		}
		if (honest_open(&h, r->t, i, &e) != ERR_OK) {
			r->wrong = "an honest peer cannot begin";
			return;
		}
		while (honest_waits(h) && wire_now() - r->begun < CHECK_US) {
			more = more && lie->tell(r);
			honest_turn(h);
		}
		prompt += honest_took(h) <= CONNECT_US;
		printf("     an honest peer connects in %u ms\n",
		    (unsigned)(honest_took(h) / 1000));
		honest_close(h);
	}
	if (prompt < 2)
		r->wrong = "honest peers cannot connect in time";
	while (more && wire_now() - r->begun < CHECK_US) {
		more = lie->tell(r);
		(void)poll(NULL, 0, 1);
	}
}

static void
judge(struct node_run *r, const struct node_lie *lie, size_t number)
{
	pid_t check = start_check(r, number);
	bool more = true, done = false;
	int status = 0;
	size_t peak = 0;
	char text[40];

	r->turn = r->told = 0;
	r->wrong = NULL;
	r->begun = wire_now();
	if (lie->tell == flood)
		while_guests_come(r, lie);
	while (!done || (more && wire_now() - r->begun < LIE_US)) {
		more = more && lie->tell(r);
		done = done || process_ended(check, &status, &peak);
		if (!done && wire_now() - r->begun > CHECK_US) {
			(void)kill(check, SIGKILL);
			(void)waitpid(check, &status, 0);
			done = true;
		}
		(void)poll(NULL, 0, 1);
	}
	peak = process_peak(r->t->t.pid);
	if (r->told < lie->least)
		r->wrong = "the lie was not told";
	if (status != 0)
		r->wrong = "an honest peer does not get its data";
	if (peak > SEEDER_MEMORY_MAX)
		r->wrong = "took too much memory";
	if (peak == 0)
		r->wrong = "the seeder is gone";
	(void)snprintf(text, sizeof(text), "%u datagrams", r->told);
	sockets_report(&r->t->t, lie->name, r->wrong, text, peak);
}

enum err_code
node_lies(struct node_target *t, struct err *e)
{
	struct node_run r = {.t = t};
	enum err_code rc = open_sockets(&r, e);

	for (size_t i = 0; rc == ERR_OK && i < sizeof(lies) / sizeof(lies[0]);
	     i++)
		if (t->t.only == NULL ||
		    strstr(lies[i].name, t->t.only) != NULL)
			judge(&r, &lies[i], i);
	close_sockets(&r);
	return rc;
}
