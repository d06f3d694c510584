/* Addresses as text: both families, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/addr.h"
#include "vec.h"

static void
round_trips(void **state)
{
	static const char *const texts[] = {
	    "127.0.0.1:0", "1.2.3.4:65535", "[::1]:49737", "[2001:db8::7]:1"};
	char shown[ADDR_TEXT];
	struct err e = ERR_INIT;
	struct addr a, b;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		check_ok(addr_parse(&a, view_str(texts[i]), &e), &e);
		assert_string_equal(addr_format(shown, &a), texts[i]);
		check_ok(addr_parse(&b, view_str(shown), &e), &e);
		assert_true(addr_eq(&a, &b));
		b.port++;
		assert_false(addr_eq(&a, &b));
		assert_true(addr_same_host(&a, &b));
	}
}

static void
refuses(void **state)
{
	static const char *const texts[] = {"", ":", "127.0.0.1",
	    "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:123456", "1.2.3.4:-1",
	    "::1:80", "[::1:80", "[]:80", "localhost:80", "1.2.3:80",
	    "1.2.3.4:8a", "[1.2.3.4]:80"};
	struct err e = ERR_INIT;
	struct addr a = {.port = 7};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		check_code(addr_parse(&a, view_str(texts[i]), &e), ERR_INVALID);
		assert_int_equal(a.port, 7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_trips),
	    cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
