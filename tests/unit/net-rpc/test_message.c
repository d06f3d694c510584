/* Packets of dht-rpc: those of the original, both ways, and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "net/rpc/message.h"
#include "support/vec.h"

static void
addr_of(struct addr *a, const json_t *o)
{
	struct err e = ERR_INIT;
	char text[64];

	(void)snprintf(text, sizeof(text), "%s:%u", vec_str(o, "host"),
	    (unsigned)vec_num(o, "port"));
	check_ok(addr_parse(a, view_str(text), &e), &e);
}

static void
same_b32(bool has, const struct b32 *x, const json_t *o, const char *key)
{
	check(has == !json_is_null(vec_at(o, key)));
	if (has)
		check_same(view_b32(x), vec_hex_at(o, key));
}

static void
same_closer(struct view list, const json_t *nodes)
{
	struct addr want, got;
	const json_t *o;
	size_t i;

	check(list.len / RPC_ADDR_LEN == json_array_size(nodes));
	json_array_foreach(nodes, i, o)
	{
		addr_of(&want, o);
		rpc_addr_at(list, i, &got);
		check(addr_eq(&want, &got));
	}
}

static void
same(const struct rpc_message *m, const json_t *o)
{
	const json_t *value = vec_at(o, "value");
	struct addr to;

	addr_of(&to, vec_at(o, "to"));
	check(m->reply == (strcmp(vec_str(o, "kind"), "response") == 0));
	check(m->tid == vec_num(o, "tid") && addr_eq(&m->to, &to));
	same_b32(m->has_id, &m->id, o, "id");
	same_b32(m->has_token, &m->token, o, "token");
	if (m->reply) {
		same_closer(m->closer, vec_at(o, "closerNodes"));
		check(m->error == vec_num(o, "error"));
	} else {
		check(m->internal == json_is_true(vec_at(o, "internal")));
		check(m->command == vec_num(o, "command"));
		same_b32(m->has_target, &m->target, o, "target");
	}
	if (json_is_null(value))
		check(m->value.len == 0);
	else
		check_same(m->value, vec_hex_at(o, "value"));
}

/* Parsed, made again; every shorter packet is refused unless what is missing
 * was the end of a message. */
static void
both_ways(const char *hex, const json_t *parsed)
{
	struct view packet = vec_hex(hex);
	struct rpc_message m;
	struct buf b;

	buf_init(&b, RPC_PACKET_MAX);
	check(rpc_peek(packet) && rpc_decode(&m, packet));
	same(&m, parsed);
	rpc_encode(&b, &m);
	check_same(buf_view(&b), packet);
	for (size_t n = 0; n < packet.len; n++)
		check(!rpc_decode(&m, view_sub(packet, 0, n)));
	buf_byte(&b, 0xee); /* a later version says more */
	check(rpc_decode(&m, buf_view(&b)));
	same(&m, parsed);
	buf_deinit(&b);
}

static void
test_encodings(void **state)
{
	json_t *doc = vec_load("net/dht-rpc");
	const json_t *v = vec_at(doc, "encodings"), *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(v, "requests"), i, row)
	    both_ways(vec_str(row, "packet"), vec_at(row, "parsed"));
	check(i == 8);
	json_array_foreach(vec_at(v, "responses"), i, row)
	    both_ways(vec_str(row, "packet"), vec_at(row, "parsed"));
	check(i == 5);
	json_decref(doc);
}

/* What a real network said; ids of its nodes are those of their addresses. */
static void
test_live(void **state)
{
	json_t *doc = vec_load("net/dht-rpc");
	const json_t *step, *row;
	struct err e = ERR_INIT;
	struct rpc_message m;
	size_t i, j, replies = 0, ids = 0;
	struct addr from;

	(void)state;
	json_array_foreach(vec_at(vec_at(doc, "live"), "steps"), i, step)
	{
		both_ways(vec_str(step, "sent"), vec_at(step, "request"));
		json_array_foreach(vec_at(step, "replies"), j, row)
		{
			both_ways(
			    vec_str(row, "packet"), vec_at(row, "parsed"));
			check(rpc_decode(&m, vec_hex_at(row, "packet")));
			check_ok(addr_parse(
				     &from, view_str(vec_str(row, "from")), &e),
			    &e);
			check(rpc_id_valid(&m, &from) == m.has_id);
			ids += m.has_id;
			replies++;
			from.port++;
			check(!rpc_id_valid(&m, &from));
		}
	}
	check(replies == 8 && ids == 7);
	json_decref(doc);
}

static void
test_node_ids(void **state)
{
	json_t *doc = vec_load("net/dht-rpc");
	struct err e = ERR_INIT;
	const json_t *row;
	struct addr a;
	struct b32 id;
	struct buf b;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(doc, "ids"), i, row)
	{
		check_ok(
		    addr_parse(&a, view_str(vec_str(row, "address")), &e), &e);
		rpc_node_id(&id, &a);
		check_same(view_b32(&id), vec_hex_at(row, "id"));
		buf_init(&b, 16);
		rpc_addr_put(&b, &a);
		check_same(buf_view(&b), vec_hex_at(row, "encoded"));
		buf_deinit(&b);
	}
	check(i == 3);
	json_decref(doc);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *hex;
		bool taken;
	} rows[] = {
	    {"", false},
	    {"03", false},
	    {"030434127f00000149c200", true},
	    {"020434127f00000149c200", false}, /* another version */
	    {"230434127f00000149c200", false}, /* neither of both kinds */
	    {"ff0434127f00000149c200", false},
	    {"03fd040034127f00000149c200", true},  /* flags, spelt longer */
	    {"03fd048034127f00000149c200", true},  /* with unknown ones */
	    {"130434127f00000149c2fd0001", false}, /* 256 nodes, none there */
	    {"130434127f00000149c2ff0000000000000001", false},
	    {"131034127f00000149c2ffffffffffffffffff", false},
	    {"131034127f00000149c2fe00000010aa", false},
	    {"131034127f00000149c200", true},
	};
	struct rpc_message m;
	uint8_t big[RPC_PACKET_MAX + 1] = {0x03, 0x04};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(rpc_decode(&m, vec_hex(rows[i].hex)) == rows[i].taken);
	check(rpc_decode(&m, view_of(big, RPC_PACKET_MAX)));
	check(!rpc_decode(&m, view_of(big, sizeof(big))));
}

/* No IPv4 address to speak of. */
static void
test_ipv6(void **state)
{
	struct err e = ERR_INIT;
	struct addr a;
	struct buf b;

	(void)state;
	check_ok(addr_parse(&a, view_str("[fe80::1]:258"), &e), &e);
	buf_init(&b, 16);
	rpc_addr_put(&b, &a);
	check_view_hex(buf_view(&b), "000000000201");
	buf_deinit(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_encodings),
	    cmocka_unit_test(test_live),
	    cmocka_unit_test(test_node_ids),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
