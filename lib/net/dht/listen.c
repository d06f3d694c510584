/* The answering side of direct. */
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "crypto/hash.h"
#include "net/dht/impl.h"
#include "net/rpc/limit.h"

#define NOISE_2_MAX 128 /* 48 and a payload of at most 26 bytes */

enum entry_state {
	ENTRY_FREE,
	ENTRY_FLYING,  /* accepted, the stream is not open yet */
	ENTRY_SETTLED, /* open, given up, or an error was the answer */
	ENTRY_REFUSED
};

/* A handshake that was answered, or will not be. */
struct entry {
	enum entry_state state;
	uint32_t udx_id;
	uint64_t expires;
	struct b32 hash; /* of noise 1 */
	size_t len;
	uint8_t noise[NOISE_2_MAX];
};

/* Handshakes of one host, and of all together. */
static const struct limit_rate each = {DHT_SOURCE_RATE, DHT_SOURCE_BURST};
static const struct limit_rate all = {DHT_RATE, DHT_RATE};

/* An offer between dht_listen_recv and its answer. */
struct pending {
	struct noise *noise; /* NULL: none */
	struct dht_payload theirs;
	struct dht_offer offer;
	struct addr self; /* as the other side sees us */
	uint16_t tid;
	struct b32 hash;
	uint64_t now;
};

struct dht_listen {
	struct sign_pair pair;
	struct b32 target;
	struct addr self;
	struct buf packet;
	struct pending pending;
	struct limit limit;
	struct entry entry[DHT_HANDSHAKES_MAX];
};

enum err_code
dht_listen_new(
    struct dht_listen **out, const struct dht_listen_opts *o, struct err *e)
{
	struct dht_listen *l = calloc(1, sizeof(*l));
	enum err_code rc;

	if (l == NULL)
		return err_nomem(e);
	if ((rc = sign_pair_copy(&l->pair, o->pair, e)) != ERR_OK) {
		free(l);
		return rc;
	}
	if (o->self != NULL)
		l->self = *o->self;
	direct_target(&l->target, &l->pair.pub);
	buf_init(&l->packet, DHT_PACKET_MAX);
	limit_init(&l->limit);
	*out = l;
	return ERR_OK;
}

void
dht_listen_free(struct dht_listen *l)
{
	if (l == NULL)
		return;
	noise_free(l->pending.noise);
	sign_pair_free(&l->pair);
	buf_deinit(&l->packet);
	free(l);
}

/* -- what was answered ---------------------------------------------------- */

static struct entry *
entry_find(struct dht_listen *l, const struct b32 *hash, uint64_t now)
{
	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		struct entry *x = &l->entry[i];

		if (x->state != ENTRY_FREE && now >= x->expires)
			x->state = ENTRY_FREE;
		if (x->state != ENTRY_FREE && b32_eq(&x->hash, hash))
			return x;
	}
	return NULL;
}

/* A free entry, or the oldest that is not in flight, or the oldest in flight
 * if that had time enough: in a flood of strangers who never come, others do
 * not wait for them. */
static struct entry *
entry_room(struct dht_listen *l, uint64_t now)
{
	struct entry *best = NULL, *slow = NULL;

	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		struct entry *x = &l->entry[i];

		if (x->state == ENTRY_FREE)
			return x;
		if (x->state != ENTRY_FLYING &&
		    (best == NULL || x->expires < best->expires))
			best = x;
		if (x->state == ENTRY_FLYING &&
		    now + DHT_REMEMBER_US - x->expires >= DHT_PATIENCE_US &&
		    (slow == NULL || x->expires < slow->expires))
			slow = x;
	}
	return best != NULL ? best : slow;
}

/* There is room: it was looked for before the work was done. */
static void
remember(struct dht_listen *l, enum entry_state state, uint32_t udx_id,
    struct view noise)
{
	struct entry *x = entry_room(l, l->pending.now);

	bug_if(x == NULL || noise.len > NOISE_2_MAX);
	x->state = state;
	x->udx_id = udx_id;
	x->expires = l->pending.now + DHT_REMEMBER_US;
	x->hash = l->pending.hash;
	x->len = noise.len;
	if (noise.len > 0)
		memcpy(x->noise, noise.ptr, noise.len);
}

void
dht_listen_settled(struct dht_listen *l, uint32_t udx_id)
{
	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++)
		if (l->entry[i].state == ENTRY_FLYING &&
		    l->entry[i].udx_id == udx_id)
			l->entry[i].state = ENTRY_SETTLED;
}

/* -- answers -------------------------------------------------------------- */

static bool
answer(struct dht_listen *l, uint16_t tid, const struct addr *to,
    enum rpc_error error, struct view value)
{
	const struct rpc_message m = {.reply = true,
	    .tid = tid,
	    .to = *to,
	    .error = error,
	    .value = value};

	buf_reset(&l->packet);
	rpc_encode(&l->packet, &m);
	return l->packet.failed == ERR_OK;
}

static bool
answer_noise(struct dht_listen *l, uint16_t tid, const struct addr *to,
    struct view noise)
{
	const struct dht_handshake h = {.mode = DHT_REPLY, .noise = noise};
	struct buf value;
	bool ok;

	buf_init(&value, DHT_PACKET_MAX);
	dht_handshake_encode(&value, &h);
	ok = value.failed == ERR_OK &&
	     answer(l, tid, to, RPC_OK, buf_view(&value));
	buf_deinit(&value);
	return ok;
}

/* Noise 2 of the pending handshake, remembered and made a packet. */
static enum err_code
finish(
    struct dht_listen *l, uint32_t udx_id, enum dht_error error, struct err *e)
{
	struct pending *p = &l->pending;
	struct buf payload, noise;
	enum err_code rc;

	buf_init(&payload, NOISE_PAYLOAD_MAX);
	buf_init(&noise, NOISE_2_MAX);
	direct_payload(&payload, &l->self, udx_id, DHT_FIREWALL_OPEN, error);
	if ((rc = buf_check(&payload, e)) == ERR_OK &&
	    (rc = noise_send(p->noise, buf_view(&payload), &noise, e)) ==
		ERR_OK &&
	    !answer_noise(l, p->tid, &p->offer.addr, buf_view(&noise)))
		rc = err_nomem(e);
	if (rc == ERR_OK)
		remember(l,
		    error == DHT_ERROR_NONE ? ENTRY_FLYING : ENTRY_SETTLED,
		    udx_id, buf_view(&noise));
	buf_deinit(&payload);
	buf_deinit(&noise);
	return rc;
}

static void
drop_pending(struct dht_listen *l)
{
	noise_free(l->pending.noise);
	l->pending.noise = NULL;
}

const struct dht_offer *
dht_listen_offer(const struct dht_listen *l)
{
	return l->pending.noise != NULL ? &l->pending.offer : NULL;
}

enum err_code
dht_listen_accept(
    struct dht_listen *l, uint32_t udx_id, struct dht_peer *out, struct err *e)
{
	struct pending *p = &l->pending;
	struct dht_peer peer;
	enum err_code rc;

	bug_if(p->noise == NULL);
	if ((rc = finish(l, udx_id, DHT_ERROR_NONE, e)) == ERR_OK &&
	    (rc = direct_finish(&peer, p->noise, &p->theirs, &p->offer.addr,
		 &p->self, e)) == ERR_OK)
		*out = peer;
	else
		buf_reset(&l->packet);
	drop_pending(l);
	return rc;
}

void
dht_listen_refuse(struct dht_listen *l)
{
	if (l->pending.noise == NULL)
		return;
	remember(l, ENTRY_REFUSED, 0, VIEW_EMPTY);
	drop_pending(l);
}

struct view
dht_listen_packet(const struct dht_listen *l)
{
	return buf_view(&l->packet);
}

/* -- requests ------------------------------------------------------------- */

/* True: the other side proved who it is, and said what it wants. */
static bool
read_noise(struct pending *p, struct view message)
{
	const struct b32 *remote;
	struct buf payload;
	struct err e;
	bool ok;

	buf_init(&payload, NOISE_PAYLOAD_MAX);
	ok = noise_recv(p->noise, message, &payload, &e) == ERR_OK &&
	     dht_payload_decode(&p->theirs, buf_view(&payload));
	remote = noise_remote(p->noise);
	if (ok && remote != NULL) {
		p->offer.remote = *remote;
		p->offer.udx_id = p->theirs.udx.id;
	}
	buf_deinit(&payload);
	/* only its plain values are looked at from now on */
	p->theirs.addresses4 = p->theirs.addresses6 = VIEW_EMPTY;
	p->theirs.holepunch.relays = p->theirs.relay_addresses = VIEW_EMPTY;
	return ok && remote != NULL;
}

static enum dht_listen_kind
on_new(struct dht_listen *l, struct view noise)
{
	struct pending *p = &l->pending;
	enum dht_error error = DHT_ERROR_NONE;
	struct err e;

	if (direct_noise(&p->noise, &l->pair, NULL, &e) != ERR_OK) {
		p->noise = NULL;
		return DHT_NONE;
	}
	if (!read_noise(p, noise)) {
		drop_pending(l);
		return DHT_NONE;
	}
	if (p->theirs.version != DHT_VERSION)
		error = DHT_ERROR_VERSION_MISMATCH;
	else if (!p->theirs.has_udx)
		error = DHT_ERROR_ABORTED;
	if (error == DHT_ERROR_NONE)
		return DHT_OFFER;
	if (finish(l, 0, error, &e) != ERR_OK)
		buf_reset(&l->packet);
	drop_pending(l);
	return l->packet.len > 0 ? DHT_ANSWER : DHT_NONE;
}

static enum dht_listen_kind
on_handshake(struct dht_listen *l, const struct rpc_message *m,
    const struct addr *from, uint64_t now)
{
	struct pending *p = &l->pending;
	struct dht_handshake h;
	struct entry *x;

	/* an address in it would be somebody else's */
	if (!dht_handshake_decode(&h, m->value) || h.mode != DHT_FROM_CLIENT ||
	    h.noise.len == 0 || h.peer.family != 0)
		return DHT_NONE;
	hash_data(&p->hash, h.noise);
	if ((x = entry_find(l, &p->hash, now)) != NULL) {
		if (x->state == ENTRY_REFUSED)
			return DHT_NONE;
		return answer_noise(l, m->tid, from, view_of(x->noise, x->len))
			   ? DHT_ANSWER
			   : DHT_NONE;
	}
	if (entry_room(l, now) == NULL ||
	    !limit_take(&l->limit, from, &each, &all, now))
		return DHT_NONE;
	p->offer.addr = *from;
	p->self = m->to;
	p->tid = m->tid;
	p->now = now;
	return on_new(l, h.noise);
}

/* An answer that costs nothing and is as short as answers are. */
static enum dht_listen_kind
say(struct dht_listen *l, const struct rpc_message *m, const struct addr *from,
    enum rpc_error error)
{
	return answer(l, m->tid, from, error, VIEW_EMPTY) ? DHT_ANSWER
							  : DHT_NONE;
}

enum dht_listen_kind
dht_listen_recv(struct dht_listen *l, struct view datagram,
    const struct addr *from, uint64_t now)
{
	struct rpc_message m;

	dht_listen_refuse(l);
	buf_reset(&l->packet);
	if (from->port == 0 || !rpc_decode(&m, datagram) || m.reply)
		return DHT_NONE;
	if (m.internal)
		return say(l, &m, from,
		    m.command == RPC_PING ? RPC_OK : RPC_UNKNOWN_COMMAND);
	if (m.command != DHT_PEER_HANDSHAKE)
		return say(l, &m, from, RPC_UNKNOWN_COMMAND);
	if (!m.has_target || !b32_eq(&m.target, &l->target))
		return say(l, &m, from, RPC_OK); /* nobody of that key here */
	return on_handshake(l, &m, from, now);
}
