/* want: who is asked, and what is said when nobody can be. */
#include "fix.h"

static enum err_code
fake(void *ctx, const struct want *w, struct err *e)
{
	(void)e;
	*(uint64_t *)ctx = w->index;
	return ERR_OK;
}

static void
test_fetch(void **state)
{
	struct err e = ERR_INIT;
	uint64_t asked = 0;
	struct fetch f = {.get = fake, .ctx = &asked};
	struct want w = {{{0}}, WANT_BLOCK, 7};

	(void)state;
	check_ok(fetch_block(&f, &w, &e), &e);
	check(asked == 7);
	check_code(fetch_block(NULL, &w, &e), ERR_NOT_FOUND);
	check(strcmp(e.msg,
		  "block 7 of core yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
		  "yyyyyyyy is not in this store") == 0);
	w.kind = WANT_NODE;
	check_code(fetch_block(NULL, &w, &e), ERR_NOT_FOUND);
	check(strncmp(e.msg, "tree node 7", 11) == 0);
	w.kind = WANT_LENGTH;
	check_code(fetch_block(NULL, &w, &e), ERR_NOT_FOUND);
	check(strncmp(e.msg, "length 7", 8) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fetch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
