/* record: round trips of every combination of parts, and damage. */
#include "fix.h"

#include "core/record.h"

static void
make(struct record *r, unsigned parts, const uint8_t *secret)
{
	memset(r, 0, sizeof(*r));
	memset(r->key.b, 1, sizeof(r->key.b));
	r->number = 70000;
	r->has_manifest = (parts & 1) != 0;
	memset(r->pub.b, 2, sizeof(r->pub.b));
	if (r->has_manifest)
		manifest_single(&r->manifest, &r->pub);
	r->has_pub = (parts & 2) != 0;
	if ((parts & 6) == 6)
		r->secret = view_of(secret, RECORD_SECRET);
	if ((parts & 8) != 0)
		r->redo = (struct record_redo){10, 400, 390};
	r->head = (struct core_head){1, 300, 65536, 299, {{3}}};
	r->signature = view_of(secret, (parts & 16) != 0 ? 64 : 0);
}

static void
test_round_trip(void **state)
{
	struct err e = ERR_INIT;
	static struct record r, back;
	struct buf a, b;
	uint8_t secret[64];

	(void)state;
	memset(secret, 9, sizeof(secret));
	for (unsigned parts = 0; parts < 32; parts++) {
		make(&r, parts, secret);
		buf_init(&a, RECORD_MAX);
		buf_init(&b, RECORD_MAX);
		check_ok(record_encode(&a, &r, &e), &e);
		check_ok(record_decode(&back, buf_view(&a), &e), &e);
		check(back.head.length == 300 && back.number == 70000);
		check(back.redo.len == r.redo.len);
		check_same(back.secret, r.secret);
		check_same(back.signature, r.signature);
		check_ok(record_encode(&b, &back, &e), &e);
		check_same(buf_view(&a), buf_view(&b));
		/* Cut anywhere, or longer: refused. */
		for (size_t n = 0; n < a.len; n++)
			check_code(record_decode(&back, view_of(a.data, n), &e),
			    ERR_CORRUPT);
		buf_byte(&a, 0);
		check_code(record_decode(&back, buf_view(&a), &e), ERR_CORRUPT);
		a.len--;
		a.data[0] = RECORD_VERSION + 1;
		check_code(record_decode(&back, buf_view(&a), &e), ERR_VERSION);
		record_wipe(&a);
		record_wipe(&b);
	}
}

static void
test_limits(void **state)
{
	struct err e = ERR_INIT;
	static struct record r, back;
	struct buf a;
	uint8_t secret[64] = {0};

	(void)state;
	buf_init(&a, RECORD_MAX);
	make(&r, 0, secret);
	r.head.contiguous = 301;
	check_ok(record_encode(&a, &r, &e), &e);
	check_code(record_decode(&back, buf_view(&a), &e), ERR_CORRUPT);
	/* A redo that would copy over itself. */
	buf_reset(&a);
	make(&r, 8, secret);
	r.redo.len = 391;
	check_ok(record_encode(&a, &r, &e), &e);
	check_code(record_decode(&back, buf_view(&a), &e), ERR_CORRUPT);
	record_wipe(&a);
	check(a.data == NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
