#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pair.h"

#define LONG (60 * (uint64_t)SECOND)

/* Datagrams of IP packets above p->tag vanish. */
static bool
narrow(struct pair *p, int from, const struct udx_packet *k, size_t len)
{
	(void)from;
	(void)k;
	return (int)len + IP4_UDP > p->tag;
}

static void
test_search(void **state)
{
	static const struct {
		int path, found_from, found_to;
	} rows[] = {
	    {1500, 1500, 1500},
	    {1492, 1484, 1492},
	    {1400, 1392, 1400},
	    {1280, 1272, 1280},
	    {1208, 1200, 1208},
	    {1200, 1200, 1200},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair p;

		pair_init(&p);
		p.tag = rows[i].path;
		p.drop = narrow;
		pair_write(&p, 0, 20000000);
		udx_end(p.u[0]);
		udx_end(p.u[1]);
		pair_run(&p, LONG);
		check(pair_is(&p, 1, 20000000));
		check(udx_reason(p.u[0]) == UDX_FINISHED);
		check(pair_stats(&p, 0).mtu >= rows[i].found_from);
		check(pair_stats(&p, 0).mtu <= rows[i].found_to);
		check(pair_stats(&p, 0).timeouts == 0);
		check(pair_stats(&p, 0).packets_resent <= 3 * 8);
		pair_deinit(&p);
	}
}

static bool
note_padding(struct pair *p, int from, const struct udx_packet *k, size_t len)
{
	uint8_t *list = p->ctx;

	(void)len;
	if (from == 0 && k->padding > 0 && p->tag < 16)
		list[p->tag++] = k->padding;
	return false;
}

/* 1200, 1455, 1500: two probes and nothing else is padded. */
static void
test_two_probes(void **state)
{
	uint8_t padding[16] = {0};
	struct pair p;

	(void)state;
	pair_init(&p);
	p.ctx = padding;
	p.drop = note_padding;
	pair_write(&p, 0, 2000000);
	pair_run(&p, LONG);
	check(p.tag == 2 && padding[0] == 255 && padding[1] == 45);
	check(pair_is(&p, 1, 2000000));
	check(pair_stats(&p, 0).mtu == 1500);
	pair_deinit(&p);
}

/* IPv6 has longer headers: 1452 bytes of UDP payload in 1500. */
static void
test_payload(void **state)
{
	struct udx_opts small = {.mtu_max = 700};
	struct pair p;

	(void)state;
	pair_init(&p);
	check(udx_send_payload_max(p.u[0]) == 1152);
	p.u[0]->path.to.family = 6;
	check(udx_send_payload_max(p.u[0]) == 1132);
	p.u[0]->mtu.size = 1500;
	check(udx_send_payload_max(p.u[0]) == 1432);
	pair_deinit(&p);
	pair_init_opts(&p, small, small);
	pair_connect(&p, 0);
	pair_write(&p, 0, 10000);
	pair_run(&p, SECOND);
	check(pair_stats(&p, 0).mtu == 700);
	pair_deinit(&p);
}

static uint8_t buf[UDX_TRAIN_MAX];

/* The system refuses a probe: it is resent without padding at once, and
 * nothing of that size is tried again. */
static void
test_too_big(void **state)
{
	struct udx_packet k = {.type = 0, .ack = 10, .window = 1 << 20};
	struct udx_out out;
	struct pair p;
	size_t polls = 0;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 1000000);
	pair_poll(&p, 0);
	pair_forget(&p);
	p.now += 20000;
	pair_forge(&p, 0, k, VIEW_EMPTY);
	check(udx_poll(p.u[0], p.now, buf, sizeof(buf), &out));
	check(out.len == 1455 - IP4_UDP && p.u[0]->mtu.probing == 1455);
	udx_too_big(p.u[0], out.len);
	check(p.u[0]->mtu.probing == 0 && p.u[0]->snd.lost.count == 1);
	check(udx_poll(p.u[0], p.now, buf, sizeof(buf), &out));
	check(udx_packet_parse(&k, view_of(buf, out.segment)));
	check(k.seq == 10 && k.padding == 0 && k.payload.len == 1152);
	while (udx_poll(p.u[0], p.now, buf, sizeof(buf), &out)) {
		check(out.segment + IP4_UDP < 1455);
		check(++polls < 100);
	}
	/* known sizes are refused, too: down to the base, then to the floor */
	udx_too_big(p.u[0], 1200 - IP4_UDP);
	check(pair_stats(&p, 0).mtu == 576);
	udx_too_big(p.u[0], 100);
	check(pair_stats(&p, 0).mtu == 576);
	pair_deinit(&p);
}

/* A refusal of more than was ever to be sent, told of what a relay forwards:
 * probes still end at the largest size. */
static void
test_too_big_for_all(void **state)
{
	struct udx_packet k = {.type = 0, .ack = 10, .window = 1 << 20};
	struct udx_out out;
	struct pair p;

	(void)state;
	for (size_t more = 0; more <= 20; more++) {
		pair_init(&p);
		udx_too_big(p.u[0], UDX_DATAGRAM_MAX + more);
		check(p.u[0]->mtu.failed == (more == 0 ? 1500 : 0));
		pair_write(&p, 0, 1000000);
		pair_poll(&p, 0);
		pair_forget(&p);
		p.u[0]->mtu.size = 1490;
		p.now += 20000;
		pair_forge(&p, 0, k, VIEW_EMPTY);
		check(udx_poll(p.u[0], p.now, buf, sizeof(buf), &out));
		check(out.segment <= UDX_DATAGRAM_MAX);
		check(p.u[0]->mtu.probing == (more == 0 ? 0 : 1500));
		pair_deinit(&p);
	}
}

/* From the middle of a transfer on, only small packets pass, or large ones
 * that may be fragmented. */
struct hole {
	uint64_t from;
	bool fragments;
};

static size_t
poll_hole(struct pair *p, const struct hole *h)
{
	struct udx_out out;
	size_t n = 0;

	while (udx_poll(p->u[0], p->now, buf, sizeof(buf), &out))
		for (size_t at = 0; at < out.len; at += out.segment, n++) {
			struct view d =
			    view_sub(view_of(buf, out.len), at, out.segment);

			if (p->now >= h->from && d.len + IP4_UDP > 1300 &&
			    !out.fragment)
				continue;
			pair_carry(p, 0, d);
		}
	return n;
}

static void
test_black_hole(void **state)
{
	struct hole h;
	struct pair p;

	(void)state;
	pair_init(&p);
	h.from = p.now + 100 * MILLISECOND;
	pair_write(&p, 0, 3000000);
	udx_end(p.u[0]);
	udx_end(p.u[1]);
	for (int i = 0; i < 100000 && !p.ended[1]; i++) {
		poll_hole(&p, &h);
		check(pair_step(&p, p.now + 10 * SECOND));
	}
	check(pair_is(&p, 1, 3000000));
	check(pair_stats(&p, 0).mtu >= 1200 && pair_stats(&p, 0).mtu <= 1300);
	check(pair_stats(&p, 0).timeouts >= 2);
	pair_deinit(&p);
}

static void
test_restart(void **state)
{
	struct addr other = {.family = 4, .port = 1};
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 1000000);
	pair_run(&p, SECOND);
	check(pair_stats(&p, 0).mtu == 1500);
	udx_change_remote(p.u[0], PAIR_ID_B, &other, p.now);
	check(pair_stats(&p, 0).mtu == 1200);
	for (int i = 0; i < 10; i++) {
		pair_write(&p, 0, 100000);
		pair_run(&p, 100 * MILLISECOND);
	}
	check(pair_stats(&p, 0).mtu == 1500);
	pair_deinit(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_search),
	    cmocka_unit_test(test_two_probes),
	    cmocka_unit_test(test_payload),
	    cmocka_unit_test(test_too_big),
	    cmocka_unit_test(test_too_big_for_all),
	    cmocka_unit_test(test_black_hole),
	    cmocka_unit_test(test_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
