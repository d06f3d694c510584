/* pages: changes on top of the store against a naive twin. */
#include "fix.h"

#include "core/pages.h"

#define SIZE 16
#define PAGES 300

static uint8_t twin[PAGES][SIZE];

static void
expect(struct store *s, uint64_t number)
{
	struct err e = ERR_INIT;
	uint8_t page[SIZE];

	for (uint64_t i = 0; i < PAGES; i++) {
		check_ok(
		    pages_read(s, STORE_BITS, number, i, page, SIZE, &e), &e);
		check(memcmp(page, twin[i], SIZE) == 0);
	}
}

static void
put(struct pages *p, struct store *s)
{
	struct err e = ERR_INIT;
	struct store_txn *txn;

	check_ok(store_begin(&txn, s, &e), &e);
	check_ok(pages_put(p, txn, &e), &e);
	check_ok(store_commit(txn, &e), &e);
	pages_reset(p);
}

static void
test_twin(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct pages p, other;
	uint8_t *page;
	uint32_t x = 7;

	(void)state;
	fix_open(&f, 1, false);
	pages_init(&p, f.s, STORE_BITS, 5, SIZE);
	pages_init(&other, f.s, STORE_BITS, 6, SIZE);
	check_ok(pages_get(&other, 3, &page, &e), &e);
	page[0] = 77;
	put(&other, f.s);
	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i < 60; i++) {
			uint64_t no;

			x = x * 1664525 + 1013904223;
			no = (x >> 8) % PAGES;
			if (i % 20 == 19) {
				pages_cut(&p, no);
				memset(twin[no], 0, (PAGES - no) * SIZE);
				check(pages_peek(&p, no) == NULL);
				continue;
			}
			check_ok(pages_get(&p, no, &page, &e), &e);
			check(memcmp(page, twin[no], SIZE) == 0);
			check(pages_peek(&p, no) == page);
			page[x % SIZE] = twin[no][x % SIZE] = (uint8_t)(x >> 3);
		}
		put(&p, f.s);
		expect(f.s, 5);
	}
	/* The neighbour was not touched; a page of another size is damage. */
	check_ok(pages_get(&other, 3, &page, &e), &e);
	check(page[0] == 77);
	pages_reset(&other);
	other.size = SIZE * 2;
	check_code(pages_get(&other, 3, &page, &e), ERR_CORRUPT);
	pages_deinit(&other);
	pages_deinit(&p);
	fix_close(&f);
}

/* Without a store below: zeros, thousands of them. */
static void
test_memory_only(void **state)
{
	struct err e = ERR_INIT;
	struct pages p;
	uint8_t *page;

	(void)state;
	pages_init(&p, NULL, STORE_BITS, 0, 8);
	for (uint64_t i = 0; i < 5000; i++) {
		check_ok(pages_get(&p, i << 30, &page, &e), &e);
		check(page[0] == 0);
		page[0] = (uint8_t)i;
	}
	for (uint64_t i = 0; i < 5000; i++)
		check(pages_peek(&p, i << 30)[0] == (uint8_t)i);
	pages_reset(&p);
	check(pages_peek(&p, 0) == NULL);
	pages_deinit(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_twin),
	    cmocka_unit_test(test_memory_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
