/*
 * A listener and two dials, and everything that may come by datagram. Input:
 * commands of one byte, some with arguments. No answer is larger than its
 * question; a dial that is done holds keys that the listener has too, and
 * whoever was offered is who dialled.
 */
#include <string.h>

#include "codec/dec.h"
#include "net/dht/direct.h"
#include "net/dht/message.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DIALS 2

static struct sign_pair keys[1 + DIALS]; /* the server's first */

struct world {
	struct dht_listen *l;
	struct dht_dial *d[DIALS];
	struct addr server, client[DIALS];
	struct view request[DIALS]; /* empty: not sent yet */
	struct buf came;	    /* the datagram under way */
	uint64_t now;
	uint32_t ids;
	struct noise_keys accepted[64];
	size_t naccepted;
};

static void
make_keys(void)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < 1 + DIALS; i++) {
		const struct b32 seed = {{(uint8_t)(i + 1)}};

		if (keys[i].sec.ptr == NULL)
			check_ok(sign_pair_seed(&keys[i], &seed, &e), &e);
	}
}

static void
world_new(struct world *w)
{
	const struct dht_listen_opts lo = {.pair = &keys[0]};
	struct err e = ERR_INIT;

	memset(w, 0, sizeof(*w));
	buf_init(&w->came, 4096);
	w->server = (struct addr){4, 4000, {127, 0, 0, 1}};
	check_ok(dht_listen_new(&w->l, &lo, &e), &e);
	for (size_t i = 0; i < DIALS; i++) {
		struct dht_dial_opts o = {.pair = &keys[1 + i],
		    .remote = keys[0].pub,
		    .to = w->server,
		    .udx_id = (uint32_t)i};

		w->client[i] =
		    (struct addr){4, (uint16_t)(5000 + i), {127, 0, 0, 1}};
		check_ok(dht_dial_new(&w->d[i], &o, 0, &e), &e);
	}
}

static void
world_free(struct world *w)
{
	for (size_t i = 0; i < DIALS; i++)
		dht_dial_free(w->d[i]);
	for (size_t i = 0; i < w->naccepted; i++)
		noise_keys_free(&w->accepted[i]);
	dht_listen_free(w->l);
	buf_deinit(&w->came);
}

/* The listener's keys of that handshake. */
static void
known(const struct world *w, const struct dht_peer *p)
{
	size_t same = 0;

	check(b32_eq(&p->keys.remote, &keys[0].pub));
	for (size_t i = 0; i < w->naccepted; i++) {
		const struct noise_keys *k = &w->accepted[i];

		if (memcmp(k->hash, p->keys.hash, 64) != 0)
			continue;
		check_same(secret_view(&k->tx), secret_view(&p->keys.rx));
		check_same(secret_view(&k->rx), secret_view(&p->keys.tx));
		same++;
	}
	check(same >= 1);
}

static void
to_dial(struct world *w, size_t i, struct view v)
{
	struct dht_peer p;
	bool was = dht_dial_state(w->d[i]) == DHT_DONE;

	(void)dht_dial_recv(w->d[i], v, &w->server);
	if (was || dht_dial_state(w->d[i]) != DHT_DONE)
		return;
	dht_dial_take(w->d[i], &p);
	known(w, &p);
	dht_peer_free(&p);
}

static void
decide(struct world *w, bool accept)
{
	const struct dht_offer *o = dht_listen_offer(w->l);
	struct err e = ERR_INIT;
	struct dht_peer p;

	check(o != NULL && (b32_eq(&o->remote, &keys[1].pub) ||
			       b32_eq(&o->remote, &keys[2].pub)));
	if (!accept || w->naccepted == 64) {
		dht_listen_refuse(w->l);
		return;
	}
	check_ok(dht_listen_accept(w->l, w->ids++, &p, &e), &e);
	w->accepted[w->naccepted++] = p.keys;
}

static void
to_listener(struct world *w, size_t i, bool accept)
{
	struct view v = buf_view(&w->came);
	enum dht_listen_kind kind =
	    dht_listen_recv(w->l, v, &w->client[i], w->now);

	if (kind == DHT_OFFER)
		decide(w, accept);
	check(dht_listen_packet(w->l).len <= v.len);
	if (kind == DHT_NONE)
		check(dht_listen_packet(w->l).len == 0);
	else if (dht_listen_packet(w->l).len > 0)
		to_dial(w, i, dht_listen_packet(w->l));
}

/* The command's datagram: a dial's request, spoilt or not, or raw bytes. */
static void
datagram(struct world *w, size_t i, unsigned how, struct dec *d)
{
	size_t at;

	buf_reset(&w->came);
	if (how == 2) {
		buf_append(&w->came, dec_bytes(d, 512));
		return;
	}
	if (w->request[i].len == 0)
		(void)dht_dial_poll(w->d[i], w->now, &w->request[i]);
	buf_append(&w->came, w->request[i]);
	if (how == 1 && w->came.len > 0) {
		at = dec_u8(d) % w->came.len;
		w->came.data[at] ^= dec_u8(d);
	}
}

static void
command(struct world *w, struct dec *d)
{
	uint8_t c = dec_u8(d);
	size_t i = c & 1;
	struct view v;

	switch ((c >> 1) % 6) {
	case 0:
	case 1:
	case 2:
		datagram(w, i, (c >> 1) % 6, d);
		to_listener(w, i, (c & 0x80) == 0);
		break;
	case 3:
		to_dial(w, i, dec_bytes(d, 512));
		break;
	case 4:
		w->now += (uint64_t)dec_u8(d) * 100000;
		while (dht_dial_poll(w->d[i], w->now, &v))
			check(v.len <= DHT_PACKET_MAX);
		break;
	default:
		dht_listen_settled(w->l, dec_u8(d));
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;
	struct dec d;

	make_keys();
	world_new(&w);
	dec_init(&d, view_of(data, size));
	for (size_t n = 0; n < 64 && dec_ok(&d) && dec_left(&d) > 0; n++)
		command(&w, &d);
	world_free(&w);
	return 0;
}
