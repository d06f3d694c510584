#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pair.h"

#define LONG (60 * (uint64_t)SECOND)

/* Loses the packets whose numbers stand in ctx, the first time each. */
struct fate {
	uint32_t seq[8];
	uint32_t times[8]; /* how often yet */
	size_t n;
};

static bool
drop_listed(struct pair *p, int from, const struct udx_packet *k, size_t len)
{
	struct fate *f = p->ctx;

	(void)len;
	for (size_t i = 0; from == 0 && i < f->n; i++)
		if ((k->type & UDX_DATA) != 0 && k->seq == f->seq[i] &&
		    f->times[i] > 0) {
			f->times[i]--;
			return true;
		}
	return false;
}

static void
transfer(struct pair *p, struct fate *f, size_t n)
{
	pair_init(p);
	p->ctx = f;
	p->drop = drop_listed;
	pair_write(p, 0, n);
	udx_end(p->u[0]);
	udx_end(p->u[1]);
	pair_run(p, LONG);
	check(pair_is(p, 1, n));
	check(udx_reason(p->u[0]) == UDX_FINISHED);
}

/* Exactly what is lost is sent again, without waiting for a timeout; also
 * when it is lost again, and when it is the last. */
static void
test_only_what_is_lost(void **state)
{
	static const struct fate rows[] = {
	    {.seq = {3}, .times = {1}, .n = 1},
	    {.seq = {3, 4, 7}, .times = {1, 1, 1}, .n = 3},
	    {.seq = {0}, .times = {1}, .n = 1},
	    {.seq = {50}, .times = {3}, .n = 1},
	    {.seq = {50, 51, 52, 60}, .times = {1, 2, 1, 2}, .n = 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fate f = rows[i];
		uint32_t lost = 0;
		struct pair p;

		for (size_t k = 0; k < f.n; k++)
			lost += f.times[k];
		transfer(&p, &f, 400000);
		check(pair_stats(&p, 0).packets_resent == lost);
		check(pair_stats(&p, 0).packets_lost == lost);
		check(pair_stats(&p, 0).timeouts == 0);
		check(pair_stats(&p, 1).duplicates == 0);
		pair_deinit(&p);
	}
}

static bool
drop_tail_once(struct pair *p, int from, const struct udx_packet *k, size_t len)
{
	(void)len;
	if (from == 0 && k->type == UDX_DATA && k->seq >= 2 && p->tag < 4) {
		p->tag++;
		return true;
	}
	return false;
}

/* The end of a transfer is lost, and so are the next attempts: a probe, not
 * the timeout of a second, finds out. */
static void
test_tail_probe(void **state)
{
	struct pair p;
	uint64_t start;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 100);
	pair_run(&p, SECOND);
	pair_write(&p, 0, 100);
	pair_run(&p, SECOND);
	p.drop = drop_tail_once;
	start = p.now;
	pair_write(&p, 0, 2000);
	while (p.got[1].len < 2200)
		check(pair_step(&p, p.now + 5 * SECOND));
	check(p.now - start < 600 * MILLISECOND);
	check(pair_stats(&p, 0).timeouts == 0);
	check(pair_stats(&p, 0).tail_probes >= 2);
	pair_deinit(&p);
}

/* Silence of some seconds, then everything goes on; one packet is sent per
 * timeout, not all of them. */
static bool
drop_in_the_dark(
    struct pair *p, int from, const struct udx_packet *k, size_t len)
{
	uint64_t from_us = 1000000 + 60000;

	(void)from;
	(void)k;
	(void)len;
	return p->now >= from_us && p->now < from_us + 10 * SECOND;
}

static void
test_blackout(void **state)
{
	size_t before, in_the_dark;
	struct pair p;

	(void)state;
	pair_init(&p);
	p.drop = drop_in_the_dark;
	pair_write(&p, 0, 2000000);
	udx_end(p.u[0]);
	udx_end(p.u[1]);
	/* until what was to be sent before has been */
	pair_run(&p, 500 * MILLISECOND);
	before = p.sent[0];
	pair_run(&p, 9 * SECOND);
	in_the_dark = p.sent[0] - before;
	check(in_the_dark >= 4 && in_the_dark <= 12);
	pair_run(&p, LONG);
	check(pair_is(&p, 1, 2000000));
	check(udx_reason(p.u[0]) == UDX_FINISHED);
	pair_deinit(&p);
}

static void
ack(struct pair *p, uint32_t upto)
{
	struct udx_packet k = {.type = 0, .ack = upto, .window = 1 << 20};

	pair_forge(p, 0, k, VIEW_EMPTY);
}

/* The arithmetic of 1.4. */
static void
test_rtt(void **state)
{
	struct udx_stats s;
	struct pair p;

	(void)state;
	pair_init(&p);
	check(pair_stats(&p, 0).rto_us == SECOND);
	pair_write(&p, 0, 10);
	pair_poll(&p, 0);
	p.now += 400000;
	ack(&p, 1);
	s = pair_stats(&p, 0);
	check(s.srtt_us == 400000 && s.min_rtt_us == 400000);
	check(s.rto_us == 400000 + 4 * 200000);
	pair_write(&p, 0, 10);
	pair_poll(&p, 0);
	p.now += 800000;
	ack(&p, 2);
	s = pair_stats(&p, 0);
	check(s.srtt_us == 450000 && s.min_rtt_us == 400000);
	check(s.rto_us == 450000 + 4 * 250000);
	pair_deinit(&p);
}

/* A machine that slept: one sample of an hour does not spoil the rest. */
static void
test_sleep(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 10);
	pair_poll(&p, 0);
	p.now += 40000;
	ack(&p, 1);
	pair_write(&p, 0, 10);
	pair_poll(&p, 0);
	p.now += 3600 * (uint64_t)SECOND;
	ack(&p, 2);
	check(pair_stats(&p, 0).srtt_us < 100000);
	check(pair_stats(&p, 0).rto_us == SECOND);
	pair_deinit(&p);
}

/* No sample from a packet that was sent twice: which copy was it? */
static void
test_no_sample_of_a_resend(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 10);
	pair_poll(&p, 0);
	p.now += SECOND;
	check(pair_poll(&p, 0) == 1);
	p.now += 1000;
	ack(&p, 1);
	check(pair_stats(&p, 0).srtt_us == 0);
	pair_deinit(&p);
}

/* Time going back is taken for time standing still. */
static void
test_time_backwards(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 100000);
	pair_poll(&p, 0);
	p.now -= 500000;
	check(pair_silent(&p, 0));
	ack(&p, 5);
	check(pair_stats(&p, 0).srtt_us <= 1);
	pair_deinit(&p);
}

/* Packets that overtake each other are waited for, and then not resent. */
static void
test_learns_jitter(void **state)
{
	struct udx *u;
	struct pair p;

	(void)state;
	pair_init(&p);
	u = p.u[0];
	pair_write(&p, 0, 11520);
	check(pair_poll(&p, 0) == 10);
	pair_forget(&p);
	for (uint32_t late = 0; late < 2; late++) {
		struct udx_packet k = {
		    .type = UDX_SACK, .ack = late, .window = 1 << 20};
		uint8_t r[UDX_RANGE_BYTES];

		p.now += 20000;
		udx_packet_put_range(
		    r, (struct udx_range){5 * late + 2, 5 * late + 3});
		pair_forge(&p, 0, k, view_of(r, sizeof(r)));
	}
	check(u->rtx.reordering);
	check(u->rtx.late >= 15000);
	/* what is missing now is not lost before that has passed */
	check(u->rtx.rack_at == UDX_NEVER || u->rtx.rack_at > p.now);
	pair_deinit(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_only_what_is_lost),
	    cmocka_unit_test(test_tail_probe),
	    cmocka_unit_test(test_blackout),
	    cmocka_unit_test(test_rtt),
	    cmocka_unit_test(test_sleep),
	    cmocka_unit_test(test_no_sample_of_a_resend),
	    cmocka_unit_test(test_time_backwards),
	    cmocka_unit_test(test_learns_jitter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
