/* What both ends of a hole punch tell each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "crypto/secretbox.h"
#include "duo.h"
#include "net/dht/punch_payload.h"

static struct addr
addr_of(const json_t *o)
{
	char text[ADDR_TEXT];

	(void)snprintf(text, sizeof(text), "%s:%u", vec_str(o, "host"),
	    (unsigned)vec_num(o, "port"));
	return duo_addr(text);
}

static struct punch_payload
payload_of(const json_t *f)
{
	struct punch_payload p = {.error = vec_num(f, "error"),
	    .firewall = vec_num(f, "firewall"),
	    .round = vec_num(f, "round"),
	    .connected = json_is_true(vec_at(f, "connected")),
	    .punching = json_is_true(vec_at(f, "punching"))};
	const json_t *list = vec_at(f, "addresses");
	const json_t *remote = vec_at(f, "remoteAddress");

	p.has_addresses = json_is_array(list);
	for (size_t i = 0; i < json_array_size(list); i++)
		p.address[p.naddresses++] = addr_of(json_array_get(list, i));
	if (!json_is_null(remote))
		p.remote = addr_of(remote);
	p.has_token = json_is_string(vec_at(f, "token"));
	if (p.has_token)
		vec_b32_at(f, "token", &p.token);
	p.has_remote_token = json_is_string(vec_at(f, "remoteToken"));
	if (p.has_remote_token)
		vec_b32_at(f, "remoteToken", &p.remote_token);
	return p;
}

static void
test_vectors(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *rows =
	    vec_at(vec_at(doc, "messages"), "holepunchPayload");
	struct punch_payload p, q;
	struct buf b, again;

	(void)state;
	buf_init(&b, PUNCH_BOX_MAX);
	buf_init(&again, PUNCH_BOX_MAX);
	check(json_array_size(rows) > 0);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *r = json_array_get(rows, i);

		p = payload_of(vec_at(r, "fields"));
		buf_reset(&b);
		punch_payload_encode(&b, &p);
		check_view_hex(buf_view(&b), vec_str(r, "encoded"));
		check(punch_payload_decode(&q, buf_view(&b)));
		buf_reset(&again);
		punch_payload_encode(&again, &q);
		check_same(buf_view(&again), buf_view(&b));
	}
	buf_deinit(&b);
	buf_deinit(&again);
	json_decref(doc);
}

static void
test_box(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *noise = vec_at(doc, "noise");
	const json_t *x = vec_at(doc, "holepunchBox");
	struct view box = vec_hex_at(x, "box");
	struct err e = ERR_INIT;
	struct punch_payload p;
	struct secret secret;
	struct buf plain, ours;

	(void)state;
	buf_init(&plain, PUNCH_BOX_MAX);
	buf_init(&ours, PUNCH_BOX_MAX);
	check_ok(punch_payload_secret(
		     &secret, vec_hex_at(noise, "handshakeHash").ptr, &e),
	    &e);
	check_same(secret_view(&secret), vec_hex_at(x, "secret"));
	check(punch_payload_open(&p, box, &secret));
	punch_payload_encode(&plain, &p);
	check_same(buf_view(&plain), vec_hex_at(x, "plain"));
	/* ours is another box of the same */
	punch_payload_seal(&ours, &p, &secret);
	check(ours.failed == ERR_OK && ours.len == box.len);
	check(!view_eq(buf_view(&ours), box));
	check(punch_payload_open(&p, buf_view(&ours), &secret));
	for (size_t i = 0; i < ours.len; i++) {
		ours.data[i] ^= 1;
		check(!punch_payload_open(&p, buf_view(&ours), &secret));
		check(!punch_payload_open(&p, view_of(ours.data, i), &secret));
		ours.data[i] ^= 1;
	}
	secret_free(&secret);
	buf_deinit(&plain);
	buf_deinit(&ours);
	json_decref(doc);
}

static void
test_edges(void **state)
{
	static const struct {
		const char *hex;
		bool taken;
		size_t naddresses;
	} rows[] = {
	    {"", false, 0}, {"00000000", true, 0},
	    {"0000000000", true, 0}, /* a byte more */
	    {"000000", false, 0}, {"0400000000", true, 0},
	    {"040000000101020304", false, 0},
	    {"040000000101020304d204", true, 1},
	    /* six addresses, of which four are kept */
	    {"0400000006010203040100010203040200010203040300010203040400"
	     "010203040500010203040600",
		true, 4},
	    {"04000000ff0000000000000010", false, 0},
	    {"100000000102", false, 0},
	    {"c0000000", true, 0}, /* flags of later versions */
	};
	struct punch_payload p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p.naddresses = 99;
		check(punch_payload_decode(&p, vec_hex(rows[i].hex)) ==
		      rows[i].taken);
		check(
		    p.naddresses == (rows[i].taken ? rows[i].naddresses : 99));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_box),
	    cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
