#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pair.h"

#define LONG (60 * (uint64_t)SECOND)

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
