/* forks: replicas follow writers that truncated, and keep what is common. */
#include "net.h"

/* Cut the writer to `keep` blocks and append `more` others. */
static void
rewrite(struct side *d, uint64_t keep, uint64_t more)
{
	struct core *c = fix_core(&d->f, CORE_WRITE);
	struct core_batch *b = fix_batch(c);
	struct err e = ERR_INIT;
	char text[64];

	check_ok(core_batch_truncate(b, keep, &e), &e);
	for (uint64_t i = 0; i < more; i++) {
		snprintf(text, sizeof(text), "fork %llu block %llu",
		    (unsigned long long)core_batch_fork(b),
		    (unsigned long long)i);
		check_ok(core_batch_append(b, view_str(text), NULL, &e), &e);
	}
	fix_commit(b);
	core_batch_free(b);
	core_close(c);
}

/* Both hold the same, block by block. */
static void
same(struct side *a, struct side *b)
{
	struct err e = ERR_INIT;
	struct buf x, y;
	struct want w;
	struct core *p, *q;

	check_ok(store_refresh(a->f.s, &e), &e);
	check_ok(store_refresh(b->f.s, &e), &e);
	p = fix_core(&a->f, CORE_READ);
	q = fix_core(&b->f, CORE_READ);
	check(core_head(p)->fork == core_head(q)->fork);
	check(core_head(p)->length == core_head(q)->length);
	check(core_head(q)->contiguous == core_head(q)->length);
	buf_init(&x, 1 << 20);
	buf_init(&y, 1 << 20);
	for (uint64_t i = 0; i < core_head(p)->length; i++) {
		buf_reset(&x);
		buf_reset(&y);
		check_ok(core_get(p, i, &x, &w, &e), &e);
		check_ok(core_get(q, i, &y, &w, &e), &e);
		check_same(buf_view(&x), buf_view(&y));
	}
	check_ok(core_verify(q, &e), &e);
	buf_deinit(&x);
	buf_deinit(&y);
	core_close(p);
	core_close(q);
}

static void
changed(struct net *n, struct side *d)
{
	struct err e = ERR_INIT;

	check_ok(replicate_changed(d->r, NULL, n->now, &e), &e);
}

struct lab {
	struct net n;
	struct side a, b;
	struct line l;
	struct replicate_core *c;
};

/* A replica that is whole at this length. */
static void
lab_begin(struct lab *t, uint64_t length)
{
	struct err e = ERR_INIT;

	memset(t, 0, sizeof(*t));
	net_side(&t->n, &t->a, true, NULL);
	net_side(&t->n, &t->b, false, NULL);
	net_fill(&t->a, length);
	t->c = net_open(&t->b);
	check_ok(replicate_download(t->c, 0, UINT64_MAX, &e), &e);
	net_join(&t->n, &t->l, &t->a, &t->b, 2000);
	net_run(&t->n, NET_SECOND);
	net_whole(&t->b, length);
	t->a.uploaded = 0;
}

static void
lab_end(struct lab *t)
{
	net_close(&t->n);
}

/* Truncated while connected; at every place. */
static void
test_live(void **state)
{
	struct lab t;

	(void)state;
	for (uint64_t keep = 0; keep <= 11; keep++) {
		lab_begin(&t, 11);
		rewrite(&t.a, keep, 2);
		changed(&t.n, &t.a);
		net_run(&t.n, 3 * NET_SECOND);
		same(&t.a, &t.b);
		check(t.b.event[REPLICATE_BLAMED] == 0);
		/* what is common was not fetched again */
		check(t.a.uploaded == 2);
		lab_end(&t);
	}
}

/* Truncated while nobody looked; shorter, longer, much longer. */
static void
test_later(void **state)
{
	static const uint64_t row[][2] = {
	    {5, 2}, {100, 900}, {999, 1}, {1000, 50}, {0, 1}, {512, 0}};
	struct lab t;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		lab_begin(&t, 1000);
		net_drop(&t.n, &t.l);
		rewrite(&t.a, row[i][0], row[i][1]);
		changed(&t.n, &t.a);
		t.n.nlines = 0;
		net_join(&t.n, &t.l, &t.a, &t.b, 2000);
		net_run(&t.n, 5 * NET_SECOND);
		same(&t.a, &t.b);
		check(t.a.uploaded == row[i][1]);
		lab_end(&t);
	}
}

/* Several forks in a row, and a peer that has only the old one. */
static void
test_again(void **state)
{
	struct side old;
	struct line l;
	struct lab t;

	(void)state;
	lab_begin(&t, 40);
	net_side(&t.n, &old, true, NULL);
	net_fill(&old, 40);
	net_join(&t.n, &l, &old, &t.b, 2000);
	for (uint64_t i = 0; i < 5; i++) {
		rewrite(&t.a, 30 - i, 20);
		changed(&t.n, &t.a);
		net_run(&t.n, 3 * NET_SECOND);
		same(&t.a, &t.b);
	}
	check(t.b.event[REPLICATE_CONFLICT] == 0);
	check(t.b.event[REPLICATE_BLAMED] == 0);
	lab_end(&t);
}

/* From nothing to a core that is on a higher fork already. */
static void
test_first(void **state)
{
	struct replicate_core *c;
	struct err e = ERR_INIT;
	struct side a, b;
	struct line l;
	struct net n = {0};

	(void)state;
	net_side(&n, &a, true, NULL);
	net_side(&n, &b, false, NULL);
	net_fill(&a, 30);
	rewrite(&a, 12, 30);
	rewrite(&a, 20, 3);
	changed(&n, &a);
	c = net_open(&b);
	check_ok(replicate_download(c, 0, UINT64_MAX, &e), &e);
	net_join(&n, &l, &a, &b, 2000);
	net_run(&n, 3 * NET_SECOND);
	same(&a, &b);
	net_close(&n);
}

/* While a download is under way, passed on to a third. */
static void
test_under_way(void **state)
{
	struct replicate_core *c;
	struct err e = ERR_INIT;
	struct side third;
	struct line l;
	struct lab t;

	(void)state;
	lab_begin(&t, 10);
	net_side(&t.n, &third, false, NULL);
	c = net_open(&third);
	check_ok(replicate_download(c, 0, UINT64_MAX, &e), &e);
	net_join(&t.n, &l, &t.b, &third, 2000);
	t.l.rate = 0.05;
	net_fill(&t.a, 2000);
	changed(&t.n, &t.a);
	net_run(&t.n, NET_SECOND);
	rewrite(&t.a, 1000, 10);
	changed(&t.n, &t.a);
	net_run(&t.n, 60 * NET_SECOND);
	same(&t.a, &t.b);
	same(&t.a, &third);
	lab_end(&t);
}

/* Whoever wants nothing of the core does not follow: the lock is not taken. */
static void
test_idle(void **state)
{
	struct lab t;
	struct replicate_status st;

	(void)state;
	lab_begin(&t, 10);
	replicate_forget(t.c);
	rewrite(&t.a, 4, 1);
	changed(&t.n, &t.a);
	net_run(&t.n, 3 * NET_SECOND);
	replicate_status(t.c, &st);
	check(st.head.fork == 0 && st.head.length == 10);
	replicate_follow(t.c, true);
	net_run(&t.n, 3 * NET_SECOND);
	replicate_status(t.c, &st);
	check(st.head.fork == 1 && st.head.length == 5);
	check(st.head.contiguous == 4);
	lab_end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_live),
	    cmocka_unit_test(test_later),
	    cmocka_unit_test(test_again),
	    cmocka_unit_test(test_first),
	    cmocka_unit_test(test_under_way),
	    cmocka_unit_test(test_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
