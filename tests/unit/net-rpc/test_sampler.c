/* The own address from what others say: the original's traces, and more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "net/rpc/sampler.h"
#include "support/vec.h"

static struct addr
parse(const char *text)
{
	struct err e = ERR_INIT;
	struct addr a;

	check_ok(addr_parse(&a, view_str(text), &e), &e);
	return a;
}

static void
same(const struct sampler *s, const json_t *step)
{
	const json_t *host = vec_at(step, "host");
	struct addr want = {0};
	char text[64];

	if (!json_is_null(host)) {
		(void)snprintf(text, sizeof(text), "%s:%u",
		    json_string_value(host), (unsigned)vec_num(step, "port"));
		want = parse(text);
	}
	check(addr_eq(&s->addr, &want));
}

static void
test_traces(void **state)
{
	json_t *doc = vec_load("net/dht-rpc");
	const json_t *row, *step;
	struct sampler s;
	size_t i, j, steps = 0;

	(void)state;
	json_array_foreach(vec_at(doc, "natSampler"), i, row)
	{
		sampler_init(&s);
		json_array_foreach(vec_at(row, "trace"), j, step)
		{
			struct addr a = parse(vec_str(step, "add"));

			(void)sampler_add(&s, &a);
			same(&s, step);
			steps++;
		}
	}
	check(i == 3 && steps == 17);
	json_decref(doc);
}

/* What the original gives for longer rows of samples, written shorter: each
 * letter is a sample (a, b: ports of one host; x, y: of another), and below it
 * the judgement: a, b, x, y, "A" and "X" for the host alone, "-" for none. */
static void
test_rows(void **state)
{
	static const struct {
		const char *samples, *want;
	} rows[] = {
	    {"aaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaa"},
	    {"aaaabbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		"aaaaaAAAAAAAAAAAbbbbbbbbbbbbbbbb"},
	    {"abababababababababababab", "aAAAAAAAAAAAAAAAAAAAAAAA"},
	    {"aaaaaaaaaaaaaaaaxxxxxxxxxxxxxxxxxxxx",
		"aaaaaaaaaaaaaaaaaaa---------xxxxxxxx"},
	    {"axaxaxaxax", "a---------"},
	    {"abcdefgabcdefgabcdefgabcdefg", "aAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
	    {"xyzxyzxyzxyzxyzxyzaaaaaaaaaaaaaaaaaaaaaaaa",
		"xXXXXXXXXXXXXXXXXXXXX---------aaaaaaaaaaaa"},
	    {"acycccccyyyyyyyyyyyyyyyyyyyyyacccccccccccccccccc",
		"aA-AAAAcA-----------yyyyyyyyyyyy---------Acccccc"},
	    {"aaaaaaaaayccacccccccccccyyyyyyyyyyyyycaaaaaaaaaa",
		"aaaaaaaaaaaaaAAAAAAAAAAcccA---------yyyy--------"},
	    {"aaaaaaaaaaaccccccccccaccccaaaaaaaaaaaaybbbbbaabb",
		"aaaaaaaaaaaaaaAAAAAAAAAAccccAAAAAAAAAAAAAAAAAAAA"},
	    {"yyyaccxxxyzyyccczzyyyccaaaayyxxxxxyccccccacyzzzz",
		"yyyy-------XX-----------------------------------"},
	    {"aaaaaaaxaaaaaaaaaaaaaaaaaaaaaaaaaacczzzzaazzzzcc",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaAA---------"},
	    {"yaaaayyyyyyyyacccccccczayxbbbbbccccczzzaazzzxxaa",
		"y--aa-----------------------AAAAAAAA------------"},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	    {"aaaaaaaabbxxxaxxyyaaaaaaaaaybbbyyxaxbbbbbbzbbbaa",
		"aaaaaaaaaaAAAA----------------------------------"},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacyyyyyy",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA---"},
	    {"xaayyyyyyyyyyyayyaayyyyyaaaaaaaaaaaaaaaccccccccc",
		"x------XXXXyyyXXyyyyyyyy------------aaaaaaAAAAAA"},
	    {"aabbbxyyyzbybbbbbbyaxaxzyabbbxabbayyaazyyacccccc",
		"aaAAAA------------------------------------------"},
	    {"ccccccccccaacaaaaayxxxxxxxxxxxaaaaaaaazzazzzyaaa",
		"ccccccccccccccAAAAAAA---------------------------"},
	    {"aayayybayaaaaxxxxxaayyyyabbxxxxxzzzzzxzzzzzayybb",
		"aa-a-------------------------------XXXXXXXXXXXXX"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *c = rows[i].samples;
		struct sampler s, copy;
		struct addr before;

		sampler_init(&s);
		for (size_t n = 0; c[n] != '\0'; n++) {
			struct addr a =
			    parse(c[n] < 'x' ? "1.1.1.1:10" : "2.2.2.2:20");
			char got = '-';

			a.port = (uint16_t)(a.port + c[n] % 8);
			before = s.addr;
			check(sampler_add(&s, &a) != addr_eq(&before, &s.addr));
			if (s.addr.family != 0 && s.addr.port == 0)
				got = s.addr.ip[0] == 1 ? 'A' : 'X';
			else if (s.addr.family != 0)
				got =
				    (char)((s.addr.ip[0] == 1 ? 'a' : 'x') +
					   (s.addr.port -
					       (s.addr.ip[0] == 1 ? 11 : 20)));
			check(got == rows[i].want[n]);
			copy = s; /* a value like any other */
			s = copy;
		}
		check(s.size <= 16);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_traces),
	    cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
