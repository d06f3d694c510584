/* A dial and a listener at fixed addresses, for tests of direct. */
#ifndef TESTS_DHT_DUO_H
#define TESTS_DHT_DUO_H

#include <string.h>

#include "crypto/hash.h"
#include "net/dht/direct.h"
#include "net/dht/message.h"
#include "support/vec.h"

#define SECOND UINT64_C(1000000)

static inline struct addr
duo_addr(const char *text)
{
	struct err e = ERR_INIT;
	struct addr a;

	check_ok(addr_parse(&a, view_str(text), &e), &e);
	return a;
}

static inline struct sign_pair
duo_pair(uint8_t seed)
{
	const struct b32 s = {{seed}};
	struct err e = ERR_INIT;
	struct sign_pair p;

	check_ok(sign_pair_seed(&p, &s, &e), &e);
	return p;
}

/* Of client `seed` to the server of key seed 1, at a fixed address. */
static inline struct dht_dial *
duo_dial(uint8_t seed, uint64_t now)
{
	struct sign_pair me = duo_pair(seed), server = duo_pair(1);
	const struct dht_dial_opts o = {.pair = &me,
	    .remote = server.pub,
	    .to = duo_addr("10.0.0.1:4000"),
	    .udx_id = 1000u + seed};
	struct err e = ERR_INIT;
	struct dht_dial *d;

	check_ok(dht_dial_new(&d, &o, now, &e), &e);
	sign_pair_free(&me);
	sign_pair_free(&server);
	return d;
}

static inline struct dht_listen *
duo_listen(const struct addr *self)
{
	struct sign_pair me = duo_pair(1);
	const struct dht_listen_opts o = {.pair = &me, .self = self};
	struct err e = ERR_INIT;
	struct dht_listen *l;

	check_ok(dht_listen_new(&l, &o, &e), &e);
	sign_pair_free(&me);
	return l;
}

/* The packet of a fresh dial. */
static inline struct view
duo_request(struct dht_dial *d, uint64_t now)
{
	struct view v;

	check(dht_dial_poll(d, now, &v));
	check(v.len > 0 && v.len <= DHT_PACKET_MAX);
	return v;
}

/* The listener takes it. */
static inline struct dht_peer
duo_accept(struct dht_listen *l, uint32_t udx_id)
{
	struct err e = ERR_INIT;
	struct dht_peer p;

	check_ok(dht_listen_accept(l, udx_id, &p, &e), &e);
	return p;
}

static inline void
duo_same_keys(const struct dht_peer *a, const struct dht_peer *b)
{
	check_same(secret_view(&a->keys.tx), secret_view(&b->keys.rx));
	check_same(secret_view(&a->keys.rx), secret_view(&b->keys.tx));
	check(memcmp(a->keys.hash, b->keys.hash, 64) == 0);
}

#endif
