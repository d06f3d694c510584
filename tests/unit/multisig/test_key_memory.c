/* Nothing of a key or its password stays in memory: the test searches itself.
 * What it searches for is kept with every bit turned around. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "multisig/keyfile.h"
#include "support/vec.h"

#define LEN 32
#define CHUNK 65536
#define MAP_MAX (UINT64_C(256) << 20) /* sanitizers map terabytes */

static void
turn(uint8_t out[static LEN], const uint8_t in[static LEN])
{
	for (size_t i = 0; i < LEN; i++)
		out[i] = (uint8_t)~in[i];
}

static bool
is_there(const uint8_t *at, const uint8_t turned[static LEN])
{
	for (size_t i = 0; i < LEN; i++)
		if ((at[i] ^ turned[i]) != 0xff)
			return false;
	return true;
}

/* Occurrences in one mapping, but for those in the buffer that reads it. */
static size_t
count_in(int mem, uint64_t from, uint64_t to, const uint8_t *turned)
{
	static uint8_t chunk[CHUNK];
	size_t n = 0;

	for (uint64_t at = from; at + LEN <= to; at += CHUNK - LEN) {
		size_t want = to - at < CHUNK ? (size_t)(to - at) : CHUNK;
		ssize_t got = pread(mem, chunk, want, (off_t)at);

		for (ssize_t i = 0; i + LEN <= got; i++) {
			uint64_t here = at + (uint64_t)i;

			if (here + LEN > (uintptr_t)chunk &&
			    here < (uintptr_t)chunk + CHUNK)
				continue;
			n += is_there(chunk + i, turned);
		}
	}
	memset(chunk, 0, sizeof(chunk));
	return n;
}

static size_t
count(const uint8_t turned[static LEN])
{
	FILE *maps = fopen("/proc/self/maps", "r");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char line[1024];
	size_t n = 0;

	check(maps != NULL && mem >= 0);
	while (fgets(line, sizeof(line), maps) != NULL) {
		uint64_t from = strtoull(line, NULL, 16);
		char *dash = strchr(line, '-');
		uint64_t to = dash ? strtoull(dash + 1, NULL, 16) : from;
		char *rights = strchr(line, ' ');

		if (rights != NULL && strncmp(rights, " rw", 3) == 0 &&
		    to - from <= MAP_MAX)
			n += count_in(mem, from, to, turned);
	}
	(void)fclose(maps);
	(void)close(mem);
	return n;
}

/* 32 random bytes that only `turned` knows; the plain ones are in *out. */
static void
make_secret(struct secret *out, uint8_t turned[static LEN])
{
	struct err e = ERR_INIT;

	check_ok(secret_new(out, LEN, &e), &e);
	secret_random(out->ptr, LEN);
	turn(turned, out->ptr);
}

static void
test_search_finds(void **state)
{
	uint8_t turned[LEN];
	struct secret s;
	uint8_t *copy = malloc(LEN);

	(void)state;
	check(copy != NULL);
	make_secret(&s, turned);
	memset(copy, 0, LEN);
	size_t before = count(turned);
	memcpy(copy, s.ptr, LEN);
	check(count(turned) == before + 1);
	secret_wipe(copy, LEN);
	free(copy);
	secret_free(&s);
	check(count(turned) == 0);
}

static void
test_nothing_stays(void **state)
{
	struct secret password, seed;
	uint8_t turned_password[LEN], turned_seed[LEN];
	struct sign_pair pair, got;
	struct err e = ERR_INIT;
	const uint8_t id[8] = {0};
	struct keyfile k;
	struct b32 b;

	(void)state;
	make_secret(&password, turned_password);
	make_secret(&seed, turned_seed);
	memcpy(b.b, seed.ptr, LEN);
	secret_free(&seed);
	check_ok(sign_pair_seed(&pair, &b, &e), &e);
	secret_wipe(&b, sizeof(b));
	check_ok(
	    keyfile_make(&k, &pair, id, &password, KEYFILE_COST_TEST, &e), &e);
	sign_pair_free(&pair);
	check_ok(keyfile_open(&got, NULL, &k, &password, &e), &e);
	sign_pair_free(&got);
	k.payload[0] ^= 1; /* and when it fails */
	check_code(keyfile_open(&got, NULL, &k, &password, &e), ERR_VERIFY);
	secret_free(&password);
	check(count(turned_seed) == 0);
	check(count(turned_password) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_search_finds),
	    cmocka_unit_test(test_nothing_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
