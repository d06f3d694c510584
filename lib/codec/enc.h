/*
 * enc: append encoded values to a buf; failures are the buffer's (sticky).
 * Format: compact-encoding@3.5.2, minimal integers (data-formats 1.1).
 */
#ifndef CODEC_ENC_H
#define CODEC_ENC_H

#include "base/buf.h"

void enc_uint(struct buf *b, uint64_t n); /* n <= 2^53-1, else bug */
void enc_int(struct buf *b, int64_t n);	  /* zig-zag */
void enc_u8(struct buf *b, uint8_t n);
void enc_u16le(struct buf *b, uint16_t n);
void enc_u32le(struct buf *b, uint32_t n);
void enc_u64le(struct buf *b, uint64_t n);
void enc_u64be(struct buf *b, uint64_t n);
void enc_bool(struct buf *b, bool v);
void enc_fixed(struct buf *b, struct view v); /* raw bytes */
void enc_b32(struct buf *b, const struct b32 *x);
void enc_bytes(struct buf *b, struct view v); /* uint length + bytes */
void enc_varint(struct buf *b, uint64_t n);   /* protobuf, minimal */

size_t enc_uint_size(uint64_t n);
size_t enc_varint_size(uint64_t n);

#endif
