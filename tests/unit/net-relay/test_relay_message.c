/* Pair messages: as the original writes them, and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "net/relay/relay_message.h"
#include "vec.h"

static void
golden(void **state)
{
	json_t *root = vec_load("net/blind-relay"), *v;
	struct relay_pair p, want;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 128);
	json_array_foreach(vec_at(root, "messages"), i, v)
	{
		want.initiator = json_is_true(vec_at(v, "initiator"));
		vec_b32_at(v, "token", &want.token);
		want.id = (uint32_t)vec_num(v, "id");
		want.seq = vec_num(v, "seq");
		check(relay_message_pair_decode(&p, vec_hex_at(v, "hex")));
		check(p.initiator == want.initiator && p.id == want.id);
		check(p.seq == want.seq && b32_eq(&p.token, &want.token));
		buf_reset(&b);
		relay_message_pair_encode(&b, &want);
		check_view_hex(buf_view(&b), vec_str(v, "hex"));
	}
	check(i > 0);
	buf_deinit(&b);
	json_decref(root);
}

/* Nothing shorter is a message; what is longer is one with something new. */
static void
lengths(void **state)
{
	struct relay_pair p = {.initiator = true, .id = 70000, .seq = 1}, out;
	struct buf b;

	(void)state;
	buf_init(&b, 128);
	relay_message_pair_encode(&b, &p);
	for (size_t n = 0; n < b.len; n++)
		check(!relay_message_pair_decode(&out, view_of(b.data, n)));
	buf_str(&b, "more");
	b.data[0] = 0xff;
	check(relay_message_pair_decode(&out, buf_view(&b)));
	check(out.initiator && out.id == 70000 && out.seq == 1);
	b.data[0] = 0xfe;
	check(relay_message_pair_decode(&out, buf_view(&b)));
	check(!out.initiator);
	buf_deinit(&b);
}

static void
large_id(void **state)
{
	char hex[2 * (33 + 10) + 1] = "01";
	struct relay_pair out = {.id = 5};

	(void)state;
	memset(hex + 2, 'a', 64);
	strcpy(hex + 66, "ff000000000100000000");
	check(!relay_message_pair_decode(&out, vec_hex(hex)));
	check(out.id == 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(golden),
	    cmocka_unit_test(lengths),
	    cmocka_unit_test(large_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
