/*
 * net_dht_ask PORT lookup TOPIC
 * net_dht_ask PORT announce|reannounce|unannounce TOPIC SEED [HOST:PORT...]
 * net_dht_ask PORT find KEY
 * net_dht_ask PORT put VALUE | get HASH
 * net_dht_ask PORT put-mutable SEED SEQ VALUE | get-mutable KEY SEQ
 *
 * One question of a client to the DHT on the loopback, whose bootstrap node
 * is at PORT. Keys, topics and hashes are 64 hex digits, SEED is a number.
 * Prints a line for each answer, and "done N" with the number of nodes that
 * stored something. Ends with 1 if there was no end within 20 s.
 */
#include <poll.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "net/dht/dht.h"
#include "tests/interop/plain.h"

#define DEADLINE_US 20000000u

static struct {
	struct dht *d;
	int fd[2];
	bool done;
} node;

/* -- the node ------------------------------------------------------------- */

static void
on_send(void *ctx, uint32_t sock, const struct addr *to, struct view v,
    unsigned ttl)
{
	(void)ctx;
	(void)ttl;
	plain_send(node.fd[sock], to, v);
}

static void
open_node(const char *port)
{
	const struct dht_env env = {.send = on_send};
	const struct addr bootstrap =
	    plain_addr((uint16_t)strtoul(port, NULL, 10));
	struct dht_opts o = {.rpc = {.role = RPC_CLIENT_ONLY,
				 .bootstrap = &bootstrap,
				 .nbootstrap = 1}};
	struct err e = ERR_INIT;

	for (int i = 0; i < 2; i++)
		node.fd[i] = plain_socket(0);
	o.rpc.port = plain_port(node.fd[RPC_SOCK_SERVER]);
	if (dht_new(&node.d, &o, &env, now(), &e) != ERR_OK)
		die("node", e.msg);
}

static void
receive(uint32_t sock)
{
	uint8_t data[2048];
	struct addr from;
	struct view v;

	if (plain_recv(node.fd[sock], data, sizeof(data), &v, &from))
		dht_recv(node.d, sock, v, &from, now());
}

/* Until ready, or done. */
static void
run(bool (*enough)(void))
{
	uint64_t end = now() + DEADLINE_US, due, t;
	struct pollfd p[2];

	while ((due = dht_turn(node.d, now())), !enough()) {
		if ((t = now()) >= end)
			die("run", "no end within 20 s");
		due = due < end ? due : end;
		for (int i = 0; i < 2; i++)
			p[i] = (struct pollfd){node.fd[i], POLLIN, 0};
		(void)poll(p, 2, due > t ? (int)((due - t) / 1000 + 1) : 0);
		for (uint32_t i = 0; i < 2; i++)
			if (p[i].revents != 0)
				receive(i);
	}
}

static bool
is_ready(void)
{
	struct rpc_about about;

	rpc_about(dht_rpc(node.d), &about);
	return about.ready;
}

static bool
is_done(void)
{
	return node.done;
}

/* -- answers -------------------------------------------------------------- */

static void
on_record(void *ctx, const struct dht_record *r, uint64_t at)
{
	char hex[65], text[ADDR_TEXT];

	(void)ctx;
	(void)at;
	printf("peer %s", hex_b32(hex, &r->key));
	for (size_t i = 0; i < r->nrelays; i++)
		printf(" %s", addr_format(text, &r->relay[i]));
	printf("\n");
}

static void
on_records_done(void *ctx, const struct rpc_node *closest, size_t n,
    size_t commits, uint64_t at)
{
	(void)ctx;
	(void)closest;
	(void)at;
	printf("closest %zu\ndone %zu\n", n, commits);
	node.done = true;
}

static void
on_value(void *ctx, uint64_t seq, struct view v)
{
	(void)ctx;
	printf("value %llu %.*s\n", (unsigned long long)seq, (int)v.len,
	    (const char *)v.ptr);
}

static void
on_value_done(void *ctx, size_t commits)
{
	(void)ctx;
	printf("done %zu\n", commits);
	node.done = true;
}

/* -- questions ------------------------------------------------------------ */

static struct b32
key_of(const char *hex)
{
	struct b32 k;

	if (!hex_b32_decode(view_str(hex), &k))
		die(hex, "64 hex digits");
	return k;
}

static struct sign_pair
pair_of(const char *seed)
{
	const struct b32 s = {{(uint8_t)strtoul(seed, NULL, 10)}};
	struct err e = ERR_INIT;
	struct sign_pair p;

	if (sign_pair_seed(&p, &s, &e) != ERR_OK)
		die("key pair", e.msg);
	return p;
}

static enum err_code
ask_records(
    const char *what, char **arg, int n, struct sign_pair *pair, struct err *e)
{
	struct addr relay[DHT_RELAYS_MAX];
	struct dht_search_opts o = {.topic = key_of(arg[0]),
	    .found = on_record,
	    .done = on_records_done,
	    .relay = relay};
	struct dht_search *s;

	if (strcmp(what, "lookup") == 0)
		return dht_lookup(&s, node.d, &o, now(), e);
	if (strcmp(what, "find") == 0) {
		hash_data(&o.topic, view_of(o.topic.b, sizeof(o.topic.b)));
		return dht_find_peer(&s, node.d, &o, now(), e);
	}
	if (n < 2)
		die(what, "a topic and a seed");
	*pair = pair_of(arg[1]);
	o.pair = pair;
	o.clear = strcmp(what, "reannounce") == 0;
	for (int i = 2; i < n && o.nrelays < DHT_RELAYS_MAX; i++)
		if (addr_parse(&relay[o.nrelays++], view_str(arg[i]), e) !=
		    ERR_OK)
			die(arg[i], e->msg);
	if (strcmp(what, "unannounce") == 0)
		return dht_unannounce(&s, node.d, &o, now(), e);
	return dht_lookup(&s, node.d, &o, now(), e);
}

static enum err_code
ask_value(
    const char *what, char **arg, int n, struct sign_pair *pair, struct err *e)
{
	enum dht_value kind =
	    strstr(what, "mutable") != NULL ? DHT_MUTABLE : DHT_IMMUTABLE;
	struct dht_value_opts o = {.found = on_value, .done = on_value_done};
	struct dht_search *s;

	if (kind == DHT_MUTABLE && n > 1)
		o.seq = strtoull(arg[1], NULL, 10);
	if (strncmp(what, "get", 3) == 0) {
		o.key = key_of(arg[0]);
		return dht_get(&s, node.d, kind, &o, now(), e);
	}
	o.value = view_str(arg[n - 1]);
	if (kind == DHT_MUTABLE) {
		*pair = pair_of(arg[0]);
		o.pair = pair;
	}
	return dht_put(&s, node.d, kind, &o, now(), e);
}

int
main(int argc, char **argv)
{
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct err e = ERR_INIT;
	bool value;
	enum err_code rc;

	if (argc < 4)
		die("usage", "PORT WHAT ARGUMENT...");
	open_node(argv[1]);
	run(is_ready);
	value =
	    strncmp(argv[2], "put", 3) == 0 || strncmp(argv[2], "get", 3) == 0;
	rc = (value ? ask_value : ask_records)(
	    argv[2], argv + 3, argc - 3, &pair, &e);
	if (rc != ERR_OK)
		die(argv[2], e.msg);
	run(is_done);
	dht_free(node.d);
	sign_pair_free(&pair);
	return 0;
}
