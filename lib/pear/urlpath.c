#include "pear/urlpath.h"

#include <string.h>

static const char digits[] = "0123456789ABCDEF";

static const char *
extra_of(enum urlpath_set set)
{
	switch (set) {
	case URLPATH_PATH:
		return "#?`{}";
	case URLPATH_LITERAL:
		return "#?`{}%";
	case URLPATH_QUERY:
		return "#";
	case URLPATH_QUERY_SPECIAL:
		return "#'";
	case URLPATH_FRAGMENT:
		return "`";
	}
	return "";
}

static bool
is_encoded(uint8_t c, const char *extra)
{
	return c <= ' ' || c >= 0x7f || strchr("\"<>", c) != NULL ||
	       strchr(extra, c) != NULL;
}

/* The first character of a query or fragment is its mark, not content. */
static size_t
mark_len(struct view v, enum urlpath_set set)
{
	bool tail = set == URLPATH_QUERY || set == URLPATH_QUERY_SPECIAL ||
		    set == URLPATH_FRAGMENT;

	return tail && v.len > 0 ? 1 : 0;
}

bool
urlpath_encode(char *out, size_t cap, struct view v, enum urlpath_set set)
{
	const char *extra = extra_of(set);
	size_t mark = mark_len(v, set);
	size_t n = 0;
	size_t i;

	for (i = 0; i < v.len; i++) {
		uint8_t c = v.ptr[i];
		bool plain = i < mark || !is_encoded(c, extra);

		/* exact: what was printed must fit when it is read again */
		if (n + (plain ? 1 : 3) >= cap)
			return false;
		if (plain) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[c >> 4];
		out[n++] = digits[c & 15];
	}
	if (cap == 0)
		return false;
	out[n] = '\0';
	return true;
}

/* Length of a dot at the start, in either spelling; 0 if there is none. */
static size_t
dot_len(struct view v, enum urlpath_set set)
{
	if (v.len >= 1 && v.ptr[0] == '.')
		return 1;
	if (set == URLPATH_PATH && v.len >= 3 && v.ptr[0] == '%' &&
	    v.ptr[1] == '2' && (v.ptr[2] | 0x20) == 'e')
		return 3;
	return 0;
}

/* 0: an ordinary segment, 1: ".", 2: "..". */
static int
dots(struct view v, enum urlpath_set set)
{
	int n = 0;
	size_t len;

	while (n < 2 && (len = dot_len(v, set)) > 0) {
		v = view_sub(v, len, v.len);
		n++;
	}
	return v.len == 0 ? n : 0;
}

static void
drop_segment(char *out, size_t *n)
{
	while (*n > 0 && out[--*n] != '/')
		;
	out[*n] = '\0';
}

static bool
add_segment(
    char *out, size_t cap, size_t *n, struct view seg, enum urlpath_set set)
{
	if (*n + 2 > cap)
		return false;
	out[*n] = '/';
	if (!urlpath_encode(out + *n + 1, cap - *n - 1, seg, set))
		return false;
	*n += 1 + strlen(out + *n + 1);
	return true;
}

bool
urlpath_resolve(char *out, size_t cap, struct view path, enum urlpath_set set)
{
	struct view left = path;
	size_t n = 0;
	bool last = false;

	if (left.len > 0 && left.ptr[0] == '/')
		left = view_sub(left, 1, left.len);
	while (!last) {
		const uint8_t *slash =
		    left.len ? memchr(left.ptr, '/', left.len) : NULL;
		size_t len = slash ? (size_t)(slash - left.ptr) : left.len;
		struct view seg = view_sub(left, 0, len);
		int d = dots(seg, set);

		last = slash == NULL;
		if (d == 2)
			drop_segment(out, &n);
		if (d > 0 && last)
			seg = VIEW_EMPTY;
		if ((d == 0 || last) && !add_segment(out, cap, &n, seg, set))
			return false;
		left = view_sub(left, len + 1, left.len);
	}
	return true;
}

static int
hex_value(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'f')
		c = (char)(c - 'a' + 'A');
	at = c == '\0' ? NULL : strchr(digits, c);
	return at == NULL ? -1 : (int)(at - digits);
}

bool
urlpath_decode(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		int hi;
		int lo;

		if (*text != '%') {
			buf_byte(out, (uint8_t)*text);
			continue;
		}
		hi = hex_value(text[1]);
		lo = hi < 0 ? -1 : hex_value(text[2]);
		if (lo < 0 || hi * 16 + lo == 0)
			return false;
		buf_byte(out, (uint8_t)(hi * 16 + lo));
		text += 2;
	}
	return true;
}
