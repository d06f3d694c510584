/* message: what the JavaScript packages say, read and written again. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "blind/message.h"

#define VECTORS "net/blind"
#include "support/vectors.h"

static struct blind_add
add_of(const json_t *o)
{
	struct blind_add m = {
	    .announce = json_is_true(json_object_get(o, "announce"))};

	vec_b32_at(o, "key", &m.key);
	m.priority = vec_num(o, "priority");
	m.has_referrer = json_object_get(o, "referrer") != NULL;
	if (m.has_referrer)
		vec_b32_at(o, "referrer", &m.referrer);
	return m;
}

static void
check_add(const struct blind_add *a, const struct blind_add *b)
{
	check(b32_eq(&a->key, &b->key) && a->priority == b->priority);
	check(a->announce == b->announce);
	check(a->has_referrer == b->has_referrer);
	check(!a->has_referrer || b32_eq(&a->referrer, &b->referrer));
}

static void
test_add(void **state)
{
	const json_t *all =
	    vec_at(vec_at(vectors, "encodings"), "addCoreRequest");
	struct blind_add want, got;
	struct dec d;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *v = json_array_get(all, i);

		want = add_of(vec_at(v, "fields"));
		dec_init(&d, vec_hex_at(v, "encoded"));
		check(blind_dec_add(&d, &got));
		check_add(&got, &want);
		buf_init(&b, 1000);
		blind_put_add(&b, &want);
		check_same(buf_view(&b), vec_hex_at(v, "encoded"));
		buf_deinit(&b);
	}
}

static void
test_record(void **state)
{
	const json_t *all = vec_at(vec_at(vectors, "encodings"), "coreRecord");
	struct blind_record r;
	struct dec d;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *v = json_array_get(all, i);
		const json_t *o = vec_at(v, "fields");

		dec_init(&d, vec_hex_at(v, "encoded"));
		check(blind_dec_record(&d, &r));
		check(r.length == vec_num(o, "length"));
		check(r.bytes == vec_num(o, "bytesAllocated"));
		check(r.updated == vec_num(o, "updated"));
		check(r.active == vec_num(o, "active"));
		check(r.blocks_cleared == vec_num(o, "blocksCleared"));
		check(r.bytes_cleared == vec_num(o, "bytesCleared"));
		check(r.has_referrer && r.announce);
		buf_init(&b, 1000);
		blind_put_record(&b, &r);
		check_same(buf_view(&b), vec_hex_at(v, "encoded"));
		buf_deinit(&b);
	}
}

static void
test_cores(void **state)
{
	const json_t *all = vec_at(vec_at(vectors, "encodings"), "muxerCores");
	struct blind_cores m;
	struct b32 key, want;
	uint64_t length;
	struct dec d;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *v = json_array_get(all, i);
		const json_t *cores = vec_at(vec_at(v, "fields"), "cores");

		buf_init(&b, 10000);
		dec_init(&d, vec_hex_at(v, "encoded"));
		check(blind_dec_cores(&d, &m));
		check(m.ncores == json_array_size(cores) && m.priority == 1);
		blind_put_cores(&b, &m);
		for (size_t k = 0; k < m.ncores; k++) {
			const json_t *o = json_array_get(cores, k);

			check(blind_dec_core(&d, &key, &length));
			vec_b32_at(o, "key", &want);
			check(b32_eq(&key, &want));
			check(length == vec_num(o, "length"));
			blind_put_core(&b, &key, length);
		}
		check(dec_done(&d));
		check_same(buf_view(&b), vec_hex_at(v, "encoded"));
		buf_deinit(&b);
	}
}

/* Every message of a real conversation is read, and written the same. */
static void
test_conversation(void **state)
{
	const json_t *log = vec_at(vec_at(vectors, "blindPeer"), "log");
	struct blind_request q;
	struct blind_response a;
	unsigned asked = 0, answered = 0;
	struct dec d;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < json_array_size(log); i++) {
		const json_t *m = json_array_get(
		    vec_at(json_array_get(log, i), "messages"), 0);

		if (json_object_get(m, "body") == NULL ||
		    strcmp(vec_str(m, "protocol"), "protomux-rpc") != 0)
			continue;
		buf_init(&b, 10000);
		dec_init(&d, vec_hex_at(m, "body"));
		if (vec_num(m, "type") == BLIND_REQUEST) {
			check(blind_dec_request(&d, &q));
			blind_put_request(&b, &q);
			asked++;
		} else {
			check(blind_dec_response(&d, &a));
			blind_put_response(&b, &a);
			answered++;
			if (a.error)
				check(view_eq(
				    a.code, view_str("UNKNOWN_METHOD")));
		}
		check_same(buf_view(&b), vec_hex_at(m, "body"));
		buf_deinit(&b);
	}
	check(asked == 4 && answered == 3);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {
	    "",		  /* nothing */
	    "00",	  /* no key */
	    "18",	  /* flags alone */
	    "0000112233", /* a short key */
	};
	struct blind_response a;
	struct blind_cores m;
	struct blind_add add;
	struct dec d;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		dec_init(&d, vec_hex(bad[i]));
		check(!blind_dec_add(&d, &add));
	}
	/* more cores than one message may name */
	dec_init(&d, vec_hex("00fd0104"));
	check(!blind_dec_cores(&d, &m));
	dec_init(&d, vec_hex("00fd0004"));
	check(blind_dec_cores(&d, &m) && m.ncores == 1024);
	/* flags without an error say nothing */
	dec_init(&d, vec_hex("0e05aa"));
	check(blind_dec_response(&d, &a));
	check(!a.error && !a.has_code && a.value.len == 1);
	dec_init(&d, vec_hex("0305036162"));
	check(!blind_dec_response(&d, &a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_add),
	    cmocka_unit_test(test_record),
	    cmocka_unit_test(test_cores),
	    cmocka_unit_test(test_conversation),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, vectors_setup, vectors_teardown);
}
