/* pear/provenance: the text, its order, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "pear/provenance.h"
#include "support/vec.h"

static struct b32
sum(uint8_t fill)
{
	struct b32 x;

	memset(&x, fill, sizeof(x));
	return x;
}

static void
fill(struct provenance *p)
{
	static const char *const paths[] = {"package.json",
	    "by-arch/linux-x64/app/x", "by-arch/a \"quoted\"\n name"};
	struct err e = ERR_INIT;

	memset(p, 0, sizeof(*p));
	p->commit = strdup("0123456789abcdef0123456789abcdef01234567");
	p->tag = strdup("v1.0.0");
	p->remote = strdup("https://example.org/hello.git");
	p->name = strdup("hello");
	p->version = strdup("1.0.0");
	p->builder = strdup(PROVENANCE_BUILDER);
	p->builder_version = strdup("0.2");
	for (uint8_t i = 0; i < 3; i++) {
		struct b32 s = sum(i);

		check_ok(provenance_add(p, view_str(paths[i]), &s, &e), &e);
	}
}

static void
round_trip(void **state)
{
	struct provenance p, q;
	struct buf a, b;
	struct err e = ERR_INIT;
	const struct provenance_file *f;

	(void)state;
	fill(&p);
	buf_init(&a, PROVENANCE_SIZE_MAX);
	buf_init(&b, PROVENANCE_SIZE_MAX);
	check_ok(provenance_print(&a, &p, &e), &e);
	check(strcmp(p.file[0].path, "by-arch/a \"quoted\"\n name") == 0);
	check_ok(provenance_parse(&q, buf_view(&a), &e), &e);
	check_ok(provenance_print(&b, &q, &e), &e);
	check_same(buf_view(&a), buf_view(&b));
	check(q.n == 3 && !q.dirty && strcmp(q.tag, "v1.0.0") == 0);
	check(strcmp(q.builder_version, "0.2") == 0);
	f = provenance_find(&q, view_str("package.json"));
	check(f != NULL && f->sha256.b[0] == 0);
	f = provenance_find(&q, view_str("by-arch/linux-x64/app/x"));
	check(f != NULL && f->sha256.b[31] == 1);
	check(provenance_find(&q, view_str("package.jso")) == NULL);
	check(provenance_find(&q, VIEW_EMPTY) == NULL);
	provenance_deinit(&p);
	provenance_deinit(&q);
	buf_deinit(&a);
	buf_deinit(&b);
}

/* What a tool that knows in-toto and SLSA looks for. */
static void
others_read_it(void **state)
{
	struct provenance p;
	json_error_t why;
	struct err e = ERR_INIT;
	struct buf b;
	json_t *whole, *o;

	(void)state;
	fill(&p);
	p.dirty = true;
	buf_init(&b, PROVENANCE_SIZE_MAX);
	check_ok(provenance_print(&b, &p, &e), &e);
	whole = json_loadb((const char *)b.data, b.len, 0, &why);
	check((o = whole) != NULL);
	check(strcmp(vec_str(o, "_type"), "https://in-toto.io/Statement/v1") ==
	      0);
	check(strcmp(vec_str(o, "predicateType"),
		  "https://slsa.dev/provenance/v1") == 0);
	o = json_object_get(o, "predicate");
	check(json_is_true(json_object_get(
	    vec_at(vec_at(o, "buildDefinition"), "externalParameters"),
	    "dirty")));
	check(strcmp(vec_str(json_array_get(vec_at(vec_at(o, "buildDefinition"),
						"resolvedDependencies"),
				 0),
			 "uri"),
		  "git+https://example.org/hello.git@refs/tags/v1.0.0") == 0);
	json_decref(whole);
	provenance_deinit(&p);
	buf_deinit(&b);
}

static void
refused(void **state)
{
#define HEAD \
	"{\"_type\":\"https://in-toto.io/Statement/v1\"," \
	"\"predicateType\":\"https://slsa.dev/provenance/v1\","
#define SUM \
	"\"digest\":{\"sha256\":\"" \
	"00000000000000000000000000000000" \
	"00000000000000000000000000000000\"}"
	static const char *const rows[] = {"", "[]", "{}", "null",
	    "{\"a\":", HEAD "\"subject\":[]}", HEAD "\"subject\":{}}",
	    HEAD "\"x\":1}", HEAD "\"subject\":[1]}",
	    HEAD "\"subject\":[{\"name\":\"a\"}]}",
	    HEAD "\"subject\":[{\"name\":1," SUM "}]}",
	    HEAD "\"subject\":[{\"name\":\"\"," SUM "}]}",
	    HEAD "\"subject\":[{\"name\":\"a\\u0000b\"," SUM "}]}",
	    HEAD "\"subject\":[{\"name\":\"a\"," SUM "},{\"name\":\"a\"," SUM
		 "}]}",
	    HEAD
	    "\"subject\":[{\"name\":\"a\",\"digest\":{\"sha256\":\"0\"}}]}",
	    "{\"_type\":\"https://in-toto.io/Statement/v0.1\","
	    "\"predicateType\":\"https://slsa.dev/provenance/v1\"}"};
	struct provenance p;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(provenance_parse(&p, view_str(rows[i]), &e) != ERR_OK);
}

static void
names(void **state)
{
	static const struct {
		struct view name;
		bool ok;
	} rows[] = {
	    {{(const uint8_t *)"a", 1}, true},
	    {{(const uint8_t *)"\xc3\xa4", 2}, true},
	    {{(const uint8_t *)"", 0}, false},
	    {{(const uint8_t *)"a\0b", 3}, false},
	    {{(const uint8_t *)"\xff", 1}, false},
	    {{(const uint8_t *)"a\xc3", 2}, false},
	};
	struct provenance p = {0};
	struct err e = ERR_INIT;
	struct b32 s = sum(1);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_code(provenance_add(&p, rows[i].name, &s, &e),
		    rows[i].ok ? ERR_OK : ERR_INVALID);
	check(p.n == 2);
	provenance_deinit(&p);
}

/* Nothing of a long address may be lost. */
static void
long_remote(void **state)
{
	struct provenance p;
	struct err e = ERR_INIT;
	struct buf b;
	char url[10000];

	(void)state;
	memset(url, 'x', sizeof(url) - 1);
	url[sizeof(url) - 1] = '\0';
	fill(&p);
	free(p.remote);
	p.remote = strdup(url);
	buf_init(&b, PROVENANCE_SIZE_MAX);
	check_ok(provenance_print(&b, &p, &e), &e);
	check(strstr(buf_cstr(&b), "xx@refs/tags/v1.0.0\"") != NULL);
	buf_deinit(&b);
	provenance_deinit(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_trip),
	    cmocka_unit_test(others_read_it),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(names),
	    cmocka_unit_test(long_remote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
