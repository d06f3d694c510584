#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void
buf_deinit(struct buf *b)
{
	free(b->data);
	*b = (struct buf){.max = b->max};
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = ERR_OK;
}

/* Room for n more bytes and a NUL; cap may exceed max by that NUL. */
static bool
reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap < 32 ? 64 : b->cap;
	uint8_t *p;

	if (b->failed != ERR_OK)
		return false;
	if (n > b->max || b->len > b->max - n) {
		b->failed = ERR_LIMIT;
		return false;
	}
	if (b->len + n < b->cap)
		return true;
	while (cap <= b->len + n) {
		if (cap > SIZE_MAX / 2) {
			b->failed = ERR_NOMEM;
			return false;
		}
		cap *= 2;
	}
	if ((p = realloc(b->data, cap)) == NULL) {
		b->failed = ERR_NOMEM;
		return false;
	}
	b->data = p;
	b->cap = cap;
	return true;
}

uint8_t *
buf_extend(struct buf *b, size_t n)
{
	uint8_t *p;

	if (!reserve(b, n))
		return NULL;
	p = b->data + b->len;
	b->len += n;
	return p;
}

void
buf_append(struct buf *b, struct view v)
{
	uint8_t *p = buf_extend(b, v.len);

	if (p != NULL && v.len > 0)
		memcpy(p, v.ptr, v.len);
}

void
buf_byte(struct buf *b, uint8_t byte)
{
	uint8_t *p = buf_extend(b, 1);

	if (p != NULL)
		*p = byte;
}

void
buf_fill(struct buf *b, uint8_t byte, size_t n)
{
	uint8_t *p = buf_extend(b, n);

	if (p != NULL)
		memset(p, byte, n);
}

void
buf_str(struct buf *b, const char *s)
{
	buf_append(b, view_str(s));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

struct view
buf_view(const struct buf *b)
{
	return view_of(b->data, b->len);
}

const char *
buf_cstr(struct buf *b)
{
	if (!reserve(b, 0))
		return NULL;
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

uint8_t *
buf_steal(struct buf *b, size_t *len)
{
	uint8_t *p = b->data;

	*len = b->len;
	*b = (struct buf){.max = b->max};
	return p;
}

enum err_code
buf_check(const struct buf *b, struct err *e)
{
	if (b->failed == ERR_NOMEM)
		return err_nomem(e);
	if (b->failed == ERR_LIMIT)
		return err_set(e, ERR_LIMIT, "longer than %zu bytes", b->max);
	return ERR_OK;
}
