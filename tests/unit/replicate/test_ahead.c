/* ahead: frames that come together. Each answer is judged for itself, in its
 * turn, whatever was computed before and however frames are cut. */
#include "plot.h"

#define BLOCKS 40
#define FRAMES 64

/* A replica that has the head and has asked for blocks; who answers. */
struct plot {
	struct net n;
	struct side truth, b;
	struct core *c; /* of the truth */
	struct foe f;
	size_t first; /* of the requests for blocks */
	uint8_t *data[FRAMES];
	struct view frame[FRAMES];
	size_t nframes;
};

static void
plot_begin(struct plot *p)
{
	memset(p, 0, sizeof(*p));
	(void)plot_meet(&p->n, &p->truth, &p->b, &p->f, BLOCKS);
	p->c = fix_core(&p->truth.f, CORE_READ);
	foe_honest(p->c, &p->f.q[0], proof, &value);
	foe_data(&p->f, p->f.q[0].id, proof);
	foe_turn(&p->n, &p->f);
	p->first = 1;
	check(p->f.rc == ERR_OK && p->f.nq > 12);
}

static void
plot_end(struct plot *p)
{
	for (size_t i = 0; i < p->nframes; i++)
		free(p->data[i]);
	core_close(p->c);
	foe_leave(&p->n, &p->f);
	net_close(&p->n);
}

/* What was said is a frame now. */
static void
cut(struct plot *p)
{
	size_t len;

	while (mux_take(p->f.mux, &p->data[p->nframes], &len)) {
		p->frame[p->nframes] =
		    view_of(p->data[p->nframes] + MUX_FRAME_HEAD, len);
		p->nframes++;
	}
}

static const struct message_request *
asked(const struct plot *p, size_t i)
{
	return &p->f.q[p->first + i];
}

/* Answer request i; a bit of the block is wrong if `flip`. */
static void
say(struct plot *p, size_t i, bool flip)
{
	foe_honest(p->c, asked(p, i), proof, &value);
	if (flip) {
		value.data[value.len - 1] ^= 1;
		proof->block = buf_view(&value);
	}
	foe_data(&p->f, asked(p, i)->id, proof);
}

static void
deliver(struct plot *p)
{
	struct err e = ERR_INIT;

	cut(p);
	check_ok(replicate_peer_recv_all(
		     p->f.peer, p->frame, p->nframes, p->n.now, &e),
	    &e);
}

static struct replicate_peer_stats
stats(const struct plot *p)
{
	struct replicate_peer_stats st;

	replicate_peer_stats(p->f.peer, &st);
	return st;
}

/* Twelve answers, in frames of `each`; number `wrong` is a lie. */
static void
one_wrong(size_t each, size_t wrong)
{
	const size_t count = 12;
	struct err e = ERR_INIT;
	struct plot p;
	struct core *c;

	plot_begin(&p);
	for (size_t i = 0; i < count; i++) {
		say(&p, i, i == wrong);
		if ((i + 1) % each == 0)
			cut(&p);
	}
	deliver(&p);
	/* what comes behind the lie was not asked for any more */
	check(stats(&p).blocks_in == (wrong < count ? wrong : count));
	net_events(&p.b);
	check(p.b.event[REPLICATE_BLAMED] == (wrong < count));
	p.n.now += NET_SECOND;
	foe_turn(&p.n, &p.f);
	check_ok(store_refresh(p.b.f.s, &e), &e);
	c = fix_core(&p.b.f, CORE_READ);
	check_ok(core_verify(c, &e), &e);
	for (size_t i = 0; i < count; i++)
		check(
		    core_has(c, asked(&p, i)->part.block_index) == (i < wrong));
	core_close(c);
	plot_end(&p);
}

static void
test_one_wrong(void **state)
{
	(void)state;
	for (size_t wrong = 0; wrong <= 12; wrong++)
		for (size_t each = 1; each <= 12; each += 1 + each / 2)
			one_wrong(each, wrong);
}

/* The same answer twice, answers to nothing, and other messages between. */
static void
test_mixed(void **state)
{
	struct plot p;

	(void)state;
	plot_begin(&p);
	say(&p, 0, false);
	say(&p, 0, false);
	cut(&p);
	foe_range(&p.f, false, 0, BLOCKS);
	say(&p, 1, false);
	foe_honest(p.c, asked(&p, 2), proof, &value);
	foe_data(&p.f, 900, proof);
	cut(&p);
	/* asked for, but as the answer to another question */
	foe_data(&p.f, asked(&p, 3)->id, proof);
	foe_no_data(&p.f, asked(&p, 4)->id, MESSAGE_NOT_AVAILABLE);
	say(&p, 5, false);
	say(&p, 2, false);
	deliver(&p);
	check(stats(&p).blocks_in == 4);
	check(stats(&p).wasted == 3);
	plot_end(&p);
}

/* Frames behind one that breaks the protocol are not looked into. */
static void
test_broken(void **state)
{
	static const uint8_t junk[] = {0, 0, 0xff};
	struct err e = ERR_INIT;
	struct plot p;

	(void)state;
	plot_begin(&p);
	say(&p, 0, false);
	cut(&p);
	say(&p, 1, false);
	cut(&p);
	check(p.nframes == 2);
	p.frame[2] = p.frame[1];
	p.frame[1] = view_of(junk, sizeof(junk));
	check_code(replicate_peer_recv_all(p.f.peer, p.frame, 3, p.n.now, &e),
	    ERR_FORMAT);
	check(stats(&p).blocks_in == 1);
	plot_end(&p);
}

/* The same memory with other bytes is another block:  true answers are looked
 * at and left, because the frame before them is broken. A lie that comes in
 * their place is found. */
static void
test_reused(void **state)
{
	static const uint8_t junk[] = {0, 0, 0xff};
	struct err e = ERR_INIT;
	struct plot p;
	uint8_t *last;

	(void)state;
	plot_begin(&p);
	say(&p, 0, false);
	say(&p, 1, false);
	cut(&p);
	check(p.nframes == 1);
	p.frame[1] = p.frame[0];
	p.frame[0] = view_of(junk, sizeof(junk));
	check_code(replicate_peer_recv_all(p.f.peer, p.frame, 2, p.n.now, &e),
	    ERR_FORMAT);
	check(stats(&p).blocks_in == 0);
	/* the last byte of the first block, in front of its nodes */
	foe_honest(p.c, asked(&p, 0), proof, &value);
	last = memmem(p.data[0], p.frame[1].len, value.data, value.len);
	check(last != NULL);
	last[value.len - 1] ^= 1;
	check_ok(replicate_peer_recv(p.f.peer, p.frame[1], p.n.now, &e), &e);
	net_events(&p.b);
	check(stats(&p).blocks_in == 0);
	check(p.b.event[REPLICATE_BLAMED] == 1);
	plot_end(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_wrong),
	    cmocka_unit_test(test_mixed),
	    cmocka_unit_test(test_broken),
	    cmocka_unit_test(test_reused),
	};

	return cmocka_run_group_tests(tests, plot_setup, plot_teardown);
}
