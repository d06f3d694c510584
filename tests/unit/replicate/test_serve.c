/* serve: requests of all kinds, cancelled, too many, and nonsense (W11). */
#include "foe.h"

#define BLOCKS 600

static void
start(struct net *n, struct side *a, struct foe *f)
{
	net_side(n, a, true, NULL);
	net_fill(a, BLOCKS);
	foe_join(n, f, a);
	foe_sync(f, 0, 0, 0);
	foe_turn(n, f);
	check(f->rc == ERR_OK && f->sync.length == BLOCKS);
	check(!f->sync.downloading && f->sync.uploading);
	check(f->range.start == 0 && f->range.length == BLOCKS);
}

static void
stop(struct net *n, struct foe *f)
{
	foe_leave(n, f);
	net_close(n);
}

static void
test_answers(void **state)
{
	struct message_request up = {.id = 5,
	    .part = {.has_upgrade = true,
		.upgrade_length = BLOCKS,
		.manifest = true}};
	struct side a;
	struct foe f;
	struct net n = {0};

	(void)state;
	start(&n, &a, &f);
	foe_request(&f, &up);
	foe_turn(&n, &f);
	check(f.heard[MESSAGE_DATA] == 1 && f.data_id == 5);
	check(f.proof->has_upgrade && f.proof->manifest != NULL);
	foe_block(&f, 7, 3, 0);
	foe_turn(&n, &f);
	check(f.heard[MESSAGE_DATA] == 2 && f.data_id == 7);
	check(f.proof->has_block && f.proof->block_nodes.n == 0);
	check(a.uploaded == 1);
	/* another fork, and a manifest asked for along with it */
	up.fork = 3;
	foe_request(&f, &up);
	foe_turn(&n, &f);
	check(f.heard[MESSAGE_DATA] == 3 && f.proof->manifest != NULL);
	check(!f.proof->has_upgrade && f.proof->fork == 0);
	up.part.manifest = false;
	foe_request(&f, &up);
	foe_turn(&n, &f);
	check(f.heard[MESSAGE_NO_DATA] == 1 && f.no.id == 5);
	check(f.no.reason == MESSAGE_NOT_AVAILABLE);
	stop(&n, &f);
}

static void
test_not_here(void **state)
{
	struct err e = ERR_INIT;
	struct side a;
	struct foe f;
	struct net n = {0};
	struct core *c;

	(void)state;
	start(&n, &a, &f);
	c = fix_core(&a.f, CORE_WRITE);
	check_ok(core_clear(c, 40, 50, &e), &e);
	core_close(c);
	check_ok(replicate_changed(a.r, NULL, n.now, &e), &e);
	foe_turn(&n, &f);
	check(f.range.drop && f.range.start == 40 && f.range.length == 10);
	foe_block(&f, 1, 45, 0);
	foe_turn(&n, &f);
	check(f.no.id == 1 && f.no.reason == MESSAGE_NOT_AVAILABLE);
	foe_block(&f, 2, BLOCKS, 0);
	foe_turn(&n, &f);
	check(f.no.id == 2 && f.no.reason == MESSAGE_NOT_AVAILABLE);
	foe_block(&f, 3, DEC_UINT_MAX, DEC_UINT_MAX);
	foe_turn(&n, &f);
	check(f.no.id == 3 && f.no.reason == MESSAGE_NOT_AVAILABLE);
	check(f.rc == ERR_OK);
	stop(&n, &f);
}

/* Cancelled before there was credit, ids used twice, what is urgent first. */
static void
test_queue(void **state)
{
	struct message_request urgent = {.id = 9,
	    .priority = 1,
	    .part = {.has_block = true, .block_index = 77}};
	struct message_want want = {0, 1 << 21, false};
	struct err e = ERR_INIT;
	struct replicate_peer_stats st;
	struct side a;
	struct foe f;
	struct net n = {0};
	uint8_t *data;
	size_t len;
	bool more;

	(void)state;
	start(&n, &a, &f);
	foe_block(&f, 1, 1, 0);
	foe_block(&f, 2, 2, 0);
	foe_block(&f, 1, 3, 0);
	message_put_cancel(foe_begin(&f, MESSAGE_CANCEL), 2);
	foe_end(&f);
	message_put_cancel(foe_begin(&f, MESSAGE_CANCEL), 99);
	foe_end(&f);
	message_put_want(foe_begin(&f, MESSAGE_WANT), &want);
	foe_end(&f);
	foe_request(&f, &urgent);
	replicate_peer_credit(f.peer, 0);
	while (mux_take(f.mux, &data, &len)) {
		check_ok(replicate_peer_recv(f.peer,
			     view_of(data + MUX_FRAME_HEAD, len), n.now, &e),
		    &e);
		free(data);
	}
	check_ok(replicate_step(a.r, n.now, &more, &e), &e);
	check(!more);
	replicate_peer_stats(f.peer, &st);
	check(st.queued == 3 && st.blocks_out == 0);
	f.heard[MESSAGE_RANGE] = 0;
	foe_turn(&n, &f);
	replicate_peer_stats(f.peer, &st);
	check(st.queued == 0 && st.blocks_out == 2);
	check(f.heard[MESSAGE_DATA] == 2 && f.heard[MESSAGE_RANGE] == 1);
	check(f.data_id == 1 && f.proof->block_index == 3);
	stop(&n, &f);
}

/* More open requests than anybody needs. */
static void
test_too_many(void **state)
{
	struct err e = ERR_INIT;
	struct side a;
	struct foe f;
	struct net n = {0};
	enum err_code rc = ERR_OK;
	uint8_t *data;
	size_t len;
	int sent = 0;

	(void)state;
	start(&n, &a, &f);
	replicate_peer_credit(f.peer, 0);
	while (rc == ERR_OK && sent < 10000) {
		foe_block(&f, (uint64_t)++sent, 1, 0);
		check(mux_take(f.mux, &data, &len));
		rc = replicate_peer_recv(
		    f.peer, view_of(data + MUX_FRAME_HEAD, len), n.now, &e);
		free(data);
	}
	check(rc == ERR_LIMIT);
	check(sent > REPLICATE_REQUESTS_MAX &&
	      sent <= REPLICATE_REQUESTS_MAX + 17);
	replicate_peer_remove(f.peer, n.now);
	f.peer = NULL;
	stop(&n, &f);
}

/* Asked and cancelled for ever: nothing piles up. */
static void
test_cancel_storm(void **state)
{
	struct replicate_peer_stats st;
	struct err e = ERR_INIT;
	struct side a;
	struct foe f;
	struct net n = {0};
	uint8_t *data;
	size_t len;

	(void)state;
	start(&n, &a, &f);
	replicate_peer_credit(f.peer, 0);
	for (uint64_t i = 1; i <= 20000; i++) {
		foe_block(&f, i * 3, i % BLOCKS, 0);
		message_put_cancel(foe_begin(&f, MESSAGE_CANCEL), i * 3);
		foe_end(&f);
		check(mux_take(f.mux, &data, &len));
		check_ok(replicate_peer_recv(f.peer,
			     view_of(data + MUX_FRAME_HEAD, len), n.now, &e),
		    &e);
		free(data);
	}
	replicate_peer_stats(f.peer, &st);
	check(st.queued == 0);
	foe_turn(&n, &f);
	check(f.heard[MESSAGE_DATA] == 0 && f.heard[MESSAGE_NO_DATA] == 0);
	stop(&n, &f);
}

/* Nonsense is answered late, later each time, and not for ever. */
static void
test_nonsense(void **state)
{
	static const struct core_request part[] = {
	    {.has_upgrade = true, .upgrade_length = BLOCKS + 1},
	    {.has_upgrade = true, .upgrade_start = BLOCKS},
	    {.has_upgrade = true,
		.upgrade_start = DEC_UINT_MAX,
		.upgrade_length = DEC_UINT_MAX},
	    {.has_hash = true, .hash_index = DEC_UINT_MAX},
	    {.has_hash = true, .hash_index = 6, .hash_nodes = 60},
	    {.has_block = true, .block_nodes = 50},
	    {.has_block = true, .has_hash = true},
	    {.has_seek = true, .seek_bytes = 7},
	};
	struct message_request q = {.id = 1};
	struct side a;
	struct foe f;
	struct net n = {0};
	uint64_t due;

	(void)state;
	start(&n, &a, &f);
	for (unsigned i = 0; i < REPLICATE_INVALID_MAX - 1; i++) {
		q.part = part[i % 8];
		q.id = i + 1;
		foe_request(&f, &q);
		foe_turn(&n, &f);
		check(f.rc == ERR_OK && f.heard[MESSAGE_NO_DATA] == i);
		due = replicate_deadline(a.r);
		check(due >= n.now + 200000 && due <= n.now + 5000000);
		n.now = due;
		foe_turn(&n, &f);
		check(f.heard[MESSAGE_NO_DATA] == i + 1);
		check(f.no.id == i + 1 && f.no.reason == MESSAGE_NOT_VALID);
	}
	foe_request(&f, &q);
	foe_turn(&n, &f);
	foe_sync(&f, 0, 0, 0);
	foe_turn(&n, &f);
	check(f.rc == ERR_LIMIT && f.peer == NULL);
	stop(&n, &f);
}

/* Wants of every shape; then new blocks are told. */
static void
test_wants(void **state)
{
	static const struct message_want shape[] = {{0, 1 << 21, false},
	    {DEC_UINT_MAX, 1 << 21, false}, {0, DEC_UINT_MAX, false},
	    {3, 5, false}, {0, 0, false}, {DEC_UINT_MAX, DEC_UINT_MAX, true},
	    {1 << 21, 1 << 21, false}, {64, 32, false}, {7, 0, true}};
	struct side a, b;
	struct replicate_core *c;
	struct err e = ERR_INIT;
	struct line l;
	struct foe f;
	struct net n = {0};

	(void)state;
	net_side(&n, &a, true, NULL);
	net_side(&n, &b, false, NULL);
	net_fill(&a, BLOCKS);
	c = net_open(&b);
	check_ok(replicate_download(c, 100, 132, &e), &e);
	net_join(&n, &l, &a, &b, 1000);
	net_run(&n, NET_SECOND);
	foe_join(&n, &f, &b);
	foe_sync(&f, 0, 0, 0);
	foe_turn(&n, &f);
	check(f.heard[MESSAGE_RANGE] == 0); /* far from whole */
	for (size_t i = 0; i < sizeof(shape) / sizeof(*shape); i++) {
		message_put_want(foe_begin(&f, MESSAGE_WANT), &shape[i]);
		foe_end(&f);
		foe_turn(&n, &f);
		check(f.rc == ERR_OK);
		if (i == 0)
			check(f.heard[MESSAGE_BITFIELD] == 1);
	}
	check(f.heard[MESSAGE_BITFIELD] <= 3 && f.heard[MESSAGE_RANGE] == 0);
	check_ok(replicate_download(c, 200, 210, &e), &e);
	net_run(&n, NET_SECOND);
	foe_turn(&n, &f);
	check(f.heard[MESSAGE_RANGE] == 1);
	check(f.range.start == 200 && f.range.length == 10);
	/* whole at last: told once, all of it */
	check_ok(replicate_download(c, 0, BLOCKS, &e), &e);
	net_run(&n, NET_SECOND);
	foe_turn(&n, &f);
	check(f.range.start == 0 && f.range.length == BLOCKS);
	stop(&n, &f);
}

/* Two that ask: each gets its share, block by block. */
static void
test_fair(void **state)
{
	struct side a;
	struct foe f[2];
	struct net n = {0};
	struct err e = ERR_INIT;
	uint8_t *data;
	size_t len;
	bool more;

	(void)state;
	net_side(&n, &a, true, NULL);
	net_fill(&a, BLOCKS);
	for (int k = 0; k < 2; k++) {
		foe_join(&n, &f[k], &a);
		foe_turn(&n, &f[k]);
		for (uint64_t i = 1; i <= 400; i++)
			foe_block(&f[k], i, i, 0);
		replicate_peer_credit(f[k].peer, 0);
		while (mux_take(f[k].mux, &data, &len)) {
			check_ok(
			    replicate_peer_recv(f[k].peer,
				view_of(data + MUX_FRAME_HEAD, len), n.now, &e),
			    &e);
			free(data);
		}
	}
	replicate_peer_credit(f[0].peer, 1 << 20);
	replicate_peer_credit(f[1].peer, 1 << 20);
	check_ok(replicate_step(a.r, n.now, &more, &e), &e);
	check(more);
	for (int k = 0; k < 2; k++) {
		struct replicate_peer_stats st;

		replicate_peer_stats(f[k].peer, &st);
		check(st.blocks_out >= 100 && st.blocks_out <= 200);
	}
	foe_leave(&n, &f[0]);
	stop(&n, &f[1]);
}

/* Cores nobody opened here: served if they are stored, and then let go. */
static void
test_served(void **state)
{
	struct replicate_opts quiet = {.serve = false};
	struct side a, b;
	struct foe f;
	struct net n = {0};

	(void)state;
	start(&n, &a, &f);
	check(replicate_find(a.r, &a.f.key) == NULL);
	check(replicate_each(a.r, NULL) == NULL);
	foe_leave(&n, &f);
	net_run(&n, NET_SECOND);
	check(replicate_deadline(a.r) == UINT64_MAX);
	net_side(&n, &b, true, &quiet);
	net_fill(&b, 3);
	foe_join(&n, &f, &b);
	foe_turn(&n, &f);
	check(f.closed == 1 && f.heard[MESSAGE_SYNC] == 0);
	foe_leave(&n, &f);
	net_open(&b);
	foe_join(&n, &f, &b);
	foe_turn(&n, &f);
	check(f.closed == 0 && f.sync.length == 3 && f.sync.downloading);
	stop(&n, &f);
}

static void
say_done(struct foe *f)
{
	const struct message_sync m = {
	    .uploading = true, .length = BLOCKS, .remote_length = BLOCKS};

	message_put_sync(foe_begin(f, MESSAGE_SYNC), &m);
	foe_end(f);
}

/* Neither wants anything: the channel goes, unless somebody here uses the
 * core, or channels are to be kept. */
static void
test_idle(void **state)
{
	struct replicate_opts keep = {.serve = true, .keep = true};
	struct side a, b;
	struct foe f;
	struct net n = {0};

	(void)state;
	start(&n, &a, &f);
	say_done(&f);
	foe_turn(&n, &f);
	check(f.closed == 1 && f.rc == ERR_OK);
	foe_leave(&n, &f);
	net_side(&n, &b, true, &keep);
	net_fill(&b, BLOCKS);
	foe_join(&n, &f, &b);
	say_done(&f);
	foe_turn(&n, &f);
	check(f.closed == 0);
	foe_leave(&n, &f);
	net_open(&a);
	foe_join(&n, &f, &a);
	foe_turn(&n, &f);
	say_done(&f);
	foe_turn(&n, &f);
	check(f.closed == 0);
	/* it closes on its own: opened again, as often as is sane */
	for (int i = 0; i < 100 && f.ch != NULL; i++) {
		mux_close(f.mux, f.ch);
		f.ch = NULL;
		f.opens = true;
		foe_turn(&n, &f);
		if (f.ch == NULL)
			break;
		say_done(&f);
		foe_turn(&n, &f);
	}
	check(f.opened >= 10 && f.opened <= 64 && f.rc == ERR_OK);
	stop(&n, &f);
}

/* A used core that nobody here uses any more is let go at the remote, too. */
static void
test_closed_here(void **state)
{
	struct replicate_core *c;
	struct side a;
	struct foe f;
	struct net n = {0};

	(void)state;
	net_side(&n, &a, true, NULL);
	net_fill(&a, BLOCKS);
	c = net_open(&a);
	foe_join(&n, &f, &a);
	foe_turn(&n, &f);
	check(f.sync.length == BLOCKS && f.closed == 0);
	replicate_close(c);
	foe_turn(&n, &f);
	check(f.closed == 1 && a.event[REPLICATE_CLOSED] == 1);
	check(replicate_find(a.r, &a.f.key) == NULL);
	/* and served again if it is asked for */
	foe_leave(&n, &f);
	foe_join(&n, &f, &a);
	foe_turn(&n, &f);
	check(f.sync.length == BLOCKS && !f.sync.downloading);
	stop(&n, &f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_not_here),
	    cmocka_unit_test(test_queue),
	    cmocka_unit_test(test_too_many),
	    cmocka_unit_test(test_cancel_storm),
	    cmocka_unit_test(test_nonsense),
	    cmocka_unit_test(test_wants),
	    cmocka_unit_test(test_fair),
	    cmocka_unit_test(test_served),
	    cmocka_unit_test(test_idle),
	    cmocka_unit_test(test_closed_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
