#include "codec/enc.h"

#include "base/bug.h"
#include "codec/dec.h"

static void
little_endian(struct buf *b, uint64_t n, size_t bytes)
{
	uint8_t *p = buf_extend(b, bytes);

	if (p == NULL)
		return;
	for (size_t i = 0; i < bytes; i++)
		p[i] = (uint8_t)(n >> (8 * i));
}

void
enc_u8(struct buf *b, uint8_t n)
{
	buf_byte(b, n);
}

void
enc_u16le(struct buf *b, uint16_t n)
{
	little_endian(b, n, 2);
}

void
enc_u32le(struct buf *b, uint32_t n)
{
	little_endian(b, n, 4);
}

void
enc_u64le(struct buf *b, uint64_t n)
{
	little_endian(b, n, 8);
}

void
enc_u64be(struct buf *b, uint64_t n)
{
	uint8_t *p = buf_extend(b, 8);

	if (p == NULL)
		return;
	for (size_t i = 0; i < 8; i++)
		p[i] = (uint8_t)(n >> (56 - 8 * i));
}

size_t
enc_uint_size(uint64_t n)
{
	return n <= 0xfc ? 1 : n <= 0xffff ? 3 : n <= 0xffffffff ? 5 : 9;
}

void
enc_uint(struct buf *b, uint64_t n)
{
	size_t size = enc_uint_size(n);

	bug_if(n > DEC_UINT_MAX);
	if (size > 1)
		buf_byte(b, size == 3 ? 0xfd : size == 5 ? 0xfe : 0xff);
	little_endian(b, n, size == 1 ? 1 : size - 1);
}

void
enc_int(struct buf *b, int64_t n)
{
	enc_uint(b, n < 0 ? 2 * (uint64_t)(-(n + 1)) + 1 : 2 * (uint64_t)n);
}

void
enc_bool(struct buf *b, bool v)
{
	buf_byte(b, v);
}

void
enc_fixed(struct buf *b, struct view v)
{
	buf_append(b, v);
}

void
enc_b32(struct buf *b, const struct b32 *x)
{
	buf_append(b, view_b32(x));
}

void
enc_bytes(struct buf *b, struct view v)
{
	enc_uint(b, v.len);
	buf_append(b, v);
}

size_t
enc_varint_size(uint64_t n)
{
	size_t size = 1;

	for (; n >= 0x80; n >>= 7)
		size++;
	return size;
}

void
enc_varint(struct buf *b, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		buf_byte(b, (uint8_t)(n | 0x80));
	buf_byte(b, (uint8_t)n);
}
