#include "blobs/chunker.h"

#include <string.h>

#include "blobs/blobs.h"
#include "blobs/tables.h"

#define CDC_MIN (16u << 10)
#define CDC_AVERAGE (64u << 10)
#define CDC_MAX (256u << 10)
/* The gear hash forgets a byte after 64 shifts: hashing may begin 64 bytes
 * before the first place where a cut is allowed. */
#define CDC_SKIP (CDC_MIN - 64)
/* Normalised chunking: a cut is 4 times rarer before the average length and
 * 4 times more likely after it. High bits mix the most bytes. */
#define CDC_MASK_EARLY (UINT64_C(0x3ffff) << 46)
#define CDC_MASK_LATE (UINT64_C(0x3fff) << 50)

#define RABIN_MIN (512u << 10)
#define RABIN_MASK ((UINT64_C(1) << 20) - 1)

static void
rabin_slide(struct chunker *c, uint8_t byte)
{
	uint8_t out = c->window[c->wpos];

	c->window[c->wpos] = byte;
	c->wpos = (c->wpos + 1) & 63;
	c->digest ^= blobs_rabin_out[out];
	c->digest = ((c->digest << 8) | byte) ^
		    blobs_rabin_mod[(c->digest >> 45) & 0xff];
}

static void
reset(struct chunker *c)
{
	c->digest = 0;
	c->count = 0;
	if (c->kind != CHUNKER_RABIN)
		return;
	c->wpos = 0;
	memset(c->window, 0, sizeof(c->window));
	rabin_slide(c, 1);
}

void
chunker_init(struct chunker *c, enum chunker_kind kind)
{
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	reset(c);
}

size_t
chunker_max(enum chunker_kind kind)
{
	switch (kind) {
	case CHUNKER_FIXED:
		return BLOBS_BLOCK;
	case CHUNKER_CDC:
		return CDC_MAX;
	case CHUNKER_RABIN:
		return CHUNKER_MAX;
	}
	return CHUNKER_MAX;
}

static size_t
scan_fixed(struct chunker *c, struct view v, bool *cut)
{
	size_t n = BLOBS_BLOCK - c->count;

	*cut = v.len >= n;
	n = *cut ? n : v.len;
	c->count = *cut ? 0 : c->count + n;
	return n;
}

/* Hash on from v[at] up to v[end) and stop behind the first byte where no
 * bit of the mask is left. */
static size_t
gear_until(struct chunker *c, struct view v, size_t at, size_t end,
    uint64_t mask, bool *cut)
{
	uint64_t h = c->digest;

	*cut = false;
	for (; at < end; at++) {
		h = (h << 1) + blobs_gear[v.ptr[at]];
		if ((h & mask) == 0) {
			*cut = true;
			at++;
			break;
		}
	}
	c->digest = h;
	return at;
}

/* Where in v the chunk reaches `count` bytes, at most v.len. */
static size_t
bound(const struct chunker *c, struct view v, size_t count)
{
	size_t n = c->count >= count ? 0 : count - c->count;

	return n < v.len ? n : v.len;
}

static size_t
scan_cdc(struct chunker *c, struct view v, bool *cut)
{
	size_t at = bound(c, v, CDC_SKIP);
	size_t min = bound(c, v, CDC_MIN);
	size_t average = bound(c, v, CDC_AVERAGE);
	size_t max = bound(c, v, CDC_MAX);

	for (; at < min; at++)
		c->digest = (c->digest << 1) + blobs_gear[v.ptr[at]];
	at = gear_until(c, v, at, average, CDC_MASK_EARLY, cut);
	if (!*cut)
		at = gear_until(c, v, at, max, CDC_MASK_LATE, cut);
	c->count += at;
	if (c->count == CDC_MAX)
		*cut = true;
	if (*cut)
		reset(c);
	return at;
}

static size_t
scan_rabin(struct chunker *c, struct view v, bool *cut)
{
	size_t at = 0;

	*cut = false;
	while (at < v.len && !*cut) {
		rabin_slide(c, v.ptr[at++]);
		c->count++;
		*cut =
		    (c->count >= RABIN_MIN && (c->digest & RABIN_MASK) == 0) ||
		    c->count >= CHUNKER_MAX;
	}
	if (*cut)
		reset(c);
	return at;
}

size_t
chunker_scan(struct chunker *c, struct view v, bool *cut)
{
	switch (c->kind) {
	case CHUNKER_FIXED:
		return scan_fixed(c, v, cut);
	case CHUNKER_CDC:
		return scan_cdc(c, v, cut);
	case CHUNKER_RABIN:
		return scan_rabin(c, v, cut);
	}
	*cut = false;
	return v.len;
}
