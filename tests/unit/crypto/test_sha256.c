/* crypto/sha256: the examples of FIPS 180-4, in pieces too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "crypto/sha256.h"
#include "support/vec.h"

static void
examples(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852"
		 "b855"},
	    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f"
		    "20015ad"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db0"
		"6c1"},
	};
	struct sha256 s;
	struct b32 out;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct view v = view_str(rows[i].text);

		for (size_t cut = 0; cut <= v.len; cut++) {
			sha256_init(&s);
			sha256_update(&s, view_sub(v, 0, cut));
			sha256_update(&s, view_sub(v, cut, v.len));
			sha256_final(&s, &out);
			check_view_hex(view_b32(&out), rows[i].want);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(examples)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
