/* bitmap, remote, wants, requests: against naive twins, and at their caps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "replicate/impl.h"
#include "support/dice.h"
#include "support/vec.h"

#define SPACE (3 * BITMAP_PAGE + 100)

/* A place that is near a border of words or pages more often than not. */
static uint64_t
place(void)
{
	static const uint64_t step[] = {1, 32, 64, BITMAP_PAGE};
	uint64_t s = step[any(4)], i = any(SPACE / s + 1) * s + any(3);

	return i < SPACE ? i : SPACE - 1;
}

static void
test_bitmap(void **state)
{
	static bool twin[SPACE];
	uint64_t a, b, k;
	struct bitmap m;

	(void)state;
	bitmap_init(&m, SIZE_MAX);
	for (int n = 0; n < 3000; n++) {
		a = place();
		b = place();
		if (any(4) == 0)
			b = a + 1;
		switch (any(3)) {
		case 0:
			check(bitmap_set_range(&m, a, b));
			for (k = a; k < b; k++)
				twin[k] = true;
			break;
		case 1:
			bitmap_clear_range(&m, a, b);
			for (k = a; k < b; k++)
				twin[k] = false;
			break;
		default:
			check(bitmap_set(&m, a));
			twin[a] = true;
		}
		for (int t = 0; t < 20; t++) {
			k = place();
			check(bitmap_get(&m, k) == twin[k]);
		}
		for (k = a; k < SPACE && twin[k]; k++)
			;
		check(bitmap_first_unset(&m, a) == k);
	}
	for (k = 0; k < SPACE; k++)
		check(bitmap_get(&m, k) == twin[k]);
	bitmap_deinit(&m);
}

static void
test_bitmap_words(void **state)
{
	uint64_t word[BITMAP_WORDS];
	const struct bitmap_page *p;
	uint8_t bytes[4 * 2100];
	struct bitmap m;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)any(256);
	bitmap_init(&m, 4);
	/* over the border of a page, from the middle of a word */
	check(bitmap_put_words(&m, BITMAP_PAGE - 96, bytes, 2100));
	for (uint64_t i = 0; i < 2100 * 32; i++)
		check(bitmap_get(&m, BITMAP_PAGE - 96 + i) ==
		      ((bytes[i / 8] >> (i % 8) & 1) != 0));
	check(!bitmap_get(&m, BITMAP_PAGE - 97));
	/* a full page folds, and unfolds again */
	memset(word, 0xff, sizeof(word));
	check(bitmap_put(&m, 0, word));
	p = bitmap_find(&m, 0);
	check(p != NULL && p->word == NULL && p->ones == BITMAP_PAGE);
	bitmap_clear_range(&m, 5, 6);
	check(!bitmap_get(&m, 5) && bitmap_get(&m, 4) && bitmap_get(&m, 6));
	/* not more than its maximum */
	check(m.n == 4);
	check(!bitmap_set(&m, 100 * BITMAP_PAGE) && m.n == 4);
	check(!bitmap_get(&m, 100 * BITMAP_PAGE));
	check(bitmap_from(&m, 4) == NULL && bitmap_from(&m, 3)->no == 3);
	bitmap_deinit(&m);
}

static void
range(struct remote *r, bool drop, uint64_t start, uint64_t length)
{
	const struct message_range m = {drop, start, length};

	remote_range(r, &m);
}

static void
test_remote(void **state)
{
	static const uint8_t words[] = {0x0c, 2, 0, 0};
	struct message_bitfield bits = {0, {words, 4}};
	struct remote r;

	(void)state;
	remote_init(&r);
	check(!remote_has(&r, 0) && remote_contiguous(&r) == 0);
	range(&r, false, 0, 11);
	check(remote_has(&r, 10) && !remote_has(&r, 11));
	range(&r, false, 12, 1);
	check(remote_contiguous(&r) == 11 && remote_has(&r, 12));
	range(&r, false, 11, 1);
	check(remote_contiguous(&r) == 13 && r.contiguous == 11);
	check(remote_has_range(&r, 3, 10) && !remote_has_range(&r, 3, 11));
	/* less of a beginning says nothing new */
	range(&r, false, 0, 5);
	check(r.contiguous == 11);
	/* forgotten blocks: what is behind is not known any more */
	range(&r, true, 3, 2);
	check(r.contiguous == 3 && !remote_has(&r, 5));
	/* blocks 2, 3 and 9, and the bitfield is the truth */
	remote_bitfield(&r, &bits);
	check(r.contiguous == 0 && !remote_has(&r, 0) && remote_has(&r, 2));
	check(remote_word(&r, 0) == 0x20c);
	remote_deinit(&r);
}

/* W1, W8: numbers without measure. */
static void
test_remote_absurd(void **state)
{
	static uint8_t words[1 << 20];
	struct message_bitfield bits = {0, {words, sizeof(words)}};
	const uint64_t max = DEC_UINT_MAX;
	struct remote r;

	(void)state;
	memset(words, 0x55, sizeof(words));
	remote_init(&r);
	range(&r, false, 1, max);
	check(r.bits.n == REMOTE_PAGES_MAX && remote_has(&r, 1));
	check(remote_has(&r, REMOTE_PAGES_MAX * BITMAP_PAGE - 1));
	check(!remote_has(&r, REMOTE_PAGES_MAX * BITMAP_PAGE));
	range(&r, true, 5, max);
	check(r.bits.n == 1 && remote_has(&r, 4) && !remote_has(&r, 5));
	range(&r, false, 0, max);
	check(remote_has(&r, max - 1) && r.bits.n == 0);
	check(remote_word(&r, max / 64 - 1) == UINT64_MAX);
	range(&r, true, 0, max);
	check(!remote_has(&r, 0));
	for (uint64_t i = 0; i < 1000; i++) {
		bits.start = i * 8 * sizeof(words);
		remote_bitfield(&r, &bits);
	}
	check(r.bits.n == REMOTE_PAGES_MAX && remote_has(&r, 2));
	bits.start = 7; /* no multiple of 32 */
	remote_bitfield(&r, &bits);
	check(!remote_has(&r, 3));
	range(&r, false, 10, 0);
	range(&r, true, 10, 0);
	check(remote_has(&r, 10));
	remote_deinit(&r);
}

static void
test_remote_denied(void **state)
{
	struct remote r;

	(void)state;
	remote_init(&r);
	range(&r, false, 0, 1000);
	for (uint64_t i = 0; i < 40; i++)
		remote_deny(&r, i);
	check(r.ndenied == REMOTE_DENIED_MAX);
	check(!remote_has(&r, 0) && !remote_has(&r, 31) && remote_has(&r, 32));
	check(remote_word(&r, 0) == UINT64_MAX << 32);
	range(&r, false, 4, 2);
	check(remote_has(&r, 4) && remote_has(&r, 5) && !remote_has(&r, 6));
	check(remote_skip(&r, 999) == 999);
	check(remote_skip(&r, 1000) == UINT64_MAX);
	remote_deinit(&r);
	remote_init(&r);
	range(&r, false, 5 * BITMAP_PAGE + 7, 1);
	check(remote_skip(&r, 3) == 5 * BITMAP_PAGE);
	check(remote_skip(&r, 5 * BITMAP_PAGE + 9) == 5 * BITMAP_PAGE + 9);
	check(remote_skip(&r, 6 * BITMAP_PAGE) == UINT64_MAX);
	remote_deinit(&r);
}

static bool
want(struct wants *w, uint64_t start, uint64_t length, bool one)
{
	const struct message_want m = {start, length, one};
	struct err e = ERR_INIT;
	bool answer;

	check_ok(wants_add(w, &m, &answer, &e), &e);
	return answer;
}

static void
test_wants(void **state)
{
	struct message_want m = {WANTS_SPAN, WANTS_SPAN, false};
	struct wants w = {0};

	(void)state;
	check(!wants_range(&w, 0, 1));
	check(want(&w, WANTS_SPAN, WANTS_SPAN, false));
	check(!wants_range(&w, WANTS_SPAN - 1, 1));
	check(wants_range(&w, WANTS_SPAN - 1, 2));
	check(wants_range(&w, 2 * WANTS_SPAN - 1, 1));
	check(!wants_range(&w, 2 * WANTS_SPAN, 9));
	check(want(&w, WANTS_SPAN, WANTS_SPAN, false) && w.n == 1);
	check(!want(&w, 0, 2 * WANTS_SPAN, false) && !w.all);
	check(want(&w, 32, 64, true) && wants_range(&w, 95, 1));
	check(!wants_range(&w, 96, 1));
	wants_remove(&w, &m);
	check(!wants_range(&w, WANTS_SPAN, 1));
	m = (struct message_want){32, 64, true};
	wants_remove(&w, &m);
	check(!wants_range(&w, 32, 64));
	/* too many lengths, or places, or an odd shape */
	for (uint64_t i = 0; i < 4; i++)
		check(want(&w, 0, 32u << i, false) && !w.all);
	check(want(&w, 0, 32u << 4, false) && w.all);
	wants_deinit(&w);
	check(want(&w, 3, 32, false) && w.all);
	wants_deinit(&w);
	check(want(&w, 0, 0, false) && w.all);
	wants_deinit(&w);
	for (uint64_t i = 0; i < WANTS_MAX; i++)
		check(want(&w, 32 * i, 32, false) && !w.all);
	check(want(&w, DEC_UINT_MAX & ~31u, 32, false) && w.all);
	wants_deinit(&w);
	for (uint64_t i = 0; i < WANTS_ANY_MAX; i++)
		check(want(&w, i, i, true) && !w.all);
	check(want(&w, 0, DEC_UINT_MAX, true) && w.all);
	wants_deinit(&w);
}

static void
test_requests(void **state)
{
	struct requests t = {0};
	uint16_t id[4];

	(void)state;
	check(requests_get(&t, 0) == NULL && requests_get(&t, 1) == NULL);
	for (uint16_t i = 0; i < 4; i++) {
		id[i] = requests_add(&t, REQUEST_BLOCK, 10u + i, i);
		check(id[i] == i + 1);
	}
	check(t.n == 4 && requests_first(&t) == 1);
	check(requests_after(&t, 1) == 2);
	requests_cancel(&t, 2);
	check(t.n == 3 && requests_after(&t, 1) == 3);
	check(requests_get(&t, 2)->kind == REQUEST_CANCELLED);
	/* an answer to what was sent before the cancel proves nothing */
	requests_done(&t, 1);
	check(requests_get(&t, 2) != NULL);
	check(requests_add(&t, REQUEST_BLOCK, 20, 9) == 1);
	/* to what was sent behind it, that the cancel arrived */
	requests_done(&t, 1);
	check(requests_get(&t, 2) == NULL);
	check(requests_add(&t, REQUEST_BLOCK, 21, 9) == 2);
	check(requests_add(&t, REQUEST_BLOCK, 22, 9) == 1);
	/* a cancelled one that is answered all the same */
	requests_cancel(&t, 3);
	requests_done(&t, 3);
	check(requests_get(&t, 3) == NULL);
	requests_touch(&t, requests_first(&t), 100);
	check(t.slot[t.last - 1].sent == 100);
	while (requests_add(&t, REQUEST_BLOCK, 1, 1) != 0)
		;
	check(t.cap == SLOTS_MAX && t.n == SLOTS_MAX);
	check(requests_get(&t, SLOTS_MAX + 1) == NULL);
	requests_deinit(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bitmap),
	    cmocka_unit_test(test_bitmap_words),
	    cmocka_unit_test(test_remote),
	    cmocka_unit_test(test_remote_absurd),
	    cmocka_unit_test(test_remote_denied),
	    cmocka_unit_test(test_wants),
	    cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
