/* Those who break the rules, and the end in the middle of everything. Real
 * sockets and threads, as in test_find.c. */
#include "side.h"

#include "peer/wire.h"

#define PATIENCE SIDE_PATIENCE

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

	side_pair(&l->pair, who);
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
	side_join(&w, PEER_SERVER);
	while (!side_announced(&w))
		side_turns(all, 1, until);
	liar_open(&l, 66);
	check_ok(wire_join_peer(l.wire, peer_key(w.n), &e), &e);
	wire_flush(l.wire);
	while (l.conn == NULL || w.joined == 0) {
		side_turns(all, 1, until);
		liar_turn(&l);
	}
	say_nonsense(&l);
	while (l.conn != NULL || w.left == 0) {
		side_turns(all, 1, until);
		liar_turn(&l);
	}
	joined = w.joined;
	/* it tries again by itself, and gets no answer */
	l.failed = 0;
	check(l.opened == 1);
	side_open(&r, 0);
	side_join(&r, PEER_CLIENT);
	side_until_block(all, 2, &r, 3);
	check_ok(wire_refresh(l.wire, NULL, &e), &e);
	wire_flush(l.wire);
	while (l.failed == 0) {
		side_turns(all, 2, until);
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
	side_join(&w, PEER_SERVER);
	while (!side_announced(&w))
		side_turns(all, 1, until);
	for (uint8_t i = 0; i < 12; i++) {
		struct liar l = {NULL};

		liar_open(&l, (uint8_t)(100 + i));
		check_ok(wire_join_peer(l.wire, peer_key(w.n), &e), &e);
		wire_flush(l.wire);
		for (uint8_t k = 0; k < i && l.opened == 0; k++) {
			side_turns(all, 1, until);
			wire_wait(l.wire, peer_now() + 500);
			liar_turn(&l);
		}
		liar_close(&l);
	}
	side_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(bans, side_begin, side_end),
	    cmocka_unit_test_setup_teardown(
		closed_in_between, side_begin, side_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
