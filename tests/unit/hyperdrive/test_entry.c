#include "tests/unit/blobs/blobfix.h"

#include "hyperdrive/entry.h"

/* Decode, encode: the same text, or `out`. */
static void
test_text(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: the same */
	} cases[] = {
	    {"{\"executable\":true,\"linkname\":null,\"blob\":{\"blockOffset\":"
	     "1,\"byteOffset\":2,\"blockLength\":3,\"byteLength\":4},"
	     "\"metadata\":null}",
		NULL},
	    {"{\"executable\":false,\"linkname\":null,\"blob\":{\"byteLength\":"
	     "4,\"blockMap\":true,\"blockLength\":1,\"blockOffset\":"
	     "9007199254740991,\"byteOffset\":2,\"x\":[]},\"metadata\":"
	     "{\"b\":1,\"a\":[1.5,\"\\u0001\"]}}",
		NULL},
	    {"{\"executable\":false,\"linkname\":\"../\\\"x\\\"\\n\",\"blob\":"
	     "null,\"metadata\":null}",
		NULL},
	    {"{}", "{\"executable\":false,\"linkname\":null,\"blob\":null,"
		   "\"metadata\":null}"},
	    {" {\"metadata\" : 0, \"executable\":null}",
		"{\"executable\":false,\"linkname\":null,\"blob\":null,"
		"\"metadata\":0}"},
	};
	struct buf b;

	(void)state;
	buf_init(&b, ENTRY_VALUE_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		struct entry en;

		check_ok(entry_decode(&en, view_str(cases[i].in), &e), &e);
		buf_reset(&b);
		entry_encode(&b, &en);
		check_same(buf_view(&b),
		    view_str(
			cases[i].out != NULL ? cases[i].out : cases[i].in));
		entry_deinit(&en);
	}
	buf_deinit(&b);
}

static void
test_fields(void **state)
{
	struct err e = ERR_INIT;
	struct entry en;
	struct buf b;

	(void)state;
	check_ok(entry_decode(&en,
		     view_str("{\"executable\":true,\"linkname\":\"t\","
			      "\"blob\":{\"blockOffset\":1,\"byteOffset\":2,"
			      "\"blockLength\":3,\"byteLength\":4,"
			      "\"blockMap\":true}}"),
		     &e),
	    &e);
	check(en.executable && strcmp(en.linkname, "t") == 0);
	check(en.has_blob && en.blob.block_map && en.metadata == NULL);
	check(en.blob.block_offset == 1 && en.blob.byte_offset == 2);
	check(en.blob.block_length == 3 && en.blob.byte_length == 4);
	/* without the parsed object the id is printed in the usual order */
	json_decref(en.blob_json);
	en.blob_json = NULL;
	buf_init(&b, 1000);
	entry_encode(&b, &en);
	check_same(buf_view(&b),
	    view_str("{\"executable\":true,\"linkname\":\"t\",\"blob\":"
		     "{\"blockOffset\":1,\"byteOffset\":2,\"blockLength\":3,"
		     "\"byteLength\":4,\"blockMap\":true},"
		     "\"metadata\":null}"));
	buf_deinit(&b);
	entry_deinit(&en);
}

static void
test_hostile(void **state)
{
#define ID(o) \
	"{\"blob\":{\"blockOffset\":" o ",\"byteOffset\":0," \
	"\"blockLength\":0,\"byteLength\":0}}"
#define MAP(m) \
	"{\"blob\":{\"blockOffset\":0,\"byteOffset\":0," \
	"\"blockLength\":0,\"byteLength\":0,\"blockMap\":" m "}}"
	static const char *const cases[] = {
	    "",
	    "null",
	    "[]",
	    "3",
	    "{",
	    "{\"executable\":1}",
	    "{\"linkname\":1}",
	    "{\"linkname\":\"a\\u0000b\"}",
	    "{\"blob\":true}",
	    "{\"blob\":{}}",
	    ID("-1"),
	    ID("1.5"),
	    ID("\"1\""),
	    ID("null"),
	    ID("9007199254740992"),
	    MAP("1"),
	    "{\"executable\":true,\"executable\":false}",
	    "{} x",
	};
#undef ID
#undef MAP
	struct entry en;

	(void)state;
	memset(&en, 7, sizeof(en));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;

		check_code(
		    entry_decode(&en, view_str(cases[i]), &e), ERR_FORMAT);
		check(e.msg[0] != '\0');
	}
	for (size_t i = 0; i < sizeof(en); i++)
		check(((uint8_t *)&en)[i] == 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
