#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pair.h"

/* The filter against values kept in full: the largest of half a window is
 * never forgotten, and nothing is kept for two. */
static void
test_max_filter(void **state)
{
	uint64_t seen[1000], seed = 7;
	struct max_filter f = {0};

	(void)state;
	for (uint64_t t = 0; t < 1000; t++) {
		uint64_t best = 0, ever = 0;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		seen[t] = (seed >> 40) % (t > 500 ? 100 : 1000);
		udx_rate_max(&f, 10, t, seen[t]);
		for (uint64_t k = t > 20 ? t - 20 : 0; k <= t; k++) {
			if (t - k <= 4 && seen[k] > best)
				best = seen[k];
			if (seen[k] > ever)
				ever = seen[k];
		}
		check(f.s[0].value >= best && f.s[0].value <= ever);
		check(f.s[0].value >= f.s[1].value);
		check(f.s[1].value >= f.s[2].value);
	}
}

/* A line of that many bytes a second in front of the delay: what is sent
 * too early waits there. */
struct bottleneck {
	uint64_t rate, busy;
};

static bool
wait_in_line(struct pair *p, int from, const struct udx_packet *k, size_t len)
{
	struct bottleneck *b = p->ctx;
	uint64_t at;

	(void)k;
	p->delay = 10000;
	if (from != 0)
		return false;
	if (b->busy < p->now)
		b->busy = p->now;
	b->busy += (len + IP4_UDP) * SECOND / b->rate;
	/* the line is in order of arrival: the delay is that of the last */
	at = b->busy - p->now + 10000;
	p->delay = at;
	return false;
}

static struct udx_stats
run_bulk(uint64_t rate, size_t total, uint64_t *took)
{
	struct bottleneck b = {.rate = rate};
	struct udx_opts o = {.recv_window = 64u << 20};
	struct udx_stats s;
	struct pair p;

	pair_init_opts(&p, o, o);
	pair_connect(&p, 0);
	pair_connect(&p, 1);
	p.ctx = &b;
	p.drop = wait_in_line;
	*took = p.now;
	pair_write(&p, 0, total);
	while (p.got[1].len < total)
		check(pair_step(&p, p.now + 10 * (uint64_t)SECOND));
	*took = p.now - *took;
	s = pair_stats(&p, 0);
	check(s.timeouts == 0 && s.packets_resent == 0);
	pair_deinit(&p);
	return s;
}

/* It finds the rate of the line, fills it, and does not pile up. */
static void
test_finds_the_rate(void **state)
{
	static const uint64_t rates[] = {250000, 2500000, 25000000};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint64_t took, total = rates[i] * 8;
		struct udx_stats s = run_bulk(rates[i], total, &took);

		check(s.bandwidth > rates[i] * 95 / 100);
		check(s.bandwidth < rates[i] * 108 / 100);
		check(took < 9 * (uint64_t)SECOND);
		check(s.min_rtt_us >= 20000 && s.min_rtt_us < 30000);
		check(s.srtt_us < 80000);
	}
}

static struct sample
round_of(struct udx *u, uint64_t acked, uint64_t lost)
{
	struct sample s = {.valid = true,
	    .acked = acked,
	    .lost = lost,
	    .rtt = 20000,
	    .bandwidth = 10000000,
	    .flight_before = 200000};

	u->now += 20000;
	u->rate.delivered += acked;
	s.prior_delivered = u->cc.round_end;
	u->snd.una = u->snd.nxt;
	return s;
}

static void
rounds(struct udx *u, int n, uint64_t acked, uint64_t lost)
{
	for (int i = 0; i < n; i++) {
		struct sample s = round_of(u, acked, lost);

		udx_cc_acked(u, &s);
	}
}

/* One in ten lost at random holds nothing back; a third does. */
static void
test_losses(void **state)
{
	uint64_t before;
	struct pair p;
	struct udx *u;

	(void)state;
	pair_init(&p);
	u = p.u[0];
	rounds(u, 30, 200000, 0);
	check(u->cc.full && u->cc.mode == CC_PROBE_BW);
	before = u->cc.cwnd;
	rounds(u, 30, 180000, 20000);
	check(u->cc.cwnd >= before - before / 8 && u->cc.ceiling == 0);
	rounds(u, 3, 130000, 70000);
	check(u->cc.ceiling != 0 && u->cc.ceiling <= 175000);
	check(u->cc.cwnd <= u->cc.ceiling);
	rounds(u, 600, 200000, 0);
	check(u->cc.ceiling == 0 && u->cc.cwnd >= before - before / 8);
	pair_deinit(&p);
}

/* After a timeout one packet; when what was in flight is dealt with, the
 * window of before. */
static void
test_timeout(void **state)
{
	uint64_t before;
	struct pair p;
	struct udx *u;

	(void)state;
	pair_init(&p);
	u = p.u[0];
	rounds(u, 30, 200000, 0);
	before = u->cc.cwnd;
	u->snd.nxt = u->snd.una + 100;
	udx_cc_timeout(u);
	check(u->cc.cwnd == 1200);
	u->snd.una += 100;
	rounds(u, 1, 1200, 0);
	check(u->cc.cwnd >= before);
	pair_deinit(&p);
}

/* Ten seconds without a shorter round trip: less in flight for a while. */
static void
test_probe_rtt(void **state)
{
	uint64_t before;
	struct pair p;
	struct udx *u;
	bool probed = false;

	(void)state;
	pair_init(&p);
	u = p.u[0];
	rounds(u, 30, 200000, 0);
	before = u->cc.cwnd;
	for (int i = 0; i < 600; i++) {
		struct sample s = round_of(u, 200000, 0);

		s.rtt = 30000;
		udx_cc_acked(u, &s);
		if (u->cc.mode == CC_PROBE_RTT) {
			probed = true;
			check(u->cc.cwnd < before);
		}
	}
	check(probed && u->cc.mode == CC_PROBE_BW);
	check(u->cc.min_rtt == 30000);
	pair_deinit(&p);
}

/* No value of the clock or of the estimate overflows or divides by zero. */
static void
test_extremes(void **state)
{
	static const uint64_t rates[] = {0, 1, 1000, UINT64_MAX};
	struct pair p;
	struct udx *u;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		pair_init(&p);
		u = p.u[0];
		for (int n = 0; n < 50; n++) {
			struct sample s = round_of(u, 1500, 0);

			s.bandwidth = rates[i];
			s.rtt = n % 2 == 0 ? 1 : 3600 * (uint64_t)SECOND;
			udx_cc_acked(u, &s);
			u->now += (uint64_t)n << 40;
			udx_cc_refill(u);
			check(u->cc.pacing >= 10000);
			check(u->cc.cwnd >= 4 * 1200);
			check(u->cc.cwnd <= UINT32_MAX);
			check(udx_cc_burst(u) >= 12000);
			check(u->cc.tokens <= (int64_t)udx_cc_burst(u));
		}
		pair_deinit(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_max_filter),
	    cmocka_unit_test(test_finds_the_rate),
	    cmocka_unit_test(test_losses),
	    cmocka_unit_test(test_timeout),
	    cmocka_unit_test(test_probe_rtt),
	    cmocka_unit_test(test_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
