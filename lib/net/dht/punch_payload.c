#include "net/dht/punch_payload.h"

#include <string.h>

#include "codec/enc.h"
#include "crypto/hash.h"
#include "crypto/secretbox.h"

enum {
	FLAG_CONNECTED = 1,
	FLAG_PUNCHING = 2,
	FLAG_ADDRESSES = 4,
	FLAG_REMOTE = 8,
	FLAG_TOKEN = 16,
	FLAG_REMOTE_TOKEN = 32
};

#define PLAIN_MAX RPC_PACKET_MAX /* of theirs: more fits no datagram */

static unsigned
flags_of(const struct punch_payload *p)
{
	unsigned f = 0;

	f |= p->connected ? FLAG_CONNECTED : 0;
	f |= p->punching ? FLAG_PUNCHING : 0;
	f |= p->has_addresses ? FLAG_ADDRESSES : 0;
	f |= p->remote.family != 0 ? FLAG_REMOTE : 0;
	f |= p->has_token ? FLAG_TOKEN : 0;
	f |= p->has_remote_token ? FLAG_REMOTE_TOKEN : 0;
	return f;
}

void
punch_payload_encode(struct buf *b, const struct punch_payload *p)
{
	enc_uint(b, flags_of(p));
	enc_uint(b, p->error);
	enc_uint(b, p->firewall);
	enc_uint(b, p->round);
	if (p->has_addresses) {
		enc_uint(b, p->naddresses);
		for (size_t i = 0; i < p->naddresses; i++)
			rpc_addr_put(b, &p->address[i]);
	}
	if (p->remote.family != 0)
		rpc_addr_put(b, &p->remote);
	if (p->has_token)
		enc_b32(b, &p->token);
	if (p->has_remote_token)
		enc_b32(b, &p->remote_token);
}

static void
get_addresses(struct dec *d, struct punch_payload *p)
{
	size_t n = dec_count(d, PLAIN_MAX / RPC_ADDR_LEN);
	struct addr a;

	for (size_t i = 0; i < n; i++) {
		rpc_addr_get(d, &a);
		if (i < PUNCH_ADDRS_MAX)
			p->address[i] = a;
	}
	p->naddresses = n < PUNCH_ADDRS_MAX ? n : PUNCH_ADDRS_MAX;
}

bool
punch_payload_decode(struct punch_payload *out, struct view v)
{
	struct punch_payload p = {0};
	uint64_t flags;
	struct dec d;

	dec_init(&d, v);
	flags = dec_uint(&d);
	p.connected = (flags & FLAG_CONNECTED) != 0;
	p.punching = (flags & FLAG_PUNCHING) != 0;
	p.has_addresses = (flags & FLAG_ADDRESSES) != 0;
	p.has_token = (flags & FLAG_TOKEN) != 0;
	p.has_remote_token = (flags & FLAG_REMOTE_TOKEN) != 0;
	p.error = dec_uint(&d);
	p.firewall = dec_uint(&d);
	p.round = dec_uint(&d);
	if (p.has_addresses)
		get_addresses(&d, &p);
	if ((flags & FLAG_REMOTE) != 0)
		rpc_addr_get(&d, &p.remote);
	if (p.has_token)
		dec_b32(&d, &p.token);
	if (p.has_remote_token)
		dec_b32(&d, &p.remote_token);
	if (!dec_ok(&d))
		return false;
	*out = p;
	return true;
}

enum err_code
punch_payload_secret(
    struct secret *out, const uint8_t hash[static 64], struct err *e)
{
	struct view v;
	struct b32 ns, key;
	enum err_code rc;

	dht_namespace(&ns, DHT_PEER_HOLEPUNCH);
	v = view_b32(&ns);
	hash_keyed64_batch(&key, hash, &v, 1);
	rc = secret_copy(out, view_b32(&key), e);
	secret_wipe(&key, sizeof(key));
	return rc;
}

void
punch_payload_seal(
    struct buf *b, const struct punch_payload *p, const struct secret *secret)
{
	uint8_t nonce[SECRETBOX_NONCE], *box;
	struct buf plain;

	secret_random(nonce, sizeof(nonce));
	buf_init(&plain, PUNCH_BOX_MAX);
	punch_payload_encode(&plain, p);
	buf_append(b, view_of(nonce, sizeof(nonce)));
	box = buf_extend(b, SECRETBOX_MAC + plain.len);
	if (box != NULL)
		secretbox_seal(box, buf_view(&plain), nonce, secret->ptr);
	if (plain.failed != ERR_OK)
		b->failed = plain.failed;
	buf_deinit(&plain);
}

bool
punch_payload_open(
    struct punch_payload *out, struct view box, const struct secret *secret)
{
	uint8_t plain[PLAIN_MAX];
	struct view nonce;
	struct dec d;

	dec_init(&d, box);
	nonce = dec_fixed(&d, SECRETBOX_NONCE);
	box = dec_rest(&d);
	if (!dec_ok(&d) || box.len <= SECRETBOX_MAC ||
	    box.len - SECRETBOX_MAC > sizeof(plain) ||
	    !secretbox_open(plain, box, nonce.ptr, secret->ptr))
		return false;
	return punch_payload_decode(
	    out, view_of(plain, box.len - SECRETBOX_MAC));
}
