/* bee/node.c: block, index, level and header bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bee/node.h"
#include "tests/unit/support/vec.h"

static void
reencode(struct view bytes)
{
	struct bee_block block;
	struct bee_level level;
	struct err e = ERR_INIT;
	struct buf index, out;

	buf_init(&index, 1 << 16);
	buf_init(&out, 1 << 20);
	check_ok(bee_block_decode(&block, bytes, &e), &e);
	for (size_t i = 0; i < block.nlevels; i++) {
		check_ok(bee_block_level(&block, i, &level, &e), &e);
		check(level.nkeys <= BEE_KEYS_MAX);
		bee_level_encode(&index, &level);
	}
	check_code(
	    bee_block_level(&block, block.nlevels, &level, &e), ERR_FORMAT);
	check_same(buf_view(&index), block.index);
	bee_block_encode(&out, buf_view(&index), block.key,
	    block.has_value ? &block.value : NULL);
	check_same(buf_view(&out), bytes);
	buf_deinit(&index);
	buf_deinit(&out);
}

static void
test_golden_blocks_round_trip(void **state)
{
	json_t *file = vec_load("hyperbee"), *s, *b;
	size_t i, j, n = 0;

	(void)state;
	json_array_foreach(vec_at(file, "sequences"), i, s)
	    json_array_foreach(json_object_get(s, "blocks"), j, b) if (j > 0)
	{
		reencode(vec_hex(json_string_value(b)));
		n++;
	}
	check(n == 268);
	json_decref(file);
}

static void
test_headers(void **state)
{
	static const struct {
		const char *hex, *feed, *user;
		bool metadata;
	} t[] = {
	    {"0a086879706572626565", "", "", false},
	    {"0a0868797065726265651200", "", "", true},
	    {"0a08687970657262656512040a02abcd", "abcd", "", true},
	    {"0a0868797065726265651207"
	     "0a02abcd120177",
		"abcd", "77", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct err e = ERR_INIT;
		struct bee_header h;
		struct buf out;

		buf_init(&out, 1 << 10);
		check_ok(bee_header_decode(&h, vec_hex(t[i].hex), &e), &e);
		check(h.has_metadata == t[i].metadata);
		check_view_hex(h.content_feed, t[i].feed);
		check_view_hex(h.user_data, t[i].user);
		bee_header_encode(&out, &h);
		check_view_hex(buf_view(&out), t[i].hex);
		buf_deinit(&out);
	}
}

static void
test_bad_headers(void **state)
{
	static const char *const t[] = {
	    "", "1200", "0a0868797065726265", "0a03626565",
	    "0a08687970657262656512020a05", /* feed longer than metadata */
	    "0808",			    /* protocol as a number */
	    "0a0868797065726265651a",	    /* cut inside an unknown field */
	    "0a0868797065726265650b",	    /* a group */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct err e = ERR_INIT;
		struct bee_header h;

		check_code(
		    bee_header_decode(&h, vec_hex(t[i]), &e), ERR_FORMAT);
		check(e.msg[0] != '\0');
	}
}

static void
test_blocks(void **state)
{
	static const struct {
		const char *hex, *key, *value;
		bool has_value;
		size_t nlevels;
	} t[] = {
	    {"0a00120161", "61", "", false, 0},
	    {"0a0012001a00", "", "", true, 0},
	    {"0a020a001201611a0176", "61", "76", true, 1},
	    /* unknown fields of every kind, and fields out of order */
	    {"1a0176120161200531000000000000000035000000003a01ff0a00", "61",
		"76", true, 0},
	    /* the last of a repeated field counts */
	    {"0a00120161120162", "62", "", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct err e = ERR_INIT;
		struct bee_block b;

		check_ok(bee_block_decode(&b, vec_hex(t[i].hex), &e), &e);
		check_view_hex(b.key, t[i].key);
		check_view_hex(b.value, t[i].value);
		check(b.has_value == t[i].has_value);
		check(b.nlevels == t[i].nlevels);
	}
}

static void
test_bad_blocks(void **state)
{
	static const char *const t[] = {
	    "", "0a00", "120161",		  /* index or key missing */
	    "0a001202", "0a00120261",		  /* cut */
	    "0a0112",				  /* bad index */
	    "0a02080112",			  /* levels as a number */
	    "0a00120161ff",			  /* cut tag */
	    "0a00120161fa01ffffffffffffffffff01", /* huge length */
	    "0a001201612b",			  /* a group */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct err e = ERR_INIT;
		struct bee_block b;

		check_code(bee_block_decode(&b, vec_hex(t[i]), &e), ERR_FORMAT);
	}
}

static void
test_level_bounds(void **state)
{
	struct bee_level l = {.nkeys = BEE_WIDE_MAX}, got;
	enum { OVER = BEE_LEVELS_MAX + 1 };
	struct err e = ERR_INIT;
	struct bee_block b = {.nlevels = 1};
	struct buf index, many;

	(void)state;
	buf_init(&index, 1 << 12);
	for (size_t i = 0; i < l.nkeys; i++)
		l.key[i] = i + 1;
	bee_level_encode(&index, &l);
	b.index = buf_view(&index);
	check_ok(bee_block_level(&b, 0, &got, &e), &e);
	check(got.nkeys == BEE_WIDE_MAX && got.key[BEE_WIDE_MAX - 1] == 64);

	/* one key more, in a second run of keys of the same level */
	b.index = vec_hex("0a070a0101"
			  "0a020203");
	check_ok(bee_block_level(&b, 0, &got, &e), &e);
	check(got.nkeys == 3 && got.key[2] == 3);
	buf_reset(&index);
	buf_byte(&index, 0x0a);
	buf_byte(&index, BEE_WIDE_MAX + 3);
	buf_byte(&index, 0x0a);
	buf_byte(&index, BEE_WIDE_MAX + 1);
	buf_fill(&index, 1, BEE_WIDE_MAX + 1);
	b.index = buf_view(&index);
	check_code(bee_block_level(&b, 0, &got, &e), ERR_FORMAT);

	/* children come in pairs */
	b.index = vec_hex("0a051203010002");
	check_code(bee_block_level(&b, 0, &got, &e), ERR_FORMAT);

	/* levels of a block */
	buf_init(&many, 1 << 12);
	buf_byte(&many, 0x0a);
	buf_byte(&many, ((OVER * 2) & 0x7f) | 0x80);
	buf_byte(&many, (OVER * 2) >> 7);
	for (size_t i = 0; i < OVER; i++)
		buf_append(&many, vec_hex("0a00"));
	buf_append(&many, vec_hex("1200"));
	check_code(bee_block_decode(&b, buf_view(&many), &e), ERR_FORMAT);
	buf_deinit(&many);
	buf_deinit(&index);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden_blocks_round_trip),
	    cmocka_unit_test(test_headers),
	    cmocka_unit_test(test_bad_headers),
	    cmocka_unit_test(test_blocks),
	    cmocka_unit_test(test_bad_blocks),
	    cmocka_unit_test(test_level_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
