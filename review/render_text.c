/* A review for a terminal. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "review/render_impl.h"

#define BAR_CELLS 20
#define COLUMN_MAX 24 /* characters of a name before its value */

struct text {
	struct buf *b;
	enum render_color color;
};

static void
style(const struct text *t, const char *code)
{
	if (t->color == RENDER_ANSI)
		buf_printf(t->b, "\033[%sm", code);
}

static void
styled(const struct text *t, const char *code, const char *text)
{
	style(t, code);
	buf_str(t->b, text);
	style(t, "0");
}

static void
heading(const struct text *t, const char *text)
{
	buf_byte(t->b, '\n');
	styled(t, "1", text);
	buf_byte(t->b, '\n');
}

static const char *
mark_code(enum review_mark m)
{
	static const char *const code[RENDER_MARKS] = {"32", "0", "33", "31"};

	return code[m];
}

/* Characters, which is columns for nearly everything that is shown. */
static size_t
width_of(struct view v)
{
	size_t n = 0, at = 0, len;
	uint32_t cp;

	for (; at < v.len; n++) {
		len = utf8_next(v.ptr + at, v.len - at, &cp);
		at += len > 0 ? len : 1;
	}
	return n;
}

/* Foreign text, filled up to `width`. */
static void
column(const struct text *t, struct view v, size_t width)
{
	size_t before = t->b->len, n;

	render_plain(t->b, v, RENDER_SHOW_TABS);
	if (t->b->failed != ERR_OK)
		return;
	n = width_of(view_sub(buf_view(t->b), before, t->b->len));
	buf_fill(t->b, ' ', n < width ? width - n : 0);
}

static size_t
widest(size_t so_far, struct view v)
{
	size_t n = width_of(v);

	return n > COLUMN_MAX ? COLUMN_MAX : n > so_far ? n : so_far;
}

static void
title(const struct text *t, const struct review *r)
{
	enum review_mark worst = review_worst(r);

	if (r->title != NULL) {
		style(t, "1");
		render_plain(t->b, view_str(r->title), RENDER_SHOW_TABS);
		style(t, "0");
		buf_byte(t->b, '\n');
	}
	if (r->nfindings == 0)
		return;
	style(t, mark_code(worst));
	buf_printf(t->b, "%s ", render_mark_sign(worst));
	render_verdict(t->b, r);
	style(t, "0");
	buf_byte(t->b, '\n');
}

static void
findings(const struct text *t, const struct review *r)
{
	if (r->nfindings == 0)
		return;
	heading(t, "Findings");
	for (size_t m = 0; m < RENDER_MARKS; m++)
		for (size_t i = 0; i < r->nfindings; i++) {
			const struct review_finding *f = &r->finding[i];

			if (f->mark != render_mark_at(m))
				continue;
			buf_str(t->b, "  ");
			style(t, mark_code(f->mark));
			buf_printf(t->b, "%s %s", render_mark_sign(f->mark),
			    render_mark_word(f->mark));
			style(t, "0");
			buf_str(t->b, "  ");
			render_plain(t->b, view_str(f->text), RENDER_SHOW_TABS);
			buf_byte(t->b, '\n');
		}
}

static void
facts(const struct text *t, const struct review *r)
{
	size_t width = 0;

	if (r->nfacts == 0)
		return;
	heading(t, "Facts");
	for (size_t i = 0; i < r->nfacts; i++)
		width = widest(width, view_str(r->fact[i].name));
	for (size_t i = 0; i < r->nfacts; i++) {
		buf_str(t->b, "  ");
		column(t, view_str(r->fact[i].name), width + 2);
		render_plain(
		    t->b, view_str(r->fact[i].value), RENDER_SHOW_TABS);
		buf_byte(t->b, '\n');
	}
}

static void
arch_line(const struct text *t, const struct review *r,
    const struct review_arch *a, size_t width)
{
	char old[RENDER_SIZE_MAX], new[RENDER_SIZE_MAX];
	char delta[RENDER_SIZE_MAX];

	buf_str(t->b, "  ");
	column(t, render_arch_name(a), width + 2);
	buf_printf(t->b, "%9s \xe2\x86\x92 %9s  ",
	    render_size(old, a->old_bytes), render_size(new, a->new_bytes));
	/* filled up by hand: printf counts bytes, and ± has two */
	column(t, view_str(render_delta(delta, a->old_bytes, a->new_bytes)), 9);
	buf_byte(t->b, ' ');
	for (unsigned n = render_bar(r, a->new_bytes, BAR_CELLS); n > 0; n--)
		buf_str(t->b, "\xe2\x96\x88");
	while (t->b->len > 0 && t->b->data[t->b->len - 1] == ' ')
		t->b->len--;
	buf_byte(t->b, '\n');
}

static void
sizes(const struct text *t, const struct review *r)
{
	size_t width = 0;

	if (r->narch == 0)
		return;
	heading(t, "Sizes by architecture");
	for (size_t i = 0; i < r->narch; i++)
		width = widest(width, render_arch_name(&r->arch[i]));
	for (size_t i = 0; i < r->narch; i++)
		arch_line(t, r, &r->arch[i], width);
}

static const char *
line_code(enum render_line_kind kind)
{
	switch (kind) {
	case RENDER_LINE_HUNK:
		return "36";
	case RENDER_LINE_ADDED:
		return "32";
	case RENDER_LINE_REMOVED:
		return "31";
	case RENDER_LINE_NOTE:
		return "2";
	case RENDER_LINE_SAME:
		break;
	}
	return NULL;
}

void
render_text_lines(
    struct buf *out, const struct review_file *f, enum render_color color)
{
	const struct text t = {out, color};
	struct render_lines l;
	struct render_line line;
	const char *code;

	if (f->lines == NULL) {
		if (f->no_lines != NULL)
			buf_printf(out, "    (%s)\n", f->no_lines);
		return;
	}
	l = render_lines_of(f->lines);
	while (render_line_next(&l, &line)) {
		code = line_code(line.kind);
		buf_str(out, "    ");
		if (code != NULL)
			style(&t, code);
		render_plain(out, line.text, RENDER_KEEP_TABS);
		if (code != NULL)
			style(&t, "0");
		buf_byte(out, '\n');
	}
}

static void
link_line(const struct text *t, const char *what, const char *target)
{
	if (target == NULL)
		return;
	buf_printf(t->b, "    %s ", what);
	render_plain(t->b, view_str(target), RENDER_SHOW_TABS);
	buf_byte(t->b, '\n');
}

static void
file(const struct text *t, const struct review_file *f)
{
	static const char *const code[] = {"31", "33", "32"};
	const char *badge;

	buf_str(t->b, "  ");
	style(t, code[(int)f->op + 1]);
	buf_printf(t->b, "%s ", render_op_sign(f->op));
	render_plain(t->b, view_str(f->path), RENDER_SHOW_TABS);
	style(t, "0");
	buf_str(t->b, "  ");
	render_content(t->b, f);
	for (size_t i = 0; (badge = render_badge(f, i)) != NULL; i++)
		buf_printf(t->b, "%s%s", i == 0 ? "  [" : ", ", badge);
	buf_str(t->b, render_badge(f, 0) != NULL ? "]\n" : "\n");
	link_line(t, "old link to", f->old_link);
	link_line(t, "link to", f->new_link);
	render_text_lines(t->b, f, t->color);
}

static enum err_code
files(const struct text *t, const struct review *r, struct err *e)
{
	struct render_item *item = NULL;
	enum err_code rc = render_sort(&item, r, e);
	struct render_group g;

	if (rc != ERR_OK)
		return rc;
	for (size_t at = 0; at < r->nfiles; at += g.n) {
		g = render_group_at(item + at, r->nfiles - at);
		buf_byte(t->b, '\n');
		style(t, "1");
		render_plain(t->b, render_group_title(&g), RENDER_SHOW_TABS);
		style(t, "0");
		buf_byte(t->b, '\n');
		for (size_t i = 0; i < g.n; i++)
			file(t, g.item[i].file);
	}
	free(item);
	buf_byte(t->b, '\n');
	render_totals(t->b, r);
	buf_byte(t->b, '\n');
	return ERR_OK;
}

enum err_code
render_text(struct buf *out, const struct review *r, enum render_color color,
    struct err *e)
{
	const struct text t = {out, color};
	enum err_code rc;

	title(&t, r);
	findings(&t, r);
	facts(&t, r);
	sizes(&t, r);
	if ((rc = files(&t, r, e)) != ERR_OK)
		return rc;
	return buf_check(out, e);
}
