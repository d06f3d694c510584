/*
 * Sealed secrets: bytes from a stranger, whose costs are lowered here so that
 * a run takes microseconds and absurd ones are still seen; and the input as a
 * secret, sealed, opened again, and damaged at a byte the input chooses.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/seal.h"
#include "support/vec.h"

#define COSTS_AT 9
#define COSTS_LEN 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Does the field at p hold a number from low to high? */
static bool
between(const uint8_t *p, uint64_t low, uint64_t high)
{
	uint64_t n = 0;

	for (size_t i = 8; i > 0; i--)
		n = n << 8 | p[i - 1];
	return low <= n && n <= high;
}

/* Allowed costs become the smallest ones; all others must be refused. */
static bool
lower(uint8_t *sealed)
{
	uint8_t *ops = sealed + COSTS_AT, *mem = ops + 8;

	if (!between(ops, 1, 16) || !between(mem, 8192, UINT64_C(1) << 30))
		return false;
	memset(ops, 0, COSTS_LEN);
	ops[0] = 1;
	mem[1] = 0x20;
	return true;
}

static void
foreign(const uint8_t *data, size_t size, const struct secret *password)
{
	struct secret got = {NULL, 0};
	struct err e = ERR_INIT;
	uint8_t *copy = malloc(size + 1);
	bool allowed = true;
	enum err_code rc;

	check(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	if (size >= COSTS_AT + COSTS_LEN)
		allowed = lower(copy);
	rc = seal_open(
	    &got, view_of(copy, size), view_str("fuzz"), password, &e);
	check(rc == ERR_FORMAT || rc == ERR_VERSION ||
	      (allowed && rc == ERR_VERIFY));
	check(got.ptr == NULL);
	free(copy);
}

static void
own(const uint8_t *data, size_t size, const struct secret *password)
{
	struct secret got = {NULL, 0};
	struct err e = ERR_INIT;
	size_t at;
	struct buf b;

	buf_init(&b, 2u << 20);
	check_ok(seal_make(&b, view_of(data, size), view_str("fuzz"), password,
		     SEAL_COST_TEST, &e),
	    &e);
	check_ok(
	    seal_open(&got, buf_view(&b), view_str("fuzz"), password, &e), &e);
	check_same(secret_view(&got), view_of(data, size));
	secret_free(&got);
	/* anywhere but in the costs */
	at = COSTS_AT + COSTS_LEN + data[0] % (b.len - COSTS_AT - COSTS_LEN);
	b.data[at] ^= (uint8_t)(data[size - 1] | 1);
	check_code(
	    seal_open(&got, buf_view(&b), view_str("fuzz"), password, &e),
	    ERR_VERIFY);
	check(got.ptr == NULL);
	buf_deinit(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct secret password;

	check_ok(secret_copy(&password, view_str("password"), &e), &e);
	foreign(data, size, &password);
	if (size > 0 && size <= 4096)
		own(data, size, &password);
	secret_free(&password);
	return 0;
}
