#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void PRINTF_LIKE(2, 0)
    set_text(struct err *e, const char *fmt, va_list ap)
{
	if (vsnprintf(e->msg, sizeof(e->msg), fmt, ap) < 0)
		e->msg[0] = '\0';
}

enum err_code
err_set(struct err *e, enum err_code c, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return c;
	e->code = c;
	e->os = 0;
	e->tag[0] = '\0';
	va_start(ap, fmt);
	set_text(e, fmt, ap);
	va_end(ap);
	return c;
}

static enum err_code
code_of_os(int os)
{
	switch (os) {
	case ENOSPC:
	case EDQUOT:
		return ERR_NOSPACE;
	case ENOMEM:
		return ERR_NOMEM;
	case ENOENT:
		return ERR_NOT_FOUND;
	case EROFS:
		return ERR_READONLY;
	case EEXIST:
		return ERR_EXISTS;
	default:
		return ERR_IO;
	}
}

enum err_code
err_os(struct err *e, int os, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	if (e == NULL)
		return code_of_os(os);
	e->code = code_of_os(os);
	e->os = os;
	e->tag[0] = '\0';
	va_start(ap, fmt);
	set_text(e, fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	(void)snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", strerror(os));
	return e->code;
}

enum err_code
err_nomem(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory");
}

enum err_code
err_wrap(struct err *e, const char *fmt, ...)
{
	char inner[sizeof(e->msg)];
	va_list ap;
	size_t n;

	if (e == NULL)
		return ERR_IO;
	memcpy(inner, e->msg, sizeof(inner));
	va_start(ap, fmt);
	set_text(e, fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	if (inner[0] == '\0' || n + 2 >= sizeof(e->msg))
		return e->code;
	e->msg[n++] = ':';
	e->msg[n++] = ' ';
	memcpy(e->msg + n, inner, sizeof(e->msg) - n);
	e->msg[sizeof(e->msg) - 1] = '\0';
	return e->code;
}

enum err_code
err_tag(struct err *e, const char *tag)
{
	if (e == NULL)
		return ERR_IO;
	(void)snprintf(e->tag, sizeof(e->tag), "%s", tag);
	return e->code;
}

const char *
err_tag_of(const struct err *e)
{
	if (e->tag[0] != '\0')
		return e->tag;
	switch (e->code) {
	case ERR_OK:
		return "OK";
	case ERR_NOMEM:
		return "ERR_NO_MEMORY";
	case ERR_IO:
		return "ERR_IO";
	case ERR_NOSPACE:
		return "ERR_NO_SPACE";
	case ERR_USAGE:
		return "ERR_USAGE";
	case ERR_INVALID:
		return "ERR_INVALID_INPUT";
	case ERR_FORMAT:
		return "ERR_FORMAT";
	case ERR_CORRUPT:
		return "ERR_CORRUPT";
	case ERR_VERIFY:
		return "ERR_VERIFY";
	case ERR_NOT_FOUND:
		return "ERR_NOT_FOUND";
	case ERR_EXISTS:
		return "ERR_EXISTS";
	case ERR_LOCKED:
		return "ERR_LOCKED";
	case ERR_READONLY:
		return "ERR_NOT_WRITABLE";
	case ERR_CONFLICT:
		return "ERR_CONFLICT";
	case ERR_CHANGED:
		return "ERR_CHANGED";
	case ERR_NEED_BLOCK:
		return "ERR_MISSING_BLOCK";
	case ERR_LIMIT:
		return "ERR_LIMIT";
	case ERR_VERSION:
		return "ERR_NEWER_FORMAT";
	case ERR_UNSUPPORTED:
		return "ERR_UNSUPPORTED";
	case ERR_INTERRUPTED:
		return "ERR_INTERRUPTED";
	case ERR_PEERS:
		return "ERR_CONNECTION";
	}
	return "ERR_UNKNOWN";
}

/* Code points that move or hide text on a terminal. */
static int
is_deceptive(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad ||
	       cp == 0x61c || (cp >= 0x200b && cp <= 0x200f) ||
	       (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
	       (cp >= 0xfff0 && cp <= 0xfffb) ||
	       (cp >= 0xe0000 && cp <= 0xe0fff) || cp == '\\';
}

/* One escaped or plain item; returns how many input bytes it covers. */
static size_t
quote_one(char item[static 16], const uint8_t *p, size_t n)
{
	uint32_t cp;
	size_t len = utf8_next(p, n, &cp);

	if (len == 0) {
		(void)snprintf(item, 16, "\\x%02x", (unsigned)p[0]);
		return 1;
	}
	if (!is_deceptive(cp)) {
		memcpy(item, p, len);
		item[len] = '\0';
		return len;
	}
	if (cp == '\\')
		(void)snprintf(item, 16, "\\\\");
	else if (cp < 0x80)
		(void)snprintf(item, 16, "\\x%02x", (unsigned)cp);
	else if (cp < 0x10000)
		(void)snprintf(item, 16, "\\u%04x", (unsigned)cp);
	else
		(void)snprintf(item, 16, "\\U%08x", (unsigned)cp);
	return len;
}

const char *
err_quote(char *out, size_t cap, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	char item[16];
	size_t used = 0, at = 0, step;

	if (cap == 0)
		return "";
	out[0] = '\0';
	while (at < n) {
		step = quote_one(item, p + at, n - at);
		if (used + strlen(item) + 4 > cap) {
			(void)snprintf(out + used, cap - used, "...");
			break;
		}
		memcpy(out + used, item, strlen(item) + 1);
		used += strlen(item);
		at += step;
	}
	return out;
}
