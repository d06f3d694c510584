/* pear/urlpath: the character sets of the URL standard, and tight buffers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "pear/urlpath.h"
#include "support/vec.h"

/* All printable ASCII through node's URL parser. */
static void
character_sets(void **state)
{
	static const struct {
		const char *in, *out;
		enum urlpath_set set;
	} rows[] = {
	    {"!\"$%&'()*+,-.:;<=>@A[\\]^_`a{|}~",
		"!%22$%&'()*+,-.:;%3C=%3E@A[\\]^_%60a%7B|%7D~", URLPATH_PATH},
	    {"a%b?c#d", "a%25b%3Fc%23d", URLPATH_LITERAL},
	    {"?!\"#$%&'<>?`{}", "?!%22%23$%&'%3C%3E?`{}", URLPATH_QUERY},
	    {"?'", "?%27", URLPATH_QUERY_SPECIAL},
	    {"#\"#<>?`{}", "#%22#%3C%3E?%60{}", URLPATH_FRAGMENT},
	    {"\x7f\xc3\xa6 ", "%7F%C3%A6%20", URLPATH_PATH},
	};
	char out[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(urlpath_encode(
		    out, sizeof(out), view_str(rows[i].in), rows[i].set));
		assert_string_equal(out, rows[i].out);
	}
}

/* No size of buffer is overrun, and a large enough one works. */
static void
small_buffers(void **state)
{
	static const char in[] = "/a b/../c\xff/./d";
	static const char want[] = "/c%FF/d";
	char out[64];
	size_t cap;
	bool done = false;

	(void)state;
	for (cap = 0; cap < sizeof(out); cap++) {
		memset(out, 'Z', sizeof(out));
		done = urlpath_resolve(out, cap, view_str(in), URLPATH_PATH);
		check(out[cap] == 'Z');
		if (done)
			assert_string_equal(out, want);
	}
	check(done);
}

static void
decode(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 16);
	check(urlpath_decode(&b, "%41%e2%82%AC+"));
	check_same(buf_view(&b), view_str("A\xe2\x82\xac+"));
	check(!urlpath_decode(&b, "%zz"));
	buf_deinit(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(character_sets),
	    cmocka_unit_test(small_buffers),
	    cmocka_unit_test(decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
