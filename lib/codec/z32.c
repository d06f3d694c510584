#include "codec/z32.h"

#include <string.h>

#include "codec/hex.h"

static const char alphabet[] = "ybndrfg8ejkmcpqxot1uwisza345h769";

void
z32_encode(struct buf *b, struct view v)
{
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < v.len; i++) {
		bits = bits << 8 | v.ptr[i];
		for (have += 8; have >= 5; have -= 5)
			buf_byte(b, (uint8_t)alphabet[bits >> (have - 5) & 31]);
		bits &= (1u << have) - 1;
	}
	if (have > 0)
		buf_byte(b, (uint8_t)alphabet[bits << (5 - have) & 31]);
}

enum err_code
z32_decode(struct view text, struct buf *out, struct err *e)
{
	unsigned bits = 0, have = 0;
	const char *at;

	for (size_t i = 0; i < text.len; i++) {
		at = text.ptr[i] == 0 ? NULL : strchr(alphabet, text.ptr[i]);
		if (at == NULL)
			return err_set(e, ERR_FORMAT,
			    "z-base-32: foreign character at %zu", i);
		bits = (bits << 5 | (unsigned)(at - alphabet)) & 0xfff;
		have += 5;
		if (have >= 8) {
			have -= 8;
			buf_byte(out, (uint8_t)(bits >> have));
		}
	}
	/* 1, 3 or 6 characters over: a whole character fills no byte. The
	 * reference pads it with zeros; fewer bits it drops. */
	if (have >= 5)
		buf_byte(out, (uint8_t)(bits << (8 - have)));
	return buf_check(out, e);
}

const char *
z32_key(char out[static Z32_KEY_LEN + 1], const struct b32 *key)
{
	unsigned bits = 0, have = 0;
	size_t n = 0;

	for (size_t i = 0; i < 32; i++) {
		bits = (bits << 8 | key->b[i]) & 0xfff;
		for (have += 8; have >= 5; have -= 5)
			out[n++] = alphabet[bits >> (have - 5) & 31];
	}
	out[n++] = alphabet[bits << (5 - have) & 31];
	out[n] = '\0';
	return out;
}

enum err_code
z32_key_id(struct view text, struct b32 *out, struct err *e)
{
	static const char scheme[] = "pear://";
	const uint8_t *slash;
	enum err_code rc = ERR_FORMAT;
	struct buf b;

	if (view_starts(text, view_str(scheme))) {
		text = view_sub(text, strlen(scheme), text.len);
		slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
		if (slash != NULL)
			text.len = (size_t)(slash - text.ptr);
	}
	if (hex_b32_decode(text, out))
		return ERR_OK;
	buf_init(&b, 32);
	if (text.len == Z32_KEY_LEN)
		rc = z32_decode(text, &b, NULL);
	if (rc == ERR_OK && b.len == 32)
		memcpy(out->b, b.data, 32);
	else
		rc = err_set(e, ERR_INVALID, "Invalid Hypercore key");
	buf_deinit(&b);
	return rc;
}
