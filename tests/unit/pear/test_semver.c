/* pear/semver: strict grammar, order of semver.org 11, everyday ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "pear/semver.h"
#include "support/vec.h"

static struct semver
must(const char *text)
{
	struct semver v;
	struct err e = ERR_INIT;

	check_ok(semver_parse(&v, view_str(text), &e), &e);
	return v;
}

static void
accepted(void **state)
{
	struct semver v = must("1.22.333-alpha.1.x-y+build.007");

	(void)state;
	check(v.major == 1 && v.minor == 22 && v.patch == 333);
	check_same(v.pre, view_str("alpha.1.x-y"));
	check_same(v.build, view_str("build.007"));
	check(!semver_is_plain(&v));
	v = must("0.0.0");
	check(semver_is_plain(&v));
	v = must("9007199254740991.0.1+b");
	check(!semver_is_plain(&v) && v.pre.len == 0);
}

static void
refused(void **state)
{
	static const char *const rows[] = {"", "1", "1.2", "1.2.3.4", "v1.2.3",
	    "01.2.3", "1.02.3", "1.2.03", "1.2.3-", "1.2.3-01", "1.2.3-a..b",
	    "1.2.3-a.", "1.2.3+", "1.2.3+a_b", " 1.2.3", "1.2.3 ", "1.2.x",
	    "-1.2.3", "9007199254740992.0.0", "99999999999999999999.0.0",
	    "1.2.3-\xc3\xa6"};
	char longer[SEMVER_TEXT_MAX + 2];
	struct semver v;
	struct err e = ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_code(semver_parse(&v, view_str(rows[i]), &e), ERR_FORMAT);
	memset(longer, 'a', sizeof(longer));
	memcpy(longer, "1.2.3-", 6);
	check_code(semver_parse(&v, view_of(longer, SEMVER_TEXT_MAX + 1), &e),
	    ERR_FORMAT);
	check_ok(semver_parse(&v, view_of(longer, SEMVER_TEXT_MAX), &e), &e);
}

static void
order(void **state)
{
	static const char *const rising[] = {"0.0.1", "0.1.0", "1.0.0-0",
	    "1.0.0-9", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1",
	    "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
	    "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0", "2.0.0"};
	size_t n = sizeof(rising) / sizeof(rising[0]);
	struct semver a = must("1.0.0+x");
	struct semver b = must("1.0.0+y");
	size_t i;
	size_t j;

	(void)state;
	check(semver_cmp(&a, &b) == 0);
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			int c;

			a = must(rising[i]);
			b = must(rising[j]);
			c = semver_cmp(&a, &b);
			check((c < 0) == (i < j) && (c == 0) == (i == j));
		}
	}
}

static void
ranges(void **state)
{
	static const struct {
		const char *range, *version;
		bool in;
	} rows[] = {
	    {"*", "1.2.3", true},
	    {"^*", "7.0.0", true},
	    {"1", "1.9.9", true},
	    {"1.x.x", "2.0.0", false},
	    {"1.2", "1.2.9", true},
	    {"1.2.*", "1.3.0", false},
	    {"=1.2.3", "1.2.3", true},
	    {"1.2.3", "1.2.4", false},
	    {"^1.2.3", "1.9.0", true},
	    {"^1.2.3", "1.2.2", false},
	    {"^1.2.3", "2.0.0", false},
	    {"^0.2.3", "0.2.9", true},
	    {"^0.2.3", "0.3.0", false},
	    {"^0.0.3", "0.0.4", false},
	    {"^0.0", "0.0.9", true},
	    {"^0", "0.9.0", true},
	    {"~1.2.3", "1.2.9", true},
	    {"~1.2.3", "1.3.0", false},
	    {"~1", "1.9.0", true},
	    {">1.2", "1.2.9", false},
	    {">1.2.3", "1.2.3", false},
	    {">= 1.2 <2", "1.5.0", true},
	    {">=1.2 <2", "2.0.0", false},
	    {"<=1.2", "1.2.9", true},
	    {"<=1.2.3", "1.2.4", false},
	    {"1 || 3", "3.1.0", true},
	    {"1||3", "2.0.0", false},
	    {"^1.2.3-rc.1", "1.2.3-rc.2", true},
	    {"^1.2.3-rc.2", "1.2.3-rc.1", false},
	    {"^1.2.3", "1.3.0-rc.1", false},
	    {"*", "1.0.0-rc.1", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct semver v = must(rows[i].version);
		struct err e = ERR_INIT;
		bool in = false;

		check_ok(
		    semver_match(&v, view_str(rows[i].range), &in, &e), &e);
		if (in != rows[i].in)
			vec_fail(__FILE__, __LINE__, rows[i].range);
	}
}

static void
bad_ranges(void **state)
{
	static const char *const rows[] = {"", "^", "a", "1.2.3.4", "1 |",
	    "1 | 2", "||1", "1||", "1.x.2", ">>1", "1.2.3-", "01"};
	struct semver v = must("1.0.0");
	struct err e = ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool in;

		if (semver_match(&v, view_str(rows[i]), &in, &e) != ERR_FORMAT)
			vec_fail(__FILE__, __LINE__, rows[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(accepted),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(order),
	    cmocka_unit_test(ranges),
	    cmocka_unit_test(bad_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
