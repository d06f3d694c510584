/*
 * BLAKE2b-256 (RFC 7693) of up to four leaves at once: word i of all four
 * states is one vector. A lane whose message ends takes the next one.
 */
#include "crypto/hash_lanes.h"

#include "crypto/hash.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <string.h>

#define LANES 4
#define PART 128 /* bytes a compression takes in */
#define HEAD 9	 /* of a leaf: 0, u64 length */
#define AVX2 __attribute__((target("avx2")))
#define INLINE AVX2 __attribute__((always_inline)) static inline

/* RFC 7693 2.6 */
static const uint64_t iv[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b,
    0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1,
    0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

/* RFC 7693 2.7; rounds 10 and 11 are 0 and 1 again */
static const uint8_t sigma[12][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};

/* -- one compression ------------------------------------------------------ */

/* The next part of each lane's message. */
struct parts {
	const uint8_t *at[LANES]; /* PART bytes each */
	uint64_t count[LANES];	  /* bytes of the message up to its end */
	uint64_t last[LANES];	  /* all ones for the last part */
};

INLINE __m256i
splat(uint64_t x)
{
	return _mm256_set1_epi64x((long long)x);
}

INLINE __m256i
words(const uint64_t w[LANES])
{
	return _mm256_set_epi64x(
	    (long long)w[3], (long long)w[2], (long long)w[1], (long long)w[0]);
}

/* Four words of each lane, word by word. */
INLINE void
gather(__m256i m[4], const struct parts *p, size_t from)
{
	const uint8_t *const *at = p->at;
	__m256i a = _mm256_loadu_si256((const void *)(at[0] + from));
	__m256i b = _mm256_loadu_si256((const void *)(at[1] + from));
	__m256i c = _mm256_loadu_si256((const void *)(at[2] + from));
	__m256i d = _mm256_loadu_si256((const void *)(at[3] + from));
	__m256i ab0 = _mm256_unpacklo_epi64(a, b);
	__m256i ab1 = _mm256_unpackhi_epi64(a, b);
	__m256i cd0 = _mm256_unpacklo_epi64(c, d);
	__m256i cd1 = _mm256_unpackhi_epi64(c, d);

	m[0] = _mm256_permute2x128_si256(ab0, cd0, 0x20);
	m[1] = _mm256_permute2x128_si256(ab1, cd1, 0x20);
	m[2] = _mm256_permute2x128_si256(ab0, cd0, 0x31);
	m[3] = _mm256_permute2x128_si256(ab1, cd1, 0x31);
}

INLINE __m256i
rotate32(__m256i x)
{
	return _mm256_shuffle_epi32(x, 0xb1);
}

INLINE __m256i
rotate24(__m256i x)
{
	return _mm256_shuffle_epi8(x,
	    _mm256_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9,
		10, 3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10));
}

INLINE __m256i
rotate16(__m256i x)
{
	return _mm256_shuffle_epi8(
	    x, _mm256_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15,
		   8, 9, 2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9));
}

INLINE __m256i
rotate63(__m256i x)
{
	return _mm256_xor_si256(
	    _mm256_srli_epi64(x, 63), _mm256_add_epi64(x, x));
}

INLINE __m256i
add3(__m256i x, __m256i y, __m256i z)
{
	return _mm256_add_epi64(x, _mm256_add_epi64(y, z));
}

/* Two columns or diagonals at once would hide more latency, but the compiler
 * orders the independent ones of a round well enough. */
INLINE void
mix(__m256i *a, __m256i *b, __m256i *c, __m256i *d, __m256i x, __m256i y)
{
	*a = add3(*a, *b, x);
	*d = rotate32(_mm256_xor_si256(*d, *a));
	*c = _mm256_add_epi64(*c, *d);
	*b = rotate24(_mm256_xor_si256(*b, *c));
	*a = add3(*a, *b, y);
	*d = rotate16(_mm256_xor_si256(*d, *a));
	*c = _mm256_add_epi64(*c, *d);
	*b = rotate63(_mm256_xor_si256(*b, *c));
}

INLINE void
turn(__m256i v[16], const __m256i m[16], int r)
{
	const uint8_t *s = sigma[r];

	mix(&v[0], &v[4], &v[8], &v[12], m[s[0]], m[s[1]]);
	mix(&v[1], &v[5], &v[9], &v[13], m[s[2]], m[s[3]]);
	mix(&v[2], &v[6], &v[10], &v[14], m[s[4]], m[s[5]]);
	mix(&v[3], &v[7], &v[11], &v[15], m[s[6]], m[s[7]]);
	mix(&v[0], &v[5], &v[10], &v[15], m[s[8]], m[s[9]]);
	mix(&v[1], &v[6], &v[11], &v[12], m[s[10]], m[s[11]]);
	mix(&v[2], &v[7], &v[8], &v[13], m[s[12]], m[s[13]]);
	mix(&v[3], &v[4], &v[9], &v[14], m[s[14]], m[s[15]]);
}

AVX2 static void
compress(uint64_t h[8][LANES], const struct parts *p)
{
	__m256i m[16], v[16], *state = (__m256i *)(void *)h;

	for (size_t i = 0; i < 4; i++)
		gather(&m[4 * i], p, 32 * i);
	for (size_t i = 0; i < 8; i++) {
		v[i] = state[i];
		v[i + 8] = splat(iv[i]);
	}
	v[12] = _mm256_xor_si256(v[12], words(p->count));
	v[14] = _mm256_xor_si256(v[14], words(p->last));
	/* written out: only constant places stay in registers */
	turn(v, m, 0);
	turn(v, m, 1);
	turn(v, m, 2);
	turn(v, m, 3);
	turn(v, m, 4);
	turn(v, m, 5);
	turn(v, m, 6);
	turn(v, m, 7);
	turn(v, m, 8);
	turn(v, m, 9);
	turn(v, m, 10);
	turn(v, m, 11);
	for (size_t i = 0; i < 8; i++)
		state[i] = _mm256_xor_si256(
		    state[i], _mm256_xor_si256(v[i], v[i + 8]));
}

/* -- lanes ---------------------------------------------------------------- */

struct lane {
	struct b32 *out; /* NULL: idle */
	struct view block;
	size_t done;	    /* bytes of the message, head and block */
	uint8_t part[PART]; /* one that does not lie in the block as it is */
};

struct lanes {
	_Alignas(32) uint64_t h[8][LANES];
	struct lane lane[LANES];
};

static void
begin(struct lanes *s, size_t i, struct view block, struct b32 *out)
{
	struct lane *l = &s->lane[i];

	for (size_t k = 0; k < 8; k++)
		s->h[k][i] = iv[k];
	/* RFC 7693 2.5: 32 bytes of hash, no key, sequential */
	s->h[0][i] ^= 0x01010020;
	l->out = out;
	l->block = block;
	l->done = 0;
}

static void
finish(struct lanes *s, size_t i)
{
	struct lane *l = &s->lane[i];

	for (size_t k = 0; k < sizeof(l->out->b); k++)
		l->out->b[k] = (uint8_t)(s->h[k / 8][i] >> (8 * (k % 8)));
	l->out = NULL;
}

static const uint8_t *
first_part(struct lane *l)
{
	size_t n = l->block.len < PART - HEAD ? l->block.len : PART - HEAD;

	memset(l->part, 0, PART);
	for (size_t k = 0; k < 8; k++)
		l->part[1 + k] = (uint8_t)((uint64_t)l->block.len >> (8 * k));
	if (n != 0)
		memcpy(l->part + HEAD, l->block.ptr, n);
	return l->part;
}

/* The part at l->done, which moves behind it. */
static const uint8_t *
next_part(struct lane *l)
{
	size_t at = l->done, left = HEAD + l->block.len - at;

	l->done += left < PART ? left : PART;
	if (at == 0)
		return first_part(l);
	if (left >= PART)
		return l->block.ptr + (at - HEAD);
	memset(l->part, 0, PART);
	memcpy(l->part, l->block.ptr + (at - HEAD), left);
	return l->part;
}

static bool
over(const struct lane *l)
{
	return l->done == HEAD + l->block.len;
}

/* One part of every lane. Idle ones do what does not matter. */
static void
step(struct lanes *s)
{
	static const uint8_t nothing[PART];
	struct parts p;
	struct lane *l;

	for (size_t i = 0; i < LANES; i++) {
		l = &s->lane[i];
		p.at[i] = l->out != NULL ? next_part(l) : nothing;
		p.count[i] = l->out != NULL ? l->done : 0;
		p.last[i] = l->out != NULL && over(l) ? UINT64_MAX : 0;
	}
	compress(s->h, &p);
}

static void
in_lanes(struct b32 *out, const struct view *block, size_t n)
{
	struct lanes s;
	size_t given = 0, busy = 0;

	for (size_t i = 0; i < LANES; i++)
		s.lane[i].out = NULL;
	memset(s.h, 0, sizeof(s.h));
	do {
		for (size_t i = 0; i < LANES && given < n; i++) {
			if (s.lane[i].out != NULL)
				continue;
			begin(&s, i, block[given], &out[given]);
			given++;
			busy++;
		}
		step(&s);
		for (size_t i = 0; i < LANES; i++) {
			if (s.lane[i].out == NULL || !over(&s.lane[i]))
				continue;
			finish(&s, i);
			busy--;
		}
	} while (busy > 0 || given < n);
}

static bool
have_lanes(void)
{
	return __builtin_cpu_supports("avx2");
}

#else

static void
in_lanes(struct b32 *out, const struct view *block, size_t n)
{
	(void)out;
	(void)block;
	(void)n;
}

static bool
have_lanes(void)
{
	return false;
}

#endif

void
hash_leaves(struct b32 *out, const struct view *block, size_t n)
{
	if (n > 1 && have_lanes()) {
		in_lanes(out, block, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		hash_leaf(&out[i], block[i]);
}
