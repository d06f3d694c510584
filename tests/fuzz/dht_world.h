/* dht_world: what the targets that run a node of the DHT have in common:
 * sockets that are open or not, time, and addresses of few hosts. */
#ifndef TESTS_FUZZ_DHT_WORLD_H
#define TESTS_FUZZ_DHT_WORLD_H

#include <string.h>

#include "codec/dec.h"
#include "net/dht/dht.h"
#include "support/vec.h"

#define SOCKS 600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outside {
	bool open[SOCKS];
	size_t opened; /* beside the two */
	uint64_t now;
};

static struct sign_pair keys[2]; /* server, client */

/* Before anything else. */
static inline void
outside_keys(void)
{
	const struct b32 seed[2] = {{{1}}, {{2}}};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < 2; i++)
		if (keys[i].sec.ptr == NULL)
			check_ok(sign_pair_seed(&keys[i], &seed[i], &e), &e);
}

static inline void
outside_init(struct outside *o)
{
	memset(o, 0, sizeof(*o));
	o->now = 1000000;
	o->open[RPC_SOCK_CLIENT] = o->open[RPC_SOCK_SERVER] = true;
}

/* A datagram leaves. */
static inline void
outside_send(const struct outside *o, uint32_t sock, const struct addr *to,
    struct view v)
{
	check(sock < SOCKS && o->open[sock]);
	check(to->family == 4 && to->port != 0 && v.len <= RPC_PACKET_MAX);
}

static inline uint32_t
outside_open(struct outside *o)
{
	uint32_t i = RPC_SOCK_OTHER;

	while (i < SOCKS && o->open[i])
		i++;
	check(i < SOCKS);
	o->open[i] = true;
	o->opened++;
	return i;
}

static inline void
outside_close(struct outside *o, uint32_t sock)
{
	check(sock >= RPC_SOCK_OTHER && o->open[sock]);
	o->open[sock] = false;
	o->opened--;
}

/* One of four hosts. */
static inline struct addr
outside_addr(struct dec *d, const uint8_t ip[4][4])
{
	uint8_t x = dec_u8(d);
	struct addr a = {.family = 4, .port = (uint16_t)(x & 0xfc) * 250};

	memcpy(a.ip, ip[x % 4], 4);
	return a;
}

/* Time passes, and what is due happens: there is an end to it. */
static inline void
outside_step(struct outside *o, struct dht *d, uint64_t us)
{
	uint64_t next;

	o->now += us;
	for (int i = 0; i < 3; i++) {
		next = dht_turn(d, o->now);
		if (next > o->now)
			break;
		check(i < 2);
	}
}

#endif
