/*
 * What hole punchers tell each other. Input: the plaintext. What decodes
 * survives encoding and a box, lists are cut, and a box with one bit changed
 * is refused.
 */
#include <string.h>

#include "net/dht/punch_payload.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_box(const struct punch_payload *p, struct view plain, uint8_t at)
{
	static const uint8_t hash[64] = {7};
	struct err e = ERR_INIT;
	struct punch_payload q;
	struct secret secret;
	struct buf box, again;

	buf_init(&box, PUNCH_BOX_MAX);
	buf_init(&again, PUNCH_BOX_MAX);
	check_ok(punch_payload_secret(&secret, hash, &e), &e);
	punch_payload_seal(&box, p, &secret);
	check(box.failed == ERR_OK && box.len == 24 + 16 + plain.len);
	check(punch_payload_open(&q, buf_view(&box), &secret));
	punch_payload_encode(&again, &q);
	check(view_eq(buf_view(&again), plain));
	box.data[at % box.len] ^= 1;
	check(!punch_payload_open(&q, buf_view(&box), &secret));
	secret_free(&secret);
	buf_deinit(&box);
	buf_deinit(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct punch_payload p, q;
	struct buf plain, again;

	if (!punch_payload_decode(&p, view_of(data, size)))
		return 0;
	check(p.naddresses <= PUNCH_ADDRS_MAX);
	check(p.has_addresses || p.naddresses == 0);
	buf_init(&plain, PUNCH_BOX_MAX);
	buf_init(&again, PUNCH_BOX_MAX);
	punch_payload_encode(&plain, &p);
	check(plain.failed == ERR_OK && plain.len <= size);
	check(punch_payload_decode(&q, buf_view(&plain)));
	punch_payload_encode(&again, &q);
	check(view_eq(buf_view(&again), buf_view(&plain)));
	check_box(&p, buf_view(&plain), data[size - 1]);
	buf_deinit(&plain);
	buf_deinit(&again);
	return 0;
}
