/* cuts: twenty peers of which none has everything, and whose lines are cut
 * and mended at random each second. Whatever one of them has, all come to
 * have, and never does a long time pass in which nobody gets anything. */
#include "net.h"
#include "support/dice.h"

#define PEERS 20
#define LINES (2 * PEERS) /* two rings: to the next, and to one far away */
#define FAR 7
#define BLOCKS 400
#define PIECE 8
#define PATIENCE 30 /* seconds without a new block anywhere */

struct cuts {
	struct net n;
	struct side writer, peer[PEERS];
	struct replicate_core *c[PEERS];
	struct line given[PEERS], line[LINES];
	bool up[LINES];
};

/* A part of it each, every piece to somebody; then the writer is gone. */
static void
hand_out(struct cuts *s)
{
	struct err e = ERR_INIT;

	for (int i = 0; i < PEERS; i++) {
		net_side(&s->n, &s->peer[i], false, NULL);
		s->c[i] = net_open(&s->peer[i]);
		replicate_follow(s->c[i], true);
		net_join(&s->n, &s->given[i], &s->writer, &s->peer[i], 1000);
	}
	for (uint64_t at = 0; at < BLOCKS; at += PIECE) {
		int owner = (int)any(PEERS);

		for (int i = 0; i < PEERS; i++)
			if (i == owner || any(8) == 0)
				check_ok(replicate_download(
					     s->c[i], at, at + PIECE, &e),
				    &e);
	}
	net_run(&s->n, 20 * NET_SECOND);
	for (int i = 0; i < PEERS; i++) {
		check(s->peer[i].blocks > 0 && s->peer[i].blocks < BLOCKS);
		net_drop(&s->n, &s->given[i]);
	}
	s->n.nlines = 0;
}

static void
mend(struct cuts *s, int k)
{
	int a = k % PEERS, b = (a + (k < PEERS ? 1 : FAR)) % PEERS;

	/* a line is in the list of the net once, up or down */
	for (size_t i = 0; i < s->n.nlines; i++)
		if (s->n.line[i] == &s->line[k])
			s->n.line[i] = s->n.line[--s->n.nlines];
	net_join(&s->n, &s->line[k], &s->peer[a], &s->peer[b], any(150000));
	s->line[k].rate = any(2) == 0 ? 0.002 : 0.02;
	s->up[k] = true;
}

static void
shake(struct cuts *s)
{
	for (int k = 0; k < LINES; k++) {
		if (!s->up[k] && any(2) == 0) {
			mend(s, k);
		} else if (s->up[k] && any(3) == 0) {
			net_drop(&s->n, &s->line[k]);
			s->up[k] = false;
		}
	}
}

static uint64_t
here(const struct cuts *s)
{
	uint64_t sum = 0;

	for (int i = 0; i < PEERS; i++)
		sum += s->peer[i].blocks;
	return sum;
}

static void
one(uint64_t number)
{
	static struct cuts s;
	struct err e = ERR_INIT;
	uint64_t before, seconds = 0;
	int quiet = 0;

	memset(&s, 0, sizeof(s));
	dice = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
	net_side(&s.n, &s.writer, true, NULL);
	net_fill(&s.writer, BLOCKS);
	hand_out(&s);
	for (int i = 0; i < PEERS; i++)
		check_ok(replicate_download(s.c[i], 0, UINT64_MAX, &e), &e);
	while (here(&s) < PEERS * BLOCKS) {
		before = here(&s);
		shake(&s);
		net_run(&s.n, NET_SECOND);
		quiet = here(&s) > before ? 0 : quiet + 1;
		check(quiet < PATIENCE);
		seconds++;
	}
	fprintf(stderr, "cuts %llu: %llu s\n", (unsigned long long)number,
	    (unsigned long long)seconds);
	for (int i = 0; i < PEERS; i++) {
		check(s.peer[i].event[REPLICATE_BLAMED] == 0);
		check(s.peer[i].blocks == BLOCKS);
		net_whole(&s.peer[i], BLOCKS);
	}
	net_close(&s.n);
}

static void
test_cuts(void **state)
{
	const char *only = getenv("CUTS");

	(void)state;
	if (only != NULL) {
		one(strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t i = 1; i <= 4; i++)
		one(i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
