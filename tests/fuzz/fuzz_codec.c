/* The codec: decoding never reads outside, encoding what was decoded gives
 * the minimal form back, texts survive a round trip. */
#include <stdlib.h>
#include <string.h>

#include "codec/dec.h"
#include "codec/enc.h"
#include "codec/hex.h"
#include "codec/jtext.h"
#include "codec/z32.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* The first bytes choose operations, the rest is what they read. */
static void
try_decoder(const uint8_t *data, size_t size)
{
	size_t nops = size < 16 ? size : 16;
	struct b32 hash;
	struct dec d;

	dec_init(&d, view_of(data + nops, size - nops));
	for (size_t i = 0; i < nops; i++) {
		size_t before = dec_pos(&d);
		struct view v = VIEW_EMPTY;

		switch (data[i] % 12) {
		case 0:
			must(dec_uint(&d) <= DEC_UINT_MAX);
			break;
		case 1:
			(void)dec_int(&d);
			break;
		case 2:
			(void)dec_u8(&d);
			break;
		case 3:
			(void)dec_u16le(&d);
			break;
		case 4:
			(void)dec_u32le(&d);
			break;
		case 5:
			(void)dec_u64le(&d);
			break;
		case 6:
			(void)dec_bool(&d);
			break;
		case 7:
			v = dec_fixed(&d, data[i]);
			break;
		case 8:
			dec_b32(&d, &hash);
			break;
		case 9:
			v = dec_bytes(&d, 100);
			must(v.len <= 100);
			break;
		case 10:
			must(dec_count(&d, 1000) <= 1000);
			break;
		case 11:
			must(dec_varint(&d) <= DEC_UINT_MAX);
			break;
		}
		must(dec_pos(&d) >= before && dec_pos(&d) <= size - nops);
		must(v.len == 0 ||
		     (v.ptr >= data && v.ptr + v.len <= data + size));
		must(dec_ok(&d) || dec_left(&d) == 0);
	}
}

static void
try_numbers(const uint8_t *data, size_t size)
{
	struct dec d, again;
	struct buf b;

	dec_init(&d, view_of(data, size));
	uint64_t n = dec_uint(&d);
	if (!dec_ok(&d))
		return;
	buf_init(&b, 32);
	enc_uint(&b, n);
	must(b.len == enc_uint_size(n) && b.len <= dec_pos(&d));
	enc_varint(&b, n);
	dec_init(&again, buf_view(&b));
	must(dec_uint(&again) == n);
	must(dec_varint(&again) == n && dec_done(&again));
	buf_deinit(&b);
}

static void
try_texts(const uint8_t *data, size_t size)
{
	struct view in = view_of(data, size);
	struct buf text, back;
	struct b32 key;

	buf_init(&text, 4 * size + 64);
	buf_init(&back, 4 * size + 64);
	z32_encode(&text, in);
	must(z32_decode(buf_view(&text), &back, NULL) == ERR_OK);
	must(view_starts(buf_view(&back), in));
	buf_reset(&text);
	buf_reset(&back);
	hex_encode(&text, in);
	must(hex_decode(buf_view(&text), &back, NULL) == ERR_OK);
	must(view_eq(buf_view(&back), in));
	buf_reset(&back);
	if (z32_decode(in, &back, NULL) == ERR_OK)
		must(back.len <= size);
	buf_reset(&back);
	if (hex_decode(in, &back, NULL) == ERR_OK)
		must(back.len == size / 2);
	if (z32_key_id(in, &key, NULL) == ERR_OK) {
		char shown[Z32_KEY_LEN + 1];
		struct b32 again;

		must(z32_key_id(view_str(z32_key(shown, &key)), &again, NULL) ==
			 ERR_OK &&
		     b32_eq(&key, &again));
	}
	buf_deinit(&text);
	buf_deinit(&back);
}

static void
try_json(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct buf once, twice;
	json_t *v, *w;

	if (jtext_parse(view_of(data, size), 1u << 16, &v, &e) != ERR_OK)
		return;
	buf_init(&once, 1u << 20);
	buf_init(&twice, 1u << 20);
	jtext_print(&once, v);
	/* JavaScript prints reals up to 1e21 as integers; those above 64 bits
	 * are refused when they come back */
	if (jtext_parse(buf_view(&once), 1u << 20, &w, &e) == ERR_OK) {
		jtext_print(&twice, w);
		must(view_eq(buf_view(&once), buf_view(&twice)));
		json_decref(w);
	} else {
		must(strstr(e.msg, "too big") != NULL);
	}
	json_decref(v);
	buf_deinit(&once);
	buf_deinit(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char quoted[64];

	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0:
		try_decoder(data + 1, size - 1);
		break;
	case 1:
		try_numbers(data + 1, size - 1);
		break;
	case 2:
		try_texts(data + 1, size - 1);
		break;
	case 3:
		try_json(data + 1, size - 1);
		break;
	}
	(void)err_quote(quoted, sizeof(quoted), data, size);
	must(strlen(quoted) < sizeof(quoted));
	return 0;
}
