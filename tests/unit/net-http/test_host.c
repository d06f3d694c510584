/* Which names are answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "net/http/http.h"
#include "vec.h"

static void
hosts(void **state)
{
	static const char *const names[] = {"seed.example", ""};
	static const struct {
		const char *host;
		bool ok;
	} cases[] = {
	    {"127.0.0.1", true},
	    {"127.0.0.1:8080", true},
	    {"192.168.1.5:80", true},
	    {"[::1]", true},
	    {"[::1]:9000", true},
	    {"localhost", true},
	    {"LocalHost:8080", true},
	    {"seed.example", true},
	    {"SEED.example:1", true},
	    {NULL, false},
	    {"", false},
	    {":80", false},
	    {"localhost.", false},
	    {"localhost.evil.example", false},
	    {"localhost:", false},
	    {"localhost:80x", false},
	    {"localhost:123456", false},
	    {"localhost@evil.example", false},
	    {"127.0.0.1.evil.example", false},
	    {"127.0.0.1:80.evil.example", false},
	    {"evil.example", false},
	    {"evil.example:80", false},
	    {"xseed.example", false},
	    {"seed.example.evil", false},
	    {"127.1", false},
	    {"[::1", false},
	};
	char longest[600];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_host_ok(cases[i].host, names, 2) != cases[i].ok)
			fail_msg("%s", cases[i].host);
	assert_false(http_host_ok("seed.example", NULL, 0));
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_false(http_host_ok(longest, names, 2));
}

static void
loopback(void **state)
{
	static const struct {
		const char *at;
		bool yes;
	} cases[] = {
	    {"127.0.0.1:1", true},
	    {"127.9.9.9:1", true},
	    {"[::1]:1", true},
	    {"0.0.0.0:1", false},
	    {"[::]:1", false},
	    {"128.0.0.1:1", false},
	    {"[::2]:1", false},
	    {"[fe80::1]:1", false},
	};
	struct addr a = {.family = 0};

	(void)state;
	assert_false(http_loopback(&a));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    addr_parse(&a, view_str(cases[i].at), NULL), ERR_OK);
		assert_int_equal(http_loopback(&a), cases[i].yes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hosts),
	    cmocka_unit_test(loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
