/*
 * sim [SEEDS]: two streams over a line whose every condition follows from a
 * seed, in virtual time; and a network of nodes (lookups.c). SEED=n repeats
 * one and says what it was, MESH=n a network. Ends with
 * "N passed, M failed".
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

#define SEEDS 1000
#define SECOND 1000000
#define MILLION 1000000

void
sim_count(struct sim_count *n, bool good)
{
	if (good)
		n->passed++;
	else
		n->failed++;
}

static uint64_t
one_of(struct line_random *r, const uint64_t *list, size_t n)
{
	return list[line_below(r, n)];
}

#define ONE_OF(r, ...) \
	one_of(r, (const uint64_t[]){__VA_ARGS__}, \
	    sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void
random_line(struct line_conf *l, struct line_random *r)
{
	l->delay = ONE_OF(r, 10, 100, 1000, 5000, 20000, 150000, 500000);
	l->loss = (uint32_t)ONE_OF(r, 0, 0, 1000, 10000, 50000, 100000, 300000);
	l->burst = (uint32_t)ONE_OF(r, 0, 0, 0, 500, 5000);
	l->burst_len = (uint32_t)ONE_OF(r, 5, 20, 100);
	l->duplicate = (uint32_t)ONE_OF(r, 0, 0, 0, 10000, 100000, MILLION);
	l->jitter = ONE_OF(r, 0, 0, 0, 100, 5000, 50000);
	l->rate = ONE_OF(r, 0, 0, 0, 100000, 2500000, 125000000);
	l->queue = ONE_OF(r, 20000, 37500, 500000);
	l->mtu = (uint32_t)ONE_OF(r, 0, 0, 0, 0, 576, 1280, 1400, 1500);
	l->mtu_from = ONE_OF(r, 0, 0, 0, 6 * SECOND);
	if (line_below(r, 5) == 0) {
		l->dark = 5 * SECOND + line_below(r, 3 * SECOND);
		l->dark_len = ONE_OF(r, 300000, 2000000, 10000000);
	}
}

static void
random_side(struct world_side *s, struct line_random *r)
{
	s->total = ONE_OF(r, 0, 1, 1152, 30000, 400000, 2000000);
	s->total = line_below(r, s->total + 1);
	s->write_max = ONE_OF(r, 1, 100, 5000, 131072);
	if (s->write_max == 1)
		s->total %= 2000;
	s->queue = ONE_OF(r, 1000, 262144, 4194304);
	s->end_delay = line_below(r, 3 * SECOND);
	s->credit_delay = ONE_OF(r, 0, 0, 10000, 1000000);
	s->timer = ONE_OF(r, 1, 1000, 1000, 10000);
	s->turn = ONE_OF(r, 0, 20, 500);
	s->opts.recv_window =
	    (uint32_t)ONE_OF(r, 0, 3000, 20000, 262144, 16777216);
	s->opts.segments_max = (uint16_t)ONE_OF(r, 0, 0, 1, 10);
	s->opts.keepalive_ms = (uint32_t)ONE_OF(r, 0, 0, 500);
}

static void
random_world(struct world_conf *c, uint64_t seed)
{
	struct line_random r = {seed * 7919 + 3};

	*c =
	    (struct world_conf){.seed = seed, .limit = 4000 * (uint64_t)SECOND};
	random_line(&c->line, &r);
	random_side(&c->side[0], &r);
	random_side(&c->side[1], &r);
}

/* A stream may die of what is done to it, but not of less. */
static bool
deadly(const struct line_conf *l)
{
	return l->loss >= 300000 || l->burst >= 5000 || l->dark_len > 0;
}

static const char *
verdict(const struct world_conf *c, const struct world_result *r)
{
	if (r->wrong_bytes)
		return "wrong bytes";
	if (r->storm)
		return "a storm of deadlines";
	if (r->stuck)
		return "stuck";
	for (int i = 0; i < 2; i++) {
		if (r->reason[i] == UDX_FINISHED && !r->complete[i])
			return "finished without all bytes";
		if (r->reason[i] != UDX_FINISHED && !deadly(&c->line))
			return "ended for no reason";
	}
	return NULL;
}

static void
describe(const struct world_conf *c, const struct world_result *r)
{
	const struct line_conf *l = &c->line;

	printf("  line: delay %llu us, jitter %llu, loss %u ppm, burst %u x "
	       "%u, dup %u, rate %llu, queue %llu, mtu %u from %llu, dark "
	       "%llu + %llu\n",
	    (unsigned long long)l->delay, (unsigned long long)l->jitter,
	    l->loss, l->burst, l->burst_len, l->duplicate,
	    (unsigned long long)l->rate, (unsigned long long)l->queue, l->mtu,
	    (unsigned long long)l->mtu_from, (unsigned long long)l->dark,
	    (unsigned long long)l->dark_len);
	for (int i = 0; i < 2; i++) {
		const struct world_side *s = &c->side[i];
		const struct udx_stats *t = &r->stats[i];

		printf("  side %d: %llu bytes by %llu, window %u, credit "
		       "%llu, timer %llu, turn %llu: %s, read %llu, sent "
		       "%llu, resent %llu, lost %llu (%llu), timeouts %llu, "
		       "probes %llu, mtu %u\n",
		    i, (unsigned long long)s->total,
		    (unsigned long long)s->write_max, s->opts.recv_window,
		    (unsigned long long)s->credit_delay,
		    (unsigned long long)s->timer, (unsigned long long)s->turn,
		    udx_reason_text(r->reason[i]),
		    (unsigned long long)r->read[i],
		    (unsigned long long)t->packets_sent,
		    (unsigned long long)t->packets_resent,
		    (unsigned long long)t->packets_lost,
		    (unsigned long long)r->lost_data[i],
		    (unsigned long long)t->timeouts,
		    (unsigned long long)t->tail_probes, t->mtu);
	}
	printf("  after %.3f s, trace %016llx\n", (double)r->ended_at / SECOND,
	    (unsigned long long)r->hash);
}

static bool
run_seed(uint64_t seed, bool tell)
{
	struct world_result r;
	struct world_conf c;
	const char *why;

	random_world(&c, seed);
	world_run(&c, &r);
	why = verdict(&c, &r);
	if (why != NULL)
		printf("seed %llu: %s; again: SEED=%llu make sim\n",
		    (unsigned long long)seed, why, (unsigned long long)seed);
	if (tell || why != NULL)
		describe(&c, &r);
	return why == NULL;
}

/* The same seed gives the same trace, another one another. */
static bool
deterministic(void)
{
	struct world_result a, b, other;
	struct world_conf c;
	bool differ = false;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		random_world(&c, seed);
		world_run(&c, &a);
		world_run(&c, &b);
		c.seed++;
		world_run(&c, &other);
		differ = differ || other.hash != a.hash;
		if (a.hash != b.hash || a.ended_at != b.ended_at) {
			printf("seed %llu: two traces\n",
			    (unsigned long long)seed);
			return false;
		}
	}
	return differ;
}

int
main(int argc, char **argv)
{
	const char *seed = getenv("SEED"), *mesh = getenv("MESH");
	uint64_t seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : SEEDS;
	struct sim_count n = {0, 0};

	if (seed != NULL) {
		sim_count(&n, run_seed(strtoull(seed, NULL, 10), true));
	} else if (mesh != NULL) {
		lookups_run(&n, strtoull(mesh, NULL, 10));
	} else {
		sim_count(&n, deterministic());
		for (uint64_t i = 1; i <= seeds; i++)
			sim_count(&n, run_seed(i, false));
		table_run(&n);
		share_run(&n);
		lookups_run(&n, 1);
	}
	printf("%u passed, %u failed\n", n.passed, n.failed);
	return n.failed == 0 ? 0 : 1;
}
