/* A review in Markdown: CommonMark with tables, as the common hosts take it. */
#include <stdlib.h>
#include <string.h>

#include "review/render_impl.h"

#define BAR_CELLS 16

/* Backquotes in a row, the most. */
static size_t
longest_run(struct view v)
{
	size_t most = 0, run = 0;

	for (size_t i = 0; i < v.len; i++) {
		run = v.ptr[i] == '`' ? run + 1 : 0;
		if (run > most)
			most = run;
	}
	return most;
}

/* As code: nothing in it means anything. */
static void
code(struct buf *b, struct view v)
{
	size_t n = longest_run(v) + 1;
	bool pad = v.len > 0 &&
		   (v.ptr[0] == '`' || v.ptr[0] == ' ' ||
		       v.ptr[v.len - 1] == '`' || v.ptr[v.len - 1] == ' ');

	if (v.len == 0) {
		buf_str(b, "(empty)");
		return;
	}
	buf_fill(b, '`', n);
	buf_str(b, pad ? " " : "");
	render_plain(b, v, RENDER_SHOW_TABS);
	buf_str(b, pad ? " " : "");
	buf_fill(b, '`', n);
}

/* A character of running text. Backslashes take its meaning from most; a
 * host that makes links of names and numbers leaves code alone. */
static void
text_char(struct buf *b, uint8_t before, uint8_t c, uint8_t after)
{
	switch (c) {
	case '&':
		buf_str(b, "&amp;");
		return;
	case '<':
		buf_str(b, "&lt;");
		return;
	case '>':
		buf_str(b, "&gt;");
		return;
	case '@':
	case '#':
		buf_printf(b, "`%c`", c);
		return;
	}
	if (strchr("\\`*_{}[]|~$", c) != NULL || (c == ':' && after == '/') ||
	    (c == '.' && before > '9' && after > '9'))
		buf_byte(b, '\\');
	buf_byte(b, c);
}

static void
text(struct buf *b, struct view v)
{
	struct render_piece p;
	size_t at = 0;

	while (render_next(&p, v, &at, RENDER_SHOW_TABS)) {
		const uint8_t *s = p.text.ptr;

		for (size_t i = 0; i < p.text.len; i++)
			text_char(b, i > 0 ? s[i - 1] : 0, s[i],
			    i + 1 < p.text.len ? s[i + 1] : 0);
	}
}

static void
title(struct buf *b, const struct review *r)
{
	buf_str(b, "# ");
	text(b, view_str(r->title != NULL ? r->title : "Review"));
	buf_str(b, "\n");
	if (r->nfindings == 0)
		return;
	buf_printf(b, "\n**%s ", render_mark_sign(review_worst(r)));
	render_verdict(b, r);
	buf_str(b, ".**\n");
}

static void
findings(struct buf *b, const struct review *r)
{
	if (r->nfindings == 0)
		return;
	buf_str(b, "\n## Findings\n\n");
	for (size_t m = 0; m < RENDER_MARKS; m++)
		for (size_t i = 0; i < r->nfindings; i++) {
			const struct review_finding *f = &r->finding[i];

			if (f->mark != render_mark_at(m))
				continue;
			buf_printf(b, "- %s **%s:** ",
			    render_mark_sign(f->mark),
			    render_mark_word(f->mark));
			text(b, view_str(f->text));
			buf_byte(b, '\n');
		}
}

static void
facts(struct buf *b, const struct review *r)
{
	if (r->nfacts == 0)
		return;
	buf_str(b, "\n## Facts\n\n");
	for (size_t i = 0; i < r->nfacts; i++) {
		buf_str(b, "- ");
		text(b, view_str(r->fact[i].name));
		buf_str(b, ": ");
		code(b, view_str(r->fact[i].value));
		buf_byte(b, '\n');
	}
}

static void
size_cells(struct buf *b, const struct review_arch *a)
{
	char old[RENDER_SIZE_MAX], new[RENDER_SIZE_MAX];
	char delta[RENDER_SIZE_MAX];

	buf_printf(b, " | %s | %s | %s | ", render_size(old, a->old_bytes),
	    render_size(new, a->new_bytes),
	    render_delta(delta, a->old_bytes, a->new_bytes));
}

static void
bar(struct buf *b, const struct review *r, uint64_t bytes)
{
	for (unsigned n = render_bar(r, bytes, BAR_CELLS); n > 0; n--)
		buf_str(b, "\xe2\x96\x88");
}

static void
sizes(struct buf *b, const struct review *r)
{
	struct review_arch all = render_arch_total(r);

	if (r->narch == 0)
		return;
	buf_str(b, "\n## Sizes by architecture\n\n"
		   "| Architecture | Before | After | Change | To scale |\n"
		   "| :--- | ---: | ---: | ---: | :--- |\n");
	for (size_t i = 0; i < r->narch; i++) {
		buf_str(b, "| ");
		text(b, render_arch_name(&r->arch[i]));
		size_cells(b, &r->arch[i]);
		bar(b, r, r->arch[i].new_bytes);
		buf_str(b, " |\n");
	}
	buf_str(b, "| **all**");
	size_cells(b, &all);
	buf_str(b, "|\n");
}

/* The fence is longer than any run of backquotes inside. */
static void
lines(struct buf *b, const struct review_file *f)
{
	size_t n = longest_run(view_str(f->lines)) + 1;
	struct render_lines l = render_lines_of(f->lines);
	struct render_line line;

	n = n < 3 ? 3 : n;
	buf_str(b, "\n  ");
	buf_fill(b, '`', n);
	buf_str(b, "diff\n");
	while (render_line_next(&l, &line)) {
		buf_str(b, "  ");
		render_plain(b, line.text, RENDER_KEEP_TABS);
		buf_byte(b, '\n');
	}
	buf_str(b, "  ");
	buf_fill(b, '`', n);
	buf_str(b, "\n\n");
}

static void
link_part(struct buf *b, const char *what, const char *target)
{
	if (target == NULL)
		return;
	buf_printf(b, ", %s ", what);
	code(b, view_str(target));
}

static void
file(struct buf *b, const struct review_file *f)
{
	const char *badge;

	buf_printf(b, "- **%s** ", render_op_word(f->op));
	code(b, view_str(f->path));
	buf_str(b, ": ");
	render_content(b, f);
	for (size_t i = 0; (badge = render_badge(f, i)) != NULL; i++)
		buf_printf(b, ", **%s**", badge);
	link_part(b, "old link to", f->old_link);
	link_part(b, "link to", f->new_link);
	if (f->lines == NULL && f->no_lines != NULL)
		buf_printf(b, " (%s)", f->no_lines);
	buf_byte(b, '\n');
	if (render_has_lines(f))
		lines(b, f);
}

/* One, not two. */
static void
blank_line(struct buf *b)
{
	if (b->len < 2 || b->data[b->len - 2] != '\n')
		buf_byte(b, '\n');
}

static enum err_code
files(struct buf *b, const struct review *r, struct err *e)
{
	struct render_item *item = NULL;
	enum err_code rc = render_sort(&item, r, e);
	struct render_group g;

	if (rc != ERR_OK)
		return rc;
	buf_str(b, "\n## Files\n\n");
	render_totals(b, r);
	buf_byte(b, '\n');
	for (size_t at = 0; at < r->nfiles; at += g.n) {
		g = render_group_at(item + at, r->nfiles - at);
		blank_line(b);
		buf_str(b, "### ");
		text(b, render_group_title(&g));
		buf_str(b, "\n\n");
		for (size_t i = 0; i < g.n; i++)
			file(b, g.item[i].file);
	}
	free(item);
	return ERR_OK;
}

enum err_code
render_markdown(struct buf *out, const struct review *r, struct err *e)
{
	enum err_code rc;

	title(out, r);
	findings(out, r);
	facts(out, r);
	sizes(out, r);
	if ((rc = files(out, r, e)) != ERR_OK)
		return rc;
	blank_line(out);
	buf_str(out, "---\n\nThe same release and the same review give the "
		     "same bytes; `b2sum -l 256` of this file is its hash.\n");
	return buf_check(out, e);
}
