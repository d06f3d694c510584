/* What a persistent node stores and tells, and what it does not answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lone.h"

#define MINUTE UINT64_C(60000000)

static const struct b32 TOPIC = {{7, 7, 7}};

/* The peers of a topic, as the client is told. */
static size_t
lookup(struct lone *l, const struct b32 *topic, struct dht_lookup *out)
{
	check(lone_ask(l, DHT_LOOKUP, topic, NULL, VIEW_EMPTY));
	check(l->m.error == 0 && l->m.has_token);
	if (l->m.value.len == 0)
		return 0;
	check(dht_lookup_decode(out, l->m.value) && out->n > 0);
	return out->n;
}

static void
test_topic(void **state)
{
	struct addr relay[] = {lone_addr(80, 7, 70), lone_addr(80, 8, 80)};
	struct lone *l = lone_new(RPC_SERVER);
	struct sign_pair a = lone_pair(1), b = lone_pair(2);
	static struct dht_lookup got;

	(void)state;
	check(lookup(l, &TOPIC, &got) == 0);
	check(lone_announce(l, DHT_ANNOUNCE, &TOPIC, &a, relay, 2));
	check(!l->m.has_token && l->m.closer.len == 0 && l->m.value.len == 0);
	check(lookup(l, &TOPIC, &got) == 1 && b32_eq(&got.peer[0].key, &a.pub));
	check(got.peer[0].relays.len == 2 * RPC_ADDR_LEN && got.bump == 0);
	/* again: replaced; another: beside it */
	check(lone_announce(l, DHT_ANNOUNCE, &TOPIC, &a, relay, 1));
	check(lone_announce(l, DHT_ANNOUNCE, &TOPIC, &b, NULL, 0));
	check(lookup(l, &TOPIC, &got) == 2);
	check(got.peer[0].relays.len + got.peer[1].relays.len == RPC_ADDR_LEN);
	/* each takes back its own */
	check(lone_announce(l, DHT_UNANNOUNCE, &TOPIC, &a, NULL, 0));
	check(lookup(l, &TOPIC, &got) == 1 && b32_eq(&got.peer[0].key, &b.pub));
	/* twenty minutes */
	l->now += 19 * MINUTE;
	check(lookup(l, &TOPIC, &got) == 1);
	l->now += 2 * MINUTE;
	check(lookup(l, &TOPIC, &got) == 0);
	sign_pair_free(&a);
	sign_pair_free(&b);
	lone_free(l);
}

/* Many peers: twenty of them, the answer fits, and all get their turn. */
static void
test_many(void **state)
{
	struct addr relay[] = {lone_addr(80, 7, 70), lone_addr(80, 8, 80),
	    lone_addr(80, 9, 90), lone_addr(80, 10, 100)};
	struct lone *l = lone_new(RPC_SERVER);
	static struct dht_lookup got;
	bool seen[41] = {false};
	struct sign_pair p;
	size_t all = 0;

	(void)state;
	for (uint8_t i = 1; i <= 40; i++) {
		p = lone_pair(i);
		l->client = lone_addr(81, i, 5000); /* each from its host */
		check(lone_announce(l, DHT_ANNOUNCE, &TOPIC, &p, relay, 4));
		sign_pair_free(&p);
	}
	for (int i = 0; i < 60; i++) {
		l->now += 1000000;
		check(lookup(l, &TOPIC, &got) == 20);
		check(got.peer[0].relays.len == 3 * RPC_ADDR_LEN);
		for (uint8_t k = 1; k <= 40 && i % 3 == 0; k++) {
			p = lone_pair(k);
			for (size_t j = 0; j < got.n; j++)
				seen[k] |= b32_eq(&got.peer[j].key, &p.pub);
			sign_pair_free(&p);
		}
	}
	for (size_t i = 1; i <= 40; i++)
		all += seen[i];
	check(all == 40);
	lone_free(l);
}

static void
test_server(void **state)
{
	struct lone *l = lone_new(RPC_SERVER);
	struct sign_pair a = lone_pair(1);
	static struct dht_lookup got;
	struct dht_peer_record p;
	struct b32 target;
	struct addr route;

	(void)state;
	hash_data(&target, view_b32(&a.pub));
	check(lone_ask(l, DHT_FIND_PEER, &target, NULL, VIEW_EMPTY));
	check(l->m.value.len == 0 && l->m.has_token);
	check(lone_announce(l, DHT_ANNOUNCE, &target, &a, NULL, 0));
	check(lone_ask(l, DHT_FIND_PEER, &target, NULL, VIEW_EMPTY));
	check(dht_peer_record_decode(&p, l->m.value));
	check(b32_eq(&p.key, &a.pub) && p.relays.len == 0);
	check(lookup(l, &target, &got) == 1);
	/* the route is where it announced itself from */
	check(router_route(l->d, &target, l->now, &route));
	check(addr_eq(&route, &l->client));
	check(lone_announce(l, DHT_UNANNOUNCE, &target, &a, NULL, 0));
	check(!router_route(l->d, &target, l->now, &route));
	check(lookup(l, &target, &got) == 0);
	sign_pair_free(&a);
	lone_free(l);
}

/* An announcement with one thing wrong: no answer, and nothing is stored. */
static void
test_refused(void **state)
{
	struct lone *l = lone_new(RPC_SERVER);
	struct sign_pair a = lone_pair(1);
	static struct dht_lookup got;
	struct rpc_node n = {.id = l->id};
	struct dht_stored stored;
	struct b32 other;
	struct buf b;

	(void)state;
	n.token = lone_token(l, &TOPIC);
	buf_init(&b, 1000);
	search_announce_value(&b, DHT_ANNOUNCE, &TOPIC, &n, &a, NULL, 0);
	/* no token, a wrong one: that is told, with a new one */
	check(!lone_ask(l, DHT_ANNOUNCE, &TOPIC, NULL, buf_view(&b)));
	other = n.token;
	other.b[0] ^= 1;
	check(lone_ask(l, DHT_ANNOUNCE, &TOPIC, &other, buf_view(&b)));
	check(l->m.error == RPC_INVALID_TOKEN && l->m.has_token);
	/* each bit of it counts, and each byte */
	for (size_t i = 0; i < b.len; i++) {
		check(!lone_ask(l, DHT_ANNOUNCE, &TOPIC, &n.token,
		    view_sub(buf_view(&b), 0, i)));
		b.data[i] ^= 4;
		check(
		    !lone_ask(l, DHT_ANNOUNCE, &TOPIC, &n.token, buf_view(&b)));
		b.data[i] ^= 4;
		l->now += 100000;
		if (i % 20 == 19) /* tokens grow old */
			n.token = lone_token(l, &TOPIC);
	}
	/* for another target, another command, another node */
	n.token = lone_token(l, &TOPIC);
	buf_reset(&b);
	search_announce_value(&b, DHT_ANNOUNCE, &TOPIC, &n, &a, NULL, 0);
	other = TOPIC;
	other.b[31] = 1;
	check(!lone_ask(l, DHT_ANNOUNCE, &other, &n.token, buf_view(&b)));
	check(!lone_ask(l, DHT_UNANNOUNCE, &TOPIC, &n.token, buf_view(&b)));
	buf_reset(&b);
	n.id.b[0] ^= 1;
	search_announce_value(&b, DHT_ANNOUNCE, &TOPIC, &n, &a, NULL, 0);
	check(!lone_ask(l, DHT_ANNOUNCE, &TOPIC, &n.token, buf_view(&b)));
	check(lookup(l, &TOPIC, &got) == 0);
	dht_stored(l->d, &stored);
	check(stored.peers == 0 && stored.servers == 0);
	buf_deinit(&b);
	sign_pair_free(&a);
	lone_free(l);
}

/* A refresh: the preimage is enough, once, and reveals the next hash. */
static void
test_refresh(void **state)
{
	uint8_t text[DHT_SIGNABLE_LEN], sig[SIGN_LEN];
	struct dht_announce a = {
	    .has_peer = true, .has_refresh = true, .has_signature = true};
	struct dht_announce again = {.has_refresh = true};
	struct lone *l = lone_new(RPC_SERVER);
	const struct b32 last = {{42}};
	struct sign_pair pair = lone_pair(1);
	static struct dht_lookup got;
	struct b32 first, token;
	struct buf b;

	(void)state;
	hash_data(&first, view_b32(&last));
	hash_data(&a.refresh, view_b32(&first));
	a.peer.key = pair.pub;
	a.bump = LONE_WALL_MS + 59000;
	token = lone_token(l, &TOPIC);
	dht_announce_signable(text, DHT_ANNOUNCE, &TOPIC, &l->id, &token, &a);
	sign_make(sig, view_of(text, sizeof(text)), &pair);
	a.signature = view_of(sig, sizeof(sig));
	buf_init(&b, 1000);
	dht_announce_encode(&b, &a);
	check(lone_ask(l, DHT_ANNOUNCE, &TOPIC, &token, buf_view(&b)));
	check(lookup(l, &TOPIC, &got) == 1 && got.bump == a.bump);
	/* a bump of the far future is not kept, the rest is */
	a.bump = LONE_WALL_MS + 3600000;
	buf_reset(&b);
	dht_announce_encode(&b, &a);
	check(lone_ask(l, DHT_ANNOUNCE, &TOPIC, &token, buf_view(&b)));
	check(lookup(l, &TOPIC, &got) == 1 && got.bump == LONE_WALL_MS + 59000);
	for (int i = 0; i < 2; i++) {
		l->now += 15 * MINUTE;
		again.refresh = i == 0 ? first : last;
		buf_reset(&b);
		dht_announce_encode(&b, &again);
		token = lone_token(l, &TOPIC);
		check(!lone_ask(l, DHT_ANNOUNCE, &TOPIC, NULL, buf_view(&b)));
		check(lone_ask(l, DHT_ANNOUNCE, &TOPIC, &token, buf_view(&b)));
		/* spent */
		check(!lone_ask(l, DHT_ANNOUNCE, &TOPIC, &token, buf_view(&b)));
		check(lookup(l, &TOPIC, &got) == 1);
	}
	buf_deinit(&b);
	sign_pair_free(&pair);
	lone_free(l);
}

/* -- values --------------------------------------------------------------- */

static bool
put_mutable(struct lone *l, const struct sign_pair *pair, uint64_t seq,
    struct view value, bool forged)
{
	uint8_t text[DHT_SIGNABLE_LEN], sig[SIGN_LEN];
	struct dht_mutable m = {.key = pair->pub, .seq = seq, .value = value};
	struct b32 target, token;
	struct buf b;
	bool answered;

	hash_data(&target, view_b32(&pair->pub));
	token = lone_token(l, &target);
	dht_mutable_signable(text, seq + forged, value);
	sign_make(sig, view_of(text, sizeof(text)), pair);
	m.signature = view_of(sig, sizeof(sig));
	buf_init(&b, 2000);
	dht_mutable_put_encode(&b, &m);
	check(!lone_ask(l, DHT_MUTABLE_PUT, &target, NULL, buf_view(&b)));
	answered = lone_ask(l, DHT_MUTABLE_PUT, &target, &token, buf_view(&b));
	buf_deinit(&b);
	return answered;
}

static void
test_mutable(void **state)
{
	static uint8_t large[DHT_VALUE_MAX + 1];
	struct view one = view_str("one"), two = view_str("two");
	struct lone *l = lone_new(RPC_SERVER);
	struct sign_pair a = lone_pair(1);
	struct dht_mutable m;
	struct b32 target;
	uint8_t least[] = {5, 6};

	(void)state;
	hash_data(&target, view_b32(&a.pub));
	check(put_mutable(l, &a, 5, one, false) && l->m.error == 0);
	check(put_mutable(l, &a, 5, one, false) && l->m.error == 0);
	check(put_mutable(l, &a, 5, two, false));
	check(l->m.error == DHT_SEQ_REUSED && !l->m.has_token);
	check(put_mutable(l, &a, 4, two, false));
	check(l->m.error == DHT_SEQ_TOO_LOW);
	check(!put_mutable(l, &a, 6, two, true));
	check(!put_mutable(l, &a, 6, VIEW_EMPTY, false));
	check(!put_mutable(l, &a, 6, view_of(large, sizeof(large)), false));
	/* at least 5: it is told; at least 6: not; nonsense: nothing */
	check(
	    lone_ask(l, DHT_MUTABLE_GET, &target, NULL, view_of(&least[0], 1)));
	check(dht_mutable_decode(&m, l->m.value) && m.seq == 5);
	check_same(m.value, one);
	check(
	    lone_ask(l, DHT_MUTABLE_GET, &target, NULL, view_of(&least[1], 1)));
	check(l->m.value.len == 0 && l->m.has_token);
	check(!lone_ask(l, DHT_MUTABLE_GET, &target, NULL, VIEW_EMPTY));
	/* the largest fits, with all that comes with an answer */
	check(put_mutable(l, &a, 7, view_of(large, DHT_VALUE_MAX), false));
	check(
	    lone_ask(l, DHT_MUTABLE_GET, &target, NULL, view_of(&least[0], 1)));
	check(dht_mutable_decode(&m, l->m.value) && m.seq == 7);
	check(m.value.len == DHT_VALUE_MAX);
	/* two days */
	l->now += 48 * 60 * MINUTE;
	check(
	    lone_ask(l, DHT_MUTABLE_GET, &target, NULL, view_of(&least[0], 1)));
	check(l->m.value.len == 0);
	sign_pair_free(&a);
	lone_free(l);
}

static void
test_immutable(void **state)
{
	static uint8_t large[DHT_VALUE_MAX + 1];
	struct lone *l = lone_new(RPC_SERVER);
	struct view v = view_str("value");
	struct b32 hash, token;

	(void)state;
	hash_data(&hash, v);
	token = lone_token(l, &hash);
	check(!lone_ask(l, DHT_IMMUTABLE_PUT, &hash, NULL, v));
	check(!lone_ask(l, DHT_IMMUTABLE_PUT, &TOPIC, &token, v));
	check(lone_ask(l, DHT_IMMUTABLE_GET, &hash, NULL, VIEW_EMPTY));
	check(l->m.value.len == 0);
	check(lone_ask(l, DHT_IMMUTABLE_PUT, &hash, &token, v));
	check(lone_ask(l, DHT_IMMUTABLE_GET, &hash, NULL, VIEW_EMPTY));
	check_same(l->m.value, v);
	v = view_of(large, sizeof(large));
	hash_data(&hash, v);
	check(!lone_ask(l, DHT_IMMUTABLE_PUT, &hash, &token, v));
	lone_free(l);
}

static void
put_immutable(struct lone *l, struct view v)
{
	struct b32 hash, token;

	hash_data(&hash, v);
	l->now += 50000;
	token = lone_token(l, &hash);
	check(lone_ask(l, DHT_IMMUTABLE_PUT, &hash, &token, v));
}

/* Whoever has a value may put it in again, but not make it one of his own,
 * to be pushed out by what he puts in next. */
static void
test_not_taken_over(void **state)
{
	struct lone *l = lone_new(RPC_SERVER);
	struct addr owner = l->client;
	struct view v = view_str("value"), one = view_str("one");
	struct sign_pair a = lone_pair(1);
	uint8_t least = 0;
	struct b32 hash, target;

	(void)state;
	hash_data(&hash, v);
	hash_data(&target, view_b32(&a.pub));
	put_immutable(l, v);
	check(put_mutable(l, &a, 5, one, false) && l->m.error == 0);
	l->client = lone_addr(81, 2, 5000);
	put_immutable(l, v);
	check(put_mutable(l, &a, 5, one, false) && l->m.error == 0);
	for (unsigned i = 0; i < 600; i++) {
		const struct b32 seed = {{9, (uint8_t)i, (uint8_t)(i >> 8)}};
		struct err e = ERR_INIT;
		struct sign_pair b;

		check_ok(sign_pair_seed(&b, &seed, &e), &e);
		put_immutable(l, view_b32(&seed));
		check(put_mutable(l, &b, 1, one, false));
		sign_pair_free(&b);
	}
	l->client = owner;
	check(lone_ask(l, DHT_IMMUTABLE_GET, &hash, NULL, VIEW_EMPTY));
	check_same(l->m.value, v);
	check(lone_ask(l, DHT_MUTABLE_GET, &target, NULL, view_of(&least, 1)));
	check(l->m.value.len > 0);
	sign_pair_free(&a);
	lone_free(l);
}

/* Every command, malformed: no answer that is larger than the question. */
static void
test_malformed(void **state)
{
	static const char *const bytes[] = {"", "00", "ff",
	    "ffffffffffffffffff", "fdffff", "0f", "01", "05", "fe00000010",
	    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
	struct lone *l = lone_new(RPC_SERVER);
	struct lone *client = lone_new(RPC_CLIENT_ONLY);
	struct dht_stored stored;
	struct b32 token;

	(void)state;
	for (uint64_t c = 0; c <= 12; c++) {
		l->now += 1000000;
		token = lone_token(l, &TOPIC);
		for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
			struct view v = vec_hex(bytes[i]);

			(void)lone_ask(l, c, &TOPIC, &token, v);
			check(l->nsent == 0 || l->m.value.len == 0);
			(void)lone_ask(l, c, NULL, &token, v);
			check(l->nsent == 0 || l->m.error == 1);
			l->now += 100000;
		}
	}
	dht_stored(l->d, &stored);
	check(stored.peers + stored.servers + stored.mutables +
		  stored.immutables ==
	      0);
	/* who is not persistent stores nothing, and says so */
	check(lone_ask(client, DHT_LOOKUP, &TOPIC, NULL, VIEW_EMPTY));
	check(client->m.error == RPC_UNKNOWN_COMMAND);
	lone_free(client);
	lone_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_topic),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_server),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_refresh),
	    cmocka_unit_test(test_mutable),
	    cmocka_unit_test(test_immutable),
	    cmocka_unit_test(test_not_taken_over),
	    cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
