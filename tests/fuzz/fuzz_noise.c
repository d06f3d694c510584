/*
 * A handshake on a bad line. The first byte picks pattern and prologues; then
 * come edits of three bytes, one for each message in turn: what, where, value.
 * A message as it was sent is taken; both sides agree in the end exactly if
 * no changed message was taken; a message that was refused changes nothing,
 * so the right one is taken after it.
 */
#include <string.h>

#include "codec/dec.h"
#include "net/noise/noise.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum edit { AS_IT_IS, FLIP, CUT, GROW, REPEAT, SWAP, RAW, EDITS };

static struct sign_pair keys[4];

static void
make_keys(void)
{
	struct err e = ERR_INIT;

	if (keys[0].sec.ptr != NULL)
		return;
	for (size_t i = 0; i < 4; i++) {
		const struct b32 seed = {{(uint8_t)(i + 1)}};

		check_ok(sign_pair_seed(&keys[i], &seed, &e), &e);
	}
}

static void
start(struct noise *n[2], uint8_t how)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < 2; i++) {
		struct noise_opts o = {.pattern = how & 1 ? NOISE_XX : NOISE_IK,
		    .initiator = i == 0,
		    .pair = &keys[i],
		    .prologue = view_str(how & 2 ? "prologue" : ""),
		    .ephemeral = &keys[2 + i]};

		if (o.pattern == NOISE_IK && i == 0)
			o.remote = &keys[1].pub;
		check_ok(noise_new(&n[i], &o, &e), &e);
	}
}

/* The message as it arrives. */
static void
spoil(struct buf *m, const struct buf *last, struct dec *d)
{
	enum edit what = (enum edit)(dec_u8(d) % EDITS);
	size_t at = dec_u8(d), n;
	uint8_t value = dec_u8(d);

	if (!dec_ok(d))
		return;
	at %= m->len;
	switch (what) {
	case AS_IT_IS:
	case EDITS:
		break;
	case FLIP:
		m->data[at] ^= value;
		break;
	case CUT:
		m->len = at;
		break;
	case GROW:
		buf_fill(m, value, at + 1);
		break;
	case REPEAT:
		buf_reset(m);
		buf_append(m, buf_view(last));
		break;
	case SWAP:
		n = value % m->len;
		m->data[at] ^= m->data[n];
		m->data[n] ^= m->data[at] ^ value;
		break;
	case RAW:
		n = dec_left(d) < value ? dec_left(d) : value;
		buf_reset(m);
		buf_append(m, dec_fixed(d, n));
		break;
	}
}

static void
agree(struct noise *n[2], bool changed)
{
	struct noise_keys k[2];
	struct err e = ERR_INIT;

	check(!changed);
	for (size_t i = 0; i < 2; i++) {
		check_ok(noise_result(n[i], &k[i], &e), &e);
		check(b32_eq(&k[i].remote, &keys[1 - i].pub));
	}
	check(memcmp(k[0].hash, k[1].hash, 64) == 0);
	check_same(secret_view(&k[0].tx), secret_view(&k[1].rx));
	check_same(secret_view(&k[0].rx), secret_view(&k[1].tx));
	check(memcmp(k[0].tx.ptr, k[0].rx.ptr, 32) != 0);
	noise_keys_free(&k[0]);
	noise_keys_free(&k[1]);
}

/* One message to the other side. False: it ends here. */
static bool
exchange(struct noise *n[2], struct buf *last, struct dec *d, bool *changed)
{
	size_t from = noise_sends(n[0]) ? 0 : 1;
	struct buf sent, came, payload;
	struct err e = ERR_INIT;
	bool same, went;

	buf_init(&sent, NOISE_MESSAGE_MAX);
	buf_init(&came, 4 * NOISE_MESSAGE_MAX);
	buf_init(&payload, 4 * NOISE_MESSAGE_MAX);
	went = noise_send(n[from], view_str("payload"), &sent, &e) == ERR_OK;
	check(went || (*changed && e.code == ERR_VERIFY && sent.len == 0));
	if (went) {
		buf_append(&came, buf_view(&sent));
		spoil(&came, last, d);
		same = view_eq(buf_view(&came), buf_view(&sent));
		went = noise_recv(n[1 - from], buf_view(&came), &payload, &e) ==
		       ERR_OK;
		check(went || (e.code == ERR_VERIFY && payload.len == 0));
		check(went || !same || *changed);
		if (went && !same)
			*changed = true;
		else if (!went && !*changed) {
			check_ok(noise_recv(n[1 - from], buf_view(&sent),
				     &payload, &e),
			    &e);
			went = true;
		}
		check(!went || !same ||
		      view_eq(buf_view(&payload), view_str("payload")));
		buf_reset(last);
		buf_append(last, buf_view(&sent));
	}
	buf_deinit(&sent);
	buf_deinit(&came);
	buf_deinit(&payload);
	return went;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct noise *n[2];
	struct buf last;
	struct dec d;
	bool changed = false, on = true;
	uint8_t how;

	make_keys();
	dec_init(&d, view_of(data, size));
	how = dec_u8(&d);
	start(n, how);
	buf_init(&last, NOISE_MESSAGE_MAX);
	while (on && (noise_sends(n[0]) || noise_sends(n[1])))
		on = exchange(n, &last, &d, &changed);
	if (noise_done(n[0]) && noise_done(n[1]) && on)
		agree(n, changed);
	/* a first message of XX alone may be changed unnoticed */
	check(!changed || (how & 1) != 0);
	noise_free(n[0]);
	noise_free(n[1]);
	buf_deinit(&last);
	return 0;
}
