/*
 * Packets of dht-rpc. What decodes is inside the packet, is made again no
 * longer than it was, and decodes to the same.
 */
#include <string.h>

#include "net/rpc/message.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
inside(struct view v, struct view packet)
{
	check(v.len == 0 || (v.ptr >= packet.ptr &&
				v.ptr + v.len <= packet.ptr + packet.len));
}

static void
same(const struct rpc_message *a, const struct rpc_message *b)
{
	check(a->reply == b->reply && a->tid == b->tid);
	check(addr_eq(&a->to, &b->to));
	check(a->has_id == b->has_id && b32_eq(&a->id, &b->id));
	check(a->has_token == b->has_token && b32_eq(&a->token, &b->token));
	check(a->internal == b->internal && a->command == b->command);
	check(a->has_target == b->has_target && b32_eq(&a->target, &b->target));
	check(view_eq(a->closer, b->closer) && a->error == b->error);
	check(view_eq(a->value, b->value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view packet = view_of(data, size);
	struct rpc_message m, again;
	struct addr a;
	struct buf b;

	if (!rpc_decode(&m, packet))
		return 0;
	check(rpc_peek(packet) && size <= RPC_PACKET_MAX);
	inside(m.value, packet);
	inside(m.closer, packet);
	for (size_t i = 0; i < m.closer.len / RPC_ADDR_LEN; i++) {
		rpc_addr_at(m.closer, i, &a);
		check(a.family == 4);
	}
	check(!rpc_id_valid(&m, &m.to) || m.has_id);
	buf_init(&b, RPC_PACKET_MAX);
	rpc_encode(&b, &m);
	check(b.failed == ERR_OK && b.len <= size);
	check(rpc_decode(&again, buf_view(&b)));
	same(&m, &again);
	buf_deinit(&b);
	return 0;
}
