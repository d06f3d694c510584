/* The one line of progress. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/out.h"

#define ERASE "\r\033[K"
#define EVERY_MS 100

static int64_t
now_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		return 0;
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t
columns(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1)
		return w.ws_col;
	return 80;
}

/* Bytes of the first n characters: a line that wraps cannot be erased. */
static size_t
cut(struct view v, size_t n)
{
	size_t at = 0;

	for (; n > 0 && at < v.len; n--) {
		uint32_t cp;
		size_t len = utf8_next(v.ptr + at, v.len - at, &cp);

		at += len > 0 ? len : 1;
	}
	return at;
}

void
cli_status(struct cli *c, const char *fmt, ...)
{
	char text[1024];
	int64_t now = now_ms();
	struct view v;
	struct buf b;
	va_list ap;
	int n;

	if (!c->err_tty || c->common.json ||
	    (c->status_at != 0 && now - c->status_at < EVERY_MS))
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	v = view_str(text);
	buf_init(&b, sizeof(text) + 16);
	buf_str(&b, ERASE);
	buf_append(&b, view_sub(v, 0, cut(v, columns() - 1)));
	cli_err_write(buf_view(&b));
	buf_deinit(&b);
	c->status_at = now;
	c->status_shown = true;
}

void
cli_status_clear(struct cli *c)
{
	if (!c->status_shown)
		return;
	cli_err_write(view_str(ERASE));
	c->status_shown = false;
	c->status_at = 0;
}
