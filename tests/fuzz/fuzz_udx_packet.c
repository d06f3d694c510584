/*
 * Bytes of a datagram: what parses must be written again to the same header,
 * the same ranges and the same payload.
 */
#include <string.h>

#include "net/udx/udx_packet.h"
#include "vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
rebuild(uint8_t *out, const struct udx_packet *p)
{
	size_t n = UDX_HEADER;

	udx_packet_header(out, p);
	if ((p->type & UDX_SACK) == 0) {
		memset(out + n, 0, p->padding);
		n += p->padding;
		if (p->payload.len > 0)
			memcpy(out + n, p->payload.ptr, p->payload.len);
		return n + p->payload.len;
	}
	for (size_t i = 0; i < udx_packet_ranges(p); i++, n += UDX_RANGE_BYTES)
		udx_packet_put_range(out + n, udx_packet_range(p, i));
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[2 * UDX_RECEIVE_MAX];
	struct view d = view_of(data, size);
	struct udx_packet p, again;
	uint32_t id = 0;
	bool is_udx = udx_peek(d, &id);

	check(is_udx || !udx_packet_parse(&p, d));
	if (!udx_packet_parse(&p, d))
		return 0;
	check(p.remote_id == id);
	check(p.payload.len + p.sack.len <= size - UDX_HEADER);
	check(udx_packet_parse(&again, view_of(out, rebuild(out, &p))));
	check(again.type == p.type && again.padding == p.padding);
	check(again.remote_id == id && again.window == p.window);
	check(again.seq == p.seq && again.ack == p.ack);
	check_same(again.payload, p.payload);
	check_same(again.sack, p.sack);
	return 0;
}
