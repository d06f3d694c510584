/*
 * dec: the sticky cursor over foreign bytes. The only place in the project
 * that moves a pointer over bytes it did not make.
 *
 * The first failure sets `why` and the offset; every later read gives zero
 * or an empty view, so a decoder is a straight line that checks once:
 *
 *	dec_init(&d, bytes);
 *	m->index = dec_uint(&d);
 *	m->value = dec_bytes(&d, BLOCK_MAX);
 *	if (!dec_done(&d))
 *		return dec_error(&d, "block message", e);
 *
 * Format: compact-encoding@3.5.2 (spec data-formats 1.1); varints of
 * protocol-buffers (data-formats 4.1). Non-minimal integers are accepted,
 * values above 2^53-1 are refused, as the reference does.
 */
#ifndef CODEC_DEC_H
#define CODEC_DEC_H

#include "base/err.h"
#include "base/view.h"

#define DEC_UINT_MAX ((UINT64_C(1) << 53) - 1)
#define DEC_ARRAY_MAX 0x100000 /* items; more is refused on decode */

struct dec {
	const uint8_t *start, *p, *end;
	const char *why; /* NULL until the first failure */
	size_t at;	 /* offset of the first failure */
};

void dec_init(struct dec *d, struct view v);
void dec_fail(struct dec *d, const char *why); /* keeps the first reason */
bool dec_ok(const struct dec *d);
bool dec_done(const struct dec *d); /* ok and nothing left */
size_t dec_left(const struct dec *d);
size_t dec_pos(const struct dec *d);

uint64_t dec_uint(struct dec *d);
int64_t dec_int(struct dec *d); /* zig-zag */
uint8_t dec_u8(struct dec *d);
uint16_t dec_u16le(struct dec *d);
uint32_t dec_u32le(struct dec *d);
uint64_t dec_u64le(struct dec *d);
bool dec_bool(struct dec *d); /* only the byte 01 is true */
struct view dec_fixed(struct dec *d, size_t n);
void dec_b32(struct dec *d, struct b32 *out);	  /* zeroed on failure */
struct view dec_bytes(struct dec *d, size_t max); /* uint length + bytes */
size_t dec_count(struct dec *d, size_t max);	  /* array count, <= max */
uint64_t dec_varint(struct dec *d);		  /* protobuf, <= 2^53-1 */
struct view dec_rest(struct dec *d);

/* ERR_FORMAT: "<what>: <why> at byte <at>". */
NODISCARD enum err_code dec_error(
    const struct dec *d, const char *what, struct err *e);

#endif
