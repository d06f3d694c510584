/*
 * A blind relay that says anything. First byte even: a pair message, which is
 * written again so that it decodes to the same. Odd: frames, each with a
 * length of two bytes; we are paired only by an answer with our token, and
 * what we say stays small.
 */
#include <stdlib.h>
#include <string.h>

#include "net/relay/relay_client.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
message(struct view in)
{
	struct relay_pair p, again;
	struct buf b;

	if (!relay_message_pair_decode(&p, in))
		return;
	buf_init(&b, 64);
	relay_message_pair_encode(&b, &p);
	check(b.failed == ERR_OK && b.len <= in.len + 16);
	check(relay_message_pair_decode(&again, buf_view(&b)));
	check(p.initiator == again.initiator && p.id == again.id);
	check(p.seq == again.seq && b32_eq(&p.token, &again.token));
	buf_deinit(&b);
}

static bool
contains(struct view v, struct view part)
{
	return v.len >= part.len &&
	       memmem(v.ptr, v.len, part.ptr, part.len) != NULL;
}

static void
drain(struct relay_client *c)
{
	uint8_t *data;
	size_t len;

	while (relay_client_take(c, &data, &len)) {
		check(len > 0 && len < 65536);
		free(data);
	}
}

static void
frames(struct view in)
{
	static const struct b32 own = {{1, 2, 3}};
	struct relay_pair pair = {.initiator = true, .id = 5};
	struct err e = ERR_INIT;
	struct relay_client *c;
	uint32_t id = 0;
	struct dec d;

	memset(pair.token.b, 0xaa, sizeof(pair.token.b));
	check_ok(relay_client_new(&c, &own, &pair, &e), &e);
	dec_init(&d, in);
	while (dec_ok(&d) && dec_left(&d) > 0) {
		size_t n = dec_u16le(&d);
		struct view frame = dec_fixed(&d, n);

		if (!dec_ok(&d))
			break;
		if (relay_client_recv(c, frame, &e) != ERR_OK) {
			check(e.msg[0] != '\0');
			break;
		}
		drain(c);
	}
	if (relay_client_state(c, &id) == RELAY_PAIRED)
		check(contains(in, view_b32(&pair.token)));
	drain(c);
	relay_client_free(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if ((data[0] & 1) == 0)
		message(view_of(data + 1, size - 1));
	else
		frames(view_of(data + 1, size - 1));
	return 0;
}
