/* What HyperDHT nodes say to connect: the originals' bytes, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "net/dht/message.h"
#include "support/vec.h"

/* Absent, null and false are the same here. */
static bool
has(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return v != NULL && !json_is_null(v);
}

static void
addr_of(struct addr *a, const json_t *o)
{
	struct err e = ERR_INIT;
	char text[64];

	(void)snprintf(text, sizeof(text), "%s:%u", vec_str(o, "host"),
	    (unsigned)vec_num(o, "port"));
	check_ok(addr_parse(a, view_str(text), &e), &e);
}

static void
same_addr(const struct addr *a, const json_t *o, const char *key)
{
	struct addr want = {0};

	if (has(o, key))
		addr_of(&want, vec_at(o, key));
	check(a->family == want.family);
	check(a->family == 0 || addr_eq(a, &want));
}

static void
same_list(struct view list, const json_t *o, const char *key)
{
	struct addr want, got;
	const json_t *row;
	size_t i;

	if (!has(o, key)) {
		check(list.len == 0);
		return;
	}
	check(list.len == json_array_size(vec_at(o, key)) * RPC_ADDR_LEN);
	json_array_foreach(vec_at(o, key), i, row)
	{
		addr_of(&want, row);
		rpc_addr_at(list, i, &got);
		check(addr_eq(&got, &want));
	}
}

static void
test_handshake(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *row, *f;
	struct dht_handshake h;
	struct view bytes;
	struct buf b;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(vec_at(doc, "messages"), "handshake"), i, row)
	{
		f = vec_at(row, "fields");
		bytes = vec_hex_at(row, "encoded");
		check(dht_handshake_decode(&h, bytes));
		check(h.mode == vec_num(f, "mode"));
		check_same(h.noise, vec_hex_at(f, "noise"));
		same_addr(&h.peer, f, "peerAddress");
		same_addr(&h.relay, f, "relayAddress");
		buf_init(&b, 100);
		dht_handshake_encode(&b, &h);
		check_same(buf_view(&b), bytes);
		for (size_t n = 0; n < bytes.len; n++)
			check(!dht_handshake_decode(&h, view_sub(bytes, 0, n)));
		buf_byte(&b, 1);
		check(dht_handshake_decode(&h, buf_view(&b)));
		buf_deinit(&b);
	}
	check(i == 4);
	json_decref(doc);
}

static void
same_payload(const struct dht_payload *p, const json_t *f)
{
	const json_t *o;
	struct addr a;

	check(p->version == DHT_VERSION);
	check(p->error == vec_num(f, "error"));
	check(p->firewall == vec_num(f, "firewall"));
	same_list(p->addresses4, f, "addresses4");
	check(p->addresses6.len == 0);
	same_list(p->relay_addresses, f, "relayAddresses");
	check(p->has_relay_addresses == has(f, "relayAddresses"));
	check(p->has_secret_stream == has(f, "secretStream"));
	check(!p->has_secret_stream || p->secret_stream == 1);
	check(p->has_udx == has(f, "udx"));
	if (p->has_udx) {
		o = vec_at(f, "udx");
		check(p->udx.id == vec_num(o, "id"));
		check(p->udx.seq == vec_num(o, "seq"));
		check(p->udx.version == 1);
		check(p->udx.reusable ==
		      json_is_true(vec_at(o, "reusableSocket")));
	}
	check(p->has_holepunch == has(f, "holepunch"));
	if (p->has_holepunch) {
		o = vec_at(f, "holepunch");
		check(p->holepunch.id == vec_num(o, "id"));
		check(p->holepunch.relays.len == DHT_RELAY_INFO_LEN);
		o = json_array_get(vec_at(o, "relays"), 0);
		rpc_addr_at(p->holepunch.relays, 0, &a);
		same_addr(&a, o, "relayAddress");
		rpc_addr_at(p->holepunch.relays, 1, &a);
		same_addr(&a, o, "peerAddress");
	}
	check(p->has_relay_through == has(f, "relayThrough"));
	if (p->has_relay_through) {
		o = vec_at(f, "relayThrough");
		check_same(view_b32(&p->relay_through.key),
		    vec_hex_at(o, "publicKey"));
		check_same(
		    view_b32(&p->relay_through.token), vec_hex_at(o, "token"));
	}
}

static void
payload_both_ways(struct view bytes, const json_t *fields)
{
	struct dht_payload p;
	struct buf b;

	check(dht_payload_decode(&p, bytes));
	same_payload(&p, fields);
	buf_init(&b, 1000);
	dht_payload_encode(&b, &p);
	check_same(buf_view(&b), bytes);
	for (size_t n = 0; n < bytes.len; n++)
		check(!dht_payload_decode(&p, view_sub(bytes, 0, n)));
	buf_byte(&b, 1);
	check(dht_payload_decode(&p, buf_view(&b)));
	same_payload(&p, fields);
	buf_deinit(&b);
}

static void
test_payload(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *noise = vec_at(doc, "noise"), *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(vec_at(doc, "messages"), "noisePayload"), i,
	    row) payload_both_ways(vec_hex_at(row, "encoded"),
	    vec_at(row, "fields"));
	check(i == 4);
	payload_both_ways(
	    vec_hex_at(noise, "payload1Encoded"), vec_at(noise, "payload1"));
	payload_both_ways(
	    vec_hex_at(noise, "payload2Encoded"), vec_at(noise, "payload2"));
	json_decref(doc);
}

static void
test_payload_edges(void **state)
{
	static const struct {
		const char *hex;
		bool taken;
	} rows[] = {
	    {"", false}, {"00", true}, /* another version says nothing more */
	    {"02ffffff", true}, {"01080000010001", false}, /* cut in udx */
	    {"010800000100ff000000000100000000", false},   /* 2^32 and more */
	    {"010800000100feffffffff00", true},
	    {"01020000fd0001", false}, /* 256 addresses, none there */
	    {"01020000ff0000000000000010", false},
	    {"0104000001000102030405060708090a0b0c0d0e0f1011", true},
	    {"01fdff7f000000", false}, /* all flags, nothing there */
	    {"01fd00ff0000", true},    /* flags of later versions */
	};
	struct dht_payload p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p.version = 99;
		check(dht_payload_decode(&p, vec_hex(rows[i].hex)) ==
		      rows[i].taken);
		check((p.version != 99) == rows[i].taken);
	}
	check(dht_payload_decode(&p, vec_hex("02ffffff")));
	check(p.version == 2 && !p.has_udx && p.error == 0);
}

static void
test_namespaces(void **state)
{
	static const struct {
		const char *name;
		enum dht_command c;
	} rows[] = {
	    {"PEER_HANDSHAKE", DHT_PEER_HANDSHAKE},
	    {"PEER_HOLEPUNCH", DHT_PEER_HOLEPUNCH},
	    {"ANNOUNCE", DHT_ANNOUNCE},
	    {"UNANNOUNCE", DHT_UNANNOUNCE},
	    {"MUTABLE_PUT", DHT_MUTABLE_PUT},
	    {"PLUGIN", DHT_PLUGIN},
	};
	json_t *doc = vec_load("net/hyperdht");
	const json_t *ns = vec_at(vec_at(doc, "namespaces"), "hyperswarmDht");
	const json_t *ids = vec_at(vec_at(doc, "constants"), "commands");
	struct b32 out;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dht_namespace(&out, rows[i].c);
		check_same(view_b32(&out), vec_hex_at(ns, rows[i].name));
		check(vec_num(ids, rows[i].name) == rows[i].c);
	}
	json_decref(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_handshake),
	    cmocka_unit_test(test_payload),
	    cmocka_unit_test(test_payload_edges),
	    cmocka_unit_test(test_namespaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
