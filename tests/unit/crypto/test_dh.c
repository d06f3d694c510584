/* Diffie-Hellman: net/hyperdht.json, and points that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "crypto/dh.h"
#include "crypto/sign.h"
#include "support/vec.h"

static void
pair_of(struct sign_pair *p, const json_t *o, const char *seed)
{
	struct err e = ERR_INIT;
	struct b32 s;

	vec_b32_at(o, seed, &s);
	check_ok(sign_pair_seed(p, &s, &e), &e);
}

/* The n-th mixKey of the transcript. */
static const char *
dh_of(const json_t *noise, size_t n)
{
	const json_t *step;
	size_t i;

	json_array_foreach(vec_at(noise, "steps"), i,
	    step) if (strcmp(vec_str(step, "op"), "mixKey") == 0 &&
		      n-- == 0) return vec_str(step, "dh");
	vec_fail(__FILE__, __LINE__, "too few steps");
}

static void
test_transcript(void **state)
{
	/* local and remote of the four DHs of IK, in order; initiator's view */
	static const struct {
		const char *local, *remote;
		size_t nth;
	} rows[] = {
	    {"clientEphemeralSeed", "serverSeed", 0},
	    {"clientSeed", "serverSeed", 1},
	    {"clientEphemeralSeed", "serverEphemeralSeed", 4},
	    {"clientSeed", "serverEphemeralSeed", 5},
	};
	json_t *v = vec_load("net/hyperdht");
	const json_t *noise = vec_at(v, "noise");
	struct sign_pair a, b;
	uint8_t ab[DH_LEN], ba[DH_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pair_of(&a, noise, rows[i].local);
		pair_of(&b, noise, rows[i].remote);
		check(dh_make(ab, a.sec.ptr, &b.pub));
		check(dh_make(ba, b.sec.ptr, &a.pub));
		check_view_hex(view_of(ab, DH_LEN), dh_of(noise, rows[i].nth));
		check(memcmp(ab, ba, DH_LEN) == 0);
		sign_pair_free(&a);
		sign_pair_free(&b);
	}
	json_decref(v);
}

/* Points of low order, not on the curve, not in canonical form. */
static void
test_refused_points(void **state)
{
	static const char *const points[] = {
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	    "0200000000000000000000000000000000000000000000000000000000000000",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	static const uint8_t zeros[DH_LEN];
	const struct b32 seed = {{7}};
	struct err e = ERR_INIT;
	struct sign_pair p;
	struct b32 point;
	uint8_t out[DH_LEN];

	(void)state;
	check_ok(sign_pair_seed(&p, &seed, &e), &e);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		memcpy(point.b, vec_hex(points[i]).ptr, 32);
		memset(out, 0xff, sizeof(out));
		check(!dh_make(out, p.sec.ptr, &point));
		check(memcmp(out, zeros, sizeof(out)) == 0);
	}
	sign_pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_transcript),
	    cmocka_unit_test(test_refused_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
