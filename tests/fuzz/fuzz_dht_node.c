/*
 * A persistent node and whatever is asked of it. Input: requests of a command
 * byte, a byte of flags, a length, and that many bytes of value. One packet
 * in is at most one out, never to port 0 nor, for strangers, into the node's
 * own network; what is stored was asked for with a token.
 */
#include <string.h>

#include "codec/dec.h"
#include "net-dht/lone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUESTS_MAX 64

enum {
	WITH_TOKEN = 1,
	WITH_TARGET = 2,
	NEIGHBOUR = 4,
	SIGNED = 8, /* an announcement; the bytes are relays */
	OWN_TARGET = 16
};

static struct sign_pair pair;

static void
make_pair(void)
{
	if (pair.sec.ptr == NULL)
		pair = lone_pair(1);
}

static void
check_sent(const struct lone *l)
{
	check(l->nsent <= 1);
	for (size_t i = 0; i < l->nsent; i++) {
		check(l->sent[i].to.family == 4 && l->sent[i].to.port != 0);
		check(!rpc_addr_reserved(&l->sent[i].to) ||
		      rpc_addr_reserved(&l->client));
		check(!addr_eq(&l->sent[i].to, &l->self));
	}
}

static void
put_signed(struct lone *l, struct buf *b, uint8_t command, struct view relays,
    const struct b32 *target, const struct b32 *token)
{
	const struct rpc_node n = {.id = l->id, .token = *token};
	struct addr relay[DHT_RELAYS_MAX];
	size_t count = relays.len / RPC_ADDR_LEN;

	if (count > DHT_RELAYS_MAX)
		count = DHT_RELAYS_MAX;
	for (size_t i = 0; i < count; i++)
		rpc_addr_at(relays, i, &relay[i]);
	search_announce_value(b,
	    command == DHT_UNANNOUNCE ? DHT_UNANNOUNCE : DHT_ANNOUNCE, target,
	    &n, &pair, relay, count);
}

/* The bytes are the value. Returns 1 if it may have been stored. */
static size_t
request(struct lone *l, uint8_t command, uint8_t flags, struct view bytes)
{
	struct b32 target = {{1}}, token = {{0}};
	struct buf b;

	l->client =
	    flags & NEIGHBOUR ? lone_addr(10, 2, 5000) : lone_addr(80, 2, 5000);
	if ((flags & OWN_TARGET) != 0)
		hash_data(&target, view_b32(&pair.pub));
	if ((flags & WITH_TOKEN) != 0) {
		check(lone_ask(l, DHT_FIND_PEER, &target, NULL, VIEW_EMPTY));
		token = l->m.token;
	}
	buf_init(&b, 4096);
	if ((flags & SIGNED) != 0)
		put_signed(l, &b, command, bytes, &target, &token);
	else
		buf_append(&b, bytes);
	(void)lone_ask(l, command, (flags & WITH_TARGET) != 0 ? &target : NULL,
	    (flags & WITH_TOKEN) != 0 ? &token : NULL, buf_view(&b));
	check_sent(l);
	buf_deinit(&b);
	return (flags & WITH_TOKEN) != 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dht_stored stored;
	size_t allowed = 0;
	struct lone *l;
	struct dec d;

	make_pair();
	l = lone_new(RPC_SERVER);
	dec_init(&d, view_of(data, size));
	for (int i = 0; i < REQUESTS_MAX && dec_left(&d) > 0; i++) {
		uint8_t command = dec_u8(&d) % 13, flags = dec_u8(&d);
		struct view bytes = dec_bytes(&d, 1100);

		if (!dec_ok(&d))
			break;
		l->now += 100000;
		allowed += request(l, command, flags, bytes);
	}
	dht_stored(l->d, &stored);
	check(stored.peers + stored.servers + stored.mutables +
		  stored.immutables <=
	      allowed);
	lone_free(l);
	return 0;
}
