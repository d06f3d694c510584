/* The dialling side: resending, and answers of all sorts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "duo.h"

#define SERVER "10.0.0.1:4000"
#define CLIENT "10.0.0.2:5000"

static void
test_whole(void **state)
{
	struct addr to = duo_addr(SERVER), us = duo_addr(CLIENT);
	struct addr public = duo_addr("1.2.3.4:4000");
	struct dht_listen *l = duo_listen(&public);
	struct dht_dial *d = duo_dial(2, 0);
	struct sign_pair server = duo_pair(1), client = duo_pair(2);
	struct dht_peer ours, theirs;
	struct view request;

	(void)state;
	request = duo_request(d, 0);
	check(dht_listen_recv(l, request, &us, 5) == DHT_OFFER);
	check(b32_eq(&dht_listen_offer(l)->remote, &client.pub));
	check(addr_eq(&dht_listen_offer(l)->addr, &us));
	check(dht_listen_offer(l)->udx_id == 1002);
	theirs = duo_accept(l, 77);
	check(dht_listen_offer(l) == NULL);
	check(dht_listen_packet(l).len <= request.len);
	check(dht_dial_recv(d, dht_listen_packet(l), &to));
	check(dht_dial_state(d) == DHT_DONE);
	check(dht_dial_deadline(d) == UINT64_MAX);
	check(!dht_dial_poll(d, 100 * SECOND, &request));
	/* the answer to a resend */
	check(dht_dial_recv(d, dht_listen_packet(l), &to));
	dht_dial_take(d, &ours);
	duo_same_keys(&ours, &theirs);
	check(b32_eq(&ours.keys.remote, &server.pub));
	check(b32_eq(&theirs.keys.remote, &client.pub));
	check(ours.udx_id == 77 && theirs.udx_id == 1002);
	check(addr_eq(&ours.addr, &to) && addr_eq(&theirs.addr, &us));
	check(addr_eq(&ours.self, &us) && addr_eq(&theirs.self, &to));
	check(!ours.reusable && !theirs.reusable);
	dht_peer_free(&ours);
	dht_peer_free(&theirs);
	dht_dial_free(d);
	dht_listen_free(l);
	sign_pair_free(&server);
	sign_pair_free(&client);
}

/* Four times the same bytes, a second apart, then it is over. */
static void
test_resends(void **state)
{
	struct dht_dial *d = duo_dial(2, 7), *other;
	struct view first, v;

	(void)state;
	check(dht_dial_deadline(d) == 7);
	first = duo_request(d, 7);
	for (uint64_t i = 1; i < DHT_SENDS; i++) {
		check(dht_dial_deadline(d) == 7 + i * SECOND);
		check(!dht_dial_poll(d, 6 + i * SECOND, &v));
		check(dht_dial_poll(d, 7 + i * SECOND, &v));
		check_same(v, first);
	}
	check(dht_dial_state(d) == DHT_DIALLING);
	check(!dht_dial_poll(d, 7 + DHT_SENDS * SECOND, &v));
	check(dht_dial_state(d) == DHT_SILENT);
	check(dht_dial_deadline(d) == UINT64_MAX);
	/* two dials have two numbers and two ephemeral keys */
	other = duo_dial(2, 7);
	check(!view_eq(first, duo_request(other, 7)));
	dht_dial_free(d);
	dht_dial_free(other);
	dht_dial_free(NULL);
}

/* A packet with everything as it should be, but for the changes. */
static void
reply_of(struct buf *b, const struct rpc_message *request, const char *noise,
    uint64_t mode, const char *relay, uint64_t error)
{
	struct dht_handshake h = {.mode = mode, .noise = vec_hex(noise)};
	struct rpc_message m = {.reply = true,
	    .tid = request->tid,
	    .to = request->to,
	    .error = error};
	struct buf value;

	buf_init(&value, 1000);
	buf_init(b, 1000);
	if (relay != NULL)
		h.peer = duo_addr(relay);
	dht_handshake_encode(&value, &h);
	if (error == 0)
		m.value = buf_view(&value);
	rpc_encode(b, &m);
	buf_deinit(&value);
}

/* Each of them is put aside; the right answer still counts after it. */
static void
test_wrong_answers(void **state)
{
	static const struct {
		const char *noise;
		uint64_t mode;
		const char *relay;
		uint64_t error;
		enum dht_dial_state end;
	} rows[] = {
	    {"aabbcc", DHT_REPLY, NULL, 0, DHT_UNVERIFIED},
	    {"", DHT_REPLY, NULL, 0, DHT_REFUSED},
	    {"aabbcc", DHT_FROM_SERVER, NULL, 0, DHT_REFUSED},
	    {"aabbcc", DHT_REPLY, "10.9.9.9:9", 0, DHT_REFUSED},
	    {"", 0, NULL, 1, DHT_REFUSED},
	};
	struct addr to = duo_addr(SERVER), us = duo_addr(CLIENT);
	struct dht_listen *l = duo_listen(NULL);
	struct rpc_message request;
	struct dht_peer p;
	struct dht_dial *d;
	struct buf b;
	struct view v;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		d = duo_dial((uint8_t)(2 + i), 0);
		v = duo_request(d, 0);
		check(rpc_decode(&request, v));
		reply_of(&b, &request, rows[i / 2].noise, rows[i / 2].mode,
		    rows[i / 2].relay, rows[i / 2].error);
		check(dht_dial_recv(d, buf_view(&b), &to));
		check(dht_dial_state(d) == DHT_DIALLING);
		if (i % 2 == 0) {
			check(dht_listen_recv(l, v, &us, i) == DHT_OFFER);
			p = duo_accept(l, 1);
			dht_peer_free(&p);
			check(dht_dial_recv(d, dht_listen_packet(l), &to));
			check(dht_dial_state(d) == DHT_DONE);
		} else {
			for (uint64_t s = 1; s < DHT_SENDS; s++)
				check(dht_dial_poll(d, s * SECOND, &v));
			check(!dht_dial_poll(d, DHT_SENDS * SECOND, &v));
			check(dht_dial_state(d) == rows[i / 2].end);
			check(dht_dial_text(rows[i / 2].end)[0] != '\0');
		}
		dht_dial_free(d);
		buf_deinit(&b);
	}
	dht_listen_free(l);
}

/* Of another address, another number, a request, noise: not for this dial. */
static void
test_not_for_us(void **state)
{
	struct addr to = duo_addr(SERVER), other = duo_addr("10.0.0.1:4001");
	struct dht_dial *d = duo_dial(2, 0);
	struct rpc_message request;
	struct view v = duo_request(d, 0);
	struct buf b;

	(void)state;
	check(rpc_decode(&request, v));
	reply_of(&b, &request, "aabbcc", DHT_REPLY, NULL, 0);
	check(!dht_dial_recv(d, buf_view(&b), &other));
	check(!dht_dial_recv(d, v, &to));
	check(!dht_dial_recv(d, VIEW_EMPTY, &to));
	b.data[2] ^= 1;
	check(!dht_dial_recv(d, buf_view(&b), &to));
	for (uint64_t s = 1; s < DHT_SENDS; s++)
		check(dht_dial_poll(d, s * SECOND, &v));
	check(!dht_dial_poll(d, DHT_SENDS * SECOND, &v));
	check(dht_dial_state(d) == DHT_SILENT);
	buf_deinit(&b);
	dht_dial_free(d);
}

/* What the holder of the key says in its payload is believed at once. */
static void
test_payloads(void **state)
{
	static const struct {
		const char *payload;
		enum dht_dial_state end;
	} rows[] = {
	    {"0118000101001601", DHT_INCOMPATIBLE}, /* cut short */
	    {"02", DHT_INCOMPATIBLE},
	    {"01000201", DHT_INCOMPATIBLE}, /* version mismatch */
	    {"01000101", DHT_REFUSED},	    /* aborted */
	    {"01000001", DHT_INCOMPATIBLE}, /* no stream */
	    {"010800010101fd391600", DHT_DONE},
	};
	struct sign_pair server = duo_pair(1);
	struct addr to = duo_addr(SERVER);
	struct noise_opts o = {.pattern = NOISE_IK, .pair = &server};
	struct rpc_message m;
	struct dht_handshake h;
	struct dht_peer p;
	struct dht_dial *d;
	struct noise *n;
	struct b32 prologue;
	struct err e = ERR_INIT;
	struct buf got, noise, value, packet;

	(void)state;
	dht_namespace(&prologue, DHT_PEER_HANDSHAKE);
	o.prologue = view_b32(&prologue);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		d = duo_dial(2, 0);
		check(rpc_decode(&m, duo_request(d, 0)));
		check(dht_handshake_decode(&h, m.value));
		buf_init(&got, 1000);
		buf_init(&noise, 1000);
		buf_init(&value, 1000);
		buf_init(&packet, 1000);
		check_ok(noise_new(&n, &o, &e), &e);
		check_ok(noise_recv(n, h.noise, &got, &e), &e);
		check_ok(
		    noise_send(n, vec_hex(rows[i].payload), &noise, &e), &e);
		h.mode = DHT_REPLY;
		h.noise = buf_view(&noise);
		dht_handshake_encode(&value, &h);
		m.reply = true;
		m.value = buf_view(&value);
		rpc_encode(&packet, &m);
		check(dht_dial_recv(d, buf_view(&packet), &to));
		check(dht_dial_state(d) == rows[i].end);
		if (rows[i].end == DHT_DONE) {
			dht_dial_take(d, &p);
			check(p.udx_id == 5689 && p.reusable);
			dht_peer_free(&p);
		}
		noise_free(n);
		dht_dial_free(d);
		buf_deinit(&got);
		buf_deinit(&noise);
		buf_deinit(&value);
		buf_deinit(&packet);
	}
	sign_pair_free(&server);
}

/* What a JavaScript server must find in our request. */
static void
test_request(void **state)
{
	struct sign_pair me = duo_pair(3), server = duo_pair(1);
	struct addr self = duo_addr("5.6.7.8:90");
	const struct dht_dial_opts o = {.pair = &me,
	    .remote = server.pub,
	    .to = duo_addr(SERVER),
	    .udx_id = 0xfffffffe,
	    .self = &self};
	struct err e = ERR_INIT;
	struct dht_handshake h;
	struct rpc_message m;
	struct dht_dial *d;
	struct b32 target;

	(void)state;
	check_ok(dht_dial_new(&d, &o, 0, &e), &e);
	check(rpc_decode(&m, duo_request(d, 0)));
	hash_data(&target, view_b32(&server.pub));
	check(!m.reply && !m.internal && m.command == DHT_PEER_HANDSHAKE);
	check(!m.has_id && !m.has_token && m.has_target);
	check(b32_eq(&m.target, &target) && addr_eq(&m.to, &o.to));
	check(dht_handshake_decode(&h, m.value));
	check(h.mode == DHT_FROM_CLIENT && h.peer.family == 0);
	/* 01 1a 00 00 | one address | udx 1 0 id 0 | 1 */
	check(h.noise.len == 32 + 48 + 4 + 7 + 8 + 1 + 16);
	dht_dial_free(d);
	sign_pair_free(&me);
	sign_pair_free(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_resends),
	    cmocka_unit_test(test_wrong_answers),
	    cmocka_unit_test(test_not_for_us),
	    cmocka_unit_test(test_payloads),
	    cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
