#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pair.h"

static uint8_t buf[UDX_TRAIN_MAX];

/* Ten packets in flight, from `seq` on. */
static void
start(struct pair *p, uint32_t seq)
{
	pair_init(p);
	pair_begin_at(p, seq);
	pair_write(p, 0, 100000);
	check(pair_poll(p, 0) == 10);
	pair_forget(p); /* none of it arrives */
}

static void
say(struct pair *p, uint32_t ack, const uint32_t *ranges, size_t n)
{
	struct udx_packet k = {
	    .type = n > 0 ? UDX_SACK : 0, .ack = ack, .window = 4194304};
	uint8_t body[400];

	for (size_t i = 0; i < n; i++)
		udx_packet_put_range(body + i * UDX_RANGE_BYTES,
		    (struct udx_range){ranges[2 * i], ranges[2 * i + 1]});
	k.seq = p->u[0]->rcv.nxt;
	pair_forge(p, 0, k, view_of(body, n * UDX_RANGE_BYTES));
}

static void
consistent(const struct udx *u)
{
	uint32_t sacked = 0;

	for (uint32_t s = u->snd.una; s != u->snd.nxt; s++)
		sacked += (udx_ring_at(u, s)->flags & PKT_SACKED) != 0;
	check(u->snd.flight.count + u->snd.lost.count + sacked ==
	      u->snd.nxt - u->snd.una);
	check(u->snd.flight.count > 0 || u->snd.flight_wire == 0);
}

static void
test_cumulative(void **state)
{
	struct pair p;

	(void)state;
	start(&p, UINT32_MAX - 4);
	p.now += 40000;
	say(&p, UINT32_MAX - 1, NULL, 0);
	check(p.u[0]->snd.flight.count == 7);
	check(pair_stats(&p, 0).srtt_us == 40000);
	say(&p, 5, NULL, 0);
	check(p.u[0]->snd.flight.count == 0 && udx_in_flight(p.u[0]) == 0);
	check(p.u[0]->snd.chunk[0].start == 0); /* its buffer is needed */
	consistent(p.u[0]);
	pair_deinit(&p);
}

/* Nothing that an honest receiver would not say changes anything. */
static void
test_nonsense(void **state)
{
	static const uint32_t acks[] = {
	    11, 12, 1000, UINT32_MAX, 0x80000000u, 0x80000005u};
	static const uint32_t ranges[][2] = {{0, 3}, {0, 1}, {5, 5}, {6, 5},
	    {5, 12}, {11, 12}, {UINT32_MAX, 3}, {1, 0x80000000u},
	    {0x7fffffffu, 0xfffffffeu}, {3, 0}};
	struct pair p;

	(void)state;
	start(&p, 0);
	for (size_t i = 0; i < sizeof(acks) / sizeof(acks[0]); i++)
		say(&p, acks[i], NULL, 0);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		say(&p, 0, ranges[i], 1);
	check(p.u[0]->snd.una == 0 && p.u[0]->snd.flight.count == 10);
	check(p.u[0]->snd.sacked.n == 0);
	say(&p, 4, NULL, 0);
	say(&p, 2, NULL, 0); /* older */
	check(p.u[0]->snd.una == 4);
	consistent(p.u[0]);
	pair_deinit(&p);
}

static void
test_ranges(void **state)
{
	static const uint32_t some[] = {5, 7, 8, 9};
	static const uint32_t again[] = {4, 10, 5, 9, 2, 3};
	struct pair p;

	(void)state;
	start(&p, 0);
	p.now += 40000;
	say(&p, 0, some, 1);
	check(p.u[0]->snd.sacked.n == 1);
	check(p.u[0]->rate.delivered == 2 * (1152 + (uint64_t)PACKET_OVERHEAD));
	say(&p, 0, some, 2);
	say(&p, 0, again, 3);
	check(p.u[0]->rate.delivered == 7 * (1152 + (uint64_t)PACKET_OVERHEAD));
	consistent(p.u[0]);
	say(&p, 10, NULL, 0);
	check(p.u[0]->snd.sacked.n == 0 && p.u[0]->snd.sacked.r == NULL);
	consistent(p.u[0]);
	pair_deinit(&p);
}

/* As the original does: packets 0 and 1 are lost, five later ones arrive,
 * and both come again with the same numbers and bytes. */
static void
test_resends_what_is_missing(void **state)
{
	static const uint32_t later[] = {2, 7};
	struct udx_packet k;
	struct udx_out out;
	struct pair p;

	(void)state;
	start(&p, 0);
	p.now += 40000;
	say(&p, 0, later, 1);
	check(pair_stats(&p, 0).packets_lost == 2);
	check(udx_poll(p.u[0], p.now, buf, sizeof(buf), &out));
	check(udx_packet_parse(&k, view_of(buf, out.segment)));
	check(k.type == UDX_DATA && k.seq == 0 && k.payload.len == 1152);
	check(k.payload.ptr[1] == 31);
	check(udx_packet_parse(
	    &k, view_sub(view_of(buf, out.len), out.segment, out.segment)));
	check(k.seq == 1);
	check(pair_stats(&p, 0).packets_resent == 2);
	consistent(p.u[0]);
	pair_deinit(&p);
}

/* The window is taken from the newest packet only. */
static void
test_window_order(void **state)
{
	struct udx_packet k = {.type = 0, .seq = 5, .ack = 0, .window = 3000};
	struct pair p;

	(void)state;
	start(&p, 0);
	pair_forge(&p, 0, k, VIEW_EMPTY);
	check(p.u[0]->snd.window == 3000);
	k.seq = 4;
	k.window = 9000;
	pair_forge(&p, 0, k, VIEW_EMPTY);
	check(p.u[0]->snd.window == 3000);
	p.now += 20000;
	k.seq = 5;
	k.ack = 1;
	k.window = UINT32_MAX;
	pair_forge(&p, 0, k, VIEW_EMPTY);
	check(p.u[0]->snd.window == UINT32_MAX);
	check(!pair_silent(&p, 0));
	pair_deinit(&p);
}

/* A remote that takes back what it said it had gets it again. */
static void
test_reneging(void **state)
{
	struct udx_packet first = {.type = UDX_DATA, .window = 4194304};
	static const uint8_t bytes[1152];
	static const uint32_t all[] = {1, 10};
	struct pair p;

	(void)state;
	start(&p, 0);
	p.now += 40000;
	say(&p, 0, all, 1);
	say(&p, 1, NULL, 0); /* and nothing of 1 to 10 ever comes */
	check((udx_ring_at(p.u[0], 1)->flags & PKT_SACKED) != 0);
	check(udx_deadline(p.u[0]) != UDX_NEVER);
	pair_forge(&p, 1, first, view_of(bytes, sizeof(bytes)));
	pair_run(&p, 5 * SECOND);
	check(p.got[1].len == 100000);
	check(pair_stats(&p, 0).packets_resent >= 9);
	pair_deinit(&p);
}

/* Many acknowledgements of everything cost no more than one. */
static void
test_work_is_bounded(void **state)
{
	static const uint32_t most[] = {1, 10};
	struct pair p;

	(void)state;
	start(&p, 0);
	for (int i = 0; i < 1000; i++)
		say(&p, 0, most, 1);
	check(p.u[0]->snd.sacked.n == 1);
	check(p.u[0]->rate.delivered == 9 * (1152 + (uint64_t)PACKET_OVERHEAD));
	pair_deinit(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cumulative),
	    cmocka_unit_test(test_nonsense),
	    cmocka_unit_test(test_ranges),
	    cmocka_unit_test(test_resends_what_is_missing),
	    cmocka_unit_test(test_window_order),
	    cmocka_unit_test(test_reneging),
	    cmocka_unit_test(test_work_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
