/* The records that persistent nodes keep, and what their signatures cover. */
#include <string.h>

#include "base/bug.h"
#include "codec/enc.h"
#include "crypto/hash.h"
#include "net/dht/message.h"

#define RELAYS_MAX (RPC_PACKET_MAX / RPC_ADDR_LEN)

enum { HAS_PEER = 1, HAS_REFRESH = 2, HAS_SIGNATURE = 4, HAS_BUMP = 8 };

static void
get_peer(struct dec *d, struct dht_peer_record *p)
{
	dec_b32(d, &p->key);
	p->relays = dec_fixed(d, dec_count(d, RELAYS_MAX) * RPC_ADDR_LEN);
}

bool
dht_peer_record_decode(struct dht_peer_record *out, struct view v)
{
	struct dht_peer_record p;
	struct dec d;

	dec_init(&d, v);
	get_peer(&d, &p);
	if (!dec_ok(&d))
		return false;
	*out = p;
	return true;
}

void
dht_peer_record_encode(struct buf *b, const struct dht_peer_record *p)
{
	bug_if(p->relays.len % RPC_ADDR_LEN != 0);
	enc_b32(b, &p->key);
	enc_uint(b, p->relays.len / RPC_ADDR_LEN);
	enc_fixed(b, p->relays);
}

/* -- announce ------------------------------------------------------------- */

bool
dht_announce_decode(struct dht_announce *out, struct view v)
{
	struct dht_announce a = {0};
	uint64_t flags;
	struct dec d;

	dec_init(&d, v);
	flags = dec_uint(&d);
	a.has_peer = (flags & HAS_PEER) != 0;
	a.has_refresh = (flags & HAS_REFRESH) != 0;
	a.has_signature = (flags & HAS_SIGNATURE) != 0;
	if (a.has_peer)
		get_peer(&d, &a.peer);
	if (a.has_refresh)
		dec_b32(&d, &a.refresh);
	if (a.has_signature)
		a.signature = dec_fixed(&d, DHT_SIGNATURE_LEN);
	if ((flags & HAS_BUMP) != 0)
		a.bump = dec_uint(&d);
	if (!dec_ok(&d))
		return false;
	*out = a;
	return true;
}

void
dht_announce_encode(struct buf *b, const struct dht_announce *a)
{
	unsigned flags = a->has_peer ? HAS_PEER : 0;

	bug_if(a->has_signature && a->signature.len != DHT_SIGNATURE_LEN);
	flags |= a->has_refresh ? HAS_REFRESH : 0;
	flags |= a->has_signature ? HAS_SIGNATURE : 0;
	flags |= a->bump != 0 ? HAS_BUMP : 0;
	enc_uint(b, flags);
	if (a->has_peer)
		dht_peer_record_encode(b, &a->peer);
	if (a->has_refresh)
		enc_b32(b, &a->refresh);
	if (a->has_signature)
		enc_fixed(b, a->signature);
	if (a->bump != 0)
		enc_uint(b, a->bump);
}

static void
signable(uint8_t out[static DHT_SIGNABLE_LEN], enum dht_command c,
    const struct b32 *hash)
{
	struct b32 ns;

	dht_namespace(&ns, c);
	memcpy(out, ns.b, sizeof(ns.b));
	memcpy(out + sizeof(ns.b), hash->b, sizeof(hash->b));
}

void
dht_announce_signable(uint8_t out[static DHT_SIGNABLE_LEN], enum dht_command c,
    const struct b32 *target, const struct b32 *id, const struct b32 *token,
    const struct dht_announce *a)
{
	struct hash_state s;
	struct b32 hash;
	uint8_t count[9];
	struct buf b;

	/* the record is hashed as it is encoded, without a copy of its list */
	buf_init(&b, sizeof(count));
	enc_uint(&b, a->peer.relays.len / RPC_ADDR_LEN);
	bug_if(b.failed == ERR_LIMIT);
	hash_init(&s);
	hash_update(&s, view_b32(target));
	hash_update(&s, view_b32(id));
	hash_update(&s, view_b32(token));
	hash_update(&s, view_b32(&a->peer.key));
	hash_update(&s, buf_view(&b));
	hash_update(&s, a->peer.relays);
	if (a->has_refresh)
		hash_update(&s, view_b32(&a->refresh));
	hash_final(&s, &hash);
	buf_deinit(&b);
	signable(out, c, &hash);
}

/* -- lookup --------------------------------------------------------------- */

bool
dht_lookup_decode(struct dht_lookup *out, struct view v)
{
	struct dec d;

	dec_init(&d, v);
	out->n = dec_count(&d, DHT_LOOKUP_MAX);
	for (size_t i = 0; i < out->n; i++)
		get_peer(&d, &out->peer[i]);
	out->bump = dec_ok(&d) && dec_left(&d) > 0 ? dec_uint(&d) : 0;
	return dec_ok(&d);
}

void
dht_lookup_encode(struct buf *b, size_t n, struct view records, uint64_t bump)
{
	enc_uint(b, n);
	enc_fixed(b, records);
	enc_uint(b, bump);
}

/* -- mutable -------------------------------------------------------------- */

static bool
get_mutable(struct dht_mutable *out, struct view v, bool key)
{
	struct dht_mutable m = {0};
	struct dec d;

	dec_init(&d, v);
	if (key)
		dec_b32(&d, &m.key);
	m.seq = dec_uint(&d);
	m.value = dec_bytes(&d, RPC_PACKET_MAX);
	m.signature = dec_fixed(&d, DHT_SIGNATURE_LEN);
	if (!dec_ok(&d))
		return false;
	*out = m;
	return true;
}

bool
dht_mutable_put_decode(struct dht_mutable *out, struct view v)
{
	return get_mutable(out, v, true);
}

bool
dht_mutable_decode(struct dht_mutable *out, struct view v)
{
	return get_mutable(out, v, false);
}

void
dht_mutable_encode(struct buf *b, const struct dht_mutable *m)
{
	bug_if(m->signature.len != DHT_SIGNATURE_LEN);
	enc_uint(b, m->seq);
	enc_bytes(b, m->value);
	enc_fixed(b, m->signature);
}

void
dht_mutable_put_encode(struct buf *b, const struct dht_mutable *m)
{
	enc_b32(b, &m->key);
	dht_mutable_encode(b, m);
}

void
dht_mutable_signable(
    uint8_t out[static DHT_SIGNABLE_LEN], uint64_t seq, struct view value)
{
	struct b32 hash;
	struct buf b;

	buf_init(&b, 18); /* two integers */
	enc_uint(&b, seq);
	enc_uint(&b, value.len);
	hash_batch(&hash, (struct view[]){buf_view(&b), value}, 2);
	buf_deinit(&b);
	signable(out, DHT_MUTABLE_PUT, &hash);
}
