#include "net/dht/message.h"

#include "base/bug.h"
#include "codec/enc.h"
#include "crypto/hash.h"

#define NOISE_MAX RPC_PACKET_MAX
#define PAYLOAD_MAX RPC_PACKET_MAX
/* more than any payload holds */
#define LIST_MAX (RPC_PACKET_MAX / RPC_ADDR_LEN)

enum { HAS_PEER = 1, HAS_RELAY = 2 };

enum {
	HAS_HOLEPUNCH = 1,
	HAS_ADDRESSES4 = 2,
	HAS_ADDRESSES6 = 4,
	HAS_UDX = 8,
	HAS_SECRET_STREAM = 16,
	HAS_RELAY_THROUGH = 32,
	HAS_RELAY_ADDRESSES = 64
};

void
dht_namespace(struct b32 *out, enum dht_command c)
{
	hash_namespace(out, "hyperswarm/dht", (uint8_t)c);
}

/* -- handshake ------------------------------------------------------------ */

bool
dht_handshake_decode(struct dht_handshake *out, struct view v)
{
	struct dht_handshake h = {0};
	uint64_t flags;
	struct dec d;

	dec_init(&d, v);
	flags = dec_uint(&d);
	h.mode = dec_uint(&d);
	h.noise = dec_bytes(&d, NOISE_MAX);
	if ((flags & HAS_PEER) != 0)
		rpc_addr_get(&d, &h.peer);
	if ((flags & HAS_RELAY) != 0)
		rpc_addr_get(&d, &h.relay);
	if (!dec_ok(&d))
		return false;
	*out = h;
	return true;
}

void
dht_handshake_encode(struct buf *b, const struct dht_handshake *h)
{
	unsigned flags = h->peer.family != 0 ? HAS_PEER : 0;

	flags |= h->relay.family != 0 ? HAS_RELAY : 0;
	enc_uint(b, flags);
	enc_uint(b, h->mode);
	enc_bytes(b, h->noise);
	if ((flags & HAS_PEER) != 0)
		rpc_addr_put(b, &h->peer);
	if ((flags & HAS_RELAY) != 0)
		rpc_addr_put(b, &h->relay);
}

/* -- payload -------------------------------------------------------------- */

static struct view
get_list(struct dec *d, size_t each)
{
	size_t n = dec_count(d, LIST_MAX);

	return dec_fixed(d, n * each);
}

static void
put_list(struct buf *b, struct view list, size_t each)
{
	bug_if(list.len % each != 0);
	enc_uint(b, list.len / each);
	enc_fixed(b, list);
}

static void
get_udx(struct dec *d, struct dht_payload *p)
{
	uint64_t id;

	p->udx.version = dec_uint(d);
	p->udx.reusable = (dec_uint(d) & 1) != 0;
	id = dec_uint(d);
	p->udx.seq = dec_uint(d);
	if (id > UINT32_MAX)
		dec_fail(d, "a stream id of more than 32 bits");
	p->udx.id = (uint32_t)id;
}

static void
get_relay_through(struct dec *d, struct dht_payload *p)
{
	p->relay_through.version = dec_uint(d);
	(void)dec_uint(d); /* flags of its own */
	dec_b32(d, &p->relay_through.key);
	dec_b32(d, &p->relay_through.token);
}

static void
get_parts(struct dec *d, uint64_t flags, struct dht_payload *p)
{
	p->has_holepunch = (flags & HAS_HOLEPUNCH) != 0;
	p->has_udx = (flags & HAS_UDX) != 0;
	p->has_secret_stream = (flags & HAS_SECRET_STREAM) != 0;
	p->has_relay_through = (flags & HAS_RELAY_THROUGH) != 0;
	p->has_relay_addresses = (flags & HAS_RELAY_ADDRESSES) != 0;
	if (p->has_holepunch) {
		p->holepunch.id = dec_uint(d);
		p->holepunch.relays = get_list(d, DHT_RELAY_INFO_LEN);
	}
	if ((flags & HAS_ADDRESSES4) != 0)
		p->addresses4 = get_list(d, RPC_ADDR_LEN);
	if ((flags & HAS_ADDRESSES6) != 0)
		p->addresses6 = get_list(d, DHT_ADDR6_LEN);
	if (p->has_udx)
		get_udx(d, p);
	if (p->has_secret_stream)
		p->secret_stream = dec_uint(d);
	if (p->has_relay_through)
		get_relay_through(d, p);
	if (p->has_relay_addresses)
		p->relay_addresses = get_list(d, RPC_ADDR_LEN);
}

bool
dht_payload_decode(struct dht_payload *out, struct view v)
{
	struct dht_payload p = {0};
	uint64_t flags;
	struct dec d;

	dec_init(&d, v);
	p.version = dec_uint(&d);
	if (p.version == DHT_VERSION) {
		flags = dec_uint(&d);
		p.error = dec_uint(&d);
		p.firewall = dec_uint(&d);
		get_parts(&d, flags, &p);
	}
	if (!dec_ok(&d))
		return false;
	*out = p;
	return true;
}

static unsigned
flags_of(const struct dht_payload *p)
{
	unsigned f = 0;

	f |= p->has_holepunch ? HAS_HOLEPUNCH : 0;
	f |= p->addresses4.len > 0 ? HAS_ADDRESSES4 : 0;
	f |= p->addresses6.len > 0 ? HAS_ADDRESSES6 : 0;
	f |= p->has_udx ? HAS_UDX : 0;
	f |= p->has_secret_stream ? HAS_SECRET_STREAM : 0;
	f |= p->has_relay_through ? HAS_RELAY_THROUGH : 0;
	f |= p->has_relay_addresses ? HAS_RELAY_ADDRESSES : 0;
	return f;
}

static void
put_udx(struct buf *b, const struct dht_payload *p)
{
	enc_uint(b, DHT_VERSION);
	enc_uint(b, p->udx.reusable ? 1 : 0);
	enc_uint(b, p->udx.id);
	enc_uint(b, p->udx.seq);
}

static void
put_relay_through(struct buf *b, const struct dht_payload *p)
{
	enc_uint(b, DHT_VERSION);
	enc_uint(b, 0);
	enc_b32(b, &p->relay_through.key);
	enc_b32(b, &p->relay_through.token);
}

void
dht_payload_encode(struct buf *b, const struct dht_payload *p)
{
	enc_uint(b, DHT_VERSION);
	enc_uint(b, flags_of(p));
	enc_uint(b, p->error);
	enc_uint(b, p->firewall);
	if (p->has_holepunch) {
		enc_uint(b, p->holepunch.id);
		put_list(b, p->holepunch.relays, DHT_RELAY_INFO_LEN);
	}
	if (p->addresses4.len > 0)
		put_list(b, p->addresses4, RPC_ADDR_LEN);
	if (p->addresses6.len > 0)
		put_list(b, p->addresses6, DHT_ADDR6_LEN);
	if (p->has_udx)
		put_udx(b, p);
	if (p->has_secret_stream)
		enc_uint(b, DHT_VERSION);
	if (p->has_relay_through)
		put_relay_through(b, p);
	if (p->has_relay_addresses)
		put_list(b, p->relay_addresses, RPC_ADDR_LEN);
}

/* -- holepunch ------------------------------------------------------------ */

bool
dht_holepunch_decode(struct dht_holepunch *out, struct view v)
{
	struct dht_holepunch h = {0};
	uint64_t flags;
	struct dec d;

	dec_init(&d, v);
	flags = dec_uint(&d);
	h.mode = dec_uint(&d);
	h.id = dec_uint(&d);
	h.payload = dec_bytes(&d, PAYLOAD_MAX);
	if ((flags & HAS_PEER) != 0)
		rpc_addr_get(&d, &h.peer);
	if (!dec_ok(&d))
		return false;
	*out = h;
	return true;
}

void
dht_holepunch_encode(struct buf *b, const struct dht_holepunch *h)
{
	enc_uint(b, h->peer.family != 0 ? HAS_PEER : 0);
	enc_uint(b, h->mode);
	enc_uint(b, h->id);
	enc_bytes(b, h->payload);
	if (h->peer.family != 0)
		rpc_addr_put(b, &h->peer);
}
