/* Foreign texts, sizes and line diffs in the forms all renderers show. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "review/render_impl.h"

#define QUOTE_OPEN 0x2039u
#define OPEN "\xe2\x80\xb9"
#define CLOSE "\xe2\x80\xba"

/* Code points that hide, move or pretend: first and last of each run. */
static const uint32_t hidden[][2] = {
    {0x00, 0x1f}, {0x7f, 0x9f}, /* controls */
    {0xad, 0xad},		/* soft hyphen */
    {0x34f, 0x34f},		/* grapheme joiner */
    {0x61c, 0x61c},		/* Arabic letter mark */
    {0x115f, 0x1160},		/* Hangul fillers */
    {0x17b4, 0x17b5},		/* Khmer inherent vowels */
    {0x180b, 0x180f},		/* Mongolian selectors */
    {0x200b, 0x200f},		/* zero widths, direction marks */
    {0x2028, 0x202e},		/* line ends, embeddings, overrides */
    {QUOTE_OPEN, QUOTE_OPEN},	/* begins our own notes */
    {0x2060, 0x206f},		/* joiners, isolates */
    {0x2800, 0x2800},		/* blank Braille */
    {0x3164, 0x3164},		/* Hangul filler */
    {0xe000, 0xf8ff},		/* private use */
    {0xfeff, 0xfeff},		/* byte order mark */
    {0xffa0, 0xffa0},		/* Hangul filler, half width */
    {0xfff0, 0xfffb},		/* specials */
    {0xfffe, 0xffff},		/* no characters */
    {0xe0000, 0x10ffff},	/* tags, selectors, private use */
};

static bool
is_hidden(uint32_t cp, enum render_tabs tabs)
{
	if (cp == '\t')
		return tabs == RENDER_SHOW_TABS;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (cp >= hidden[i][0] && cp <= hidden[i][1])
			return true;
	return false;
}

/* One character at the start of v: its length, and the note if it needs
 * one ("" if not). */
static size_t
look(char note[static 16], struct view v, enum render_tabs tabs)
{
	uint32_t cp = 0;
	size_t len = utf8_next(v.ptr, v.len, &cp);

	note[0] = '\0';
	if (len == 0) {
		(void)snprintf(
		    note, 16, OPEN "0x%02x" CLOSE, (unsigned)v.ptr[0]);
		return 1;
	}
	if (is_hidden(cp, tabs))
		(void)snprintf(
		    note, 16, OPEN "U+%04" PRIX32 CLOSE, cp & 0x1fffff);
	return len;
}

bool
render_next(
    struct render_piece *out, struct view v, size_t *at, enum render_tabs tabs)
{
	size_t from = *at, step = 0;

	while (*at < v.len) {
		step = look(out->note, view_sub(v, *at, v.len), tabs);
		if (out->note[0] != '\0')
			break;
		*at += step;
	}
	if (*at == v.len && *at == from)
		return false;
	out->hidden = *at == from;
	if (out->hidden) {
		*at += step;
		out->text = view_str(out->note);
	} else {
		out->text = view_sub(v, from, *at - from);
	}
	return true;
}

void
render_plain(struct buf *b, struct view v, enum render_tabs tabs)
{
	struct render_piece p;
	size_t at = 0;

	while (render_next(&p, v, &at, tabs))
		buf_append(b, p.text);
}

const char *
render_size(char out[static RENDER_SIZE_MAX], uint64_t bytes)
{
	static const char *const unit[] = {
	    "B", "kB", "MB", "GB", "TB", "PB", "EB"};
	uint64_t scale = 1, tenths = bytes * 10, tenth;
	size_t u = 0;

	/* up also from what would round to 1000 of the smaller unit */
	while (u + 1 < sizeof(unit) / sizeof(unit[0]) &&
	       bytes >= scale * 1000 - (u > 0 ? scale / 20 : 0)) {
		scale *= 1000;
		u++;
	}
	if (u > 0) {
		tenth = scale / 10;
		tenths = bytes / tenth + (bytes % tenth >= tenth / 2);
	}
	if (tenths % 10 != 0)
		(void)snprintf(out, RENDER_SIZE_MAX,
		    "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10,
		    unit[u]);
	else
		(void)snprintf(out, RENDER_SIZE_MAX, "%" PRIu64 " %s",
		    tenths / 10, unit[u]);
	return out;
}

const char *
render_delta(
    char out[static RENDER_SIZE_MAX], uint64_t old_bytes, uint64_t new_bytes)
{
	bool grows = new_bytes > old_bytes;
	char size[RENDER_SIZE_MAX];

	if (new_bytes == old_bytes) {
		(void)snprintf(out, RENDER_SIZE_MAX, "%s",
		    "\xc2\xb1"
		    "0");
		return out;
	}
	render_size(
	    size, grows ? new_bytes - old_bytes : old_bytes - new_bytes);
	(void)snprintf(out, RENDER_SIZE_MAX, "%s%.20s",
	    grows ? "+" : "\xe2\x88\x92", size);
	return out;
}

const char *
render_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* -- line diffs ------------------------------------------------------------- */

bool
render_has_lines(const struct review_file *f)
{
	return f->lines != NULL && f->lines[0] != '\0';
}

struct render_lines
render_lines_of(const char *unified)
{
	return (struct render_lines){.rest = view_str(unified)};
}

/* The number after `sign` in a hunk's header, 0 without. */
static uint64_t
number_after(struct view header, char sign)
{
	const uint8_t *p = memchr(header.ptr, sign, header.len);
	struct view digits;
	uint64_t n = 0;

	if (p == NULL)
		return 0;
	digits = view_sub(header, (size_t)(p - header.ptr) + 1, header.len);
	for (size_t i = 0; i < digits.len && i < 12; i++) {
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			break;
		n = n * 10 + (uint64_t)(digits.ptr[i] - '0');
	}
	return n;
}

static void
classify(struct render_lines *l, struct render_line *out)
{
	switch (out->text.len > 0 ? out->text.ptr[0] : ' ') {
	case '@':
		out->kind = RENDER_LINE_HUNK;
		l->old_line = number_after(out->text, '-');
		l->new_line = number_after(out->text, '+');
		return;
	case '+':
		out->kind = RENDER_LINE_ADDED;
		out->number = l->new_line++;
		return;
	case '-':
		out->kind = RENDER_LINE_REMOVED;
		out->number = l->old_line++;
		return;
	case '\\':
		out->kind = RENDER_LINE_NOTE;
		return;
	default:
		out->kind = RENDER_LINE_SAME;
		out->number = l->new_line++;
		l->old_line++;
		return;
	}
}

bool
render_line_next(struct render_lines *l, struct render_line *out)
{
	const uint8_t *end;
	size_t len;

	if (l->rest.len == 0)
		return false;
	end = memchr(l->rest.ptr, '\n', l->rest.len);
	len = end == NULL ? l->rest.len : (size_t)(end - l->rest.ptr);
	out->text = view_sub(l->rest, 0, len);
	out->number = 0;
	l->rest = view_sub(l->rest, len + 1, l->rest.len);
	classify(l, out);
	return true;
}
