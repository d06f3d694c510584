/* STORE: its text, its sum, and what counts as the same place. */
#include "fix.h"

#include "store/crc.h"
#include "store/ident.h"
#include "store/text.h"

static const struct ident sample = {
    .id = {{1}}, .machine = {2, 3}, .device = 4, .inode = 5, .birth = 6};

static void
crc_vectors(void **state)
{
	uint8_t b[32] = {0};

	(void)state;
	check(crc_add(0, VIEW_EMPTY) == 0);
	check(crc_add(0, view_str("123456789")) == 0xe3069283);
	/* RFC 3720, B.4 */
	check(crc_add(0, view_of(b, 32)) == 0x8a9136aa);
	memset(b, 0xff, 32);
	check(crc_add(0, view_of(b, 32)) == 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		b[i] = i;
	check(crc_add(0, view_of(b, 32)) == 0x46dd794e);
	check(crc_add(crc_add(0, view_of(b, 13)), view_of(b + 13, 19)) ==
	      0x46dd794e);
	check(crc_key(1, view_str("a")) != crc_key(2, view_str("a")));
}

static void
text_is_strict(void **state)
{
	static const char *const bad[] = {
	    "",
	    "\n",
	    "pear-store",
	    "pear-store 1",
	    "pear-store 1\n",
	    "pear-store 01\n",
	    "pear-store -1\n",
	    "pear-store 0\n",
	    "pear-store 18446744073709551616\n",
	    "pear-mark 1\n",
	    "pear-store 1\nsum 00000000\n",
	};
	struct ident id;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		check_code(ident_decode(&id, view_str(bad[i]), "the file", &e),
		    ERR_CORRUPT);
		check(strstr(e.msg, "the file") != NULL);
	}
	check_code(ident_decode(
		       &id, view_str("pear-store 7\nanything"), "the file", &e),
	    ERR_VERSION);
}

/* A right sum over wrong fields. */
static void
fields_are_strict(void **state)
{
	static const char *const bad[] = {
	    "machine 0203000000000000\n",
	    "id 01\n",
	    "id zz\n",
	};
	struct err e = ERR_INIT;
	struct ident id;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		buf_reset(&b);
		buf_str(&b, "pear-store 1\n");
		buf_str(&b, bad[i]);
		text_put_sum(&b);
		check_code(
		    ident_decode(&id, buf_view(&b), "f", &e), ERR_CORRUPT);
	}
	buf_deinit(&b);
}

static void
round_trip(void **state)
{
	struct err e = ERR_INIT;
	struct ident id;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	ident_encode(&b, &sample);
	check_ok(ident_decode(&id, buf_view(&b), "f", &e), &e);
	check(b32_eq(&id.id, &sample.id) && id.device == 4);
	check(id.inode == 5 && id.birth == 6);
	check(ident_compare(&id, &sample) == IDENT_SAME);
	buf_deinit(&b);
}

static void
compares(void **state)
{
	static const struct {
		uint64_t device, inode, birth;
		uint8_t machine;
		enum ident_match match;
	} t[] = {
	    {4, 5, 6, 2, IDENT_SAME},
	    {99, 5, 6, 2, IDENT_SAME}, /* numbered anew at boot */
	    {4, 5, 7, 2, IDENT_OTHER_INODE},
	    {4, 9, 6, 2, IDENT_OTHER_INODE},
	    {4, 5, 0, 2, IDENT_SAME}, /* no births here */
	    {9, 5, 0, 2, IDENT_OTHER_INODE},
	    {4, 5, 6, 9, IDENT_OTHER_MACHINE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		struct ident here = sample;

		here.device = t[i].device;
		here.inode = t[i].inode;
		here.birth = t[i].birth;
		here.machine[0] = t[i].machine;
		check(ident_compare(&sample, &here) == t[i].match);
	}
}

static void
looks_around(void **state)
{
	struct path p = fix_path(vec_tmpdir(), "f");
	struct ident a = {.birth = 0}, b = a;
	struct err e = ERR_INIT;

	(void)state;
	check_code(ident_here(&a, "m", p.s, &e), ERR_NOT_FOUND);
	fix_write(p.s, "x", 1);
	check_ok(ident_here(&a, "m", p.s, &e), &e);
	check_ok(ident_here(&b, "m", p.s, &e), &e);
	check(ident_compare(&a, &b) == IDENT_SAME);
	check_ok(ident_here(&b, "n", p.s, &e), &e);
	check(ident_compare(&a, &b) == IDENT_OTHER_MACHINE);
	check_ok(ident_new_id(&a, &e), &e);
	check_ok(ident_new_id(&b, &e), &e);
	check(!b32_eq(&a.id, &b.id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(crc_vectors),
	    cmocka_unit_test(text_is_strict),
	    cmocka_unit_test(fields_are_strict),
	    cmocka_unit_test(round_trip),
	    cmocka_unit_test(compares),
	    cmocka_unit_test(looks_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
