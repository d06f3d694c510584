/* Guarded memory: size, zeroes, wiping, protection, core dumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "support/vec.h"

static void
test_new_is_zeroed(void **state)
{
	static const size_t sizes[] = {1, 32, 64, 4096, 1u << 20};
	struct err e = ERR_INIT;
	struct secret s;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_ok(secret_new(&s, sizes[i], &e), &e);
		check(s.len == sizes[i] && secret_view(&s).len == sizes[i]);
		for (size_t k = 0; k < s.len; k++)
			check(s.ptr[k] == 0);
		memset(s.ptr, 0xff, s.len); /* all of it may be written */
		secret_free(&s);
		check(s.ptr == NULL && s.len == 0);
		secret_free(&s); /* an empty one is fine */
	}
}

static void
test_copy_is_its_own(void **state)
{
	char text[] = "for no other eyes";
	struct err e = ERR_INIT;
	struct secret s;

	(void)state;
	check_ok(secret_copy(&s, view_str(text), &e), &e);
	secret_wipe(text, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++)
		check(text[i] == 0);
	check_same(secret_view(&s), view_str("for no other eyes"));
	secret_free(&s);
}

/* Does the mapping that holds p carry the kernel's "do not dump" flag?
 * -1: this kernel does not tell. */
static int
not_dumped(const void *p)
{
	unsigned long from, to, at = (unsigned long)p;
	FILE *f = fopen("/proc/self/smaps", "r");
	int inside = 0, answer = -1;
	char line[512];

	if (f == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = at >= from && at < to;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			answer = strstr(line, " dd") != NULL;
	}
	fclose(f);
	return answer;
}

static void
test_left_out_of_core_dumps(void **state)
{
	struct err e = ERR_INIT;
	struct secret s;

	(void)state;
	check_ok(secret_new(&s, 64, &e), &e);
	check(not_dumped(s.ptr) != 0);
	secret_free(&s);
}

static void
test_random_differs(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0}, guard[34] = {0};

	(void)state;
	secret_random(a, sizeof(a));
	secret_random(b, sizeof(b));
	check(memcmp(a, b, sizeof(a)) != 0);
	secret_random(guard + 1, 32);
	check(guard[0] == 0 && guard[33] == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_new_is_zeroed),
	    cmocka_unit_test(test_copy_is_its_own),
	    cmocka_unit_test(test_left_out_of_core_dumps),
	    cmocka_unit_test(test_random_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
