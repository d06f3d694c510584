#include "net/rpc/message.h"

#include <string.h>

#include "base/bug.h"
#include "codec/enc.h"
#include "crypto/hash.h"

#define REQUEST 0x03
#define REPLY 0x13

enum {
	FLAG_ID = 1,
	FLAG_TOKEN = 2,
	FLAG_INTERNAL = 4, /* request */
	FLAG_CLOSER = 4,   /* reply */
	FLAG_TARGET = 8,   /* request */
	FLAG_ERROR = 8,	   /* reply */
	FLAG_VALUE = 16
};

/* -- addresses ------------------------------------------------------------ */

void
rpc_addr_put(struct buf *b, const struct addr *a)
{
	static const uint8_t none[4];
	const uint8_t *ip = a->family == 4 ? a->ip : none;

	enc_fixed(b, view_of(ip, 4));
	enc_u16le(b, a->port);
}

void
rpc_addr_get(struct dec *d, struct addr *out)
{
	struct view ip = dec_fixed(d, 4);
	uint16_t port = dec_u16le(d);

	*out = (struct addr){0};
	if (!dec_ok(d))
		return;
	out->family = 4;
	out->port = port;
	memcpy(out->ip, ip.ptr, 4);
}

void
rpc_addr_at(struct view list, size_t i, struct addr *out)
{
	struct dec d;

	bug_if(i >= list.len / RPC_ADDR_LEN);
	dec_init(&d, view_sub(list, i * RPC_ADDR_LEN, RPC_ADDR_LEN));
	rpc_addr_get(&d, out);
}

void
rpc_node_id(struct b32 *out, const struct addr *a)
{
	uint8_t text[RPC_ADDR_LEN];

	memcpy(text, a->ip, 4);
	text[4] = (uint8_t)a->port;
	text[5] = (uint8_t)(a->port >> 8);
	hash_data(out, view_of(text, sizeof(text)));
}

bool
rpc_id_valid(const struct rpc_message *m, const struct addr *from)
{
	struct b32 id;

	if (!m->has_id || from->family != 4)
		return false;
	rpc_node_id(&id, from);
	return b32_eq(&id, &m->id);
}

/* -- packets -------------------------------------------------------------- */

bool
rpc_peek(struct view packet)
{
	return packet.len > 1 &&
	       (packet.ptr[0] == REQUEST || packet.ptr[0] == REPLY);
}

static void
get_closer(struct dec *d, struct view *out)
{
	size_t n = dec_count(d, RPC_PACKET_MAX / RPC_ADDR_LEN);

	*out = dec_fixed(d, n * RPC_ADDR_LEN);
}

bool
rpc_decode(struct rpc_message *out, struct view packet)
{
	struct rpc_message m = {0};
	uint64_t flags;
	struct dec d;

	if (packet.len > RPC_PACKET_MAX || !rpc_peek(packet))
		return false;
	dec_init(&d, packet);
	m.reply = dec_u8(&d) == REPLY;
	flags = dec_uint(&d);
	m.tid = dec_u16le(&d);
	rpc_addr_get(&d, &m.to);
	m.has_id = (flags & FLAG_ID) != 0;
	m.has_token = (flags & FLAG_TOKEN) != 0;
	if (m.has_id)
		dec_b32(&d, &m.id);
	if (m.has_token)
		dec_b32(&d, &m.token);
	if (m.reply) {
		if ((flags & FLAG_CLOSER) != 0)
			get_closer(&d, &m.closer);
		if ((flags & FLAG_ERROR) != 0)
			m.error = dec_uint(&d);
	} else {
		m.internal = (flags & FLAG_INTERNAL) != 0;
		m.has_target = (flags & FLAG_TARGET) != 0;
		m.command = dec_uint(&d);
		if (m.has_target)
			dec_b32(&d, &m.target);
	}
	if ((flags & FLAG_VALUE) != 0)
		m.value = dec_bytes(&d, RPC_PACKET_MAX);
	if (!dec_ok(&d))
		return false;
	*out = m;
	return true;
}

static unsigned
flags_of(const struct rpc_message *m)
{
	unsigned f = 0;

	f |= m->has_id ? FLAG_ID : 0;
	f |= m->has_token ? FLAG_TOKEN : 0;
	if (m->reply) {
		f |= m->closer.len > 0 ? FLAG_CLOSER : 0;
		f |= m->error != 0 ? FLAG_ERROR : 0;
	} else {
		f |= m->internal ? FLAG_INTERNAL : 0;
		f |= m->has_target ? FLAG_TARGET : 0;
	}
	f |= m->value.len > 0 ? FLAG_VALUE : 0;
	return f;
}

void
rpc_encode(struct buf *b, const struct rpc_message *m)
{
	bug_if(m->closer.len % RPC_ADDR_LEN != 0);
	enc_u8(b, m->reply ? REPLY : REQUEST);
	enc_uint(b, flags_of(m));
	enc_u16le(b, m->tid);
	rpc_addr_put(b, &m->to);
	if (m->has_id)
		enc_b32(b, &m->id);
	if (m->has_token)
		enc_b32(b, &m->token);
	if (m->reply) {
		if (m->closer.len > 0) {
			enc_uint(b, m->closer.len / RPC_ADDR_LEN);
			enc_fixed(b, m->closer);
		}
		if (m->error != 0)
			enc_uint(b, m->error);
	} else {
		enc_uint(b, m->command);
		if (m->has_target)
			enc_b32(b, &m->target);
	}
	if (m->value.len > 0)
		enc_bytes(b, m->value);
}
