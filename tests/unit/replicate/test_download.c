/* download: all, in part, live, from many, with peers that stop. */
#include "net.h"

static void
download(struct replicate_core *c, uint64_t start, uint64_t end)
{
	struct err e = ERR_INIT;

	check_ok(replicate_download(c, start, end, &e), &e);
}

static struct replicate_status
status(struct replicate_core *c)
{
	struct replicate_status st;

	replicate_status(c, &st);
	return st;
}

/* A writer of this length and an empty side. */
static void
pair(struct net *n, struct side *a, struct side *b, uint64_t length)
{
	net_side(n, a, true, NULL);
	net_side(n, b, false, NULL);
	if (length > 0)
		net_fill(a, length);
}

static void
append(struct net *n, struct side *a, uint64_t blocks)
{
	struct err e = ERR_INIT;

	net_fill(a, blocks);
	check_ok(replicate_changed(a->r, NULL, n->now, &e), &e);
}

static void
test_all(void **state)
{
	static const uint64_t lengths[] = {1, 2, 7, 20, 300, 3000};
	struct replicate_core *c;
	struct replicate_status st;
	struct side a, b;
	struct line l;
	struct net n = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		pair(&n, &a, &b, lengths[i]);
		c = net_open(&b);
		download(c, 0, UINT64_MAX);
		net_join(&n, &l, &a, &b, 20000);
		net_run(&n, NET_SECOND);
		st = status(c);
		check(st.head.length == lengths[i] && st.wanted == 0);
		check(st.outstanding == 0 && st.peers == 1 && st.full == 1);
		check(b.blocks == lengths[i] && a.uploaded == lengths[i]);
		check(b.event[REPLICATE_DONE] == 1);
		check(st.blocks_in == lengths[i]);
		net_whole(&b, lengths[i]);
		net_close(&n);
	}
}

/* Ranges that touch, overlap and repeat; only they are fetched. */
static void
test_sparse(void **state)
{
	static const uint64_t range[][2] = {{500, 510}, {100, 130}, {120, 150},
	    {150, 151}, {98, 101}, {500, 510}, {0, 1}, {999, 1000}};
	static bool want[1000];
	struct replicate_core *c;
	struct side a, b;
	struct line l;
	struct net n = {0};
	uint64_t sum = 0;

	(void)state;
	pair(&n, &a, &b, 1000);
	c = net_open(&b);
	for (size_t i = 0; i < sizeof(range) / sizeof(*range); i++) {
		download(c, range[i][0], range[i][1]);
		for (uint64_t k = range[i][0]; k < range[i][1]; k++)
			want[k] = true;
	}
	for (size_t i = 0; i < 1000; i++)
		sum += want[i];
	check(status(c).wanted == sum);
	net_join(&n, &l, &a, &b, 5000);
	net_run(&n, NET_SECOND);
	check(status(c).wanted == 0 && b.event[REPLICATE_DONE] == 1);
	for (uint64_t i = 0; i < 1000; i++)
		check(core_has(replicate_core_handle(c), i) == want[i]);
	check(a.uploaded == sum);
	/* what is here is not fetched twice */
	download(c, 95, 155);
	net_run(&n, NET_SECOND);
	check(status(c).wanted == 0 && a.uploaded == sum + 7);
	net_close(&n);
}

/* One block that a read waits for; when it reads on, also those behind. */
static void
test_need(void **state)
{
	struct want w = {.kind = WANT_BLOCK, .index = 700};
	struct replicate_core *c;
	struct err e = ERR_INIT;
	struct side a, b;
	struct line l;
	struct net n = {0};

	(void)state;
	pair(&n, &a, &b, 2000);
	c = net_open(&b);
	w.key = b.f.key;
	check(!replicate_here(c, &w));
	check_ok(replicate_need(c, &w, &e), &e);
	check_ok(replicate_need(c, &w, &e), &e);
	net_join(&n, &l, &a, &b, 10000);
	net_run(&n, NET_SECOND);
	check(replicate_here(c, &w) && status(c).wanted == 0);
	check(b.event[REPLICATE_DONE] >= 1);
	check(a.uploaded == 1);
	w.index = 701;
	check_ok(replicate_need(c, &w, &e), &e);
	net_run(&n, NET_SECOND);
	check(core_has(replicate_core_handle(c), 710));
	check(!core_has(replicate_core_handle(c), 699));
	check(a.uploaded >= 16 && a.uploaded <= 66);
	/* a node: by a block below it */
	w.kind = WANT_NODE;
	w.index = flat_index(3, 10);
	check(!replicate_here(c, &w));
	check_ok(replicate_need(c, &w, &e), &e);
	net_run(&n, NET_SECOND);
	check(replicate_here(c, &w));
	check(core_has(replicate_core_handle(c), 80));
	/* a length that is here, and one that comes to be */
	w.kind = WANT_LENGTH;
	w.index = 2000;
	check(replicate_here(c, &w));
	w.index = 2001;
	check_ok(replicate_need(c, &w, &e), &e);
	append(&n, &a, 1);
	net_run(&n, NET_SECOND);
	check(replicate_here(c, &w));
	net_close(&n);
}

/* A read that waits is served before a long download. */
static void
test_need_first(void **state)
{
	struct want w = {.kind = WANT_BLOCK, .index = 19000};
	struct replicate_core *c;
	struct err e = ERR_INIT;
	struct side a, b;
	struct line l;
	struct net n = {0};

	(void)state;
	pair(&n, &a, &b, 20000);
	c = net_open(&b);
	w.key = b.f.key;
	download(c, 0, UINT64_MAX);
	net_join(&n, &l, &a, &b, 10000);
	l.rate = 0.5; /* 4 seconds for all of it */
	net_run(&n, NET_SECOND);
	check(status(c).wanted > 10000);
	check_ok(replicate_need(c, &w, &e), &e);
	net_run(&n, NET_SECOND / 2);
	check(replicate_here(c, &w) && status(c).wanted > 10000);
	net_run(&n, 60 * NET_SECOND);
	net_whole(&b, 20000);
	net_close(&n);
}

/* Appends arrive while connected; and before there is anything at all. */
static void
test_live(void **state)
{
	struct replicate_core *c;
	struct side a, b;
	struct line l;
	struct net n = {0};

	(void)state;
	pair(&n, &a, &b, 0);
	c = net_open(&b);
	download(c, 0, UINT64_MAX);
	net_join(&n, &l, &a, &b, 10000);
	net_run(&n, NET_SECOND);
	check(status(c).peers == 1 && status(c).head.length == 0);
	for (uint64_t i = 1; i <= 12; i++) {
		append(&n, &a, i);
		net_run(&n, NET_SECOND / 4);
		check(status(c).head.length == i * (i + 1) / 2);
		check(status(c).head.contiguous == i * (i + 1) / 2);
	}
	net_whole(&b, 78);
	check(b.event[REPLICATE_HEAD] == 12);
	net_close(&n);
}

/* Only the length: no block is fetched. */
static void
test_follow(void **state)
{
	struct replicate_core *c;
	struct side a, b;
	struct line l;
	struct net n = {0};

	(void)state;
	pair(&n, &a, &b, 50);
	c = net_open(&b);
	replicate_follow(c, true);
	net_join(&n, &l, &a, &b, 10000);
	net_run(&n, NET_SECOND);
	check(status(c).head.length == 50 && status(c).head.contiguous == 0);
	append(&n, &a, 5);
	net_run(&n, NET_SECOND);
	check(status(c).head.length == 55 && a.uploaded == 0);
	replicate_follow(c, false);
	append(&n, &a, 5);
	net_run(&n, NET_SECOND);
	check(status(c).head.length == 55 && status(c).longest == 60);
	replicate_reach(c, 58);
	net_run(&n, NET_SECOND);
	check(status(c).head.length == 60 && b.event[REPLICATE_DONE] >= 2);
	net_close(&n);
}

/* Three seeders share the work; the download is of one piece. */
static void
test_many(void **state)
{
	struct replicate_core *c;
	struct side a[3], b;
	struct line l[3];
	struct net n = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		net_side(&n, &a[i], true, NULL);
		net_fill(&a[i], 5000);
	}
	net_side(&n, &b, false, NULL);
	c = net_open(&b);
	download(c, 0, 5000);
	for (int i = 0; i < 3; i++) {
		net_join(&n, &l[i], &a[i], &b, 5000);
		l[i].rate = 0.3;
	}
	net_run(&n, 5 * NET_SECOND);
	check(status(c).head.contiguous == 5000);
	net_whole(&b, 5000);
	for (int i = 0; i < 3; i++)
		check(a[i].uploaded > 1000);
	/* little was sent twice */
	check(a[0].uploaded + a[1].uploaded + a[2].uploaded < 5300);
	net_close(&n);
}

/* A peer that crawls holds up nobody: what it was asked for is asked again,
 * and the loser is cancelled. */
static void
test_steal(void **state)
{
	struct replicate_core *c;
	struct side a[2], b;
	struct line l[2];
	struct net n = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		net_side(&n, &a[i], true, NULL);
		net_fill(&a[i], 3000);
	}
	net_side(&n, &b, false, NULL);
	c = net_open(&b);
	download(c, 0, 3000);
	net_join(&n, &l[0], &a[0], &b, 5000);
	net_join(&n, &l[1], &a[1], &b, 5000);
	net_run(&n, 11000);  /* both have said what they have */
	l[1].rate = 0.00001; /* ten bytes a second */
	net_run(&n, 2 * NET_SECOND);
	check(status(c).head.contiguous == 3000);
	check(b.event[REPLICATE_DONE] == 1);
	net_whole(&b, 3000);
	net_close(&n);
}

/* A connection that ends gives its requests back. */
static void
test_dies(void **state)
{
	struct replicate_core *c;
	struct side a[2], b;
	struct line l[2];
	struct net n = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		net_side(&n, &a[i], true, NULL);
		net_fill(&a[i], 4000);
	}
	net_side(&n, &b, false, NULL);
	c = net_open(&b);
	download(c, 0, UINT64_MAX);
	for (int i = 0; i < 2; i++) {
		net_join(&n, &l[i], &a[i], &b, 20000);
		l[i].rate = 0.05;
	}
	net_run(&n, 200000);
	check(status(c).outstanding > 0 && status(c).wanted > 0);
	net_drop(&n, &l[0]);
	check(status(c).peers == 1);
	net_run(&n, 80 * NET_SECOND);
	net_whole(&b, 4000);
	/* and when the last one goes, nothing is outstanding */
	append(&n, &a[1], 4000);
	net_run(&n, 200000);
	check(status(c).outstanding > 0);
	net_drop(&n, &l[1]);
	check(status(c).outstanding == 0 && status(c).peers == 0);
	check(status(c).wanted > 0);
	net_close(&n);
}

/* A download goes on where it was, in a new process, from a partial copy. */
static void
test_resume(void **state)
{
	struct replicate_opts o = {.serve = true};
	struct replicate_core *c;
	struct err e = ERR_INIT;
	struct side a, b;
	struct line l;
	struct net n = {0};
	uint64_t before;

	(void)state;
	pair(&n, &a, &b, 5000);
	c = net_open(&b);
	download(c, 0, UINT64_MAX);
	net_join(&n, &l, &a, &b, 5000);
	l.rate = 0.05;
	net_run(&n, 2 * NET_SECOND);
	net_drop(&n, &l);
	check_ok(replicate_flush(b.r, n.now, &e), &e);
	before = status(c).head.contiguous;
	check(before > 100 && before < 5000);
	replicate_free(b.r);
	fix_again(&b.f);
	check_ok(replicate_new(&b.r, b.f.s, &o, &e), &e);
	c = net_open(&b);
	download(c, 0, UINT64_MAX);
	check(status(c).head.length == 5000);
	a.uploaded = 0;
	net_join(&n, &l, &a, &b, 5000);
	net_run(&n, 120 * NET_SECOND);
	net_whole(&b, 5000);
	check(a.uploaded == 5000 - before);
	net_close(&n);
}

/* A seeder that has forgotten some blocks says so; another one has them. */
static void
test_cleared(void **state)
{
	struct replicate_core *c;
	struct err e = ERR_INIT;
	struct side a[2], b;
	struct line l[2];
	struct net n = {0};
	struct core *core;

	(void)state;
	for (int i = 0; i < 2; i++) {
		net_side(&n, &a[i], true, NULL);
		net_fill(&a[i], 600);
	}
	net_side(&n, &b, false, NULL);
	core = fix_core(&a[0].f, CORE_WRITE);
	check_ok(core_clear(core, 100, 300, &e), &e);
	core_close(core);
	check_ok(replicate_changed(a[0].r, NULL, 0, &e), &e);
	c = net_open(&b);
	download(c, 0, 600);
	net_join(&n, &l[0], &a[0], &b, 5000);
	net_run(&n, 3 * NET_SECOND);
	check(status(c).head.length == 600 && status(c).wanted == 200);
	check(status(c).available == 0 && status(c).outstanding == 0);
	check(!core_has(replicate_core_handle(c), 100));
	check(core_has(replicate_core_handle(c), 599));
	net_join(&n, &l[1], &a[1], &b, 5000);
	net_run(&n, 3 * NET_SECOND);
	net_whole(&b, 600);
	check(a[1].uploaded == 200);
	net_close(&n);
}

/* Blocks are forgotten while connected: told, and not asked for any more. */
static void
test_cleared_live(void **state)
{
	struct replicate_core *c, *ca;
	uint64_t length, contiguous, fork;
	struct err e = ERR_INIT;
	struct side a, b;
	struct line l;
	struct net n = {0};
	struct core *core;
	struct b32 key;

	(void)state;
	pair(&n, &a, &b, 600);
	c = net_open(&b);
	replicate_follow(c, true);
	net_join(&n, &l, &a, &b, 5000);
	net_run(&n, NET_SECOND);
	check(replicate_remote(c, 0, &key, &length, &contiguous, &fork));
	check(length == 600 && contiguous == 600 && fork == 0);
	check(!replicate_remote(c, 1, &key, &length, &contiguous, &fork));
	core = fix_core(&a.f, CORE_WRITE);
	check_ok(core_clear(core, 10, 20, &e), &e);
	check_ok(core_clear(core, 40, 41, &e), &e);
	core_close(core);
	ca = net_open(&a);
	check_ok(replicate_changed(a.r, ca, n.now, &e), &e);
	net_run(&n, NET_SECOND);
	check(replicate_remote(c, 0, &key, &length, &contiguous, &fork));
	check(contiguous == 10);
	download(c, 0, 600);
	net_run(&n, 3 * NET_SECOND);
	check(status(c).wanted == 11 && a.uploaded == 589);
	net_close(&n);
}

/* A chain: the middle passes on what it gets, as it gets it. */
static void
test_chain(void **state)
{
	struct replicate_core *c[2];
	struct side a, b[2];
	struct line l[2];
	struct net n = {0};

	(void)state;
	net_side(&n, &a, true, NULL);
	net_fill(&a, 3000);
	for (int i = 0; i < 2; i++) {
		net_side(&n, &b[i], false, NULL);
		c[i] = net_open(&b[i]);
		download(c[i], 0, UINT64_MAX);
	}
	net_join(&n, &l[0], &a, &b[0], 5000);
	net_join(&n, &l[1], &b[0], &b[1], 5000);
	l[0].rate = 0.2;
	net_run(&n, 10 * NET_SECOND);
	net_whole(&b[0], 3000);
	net_whole(&b[1], 3000);
	check(a.uploaded == 3000 && b[0].uploaded == 3000);
	check(status(c[0]).full == 2 && status(c[1]).full == 1);
	append(&n, &a, 100);
	net_run(&n, 3 * NET_SECOND);
	net_whole(&b[1], 3100);
	net_close(&n);
}

/* The lock is free whenever nothing is fetched; who holds it is named. */
static void
test_lock(void **state)
{
	struct want w = {.kind = WANT_BLOCK, .index = 120};
	struct replicate_core *c;
	struct err e = ERR_INIT;
	struct side a, b;
	struct line l;
	struct net n = {0};
	struct core *core;

	(void)state;
	pair(&n, &a, &b, 100);
	c = net_open(&b);
	download(c, 0, UINT64_MAX);
	net_join(&n, &l, &a, &b, 5000);
	net_run(&n, NET_SECOND);
	net_whole(&b, 100);
	core = fix_core(&b.f, CORE_REPLICA);
	check_code(replicate_need(c, &w, &e), ERR_LOCKED);
	append(&n, &a, 50);
	net_run(&n, NET_SECOND);
	check(status(c).head.length == 100);
	check(b.event[REPLICATE_TROUBLE] == 1 && b.text[0] != '\0');
	core_close(core);
	net_run(&n, 3 * NET_SECOND);
	net_whole(&b, 150);
	check(b.event[REPLICATE_TROUBLE] == 1);
	net_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_sparse),
	    cmocka_unit_test(test_need),
	    cmocka_unit_test(test_need_first),
	    cmocka_unit_test(test_live),
	    cmocka_unit_test(test_follow),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_steal),
	    cmocka_unit_test(test_dies),
	    cmocka_unit_test(test_resume),
	    cmocka_unit_test(test_cleared),
	    cmocka_unit_test(test_cleared_live),
	    cmocka_unit_test(test_chain),
	    cmocka_unit_test(test_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
