/*
 * Handshake messages of HyperDHT (first byte even) and their payloads (odd).
 * What decodes is made again no longer than it was, and decodes to the same.
 */
#include <string.h>

#include "net/dht/message.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
inside(struct view v, size_t each, struct view all)
{
	check(v.len % each == 0);
	check(v.len == 0 ||
	      (v.ptr >= all.ptr && v.ptr + v.len <= all.ptr + all.len));
}

static bool
same_addr(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && addr_eq(a, b);
}

static void
handshake(struct view in)
{
	struct dht_handshake h, again;
	struct buf b;

	if (!dht_handshake_decode(&h, in))
		return;
	inside(h.noise, 1, in);
	buf_init(&b, in.len);
	dht_handshake_encode(&b, &h);
	check(b.failed == ERR_OK);
	check(dht_handshake_decode(&again, buf_view(&b)));
	check(h.mode == again.mode && view_eq(h.noise, again.noise));
	check(same_addr(&h.peer, &again.peer));
	check(same_addr(&h.relay, &again.relay));
	buf_deinit(&b);
}

static void
same(const struct dht_payload *a, const struct dht_payload *b)
{
	check(a->error == b->error && a->firewall == b->firewall);
	check(a->has_holepunch == b->has_holepunch);
	check(a->holepunch.id == b->holepunch.id);
	check(view_eq(a->holepunch.relays, b->holepunch.relays));
	check(view_eq(a->addresses4, b->addresses4));
	check(view_eq(a->addresses6, b->addresses6));
	check(a->has_udx == b->has_udx && a->udx.id == b->udx.id);
	check(a->udx.seq == b->udx.seq && a->udx.reusable == b->udx.reusable);
	check(a->has_secret_stream == b->has_secret_stream);
	check(a->has_relay_through == b->has_relay_through);
	check(b32_eq(&a->relay_through.key, &b->relay_through.key));
	check(b32_eq(&a->relay_through.token, &b->relay_through.token));
	check(a->has_relay_addresses == b->has_relay_addresses);
	check(view_eq(a->relay_addresses, b->relay_addresses));
}

/* Versions of the parts are read and written as 1: they may grow shorter. */
static void
payload(struct view in)
{
	static const struct dht_payload none;
	struct dht_payload p, again;
	struct buf b;

	if (!dht_payload_decode(&p, in))
		return;
	if (p.version != DHT_VERSION) {
		same(&p, &none);
		return;
	}
	inside(p.holepunch.relays, DHT_RELAY_INFO_LEN, in);
	inside(p.addresses4, RPC_ADDR_LEN, in);
	inside(p.addresses6, DHT_ADDR6_LEN, in);
	inside(p.relay_addresses, RPC_ADDR_LEN, in);
	buf_init(&b, in.len);
	dht_payload_encode(&b, &p);
	check(b.failed == ERR_OK);
	check(dht_payload_decode(&again, buf_view(&b)));
	same(&p, &again);
	buf_deinit(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0)
		handshake(view_of(data + 1, size - 1));
	else
		payload(view_of(data + 1, size - 1));
	return 0;
}
