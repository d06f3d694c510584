/* Secretstream in place: the frames of net/hyperdht.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include <stdlib.h>

#include "crypto/sstream.h"
#include "support/vec.h"

static void
start(struct sstream *s, const json_t *v)
{
	sstream_init_recv(s, vec_hex_at(v, "secretstreamHeader").ptr,
	    vec_hex_at(v, "key").ptr);
}

static void
test_frames(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *v = vec_at(doc, "secretStream"), *row;
	struct sstream out, in;
	size_t i;

	(void)state;
	start(&out, v);
	start(&in, v);
	json_array_foreach(vec_at(v, "frames"), i, row)
	{
		struct view plain = vec_hex_at(row, "plaintext");
		struct view frame = vec_hex_at(row, "frame");
		struct view sealed = view_sub(frame, 3, frame.len);
		uint8_t data[400];

		if (plain.len > 0)
			memcpy(data + SSTREAM_HEAD, plain.ptr, plain.len);
		sstream_seal(&out, data, plain.len);
		check_same(view_of(data, sealed.len), sealed);
		check(sstream_open(&in, data, sealed.len));
		check_same(view_of(data + SSTREAM_HEAD, plain.len), plain);
	}
	check(i == 3);
	json_decref(doc);
}

/* A wrong bit anywhere, a frame twice, left out or cut: refused, and the
 * bytes stay as they came. */
static void
test_damage(void **state)
{
	enum { PLAIN = 70000, SEALED = PLAIN + SSTREAM_HEAD + SSTREAM_TAIL };
	const uint8_t key[SSTREAM_KEY] = {3};
	uint8_t header[SSTREAM_HEADER];
	uint8_t *a = malloc(SEALED), *b = malloc(SEALED), *c = malloc(SEALED);
	struct sstream out, in;

	(void)state;
	check(a != NULL && b != NULL && c != NULL);
	sstream_init_send(&out, header, key);
	sstream_init_recv(&in, header, key);
	memset(a, 0x5a, SEALED);
	memset(b, 0xa5, SEALED);
	sstream_seal(&out, a, PLAIN);
	sstream_seal(&out, b, PLAIN);
	memcpy(c, a, SEALED);
	for (size_t i = 0; i < SEALED; i += i < 100 || i > PLAIN ? 1 : 997) {
		c[i] ^= 4;
		check(!sstream_open(&in, c, SEALED));
		c[i] ^= 4;
	}
	check(memcmp(c, a, SEALED) == 0);
	check(!sstream_open(&in, c, SEALED - 1));
	for (size_t n = 0; n < 17; n++)
		check(!sstream_open(&in, c, n));
	check(!sstream_open(&in, b, SEALED)); /* the second one first */
	check(sstream_open(&in, c, SEALED));
	check(!sstream_open(&in, a, SEALED)); /* the first one again */
	check(sstream_open(&in, b, SEALED));
	for (size_t i = 0; i < PLAIN; i++)
		check(c[1 + i] == 0x5a && b[1 + i] == 0xa5);
	free(a);
	free(b);
	free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_frames),
	    cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
