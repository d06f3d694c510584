/* Handshakes: the transcripts of the originals, and wrong messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "net/noise/noise.h"
#include "support/vec.h"

#define OUT_MAX (4 * NOISE_MESSAGE_MAX)

static void
pair_at(struct sign_pair *p, const json_t *o, const char *key)
{
	struct err e = ERR_INIT;
	struct b32 seed;

	vec_b32_at(o, key, &seed);
	check_ok(sign_pair_seed(p, &seed, &e), &e);
}

/* Two sides with everything fixed. */
struct duo {
	struct sign_pair s[2], e[2];
	struct noise *n[2];
};

static void
duo_start(struct duo *d, enum noise_pattern pattern, struct view prologue)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < 2; i++) {
		struct noise_opts o = {
		    .pattern = pattern,
		    .initiator = i == 0,
		    .pair = &d->s[i],
		    .prologue = prologue,
		    .ephemeral = &d->e[i],
		};
		if (i == 0 && pattern == NOISE_IK)
			o.remote = &d->s[1].pub;
		check_ok(noise_new(&d->n[i], &o, &e), &e);
		check(noise_remote(d->n[i]) == NULL);
		check(noise_sends(d->n[i]) == (i == 0));
	}
}

static void
duo_end(struct duo *d)
{
	for (size_t i = 0; i < 2; i++) {
		noise_free(d->n[i]);
		sign_pair_free(&d->s[i]);
		sign_pair_free(&d->e[i]);
	}
}

/* From a side that sends to the other one; the message stays in m. */
static void
pass(struct duo *d, struct view payload, struct buf *m, struct buf *got)
{
	size_t from = noise_sends(d->n[0]) ? 0 : 1;
	struct err e = ERR_INIT;

	buf_init(m, OUT_MAX);
	buf_init(got, OUT_MAX);
	check_ok(noise_send(d->n[from], payload, m, &e), &e);
	check_ok(noise_recv(d->n[1 - from], buf_view(m), got, &e), &e);
	check_same(buf_view(got), payload);
}

static void
same_end(struct duo *d, const char *hash, const char *tx, const char *rx)
{
	struct noise_keys a, b;
	struct err e = ERR_INIT;

	check(noise_done(d->n[0]) && noise_done(d->n[1]));
	check_ok(noise_result(d->n[0], &a, &e), &e);
	check_ok(noise_result(d->n[1], &b, &e), &e);
	check_view_hex(view_of(a.hash, 64), hash);
	check_view_hex(view_of(b.hash, 64), hash);
	check_view_hex(secret_view(&a.tx), tx);
	check_view_hex(secret_view(&b.tx), rx);
	check_same(secret_view(&a.rx), secret_view(&b.tx));
	check_same(secret_view(&b.rx), secret_view(&a.tx));
	check(b32_eq(&a.remote, &d->s[1].pub));
	check(b32_eq(&b.remote, &d->s[0].pub));
	check(b32_eq(noise_remote(d->n[0]), &d->s[1].pub));
	check(b32_eq(noise_remote(d->n[1]), &d->s[0].pub));
	noise_keys_free(&a);
	noise_keys_free(&b);
}

/* HyperDHT's handshake. The vector's messages lack the ephemeral keys. */
static void
test_ik(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *v = vec_at(doc, "noise");
	const json_t *eph = vec_at(v, "ephemeralPublic");
	struct duo d;
	struct buf m[2], got[2];

	(void)state;
	pair_at(&d.s[0], v, "clientSeed");
	pair_at(&d.s[1], v, "serverSeed");
	pair_at(&d.e[0], v, "clientEphemeralSeed");
	pair_at(&d.e[1], v, "serverEphemeralSeed");
	duo_start(&d, NOISE_IK, vec_hex_at(vec_at(v, "initial"), "prologue"));
	for (size_t i = 0; i < 2; i++) {
		const char *name = i == 0 ? "message1" : "message2";
		struct view want = vec_hex_at(v, name);

		pass(&d,
		    vec_hex_at(
			v, i == 0 ? "payload1Encoded" : "payload2Encoded"),
		    &m[i], &got[i]);
		check_same(view_sub(buf_view(&m[i]), 0, 32),
		    vec_hex_at(eph, i == 0 ? "clientPublic" : "serverPublic"));
		check_same(view_sub(buf_view(&m[i]), 32, m[i].len),
		    view_sub(want, 32, want.len));
		check(m[i].len == want.len);
	}
	same_end(&d, vec_str(v, "handshakeHash"), vec_str(v, "initiatorTx"),
	    vec_str(v, "initiatorRx"));
	duo_end(&d);
	for (size_t i = 0; i < 2; i++) {
		buf_deinit(&m[i]);
		buf_deinit(&got[i]);
	}
	json_decref(doc);
}

static void
duo_of(struct duo *d, const json_t *run)
{
	pair_at(&d->s[0], vec_at(run, "initiator"), "seed");
	pair_at(&d->s[1], vec_at(run, "responder"), "seed");
	pair_at(&d->e[0], vec_at(run, "initiator"), "ephemeral");
	pair_at(&d->e[1], vec_at(run, "responder"), "ephemeral");
}

/* Raw secret streams' handshake. */
static void
test_xx(void **state)
{
	json_t *doc = vec_load("net/noise-xx");
	const json_t *run, *row;
	struct buf m, got;
	struct duo d;
	size_t i, j;

	(void)state;
	json_array_foreach(vec_at(doc, "runs"), i, run)
	{
		duo_of(&d, run);
		duo_start(&d, NOISE_XX, vec_hex_at(run, "prologue"));
		json_array_foreach(vec_at(run, "messages"), j, row)
		{
			pass(&d, vec_hex_at(row, "payload"), &m, &got);
			check_view_hex(buf_view(&m), vec_str(row, "bytes"));
			buf_deinit(&m);
			buf_deinit(&got);
		}
		check(j == 3);
		same_end(&d, vec_str(run, "hash"), vec_str(run, "initiatorTx"),
		    vec_str(run, "initiatorRx"));
		duo_end(&d);
	}
	check(i == 2);
	json_decref(doc);
}

/* Every message of both patterns with every byte wrong, and cut at every
 * place: one answer, and the right message is taken afterwards. The first
 * message of XX is not authenticated: a wrong key in it shows later. */
static void
spoil(struct duo *d, struct view msg, size_t to, bool silent)
{
	struct err e = ERR_INIT;
	uint8_t bad[NOISE_MESSAGE_MAX];
	struct buf got;
	enum err_code rc;

	buf_init(&got, OUT_MAX);
	memcpy(bad, msg.ptr, msg.len);
	for (size_t i = 0; i < msg.len && !silent; i++) {
		bad[i] ^= 0x20;
		rc = noise_recv(d->n[to], view_of(bad, msg.len), &got, &e);
		check(rc == ERR_VERIFY && got.len == 0);
		check(strcmp(e.msg, "the handshake does not verify") == 0);
		bad[i] ^= 0x20;
	}
	for (size_t i = 0; i < msg.len && (!silent || i < 32); i++) {
		rc = noise_recv(d->n[to], view_of(bad, i), &got, &e);
		check(rc == ERR_VERIFY && got.len == 0);
	}
	buf_deinit(&got);
}

static void
test_wrong_messages(void **state)
{
	json_t *doc = vec_load("net/noise-xx");
	const json_t *run = json_array_get(vec_at(doc, "runs"), 0);
	const struct view payload = view_str("payload");
	const enum noise_pattern patterns[] = {NOISE_IK, NOISE_XX};
	struct err e = ERR_INIT;
	struct buf m, got;
	struct duo d;

	(void)state;
	for (size_t p = 0; p < 2; p++) {
		duo_of(&d, run);
		duo_start(&d, patterns[p], VIEW_EMPTY);
		for (size_t i = 0; !noise_done(d.n[0]) || !noise_done(d.n[1]);
		     i++) {
			buf_init(&m, OUT_MAX);
			buf_init(&got, OUT_MAX);
			check_ok(noise_send(d.n[i % 2], payload, &m, &e), &e);
			/* not to the side that sent it */
			check_code(
			    noise_recv(d.n[i % 2], buf_view(&m), &got, &e),
			    ERR_VERIFY);
			spoil(&d, buf_view(&m), 1 - i % 2,
			    patterns[p] == NOISE_XX && i == 0);
			check_ok(
			    noise_recv(d.n[1 - i % 2], buf_view(&m), &got, &e),
			    &e);
			check_same(buf_view(&got), payload);
			buf_deinit(&m);
			buf_deinit(&got);
		}
		check(!noise_sends(d.n[0]) && !noise_sends(d.n[1]));
		buf_init(&got, OUT_MAX);
		check_code(noise_recv(d.n[0], payload, &got, &e), ERR_VERIFY);
		duo_end(&d);
	}
	json_decref(doc);
}

/* Another server key, another prologue, another pattern: no handshake. */
static void
test_strangers(void **state)
{
	json_t *doc = vec_load("net/noise-xx");
	const json_t *run = json_array_get(vec_at(doc, "runs"), 0);
	struct err e = ERR_INIT;
	struct buf m, got;
	struct duo d, x;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		duo_of(&d, run);
		duo_of(&x, run);
		if (i == 0) { /* somebody else answers */
			sign_pair_free(&x.s[1]);
			check_ok(sign_pair_copy(&x.s[1], &x.e[1], &e), &e);
		}
		duo_start(&d, NOISE_IK, view_str("one"));
		duo_start(&x, i == 2 ? NOISE_XX : NOISE_IK,
		    view_str(i == 1 ? "two" : "one"));
		buf_init(&m, OUT_MAX);
		buf_init(&got, OUT_MAX);
		check_ok(noise_send(d.n[0], VIEW_EMPTY, &m, &e), &e);
		if (i == 2) /* XX takes any key first */
			check_ok(
			    noise_recv(x.n[1], buf_view(&m), &got, &e), &e);
		else
			check_code(noise_recv(x.n[1], buf_view(&m), &got, &e),
			    ERR_VERIFY);
		if (i == 2) {
			buf_reset(&m);
			buf_reset(&got);
			check_ok(noise_send(x.n[1], VIEW_EMPTY, &m, &e), &e);
			check_code(noise_recv(d.n[0], buf_view(&m), &got, &e),
			    ERR_VERIFY);
		}
		buf_deinit(&m);
		buf_deinit(&got);
		duo_end(&d);
		duo_end(&x);
	}
	json_decref(doc);
}

/* A key of low order breaks off, also where it is only sent back. */
static void
test_low_order(void **state)
{
	static const uint8_t one[32] = {1};
	json_t *doc = vec_load("net/noise-xx");
	const json_t *run = json_array_get(vec_at(doc, "runs"), 0);
	struct err e = ERR_INIT;
	struct buf out;
	struct duo d;

	(void)state;
	duo_of(&d, run);
	duo_start(&d, NOISE_XX, VIEW_EMPTY);
	buf_init(&out, OUT_MAX);
	check_ok(noise_recv(d.n[1], view_of(one, 32), &out, &e), &e);
	check_code(noise_send(d.n[1], VIEW_EMPTY, &out, &e), ERR_VERIFY);
	check(out.len == 0);
	buf_deinit(&out);
	duo_end(&d);
	json_decref(doc);
}

/* Who has to speak listens to nobody, not even to what would fit; a payload
 * over the maximum is refused, the largest one is not. */
static void
test_turns_and_sizes(void **state)
{
	json_t *doc = vec_load("net/noise-xx");
	const json_t *run = json_array_get(vec_at(doc, "runs"), 0);
	struct err e = ERR_INIT;
	struct buf m, got;
	struct duo d;

	(void)state;
	duo_of(&d, run);
	duo_start(&d, NOISE_XX, VIEW_EMPTY);
	buf_init(&m, OUT_MAX);
	buf_init(&got, OUT_MAX);
	buf_append(&m, view_b32(&d.e[1].pub)); /* as a first message begins */
	check_code(noise_recv(d.n[0], buf_view(&m), &got, &e), ERR_VERIFY);
	buf_fill(&m, 7, NOISE_PAYLOAD_MAX + 1);
	check_code(noise_recv(d.n[1], buf_view(&m), &got, &e), ERR_VERIFY);
	check(got.len == 0);
	m.len--;
	check_ok(noise_recv(d.n[1], buf_view(&m), &got, &e), &e);
	check(got.len == NOISE_PAYLOAD_MAX);
	check_code(noise_recv(d.n[1], buf_view(&m), &got, &e), ERR_VERIFY);
	buf_deinit(&m);
	buf_deinit(&got);
	duo_end(&d);
	json_decref(doc);
}

/* Ephemeral keys are new each time; payloads have a maximum. */
static void
test_random_and_limits(void **state)
{
	static const uint8_t big[NOISE_PAYLOAD_MAX + 1];
	const struct b32 seed = {{9}};
	struct err e = ERR_INIT;
	struct sign_pair p;
	struct noise *n;
	struct buf m[2];

	(void)state;
	check_ok(sign_pair_seed(&p, &seed, &e), &e);
	for (size_t i = 0; i < 2; i++) {
		const struct noise_opts o = {.pattern = NOISE_IK,
		    .initiator = true,
		    .pair = &p,
		    .remote = &p.pub};

		check_ok(noise_new(&n, &o, &e), &e);
		buf_init(&m[i], NOISE_MESSAGE_MAX);
		check_code(noise_send(n, view_of(big, sizeof(big)), &m[i], &e),
		    ERR_LIMIT);
		check_ok(
		    noise_send(n, view_of(big, NOISE_PAYLOAD_MAX), &m[i], &e),
		    &e);
		check(m[i].len == NOISE_MESSAGE_MAX);
		noise_free(n);
	}
	check(memcmp(m[0].data, m[1].data, 32) != 0);
	buf_deinit(&m[0]);
	buf_deinit(&m[1]);
	sign_pair_free(&p);
	noise_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ik),
	    cmocka_unit_test(test_xx),
	    cmocka_unit_test(test_wrong_messages),
	    cmocka_unit_test(test_strangers),
	    cmocka_unit_test(test_low_order),
	    cmocka_unit_test(test_turns_and_sizes),
	    cmocka_unit_test(test_random_and_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
