#include "store/text.h"

#include <inttypes.h>
#include <string.h>

#include "codec/hex.h"
#include "store/crc.h"

#define SUM_LINE 13 /* "sum " 8 hex "\n" */

static void
fail(struct text *t, const char *why)
{
	if (t->why == NULL)
		t->why = why;
	t->rest = VIEW_EMPTY;
}

static void
skip(struct text *t, struct view expected, const char *why)
{
	if (t->why != NULL)
		return;
	if (!view_starts(t->rest, expected)) {
		fail(t, why);
		return;
	}
	t->rest = view_sub(t->rest, expected.len, t->rest.len - expected.len);
}

/* Decimal without leading zeros, then a newline. */
static uint64_t
number(struct text *t)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < t->rest.len; i++) {
		unsigned d = (unsigned)t->rest.ptr[i] - '0';

		if (d > 9)
			break;
		if (v > (UINT64_MAX - d) / 10 || (i > 0 && v == 0)) {
			fail(t, "a number is not a number");
			return 0;
		}
		v = v * 10 + d;
	}
	if (i == 0)
		fail(t, "a number is missing");
	t->rest = view_sub(t->rest, i, t->rest.len);
	skip(t, view_str("\n"), "a line does not end");
	return t->why == NULL ? v : 0;
}

uint64_t
text_uint(struct text *t, const char *name)
{
	skip(t, view_str(name), "a field is missing");
	skip(t, view_str(" "), "a field is missing");
	return t->why == NULL ? number(t) : 0;
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

void
text_bytes(struct text *t, const char *name, void *out, size_t n)
{
	uint8_t *p = out;

	memset(out, 0, n);
	skip(t, view_str(name), "a field is missing");
	skip(t, view_str(" "), "a field is missing");
	if (t->why == NULL && t->rest.len < 2 * n)
		fail(t, "a field is too short");
	for (size_t i = 0; t->why == NULL && i < n; i++) {
		int hi = hex_digit(t->rest.ptr[2 * i]);
		int lo = hex_digit(t->rest.ptr[2 * i + 1]);

		if (hi < 0 || lo < 0)
			fail(t, "a field is not hexadecimal");
		else
			p[i] = (uint8_t)(hi << 4 | lo);
	}
	if (t->why == NULL)
		t->rest = view_sub(t->rest, 2 * n, t->rest.len);
	skip(t, view_str("\n"), "a line does not end");
}

/* Cut the last line off and compare it with what stands before it. */
static void
check_sum(struct text *t, struct view file)
{
	struct buf b;
	size_t body;

	if (t->why != NULL)
		return;
	if (t->rest.len < SUM_LINE) {
		fail(t, "the end is missing");
		return;
	}
	body = file.len - SUM_LINE;
	buf_init(&b, TEXT_MAX + SUM_LINE);
	buf_append(&b, view_sub(file, 0, body));
	text_put_sum(&b);
	if (b.failed != ERR_OK)
		fail(t, "too long");
	else if (!view_eq(buf_view(&b), file))
		fail(t, "the check sum does not match");
	else
		t->rest = view_sub(t->rest, 0, t->rest.len - SUM_LINE);
	buf_deinit(&b);
}

enum err_code
text_open(struct text *t, struct view file, const char *name, uint64_t known,
    const char *what, struct err *e)
{
	uint64_t format;

	*t = (struct text){file, NULL};
	format = text_uint(t, name);
	if (t->why == NULL && format > known)
		return err_set(e, ERR_VERSION,
		    "%s has format %" PRIu64
		    ", this program knows up to %" PRIu64,
		    what, format, known);
	if (format == 0)
		fail(t, "the first line is wrong");
	check_sum(t, file);
	if (t->why != NULL)
		return text_close(t, what, e);
	return ERR_OK;
}

enum err_code
text_close(const struct text *t, const char *what, struct err *e)
{
	if (t->why != NULL)
		return err_set(
		    e, ERR_CORRUPT, "%s is damaged: %s", what, t->why);
	if (t->rest.len > 0)
		return err_set(e, ERR_CORRUPT,
		    "%s is damaged: there is more in it than fits", what);
	return ERR_OK;
}

void
text_put_uint(struct buf *b, const char *name, uint64_t v)
{
	buf_printf(b, "%s %" PRIu64 "\n", name, v);
}

void
text_put_bytes(struct buf *b, const char *name, struct view v)
{
	buf_printf(b, "%s ", name);
	hex_encode(b, v);
	buf_str(b, "\n");
}

void
text_put_sum(struct buf *b)
{
	buf_printf(b, "sum %08" PRIx32 "\n", crc_add(0, buf_view(b)));
}
