#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pair.h"

static uint8_t buf[UDX_TRAIN_MAX];

/* Enough cwnd and tokens for anything. */
static void
unleash(struct udx *u)
{
	u->cc.cwnd = 1 << 24;
	u->cc.tokens = 1 << 24;
	u->cc.pacing = 1 << 30;
}

static void
check_train(const struct udx_out *out, uint32_t seq)
{
	struct view all = view_of(buf, out->len);

	for (size_t at = 0; at < out->len; at += out->segment) {
		struct udx_packet k;
		struct view d = view_sub(all, at, out->segment);

		check(d.len == out->segment || at + d.len == out->len);
		check(udx_packet_parse(&k, d));
		check(k.type == UDX_DATA && k.seq == seq++);
		check(k.payload.len == d.len - UDX_HEADER);
	}
}

static void
test_trains(void **state)
{
	static const struct {
		size_t write, cap;
		uint16_t segments;
		size_t len;
	} rows[] = {
	    {1, 65507, 0, 21},
	    {1152, 65507, 0, 1172},
	    {1153, 65507, 0, 1172 + 21},
	    {100000, 65507, 0, 44 * 1172},
	    {100000, 65507, 7, 7 * 1172},
	    {100000, 65507, 1, 1172},
	    {100000, 65507, 1000, 55 * 1172},
	    {100000, 3000, 0, 2 * 1172},
	    {2304, 3000, 0, 2 * 1172},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct udx_opts o = {.segments_max = rows[i].segments};
		struct udx_out out;
		struct pair p;

		pair_init_opts(&p, o, o);
		pair_connect(&p, 0);
		unleash(p.u[0]);
		pair_write(&p, 0, rows[i].write);
		check(udx_poll(p.u[0], p.now, buf, rows[i].cap, &out));
		check(out.len == rows[i].len);
		check(addr_eq(&out.to, &p.addr[1]) && !out.fragment);
		check_train(&out, 0);
		pair_deinit(&p);
	}
}

/* Small writes of one turn share a packet. */
static void
test_small_writes(void **state)
{
	struct udx_packet k;
	struct pair p;

	(void)state;
	pair_init(&p);
	for (int i = 0; i < 100; i++)
		pair_write(&p, 0, 3);
	k = pair_one(&p, 0, buf);
	check(k.payload.len == 300);
	check(pair_silent(&p, 0));
	pair_deinit(&p);
}

/* The bare acknowledgement is left out where data carries it. */
static void
test_data_acknowledges(void **state)
{
	struct udx_packet k = {.type = UDX_DATA, .window = 1 << 20};
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_forge(&p, 0, k, view_str("x"));
	udx_batch_end(p.u[0], p.now);
	pair_write(&p, 0, 10);
	k = pair_one(&p, 0, buf);
	check(k.type == UDX_DATA && k.ack == 1);
	check(pair_silent(&p, 0));
	/* ranges go first, in a packet of their own */
	k = (struct udx_packet){.type = UDX_DATA, .seq = 5, .window = 1 << 20};
	pair_forge(&p, 0, k, view_str("y"));
	pair_write(&p, 0, 10);
	check(pair_one(&p, 0, buf).type == UDX_SACK);
	check(pair_one(&p, 0, buf).type == UDX_DATA);
	check(pair_silent(&p, 0));
	pair_deinit(&p);
}

static void
test_limits(void **state)
{
	struct udx_packet k = {.type = 0, .window = 5000};
	struct pair p;

	(void)state;
	/* the first window */
	pair_init(&p);
	pair_write(&p, 0, 1000000);
	check(pair_poll(&p, 0) == 10);
	check(udx_in_flight(p.u[0]) == 11520);
	check(udx_unsent(p.u[0]) == 1000000 - 11520);
	pair_deinit(&p);
	/* the window of the remote, in bytes */
	pair_init(&p);
	pair_forge(&p, 0, k, VIEW_EMPTY);
	pair_write(&p, 0, 1000000);
	check(pair_poll(&p, 0) == 4);
	pair_deinit(&p);
	/* one of a byte lets one packet through */
	pair_init(&p);
	k.window = 1;
	pair_forge(&p, 0, k, VIEW_EMPTY);
	pair_write(&p, 0, 1000000);
	check(pair_poll(&p, 0) == 1);
	pair_deinit(&p);
	/* our own limit; however small, one packet goes */
	pair_init(&p);
	udx_set_send_limit(p.u[0], 3600);
	pair_write(&p, 0, 1000000);
	check(pair_poll(&p, 0) == 3);
	pair_deinit(&p);
	pair_init(&p);
	udx_set_send_limit(p.u[0], 1);
	pair_write(&p, 0, 5000);
	udx_end(p.u[0]);
	udx_end(p.u[1]);
	pair_run(&p, 20 * SECOND);
	check(pair_is(&p, 1, 5000));
	pair_deinit(&p);
}

/* Tokens: a rate of 12 MB/s gives 12 kB a millisecond, and no deadline is
 * nearer than 200 us. */
static void
test_pacing(void **state)
{
	uint64_t begin, sent = 0;
	struct udx_out out;
	struct pair p;

	(void)state;
	pair_init(&p);
	unleash(p.u[0]);
	p.u[0]->cc.pacing = 12000000;
	p.u[0]->cc.tokens = 0;
	pair_write(&p, 0, 2000000);
	begin = p.now;
	while (p.now < begin + 100 * MILLISECOND) {
		uint64_t at;

		while (udx_poll(p.u[0], p.now, buf, sizeof(buf), &out))
			sent += out.len + (out.len / out.segment) * IP4_UDP;
		at = udx_deadline(p.u[0]);
		check(at >= p.now + 200);
		p.now = at;
	}
	check(sent > 1150000 && sent < 1250000);
	pair_deinit(&p);
}

/* After a pause no more than a burst leaves at once. */
static void
test_burst(void **state)
{
	struct pair p;
	size_t n;

	(void)state;
	pair_init(&p);
	p.u[0]->cc.cwnd = 1 << 24;
	p.u[0]->cc.pacing = 1000000;
	p.now += 3600 * (uint64_t)SECOND;
	pair_write(&p, 0, 1000000);
	n = pair_poll(&p, 0);
	check(n == 10 || n == 11);
	pair_deinit(&p);
}

static void
test_never_late(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 3000000);
	udx_end(p.u[0]);
	while (!p.ended[1]) {
		check(pair_step(&p, p.now + SECOND));
		pair_poll(&p, 0);
		pair_poll(&p, 1);
		check(udx_deadline(p.u[0]) > p.now);
		check(udx_deadline(p.u[1]) > p.now);
	}
	check(pair_is(&p, 1, 3000000));
	pair_deinit(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trains),
	    cmocka_unit_test(test_small_writes),
	    cmocka_unit_test(test_data_acknowledges),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_pacing),
	    cmocka_unit_test(test_burst),
	    cmocka_unit_test(test_never_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
