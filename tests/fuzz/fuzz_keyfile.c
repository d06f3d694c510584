/*
 * Key files of strangers: what decodes is within the caps, encodes to a file
 * that decodes to the same, as bytes and as text. It is opened too, with its
 * costs lowered here unless they are those of the vectors. The input as a secret: made into a file, opened, and damaged
 * at a byte the input chooses.
 */
#include <string.h>

#include "codec/z32.h"
#include "multisig/keyfile.h"
#include "support/vec.h"

/* What the files of the vectors cost. */
#define CHEAP_OPS 32768
#define CHEAP_MEM 16777216

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same(const struct keyfile *a, const struct keyfile *b)
{
	return a->version == b->version && a->ops == b->ops &&
	       a->mem == b->mem && b32_eq(&a->salt, &b->salt) &&
	       memcmp(a->payload, b->payload, sizeof(a->payload)) == 0 &&
	       a->has_pub == b->has_pub &&
	       (!a->has_pub || b32_eq(&a->pub, &b->pub));
}

static void
round_trip(const struct keyfile *k)
{
	struct err e = ERR_INIT;
	struct keyfile again;
	struct buf bytes;
	struct buf text;

	buf_init(&bytes, KEYFILE_TEXT_MAX);
	buf_init(&text, KEYFILE_TEXT_MAX);
	keyfile_encode(&bytes, k);
	z32_encode(&text, buf_view(&bytes));
	check_ok(buf_check(&text, &e), &e);
	check(bytes.len == (k->version == 0 ? 153 : 186));
	check_ok(keyfile_decode(&again, buf_view(&bytes), &e), &e);
	check(same(k, &again));
	check_ok(keyfile_decode(&again, buf_view(&text), &e), &e);
	check(same(k, &again));
	buf_deinit(&text);
	buf_deinit(&bytes);
}

static void
foreign(struct view file, const struct secret *password)
{
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct err e = ERR_INIT;
	struct keyfile k;
	enum err_code rc = keyfile_decode(&k, file, &e);

	if (rc != ERR_OK) {
		check(rc == ERR_FORMAT || rc == ERR_VERSION || rc == ERR_LIMIT);
		check(e.msg[0] != '\0');
		return;
	}
	check(k.version <= 1 && k.has_pub == (k.version == 1));
	check(k.ops <= KEYFILE_OPS_MAX && k.mem <= KEYFILE_MEM_MAX);
	round_trip(&k);
	if (k.ops != CHEAP_OPS || k.mem != CHEAP_MEM)
		k.ops = k.mem = 0;
	rc = keyfile_open(&pair, NULL, &k, password, &e);
	check(rc == ERR_OK || rc == ERR_VERIFY || rc == ERR_CORRUPT);
	check((rc == ERR_OK) == (pair.sec.ptr != NULL));
	if (rc == ERR_OK)
		check(!k.has_pub || b32_eq(&k.pub, &pair.pub));
	sign_pair_free(&pair);
}

static void
own(const uint8_t data[static 32], const struct secret *password)
{
	struct sign_pair pair;
	struct sign_pair got = {.sec = {NULL, 0}};
	struct err e = ERR_INIT;
	struct keyfile k;
	struct b32 seed;
	uint8_t id[8];

	memcpy(seed.b, data, sizeof(seed.b));
	check_ok(sign_pair_seed(&pair, &seed, &e), &e);
	check_ok(
	    keyfile_make(&k, &pair, data, password, KEYFILE_COST_TEST, &e), &e);
	round_trip(&k);
	check_ok(keyfile_open(&got, id, &k, password, &e), &e);
	check_same(secret_view(&got.sec), secret_view(&pair.sec));
	check_same(view_of(id, 8), view_of(data, 8));
	sign_pair_free(&got);
	k.payload[data[0] % sizeof(k.payload)] ^= (uint8_t)(data[1] | 1);
	check_code(keyfile_open(&got, id, &k, password, &e), ERR_VERIFY);
	check(got.sec.ptr == NULL);
	sign_pair_free(&pair);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct secret password;

	check_ok(
	    secret_copy(&password, view_str("correct horse battery"), &e), &e);
	foreign(view_of(data, size), &password);
	/* rarely: each costs milliseconds */
	if (size >= 32 && data[31] == 'K')
		own(data, &password);
	secret_free(&password);
	return 0;
}
