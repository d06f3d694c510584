#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pair.h"

#define LONG (60 * (uint64_t)SECOND)

static uint8_t buf[UDX_TRAIN_MAX];

static bool
drop_all(struct pair *p, int from, const struct udx_packet *k, size_t len)
{
	(void)p;
	(void)from;
	(void)k;
	(void)len;
	return true;
}

static void
test_bytes_and_ends(void **state)
{
	static const size_t sizes[] = {0, 1, 1152, 1153, 100000, 5000000};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pair p;

		pair_init(&p);
		pair_write(&p, 0, sizes[i]);
		pair_write(&p, 1, sizes[i] / 2);
		udx_end(p.u[0]);
		udx_end(p.u[1]);
		pair_run(&p, LONG);
		check(pair_is(&p, 1, sizes[i]));
		check(pair_is(&p, 0, sizes[i] / 2));
		check(p.ended[0] && p.ended[1]);
		check(udx_reason(p.u[0]) == UDX_FINISHED);
		check(udx_reason(p.u[1]) == UDX_FINISHED);
		check(pair_stats(&p, 0).packets_resent == 0);
		check(pair_stats(&p, 0).timeouts == 0);
		pair_deinit(&p);
	}
}

/* The wrap of sequence numbers is crossed in a transfer that loses one
 * packet in ten. */
static bool
drop_tenth(struct pair *p, int from, const struct udx_packet *k, size_t len)
{
	(void)from;
	(void)k;
	(void)len;
	return ++p->tag % 10 == 0;
}

static void
test_wrap(void **state)
{
	static const uint32_t from[] = {
	    UINT32_MAX, UINT32_MAX - 100, UINT32_MAX / 2 - 50};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pair p;

		pair_init(&p);
		pair_begin_at(&p, from[i]);
		p.drop = drop_tenth;
		pair_write(&p, 0, 400000);
		pair_write(&p, 1, 400000);
		udx_end(p.u[0]);
		udx_end(p.u[1]);
		pair_run(&p, LONG);
		check(pair_is(&p, 1, 400000) && pair_is(&p, 0, 400000));
		check(udx_reason(p.u[0]) == UDX_FINISHED);
		check(udx_reason(p.u[1]) == UDX_FINISHED);
		pair_deinit(&p);
	}
}

static void
test_half_closed(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	udx_end(p.u[0]);
	pair_run(&p, SECOND);
	check(p.ended[1] && udx_reason(p.u[0]) == UDX_LIVE);
	pair_write(&p, 1, 300000);
	udx_end(p.u[1]);
	pair_run(&p, LONG);
	check(pair_is(&p, 0, 300000));
	check(udx_reason(p.u[0]) == UDX_FINISHED);
	check(udx_reason(p.u[1]) == UDX_FINISHED);
	pair_deinit(&p);
}

/* The remote is told once more after its acknowledgement of the END (1.7). */
static void
test_state_after_end(void **state)
{
	struct udx_packet k = {.type = 0, .ack = 1, .window = 100000};
	struct pair p;

	(void)state;
	pair_init(&p);
	udx_end(p.u[0]);
	check(pair_one(&p, 0, buf).type == UDX_END);
	pair_forge(&p, 0, k, VIEW_EMPTY);
	check(pair_one(&p, 0, buf).type == 0);
	check(pair_silent(&p, 0));
	pair_deinit(&p);
}

static void
test_write_after_end(void **state)
{
	struct err e = ERR_INIT;
	struct pair p;

	(void)state;
	pair_init(&p);
	udx_end(p.u[0]);
	check_code(udx_write(p.u[0], malloc(10), 0, 10, &e), ERR_INVALID);
	udx_destroy(p.u[1]);
	check_code(udx_write(p.u[1], malloc(10), 0, 10, &e), ERR_INVALID);
	check_code(udx_send_message(p.u[1], VIEW_EMPTY, &e), ERR_INVALID);
	pair_deinit(&p);
}

static void
test_skip_and_unsent(void **state)
{
	struct err e = ERR_INIT;
	uint8_t *data = malloc(20);
	struct pair p;

	(void)state;
	memcpy(data, "0123456789abcdefghij", 20);
	pair_init(&p);
	check_ok(udx_write(p.u[0], data, 15, 20, &e), &e);
	check_ok(udx_write(p.u[0], malloc(3), 3, 3, &e), &e);
	check(udx_unsent(p.u[0]) == 5 && udx_in_flight(p.u[0]) == 0);
	pair_poll(&p, 0);
	check(udx_unsent(p.u[0]) == 0 && udx_in_flight(p.u[0]) == 5);
	pair_run(&p, SECOND);
	check(udx_in_flight(p.u[0]) == 0);
	check_same(buf_view(&p.got[1]), view_str("fghij"));
	pair_deinit(&p);
}

static void
test_destroy(void **state)
{
	struct udx_packet k;
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 100000);
	pair_poll(&p, 0);
	udx_destroy(p.u[0]);
	check(udx_reason(p.u[0]) == UDX_DESTROYED);
	check(udx_unsent(p.u[0]) == 0 && udx_in_flight(p.u[0]) == 0);
	check(udx_deadline(p.u[0]) <= p.now);
	k = pair_one(&p, 0, buf);
	check(k.type == UDX_DESTROY && k.seq == 10);
	check(pair_silent(&p, 0));
	check(udx_deadline(p.u[0]) == UDX_NEVER);
	pair_give(&p, 1, view_of(buf, UDX_HEADER));
	check(udx_reason(p.u[1]) == UDX_RESET);
	check(pair_silent(&p, 1));
	check(strcmp(udx_reason_text(UDX_RESET), "connection reset by peer") ==
	      0);
	pair_deinit(&p);
}

/* One from before what was received is not believed. */
static void
test_old_destroy(void **state)
{
	struct udx_packet k = {.type = UDX_DATA};
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_forge(&p, 1, k, view_str("x"));
	k.type = UDX_DESTROY;
	pair_forge(&p, 1, k, VIEW_EMPTY);
	check(udx_reason(p.u[1]) == UDX_LIVE);
	pair_deinit(&p);
}

static void
test_destroy_unconnected(void **state)
{
	struct udx_opts o = {0};
	struct pair p;

	(void)state;
	pair_init_opts(&p, o, o);
	udx_destroy(p.u[0]);
	check(udx_reason(p.u[0]) == UDX_DESTROYED);
	check(pair_silent(&p, 0));
	pair_deinit(&p);
}

/* Sent at 0, 1, 3, 5, 7, 9, 11 s, closed at 13 s (1.4). */
static void
test_timed_out(void **state)
{
	static const uint64_t at[] = {0, 1, 3, 5, 7, 9, 11};
	struct pair p;
	uint64_t start;

	(void)state;
	pair_init(&p);
	start = p.now;
	pair_write(&p, 0, 5);
	for (size_t i = 0; i < 7; i++) {
		struct udx_packet k;

		p.now = start + at[i] * SECOND - 1;
		check(i == 0 || pair_silent(&p, 0));
		p.now = start + at[i] * SECOND;
		k = pair_one(&p, 0, buf);
		check(k.type == UDX_DATA && k.payload.len == 5 && k.seq == 0);
		check(pair_silent(&p, 0));
	}
	p.now = start + 13 * SECOND - 1;
	check(pair_silent(&p, 0) && udx_reason(p.u[0]) == UDX_LIVE);
	check(udx_deadline(p.u[0]) == start + 13 * SECOND);
	p.now++;
	check(pair_silent(&p, 0) && udx_reason(p.u[0]) == UDX_TIMED_OUT);
	check(udx_deadline(p.u[0]) == UDX_NEVER);
	pair_deinit(&p);
}

static bool
drop_last_word(struct pair *p, int from, const struct udx_packet *k, size_t len)
{
	(void)k;
	(void)len;
	return from == 1 && p->ended[1];
}

/* The remote is finished and gone; its last acknowledgement was lost. All
 * bytes were, so this is an end like any other, after a while. */
static void
test_last_word_lost(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 100);
	udx_end(p.u[1]);
	pair_run(&p, SECOND);
	udx_end(p.u[0]);
	p.drop = drop_last_word;
	pair_run(&p, LONG);
	check(pair_is(&p, 1, 100));
	check(udx_reason(p.u[1]) == UDX_FINISHED);
	check(udx_reason(p.u[0]) == UDX_FINISHED);
	check(pair_stats(&p, 0).timeouts == 3);
	pair_deinit(&p);
}

/* With data not acknowledged it is not. */
static void
test_silence_with_data(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	udx_end(p.u[1]);
	pair_run(&p, SECOND);
	p.drop = drop_all;
	pair_write(&p, 0, 100);
	udx_end(p.u[0]);
	pair_run(&p, LONG);
	check(udx_reason(p.u[0]) == UDX_TIMED_OUT);
	pair_deinit(&p);
}

/* A finished stream still acknowledges an END that comes again. */
static void
test_finished_answers(void **state)
{
	struct udx_packet k = {.type = UDX_END, .seq = 0, .ack = 1};
	struct pair p;

	(void)state;
	pair_init(&p);
	udx_end(p.u[0]);
	udx_end(p.u[1]);
	pair_run(&p, LONG);
	check(udx_reason(p.u[1]) == UDX_FINISHED);
	check(udx_deadline(p.u[1]) == UDX_NEVER);
	pair_forge(&p, 1, k, VIEW_EMPTY);
	check(udx_deadline(p.u[1]) <= p.now);
	check(pair_one(&p, 1, buf).ack == 1);
	check(pair_silent(&p, 1));
	pair_deinit(&p);
}

static void
test_keepalive(void **state)
{
	struct udx_opts o = {.keepalive_ms = 60}, none = {0};
	struct udx_packet k;
	struct pair p;

	(void)state;
	pair_init_opts(&p, o, none);
	pair_connect(&p, 0);
	pair_connect(&p, 1);
	check(pair_silent(&p, 0));
	check(udx_deadline(p.u[0]) == p.now + 60 * MILLISECOND);
	p.now += 60 * MILLISECOND;
	k = pair_one(&p, 0, buf);
	check(k.type == UDX_HEARTBEAT && k.seq == 0 && k.payload.len == 0);
	check(pair_silent(&p, 0));
	pair_give(&p, 1, view_of(buf, UDX_HEADER));
	k = pair_one(&p, 1, buf);
	check(k.type == 0 && k.ack == 0);
	check(udx_deadline(p.u[1]) == UDX_NEVER);
	check(udx_deadline(p.u[0]) == p.now + 60 * MILLISECOND);
	pair_deinit(&p);
}

/* The window is shut: HEARTBEAT at once and every two RTOs while it is
 * answered (1.3); without an answer, the end. */
static void
test_window_shut(void **state)
{
	struct udx_packet shut = {.type = 0}, k;
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_forge(&p, 0, shut, VIEW_EMPTY);
	pair_write(&p, 0, 100);
	for (int i = 0; i < 20; i++) {
		k = pair_one(&p, 0, buf);
		check(k.type == UDX_HEARTBEAT);
		check(pair_silent(&p, 0));
		check(udx_deadline(p.u[0]) == p.now + 2 * SECOND);
		pair_forge(&p, 0, shut, VIEW_EMPTY);
		p.now += 2 * SECOND;
	}
	check(pair_one(&p, 0, buf).type == UDX_HEARTBEAT);
	k = (struct udx_packet){.type = 0, .window = 5};
	pair_forge(&p, 0, k, VIEW_EMPTY);
	check(pair_one(&p, 0, buf).payload.len == 100);
	pair_deinit(&p);
}

static void
test_window_shut_for_ever(void **state)
{
	struct udx_packet shut = {.type = 0};
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_forge(&p, 0, shut, VIEW_EMPTY);
	pair_write(&p, 0, 100);
	p.drop = drop_all;
	pair_run(&p, LONG);
	check(udx_reason(p.u[0]) == UDX_TIMED_OUT);
	check(p.sent[0] == 7);
	pair_deinit(&p);
}

/* The reader lets go of nothing for a while, and later of everything. */
static void
test_slow_reader(void **state)
{
	struct udx_opts o = {.recv_window = 20000};
	struct pair p;

	(void)state;
	pair_init_opts(&p, o, o);
	pair_connect(&p, 0);
	pair_connect(&p, 1);
	/* learn the window: only a packet of the remote tells it */
	pair_write(&p, 1, 1);
	pair_run(&p, SECOND);
	p.keep[1] = true;
	pair_write(&p, 0, 100000);
	pair_run(&p, 30 * SECOND);
	/* a window that is not 0 lets one more packet through */
	check(p.got[1].len >= 18000 && p.got[1].len <= 20000 + 1452);
	while (p.got[1].len < 100000) {
		size_t kept = p.u[1]->rcv.uncredited;

		check(kept > 0);
		udx_credit(p.u[1], kept, p.now);
		pair_run(&p, 10 * SECOND);
	}
	check(pair_is(&p, 1, 100000));
	check(pair_stats(&p, 0).timeouts == 0);
	pair_deinit(&p);
}

static size_t
footprint(const struct udx *u)
{
	return sizeof(*u) + u->snd.cap * sizeof(*u->snd.ring) +
	       u->snd.chunk_cap * sizeof(*u->snd.chunk) +
	       u->snd.sacked.cap * sizeof(struct udx_range) +
	       u->rcv.cap * sizeof(*u->rcv.ring) +
	       u->rcv.have.cap * sizeof(struct udx_range) +
	       (u->snd.messages.m != NULL) * sizeof(struct message) *
		   MESSAGES_MAX;
}

/* After a busy time, little is left. */
static void
test_idle_is_small(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.drop = drop_tenth;
	for (int i = 0; i < 200; i++)
		pair_write(&p, 0, 20000 % (size_t)(i + 1) + 9000);
	pair_run(&p, LONG);
	check(udx_in_flight(p.u[0]) == 0);
	check(footprint(p.u[0]) < 8192);
	check(footprint(p.u[1]) < 8192);
	pair_deinit(&p);
}

static bool
is_new_place(const struct udx_out *out)
{
	return out->to.port == 9999;
}

/* New packets go to the new place at once, old ones again to the old. */
static void
test_change_remote(void **state)
{
	struct addr other = {.family = 4, .port = 9999};
	struct udx_packet k = {.type = 0, .ack = 2, .window = 1 << 20};
	struct udx_out out;
	struct pair p;

	(void)state;
	pair_init(&p);
	check(udx_change_done(p.u[0]));
	pair_write(&p, 0, 10);
	check(udx_poll(p.u[0], p.now, buf, sizeof(buf), &out));
	udx_change_remote(p.u[0], 77, &other, p.now);
	check(!udx_change_done(p.u[0]));
	pair_write(&p, 0, 20);
	check(udx_poll(p.u[0], p.now, buf, sizeof(buf), &out));
	check(is_new_place(&out) && buf[4] == 77);
	p.now += SECOND;
	check(udx_poll(p.u[0], p.now, buf, sizeof(buf), &out));
	check(!is_new_place(&out) && out.len == UDX_HEADER + 10);
	check(buf[4] == 0x22);
	pair_forge(&p, 0, k, VIEW_EMPTY);
	check(udx_change_done(p.u[0]));
	pair_deinit(&p);
}

/* Each change in mid-transfer; more of them than are remembered. */
static void
test_many_changes(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_write(&p, 0, 2000000);
	for (int i = 0; i < 40; i++) {
		pair_run(&p, 3000);
		udx_change_remote(p.u[0], PAIR_ID_B, &p.addr[1], p.now);
		check(p.u[0]->nold <= OLD_PATHS_MAX);
	}
	udx_end(p.u[0]);
	udx_end(p.u[1]);
	pair_run(&p, LONG);
	check(pair_is(&p, 1, 2000000) && udx_change_done(p.u[0]));
	check(udx_reason(p.u[0]) == UDX_FINISHED);
	pair_deinit(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes_and_ends),
	    cmocka_unit_test(test_wrap),
	    cmocka_unit_test(test_half_closed),
	    cmocka_unit_test(test_state_after_end),
	    cmocka_unit_test(test_write_after_end),
	    cmocka_unit_test(test_skip_and_unsent),
	    cmocka_unit_test(test_destroy),
	    cmocka_unit_test(test_old_destroy),
	    cmocka_unit_test(test_destroy_unconnected),
	    cmocka_unit_test(test_timed_out),
	    cmocka_unit_test(test_last_word_lost),
	    cmocka_unit_test(test_silence_with_data),
	    cmocka_unit_test(test_finished_answers),
	    cmocka_unit_test(test_keepalive),
	    cmocka_unit_test(test_window_shut),
	    cmocka_unit_test(test_window_shut_for_ever),
	    cmocka_unit_test(test_slow_reader),
	    cmocka_unit_test(test_idle_is_small),
	    cmocka_unit_test(test_change_remote),
	    cmocka_unit_test(test_many_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
