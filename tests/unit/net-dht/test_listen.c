/* The answering side: repetitions, refusals, limits, small questions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "duo.h"

#define CLIENT "10.0.0.2:5000"

/* The same handshake, whatever its packet's number and way: the same bytes,
 * for ten seconds, and no second stream. */
static void
test_repeated(void **state)
{
	struct addr us = duo_addr(CLIENT), other = duo_addr("10.0.0.3:1");
	struct dht_listen *l = duo_listen(NULL);
	struct dht_dial *d = duo_dial(2, 0);
	struct rpc_message m, first;
	struct buf copy, again;
	struct dht_peer p;

	(void)state;
	buf_init(&copy, DHT_PACKET_MAX);
	buf_init(&again, DHT_PACKET_MAX);
	buf_append(&copy, duo_request(d, 0));
	check(dht_listen_recv(l, buf_view(&copy), &us, 0) == DHT_OFFER);
	p = duo_accept(l, 9);
	dht_peer_free(&p);
	buf_append(&again, dht_listen_packet(l));
	check(rpc_decode(&first, buf_view(&again)));
	for (uint64_t t = 1; t < 10; t++) {
		check(dht_listen_recv(l, buf_view(&copy), &us, t * SECOND) ==
		      DHT_ANSWER);
		check_same(dht_listen_packet(l), buf_view(&again));
	}
	copy.data[2]++; /* through somebody else */
	check(
	    dht_listen_recv(l, buf_view(&copy), &other, SECOND) == DHT_ANSWER);
	check(rpc_decode(&m, dht_listen_packet(l)));
	check(m.tid != first.tid && addr_eq(&m.to, &other));
	check_same(m.value, first.value);
	/* forgotten: it would be a new stream, which nobody answers */
	check(dht_listen_recv(l, buf_view(&copy), &us, DHT_REMEMBER_US) ==
	      DHT_OFFER);
	buf_deinit(&copy);
	buf_deinit(&again);
	dht_dial_free(d);
	dht_listen_free(l);
	dht_listen_free(NULL);
}

/* Refused, or not answered at all: its repetitions get nothing. */
static void
test_refused(void **state)
{
	struct addr us = duo_addr(CLIENT);
	struct dht_listen *l = duo_listen(NULL);
	struct dht_dial *d[2] = {duo_dial(2, 0), duo_dial(3, 0)};
	struct view v[2] = {duo_request(d[0], 0), duo_request(d[1], 0)};

	(void)state;
	check(dht_listen_recv(l, v[0], &us, 0) == DHT_OFFER);
	dht_listen_refuse(l);
	dht_listen_refuse(l); /* nothing left to refuse */
	check(dht_listen_packet(l).len == 0);
	check(dht_listen_recv(l, v[1], &us, 0) == DHT_OFFER);
	for (size_t i = 0; i < 2; i++) {
		check(dht_listen_recv(l, v[i], &us, SECOND) == DHT_NONE);
		check(dht_listen_packet(l).len == 0);
		check(dht_listen_offer(l) == NULL);
		dht_dial_free(d[i]);
	}
	dht_listen_free(l);
}

/* A request with one byte wrong: never an offer of somebody else. */
static void
test_wrong_bytes(void **state)
{
	struct addr us = duo_addr(CLIENT);
	struct dht_listen *l = duo_listen(NULL);
	struct dht_dial *d = duo_dial(2, 0);
	struct view v = duo_request(d, 0);
	uint8_t bad[DHT_PACKET_MAX];
	enum dht_listen_kind kind;

	(void)state;
	memcpy(bad, v.ptr, v.len);
	for (size_t i = 0; i < v.len; i++) {
		uint64_t now = i * SECOND;

		bad[i] ^= 0x10;
		kind = dht_listen_recv(l, view_of(bad, v.len), &us, now);
		/* number, `to` and unknown flags change no handshake */
		if ((i >= 2 && i < 10) || i == 44)
			check(kind == DHT_OFFER || kind == DHT_NONE);
		else if (i >= 46)
			check(kind == DHT_NONE);
		else
			check(kind != DHT_OFFER);
		check(dht_listen_packet(l).len < v.len);
		bad[i] ^= 0x10;
	}
	for (size_t i = 0; i < v.len; i++)
		check(dht_listen_recv(l, view_of(bad, i), &us, 0) == DHT_NONE);
	dht_dial_free(d);
	dht_listen_free(l);
}

/* A handshake that was relayed, or says so, or is none. */
static void
test_not_direct(void **state)
{
	static const struct {
		uint64_t mode;
		const char *peer;
		bool noise;
		enum dht_listen_kind kind;
	} rows[] = {
	    {DHT_FROM_CLIENT, "10.9.9.9:9", true, DHT_NONE},
	    {DHT_FROM_RELAY, "10.9.9.9:9", true, DHT_NONE},
	    {DHT_FROM_SERVER, NULL, true, DHT_NONE},
	    {DHT_REPLY, NULL, true, DHT_NONE},
	    {DHT_FROM_CLIENT, NULL, false, DHT_NONE},
	    {DHT_FROM_CLIENT, NULL, true, DHT_OFFER},
	};
	struct addr us = duo_addr(CLIENT);
	struct dht_listen *l = duo_listen(NULL);
	struct dht_dial *d = duo_dial(2, 0);
	struct view v = duo_request(d, 0);
	struct dht_handshake h;
	struct rpc_message m;
	struct buf value, packet;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_init(&value, 1000);
		buf_init(&packet, 1000);
		check(rpc_decode(&m, v) && dht_handshake_decode(&h, m.value));
		h.mode = rows[i].mode;
		if (rows[i].peer != NULL)
			h.peer = duo_addr(rows[i].peer);
		if (!rows[i].noise)
			h.noise = VIEW_EMPTY;
		dht_handshake_encode(&value, &h);
		m.value = buf_view(&value);
		rpc_encode(&packet, &m);
		check(dht_listen_recv(l, buf_view(&packet), &us, 0) ==
		      rows[i].kind);
		buf_deinit(&value);
		buf_deinit(&packet);
	}
	dht_dial_free(d);
	dht_listen_free(l);
}

/* Pings and all that is not for us are answered shortly, by the original's
 * rules; replies and port 0 never. */
static void
test_small_answers(void **state)
{
	static const struct {
		const char *request, *answer;
	} rows[] = {
	    {"030434127f00000149c200", "130034120a0000028813"}, /* ping */
	    {"031435127f00000149c200050000000000", "130035120a0000028813"},
	    {"031436127f00000149c201024cc2", "130836120a000002881301"},
	    {"030437127f00000149c202", "130837120a000002881301"},
	    {"03003b127f00000149c2fd2c01", "13083b120a000002881301"},
	    {"03003b127f00000149c202", "13083b120a000002881301"},
	    /* a handshake for no key, or for another one */
	    {"03003b127f00000149c200", "13003b120a0000028813"},
	    {"03083b127f00000149c200"
	     "34a04005bcaf206eec990bd9637d9fdb6725e0a0c0d4aebf003f17f4c956eb5c",
		"13003b120a0000028813"},
	    {"130033220a010203d711", ""},
	    {"ff01", ""},
	    {"", ""},
	};
	struct addr us = duo_addr(CLIENT), none = duo_addr("10.0.0.2:0");
	struct dht_listen *l = duo_listen(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct view v = vec_hex(rows[i].request);
		bool said = rows[i].answer[0] != '\0';

		check(dht_listen_recv(l, v, &us, i) ==
		      (said ? DHT_ANSWER : DHT_NONE));
		check_view_hex(dht_listen_packet(l), rows[i].answer);
		check(dht_listen_packet(l).len <= v.len);
		check(dht_listen_recv(l, v, &none, i) == DHT_NONE);
	}
	dht_listen_free(l);
}

/* Another version, or no stream: the error is told, once and for all. */
static void
test_errors(void **state)
{
	static const struct {
		const char *payload;
		enum dht_error error;
	} rows[] = {
	    {"05", DHT_ERROR_VERSION_MISMATCH},
	    {"01000000", DHT_ERROR_ABORTED},
	};
	struct addr us = duo_addr(CLIENT);
	struct dht_listen *l = duo_listen(NULL);
	struct sign_pair me = duo_pair(2), server = duo_pair(1);
	struct noise_opts o = {.pattern = NOISE_IK,
	    .initiator = true,
	    .pair = &me,
	    .remote = &server.pub};
	struct err e = ERR_INIT;
	struct b32 prologue;

	(void)state;
	dht_namespace(&prologue, DHT_PEER_HANDSHAKE);
	o.prologue = view_b32(&prologue);
	for (size_t i = 0; i < 2; i++) {
		struct rpc_message m = {.has_target = true};
		struct dht_handshake h = {0};
		struct dht_payload p;
		struct buf b[4];
		struct noise *n;

		for (size_t j = 0; j < 4; j++)
			buf_init(&b[j], 1000);
		check_ok(noise_new(&n, &o, &e), &e);
		check_ok(
		    noise_send(n, vec_hex(rows[i].payload), &b[0], &e), &e);
		h.noise = buf_view(&b[0]);
		dht_handshake_encode(&b[1], &h);
		hash_data(&m.target, view_b32(&server.pub));
		m.value = buf_view(&b[1]);
		rpc_encode(&b[2], &m);
		for (size_t j = 0; j < 2; j++) {
			check(dht_listen_recv(l, buf_view(&b[2]), &us, 0) ==
			      DHT_ANSWER);
			check(rpc_decode(&m, dht_listen_packet(l)));
		}
		check(dht_handshake_decode(&h, m.value));
		check_ok(noise_recv(n, h.noise, &b[3], &e), &e);
		check(dht_payload_decode(&p, buf_view(&b[3])));
		check(p.error == rows[i].error && p.version == 1);
		noise_free(n);
		for (size_t j = 0; j < 4; j++)
			buf_deinit(&b[j]);
	}
	sign_pair_free(&me);
	sign_pair_free(&server);
	dht_listen_free(l);
}

/* At most so many in flight, from whatever hosts; a settled one makes room,
 * and so does a little time: a flood of strangers shuts out nobody. */
static void
test_in_flight(void **state)
{
	struct dht_listen *l = duo_listen(NULL);
	struct dht_dial *late;
	struct addr from = duo_addr(CLIENT);
	struct dht_peer p;
	struct view v;

	(void)state;
	for (uint32_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		struct dht_dial *d = duo_dial(2, 0);

		from.ip[2] = (uint8_t)(i / 8);
		check(dht_listen_recv(l, duo_request(d, 0), &from, i) ==
		      DHT_OFFER);
		p = duo_accept(l, i);
		dht_peer_free(&p);
		dht_dial_free(d);
	}
	late = duo_dial(2, 0);
	v = duo_request(late, 0);
	from.ip[2] = 200;
	check(dht_listen_recv(l, v, &from, SECOND / 5) == DHT_NONE);
	dht_listen_settled(l, 9999); /* nobody's */
	check(dht_listen_recv(l, v, &from, SECOND / 5) == DHT_NONE);
	dht_listen_settled(l, 17);
	check(dht_listen_recv(l, v, &from, SECOND / 5) == DHT_OFFER);
	p = duo_accept(l, 17);
	dht_peer_free(&p);
	dht_dial_free(late);
	late = duo_dial(3, 0);
	v = duo_request(late, 0);
	check(dht_listen_recv(l, v, &from, DHT_PATIENCE_US - 1) == DHT_NONE);
	check(dht_listen_recv(l, v, &from, DHT_PATIENCE_US) == DHT_OFFER);
	dht_dial_free(late);
	dht_listen_free(l);
}

/* One host asks too often; another one is served meanwhile. */
static void
test_rate(void **state)
{
	struct dht_listen *l = duo_listen(NULL);
	struct addr from = duo_addr(CLIENT), other = duo_addr("10.0.7.2:5000");
	struct dht_dial *d[DHT_SOURCE_BURST + 2];
	size_t n = sizeof(d) / sizeof(d[0]), offers = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		d[i] = duo_dial(2, 0);
		from.port++; /* a port is not another host */
		offers += dht_listen_recv(l, duo_request(d[i], 0), &from, 0) ==
			  DHT_OFFER;
	}
	check(offers == DHT_SOURCE_BURST);
	check(dht_listen_recv(l, duo_request(d[n - 1], SECOND), &other, 1) ==
	      DHT_OFFER);
	check(dht_listen_recv(l, duo_request(d[n - 2], SECOND), &from,
		  SECOND / DHT_SOURCE_RATE) == DHT_OFFER);
	for (size_t i = 0; i < n; i++)
		dht_dial_free(d[i]);
	dht_listen_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_repeated),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_wrong_bytes),
	    cmocka_unit_test(test_not_direct),
	    cmocka_unit_test(test_small_answers),
	    cmocka_unit_test(test_errors),
	    cmocka_unit_test(test_in_flight),
	    cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
