/*
 * z32: z-base-32 text, as z32@1.1.0 (data-formats 1.3); keyid: the text
 * forms of a 32-byte key, as hypercore-id-encoding@1.3.0 (1.4).
 * Lower case only; trailing bits that fill no byte are dropped on decode, so
 * 16 spellings give one key: compare bytes, never text.
 */
#ifndef CODEC_Z32_H
#define CODEC_Z32_H

#include "base/buf.h"

#define Z32_KEY_LEN 52 /* characters of a 32-byte key */

void z32_encode(struct buf *b, struct view v);
/* ERR_FORMAT on any foreign character, naming its position. */
NODISCARD enum err_code z32_decode(
    struct view text, struct buf *out, struct err *e);

/* Canonical text of a key, NUL-terminated. Returns out. */
const char *z32_key(char out[static Z32_KEY_LEN + 1], const struct b32 *key);

/* 52 characters z32, 64 hex, or either after "pear://" up to the next "/".
 * Everything else: ERR_INVALID "Invalid Hypercore key". */
NODISCARD enum err_code z32_key_id(
    struct view text, struct b32 *out, struct err *e);

#endif
