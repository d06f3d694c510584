/* Peers that find each other in a DHT of their own on loopback. Real sockets
 * and threads, so nothing here is about how long something takes, except that
 * all of it ends. */
#include "../core/fix.h"

#include <errno.h>
#include <sys/stat.h>

#include "peer/known.h"
#include "peer/node.h"
#include "peer/wire.h"
#include "town.h"

#define PATIENCE 90000000u

struct side {
	struct fix f;
	struct peer_node *n;
	struct peer_discovery d;
	size_t joined, left, unreached, looked;
	char text[256];
	uint64_t up_max;
	uint8_t who; /* 0: somebody new */
	bool remember;
	uint64_t patience;
};

static struct town town;

static void
on_event(void *ctx, const struct peer_event *ev)
{
	struct side *s = ctx;

	s->joined += ev->kind == PEER_JOINED;
	s->left += ev->kind == PEER_LEFT;
	s->unreached += ev->kind == PEER_UNREACHED;
	s->looked += ev->kind == PEER_LOOKED;
	if (ev->text != NULL)
		(void)snprintf(s->text, sizeof(s->text), "%s", ev->text);
}

static void
pair_of(struct sign_pair *out, uint8_t who)
{
	struct err e = ERR_INIT;
	struct b32 seed;

	memset(seed.b, who, sizeof(seed.b));
	check_ok(sign_pair_seed(out, &seed, &e), &e);
}

static void
side_start(struct side *s)
{
	struct sign_pair pair = {0};
	struct peer_opts o = {.store = s->f.s,
	    .serve = true,
	    .patience_us = s->patience != 0 ? s->patience : PATIENCE,
	    .discovery = &s->d,
	    .up_max = s->up_max,
	    .event = on_event,
	    .ctx = s};
	struct err e = ERR_INIT;

	s->d = (struct peer_discovery){.bootstrap = &town.bootstrap,
	    .nbootstrap = 1,
	    .remember = s->remember};
	if (s->who != 0) {
		pair_of(&pair, s->who);
		o.pair = &pair;
	}
	check_ok(peer_open(&s->n, &o, &e), &e);
	sign_pair_free(&pair);
}

/* A side with the core, of which the writer has so many blocks. */
static void
side_open(struct side *s, uint64_t blocks)
{
	struct core *c;

	fix_open(&s->f, 7, blocks > 0);
	if (blocks > 0) {
		c = fix_core(&s->f, CORE_WRITE);
		fix_append(c, blocks);
		core_close(c);
	}
	side_start(s);
}

static void
side_close(struct side *s)
{
	peer_close(s->n);
	s->n = NULL;
	fix_close(&s->f);
}

static void
join(struct side *s, int flags)
{
	struct err e = ERR_INIT;
	struct b32 topic;

	memset(&topic, 0x77, sizeof(topic));
	check_ok(peer_join(s->n, &topic, flags, &e), &e);
}

/* Who found nobody looks again at once; all sides are in this thread. */
static void
turns(struct side *const *s, size_t n, uint64_t until)
{
	struct err e = ERR_INIT;
	struct peer_topic t;
	struct b32 topic;

	check(peer_now() < until);
	memset(&topic, 0x77, sizeof(topic));
	for (size_t i = 0; i < n; i++) {
		check_ok(peer_turn(s[i]->n, peer_now() + 300, &e), &e);
		if (s[i]->looked == 0 || peer_connections(s[i]->n) > 0 ||
		    !peer_topic(s[i]->n, &topic, &t) || t.found > 0)
			continue;
		s[i]->looked = 0;
		check_ok(peer_refresh(s[i]->n, &topic, &e), &e);
	}
}

static bool
announced(struct side *s)
{
	struct peer_network net;

	peer_network(s->n, &net);
	return net.announced > 0;
}

static bool
calm(struct side *s)
{
	struct peer_network net;

	peer_network(s->n, &net);
	return net.ready && net.online && net.dialling == 0;
}

static void
until_block(struct side *const *s, size_t n, struct side *reader, uint64_t i)
{
	struct want want = {
	    .kind = WANT_BLOCK, .key = reader->f.key, .index = i};
	uint64_t until = peer_now() + PATIENCE;
	struct replicate_core *c;
	struct err e = ERR_INIT;

	check_ok(
	    replicate_open(peer_replicate(reader->n), &want.key, &c, &e), &e);
	check_ok(replicate_need(c, &want, &e), &e);
	while (!replicate_here(c, &want))
		turns(s, n, until);
}

/* -- finding -------------------------------------------------------------- */

static void
by_topic(void **state)
{
	struct side w = {0}, r = {0}, *all[] = {&w, &r};
	uint64_t until = peer_now() + PATIENCE;

	(void)state;
	side_open(&w, 300);
	join(&w, PEER_SERVER);
	while (!announced(&w))
		turns(all, 1, until);
	side_open(&r, 0);
	join(&r, PEER_CLIENT);
	until_block(all, 2, &r, 41);
	check(r.joined == 1 && w.joined == 1 && r.left == 0);
	check(peer_settled(r.n) || !calm(&r));
	side_close(&r);
	/* the other one said goodbye */
	while (w.left == 0)
		turns(all, 1, until);
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
	join(&r, PEER_CLIENT);
	while (r.looked == 0 && !peer_settled(r.n))
		turns(all, 1, until);
	side_open(&w, 10);
	join(&w, PEER_SERVER);
	until_block(all, 2, &r, 3);
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
		join(&s[i], PEER_SERVER | PEER_CLIENT);
	while (!done) {
		struct err e = ERR_INIT;
		struct b32 topic;

		memset(&topic, 0x77, sizeof(topic));
		turns(all, 3, until);
		done = true;
		for (size_t i = 0; i < 3; i++) {
			done = done && peer_connections(s[i].n) == 2 &&
			       calm(&s[i]);
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
		turns(all, 3, until);
	for (size_t i = 0; i < 3; i++) {
		check(peer_connections(s[i].n) == 2);
		check(s[i].joined - s[i].left == 2);
	}
	until_block(all, 3, &s[2], 19);
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
	while (!calm(&w))
		turns(all, 1, until);
	peer_network(w.n, &net);
	check(!net.reachable);
	check_ok(peer_listen(w.n, &e), &e);
	do {
		turns(all, 1, until);
		peer_network(w.n, &net);
	} while (!net.reachable);
	check_ok(peer_join_peer(r.n, peer_key(w.n), &e), &e);
	until_block(all, 2, &r, 7);
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
	join(&w, PEER_SERVER);
	side_open(&r, 0);
	join(&r, PEER_CLIENT);
	until_block(all, 2, &r, 1);
	peer_close(w.n);
	while (r.left == 0)
		turns(all, 1, until);
	side_start(&w);
	join(&w, PEER_SERVER);
	r.looked = 1; /* it need not wait for its next round */
	until_block(all, 2, &r, 29);
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
	join(&w, PEER_SERVER);
	while (!announced(&w) || town_peers(&town) == 0)
		turns(all, 1, until);
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
	join(&w, PEER_CLIENT | PEER_SERVER);
	turns(all, 1, until);
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
	join(&r, PEER_CLIENT);
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
	join(&w, PEER_SERVER);
	do {
		turns(all, 1, until);
		peer_network(w.n, &net);
	} while (!announced(&w) || net.nodes < TOWN_NODES);
	peer_close(w.n);
	known_read(&known, w.f.dir, &town.bootstrap, 1);
	check(known.n > 0 && known.n <= KNOWN_MAX);
	for (size_t i = 0; i < known.n; i++)
		check(known.node[i].port != 0 && known.node[i].ip[0] == 127);
	side_start(&w);
	join(&w, PEER_SERVER);
	while (!announced(&w))
		turns(all, 1, until);
	(void)snprintf(path, sizeof(path), "%s/%s", w.f.dir, KNOWN_FILE);
	check(stat(path, &st) == 0);
	side_close(&w);
}

/* -- limits, and those who break the rules -------------------------------- */

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
	join(&w, PEER_SERVER);
	side_open(&r, 0);
	join(&r, PEER_CLIENT);
	check_ok(replicate_open(peer_replicate(r.n), &r.f.key, &c, &e), &e);
	check_ok(replicate_download(c, 0, BIGS, &e), &e);
	do {
		turns(all, 2, until);
		replicate_status(c, &st);
	} while (st.head.contiguous < BIGS);
	took = peer_now() - begun;
	peer_totals(r.n, &t);
	check(t.blocks_in == BIGS && t.bytes_in >= BIGS * BIG);
	check((double)t.bytes_in <= 16384 + 1500 + 80000 * (double)took / 1e6);
	side_close(&r);
	side_close(&w);
}

struct liar {
	struct wire *wire;
	struct sign_pair pair;
	struct wire_conn *conn;
	size_t opened, closed, failed;
};

static void
liar_open(struct liar *l, uint8_t who)
{
	struct wire_discovery d = {
	    .bootstrap = &town.bootstrap, .nbootstrap = 1};
	struct wire_opts o = {
	    .discovery = &d, .pair = &l->pair, .connections_max = 16};
	struct err e = ERR_INIT;

	pair_of(&l->pair, who);
	check_ok(wire_open(&l->wire, &o, &e), &e);
}

static void
liar_turn(struct liar *l)
{
	struct wire_event *ev;

	while ((ev = wire_next(l->wire)) != NULL) {
		l->failed += ev->kind == WIRE_FAILED;
		if (ev->kind == WIRE_OPENED) {
			l->opened++;
			l->conn = ev->conn;
		} else if (ev->kind == WIRE_CLOSED) {
			l->closed++;
			l->conn = NULL;
			wire_release(l->wire, ev->conn);
		}
		free(ev->data);
		free(ev);
	}
	wire_flush(l->wire);
}

static void
liar_close(struct liar *l)
{
	wire_close(l->wire);
	sign_pair_free(&l->pair);
}

/* A frame that is none. */
static void
say_nonsense(struct liar *l)
{
	uint8_t *data = malloc(MUX_FRAME_HEAD + 64 + 128);
	struct err e = ERR_INIT;

	check(data != NULL);
	memset(data, 0xff, MUX_FRAME_HEAD + 64);
	check_ok(
	    wire_write(l->wire, l->conn, data, MUX_FRAME_HEAD + 64, &e), &e);
	wire_flush(l->wire);
}

/* Who breaks the protocol is cut off, and may not come again; others may. */
static void
bans(void **state)
{
	struct side w = {0}, r = {0}, *all[] = {&w, &r};
	uint64_t until = peer_now() + PATIENCE;
	struct err e = ERR_INIT;
	struct liar l = {NULL};
	size_t joined;

	(void)state;
	side_open(&w, 50);
	join(&w, PEER_SERVER);
	while (!announced(&w))
		turns(all, 1, until);
	liar_open(&l, 66);
	check_ok(wire_join_peer(l.wire, peer_key(w.n), &e), &e);
	wire_flush(l.wire);
	while (l.conn == NULL || w.joined == 0) {
		turns(all, 1, until);
		liar_turn(&l);
	}
	say_nonsense(&l);
	while (l.conn != NULL || w.left == 0) {
		turns(all, 1, until);
		liar_turn(&l);
	}
	joined = w.joined;
	/* it tries again by itself, and gets no answer */
	l.failed = 0;
	check(l.opened == 1);
	side_open(&r, 0);
	join(&r, PEER_CLIENT);
	until_block(all, 2, &r, 3);
	check_ok(wire_refresh(l.wire, NULL, &e), &e);
	wire_flush(l.wire);
	while (l.failed == 0) {
		turns(all, 2, until);
		liar_turn(&l);
	}
	check(l.opened == 1 && w.joined == joined + 1);
	liar_close(&l);
	side_close(&r);
	side_close(&w);
}

/* The end in the middle of everything: dials, handshakes, punches. */
static void
closed_in_between(void **state)
{
	struct side w = {0}, *all[] = {&w};
	uint64_t until = peer_now() + PATIENCE;
	struct err e = ERR_INIT;

	(void)state;
	side_open(&w, 50);
	join(&w, PEER_SERVER);
	while (!announced(&w))
		turns(all, 1, until);
	for (uint8_t i = 0; i < 12; i++) {
		struct liar l = {NULL};

		liar_open(&l, (uint8_t)(100 + i));
		check_ok(wire_join_peer(l.wire, peer_key(w.n), &e), &e);
		wire_flush(l.wire);
		for (uint8_t k = 0; k < i && l.opened == 0; k++) {
			turns(all, 1, until);
			wire_wait(l.wire, peer_now() + 500);
			liar_turn(&l);
		}
		liar_close(&l);
	}
	side_close(&w);
}

static int
begin(void **state)
{
	(void)state;
	town_open(&town);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	town_close(&town);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(takes_back, begin, end),
	    cmocka_unit_test_setup_teardown(by_topic, begin, end),
	    cmocka_unit_test_setup_teardown(late_server, begin, end),
	    cmocka_unit_test_setup_teardown(all_dial_all, begin, end),
	    cmocka_unit_test_setup_teardown(by_key, begin, end),
	    cmocka_unit_test_setup_teardown(comes_again, begin, end),
	    cmocka_unit_test_setup_teardown(no_network, begin, end),
	    cmocka_unit_test_setup_teardown(remembers, begin, end),
	    cmocka_unit_test_setup_teardown(up_limit, begin, end),
	    cmocka_unit_test_setup_teardown(bans, begin, end),
	    cmocka_unit_test_setup_teardown(closed_in_between, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
