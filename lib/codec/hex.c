#include "codec/hex.h"

#include <string.h>

void
hex_encode(struct buf *b, struct view v)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *p = buf_extend(b, 2 * v.len);

	if (p == NULL)
		return;
	for (size_t i = 0; i < v.len; i++) {
		p[2 * i] = (uint8_t)digits[v.ptr[i] >> 4];
		p[2 * i + 1] = (uint8_t)digits[v.ptr[i] & 15];
	}
}

static int
digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err_code
hex_decode(struct view text, struct buf *out, struct err *e)
{
	int hi, lo;

	if (text.len % 2 != 0)
		return err_set(e, ERR_FORMAT, "hex: odd number of digits");
	for (size_t i = 0; i < text.len; i += 2) {
		hi = digit(text.ptr[i]);
		lo = digit(text.ptr[i + 1]);
		if (hi < 0 || lo < 0)
			return err_set(e, ERR_FORMAT, "hex: not a digit at %zu",
			    hi < 0 ? i : i + 1);
		buf_byte(out, (uint8_t)(hi << 4 | lo));
	}
	return buf_check(out, e);
}

bool
hex_b32_decode(struct view text, struct b32 *out)
{
	struct buf b;
	bool ok;

	buf_init(&b, sizeof(out->b));
	ok = text.len == 64 && hex_decode(text, &b, NULL) == ERR_OK;
	if (ok)
		memcpy(out->b, b.data, sizeof(out->b));
	buf_deinit(&b);
	return ok;
}

const char *
hex_b32(char out[static 65], const struct b32 *x)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 32; i++) {
		out[2 * i] = digits[x->b[i] >> 4];
		out[2 * i + 1] = digits[x->b[i] & 15];
	}
	out[64] = '\0';
	return out;
}
