#include "tests/unit/blobs/blobfix.h"

#include "blobs/tables.h"
#include "crypto/hash.h"

/* Cut v as it arrives in steps; returns the number of chunks. */
static size_t
cut_all(enum chunker_kind kind, struct view v, size_t step, size_t *size,
    size_t max)
{
	struct chunker c;
	size_t at = 0, last = 0, n = 0, took;
	struct view part;
	bool cut;

	chunker_init(&c, kind);
	while (at < v.len) {
		part = view_sub(v, at, step);
		while (part.len > 0) {
			took = chunker_scan(&c, part, &cut);
			check(took > 0 && took <= part.len);
			check(cut || took == part.len);
			part = view_sub(part, took, part.len);
			at += took;
			if (!cut)
				continue;
			check(n < max);
			size[n++] = at - last;
			last = at;
		}
	}
	if (last < v.len)
		size[n++] = v.len - last;
	return n;
}

static uint8_t *
vector_input(const char *label, size_t n)
{
	uint8_t *p;

	if (strncmp(label, "prng seed 2", 11) == 0)
		return prng(n, 2);
	if (strncmp(label, "prng", 4) == 0) {
		p = prng(8 << 20, 1);
		if (strstr(label, "changed") != NULL)
			p[1000000] ^= 0xff;
		if (strstr(label, "inserted") != NULL) {
			check((p = realloc(p, n)) != NULL);
			memmove(p + 2000003, p + 2000000, n - 2000003);
			memcpy(p + 2000000, "abc", 3);
		}
		return p;
	}
	check((p = malloc(n + 1)) != NULL);
	memset(p, strncmp(label, "ff", 2) == 0 ? 0xff : 0, n);
	return p;
}

static void
test_rabin_vectors(void **state)
{
	json_t *doc = vec_load("rabin"), *list = vec_at(doc, "chunks"), *c;
	static const size_t steps[] = {SIZE_MAX, 65536, 1000};
	size_t i, n, size[64], want;
	uint8_t *p;

	(void)state;
	json_array_foreach(list, i, c)
	{
		json_t *sizes = vec_at(c, "chunks");
		struct view v;
		struct b32 hash;

		n = vec_num(c, "bytes");
		p = vector_input(vec_str(c, "label"), n);
		v = view_of(p, n);
		hash_data(&hash, v);
		check_same(view_b32(&hash), vec_hex_at(c, "sha"));
		for (size_t s = 0; s < 3; s++) {
			want = json_array_size(sizes);
			check(cut_all(CHUNKER_RABIN, v, steps[s], size, 64) ==
			      want);
			for (size_t k = 0; k < want; k++)
				check(size[k] == (size_t)json_integer_value(
						     json_array_get(sizes, k)));
		}
		free(p);
	}
	json_decref(doc);
}

static void
test_fixed(void **state)
{
	static const size_t cases[][2] = {
	    {0, 0}, {1, 1}, {65535, 1}, {65536, 1}, {65537, 2}, {131072, 2}};
	size_t size[4];
	uint8_t *p = prng(131072, 7);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = cut_all(
		    CHUNKER_FIXED, view_of(p, cases[i][0]), 4099, size, 4);

		check(n == cases[i][1]);
		for (size_t k = 0; k + 1 < n; k++)
			check(size[k] == 65536);
	}
	free(p);
}

/* Bounds, average, and independence of the way bytes arrive. */
static void
test_cdc(void **state)
{
	static const size_t steps[] = {16 << 20, 65536, 16383, 1};
	size_t n = 16 << 20, size[4][1200], count;
	uint8_t *p = prng(n, 5);

	(void)state;
	for (size_t s = 0; s < 4; s++) {
		count = cut_all(
		    CHUNKER_CDC, view_of(p, n), steps[s], size[s], 1199);
		check(n / count > 56 << 10 && n / count < 72 << 10);
		for (size_t k = 0; k < count; k++) {
			check(size[s][k] <= chunker_max(CHUNKER_CDC));
			check(k + 1 == count || size[s][k] >= 16384);
			check(size[s][k] == size[0][k]);
		}
	}
	free(p);
}

/* An inserted byte changes the chunk it falls into, and few others. */
static void
test_cdc_resync(void **state)
{
	size_t n = 8 << 20, a[600], b[600], na, nb, same = 0;
	uint8_t *p = prng(n + 1, 6);

	(void)state;
	na = cut_all(CHUNKER_CDC, view_of(p, n), n, a, 599);
	memmove(p + 4000001, p + 4000000, n - 4000000);
	nb = cut_all(CHUNKER_CDC, view_of(p, n + 1), n + 1, b, 599);
	while (same < na && same < nb && a[na - 1 - same] == b[nb - 1 - same])
		same++;
	check(same > na / 2 - 10);
	for (size_t k = 0; k < na / 2 - 10; k++)
		check(a[k] == b[k]);
	free(p);
}

/* No place to cut: the maximum cuts. */
static void
test_cdc_constant(void **state)
{
	size_t n = 1 << 20, size[64], count;
	uint8_t *p = calloc(1, n);

	(void)state;
	check(p != NULL);
	count = cut_all(CHUNKER_CDC, view_of(p, n), n, size, 63);
	for (size_t k = 1; k < count; k++)
		check(size[k] == size[0]);
	check(size[0] <= 262144);
	free(p);
}

static uint64_t
gf_shift8(uint64_t x)
{
	const uint64_t poly = UINT64_C(0x3DA3358B4DC173);

	for (int i = 0; i < 8; i++) {
		x <<= 1;
		if (x >> 53)
			x ^= poly;
	}
	return x;
}

static uint64_t
gf_mod_top(uint64_t b)
{
	uint64_t x = b;

	/* b * x^53: shift one by one, reducing as degree 53 appears */
	for (int i = 0; i < 53; i++) {
		x <<= 1;
		if (x >> 53)
			x ^= UINT64_C(0x3DA3358B4DC173);
	}
	return x;
}

static void
test_tables(void **state)
{
	uint64_t s = UINT64_C(0x70656172206765), z;

	(void)state;
	for (unsigned b = 0; b < 256; b++) {
		s += UINT64_C(0x9E3779B97F4A7C15);
		z = (s ^ (s >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
		check(blobs_gear[b] == (z ^ (z >> 31)));
		check(
		    blobs_rabin_mod[b] == (gf_mod_top(b) ^ (uint64_t)b << 53));
		z = b;
		for (int i = 0; i < 63; i++)
			z = gf_shift8(z);
		check(blobs_rabin_out[b] == z);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rabin_vectors),
	    cmocka_unit_test(test_fixed),
	    cmocka_unit_test(test_cdc),
	    cmocka_unit_test(test_cdc_resync),
	    cmocka_unit_test(test_cdc_constant),
	    cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
