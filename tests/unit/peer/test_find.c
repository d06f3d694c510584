/* Peers that find each other in a DHT of their own on loopback. Real sockets
 * and threads, so nothing here is about how long something takes, except that
 * all of it ends. */
#include "side.h"

#include <sys/stat.h>

#include "peer/known.h"

#define PATIENCE SIDE_PATIENCE

/* -- finding -------------------------------------------------------------- */

static void
by_topic(void **state)
{
	struct side w = {0}, r = {0}, *all[] = {&w, &r};
	uint64_t until = peer_now() + PATIENCE;

	(void)state;
	side_open(&w, 300);
	side_join(&w, PEER_SERVER);
	while (!side_announced(&w))
		side_turns(all, 1, until);
	side_open(&r, 0);
	side_join(&r, PEER_CLIENT);
	side_until_block(all, 2, &r, 41);
	check(r.joined == 1 && w.joined == 1 && r.left == 0);
	check(peer_settled(r.n) || !side_calm(&r));
	side_close(&r);
	/* the other one said goodbye */
	while (w.left == 0)
		side_turns(all, 1, until);
	check(peer_connections(w.n) == 0);
	side_close(&w);
}

/* The reader was there first, and had nobody. */
static void
late_server(void **state)
{
	struct side w = {0}, r = {0}, *all[] = {&r, &w};
	uint64_t until = peer_now() + PATIENCE;

	(void)state;
	side_open(&r, 0);
	side_join(&r, PEER_CLIENT);
	while (r.looked == 0 && !peer_settled(r.n))
		side_turns(all, 1, until);
	side_open(&w, 10);
	side_join(&w, PEER_SERVER);
	side_until_block(all, 2, &r, 3);
	check(r.joined == 1);
	side_close(&r);
	side_close(&w);
}

/* Everybody dials everybody: one connection for two, and it stays. */
static void
all_dial_all(void **state)
{
	struct side s[3] = {0}, *all[] = {&s[0], &s[1], &s[2]};
	uint64_t until = peer_now() + PATIENCE, later;
	bool done = false;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		side_open(&s[i], i == 0 ? 20 : 0);
	for (size_t i = 0; i < 3; i++)
		side_join(&s[i], PEER_SERVER | PEER_CLIENT);
	while (!done) {
		struct err e = ERR_INIT;
		struct b32 topic;

		memset(&topic, 0x77, sizeof(topic));
		side_turns(all, 3, until);
		done = true;
		for (size_t i = 0; i < 3; i++) {
			done = done && peer_connections(s[i].n) == 2 &&
			       side_calm(&s[i]);
			/* found one, and the other announced it later */
			if (s[i].looked > 0 && peer_connections(s[i].n) < 2) {
				s[i].looked = 0;
				check_ok(peer_refresh(s[i].n, &topic, &e), &e);
			}
		}
	}
	/* until each has had another look */
	later = peer_now() + 300000;
	while (peer_now() < later)
		side_turns(all, 3, until);
	for (size_t i = 0; i < 3; i++) {
		check(peer_connections(s[i].n) == 2);
		check(s[i].joined - s[i].left == 2);
	}
	side_until_block(all, 3, &s[2], 19);
	for (size_t i = 0; i < 3; i++)
		side_close(&s[i]);
}

/* Found by the key alone, and nothing else is announced. */
static void
by_key(void **state)
{
	struct side w = {0}, r = {0}, *all[] = {&w, &r};
	uint64_t until = peer_now() + PATIENCE;
	struct peer_network net;
	struct err e = ERR_INIT;

	(void)state;
	side_open(&w, 20);
	side_open(&r, 0);
	while (!side_calm(&w))
		side_turns(all, 1, until);
	peer_network(w.n, &net);
	check(!net.reachable);
	check_ok(peer_listen(w.n, &e), &e);
	do {
		side_turns(all, 1, until);
		peer_network(w.n, &net);
	} while (!net.reachable);
	check_ok(peer_join_peer(r.n, peer_key(w.n), &e), &e);
	side_until_block(all, 2, &r, 7);
	check(r.joined == 1 && w.joined == 1 && w.looked == 0);
	check(net.topics == 0 && net.announced == 0 && town_peers(&town) == 0);
	side_close(&r);
	side_close(&w);
}

/* One goes and comes back under the same key. */
static void
comes_again(void **state)
{
	struct side w = {.who = 9}, r = {0}, *all[] = {&r, &w};
	uint64_t until = peer_now() + PATIENCE;

	(void)state;
	side_open(&w, 30);
	side_join(&w, PEER_SERVER);
	side_open(&r, 0);
	side_join(&r, PEER_CLIENT);
	side_until_block(all, 2, &r, 1);
	peer_close(w.n);
	while (r.left == 0)
		side_turns(all, 1, until);
	side_start(&w);
	side_join(&w, PEER_SERVER);
	r.looked = 1; /* it need not wait for its next round */
	side_until_block(all, 2, &r, 29);
	check(r.joined >= 2);
	side_close(&r);
	side_close(&w);
}

/* -- the end -------------------------------------------------------------- */

static void
takes_back(void **state)
{
	struct side w = {0}, *all[] = {&w};
	uint64_t until = peer_now() + PATIENCE, begun;

	(void)state;
	check(town_peers(&town) == 0);
	side_open(&w, 5);
	side_join(&w, PEER_SERVER);
	while (!side_announced(&w) || town_peers(&town) == 0)
		side_turns(all, 1, until);
	begun = peer_now();
	side_close(&w);
	check(peer_now() - begun < 5500000);
	check(town_peers(&town) == 0);
	/* nothing to take back: nothing to wait for */
	memset(&w, 0, sizeof(w));
	side_open(&w, 0);
	begun = peer_now();
	side_close(&w);
	check(peer_now() - begun < 4000000);
	/* closed while it looks and dials */
	memset(&w, 0, sizeof(w));
	side_open(&w, 0);
	side_join(&w, PEER_CLIENT | PEER_SERVER);
	side_turns(all, 1, until);
	side_close(&w);
}

/* A bootstrap node that says nothing. */
static void
no_network(void **state)
{
	struct side r = {.patience = 500000};
	struct addr kept = town.bootstrap;
	struct err e = ERR_INIT;
	struct peer_network net;
	struct io_socket *deaf;
	struct io *io;
	static const struct io_handler none = {NULL, NULL, NULL, NULL};
	const struct addr any = {.family = 4, .ip = {127, 0, 0, 1}};
	uint64_t begun;

	(void)state;
	check_ok(io_new(&io, &none, NULL, &e), &e);
	check_ok(io_socket_open(&deaf, io, &any, &e), &e);
	io_socket_addr(deaf, &town.bootstrap);
	side_open(&r, 0);
	side_join(&r, PEER_CLIENT);
	check_code(peer_update(r.n, &r.f.key, 0, PEER_MUST, &e), ERR_PEERS);
	peer_network(r.n, &net);
	check(!net.online && net.nodes == 0);
	begun = peer_now();
	side_close(&r);
	check(peer_now() - begun < 5500000);
	io_free(io);
	town.bootstrap = kept;
}

/* Nodes that were heard of are there the next time. */
static void
remembers(void **state)
{
	struct side w = {.remember = true}, *all[] = {&w};
	uint64_t until = peer_now() + PATIENCE;
	struct known_list known;
	struct peer_network net;
	char path[700];
	struct stat st;

	(void)state;
	side_open(&w, 5);
	side_join(&w, PEER_SERVER);
	do {
		side_turns(all, 1, until);
		peer_network(w.n, &net);
	} while (!side_announced(&w) || net.nodes < TOWN_NODES);
	peer_close(w.n);
	known_read(&known, w.f.dir, &town.bootstrap, 1);
	check(known.n > 0 && known.n <= KNOWN_MAX);
	for (size_t i = 0; i < known.n; i++)
		check(known.node[i].port != 0 && known.node[i].ip[0] == 127);
	side_start(&w);
	side_join(&w, PEER_SERVER);
	while (!side_announced(&w))
		side_turns(all, 1, until);
	(void)snprintf(path, sizeof(path), "%s/%s", w.f.dir, KNOWN_FILE);
	check(stat(path, &st) == 0);
	side_close(&w);
}

/* -- limits --------------------------------------------------------------- */

#define BIG 4096u /* a block that fills datagrams */
#define BIGS 48u

static void
append_big(struct fix *f)
{
	struct core *c = fix_core(f, CORE_WRITE);
	struct core_batch *b = fix_batch(c);
	static uint8_t block[BIG];
	struct err e = ERR_INIT;

	for (unsigned i = 0; i < BIGS; i++) {
		memset(block, (int)i, sizeof(block));
		check_ok(core_batch_append(
			     b, view_of(block, sizeof(block)), NULL, &e),
		    &e);
	}
	fix_commit(b);
	core_batch_free(b);
	core_close(c);
}

/* What left in so much time is not more than the rate and one burst, in
 * which no acknowledgement or handshake is counted. */
static void
up_limit(void **state)
{
	struct side w = {.up_max = 80000}, r = {0}, *all[] = {&w, &r};
	uint64_t until = peer_now() + PATIENCE, begun, took;
	struct replicate_core *c;
	struct replicate_status st;
	struct peer_totals t;
	struct err e = ERR_INIT;

	(void)state;
	fix_open(&w.f, 7, true);
	append_big(&w.f);
	begun = peer_now();
	side_start(&w);
	side_join(&w, PEER_SERVER);
	side_open(&r, 0);
	side_join(&r, PEER_CLIENT);
	check_ok(replicate_open(peer_replicate(r.n), &r.f.key, &c, &e), &e);
	check_ok(replicate_download(c, 0, BIGS, &e), &e);
	do {
		side_turns(all, 2, until);
		replicate_status(c, &st);
	} while (st.head.contiguous < BIGS);
	took = peer_now() - begun;
	peer_totals(r.n, &t);
	check(t.blocks_in == BIGS && t.bytes_in >= BIGS * BIG);
	check((double)t.bytes_in <= 16384 + 1500 + 80000 * (double)took / 1e6);
	side_close(&r);
	side_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(takes_back, side_begin, side_end),
	    cmocka_unit_test_setup_teardown(by_topic, side_begin, side_end),
	    cmocka_unit_test_setup_teardown(late_server, side_begin, side_end),
	    cmocka_unit_test_setup_teardown(all_dial_all, side_begin, side_end),
	    cmocka_unit_test_setup_teardown(by_key, side_begin, side_end),
	    cmocka_unit_test_setup_teardown(comes_again, side_begin, side_end),
	    cmocka_unit_test_setup_teardown(no_network, side_begin, side_end),
	    cmocka_unit_test_setup_teardown(remembers, side_begin, side_end),
	    cmocka_unit_test_setup_teardown(up_limit, side_begin, side_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
