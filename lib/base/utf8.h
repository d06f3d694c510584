/* utf8: validity and code points (RFC 3629: no surrogates, no overlongs). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/view.h"

bool utf8_valid(struct view v);
/* Decode one code point at p (n bytes left); returns its length in bytes
 * and sets *cp, or 0 if the bytes are not valid. */
size_t utf8_next(const uint8_t *p, size_t n, uint32_t *cp);

#endif
