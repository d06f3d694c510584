#include "cli/out.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/jtext.h"

#define LINE_MAX_BYTES (64u << 20)
#define MARK_OK "\xe2\x9c\x94 "
#define MARK_BAD "\xe2\x9c\x96 "

/* -- bytes ------------------------------------------------------------------ */

static int
write_all(int fd, struct view v)
{
	while (v.len > 0) {
		ssize_t n = write(fd, v.ptr, v.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		v = view_sub(v, (size_t)n, v.len);
	}
	return 0;
}

/* No stdio: a line that was written is out, in the order it was said. */
void
cli_out_write(struct cli *c, struct view v)
{
	cli_status_clear(c);
	if (c->out_errno == 0)
		c->out_errno = write_all(STDOUT_FILENO, v);
}

bool
cli_unheard(const struct cli *c)
{
	return c->out_errno == EPIPE || c->out_errno == EIO;
}

void
cli_err_write(struct view v)
{
	(void)write_all(STDERR_FILENO, v);
}

bool
cli_out_close(struct cli *c)
{
	if (c->finished)
		return c->out_errno == 0;
	c->finished = true;
	/* close() is where a network file system reports a full disk */
	if (c->out_errno == 0 && close(STDOUT_FILENO) != 0 && errno != EBADF &&
	    errno != EINTR)
		c->out_errno = errno;
	if (c->out_errno != 0 && c->out_errno != EPIPE) {
		char text[256];

		(void)snprintf(text, sizeof(text),
		    "write to standard output: %s", strerror(c->out_errno));
		cli_err_mark(c, text);
	}
	return c->out_errno == 0;
}

/* -- styles ----------------------------------------------------------------- */

bool
cli_colored(const struct cli *c, bool is_tty)
{
	switch (c->common.color) {
	case CLI_COLOR_ALWAYS:
		return true;
	case CLI_COLOR_NEVER:
		return false;
	case CLI_COLOR_AUTO:
		return is_tty && c->common.tty;
	}
	return false;
}

static const char *
code_of(enum cli_style s)
{
	switch (s) {
	case CLI_PLAIN:
		return "\033[0m";
	case CLI_BOLD:
		return "\033[1m";
	case CLI_DIM:
		return "\033[2m";
	case CLI_RED:
		return "\033[31m";
	case CLI_GREEN:
		return "\033[32m";
	case CLI_YELLOW:
		return "\033[33m";
	}
	return "";
}

const char *
cli_style(const struct cli *c, enum cli_style s)
{
	return cli_colored(c, c->out_tty) ? code_of(s) : "";
}

/* -- results ---------------------------------------------------------------- */

static void vtext(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
vtext(struct buf *b, const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) >= 0) {
		buf_str(b, text);
		free(text);
	} else {
		b->failed = ERR_NOMEM;
	}
}

/* What cannot be built cannot be written: the command fails. */
static void
flush(struct cli *c, struct buf *b)
{
	struct err e = ERR_INIT;

	if (buf_check(b, &e) == ERR_OK)
		cli_out_write(c, buf_view(b));
	else if (c->out_errno == 0)
		c->out_errno = ENOMEM;
	buf_deinit(b);
}

void
cli_line(struct cli *c, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	if (c->common.json)
		return;
	buf_init(&b, LINE_MAX_BYTES);
	va_start(ap, fmt);
	vtext(&b, fmt, ap);
	va_end(ap);
	buf_byte(&b, '\n');
	flush(c, &b);
}

void
cli_success(struct cli *c, const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	if (c->common.json)
		return;
	buf_init(&b, LINE_MAX_BYTES);
	buf_printf(&b, "%s" MARK_OK "%s", cli_style(c, CLI_GREEN),
	    cli_style(c, CLI_PLAIN));
	va_start(ap, fmt);
	vtext(&b, fmt, ap);
	va_end(ap);
	buf_byte(&b, '\n');
	flush(c, &b);
}

void
cli_bytes_out(struct cli *c, struct view v)
{
	cli_out_write(c, v);
}

void
cli_event(struct cli *c, const char *tag, json_t *data)
{
	struct buf b;

	if (!c->common.json) {
		json_decref(data);
		return;
	}
	buf_init(&b, LINE_MAX_BYTES);
	buf_str(&b, "{\"cmd\":");
	jtext_string(&b, view_str(c->spec->event));
	buf_str(&b, ",\"tag\":");
	jtext_string(&b, view_str(tag));
	if (data != NULL) {
		buf_str(&b, ",\"data\":");
		jtext_print(&b, data);
	}
	buf_str(&b, "}\n");
	json_decref(data);
	flush(c, &b);
}

void
cli_final(struct cli *c, json_t *fields)
{
	json_decref(c->final);
	c->final = fields;
}

static void
diff_event(struct cli *c, enum cli_diff kind, struct view path,
    uint64_t old_size, uint64_t new_size, json_t *more)
{
	json_t *sizes = json_array(), *data;

	if (kind != CLI_DIFF_ADDED)
		(void)json_array_append_new(
		    sizes, json_integer(-(json_int_t)old_size));
	if (kind != CLI_DIFF_REMOVED)
		(void)json_array_append_new(
		    sizes, json_integer((json_int_t)new_size));
	data = json_pack("{s:i,s:o,s:o}", "type", (int)kind, "sizes", sizes,
	    "message", cli_json_text(path));
	(void)json_object_update(data, more);
	json_decref(more);
	cli_event(c, "byte-diff", data);
}

/* "+1.2kB"; zero has no sign. */
static void
signed_size(char out[static CLI_SIZE_MAX + 1], char sign, uint64_t n)
{
	char text[CLI_SIZE_MAX];

	cli_size(text, (int64_t)n);
	if (n == 0)
		(void)snprintf(out, CLI_SIZE_MAX + 1, "%s", text);
	else
		(void)snprintf(out, CLI_SIZE_MAX + 1, "%c%s", sign, text);
}

void
cli_diff(struct cli *c, enum cli_diff kind, struct view path, uint64_t old_size,
    uint64_t new_size)
{
	cli_diff_more(c, kind, path, old_size, new_size, NULL);
}

void
cli_diff_more(struct cli *c, enum cli_diff kind, struct view path,
    uint64_t old_size, uint64_t new_size, json_t *more)
{
	char name[4 * 4096];
	char minus[CLI_SIZE_MAX + 1];
	char plus[CLI_SIZE_MAX + 1];

	if (c->common.json) {
		diff_event(c, kind, path, old_size, new_size, more);
		return;
	}
	json_decref(more);
	err_quote(name, sizeof(name), path.ptr, path.len);
	signed_size(minus, '-', old_size);
	signed_size(plus, '+', new_size);
	switch (kind) {
	case CLI_DIFF_ADDED:
		cli_line(c, "%s+%s %s (%s)", cli_style(c, CLI_GREEN),
		    cli_style(c, CLI_PLAIN), name, plus);
		return;
	case CLI_DIFF_REMOVED:
		cli_line(c, "%s-%s %s (%s)", cli_style(c, CLI_RED),
		    cli_style(c, CLI_PLAIN), name, minus);
		return;
	case CLI_DIFF_CHANGED:
		cli_line(c, "%s~%s %s (%s, %s)", cli_style(c, CLI_YELLOW),
		    cli_style(c, CLI_PLAIN), name, minus, plus);
		return;
	}
}

/* -- talk ------------------------------------------------------------------- */

static void talk(struct cli *c, const char *mark, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void
talk(struct cli *c, const char *mark, const char *fmt, va_list ap)
{
	struct buf b;

	cli_status_clear(c);
	buf_init(&b, LINE_MAX_BYTES);
	buf_str(&b, mark);
	vtext(&b, fmt, ap);
	buf_byte(&b, '\n');
	cli_err_write(buf_view(&b));
	buf_deinit(&b);
}

void
cli_warn(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	talk(c, "", fmt, ap);
	va_end(ap);
}

void
cli_debug(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	if (!c->common.verbose)
		return;
	va_start(ap, fmt);
	talk(c, "", fmt, ap);
	va_end(ap);
}

void
cli_err_mark(struct cli *c, const char *text)
{
	bool color = cli_colored(c, c->err_tty);
	struct buf b;
	size_t i;

	cli_status_clear(c);
	buf_init(&b, LINE_MAX_BYTES);
	buf_printf(&b, "%s" MARK_BAD "%s", color ? code_of(CLI_RED) : "",
	    color ? code_of(CLI_PLAIN) : "");
	for (i = 0; text[i] != '\0'; i++) {
		uint8_t ch = (uint8_t)text[i];

		buf_byte(&b, (ch < ' ' && ch != '\n') || ch == 0x7f ? '?' : ch);
	}
	buf_byte(&b, '\n');
	cli_err_write(buf_view(&b));
	buf_deinit(&b);
}

/* -- small texts ------------------------------------------------------------ */

const char *
cli_size(char out[static CLI_SIZE_MAX], int64_t bytes)
{
	static const char *const unit[] = {
	    "B", "kB", "MB", "GB", "TB", "PB", "EB"};
	uint64_t n = bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes;
	uint64_t tenths;
	uint64_t scale = 1;
	size_t u = 0;

	/* promote also what would round up to 1000 of the smaller unit */
	while (u + 1 < sizeof(unit) / sizeof(unit[0]) &&
	       n >= scale * 1000 - (u > 0 ? scale / 20 : 0)) {
		scale *= 1000;
		u++;
	}
	tenths = u == 0 ? n * 10 : (n + scale / 20) / (scale / 10);
	(void)snprintf(
	    out, CLI_SIZE_MAX, "%s%" PRIu64, bytes < 0 ? "-" : "", tenths / 10);
	if (tenths % 10 != 0)
		(void)snprintf(out + strlen(out), CLI_SIZE_MAX - strlen(out),
		    ".%" PRIu64, tenths % 10);
	(void)snprintf(
	    out + strlen(out), CLI_SIZE_MAX - strlen(out), "%s", unit[u]);
	return out;
}

json_t *
cli_json_text(struct view v)
{
	const size_t cap = v.len * 10 + 1; /* "\\U0010ffff" a byte, NUL */
	json_t *s = json_stringn(v.ptr ? (const char *)v.ptr : "", v.len);
	char *text;

	if (s != NULL || v.len > LINE_MAX_BYTES)
		return s;
	text = malloc(cap);
	if (text != NULL)
		s = json_string(err_quote(text, cap, v.ptr, v.len));
	free(text);
	return s;
}
