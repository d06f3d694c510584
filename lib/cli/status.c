/* Progress: a line, or a few, that are replaced by the next. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/out.h"

#define ERASE "\r\033[K"
#define BELOW "\033[J"
#define EVERY_MS 100

static int64_t
now_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
		return 0;
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
cli_status_room(size_t *columns, size_t *rows)
{
	struct winsize w;
	bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0;

	*columns = known && w.ws_col > 1 ? w.ws_col : 80;
	*rows = known && w.ws_row > 1 ? w.ws_row : 24;
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

/* The cursor goes where the first line of the last ones began. */
static void
erase(struct cli *c, struct buf *b)
{
	buf_str(b, ERASE);
	if (c->status_shown && c->status_rows > 1) {
		buf_printf(b, "\033[%zuA", c->status_rows - 1);
		buf_str(b, BELOW);
	}
}

static void
show(struct cli *c, struct view text)
{
	size_t columns, rows, at = 0, n = 0;
	struct buf b;

	cli_status_room(&columns, &rows);
	buf_init(&b, 2 * text.len + 64);
	erase(c, &b);
	for (; at < text.len; n++) {
		const uint8_t *end = memchr(text.ptr + at, '\n', text.len - at);
		size_t len = end == NULL ? text.len - at
					 : (size_t)(end - (text.ptr + at));
		struct view line = view_sub(text, at, len);

		if (n > 0)
			buf_byte(&b, '\n');
		buf_append(&b, view_sub(line, 0, cut(line, columns - 1)));
		at += len + 1;
	}
	cli_err_write(buf_view(&b));
	buf_deinit(&b);
	c->status_rows = n;
	c->status_shown = true;
}

void
cli_status(struct cli *c, const char *fmt, ...)
{
	char text[1024];
	int64_t now = now_ms();
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
	show(c, view_str(text));
	c->status_at = now;
}

void
cli_status_lines(struct cli *c, const char *text)
{
	if (c->err_tty && !c->common.json)
		show(c, view_str(text));
}

void
cli_status_clear(struct cli *c)
{
	struct buf b;

	if (!c->status_shown)
		return;
	buf_init(&b, 64);
	erase(c, &b);
	cli_err_write(buf_view(&b));
	buf_deinit(&b);
	c->status_shown = false;
	c->status_at = 0;
}
