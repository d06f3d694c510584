#include "codec/jtext.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* jansson recurses to JSON_PARSER_MAX_DEPTH (2048); ours is tighter, and is
 * checked on the text so that no tree deeper than it is ever built. */
static bool
too_deep(struct view text)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > JTEXT_DEPTH_MAX)
				return true;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return false;
}

enum err_code
jtext_parse(struct view text, size_t max, json_t **out, struct err *e)
{
	json_error_t je;
	json_t *v;
	char why[256];

	if (text.len > max)
		return err_set(
		    e, ERR_LIMIT, "JSON is longer than %zu bytes", max);
	if (too_deep(text))
		return err_set(e, ERR_FORMAT, "JSON is nested deeper than %d",
		    JTEXT_DEPTH_MAX);
	v = json_loadb((const char *)text.ptr, text.len,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &je);
	if (v == NULL)
		return err_set(e, ERR_FORMAT, "JSON line %d, column %d: %s",
		    je.line, je.column,
		    err_quote(why, sizeof(why), je.text, strlen(je.text)));
	*out = v;
	return ERR_OK;
}

static void
print_escape(struct buf *b, uint32_t c)
{
	static const char named[] = "btn fr";

	if (c >= 8 && c <= 13 && c != 11) {
		buf_byte(b, '\\');
		buf_byte(b, (uint8_t)named[c - 8]);
	} else {
		buf_printf(b, "\\u%04x", (unsigned)c);
	}
}

void
jtext_string(struct buf *b, struct view s)
{
	uint32_t c = 0;
	size_t at = 0, step;

	buf_byte(b, '"');
	while (at < s.len) {
		step = utf8_next(s.ptr + at, s.len - at, &c);
		if (step == 0) {
			buf_str(b, "\xef\xbf\xbd");
			at++;
			continue;
		}
		if (c < 0x20)
			print_escape(b, c);
		else if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", (int)c);
		else
			buf_append(b, view_of(s.ptr + at, step));
		at += step;
	}
	buf_byte(b, '"');
}

/* Number.prototype.toString: shortest digits that read back, decimal for
 * 1e-7 < |x| < 1e21, exponent otherwise. */
static void
print_real(struct buf *b, double x)
{
	char digits[32], *exp;
	int precision = 1, e10, n;

	if (!isfinite(x)) {
		buf_str(b, "null");
		return;
	}
	if (x == 0) {
		buf_byte(b, '0');
		return;
	}
	do
		(void)snprintf(
		    digits, sizeof(digits), "%.*e", precision - 1, x);
	while (strtod(digits, NULL) != x && ++precision <= 17);
	exp = strchr(digits, 'e');
	e10 = (int)strtol(exp + 1, NULL, 10);
	*exp = '\0';
	if (digits[0] == '-')
		buf_byte(b, '-');
	exp = digits + (digits[0] == '-');
	n = (int)strlen(exp);
	if (n > 1) /* drop the point: d.ddd -> dddd */
		memmove(exp + 1, exp + 2, (size_t)--n);
	if (e10 >= 21 || e10 < -6) {
		buf_printf(b, "%c%s%.*se%c%d", exp[0], n > 1 ? "." : "", n - 1,
		    exp + 1, e10 < 0 ? '-' : '+', abs(e10));
	} else if (e10 < 0) {
		buf_str(b, "0.");
		buf_fill(b, '0', (size_t)(-e10 - 1));
		buf_printf(b, "%.*s", n, exp);
	} else if (n <= e10 + 1) {
		buf_printf(b, "%.*s", n, exp);
		buf_fill(b, '0', (size_t)(e10 + 1 - n));
	} else {
		buf_printf(
		    b, "%.*s.%.*s", e10 + 1, exp, n - e10 - 1, exp + e10 + 1);
	}
}

static void
print_array(struct buf *b, const json_t *v)
{
	buf_byte(b, '[');
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (i > 0)
			buf_byte(b, ',');
		jtext_print(b, json_array_get(v, i));
	}
	buf_byte(b, ']');
}

static void
print_object(struct buf *b, const json_t *v)
{
	/* jansson's iterators take a mutable object but do not change it */
	json_t *o = (json_t *)(uintptr_t)v;
	void *it = json_object_iter(o);
	bool first = true;

	buf_byte(b, '{');
	for (; it != NULL; it = json_object_iter_next(o, it)) {
		if (!first)
			buf_byte(b, ',');
		first = false;
		jtext_string(b, view_str(json_object_iter_key(it)));
		buf_byte(b, ':');
		jtext_print(b, json_object_iter_value(it));
	}
	buf_byte(b, '}');
}

void
jtext_print(struct buf *b, const json_t *v)
{
	if (v == NULL) {
		buf_str(b, "null");
		return;
	}
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		print_object(b, v);
		break;
	case JSON_ARRAY:
		print_array(b, v);
		break;
	case JSON_STRING:
		jtext_string(
		    b, view_of(json_string_value(v), json_string_length(v)));
		break;
	case JSON_INTEGER:
		buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_REAL:
		print_real(b, json_real_value(v));
		break;
	case JSON_TRUE:
		buf_str(b, "true");
		break;
	case JSON_FALSE:
		buf_str(b, "false");
		break;
	case JSON_NULL:
		buf_str(b, "null");
		break;
	}
}
