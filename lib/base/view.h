/*
 * view: borrowed bytes; b32: thirty-two bytes (a hash, a key, a seed).
 * Both are plain values. A view never owns; whoever hands one out says how
 * long it stays valid.
 */
#ifndef BASE_VIEW_H
#define BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
	const uint8_t *ptr;
	size_t len;
};

struct b32 {
	uint8_t b[32];
};

#define VIEW_EMPTY ((struct view){NULL, 0})

struct view view_of(const void *ptr, size_t len);
struct view view_str(const char *s); /* without the NUL */
struct view view_b32(const struct b32 *x);
bool view_eq(struct view a, struct view b);
/* memcmp order, a prefix sorts first: <0, 0, >0. */
int view_cmp(struct view a, struct view b);
bool view_starts(struct view v, struct view prefix);
/* From..from+len clamped to v. */
struct view view_sub(struct view v, size_t from, size_t len);
bool view_space(uint8_t c); /* a blank, tab or line end of ASCII */
/* Without those around it. */
struct view view_trim(struct view v);

bool b32_eq(const struct b32 *a, const struct b32 *b); /* not constant time */

#endif
