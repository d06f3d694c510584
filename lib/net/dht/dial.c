/* The dialling side of direct. */
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "net/dht/impl.h"

#define RESEND_US UINT64_C(1000000)

struct dht_dial {
	enum dht_dial_state state;
	enum dht_dial_state excuse; /* if nothing better comes */
	struct addr to;
	uint16_t tid;
	struct noise *noise;
	struct buf packet;
	unsigned sent;
	uint64_t next; /* when to send again, or to give up */
	struct dht_peer peer;
};

/* The packet is made once: all its copies are the same bytes, which is how
 * the other side knows them as one. */
static enum err_code
make_packet(struct dht_dial *d, const struct dht_dial_opts *o, struct err *e)
{
	struct dht_handshake h = {.mode = DHT_FROM_CLIENT};
	struct rpc_message m = {.tid = d->tid,
	    .to = o->to,
	    .command = DHT_PEER_HANDSHAKE,
	    .has_target = true};
	struct buf payload, noise, value;
	enum err_code rc;

	buf_init(&payload, NOISE_PAYLOAD_MAX);
	buf_init(&noise, NOISE_MESSAGE_MAX);
	buf_init(&value, DHT_PACKET_MAX);
	direct_payload(
	    &payload, o->self, o->udx_id, DHT_FIREWALL_UNKNOWN, DHT_ERROR_NONE);
	if ((rc = buf_check(&payload, e)) == ERR_OK &&
	    (rc = noise_send(d->noise, buf_view(&payload), &noise, e)) ==
		ERR_OK) {
		h.noise = buf_view(&noise);
		dht_handshake_encode(&value, &h);
		m.value = buf_view(&value);
		direct_target(&m.target, &o->remote);
		rpc_encode(&d->packet, &m);
		if ((rc = buf_check(&value, e)) == ERR_OK)
			rc = buf_check(&d->packet, e);
	}
	buf_deinit(&payload);
	buf_deinit(&noise);
	buf_deinit(&value);
	return rc;
}

enum err_code
dht_dial_new(struct dht_dial **out, const struct dht_dial_opts *o, uint64_t now,
    struct err *e)
{
	struct dht_dial *d = calloc(1, sizeof(*d));
	enum err_code rc;

	if (d == NULL)
		return err_nomem(e);
	d->state = DHT_DIALLING;
	d->excuse = DHT_SILENT;
	d->to = o->to;
	d->next = now;
	secret_random(&d->tid, sizeof(d->tid));
	buf_init(&d->packet, DHT_PACKET_MAX);
	if ((rc = direct_noise(&d->noise, o->pair, &o->remote, e)) != ERR_OK ||
	    (rc = make_packet(d, o, e)) != ERR_OK) {
		dht_dial_free(d);
		return err_wrap(e, "dial");
	}
	*out = d;
	return ERR_OK;
}

void
dht_dial_free(struct dht_dial *d)
{
	if (d == NULL)
		return;
	noise_free(d->noise);
	buf_deinit(&d->packet);
	dht_peer_free(&d->peer);
	free(d);
}

bool
dht_dial_poll(struct dht_dial *d, uint64_t now, struct view *packet)
{
	if (d->state != DHT_DIALLING || now < d->next)
		return false;
	if (d->sent == DHT_SENDS) {
		d->state = d->excuse;
		return false;
	}
	d->sent++;
	d->next = now + RESEND_US;
	*packet = buf_view(&d->packet);
	return true;
}

uint64_t
dht_dial_deadline(const struct dht_dial *d)
{
	return d->state == DHT_DIALLING ? d->next : UINT64_MAX;
}

/* -- answers -------------------------------------------------------------- */

/* What the holder of the key says; it is proven. */
static void
conclude(struct dht_dial *d, struct view payload, const struct addr *self)
{
	struct dht_payload p;
	struct err e;

	if (!dht_payload_decode(&p, payload) || p.version != DHT_VERSION ||
	    p.error == DHT_ERROR_VERSION_MISMATCH)
		d->state = DHT_INCOMPATIBLE;
	else if (p.error != DHT_ERROR_NONE)
		d->state = DHT_REFUSED;
	else if (!p.has_udx)
		d->state = DHT_INCOMPATIBLE;
	else if (direct_finish(&d->peer, d->noise, &p, &d->to, self, &e) ==
		 ERR_OK)
		d->state = DHT_DONE;
	else
		d->state = DHT_NO_MEMORY;
}

static void
on_noise(struct dht_dial *d, struct view noise, const struct addr *self)
{
	struct buf payload;
	struct err e;

	buf_init(&payload, NOISE_PAYLOAD_MAX);
	if (noise_recv(d->noise, noise, &payload, &e) == ERR_OK)
		conclude(d, buf_view(&payload), self);
	else if (e.code == ERR_VERIFY)
		d->excuse = DHT_UNVERIFIED;
	else
		d->state = DHT_NO_MEMORY;
	buf_deinit(&payload);
}

/* A reply through a relay names the server's address: it is not direct, and
 * nobody asked this address to relay. */
bool
dht_dial_recv(struct dht_dial *d, struct view datagram, const struct addr *from)
{
	struct dht_handshake h;
	struct rpc_message m;

	if (!addr_eq(from, &d->to) || !rpc_decode(&m, datagram) || !m.reply ||
	    m.tid != d->tid)
		return false;
	if (d->state != DHT_DIALLING) /* the answer to a resend */
		return true;
	if (m.error != RPC_OK || m.value.len == 0 ||
	    !dht_handshake_decode(&h, m.value) || h.mode != DHT_REPLY ||
	    h.noise.len == 0 || h.peer.family != 0) {
		if (d->excuse == DHT_SILENT)
			d->excuse = DHT_REFUSED;
		return true;
	}
	on_noise(d, h.noise, &m.to);
	return true;
}

enum dht_dial_state
dht_dial_state(const struct dht_dial *d)
{
	return d->state;
}

const char *
dht_dial_text(enum dht_dial_state s)
{
	switch (s) {
	case DHT_DIALLING:
		return "still dialling";
	case DHT_DONE:
		return "connected";
	case DHT_SILENT:
		return "no answer";
	case DHT_UNVERIFIED:
		return "somebody else answers there";
	case DHT_REFUSED:
		return "it does not serve that key";
	case DHT_INCOMPATIBLE:
		return "it speaks another version of the protocol";
	case DHT_NO_MEMORY:
		return "out of memory";
	}
	bug("dial state %d", (int)s);
}

void
dht_dial_take(struct dht_dial *d, struct dht_peer *out)
{
	bug_if(d->state != DHT_DONE || d->peer.keys.tx.ptr == NULL);
	*out = d->peer;
	d->peer = (struct dht_peer){0};
}
