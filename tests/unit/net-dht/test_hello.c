/* Which address of a neighbour is the best one, and lists of addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "duo.h"
#include "net/dht/hello.h"

#define ADDRS 4

static size_t
addrs(struct addr *out, const char *const *text)
{
	size_t n = 0;

	while (n < ADDRS && text[n] != NULL) {
		out[n] = duo_addr(text[n]);
		n++;
	}
	return n;
}

static void
test_match(void **state)
{
	static const struct {
		const char *ours[ADDRS], *theirs[ADDRS], *best;
	} rows[] = {
	    {{NULL}, {"10.0.0.1:1"}, NULL},
	    {{"10.0.0.1:1"}, {NULL}, NULL},
	    {{"10.0.0.1:1"}, {"192.168.0.1:1"}, NULL},
	    {{"10.0.0.1:1"}, {"10.7.0.1:1"}, "10.7.0.1:1"},
	    {{"10.0.0.1:1"}, {"10.7.0.1:1", "10.0.7.1:1"}, "10.0.7.1:1"},
	    {{"10.0.0.1:1"}, {"10.0.7.1:1", "10.0.0.9:1"}, "10.0.0.9:1"},
	    /* equally good: the first */
	    {{"10.0.0.1:1"}, {"10.0.0.8:1", "10.0.0.9:1"}, "10.0.0.8:1"},
	    {{"192.168.1.2:1", "10.0.0.1:1"}, {"10.0.9.1:1", "192.168.1.9:1"},
		"192.168.1.9:1"},
	    {{"[fd00::1]:1"}, {"[fd00::2]:1"}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a[ADDRS], b[ADDRS], best;
		size_t na = addrs(a, rows[i].ours);
		size_t nb = addrs(b, rows[i].theirs);
		const struct addr *got = hello_match(a, na, b, nb);

		check((got != NULL) == (rows[i].best != NULL));
		if (got == NULL)
			continue;
		best = duo_addr(rows[i].best);
		check(addr_eq(got, &best));
	}
}

static void
test_lists(void **state)
{
	const struct addr in[] = {duo_addr("1.2.3.4:5"),
	    duo_addr("[fd00::1]:6"), duo_addr("6.7.8.9:10")};
	struct addr out[2];
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	hello_put(&b, in, 3);
	check_view_hex(buf_view(&b), "010203040500060708090a00");
	check(hello_list(buf_view(&b), out, 2) == 2);
	check(addr_eq(&out[0], &in[0]) && addr_eq(&out[1], &in[2]));
	check(hello_list(buf_view(&b), out, 1) == 1);
	check(hello_list(VIEW_EMPTY, out, 2) == 0);
	buf_deinit(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_match),
	    cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
