#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "net/udx/udx_packet.h"
#include "vec.h"

/* The vectors keep the first hundred bytes of a long packet; the rest counts
 * by its length. */
static struct view
whole(const json_t *k, uint8_t *buf)
{
	struct view head = vec_hex_at(k, "packet");
	size_t n = vec_num(k, "length");

	check(head.len <= n && n <= UDX_DATAGRAM_MAX);
	memset(buf, 0x5a, n);
	memcpy(buf, head.ptr, head.len);
	return view_of(buf, n);
}

static void
check_ranges(const struct udx_packet *p, const json_t *k)
{
	const json_t *list = json_object_get(k, "sack");

	if (list == NULL)
		list = json_object_get(k, "sacks");
	if (list == NULL) {
		check(udx_packet_ranges(p) == 0);
		return;
	}
	check(udx_packet_ranges(p) == json_array_size(list));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);
		struct udx_range got = udx_packet_range(p, i);

		check(got.start == json_integer_value(json_array_get(r, 0)));
		check(got.end == json_integer_value(json_array_get(r, 1)));
	}
}

static void
check_packet(const json_t *k)
{
	uint8_t bytes[UDX_DATAGRAM_MAX], again[UDX_HEADER];
	struct view d = whole(k, bytes);
	struct udx_packet p;
	uint32_t id;

	check(udx_peek(d, &id) && id == vec_num(k, "remoteId"));
	check(udx_packet_parse(&p, d));
	check(p.type == vec_num(k, "type"));
	check(p.padding == vec_num(k, "dataOffset"));
	check(p.remote_id == vec_num(k, "remoteId"));
	check(p.window == vec_num(k, "recvWindow"));
	check(p.seq == vec_num(k, "seq") && p.ack == vec_num(k, "ack"));
	check(p.payload.len == vec_num(k, "payloadLength"));
	check_ranges(&p, k);
	udx_packet_header(again, &p);
	check_same(view_of(again, UDX_HEADER), view_of(bytes, UDX_HEADER));
	for (size_t i = 0; i < udx_packet_ranges(&p); i++) {
		uint8_t r[UDX_RANGE_BYTES];

		udx_packet_put_range(r, udx_packet_range(&p, i));
		check_same(view_of(r, sizeof(r)),
		    view_sub(d, UDX_HEADER + i * sizeof(r), sizeof(r)));
	}
}

static void
test_vectors(void **state)
{
	json_t *doc = vec_load("net/udx"), *group, *k;
	size_t i, n = 0;
	const char *name;

	(void)state;
	json_object_foreach(doc, name, group)
	{
		json_array_foreach(json_object_get(group, "packets"), i, k)
		{
			if (json_object_get(k, "packet") == NULL)
				continue;
			check_packet(k);
			n++;
		}
	}
	check(n >= 40);
	json_decref(doc);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *hex;
		bool peek, parse;
	} rows[] = {
	    {"ff0100002222222200004000000000000000000000", true, true},
	    {"ff01000022222222000040000000000000000000", true, true},
	    {"ff010000222222220000400000000000000000", false, false},
	    {"fe01000022222222000040000000000000000000", false, false},
	    {"ff02000022222222000040000000000000000000", false, false},
	    {"0301000022222222000040000000000000000000", false, false},
	    {"ff", false, false},
	    {"", false, false},
	    /* padding: all of the rest, and one byte more than that */
	    {"ff010102222222220000400000000000000000000000", true, true},
	    {"ff010103222222220000400000000000000000000000", true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct view d = vec_hex(rows[i].hex);
		struct udx_packet p;
		uint32_t id;

		check(udx_peek(d, &id) == rows[i].peek);
		check(udx_packet_parse(&p, d) == rows[i].parse);
	}
}

static void
test_sack_area(void **state)
{
	static const struct {
		uint8_t padding;
		size_t bytes, ranges;
	} rows[] = {
	    {0, 0, 0},
	    {0, 7, 0},
	    {0, 8, 1},
	    {0, 23, 2},
	    {8, 24, 1},
	    {24, 24, 3},
	    {255, 24, 3},
	    {0, 1400, 175},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t d[UDX_DATAGRAM_MAX] = {0};
		struct udx_packet p = {
		    .type = UDX_SACK, .padding = rows[i].padding};

		udx_packet_header(d, &p);
		check(udx_packet_parse(
		    &p, view_of(d, UDX_HEADER + rows[i].bytes)));
		check(udx_packet_ranges(&p) == rows[i].ranges);
		check(p.payload.len == 0);
	}
}

static void
test_too_long(void **state)
{
	uint8_t d[UDX_RECEIVE_MAX + 1] = {0};
	struct udx_packet p = {.type = UDX_DATA};

	(void)state;
	udx_packet_header(d, &p);
	check(udx_packet_parse(&p, view_of(d, UDX_RECEIVE_MAX)));
	check(!udx_packet_parse(&p, view_of(d, UDX_RECEIVE_MAX + 1)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_sack_area),
	    cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
