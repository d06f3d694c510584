/* enc, dec, hex, z32, jtext against the golden encodings and links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "codec/dec.h"
#include "codec/enc.h"
#include "codec/hex.h"
#include "codec/jtext.h"
#include "codec/z32.h"

#define VECTORS "encodings"
#include "support/vectors.h"

#define EACH(name, i, row) json_array_foreach(vec_at(vectors, name), i, row)

static void
test_uint(void **state)
{
	size_t i;
	json_t *row;

	(void)state;
	EACH("uint", i, row)
	{
		struct buf b;
		struct dec d;

		buf_init(&b, 16);
		enc_uint(&b, vec_num(row, "n"));
		check_same(buf_view(&b), vec_hex_at(row, "hex"));
		assert_int_equal(b.len, enc_uint_size(vec_num(row, "n")));
		dec_init(&d, buf_view(&b));
		assert_true(dec_uint(&d) == vec_num(row, "n"));
		assert_true(dec_done(&d));
		buf_deinit(&b);
	}
}

static void
test_uint_decode(void **state)
{
	size_t i;
	json_t *row;

	(void)state;
	EACH("uintDecode", i, row)
	{
		json_t *n = json_object_get(row, "n");
		struct dec d;
		uint64_t got;

		dec_init(&d, vec_hex_at(row, "hex"));
		got = dec_uint(&d);
		if (json_is_integer(n))
			assert_true(dec_ok(&d) &&
				    got == (uint64_t)json_integer_value(n));
		else
			assert_true(!dec_ok(&d) && got == 0);
	}
}

static void
test_signed_and_fixed(void **state)
{
	size_t i;
	json_t *row;

	(void)state;
	EACH("int", i, row)
	{
		int64_t n = json_integer_value(vec_at(row, "n"));
		struct buf b;
		struct dec d;

		buf_init(&b, 16);
		enc_int(&b, n);
		check_same(buf_view(&b), vec_hex_at(row, "hex"));
		dec_init(&d, buf_view(&b));
		assert_true(dec_int(&d) == n && dec_done(&d));
		buf_deinit(&b);
	}
	EACH("uint64", i, row)
	{
		struct buf b;
		struct dec d;

		buf_init(&b, 16);
		enc_u64le(&b, vec_num(row, "n"));
		check_same(buf_view(&b), vec_hex_at(row, "hex"));
		dec_init(&d, buf_view(&b));
		assert_true(dec_u64le(&d) == vec_num(row, "n"));
		buf_deinit(&b);
	}
}

static void
test_strings_and_buffers(void **state)
{
	size_t i;
	json_t *row;

	(void)state;
	EACH("string", i, row)
	{
		struct buf b;
		struct dec d;

		buf_init(&b, 1 << 16);
		enc_bytes(&b, view_str(vec_str(row, "s")));
		check_same(buf_view(&b), vec_hex_at(row, "hex"));
		dec_init(&d, buf_view(&b));
		check_same(dec_bytes(&d, 1 << 16), view_str(vec_str(row, "s")));
		buf_deinit(&b);
	}
	EACH("buffer", i, row)
	{
		struct buf b;

		buf_init(&b, 1 << 16);
		enc_bytes(&b, vec_hex_at(row, "value"));
		check_same(buf_view(&b), vec_hex_at(row, "hex"));
		buf_deinit(&b);
	}
}

static void
test_arrays(void **state)
{
	size_t i, j;
	json_t *row, *item;

	(void)state;
	EACH("arrayOfUint", i, row)
	{
		struct dec d;

		dec_init(&d, vec_hex_at(row, "hex"));
		assert_int_equal(dec_count(&d, DEC_ARRAY_MAX),
		    json_array_size(vec_at(row, "v")));
		json_array_foreach(vec_at(row, "v"), j, item) assert_true(
		    dec_uint(&d) == (uint64_t)json_integer_value(item));
		assert_true(dec_done(&d));
	}
}

static void
test_varint(void **state)
{
	size_t i;
	json_t *row;
	struct dec d;

	(void)state;
	EACH("protobufVarint", i, row)
	{
		struct buf b;

		buf_init(&b, 16);
		enc_varint(&b, vec_num(row, "n"));
		check_same(buf_view(&b), vec_hex_at(row, "hex"));
		assert_int_equal(b.len, enc_varint_size(vec_num(row, "n")));
		dec_init(&d, buf_view(&b));
		assert_true(dec_varint(&d) == vec_num(row, "n"));
		assert_true(dec_done(&d));
		buf_deinit(&b);
	}
	dec_init(&d, vec_hex("ffffffffffffffffff01"));
	assert_true(dec_varint(&d) == 0 && !dec_ok(&d));
	dec_init(&d, vec_hex("8080808080808080808080808000"));
	assert_true(dec_varint(&d) == 0);
}

static void
test_decoder_is_sticky(void **state)
{
	struct err e = ERR_INIT;
	struct dec d;

	(void)state;
	dec_init(&d, vec_hex("0102"));
	assert_int_equal(dec_u8(&d), 1);
	assert_int_equal(dec_u32le(&d), 0);
	assert_int_equal(dec_u8(&d), 0);
	assert_int_equal(dec_bytes(&d, 9).len, 0);
	assert_false(dec_done(&d));
	check_code(dec_error(&d, "thing", &e), ERR_FORMAT);
	assert_string_equal(e.msg, "thing: Out of bounds at byte 1");
	dec_init(&d, vec_hex("05aabb"));
	assert_int_equal(dec_bytes(&d, 4).len, 0);
	assert_string_equal(d.why, "too long");
	dec_init(&d, vec_hex("01"));
	check_code(dec_error(&d, "thing", &e), ERR_FORMAT);
	assert_string_equal(e.msg, "thing: 1 bytes left over");
}

static void
test_z32_vectors(void **state)
{
	struct err e = ERR_INIT;
	size_t i;
	json_t *row;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	EACH("z32Encode", i, row)
	{
		buf_reset(&b);
		z32_encode(&b, vec_hex_at(row, "hex"));
		check_same(buf_view(&b), view_str(vec_str(row, "z32")));
	}
	EACH("z32Decode", i, row)
	{
		json_t *hex = json_object_get(row, "hex");

		buf_reset(&b);
		if (json_is_string(hex)) {
			check_ok(
			    z32_decode(view_str(vec_str(row, "z32")), &b, &e),
			    &e);
			check_view_hex(buf_view(&b), json_string_value(hex));
		} else {
			check_code(
			    z32_decode(view_str(vec_str(row, "z32")), &b, &e),
			    ERR_FORMAT);
		}
	}
	buf_deinit(&b);
}

static void
test_key_ids(void **state)
{
	json_t *links = vec_load("links"), *row;
	char text[Z32_KEY_LEN + 1], hex[65];
	struct err e = ERR_INIT;
	struct b32 key;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(links, "ids"), i, row)
	{
		json_t *want = json_object_get(row, "hex");
		struct view in = view_str(vec_str(row, "input"));

		if (!json_is_string(want)) {
			check_code(z32_key_id(in, &key, &e), ERR_INVALID);
			assert_string_equal(e.msg, "Invalid Hypercore key");
			continue;
		}
		check_ok(z32_key_id(in, &key, &e), &e);
		assert_string_equal(
		    hex_b32(hex, &key), json_string_value(want));
	}
	vec_b32_at(vec_at(links, "key"), "hex", &key);
	assert_string_equal(
	    z32_key(text, &key), vec_str(vec_at(links, "key"), "z32"));
	json_decref(links);
}

static void
test_json_prints_as_javascript(void **state)
{
	/* the right column is what JSON.stringify(JSON.parse(x)) gives */
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"{ \"b\" : 1, \"a\" : [true,false,null] }",
		"{\"b\":1,\"a\":[true,false,null]}"},
	    {"\"\\u0001\\u001F\\b\\t\\n\\f\\r\\\"\\\\\\/\\u007f\\u00e4\"",
		"\"\\u0001\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\x7f\xc3\xa4\""},
	    {"[1.5,1e21,1e-7,0.000001,-0.5]", "[1.5,1e+21,1e-7,0.000001,-0.5]"},
	    {"[1.25e2,5e-324,1.7976931348623157e308,-0.0,0.1]",
		"[125,5e-324,1.7976931348623157e+308,0,0.1]"},
	    {"[1.2345e-9,12345.678,100.0]", "[1.2345e-9,12345.678,100]"},
	};
	struct err e = ERR_INIT;
	struct buf b;
	json_t *v;

	(void)state;
	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&b);
		check_ok(jtext_parse(view_str(rows[i].in), 4096, &v, &e), &e);
		jtext_print(&b, v);
		check_same(buf_view(&b), view_str(rows[i].out));
		json_decref(v);
	}
	buf_deinit(&b);
}

static void
test_json_is_bounded(void **state)
{
	static const struct {
		const char *in;
		enum err_code code;
	} rows[] = {
	    {"{\"a\":1,\"a\":2}", ERR_FORMAT},
	    {"[1] x", ERR_FORMAT},
	    {"", ERR_FORMAT},
	    {"{", ERR_FORMAT},
	    {"\"\xff\"", ERR_FORMAT},
	    {"[\"longer than the sixty-four bytes allowed in this call"
	     ".........\"]",
		ERR_LIMIT},
	};
	struct err e = ERR_INIT;
	char deep[2 * JTEXT_DEPTH_MAX + 4];
	json_t *v;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_code(jtext_parse(view_str(rows[i].in), 64, &v, &e),
		    rows[i].code);
	memset(deep, '[', JTEXT_DEPTH_MAX + 1);
	memset(deep + JTEXT_DEPTH_MAX + 1, ']', JTEXT_DEPTH_MAX + 1);
	check_code(
	    jtext_parse(view_of(deep, 2 * JTEXT_DEPTH_MAX + 2), 4096, &v, &e),
	    ERR_FORMAT);
	check_ok(
	    jtext_parse(view_of(deep + 1, 2 * JTEXT_DEPTH_MAX), 4096, &v, &e),
	    &e);
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_uint),
	    cmocka_unit_test(test_uint_decode),
	    cmocka_unit_test(test_signed_and_fixed),
	    cmocka_unit_test(test_strings_and_buffers),
	    cmocka_unit_test(test_arrays),
	    cmocka_unit_test(test_varint),
	    cmocka_unit_test(test_decoder_is_sticky),
	    cmocka_unit_test(test_z32_vectors),
	    cmocka_unit_test(test_key_ids),
	    cmocka_unit_test(test_json_prints_as_javascript),
	    cmocka_unit_test(test_json_is_bounded),
	};

	return cmocka_run_group_tests(tests, vectors_setup, vectors_teardown);
}
