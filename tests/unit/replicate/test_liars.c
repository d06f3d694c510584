/* liars: peers that claim what they do not have, prove what is not so, or do
 * not answer (W8 to W10, W18). Nothing wrong is stored, the liar loses the
 * core, and whoever is honest finishes the work. */
#include "plot.h"

#define BLOCKS 200

/* A replica that wants all, a true store, and a peer that lies about it. */
struct plot {
	struct net n;
	struct side truth, b;
	struct core *c; /* of the truth */
	struct replicate_core *rc;
	struct foe f;
	struct line l;
};

static void
plot_begin(struct plot *p)
{
	memset(p, 0, sizeof(*p));
	p->rc = plot_meet(&p->n, &p->truth, &p->b, &p->f, BLOCKS);
	p->c = fix_core(&p->truth.f, CORE_READ);
}

/* Honest for the head. */
static void
plot_head(struct plot *p)
{
	foe_honest(p->c, &p->f.q[0], proof, &value);
	foe_data(&p->f, p->f.q[0].id, proof);
	foe_turn(&p->n, &p->f);
	check(p->f.rc == ERR_OK && p->f.nq > 1);
	p->n.now += 600000; /* and durable */
	foe_turn(&p->n, &p->f);
	check(p->f.sync.length == BLOCKS);
}

/* An honest peer comes, and all is well. */
static void
plot_end(struct plot *p)
{
	struct replicate_status st;

	net_join(&p->n, &p->l, &p->truth, &p->b, 2000);
	for (int i = 0; i < 200; i++) {
		net_run(&p->n, NET_SECOND / 10);
		foe_turn(&p->n, &p->f);
	}
	net_run(&p->n, NET_SECOND);
	replicate_status(p->rc, &st);
	check(!st.conflict && st.wanted == 0 && st.outstanding == 0);
	net_whole(&p->b, BLOCKS);
	core_close(p->c);
	foe_leave(&p->n, &p->f);
	net_close(&p->n);
}

/* -- proofs (W10) --------------------------------------------------------- */

static void
flip_value(struct core_proof *p)
{
	value.data[0] ^= 1;
	p->block = buf_view(&value);
}

static void
longer_value(struct core_proof *p)
{
	buf_byte(&value, 0);
	p->block = buf_view(&value);
}

static void
empty_value(struct core_proof *p)
{
	p->block = VIEW_EMPTY;
}

static void
flip_node(struct core_proof *p)
{
	p->block_nodes.node[0].hash.b[7] ^= 1;
}

static void
other_size(struct core_proof *p)
{
	p->block_nodes.node[0].size++;
}

static void
other_index(struct core_proof *p)
{
	p->block_nodes.node[0].index += 2;
}

static void
fewer_nodes(struct core_proof *p)
{
	p->block_nodes.n--;
}

static void
more_nodes(struct core_proof *p)
{
	p->block_nodes.node[p->block_nodes.n] = p->block_nodes.node[0];
	p->block_nodes.n++;
}

static void
many_nodes(struct core_proof *p)
{
	while (p->block_nodes.n < CORE_PROOF_NODES_MAX) {
		p->block_nodes.node[p->block_nodes.n] =
		    p->block_nodes.node[p->block_nodes.n - 1];
		p->block_nodes.n++;
	}
}

static void
test_wrong_blocks(void **state)
{
	static void (*const wrong[])(struct core_proof *) = {flip_value,
	    longer_value, empty_value, flip_node, other_size, other_index,
	    fewer_nodes, more_nodes, many_nodes};
	struct replicate_status st;
	struct plot p;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		plot_begin(&p);
		plot_head(&p);
		foe_honest(p.c, &p.f.q[1], proof, &value);
		check(proof->block_nodes.n > 1);
		wrong[i](proof);
		foe_data(&p.f, p.f.q[1].id, proof);
		foe_turn(&p.n, &p.f);
		check(p.f.rc == ERR_OK);
		check(p.b.event[REPLICATE_BLAMED] == 1 && p.b.text[0] != '\0');
		/* all its requests are gone, and it has to show its history */
		replicate_status(p.rc, &st);
		check(st.outstanding == 0 && p.f.heard[MESSAGE_CANCEL] > 0);
		check(p.f.q[p.f.nq - 1].id == 0 &&
		      p.f.q[p.f.nq - 1].part.has_upgrade);
		check(st.head.contiguous == 0);
		plot_end(&p);
	}
}

static void
bad_signature(struct core_proof *p)
{
	static uint8_t copy[256];

	check(p->signature.len < sizeof(copy));
	memcpy(copy, p->signature.ptr, p->signature.len);
	copy[5] ^= 1;
	p->signature.ptr = copy;
}

static void
no_signature(struct core_proof *p)
{
	p->signature = VIEW_EMPTY;
}

static void
shorter(struct core_proof *p)
{
	p->upgrade_length--;
}

static void
bad_root(struct core_proof *p)
{
	p->upgrade_nodes.node[0].hash.b[0] ^= 1;
}

static void
other_manifest(struct core_proof *p)
{
	static struct manifest m;

	m = *p->manifest;
	m.signer[0].pub.b[0] ^= 1;
	p->manifest = &m;
}

static void
test_wrong_heads(void **state)
{
	static void (*const wrong[])(struct core_proof *) = {
	    bad_signature, no_signature, shorter, bad_root, other_manifest};
	struct replicate_status st;
	struct plot p;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		plot_begin(&p);
		foe_honest(p.c, &p.f.q[0], proof, &value);
		wrong[i](proof);
		foe_data(&p.f, p.f.q[0].id, proof);
		foe_turn(&p.n, &p.f);
		check(p.f.rc == ERR_OK && p.b.event[REPLICATE_BLAMED] == 1);
		replicate_status(p.rc, &st);
		check(st.head.length == 0 && st.outstanding == 0);
		plot_end(&p);
	}
}

/* Answers nobody asked for, of another request, and twice. */
static void
test_unasked(void **state)
{
	struct replicate_peer_stats st;
	struct plot p;

	(void)state;
	plot_begin(&p);
	plot_head(&p);
	foe_honest(p.c, &p.f.q[1], proof, &value);
	proof->block_index = 151;
	foe_data(&p.f, p.f.q[1].id, proof); /* the wrong block */
	foe_data(&p.f, 999, proof);	    /* no request */
	foe_data(&p.f, p.f.q[1].id, proof); /* over already */
	proof->block_index = 0;
	foe_data(&p.f, 0, proof); /* pushed */
	foe_no_data(&p.f, 1000, 1);
	foe_no_data(&p.f, 0, 77);
	foe_turn(&p.n, &p.f);
	check(p.f.rc == ERR_OK);
	replicate_peer_stats(p.f.peer, &st);
	check(st.wasted >= 3 && st.blocks_in == 0);
	plot_end(&p);
}

/* -- claims (W8, W9) ------------------------------------------------------ */

/* Has everything by its own word, and refuses everything. */
static void
test_refuses(void **state)
{
	struct replicate_status st;
	struct plot p;
	size_t done = 1;

	(void)state;
	plot_begin(&p);
	plot_head(&p);
	for (int i = 0; i < 100 && done < p.f.nq; i++) {
		foe_no_data(&p.f, p.f.q[done++].id, 1);
		foe_turn(&p.n, &p.f);
	}
	/* 32 of one kind are enough; then nothing more is asked */
	check(done == p.f.nq && p.f.nq < 60);
	check(p.b.event[REPLICATE_BLAMED] == 1);
	replicate_status(p.rc, &st);
	check(st.outstanding == 0);
	plot_end(&p);
}

/* Says nothing any more: after its time others are asked. */
static void
test_silent(void **state)
{
	struct plot p;

	(void)state;
	plot_begin(&p);
	plot_end(&p); /* not even the head */
	plot_begin(&p);
	plot_head(&p);
	plot_end(&p);
}

/* Lengths and forks without measure. */
static void
test_absurd(void **state)
{
	static const struct {
		uint64_t fork, length, acked;
	} row[] = {{0, DEC_UINT_MAX, 0}, {0, DEC_UINT_MAX, DEC_UINT_MAX},
	    {DEC_UINT_MAX, DEC_UINT_MAX, 0}, {1, 5, 0}, {0, 3, 0}, {0, 0, 0},
	    {7, 0, 0}, {0, BLOCKS + 1, BLOCKS}};
	struct plot p;

	(void)state;
	plot_begin(&p);
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		foe_sync(&p.f, row[i].fork, row[i].length, row[i].acked);
		foe_range(&p.f, false, 0, row[i].length);
		foe_range(&p.f, false, 1, DEC_UINT_MAX);
		foe_range(&p.f, true, 5, DEC_UINT_MAX);
		foe_turn(&p.n, &p.f);
		check(p.f.rc == ERR_OK);
		while (p.f.nq > 0)
			foe_no_data(&p.f, p.f.q[--p.f.nq].id, 2);
		foe_turn(&p.n, &p.f);
		check(p.f.rc == ERR_OK);
	}
	plot_end(&p);
}

/* Another opinion every moment about what it has. */
static void
test_flips(void **state)
{
	struct plot p;

	(void)state;
	plot_begin(&p);
	plot_head(&p);
	for (uint64_t i = 0; i < 500; i++) {
		foe_range(&p.f, i % 2 == 0, 0, BLOCKS);
		if (i % 50 == 0)
			foe_sync(&p.f, 0, BLOCKS + i % 3, BLOCKS);
		p.n.now += 1000;
		foe_turn(&p.n, &p.f);
		check(p.f.rc == ERR_OK && p.f.nq < 1000);
	}
	plot_end(&p);
}

/* 60 that crawl and are asked first, one that does not: it is found, and does
 * the work. */
static void
test_crawlers(void **state)
{
	static struct side a[61], b;
	static struct line l[61];
	struct replicate_core *c;
	struct replicate_status st;
	struct err e = ERR_INIT;
	struct net n = {0};

	(void)state;
	net_side(&n, &b, false, NULL);
	c = net_open(&b);
	for (int i = 0; i < 61; i++) {
		net_side(&n, &a[i], true, NULL);
		net_fill(&a[i], 4000);
		net_join(&n, &l[i], &a[i], &b, 3000);
	}
	net_run(&n, NET_SECOND);
	for (int i = 1; i < 61; i++)
		l[i].rate = 0.00001;
	l[0].rate = 2;
	check_ok(replicate_download(c, 0, UINT64_MAX, &e), &e);
	net_run(&n, 5 * NET_SECOND);
	replicate_status(c, &st);
	check(st.head.contiguous == 4000);
	net_whole(&b, 4000);
	net_close(&n);
}

/* From now on, an end that says nothing: its frames are lost. */
static bool
hush(struct line *l, int i, struct view frame)
{
	(void)frame;
	return i != 0 || l->ctx == NULL;
}

/* Peers that claim all and never answer, known for longer than the honest one
 * whose answers take their time: whatever they are asked for is taken from
 * them in good time, and they do not get all of it again. */
static void
test_waits(void **state)
{
	static const struct {
		uint64_t blocks, latency, seconds;
		int liars;
		bool needs; /* the reader asks for one after the other */
	} row[] = {
	    {40, 1000, 3, 1, false},
	    {40, 100000, 3, 1, false},
	    {40, 600000, 8, 1, false},
	    {24, 600000, 8, 1, false},
	    {40, 600000, 8, 1, true},
	    {40, 1000, 3, 1, true},
	    {17, 2000000, 20, 1, false},
	    {150, 300000, 8, 5, false},
	    {150, 300000, 12, 5, true},
	    {2, 300000, 8, 8, false},
	};
	static struct side a[9], b;
	static struct line l[9];
	struct replicate_core *c;
	struct want w = {.kind = WANT_BLOCK};
	struct err e = ERR_INIT;
	uint64_t end;
	struct net n = {0};

	(void)state;
	for (size_t k = 0; k < sizeof(row) / sizeof(*row); k++) {
		net_side(&n, &b, false, NULL);
		c = net_open(&b);
		for (int i = 0; i <= row[k].liars; i++) {
			net_side(&n, &a[i], true, NULL);
			net_fill(&a[i], row[k].blocks);
			net_join(&n, &l[i], &a[i], &b,
			    i < row[k].liars ? 1000 : row[k].latency);
			l[i].see = hush;
		}
		replicate_follow(c, true);
		net_run(&n, 10 * NET_SECOND);
		check(core_head(replicate_core_handle(c))->length ==
		      row[k].blocks);
		for (int i = 0; i < row[k].liars; i++)
			l[i].ctx = &l[i];
		end = n.now + row[k].seconds * NET_SECOND;
		check_ok(replicate_download(c, 0, UINT64_MAX, &e), &e);
		for (w.index = 0; row[k].needs && w.index < row[k].blocks;) {
			check_ok(replicate_need(c, &w, &e), &e);
			if (replicate_here(c, &w))
				w.index++;
			else
				net_run(&n, 20000);
			check(n.now < end);
		}
		net_run(&n, end - n.now);
		net_whole(&b, row[k].blocks);
		net_close(&n);
	}
}

/* -- two histories -------------------------------------------------------- */

/* Another writer with the same key and other blocks. */
static void
fill_other(struct side *d, uint64_t length)
{
	struct core *c = fix_core(&d->f, CORE_WRITE);
	struct core_batch *batch = fix_batch(c);
	struct err e = ERR_INIT;

	for (uint64_t i = 0; i < length; i++)
		check_ok(
		    core_batch_append(batch, view_str("other"), NULL, &e), &e);
	fix_commit(batch);
	core_batch_free(batch);
	core_close(c);
}

static void
test_conflict(void **state)
{
	struct side a, other, b;
	struct line l[2];
	struct replicate_core *c;
	struct replicate_status st;
	struct err e = ERR_INIT;
	struct net n = {0};

	(void)state;
	net_side(&n, &a, true, NULL);
	net_side(&n, &other, true, NULL);
	net_side(&n, &b, false, NULL);
	net_fill(&a, 10);
	fill_other(&other, 20);
	c = net_open(&b);
	check_ok(replicate_download(c, 0, UINT64_MAX, &e), &e);
	net_join(&n, &l[0], &a, &b, 1000);
	net_run(&n, NET_SECOND);
	net_whole(&b, 10);
	net_join(&n, &l[1], &other, &b, 1000);
	net_run(&n, 5 * NET_SECOND);
	replicate_status(c, &st);
	check(st.conflict && st.head.length == 10 && st.peers == 0);
	check(b.event[REPLICATE_CONFLICT] == 1);
	net_whole(&b, 10);
	check_code(replicate_download(c, 0, 50, &e), ERR_CONFLICT);
	/* who was shown both knows it as well */
	check(a.event[REPLICATE_CONFLICT] == 0);
	check(other.event[REPLICATE_CONFLICT] == 1);
	/* and nobody can open it here any more */
	net_drop(&n, &l[0]);
	net_join(&n, &l[0], &a, &b, 1000);
	net_open(&a);
	net_run(&n, NET_SECOND);
	check(a.event[REPLICATE_REJECTED] == 1);
	net_close(&n);
}

/* A writer takes no history from others, however well signed. */
static void
test_writer(void **state)
{
	struct want w = {.kind = WANT_LENGTH, .index = 15};
	struct side a, b;
	struct line l;
	struct replicate_core *c;
	struct replicate_status st;
	struct err e = ERR_INIT;
	struct net n = {0};

	(void)state;
	net_side(&n, &a, true, NULL);
	net_side(&n, &b, true, NULL);
	net_fill(&a, 20);
	net_fill(&b, 10);
	c = net_open(&b);
	replicate_follow(c, true);
	check_ok(replicate_download(c, 0, UINT64_MAX, &e), &e);
	check_code(replicate_download(c, 0, 11, &e), ERR_READONLY);
	check_code(replicate_need(c, &w, &e), ERR_READONLY);
	replicate_reach(c, 15);
	net_join(&n, &l, &a, &b, 1000);
	net_run(&n, 5 * NET_SECOND);
	replicate_status(c, &st);
	check(st.head.length == 10 && st.longest == 20);
	check(b.event[REPLICATE_REMOTE] >= 1 && a.uploaded == 0);
	net_whole(&b, 10);
	net_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wrong_blocks),
	    cmocka_unit_test(test_wrong_heads),
	    cmocka_unit_test(test_unasked),
	    cmocka_unit_test(test_refuses),
	    cmocka_unit_test(test_silent),
	    cmocka_unit_test(test_absurd),
	    cmocka_unit_test(test_flips),
	    cmocka_unit_test(test_crawlers),
	    cmocka_unit_test(test_waits),
	    cmocka_unit_test(test_conflict),
	    cmocka_unit_test(test_writer),
	};

	return cmocka_run_group_tests(tests, plot_setup, plot_teardown);
}
