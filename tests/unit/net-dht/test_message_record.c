/* Hole punch packets and records: the originals' bytes and signatures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sign.h"
#include "net/dht/message.h"
#include "support/vec.h"

static const json_t *
messages(json_t *doc, const char *name)
{
	return vec_at(vec_at(doc, "messages"), name);
}

static void
test_holepunch(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	struct dht_holepunch h;
	const json_t *row, *f;
	struct view bytes;
	struct buf b;
	size_t i;

	(void)state;
	json_array_foreach(messages(doc, "holepunch"), i, row)
	{
		f = vec_at(row, "fields");
		bytes = vec_hex_at(row, "encoded");
		check(dht_holepunch_decode(&h, bytes));
		check(h.mode == vec_num(f, "mode") && h.id == vec_num(f, "id"));
		check_same(h.payload, vec_hex_at(f, "payload"));
		check((h.peer.family == 4) ==
		      json_is_object(vec_at(f, "peerAddress")));
		check(h.peer.family == 0 || h.peer.port == 4000);
		buf_init(&b, 100);
		dht_holepunch_encode(&b, &h);
		check_same(buf_view(&b), bytes);
		for (size_t n = 0; n < bytes.len; n++)
			check(!dht_holepunch_decode(&h, view_sub(bytes, 0, n)));
		buf_deinit(&b);
	}
	check(i == 2);
	json_decref(doc);
}

static void
test_peer(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	struct dht_peer_record p;
	const json_t *row, *f;
	struct view bytes;
	struct addr a;
	struct buf b;
	size_t i;

	(void)state;
	json_array_foreach(messages(doc, "peer"), i, row)
	{
		f = vec_at(row, "fields");
		bytes = vec_hex_at(row, "encoded");
		check(dht_peer_record_decode(&p, bytes));
		check_same(view_b32(&p.key), vec_hex_at(f, "publicKey"));
		check(p.relays.len == i * 2 * RPC_ADDR_LEN);
		buf_init(&b, 100);
		dht_peer_record_encode(&b, &p);
		check_same(buf_view(&b), bytes);
		for (size_t n = 0; n < bytes.len; n++)
			check(
			    !dht_peer_record_decode(&p, view_sub(bytes, 0, n)));
		buf_deinit(&b);
	}
	check(i == 2);
	rpc_addr_at(p.relays, 1, &a);
	check(a.port == 9 && a.ip[0] == 5);
	json_decref(doc);
}

static void
test_lookup(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *row = messages(doc, "lookupReply");
	struct view bytes = vec_hex_at(row, "encoded");
	struct dht_lookup *l = malloc(sizeof(*l));
	struct buf list, b;

	(void)state;
	check(l != NULL && dht_lookup_decode(l, bytes));
	check(l->n == 2 && l->bump == 7 && l->peer[1].relays.len == 6);
	buf_init(&list, 1000);
	buf_init(&b, 1000);
	for (size_t i = 0; i < l->n; i++)
		dht_peer_record_encode(&list, &l->peer[i]);
	dht_lookup_encode(&b, l->n, buf_view(&list), l->bump);
	check_same(buf_view(&b), bytes);
	/* the bump came later than the rest */
	check(dht_lookup_decode(l, view_sub(bytes, 0, bytes.len - 1)));
	check(l->n == 2 && l->bump == 0);
	for (size_t n = 0; n < bytes.len - 1; n++)
		check(!dht_lookup_decode(l, view_sub(bytes, 0, n)));
	check(!dht_lookup_decode(l, vec_hex("fdffff")));
	check(dht_lookup_decode(l, vec_hex("00")) && l->n == 0);
	buf_deinit(&list);
	buf_deinit(&b);
	free(l);
	json_decref(doc);
}

/* One announcement of the vectors: what is signed, by whom, and all bytes. */
static void
announcement(const json_t *o, enum dht_command c, struct sign_pair *pair)
{
	uint8_t text[DHT_SIGNABLE_LEN], sig[SIGN_LEN];
	struct view bytes = vec_hex_at(o, "value");
	struct b32 target, token, id;
	struct dht_announce a;
	struct buf b;

	vec_b32_at(o, "target", &target);
	vec_b32_at(o, "token", &token);
	vec_b32_at(o, "nodeId", &id);
	check(dht_announce_decode(&a, bytes));
	check(a.has_peer && a.has_signature && a.bump == 0);
	check(a.has_refresh == json_is_string(vec_at(o, "refresh")));
	dht_announce_signable(text, c, &target, &id, &token, &a);
	check_same(view_of(text, sizeof(text)), vec_hex_at(o, "signable"));
	check(
	    sign_verify(a.signature, view_of(text, sizeof(text)), &a.peer.key));
	sign_make(sig, view_of(text, sizeof(text)), pair);
	check_same(view_of(sig, sizeof(sig)), a.signature);
	buf_init(&b, 1000);
	dht_announce_encode(&b, &a);
	check_same(buf_view(&b), bytes);
	for (size_t n = 0; n < bytes.len; n++)
		check(!dht_announce_decode(&a, view_sub(bytes, 0, n)));
	/* whatever else goes in is signed too */
	check(dht_announce_decode(&a, bytes));
	target.b[0] ^= 1;
	dht_announce_signable(text, c, &target, &id, &token, &a);
	check(!sign_verify(
	    a.signature, view_of(text, sizeof(text)), &a.peer.key));
	buf_deinit(&b);
}

static void
vector_pair(struct sign_pair *out, const json_t *o)
{
	struct err e = ERR_INIT;
	struct b32 seed;

	vec_b32_at(o, "seed", &seed);
	check_ok(sign_pair_seed(out, &seed, &e), &e);
}

static void
test_announce(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *s = vec_at(doc, "signatures");
	struct dht_announce a = {0};
	struct sign_pair pair;
	struct buf b;

	(void)state;
	vector_pair(&pair, s);
	announcement(vec_at(s, "announceSelf"), DHT_ANNOUNCE, &pair);
	announcement(vec_at(s, "announceTopic"), DHT_ANNOUNCE, &pair);
	announcement(vec_at(s, "announceRefresh"), DHT_ANNOUNCE, &pair);
	announcement(vec_at(s, "unannounce"), DHT_UNANNOUNCE, &pair);
	check(dht_announce_decode(
	    &a, vec_hex_at(messages(doc, "announceRefreshOnly"), "encoded")));
	check(!a.has_peer && a.has_refresh && !a.has_signature);
	a.bump = 1000;
	buf_init(&b, 100);
	dht_announce_encode(&b, &a);
	check(dht_announce_decode(&a, buf_view(&b)) && a.bump == 1000);
	buf_deinit(&b);
	sign_pair_free(&pair);
	json_decref(doc);
}

static void
test_mutable(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *o = vec_at(vec_at(doc, "signatures"), "mutable");
	uint8_t text[DHT_SIGNABLE_LEN];
	struct dht_mutable m, g;
	struct view bytes;
	struct buf b;

	(void)state;
	bytes = vec_hex_at(o, "putValue");
	check(dht_mutable_put_decode(&m, bytes));
	check(m.seq == vec_num(o, "seq"));
	check_same(m.value, vec_hex_at(o, "value"));
	dht_mutable_signable(text, m.seq, m.value);
	check_same(view_of(text, sizeof(text)), vec_hex_at(o, "signable"));
	check(sign_verify(m.signature, view_of(text, sizeof(text)), &m.key));
	buf_init(&b, 1000);
	dht_mutable_put_encode(&b, &m);
	check_same(buf_view(&b), bytes);
	for (size_t n = 0; n < bytes.len; n++)
		check(!dht_mutable_put_decode(&g, view_sub(bytes, 0, n)));
	bytes = vec_hex_at(o, "getResponse");
	buf_reset(&b);
	dht_mutable_encode(&b, &m);
	check_same(buf_view(&b), bytes);
	check(dht_mutable_decode(&g, bytes) && view_eq(g.value, m.value));
	for (size_t n = 0; n < bytes.len; n++)
		check(!dht_mutable_decode(&g, view_sub(bytes, 0, n)));
	buf_deinit(&b);
	json_decref(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_holepunch),
	    cmocka_unit_test(test_peer),
	    cmocka_unit_test(test_lookup),
	    cmocka_unit_test(test_announce),
	    cmocka_unit_test(test_mutable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
