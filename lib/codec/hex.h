/* hex: lower-case output, either case accepted. */
#ifndef CODEC_HEX_H
#define CODEC_HEX_H

#include <stdbool.h>

#include "base/buf.h"

void hex_encode(struct buf *b, struct view v);
/* ERR_FORMAT on odd length or a foreign character. */
NODISCARD enum err_code hex_decode(
    struct view text, struct buf *out, struct err *e);
/* 64 digits; else false, and out is untouched. */
bool hex_b32_decode(struct view text, struct b32 *out);
/* 64 characters and NUL. Returns out. */
const char *hex_b32(char out[static 65], const struct b32 *x);

#endif
