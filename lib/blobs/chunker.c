#include "blobs/chunker.h"

#include <string.h>

#include "blobs/tables.h"

#define FIXED_SIZE 65536u

/* CDC: a cut is 16 times rarer before CDC_NORMAL than behind it (normalised
 * chunking): 64 KiB on average, and few chunks far from that. The hash shifts
 * by one bit a byte, so a test of its top bits looks at the last 64 bytes and
 * at nothing older. */
#define CDC_MIN 16384u
#define CDC_NORMAL 53248u
#define CDC_MAX 262144u
#define CDC_HARD (UINT64_C(1) << (64 - 18))
#define CDC_EASY (UINT64_C(1) << (64 - 14))

#define RABIN_MIN 524288u
#define RABIN_MAX CHUNKER_MAX
#define RABIN_MASK ((UINT64_C(1) << 20) - 1)
#define RABIN_TOP 45 /* degree of the polynomial, 53, less one byte */

#define WINDOW 64u /* bytes a hash depends on, of either kind */

void
chunker_init(struct chunker *c, enum chunker_kind kind)
{
	memset(c, 0, sizeof(*c));
	c->kind = kind;
}

size_t
chunker_max(enum chunker_kind kind)
{
	switch (kind) {
	case CHUNKER_FIXED:
		return FIXED_SIZE;
	case CHUNKER_CDC:
		return CDC_MAX;
	case CHUNKER_RABIN:
		return RABIN_MAX;
	}
	return 0;
}

/* How many of `left` bytes bring the chunk to `goal`. */
static size_t
up_to(const struct chunker *c, size_t goal, size_t left)
{
	size_t want = c->count < goal ? goal - c->count : 0;

	return want < left ? want : left;
}

/* Hash p[0..n) and stop behind the first byte whose hash is below `limit`;
 * returns the bytes taken. Four bytes a round: the sums of their gears do not
 * wait for the hash, which is what keeps the loop short. */
static size_t
gear_find(
    struct chunker *c, const uint8_t *p, size_t n, uint64_t limit, bool *found)
{
	uint64_t h = c->digest;
	size_t i = 0;

	for (; i + 4 <= n; i += 4) {
		uint64_t a = blobs_gear[p[i]];
		uint64_t b = (a << 1) + blobs_gear[p[i + 1]];
		uint64_t d = (b << 1) + blobs_gear[p[i + 2]];
		uint64_t f = (d << 1) + blobs_gear[p[i + 3]];

		if ((h << 1) + a < limit || (h << 2) + b < limit ||
		    (h << 3) + d < limit || (h << 4) + f < limit)
			break;
		h = (h << 4) + f;
	}
	*found = false;
	while (i < n && !*found) {
		h = (h << 1) + blobs_gear[p[i++]];
		*found = h < limit;
	}
	c->digest = h;
	c->count += i;
	return i;
}

static size_t
scan_cdc(struct chunker *c, struct view v, bool *cut)
{
	size_t at = up_to(c, CDC_MIN - WINDOW, v.len);

	c->count += at;
	/* the window before the first place to cut: hashed, not tested */
	for (size_t n = up_to(c, CDC_MIN, v.len - at); n > 0; n--, c->count++)
		c->digest = (c->digest << 1) + blobs_gear[v.ptr[at++]];
	if (at < v.len)
		at += gear_find(c, v.ptr + at, up_to(c, CDC_NORMAL, v.len - at),
		    CDC_HARD, cut);
	if (at < v.len && !*cut)
		at += gear_find(c, v.ptr + at, up_to(c, CDC_MAX, v.len - at),
		    CDC_EASY, cut);
	if (c->count == CDC_MAX)
		*cut = true;
	return at;
}

static void
rabin_slide(struct chunker *c, uint8_t in)
{
	uint64_t d = c->digest ^ blobs_rabin_out[c->window[c->wpos]];
	uint8_t top = (uint8_t)(d >> RABIN_TOP);

	c->window[c->wpos] = in;
	c->wpos = (c->wpos + 1) % WINDOW;
	c->digest = ((d << 8) | in) ^ blobs_rabin_mod[top];
}

/* The digest is the remainder of the last 64 bytes and of nothing older, so
 * hashing starts one window before the first place to cut. The reference
 * hashes from the start, with the byte 01 in front; both are forgotten by
 * then. */
static size_t
scan_rabin(struct chunker *c, struct view v, bool *cut)
{
	size_t at = up_to(c, RABIN_MIN - WINDOW, v.len);

	c->count += at;
	while (at < v.len && !*cut) {
		rabin_slide(c, v.ptr[at++]);
		c->count++;
		*cut =
		    (c->count >= RABIN_MIN && (c->digest & RABIN_MASK) == 0) ||
		    c->count == RABIN_MAX;
	}
	return at;
}

size_t
chunker_scan(struct chunker *c, struct view v, bool *cut)
{
	size_t taken = 0;

	*cut = false;
	switch (c->kind) {
	case CHUNKER_FIXED:
		taken = up_to(c, FIXED_SIZE, v.len);
		c->count += taken;
		*cut = c->count == FIXED_SIZE;
		break;
	case CHUNKER_CDC:
		taken = scan_cdc(c, v, cut);
		break;
	case CHUNKER_RABIN:
		taken = scan_rabin(c, v, cut);
		break;
	}
	if (*cut)
		chunker_init(c, c->kind);
	return taken;
}
