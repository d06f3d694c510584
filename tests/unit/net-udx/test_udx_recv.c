#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pair.h"

#define WINDOW 10000

static uint8_t buf[UDX_TRAIN_MAX];

static void
data(struct pair *p, uint32_t seq, uint8_t type, const char *text)
{
	struct udx_packet k = {.type = type, .seq = seq, .window = 4194304};

	pair_forge(p, 1, k, view_str(text));
}

static void
start(struct pair *p, uint32_t seq)
{
	struct udx_opts o = {.recv_window = WINDOW};

	pair_init_opts(p, o, o);
	pair_begin_at(p, seq);
	pair_connect(p, 0);
	pair_connect(p, 1);
}

static void
check_got(struct pair *p, const char *text)
{
	check_same(buf_view(&p->got[1]), view_str(text));
}

/* Every order of four packets gives the same bytes, also around 2^32. */
static void
test_any_order(void **state)
{
	static const char *const part[] = {"ab", "c", "", "de"};
	static const uint32_t bases[] = {0, UINT32_MAX - 1, UINT32_MAX - 2};

	(void)state;
	for (int perm = 0; perm < 256; perm++) {
		int order[4] = {
		    perm & 3, perm >> 2 & 3, perm >> 4 & 3, perm >> 6 & 3};
		struct pair p;

		start(&p, bases[perm % 3]);
		for (int i = 0; i < 4; i++)
			data(&p, bases[perm % 3] + (uint32_t)order[i], UDX_DATA,
			    part[order[i]]);
		for (uint32_t i = 0; i < 4; i++)
			data(&p, bases[perm % 3] + i, UDX_DATA, part[i]);
		check_got(&p, "abcde");
		check(pair_stats(&p, 1).duplicates == 4);
		check(p.u[1]->rcv.held == 0 && p.u[1]->rcv.ready == 0);
		check(p.u[1]->rcv.ring == NULL);
		pair_deinit(&p);
	}
}

static void
test_in_order_is_not_copied(void **state)
{
	struct udx_packet k = {
	    .type = UDX_DATA, .padding = 3, .remote_id = PAIR_ID_B};
	uint8_t d[UDX_HEADER + 3 + 5] = {0};
	struct pair p;
	struct view v;

	(void)state;
	start(&p, 0);
	udx_packet_header(d, &k);
	udx_recv(p.u[1], view_of(d, sizeof(d)), &p.addr[0], p.now);
	check(udx_read(p.u[1], &v));
	check(v.ptr == d + UDX_HEADER + 3 && v.len == 5);
	check(!udx_read(p.u[1], &v));
	pair_deinit(&p);
}

static void
test_padding_is_skipped(void **state)
{
	struct udx_packet k = {.type = UDX_DATA, .padding = UDX_PADDING_MAX};
	struct pair p;

	(void)state;
	start(&p, 0);
	pair_forge(&p, 1, k, view_str("payload"));
	check_got(&p, "payload");
	pair_deinit(&p);
}

/* Before connect: received and acknowledged later. */
static void
test_early_data(void **state)
{
	struct udx_opts o = {0};
	struct udx_packet k;
	struct pair p;

	(void)state;
	pair_init_opts(&p, o, o);
	data(&p, 0, UDX_DATA, "early");
	udx_batch_end(p.u[1], p.now);
	check_got(&p, "early");
	check(pair_silent(&p, 1));
	check(udx_deadline(p.u[1]) == UDX_NEVER);
	pair_connect(&p, 1);
	check(udx_deadline(p.u[1]) <= p.now);
	k = pair_one(&p, 1, buf);
	check(k.type == 0 && k.ack == 1 && k.remote_id == PAIR_ID_A);
	pair_deinit(&p);
}

/* One acknowledgement for 16 packets in order, or at the end of a batch;
 * at once for everything else. */
static void
test_when_acknowledged(void **state)
{
	struct udx_packet k;
	struct pair p;

	(void)state;
	start(&p, 0);
	for (uint32_t i = 0; i < 15; i++)
		data(&p, i, UDX_DATA, "x");
	check(pair_silent(&p, 1));
	data(&p, 15, UDX_DATA, "x");
	k = pair_one(&p, 1, buf);
	check(k.ack == 16 && k.type == 0);
	data(&p, 16, UDX_DATA, "x");
	check(pair_silent(&p, 1));
	udx_batch_end(p.u[1], p.now);
	check(pair_one(&p, 1, buf).ack == 17);
	udx_batch_end(p.u[1], p.now);
	check(pair_silent(&p, 1));
	data(&p, 3, UDX_DATA, "x"); /* a duplicate */
	check(pair_one(&p, 1, buf).ack == 17);
	data(&p, 18, UDX_DATA, "x"); /* a gap */
	k = pair_one(&p, 1, buf);
	check(k.ack == 17 && k.type == UDX_SACK);
	check(udx_packet_ranges(&k) == 1);
	check(udx_packet_range(&k, 0).start == 18);
	check(udx_packet_range(&k, 0).end == 19);
	data(&p, 17, UDX_DATA, "x"); /* which is filled */
	k = pair_one(&p, 1, buf);
	check(k.ack == 19 && k.type == 0);
	data(&p, 19, UDX_END, "");
	check(pair_one(&p, 1, buf).ack == 20);
	data(&p, 0, UDX_HEARTBEAT, "");
	check(pair_one(&p, 1, buf).ack == 20);
	check(pair_silent(&p, 1));
	pair_deinit(&p);
}

/* More ranges than a datagram takes: two datagrams, and in time all. */
static void
test_many_ranges(void **state)
{
	bool told[400] = {false};
	struct pair p;
	size_t n = 0;

	(void)state;
	start(&p, 0);
	for (uint32_t i = 1; i < 400; i += 2)
		data(&p, i, UDX_DATA, "x");
	for (int acks = 0; acks < 5; acks++) {
		p.u[1]->reply.due = true;
		for (int half = 0; half < 2; half++) {
			struct udx_packet k = pair_one(&p, 1, buf);

			check(udx_packet_ranges(&k) == 66);
			for (size_t i = 0; i < 66; i++) {
				struct udx_range r = udx_packet_range(&k, i);

				check(r.end == r.start + 1 && r.start < 400);
				check(
				    i == 0 ||
				    r.start > udx_packet_range(&k, i - 1).end);
				n += !told[r.start];
				told[r.start] = true;
			}
		}
		check(pair_silent(&p, 1));
	}
	check(n == 200);
	pair_deinit(&p);
}

static void
test_end_rules(void **state)
{
	struct pair p;

	(void)state;
	start(&p, 0);
	data(&p, 2, UDX_END, "");
	data(&p, 3, UDX_DATA, "behind");      /* dropped */
	data(&p, 1, UDX_END | UDX_DATA, "!"); /* a second END */
	data(&p, 0, UDX_DATA, "a");
	check(!p.ended[1]);
	data(&p, 1, UDX_DATA, "b");
	check(p.ended[1]);
	data(&p, 2, UDX_END, "");
	data(&p, 3, UDX_DATA, "behind");
	check_got(&p, "ab");
	pair_deinit(&p);
	/* an END below what is there already */
	start(&p, 0);
	data(&p, 5, UDX_DATA, "far");
	data(&p, 4, UDX_END, "");
	check(!p.u[1]->rcv.end_known);
	data(&p, 0, UDX_DATA | UDX_END, "x");
	check(!p.ended[1]);
	pair_deinit(&p);
	/* with data */
	start(&p, 0);
	data(&p, 0, UDX_DATA | UDX_END, "bye");
	check(p.ended[1]);
	check_got(&p, "bye");
	pair_deinit(&p);
}

static void
fill(struct pair *p, uint32_t seq, size_t n)
{
	static const uint8_t zero[1400];
	struct udx_packet k = {.type = UDX_DATA, .seq = seq};

	pair_forge(p, 1, k, view_of(zero, n));
}

static void
test_window(void **state)
{
	struct pair p;

	(void)state;
	start(&p, 0);
	p.keep[1] = true;
	fill(&p, 0, 1000);
	fill(&p, 2, 1000); /* early: counts, too */
	check(pair_one(&p, 1, buf).window == WINDOW - 2000);
	for (uint32_t i = 3; i < 20; i++)
		fill(&p, i, 1000);
	/* what does not fit is dropped, not kept */
	check(p.u[1]->rcv.held == WINDOW - 1000);
	check(pair_one(&p, 1, buf).window == 0);
	fill(&p, 1, 1000); /* what is missing is taken all the same */
	check(p.got[1].len == 11000);
	check(pair_one(&p, 1, buf).window == 0);
	udx_credit(p.u[1], 1500, p.now);
	check(pair_silent(&p, 1)); /* 500 bytes are not worth a word */
	udx_credit(p.u[1], 2000, p.now);
	check(pair_one(&p, 1, buf).window == 2500);
	udx_credit(p.u[1], 2000, p.now);
	check(pair_silent(&p, 1));
	udx_credit(p.u[1], 500, p.now);
	check(pair_one(&p, 1, buf).window == 5000);
	pair_deinit(&p);
}

/* Neither far numbers nor many small packets make it hold much. */
static void
test_bounds(void **state)
{
	struct pair p;

	(void)state;
	start(&p, 0);
	data(&p, 1024, UDX_DATA, "too far");
	check(p.u[1]->rcv.cap == 0);
	for (uint32_t i = 0; i < 40; i++)
		data(&p, UINT32_MAX / 40 * i + 2000, UDX_DATA, "x");
	check(p.u[1]->rcv.cap == 0 && p.u[1]->rcv.have.n == 0);
	data(&p, 1023, UDX_DATA, "x");
	check(p.u[1]->rcv.cap == 1024 && p.u[1]->rcv.held == 1);
	pair_deinit(&p);
}

static void
test_messages(void **state)
{
	struct err e = ERR_INIT;
	uint8_t big[UDX_DATAGRAM_MAX] = {1};
	struct pair p;
	struct view v;

	(void)state;
	start(&p, 0);
	check_code(udx_send_message(
		       p.u[0], view_of(big, sizeof(big) - UDX_HEADER + 1), &e),
	    ERR_LIMIT);
	check_ok(udx_send_message(
		     p.u[0], view_of(big, sizeof(big) - UDX_HEADER), &e),
	    &e);
	check_ok(udx_send_message(p.u[0], VIEW_EMPTY, &e), &e);
	pair_run(&p, SECOND);
	check(udx_read_message(p.u[1], &v) && v.len == 1452 && v.ptr[0] == 1);
	check(udx_read_message(p.u[1], &v) && v.len == 0);
	check(!udx_read_message(p.u[1], &v));
	for (int i = 0; i < 100; i++)
		data(&p, 0, UDX_MESSAGE, "m");
	for (int i = 0; i < 64; i++)
		check(udx_read_message(p.u[1], &v) && v.len == 1);
	check(!udx_read_message(p.u[1], &v));
	for (int i = 0; i < 64; i++)
		check_ok(udx_send_message(p.u[0], VIEW_EMPTY, &e), &e);
	check_code(udx_send_message(p.u[0], VIEW_EMPTY, &e), ERR_LIMIT);
	pair_deinit(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_any_order),
	    cmocka_unit_test(test_in_order_is_not_copied),
	    cmocka_unit_test(test_padding_is_skipped),
	    cmocka_unit_test(test_early_data),
	    cmocka_unit_test(test_when_acknowledged),
	    cmocka_unit_test(test_many_ranges),
	    cmocka_unit_test(test_end_rules),
	    cmocka_unit_test(test_window),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
