/*
 * scale_peers FOLDER LINKS HOST:PORT:KEY COUNT CORES
 * scale_peers FOLDER LINKS HOST:PORT:KEY COUNT first
 *
 * COUNT peers in one process, each with a store in FOLDER, a key and an
 * address (127.0.0.0/8) of its own, and the real lib/peer: they differ from
 * pear-seed in nothing that the other side could see. Peer i takes part in
 * CORES of the drives in the file LINKS, from the i-th on, and fetches the
 * first block of each. They all dial one seeder, by its address. Prints
 *
 *	connected COUNT SECONDS		all are connected
 *	served BLOCKS SECONDS		all have their blocks
 *
 * and stays until standard input ends; then it says goodbye. Killed, nobody
 * does.
 *
 * With "first" HOST:PORT is a node of the DHT instead, and the peers come one
 * after the other: each finds KEY there, connects, and fetches the first block
 * of a drive. Prints the milliseconds from the call to the connection and to
 * the block, for each: "first CONNECTED BLOCK".
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "codec/z32.h"
#include "core/core.h"
#include "peer/node.h"

#define CORES_MAX 64
#define DEADLINE_US UINT64_C(120000000)

struct player {
	struct store *store;
	struct peer_node *node;
	struct replicate_core *core[CORES_MAX];
	bool joined;
	size_t blocks;
	uint64_t joined_at, block_at;
};

static struct {
	const char *dir;
	struct b32 *key;
	size_t nkeys;
	struct player *player;
	size_t count, cores;
	size_t joined, blocks;
} all;

static _Noreturn void
die(const char *what, const struct err *e)
{
	fprintf(stderr, "scale_peers: %s: %s\n", what, e ? e->msg : "failed");
	exit(1);
}

static void
need(enum err_code rc, const char *what, const struct err *e)
{
	if (rc != ERR_OK)
		die(what, e);
}

static void
read_links(const char *path)
{
	char line[256], *z;
	FILE *f = fopen(path, "r");
	struct err e = ERR_INIT;

	if (f == NULL)
		die(path, NULL);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		z = strncmp(line, "pear://", 7) == 0 ? line + 7 : line;
		all.key = realloc(all.key, (all.nkeys + 1) * sizeof(*all.key));
		if (all.key == NULL)
			die("memory", NULL);
		need(z32_key_id(view_str(z), &all.key[all.nkeys++], &e), path,
		    &e);
	}
	fclose(f);
}

static void
on_event(void *ctx, const struct peer_event *ev)
{
	struct player *p = ctx;

	if (ev->kind == PEER_JOINED && !p->joined) {
		p->joined = true;
		p->joined_at = peer_now();
		all.joined++;
	}
	if (ev->kind == PEER_CORE && ev->core->kind == REPLICATE_BLOCKS) {
		p->block_at = peer_now();
		p->blocks += ev->core->blocks;
		all.blocks += ev->core->blocks;
	}
}

/* An address for each, so that each has its own share of what a host may. */
static void
open_player(struct player *p, size_t i, const struct peer_at *at,
    const struct addr *bootstrap)
{
	struct addr own = {.family = 4,
	    .ip = {127, (uint8_t)(1 + i / 62500), (uint8_t)(1 + i / 250 % 250),
		(uint8_t)(1 + i % 250)}};
	struct peer_discovery d = {.bootstrap = bootstrap, .nbootstrap = 1};
	struct peer_opts o = {.listen = at != NULL ? &own : NULL,
	    .at = at,
	    .nat = at != NULL,
	    .discovery = bootstrap != NULL ? &d : NULL,
	    .event = on_event,
	    .ctx = p};
	struct store_opts so = {.mode = STORE_CREATE};
	struct err e = ERR_INIT;
	char dir[4096];

	(void)snprintf(dir, sizeof(dir), "%s/%zu", all.dir, i);
	so.dir = dir;
	need(store_open(&p->store, &so, &e), "store", &e);
	o.store = p->store;
	need(peer_open(&p->node, &o, &e), "peer", &e);
	for (size_t k = 0; k < all.cores; k++) {
		const struct b32 *key = &all.key[(i + k) % all.nkeys];
		struct replicate *r = peer_replicate(p->node);

		need(replicate_open(r, key, &p->core[k], &e), "core", &e);
		need(replicate_download(p->core[k], 0, 1, &e), "core", &e);
	}
}

static void
close_player(struct player *p)
{
	peer_close(p->node);
	store_close(p->store);
}

static void
turn(struct player *p, uint64_t until)
{
	struct err e = ERR_INIT;

	need(peer_turn(p->node, until, &e), "turn", &e);
}

static void
turn_all(void)
{
	for (size_t i = 0; i < all.count; i++)
		turn(&all.player[i], 0);
}

/* -- many at once ----------------------------------------------------------
 */

static void
await(const size_t *what, size_t goal, const char *name, uint64_t start)
{
	while (*what < goal) {
		if (peer_now() - start > DEADLINE_US) {
			fprintf(stderr, "scale_peers: only %zu %s of %zu\n",
			    *what, name, goal);
			exit(1);
		}
		turn_all();
	}
	printf(
	    "%s %zu %.3f\n", name, *what, (double)(peer_now() - start) / 1e6);
	fflush(stdout);
}

static void
crowd(const struct peer_at *at)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	uint64_t start = peer_now();
	char c;

	for (size_t i = 0; i < all.count; i++) {
		open_player(&all.player[i], i, at, NULL);
		if (i % 16 == 0)
			for (size_t k = 0; k < i; k++)
				turn(&all.player[k], 0);
	}
	await(&all.joined, all.count, "connected", start);
	await(&all.blocks, all.count * all.cores, "served", start);
	/* connected without a turn, but the seeder's offers are answered */
	while (poll(&in, 1, 50) == 0 || read(STDIN_FILENO, &c, 1) > 0)
		turn_all();
	for (size_t i = 0; i < all.count; i++)
		close_player(&all.player[i]);
}

/* -- one after the other ---------------------------------------------------
 */

static void
reach(size_t i, const struct peer_at *seeder)
{
	struct player *p = &all.player[i];
	uint64_t opened = peer_now(), start;
	struct peer_network net = {false};
	struct err e = ERR_INIT;

	open_player(p, i, NULL, &seeder->addr);
	while (!net.ready) { /* the clock starts with a node that runs */
		turn(p, peer_now() + 10000);
		peer_network(p->node, &net);
		if (peer_now() - opened > DEADLINE_US)
			die("the DHT does not answer", NULL);
	}
	start = peer_now();
	need(peer_join_peer(p->node, &seeder->key, &e), "join", &e);
	while (p->blocks == 0) {
		turn(p, peer_now() + 10000);
		if (peer_now() - start > DEADLINE_US)
			die("the seeder was not found", NULL);
	}
	printf("first %.3f %.3f\n", (double)(p->joined_at - start) / 1e3,
	    (double)(p->block_at - start) / 1e3);
	fflush(stdout);
	close_player(p);
}

int
main(int argc, char **argv)
{
	struct rlimit files;
	struct err e = ERR_INIT;
	struct peer_at at;
	bool first;

	if (argc != 6) {
		fprintf(stderr, "usage: scale_peers FOLDER LINKS "
				"HOST:PORT:KEY COUNT CORES|first\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	all.dir = argv[1];
	read_links(argv[2]);
	all.count = strtoul(argv[4], NULL, 10);
	first = strcmp(argv[5], "first") == 0;
	all.cores = first ? 1 : strtoul(argv[5], NULL, 10);
	all.player = calloc(all.count + 1, sizeof(*all.player));
	if (all.player == NULL || all.cores == 0 || all.cores > CORES_MAX ||
	    all.nkeys == 0)
		die("arguments", NULL);
	need(peer_at_parse(&at, view_str(argv[3]), &e), argv[3], &e);
	if (!first)
		crowd(&at);
	for (size_t i = 0; first && i < all.count; i++)
		reach(i, &at);
	return 0;
}
