/* Channels between two sides, golden frames, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "codec/enc.h"
#include "net/mux/mux.h"
#include "vec.h"

static struct mux *
fresh(const struct mux_limits *l)
{
	struct err e = ERR_INIT;
	struct mux *m;

	check_ok(mux_new(&m, l, &e), &e);
	return m;
}

static struct mux_channel *
open_on(struct mux *m, const char *protocol, const char *id, const char *hand)
{
	struct err e = ERR_INIT;
	struct mux_channel *ch;

	check_ok(mux_open(m, view_str(protocol), view_str(id), view_str(hand),
		     NULL, &ch, &e),
	    &e);
	return ch;
}

static void
say(struct mux *m, struct mux_channel *ch, uint64_t type, const char *text)
{
	struct err e = ERR_INIT;

	buf_str(mux_begin(ch, type, strlen(text)), text);
	check_ok(mux_end(m, &e), &e);
}

/* All frames of one side to the other; the last frame stays valid. */
static uint8_t *moved;

static bool
move(struct mux *from, struct mux *to)
{
	struct err e = ERR_INIT;
	size_t len;

	free(moved);
	moved = NULL;
	if (!mux_take(from, &moved, &len))
		return false;
	check_ok(mux_recv(to, view_of(moved + MUX_FRAME_HEAD, len), &e), &e);
	return true;
}

static struct mux_event
want(struct mux *m, enum mux_kind kind)
{
	struct err e = ERR_INIT;
	struct mux_event ev;

	if (!mux_next(m, &ev, &e))
		vec_fail_err(__FILE__, __LINE__, "an event", &e);
	check(ev.kind == kind);
	return ev;
}

static void
want_none(struct mux *m)
{
	struct err e = ERR_INIT;
	struct mux_event ev;

	check(!mux_next(m, &ev, &e));
	check(e.code == ERR_OK);
}

static void
want_text(struct mux *m, struct mux_channel *ch, uint64_t type, const char *t)
{
	struct mux_event ev = want(m, MUX_MESSAGE);

	check(ev.ch == ch && ev.type == type);
	check_same(ev.body, view_str(t));
}

static void
offered_and_accepted(void **state)
{
	struct mux *a = fresh(NULL), *b = fresh(NULL);
	struct mux_channel *ca, *cb;
	struct mux_event ev;

	(void)state;
	ca = open_on(a, "foo/1", "xy", "hello");
	say(a, ca, 3, "early");
	check(!mux_is_open(ca) && mux_waiting(a) > 0);
	check(move(a, b));
	ev = want(b, MUX_OFFERED);
	check_same(ev.protocol, view_str("foo/1"));
	check_same(ev.id, view_str("xy"));
	check_same(ev.handshake, view_str("hello"));
	cb = open_on(b, "foo/1", "xy", "hi");
	ev = want(b, MUX_OPENED);
	check(ev.ch == cb && mux_is_open(cb));
	check_same(ev.handshake, view_str("hello"));
	want_text(b, cb, 3, "early");
	want_none(b);
	check(move(b, a));
	ev = want(a, MUX_OPENED);
	check(ev.ch == ca);
	check_same(ev.handshake, view_str("hi"));
	want_none(a);
	mux_close(a, ca);
	check(move(a, b));
	ev = want(b, MUX_CLOSED);
	check(ev.ch == cb);
	want_none(b);
	check(!move(b, a));
	mux_free(a);
	mux_free(b);
}

/* What the frame says to channels that are open, and nothing moves. */
static void
looked_at(void **state)
{
	struct mux *a = fresh(NULL), *b = fresh(NULL);
	struct mux_channel *x, *y, *bx;
	struct mux_event ev;
	struct mux_scan s;
	struct view frame;
	struct err e = ERR_INIT;
	uint8_t *data;
	size_t len;

	(void)state;
	x = open_on(a, "p", "x", "");
	y = open_on(a, "p", "y", "");
	bx = open_on(b, "p", "x", "");
	check(move(a, b));
	check(want(b, MUX_OPENED).ch == bx);
	want(b, MUX_OFFERED);
	want_none(b);
	say(a, x, 1, "one");
	say(a, y, 2, "not open");
	say(a, x, 3, "three");
	mux_close(a, x);
	check(mux_take(a, &data, &len));
	frame = view_of(data + MUX_FRAME_HEAD, len);
	for (int i = 0; i < 2; i++) {
		mux_scan_init(&s, frame);
		check(mux_scan_next(&s, b, &ev) && ev.kind == MUX_MESSAGE);
		check(ev.ch == bx && ev.type == 1);
		check_same(ev.body, view_str("one"));
		check(mux_scan_next(&s, b, &ev) && ev.type == 3);
		check(!mux_scan_next(&s, b, &ev));
		check(!mux_scan_next(&s, b, &ev));
	}
	/* cut anywhere: fewer messages, and an end */
	for (size_t cut = 0; cut < len; cut++) {
		mux_scan_init(&s, view_sub(frame, 0, cut));
		for (size_t n = 0; mux_scan_next(&s, b, &ev); n++)
			check(n < 2);
	}
	check_ok(mux_recv(b, frame, &e), &e);
	want_text(b, bx, 1, "one");
	want_text(b, bx, 3, "three");
	check(want(b, MUX_CLOSED).ch == bx);
	want_none(b);
	mux_scan_init(&s, frame);
	check(!mux_scan_next(&s, b, &ev));
	free(data);
	mux_free(a);
	mux_free(b);
}

static void
rejected(void **state)
{
	struct mux *a = fresh(NULL), *b = fresh(NULL);
	struct mux_channel *one, *two;
	struct mux_event ev;

	(void)state;
	one = open_on(a, "foo", "", "");
	two = open_on(a, "bar", "", "");
	check(move(a, b));
	(void)want(b, MUX_OFFERED); /* no answer is a refusal */
	(void)want(b, MUX_OFFERED);
	mux_reject(b);
	want_none(b);
	check(move(b, a));
	ev = want(a, MUX_REJECTED);
	check(ev.ch == one);
	ev = want(a, MUX_REJECTED);
	check(ev.ch == two);
	want_none(a);
	mux_free(a);
	mux_free(b);
}

/* Both open the same pair before they hear of each other; the numbers of
 * closed channels come back. */
static void
crossing(void **state)
{
	struct mux *a = fresh(NULL), *b = fresh(NULL);
	struct mux_channel *ca, *cb;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		ca = open_on(a, "p", "q", "");
		cb = open_on(b, "p", "q", "");
		check(move(a, b));
		check(want(b, MUX_OPENED).ch == cb);
		want_none(b);
		check(move(b, a));
		check(want(a, MUX_OPENED).ch == ca);
		want_none(a);
		mux_close(i % 2 ? a : b, i % 2 ? ca : cb);
		check(move(i % 2 ? a : b, i % 2 ? b : a));
		(void)want(i % 2 ? b : a, MUX_CLOSED);
		want_none(i % 2 ? b : a);
	}
	mux_free(a);
	mux_free(b);
}

/* Closed before the other side has answered. */
static void
ghosts(void **state)
{
	struct mux *a = fresh(NULL), *b = fresh(NULL);
	struct mux_channel *ca, *cb;

	(void)state;
	ca = open_on(a, "p", "q", "");
	mux_close(a, ca);
	ca = open_on(a, "p", "q", "second");
	check(move(a, b));
	(void)want(b, MUX_OFFERED);
	cb = open_on(b, "p", "q", "");
	(void)want(b, MUX_OPENED);
	check(want(b, MUX_CLOSED).ch == cb);
	check_same(want(b, MUX_OFFERED).handshake, view_str("second"));
	cb = open_on(b, "p", "q", "");
	check(want(b, MUX_OPENED).ch == cb);
	want_none(b);
	check(move(b, a));
	check(want(a, MUX_OPENED).ch == ca);
	want_none(a);
	say(b, cb, 0, "to the second");
	check(move(b, a));
	want_text(a, ca, 0, "to the second");
	want_none(a);
	/* the close is said again, and means nothing to who heard it */
	check(move(a, b));
	want_none(b);
	check(mux_is_open(ca) && mux_is_open(cb));
	mux_free(a);
	mux_free(b);
}

/* The original forgets a close that comes before its decision: it must hear
 * it again before the number is used again. */
static void
ghost_told_again(void **state)
{
	struct mux *a = fresh(NULL);
	struct err e = ERR_INIT;
	size_t len;
	uint8_t *data;

	(void)state;
	mux_close(a, open_on(a, "p", "", ""));
	check(mux_take(a, &data, &len));
	free(data);
	check(!mux_take(a, &data, &len));
	check_ok(mux_recv(a, vec_hex("000101017000"), &e), &e);
	want_none(a);
	(void)open_on(a, "p", "", "");
	check(mux_take(a, &data, &len));
	/* close 1, then open 1, in one batch */
	check_view_hex(view_of(data + MUX_FRAME_HEAD, len), "000000"
							    "020301"
							    "050101017000");
	free(data);
	mux_free(a);
}

/* What cannot be ours is rejected, and no fault; thousands of that without
 * reading an answer are. */
static void
floods(void **state)
{
	struct mux *a = fresh(NULL);
	struct err e = ERR_INIT;
	struct mux_event ev;
	struct buf b;
	uint8_t *data;
	size_t len;

	(void)state;
	buf_init(&b, 2000);
	enc_u8(&b, 0);
	enc_uint(&b, 1);
	enc_uint(&b, 1);
	enc_uint(&b, MUX_PROTOCOL_MAX + 1);
	buf_fill(&b, 'p', MUX_PROTOCOL_MAX + 1);
	enc_bytes(&b, VIEW_EMPTY);
	check_ok(mux_recv(a, buf_view(&b), &e), &e);
	want_none(a);
	check(mux_take(a, &data, &len));
	check_view_hex(view_of(data + MUX_FRAME_HEAD, len), "000000020201");
	free(data);
	check(!mux_take(a, &data, &len));
	for (size_t i = 0; i < 65536; i++) {
		check_ok(mux_recv(a, vec_hex("000101017000"), &e), &e);
		check(mux_next(a, &ev, &e) && ev.kind == MUX_OFFERED);
		check(!mux_next(a, &ev, &e) && e.code == ERR_OK);
	}
	check_ok(mux_recv(a, buf_view(&b), &e), &e);
	check(!mux_next(a, &ev, &e) && e.code == ERR_LIMIT);
	buf_deinit(&b);
	mux_free(a);
}

/* Messages of every size class, in the order they were written. */
static void
sizes(void **state)
{
	static const size_t len[] = {0, 1, 250, 251, 252, 253, 5000, 16383,
	    16384, 65530, 65536, 70000, 1000000, 3};
	struct mux_limits l = {.batch = 1u << 20};
	struct mux *a = fresh(&l), *b = fresh(NULL);
	struct mux_channel *ca = open_on(a, "p", "", "");
	struct err e = ERR_INIT;
	struct mux_event ev;
	size_t got = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(len) / sizeof(len[0]); i++)
		for (int hint = 0; hint < 2; hint++) {
			buf_fill(mux_begin(ca, i, hint ? len[i] : 0),
			    (uint8_t)i, len[i]);
			if (hint && i % 3 == 0)
				mux_cancel(a);
			else
				check_ok(mux_end(a, &e), &e);
		}
	while (move(a, b))
		while (mux_next(b, &ev, &e)) {
			if (ev.kind == MUX_OFFERED) {
				(void)open_on(b, "p", "", "");
				continue;
			}
			if (ev.kind != MUX_MESSAGE)
				continue;
			check(ev.body.len == len[ev.type]);
			check(ev.body.len == 0 ||
			      ev.body.ptr[ev.body.len - 1] == ev.type);
			got++;
		}
	check(e.code == ERR_OK);
	check(got == 2 * 14 - 5);
	check(mux_waiting(a) == 0);
	mux_free(a);
	mux_free(b);
}

/* Frames of the original, one after the other. */
static void
golden(void **state)
{
	json_t *v = vec_load("net/hypercore");
	const json_t *list = vec_at(v, "protomux");
	struct mux *m = fresh(NULL);
	struct mux_channel *one, *two;
	struct err e = ERR_INIT;
	struct mux_event ev;

	(void)state;
#define FEED(i) \
	check_ok(mux_recv(m, \
		     vec_hex(json_string_value(json_array_get( \
			 vec_at(json_array_get(list, i), "frames"), 0))), \
		     &e), \
	    &e)
	FEED(0);
	ev = want(m, MUX_OFFERED);
	check_same(ev.protocol, view_str("foo/1"));
	check_view_hex(ev.id, "abcd");
	check_view_hex(ev.handshake, "026869");
	check_ok(mux_open(m, ev.protocol, ev.id, VIEW_EMPTY, m, &one, &e), &e);
	check(want(m, MUX_OPENED).user == m);
	want_none(m);
	FEED(1);
	want_text(m, one, 0, "\4msg0");
	want_none(m);
	FEED(2);
	check_view_hex(want(m, MUX_MESSAGE).body, "fd2c01");
	want_none(m);
	FEED(3);
	check_same(want(m, MUX_OFFERED).protocol, view_str("bar"));
	two = open_on(m, "bar", "", "");
	(void)want(m, MUX_OPENED);
	want_text(m, one, 0, "\1x");
	check_view_hex(want(m, MUX_MESSAGE).body, "07");
	want_text(m, two, 0, "\1y");
	want_none(m);
	FEED(4);
	check(want(m, MUX_CLOSED).ch == two);
	want_none(m);
	FEED(6);
	want_text(m, one, 0, "\3one");
	want_none(m);
#undef FEED
	json_decref(v);
	mux_free(m);
}

static void
refused(void **state)
{
	static const char *const frames[] = {
	    "00",
	    "01",
	    "0000",
	    "000100",
	    "00010105666f", /* cut short */
	    "000102016100", /* number 2 first */
	    "000100016100", /* number 0 */
	    "000201",
	    "000200",	      /* reject of nothing */
	    "00000003000000", /* a batch in a batch */
	    "0001fdffff0161", /* far beyond */
	    "00010101610001010161ff",
	};
	struct err e = ERR_INIT;
	struct mux_event ev;
	struct mux *m;
	enum err_code rc;

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		m = fresh(NULL);
		rc = mux_recv(m, vec_hex(frames[i]), &e);
		while (rc == ERR_OK && mux_next(m, &ev, &e))
			;
		if (i + 1 < sizeof(frames) / sizeof(frames[0]))
			check(e.code == ERR_FORMAT);
		e.code = ERR_OK;
		mux_free(m);
	}
}

static void
limits(void **state)
{
	struct mux_limits l = {.channels = 3, .message = 1000};
	struct mux *a = fresh(&l), *b = fresh(NULL);
	struct err e = ERR_INIT;
	struct mux_channel *ch;
	struct mux_event ev;

	(void)state;
	for (int i = 0; i < 4; i++)
		(void)open_on(b, "p", "", "");
	check(move(b, a));
	for (int i = 0; i < 3; i++) {
		(void)want(a, MUX_OFFERED);
		(void)open_on(a, "p", "", "");
		(void)want(a, MUX_OPENED);
	}
	check(!mux_next(a, &ev, &e) && e.code == ERR_FORMAT);
	check_code(
	    mux_open(a, view_str("q"), VIEW_EMPTY, VIEW_EMPTY, NULL, &ch, &e),
	    ERR_LIMIT);
	mux_free(a);
	a = fresh(&l);
	ch = open_on(a, "p", "", "");
	buf_fill(mux_begin(ch, 0, 100), 0, 5000);
	check_code(mux_end(a, &e), ERR_LIMIT);
	mux_free(a);
	mux_free(b);
	free(moved);
	moved = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(offered_and_accepted),
	    cmocka_unit_test(looked_at),
	    cmocka_unit_test(rejected),
	    cmocka_unit_test(crossing),
	    cmocka_unit_test(ghosts),
	    cmocka_unit_test(ghost_told_again),
	    cmocka_unit_test(floods),
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(golden),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
