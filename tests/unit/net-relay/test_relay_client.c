/* A pair at a relay: whole sessions of the original, and what a relay may say
 * that is no answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "net/mux/mux.h"
#include "net/relay/relay_client.h"
#include "vec.h"

static const struct b32 own = {{7}};
static const struct relay_pair ours = {
    .initiator = true, .token = {{9}}, .id = 123456};

static struct relay_client *
fresh(void)
{
	struct relay_client *c;
	struct err e = ERR_INIT;

	check_ok(relay_client_new(&c, &own, &ours, &e), &e);
	return c;
}

static enum relay_state
state_of(const struct relay_client *c)
{
	uint32_t id;

	return relay_client_state(c, &id);
}

static void
recv_ok(struct relay_client *c, struct view frame)
{
	struct err e = ERR_INIT;

	check_ok(relay_client_recv(c, frame, &e), &e);
}

/* -- golden --------------------------------------------------------------- */

/* The bytes of ours, without how they are put into frames. */
static void
take_all(struct relay_client *c, struct mux *other)
{
	struct err e = ERR_INIT;
	uint8_t *data;
	size_t len;

	while (relay_client_take(c, &data, &len)) {
		struct mux_event ev;
		struct view v = view_of(data + MUX_FRAME_HEAD, len);

		check_ok(mux_recv(other, v, &e), &e);
		while (mux_next(other, &ev, &e)) {
			struct relay_pair p;

			if (ev.kind == MUX_OFFERED)
				check(view_eq(ev.protocol,
					  view_str(RELAY_PROTOCOL)) &&
				      ev.id.len == 32 && ev.handshake.len == 0);
			if (ev.kind != MUX_MESSAGE)
				continue;
			check(ev.type == RELAY_PAIR);
			check(relay_message_pair_decode(&p, ev.body));
			check(p.id > 0 && p.seq == 0);
		}
		check(e.code == ERR_OK);
		free(data);
	}
}

static void
one_session(const json_t *v)
{
	struct relay_pair p = {.id = (uint32_t)vec_num(v, "stream")};
	struct relay_client *c;
	struct err e = ERR_INIT;
	uint32_t id = 0;
	struct b32 key;
	struct mux *m;
	json_t *f;
	size_t i;

	p.initiator = json_is_true(vec_at(v, "initiator"));
	vec_b32_at(v, "token", &p.token);
	vec_b32_at(v, "key", &key);
	check_ok(relay_client_new(&c, &key, &p, &e), &e);
	check_ok(mux_new(&m, &(struct mux_limits){0}, &e), &e);
	take_all(c, m);
	json_array_foreach(vec_at(v, "frames"), i, f)
	{
		if (strcmp(vec_str(f, "from"), "relay") != 0)
			continue;
		check(relay_client_state(c, &id) == RELAY_WAITING);
		recv_ok(c, vec_hex_at(f, "hex"));
	}
	check(relay_client_state(c, &id) == RELAY_PAIRED);
	check(id == vec_num(v, "answer"));
	mux_free(m);
	relay_client_free(c);
}

static void
golden(void **state)
{
	json_t *root = vec_load("net/blind-relay"), *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(root, "sessions"), i, v) one_session(v);
	check(i == 2);
	json_decref(root);
}

/* What we send, message by message, is what the original sends. */
static void
same_as_original(void **state)
{
	json_t *root = vec_load("net/blind-relay");
	json_t *v = json_array_get(vec_at(root, "sessions"), 0), *f;
	struct relay_pair p = {.initiator = true, .id = 500};
	struct relay_client *c;
	struct err e = ERR_INIT;
	struct b32 key;
	struct buf all;
	uint8_t *data;
	size_t i, len;

	(void)state;
	buf_init(&all, 4096);
	vec_b32_at(v, "token", &p.token);
	vec_b32_at(v, "key", &key);
	check_ok(relay_client_new(&c, &key, &p, &e), &e);
	while (relay_client_take(c, &data, &len)) {
		buf_append(&all, view_of(data + MUX_FRAME_HEAD, len));
		free(data);
	}
	json_array_foreach(vec_at(v, "frames"), i, f)
	{
		struct view want = vec_hex_at(f, "hex");

		/* ours go as one batch: the body is somewhere in it */
		if (strcmp(vec_str(f, "from"), "client") == 0)
			check(memmem(all.data, all.len, want.ptr + 2,
				  want.len - 2) != NULL);
	}
	buf_deinit(&all);
	relay_client_free(c);
	json_decref(root);
}

/* -- a relay -------------------------------------------------------------- */

struct relay {
	struct mux *m;
	struct mux_channel *ch;
};

static void
relay_open(struct relay *r, const char *protocol, struct view id)
{
	struct err e = ERR_INIT;

	if (r->m == NULL)
		check_ok(mux_new(&r->m, &(struct mux_limits){0}, &e), &e);
	check_ok(mux_open(r->m, view_str(protocol), id, VIEW_EMPTY, NULL,
		     &r->ch, &e),
	    &e);
}

static void
relay_say(struct relay *r, uint64_t type, const struct relay_pair *p)
{
	struct err e = ERR_INIT;

	relay_message_pair_encode(mux_begin(r->ch, type, 64), p);
	check_ok(mux_end(r->m, &e), &e);
}

static void
relay_flush(struct relay *r, struct relay_client *to)
{
	uint8_t *data;
	size_t len;

	while (mux_take(r->m, &data, &len)) {
		recv_ok(to, view_of(data + MUX_FRAME_HEAD, len));
		free(data);
	}
}

/* Another token, the other's part, another message, a second answer. */
static void
answers(void **state)
{
	struct relay_client *c = fresh();
	struct relay_pair p = ours;
	struct relay r = {0};
	uint32_t id = 0;

	(void)state;
	relay_open(&r, RELAY_PROTOCOL, view_b32(&own));
	p.token.b[31] = 1;
	relay_say(&r, RELAY_PAIR, &p);
	p = ours;
	p.initiator = false;
	relay_say(&r, RELAY_PAIR, &p);
	p = ours;
	relay_say(&r, RELAY_PAIR + 1, &p);
	relay_say(&r, 77, &p);
	relay_flush(&r, c);
	check(state_of(c) == RELAY_WAITING);
	p.id = 42;
	relay_say(&r, RELAY_PAIR, &p);
	p.id = 43;
	relay_say(&r, RELAY_PAIR, &p);
	relay_flush(&r, c);
	check(relay_client_state(c, &id) == RELAY_PAIRED && id == 42);
	mux_free(r.m);
	relay_client_free(c);
}

static void
refused(void **state)
{
	struct relay_client *c = fresh();
	struct relay r = {0};
	struct err e = ERR_INIT;

	(void)state;
	/* it closes what it opened */
	relay_open(&r, RELAY_PROTOCOL, view_b32(&own));
	relay_flush(&r, c);
	mux_close(r.m, r.ch);
	relay_flush(&r, c);
	check(state_of(c) == RELAY_REFUSED);
	relay_client_free(c);
	/* it does not know the protocol: reject of our channel 1 */
	c = fresh();
	check_ok(relay_client_recv(c, vec_hex("000201"), &e), &e);
	check(state_of(c) == RELAY_REFUSED);
	mux_free(r.m);
	relay_client_free(c);
}

/* Channels of other protocols, or for other keys, are refused, and change
 * nothing. */
static void
strangers(void **state)
{
	struct relay_client *c = fresh();
	const struct b32 other = {{8}};
	struct relay r = {0};

	(void)state;
	relay_open(&r, RELAY_PROTOCOL, view_b32(&own));
	for (int i = 0; i < 40; i++) {
		relay_open(&r, "corestore", VIEW_EMPTY);
		relay_open(&r, RELAY_PROTOCOL, view_b32(&other));
		relay_say(&r, RELAY_PAIR, &ours);
		relay_flush(&r, c);
		take_all(c, r.m);
	}
	check(state_of(c) == RELAY_WAITING);
	mux_free(r.m);
	relay_client_free(c);
}

static void
garbage(void **state)
{
	static const char *const bad[] = {"0001", "00010120", "0000", "01"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct relay_client *c = fresh();

		e = (struct err)ERR_INIT;
		if (relay_client_recv(c, vec_hex(bad[i]), &e) == ERR_OK)
			check(e.code == ERR_OK);
		check(state_of(c) == RELAY_WAITING);
		relay_client_free(c);
	}
	relay_client_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(golden),
	    cmocka_unit_test(same_as_original),
	    cmocka_unit_test(answers),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(strangers),
	    cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
