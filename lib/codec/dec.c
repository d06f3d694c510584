#include "codec/dec.h"

#include <string.h>

void
dec_init(struct dec *d, struct view v)
{
	static const uint8_t nothing[1];

	d->start = d->p = v.ptr == NULL ? nothing : v.ptr;
	d->end = d->start + v.len;
	d->why = NULL;
	d->at = 0;
}

void
dec_fail(struct dec *d, const char *why)
{
	if (d->why != NULL)
		return;
	d->why = why;
	d->at = dec_pos(d);
	d->p = d->end;
}

bool
dec_ok(const struct dec *d)
{
	return d->why == NULL;
}

bool
dec_done(const struct dec *d)
{
	return d->why == NULL && d->p == d->end;
}

size_t
dec_left(const struct dec *d)
{
	return (size_t)(d->end - d->p);
}

size_t
dec_pos(const struct dec *d)
{
	return (size_t)(d->p - d->start);
}

struct view
dec_fixed(struct dec *d, size_t n)
{
	struct view v;

	if (d->why != NULL || n > dec_left(d)) {
		dec_fail(d, "Out of bounds");
		return VIEW_EMPTY;
	}
	v = view_of(d->p, n);
	d->p += n;
	return v;
}

/* n bytes little endian, 0 after a failure. */
static uint64_t
little_endian(struct dec *d, size_t n)
{
	struct view v = dec_fixed(d, n);
	uint64_t x = 0;

	for (size_t i = v.len; i > 0; i--)
		x = x << 8 | v.ptr[i - 1];
	return x;
}

uint8_t
dec_u8(struct dec *d)
{
	return (uint8_t)little_endian(d, 1);
}

uint16_t
dec_u16le(struct dec *d)
{
	return (uint16_t)little_endian(d, 2);
}

uint32_t
dec_u32le(struct dec *d)
{
	return (uint32_t)little_endian(d, 4);
}

uint64_t
dec_u64le(struct dec *d)
{
	return little_endian(d, 8);
}

uint64_t
dec_uint(struct dec *d)
{
	uint8_t tag = dec_u8(d);
	uint64_t n;

	if (tag < 0xfd)
		return tag;
	n = little_endian(d, tag == 0xfd ? 2 : tag == 0xfe ? 4 : 8);
	if (n > DEC_UINT_MAX) {
		dec_fail(d, "integer above 2^53-1");
		return 0;
	}
	return n;
}

int64_t
dec_int(struct dec *d)
{
	uint64_t n = dec_uint(d);

	return n & 1 ? -(int64_t)(n >> 1) - 1 : (int64_t)(n >> 1);
}

bool
dec_bool(struct dec *d)
{
	return dec_u8(d) == 1;
}

void
dec_b32(struct dec *d, struct b32 *out)
{
	struct view v = dec_fixed(d, sizeof(out->b));

	memset(out->b, 0, sizeof(out->b));
	if (v.len == sizeof(out->b))
		memcpy(out->b, v.ptr, v.len);
}

struct view
dec_bytes(struct dec *d, size_t max)
{
	uint64_t n = dec_uint(d);

	if (n > max) {
		dec_fail(d, "too long");
		return VIEW_EMPTY;
	}
	return dec_fixed(d, (size_t)n);
}

size_t
dec_count(struct dec *d, size_t max)
{
	uint64_t n = dec_uint(d);

	if (n > max || n > DEC_ARRAY_MAX) {
		dec_fail(d, "too many items");
		return 0;
	}
	return (size_t)n;
}

uint64_t
dec_varint(struct dec *d)
{
	uint64_t n = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = dec_u8(d);
		if (shift >= 49 && (byte & 0x7f) >> (shift == 49 ? 4 : 0)) {
			dec_fail(d, "varint above 2^53-1");
			return 0;
		}
		if (shift <= 49)
			n |= (uint64_t)(byte & 0x7f) << shift;
		if ((shift += 7) > 70)
			dec_fail(d, "varint longer than 10 bytes");
	} while (byte & 0x80);
	return dec_ok(d) ? n : 0;
}

struct view
dec_rest(struct dec *d)
{
	return dec_fixed(d, dec_left(d));
}

enum err_code
dec_error(const struct dec *d, const char *what, struct err *e)
{
	if (d->why == NULL)
		return err_set(e, ERR_FORMAT, "%s: %zu bytes left over", what,
		    dec_left(d));
	return err_set(
	    e, ERR_FORMAT, "%s: %s at byte %zu", what, d->why, d->at);
}
