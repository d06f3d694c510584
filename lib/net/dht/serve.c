/*
 * Records of others (network.md 3.2): what a persistent node stores and
 * tells. Whatever is wrong with a request gets no answer, as the original
 * does; only a sequence number has errors of its own. Nothing is stored
 * without a token: the sender's address is real, and has its share only.
 */
#include <string.h>

#include "crypto/hash.h"
#include "crypto/sign.h"
#include "net/dht/node_impl.h"

#define BUMP_DRIFT_MS 60000
#define RECORD_MAX (32 + 1 + DHT_RELAYS_MAX * RPC_ADDR_LEN)
/* what a refresh renews: the target, and the record */
#define REFRESH_MAX (32 + RECORD_MAX)

static const int QUIET = RPC_NO_TOKEN | RPC_NO_CLOSER;

static bool
is_hash_of(const struct b32 *target, struct view v)
{
	struct b32 h;

	hash_data(&h, v);
	return b32_eq(&h, target);
}

/* -- announcing ----------------------------------------------------------- */

static bool
signed_by_peer(const struct dht *d, const struct rpc_incoming *in,
    enum dht_command c, const struct dht_announce *a)
{
	uint8_t text[DHT_SIGNABLE_LEN];
	struct rpc_about about;

	if (!a->has_peer || !a->has_signature)
		return false;
	rpc_about(d->rpc, &about);
	dht_announce_signable(
	    text, c, &in->m.target, &about.id, &in->m.token, a);
	return sign_verify(
	    a->signature, view_of(text, sizeof(text)), &a->peer.key);
}

/* Under its own key it is a server, and its address is the route to it; under
 * another it is a peer of a topic. record: as it is told to others. */
static void
store_record(struct dht *d, const struct b32 *target, struct view record,
    const struct addr *from, uint64_t now)
{
	struct b32 key;

	memcpy(&key, record.ptr, sizeof(key));
	if (is_hash_of(target, view_b32(&key))) {
		records_put(
		    d->records, RECORDS_ROUTE, target, NULL, from, record, now);
		records_remove(d->records, RECORDS_PEER, target, &key);
	} else {
		records_put(
		    d->records, RECORDS_PEER, target, &key, from, record, now);
	}
}

static uint64_t
get_bump(const struct dht *d, const struct b32 *topic, uint64_t now)
{
	uint64_t bump = 0;
	struct view v;

	if (records_get(d->records, RECORDS_BUMP, topic, now, &v, NULL))
		memcpy(&bump, v.ptr, sizeof(bump));
	return bump;
}

static void
put_bump(struct dht *d, const struct rpc_incoming *in, uint64_t bump)
{
	if (d->env.wall_ms == NULL ||
	    bump <= get_bump(d, &in->m.target, in->now) ||
	    bump > d->env.wall_ms(d->env.ctx) + BUMP_DRIFT_MS)
		return;
	records_put(d->records, RECORDS_BUMP, &in->m.target, NULL, &in->from,
	    view_of(&bump, sizeof(bump)), in->now);
}

/* Only the preimage of what was left the last time: the record lives on, and
 * the preimage is the hash of the next one. */
static void
renew(struct dht *d, const struct rpc_incoming *in, const struct b32 *refresh)
{
	uint8_t copy[REFRESH_MAX];
	struct b32 hash, target;
	struct view v;
	size_t len;

	hash_data(&hash, view_b32(refresh));
	if (!records_get(d->records, RECORDS_REFRESH, &hash, in->now, &v, NULL))
		return;
	len = v.len;
	memcpy(copy, v.ptr, len);
	memcpy(&target, copy, sizeof(target));
	store_record(d, &target,
	    view_of(copy + sizeof(target), len - sizeof(target)), &in->from,
	    in->now);
	records_remove(d->records, RECORDS_REFRESH, &hash, NULL);
	records_put(d->records, RECORDS_REFRESH, refresh, NULL, &in->from,
	    view_of(copy, len), in->now);
	rpc_answer(d->rpc, in, RPC_OK, VIEW_EMPTY, QUIET);
}

/* b: the target, and the record as it will be told. */
static void
accept(struct dht *d, const struct rpc_incoming *in, struct dht_announce *a,
    struct buf *b)
{
	struct view record;

	a->peer.relays =
	    view_sub(a->peer.relays, 0, DHT_RELAYS_MAX * RPC_ADDR_LEN);
	buf_append(b, view_b32(&in->m.target));
	dht_peer_record_encode(b, &a->peer);
	if (b->failed != ERR_OK)
		return;
	record = view_sub(buf_view(b), sizeof(in->m.target), b->len);
	store_record(d, &in->m.target, record, &in->from, in->now);
	if (!is_hash_of(&in->m.target, view_b32(&a->peer.key)))
		put_bump(d, in, a->bump);
	if (a->has_refresh)
		records_put(d->records, RECORDS_REFRESH, &a->refresh, NULL,
		    &in->from, buf_view(b), in->now);
	rpc_answer(d->rpc, in, RPC_OK, VIEW_EMPTY, QUIET);
}

static void
announce(struct dht *d, const struct rpc_incoming *in)
{
	struct dht_announce a;
	struct buf b;

	if (!in->proven || !dht_announce_decode(&a, in->m.value))
		return;
	if (!a.has_peer) {
		if (a.has_refresh)
			renew(d, in, &a.refresh);
		return;
	}
	if (!signed_by_peer(d, in, DHT_ANNOUNCE, &a))
		return;
	buf_init(&b, REFRESH_MAX);
	accept(d, in, &a, &b);
	buf_deinit(&b);
}

static void
unannounce(struct dht *d, const struct rpc_incoming *in)
{
	struct dht_announce a;

	if (!in->proven || !dht_announce_decode(&a, in->m.value) ||
	    !signed_by_peer(d, in, DHT_UNANNOUNCE, &a))
		return;
	dht_serve_forget(d, &in->m.target, &a.peer.key);
	rpc_answer(d->rpc, in, RPC_OK, VIEW_EMPTY, QUIET);
}

void
dht_serve_forget(struct dht *d, const struct b32 *target, const struct b32 *key)
{
	if (is_hash_of(target, view_b32(key)))
		records_remove(d->records, RECORDS_ROUTE, target, NULL);
	records_remove(d->records, RECORDS_PEER, target, key);
}

/* -- looking -------------------------------------------------------------- */

/* The record of the server of a target: one of ours, or a route's. Ours has
 * no relays: whoever asks us has found it. */
static bool
put_server(struct dht *d, const struct rpc_incoming *in, struct buf *b)
{
	const struct node_user *own = node_server(d, &in->m.target);
	struct dht_peer_record p = {.relays = VIEW_EMPTY};
	struct view record;

	if (own != NULL) {
		p.key = own->key;
		dht_peer_record_encode(b, &p);
		return true;
	}
	if (!records_get(d->records, RECORDS_ROUTE, &in->m.target, in->now,
		&record, NULL))
		return false;
	buf_append(b, record);
	return true;
}

static void
find_peer(struct dht *d, const struct rpc_incoming *in)
{
	struct buf b;

	buf_init(&b, RECORD_MAX);
	(void)put_server(d, in, &b);
	if (b.failed == ERR_OK)
		rpc_answer(d->rpc, in, RPC_OK, buf_view(&b), 0);
	buf_deinit(&b);
}

static void
lookup(struct dht *d, const struct rpc_incoming *in)
{
	struct view pick[RECORDS_PICK];
	struct buf list, reply;
	size_t n;

	buf_init(&list, RECORDS_PICK * RECORD_MAX);
	buf_init(&reply, RPC_PACKET_MAX);
	n = records_pick(
	    d->records, &in->m.target, in->now, pick, RECORDS_PICK);
	for (size_t i = 0; i < n; i++)
		buf_append(&list, pick[i]);
	if (n < RECORDS_PICK && put_server(d, in, &list))
		n++;
	if (n > 0)
		dht_lookup_encode(&reply, n, buf_view(&list),
		    get_bump(d, &in->m.target, in->now));
	if (list.failed == ERR_OK && reply.failed == ERR_OK)
		rpc_answer(d->rpc, in, RPC_OK, buf_view(&reply), 0);
	buf_deinit(&reply);
	buf_deinit(&list);
}

/* -- values --------------------------------------------------------------- */

static bool
verify_mutable(const struct dht_mutable *m)
{
	uint8_t text[DHT_SIGNABLE_LEN];

	dht_mutable_signable(text, m->seq, m->value);
	return sign_verify(m->signature, view_of(text, sizeof(text)), &m->key);
}

/* Anybody may repeat a value, and it lives on by that. It stays in the share
 * of the host that brought it: else a stranger would make it one of his own,
 * and push it out with what he puts in next. */
static void
put_value(struct dht *d, enum records_kind k, const struct rpc_incoming *in,
    struct view value)
{
	struct addr from = in->from, first;
	struct view old;

	if (records_get(d->records, k, &in->m.target, in->now, &old, &first) &&
	    view_eq(old, value))
		from = first;
	records_put(d->records, k, &in->m.target, NULL, &from, value, in->now);
}

/* RPC_OK: it may replace what is stored. */
static uint64_t
judge_seq(const struct dht *d, const struct rpc_incoming *in,
    const struct dht_mutable *m)
{
	struct dht_mutable old;
	struct view v;

	if (!records_get(d->records, RECORDS_MUTABLE, &in->m.target, in->now,
		&v, NULL) ||
	    !dht_mutable_decode(&old, v))
		return RPC_OK;
	if (m->seq == old.seq && !view_eq(m->value, old.value))
		return DHT_SEQ_REUSED;
	return m->seq < old.seq ? DHT_SEQ_TOO_LOW : RPC_OK;
}

static void
mutable_put(struct dht *d, const struct rpc_incoming *in)
{
	struct dht_mutable m;
	uint64_t error;
	struct buf b;

	if (!in->proven || !dht_mutable_put_decode(&m, in->m.value) ||
	    m.value.len == 0 || m.value.len > DHT_VALUE_MAX ||
	    !is_hash_of(&in->m.target, view_b32(&m.key)) || !verify_mutable(&m))
		return;
	error = judge_seq(d, in, &m);
	buf_init(&b, RPC_PACKET_MAX);
	dht_mutable_encode(&b, &m);
	if (error == RPC_OK && b.failed == ERR_OK)
		put_value(d, RECORDS_MUTABLE, in, buf_view(&b));
	rpc_answer(d->rpc, in, (enum rpc_error)error, VIEW_EMPTY, RPC_NO_TOKEN);
	buf_deinit(&b);
}

static void
mutable_get(struct dht *d, const struct rpc_incoming *in)
{
	struct dht_mutable m;
	struct view v = VIEW_EMPTY;
	uint64_t least;
	struct dec dec;

	dec_init(&dec, in->m.value);
	least = dec_uint(&dec);
	if (!dec_ok(&dec))
		return;
	if (!records_get(d->records, RECORDS_MUTABLE, &in->m.target, in->now,
		&v, NULL) ||
	    !dht_mutable_decode(&m, v) || m.seq < least)
		v = VIEW_EMPTY;
	rpc_answer(d->rpc, in, RPC_OK, v, 0);
}

static void
immutable_put(struct dht *d, const struct rpc_incoming *in)
{
	if (!in->proven || in->m.value.len == 0 ||
	    in->m.value.len > DHT_VALUE_MAX ||
	    !is_hash_of(&in->m.target, in->m.value))
		return;
	put_value(d, RECORDS_IMMUTABLE, in, in->m.value);
	rpc_answer(d->rpc, in, RPC_OK, VIEW_EMPTY, 0);
}

static void
immutable_get(struct dht *d, const struct rpc_incoming *in)
{
	struct view v = VIEW_EMPTY;

	(void)records_get(
	    d->records, RECORDS_IMMUTABLE, &in->m.target, in->now, &v, NULL);
	rpc_answer(d->rpc, in, RPC_OK, v, 0);
}

/* -- all of them ---------------------------------------------------------- */

static void
with_target(struct dht *d, const struct rpc_incoming *in)
{
	switch ((enum dht_command)in->m.command) {
	case DHT_FIND_PEER:
		find_peer(d, in);
		return;
	case DHT_LOOKUP:
		lookup(d, in);
		return;
	case DHT_ANNOUNCE:
		announce(d, in);
		return;
	case DHT_UNANNOUNCE:
		unannounce(d, in);
		return;
	case DHT_MUTABLE_PUT:
		mutable_put(d, in);
		return;
	case DHT_MUTABLE_GET:
		mutable_get(d, in);
		return;
	case DHT_IMMUTABLE_PUT:
		immutable_put(d, in);
		return;
	case DHT_IMMUTABLE_GET:
		immutable_get(d, in);
		return;
	case DHT_PLUGIN: /* we have none */
	case DHT_PEER_HANDSHAKE:
	case DHT_PEER_HOLEPUNCH:
		return;
	}
}

void
dht_serve_request(struct dht *d, const struct rpc_incoming *in)
{
	struct rpc_about about;

	rpc_about(d->rpc, &about);
	if (!about.persistent || in->m.command > DHT_PLUGIN)
		rpc_answer(d->rpc, in, RPC_UNKNOWN_COMMAND, VIEW_EMPTY, 0);
	else if (in->m.has_target)
		with_target(d, in);
}
