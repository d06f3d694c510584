/*
 * nat_peer DIR HOST:PORT[,HOST:PORT...]: one side of an attempt, on the whole
 * of lib/peer with its real sockets; the stores are made in DIR. Reads lines,
 * writes a line for each:
 *
 *	listen		key HEX		be found, as somebody new
 *	connect HEX	open MS		from the order until the other side's
 *			failed MS WHY	first bytes; the node is ready before
 *	stop		stopped		as if it had never been
 *
 * PEAR_DHT_RELAY in the environment: the relay it proposes.
 *
 * Every listen and connect is a node of its own with sockets of its own, so
 * that one attempt leaves nothing to the next.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/hex.h"
#include "peer/node.h"
#include "store/store.h"

#define NODES_MAX 16
#define TURN_US 10000	   /* between two looks at standard input */
#define READY_US 10000000u /* for the DHT to answer */
#define LIMIT_US 20000000u /* for one attempt */

static struct side {
	const char *dir;
	unsigned count; /* stores so far */
	struct addr bootstrap[NODES_MAX];
	size_t nbootstrap;
	struct store *store;
	struct peer_node *node;
	struct b32 remote, relay;
	bool announced, joined, relays;
	char why[200];
	struct err e;
} side;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "nat_peer: %s: %s\n", what, why);
	exit(1);
}

static void
on_event(void *ctx, const struct peer_event *ev)
{
	struct side *s = ctx;

	if (ev->kind == PEER_LOOKED && ev->topic->announced > 0)
		s->announced = true;
	if (ev->kind == PEER_JOINED && b32_eq(&ev->key, &s->remote))
		s->joined = true;
	if (ev->kind == PEER_UNREACHED && b32_eq(&ev->key, &s->remote))
		(void)snprintf(s->why, sizeof(s->why), "%.199s", ev->text);
}

static void
stop(struct side *s)
{
	peer_close(s->node);
	store_close(s->store);
	s->node = NULL;
	s->store = NULL;
}

static void
start(struct side *s, bool serve)
{
	const struct peer_discovery find = {.bootstrap = s->bootstrap,
	    .nbootstrap = s->nbootstrap,
	    .relay = s->relays ? &s->relay : NULL};
	const struct addr any = {.family = 4};
	char dir[4096];
	struct store_opts so = {.dir = dir, .mode = STORE_CREATE};
	struct peer_opts o = {.serve = serve,
	    .listen = &any,
	    .discovery = &find,
	    .event = on_event,
	    .ctx = s};

	stop(s);
	s->announced = s->joined = false;
	s->why[0] = '\0';
	(void)snprintf(dir, sizeof(dir), "%s/%u", s->dir, s->count++);
	if (store_open(&s->store, &so, &s->e) != ERR_OK)
		die("store", s->e.msg);
	o.store = s->store;
	if (peer_open(&s->node, &o, &s->e) != ERR_OK)
		die("node", s->e.msg);
}

static void
turn(struct side *s)
{
	if (peer_turn(s->node, peer_now() + TURN_US, &s->e) != ERR_OK)
		die("turn", s->e.msg);
}

static void
wait_ready(struct side *s)
{
	uint64_t until = peer_now() + READY_US;
	struct peer_network n;

	do {
		turn(s);
		peer_network(s->node, &n);
	} while (!n.ready && peer_now() < until);
	if (!n.ready)
		die("bootstrap", "no node of the DHT answers");
}

static void
do_listen(struct side *s)
{
	const struct b32 topic = {{1}};
	uint64_t until = peer_now() + READY_US;
	char hex[65];

	start(s, true);
	s->remote = topic; /* nobody's key */
	if (peer_join(s->node, &topic, PEER_SERVER, &s->e) != ERR_OK)
		die("listen", s->e.msg);
	while (!s->announced && peer_now() < until)
		turn(s);
	if (!s->announced)
		die("listen", "nobody took the announcement");
	printf("key %s\n", hex_b32(hex, peer_key(s->node)));
}

static void
do_connect(struct side *s, const char *key)
{
	uint64_t began, took;

	if (!hex_b32_decode(view_str(key), &s->remote))
		die("connect", "not a key");
	start(s, false);
	wait_ready(s);
	began = peer_now();
	if (peer_join_peer(s->node, &s->remote, &s->e) != ERR_OK)
		die("connect", s->e.msg);
	while (!s->joined && s->why[0] == '\0' && peer_now() - began < LIMIT_US)
		turn(s);
	took = (peer_now() - began) / 1000;
	if (s->joined)
		printf("open %llu\n", (unsigned long long)took);
	else
		printf("failed %llu %s\n", (unsigned long long)took,
		    s->why[0] != '\0' ? s->why : "the time is over");
}

static void
obey(struct side *s, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "listen") == 0) {
		do_listen(s);
	} else if (strncmp(line, "connect ", 8) == 0) {
		do_connect(s, line + 8);
	} else if (strcmp(line, "stop") == 0) {
		stop(s);
		printf("stopped\n");
	} else {
		die(line, "no such order");
	}
	fflush(stdout);
}

static void
parse_bootstrap(struct side *s, char *list)
{
	char *rest = NULL;

	for (char *t = strtok_r(list, ",", &rest);
	     t != NULL && s->nbootstrap < NODES_MAX;
	     t = strtok_r(NULL, ",", &rest))
		if (addr_parse(&s->bootstrap[s->nbootstrap++], view_str(t),
			&s->e) != ERR_OK)
			die("bootstrap", s->e.msg);
}

int
main(int argc, char **argv)
{
	struct pollfd in = {STDIN_FILENO, POLLIN, 0};
	char line[256];

	if (argc != 3)
		die("usage", "nat_peer DIR HOST:PORT[,HOST:PORT...]");
	side.dir = argv[1];
	parse_bootstrap(&side, argv[2]);
	if (getenv("PEAR_DHT_RELAY") != NULL)
		side.relays = hex_b32_decode(
		    view_str(getenv("PEAR_DHT_RELAY")), &side.relay);
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() must see every line */
	for (;;) {
		if (side.node != NULL)
			turn(&side);
		if (poll(&in, 1, side.node != NULL ? 0 : -1) <= 0)
			continue;
		if (fgets(line, sizeof(line), stdin) == NULL)
			break;
		obey(&side, line);
	}
	stop(&side);
	return 0;
}
