#include "base/view.h"

#include <string.h>

struct view
view_of(const void *ptr, size_t len)
{
	return (struct view){ptr, len};
}

struct view
view_str(const char *s)
{
	return view_of(s, strlen(s));
}

struct view
view_b32(const struct b32 *x)
{
	return view_of(x->b, sizeof(x->b));
}

bool
view_eq(struct view a, struct view b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int
view_cmp(struct view a, struct view b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

	if (c != 0)
		return c;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool
view_starts(struct view v, struct view prefix)
{
	return v.len >= prefix.len &&
	       (prefix.len == 0 || memcmp(v.ptr, prefix.ptr, prefix.len) == 0);
}

struct view
view_sub(struct view v, size_t from, size_t len)
{
	if (from > v.len)
		from = v.len;
	if (len > v.len - from)
		len = v.len - from;
	return view_of(v.ptr == NULL ? NULL : v.ptr + from, len);
}

bool
view_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct view
view_trim(struct view v)
{
	while (v.len > 0 && view_space(v.ptr[0]))
		v = view_sub(v, 1, v.len);
	while (v.len > 0 && view_space(v.ptr[v.len - 1]))
		v = view_sub(v, 0, v.len - 1);
	return v;
}

bool
b32_eq(const struct b32 *a, const struct b32 *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
