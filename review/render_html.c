/* A review as one HTML file. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "review/render_impl.h"
#include "review/render_style.h"

#define ARROW " \xe2\x86\x92 "

/* -- texts ------------------------------------------------------------------ */

static void
escape(struct buf *b, struct view v)
{
	for (size_t i = 0; i < v.len; i++)
		switch (v.ptr[i]) {
		case '&':
			buf_str(b, "&amp;");
			break;
		case '<':
			buf_str(b, "&lt;");
			break;
		case '>':
			buf_str(b, "&gt;");
			break;
		case '"':
			buf_str(b, "&quot;");
			break;
		case '\'':
			buf_str(b, "&#39;");
			break;
		default:
			buf_byte(b, v.ptr[i]);
			break;
		}
}

static void
text(struct buf *b, struct view v, enum render_tabs tabs)
{
	struct render_piece p;
	size_t at = 0;

	while (render_next(&p, v, &at, tabs)) {
		buf_str(b, p.hidden ? "<b class=\"x\">" : "");
		escape(b, p.text);
		buf_str(b, p.hidden ? "</b>" : "");
	}
}

static void
code(struct buf *b, struct view v)
{
	buf_str(b, "<code>");
	text(b, v, RENDER_SHOW_TABS);
	buf_str(b, "</code>");
}

/* A path may break after its slashes. */
static void
path(struct buf *b, const char *p)
{
	const char *slash;

	for (; (slash = strchr(p, '/')) != NULL; p = slash + 1) {
		text(b, view_of(p, (size_t)(slash - p) + 1), RENDER_SHOW_TABS);
		buf_str(b, "<wbr>");
	}
	text(b, view_str(p), RENDER_SHOW_TABS);
}

static const char *
mark_class(enum review_mark m)
{
	static const char *const name[RENDER_MARKS] = {
	    "good", "note", "warn", "bad"};

	return name[m];
}

/* -- head ------------------------------------------------------------------- */

static void
head(struct buf *b, struct view title)
{
	struct render_piece p;
	size_t at = 0;

	buf_str(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n"
		   "<meta charset=\"utf-8\">\n"
		   "<meta http-equiv=\"Content-Security-Policy\" content=\""
		   "default-src 'none'; style-src 'unsafe-inline'; "
		   "base-uri 'none'; form-action 'none'\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, "
		   "initial-scale=1\">\n"
		   "<meta name=\"color-scheme\" content=\"light dark\">\n"
		   "<meta name=\"referrer\" content=\"no-referrer\">\n"
		   "<title>");
	while (render_next(&p, title, &at, RENDER_SHOW_TABS))
		escape(b, p.text);
	buf_str(b, "</title>\n<style>\n");
	for (size_t i = 0; render_style[i] != NULL; i++)
		buf_str(b, render_style[i]);
	buf_str(b, "</style>\n</head>\n<body>\n");
}

static void
toc(struct buf *b, const struct review *r)
{
	buf_str(b, "<nav aria-label=\"Contents\"><ul class=\"toc\">");
	if (r->nfindings > 0)
		buf_printf(b, "<li><a href=\"#findings\">Findings (%zu)</a>",
		    r->nfindings);
	if (r->nfacts > 0)
		buf_str(b, "<li><a href=\"#facts\">Facts</a>");
	if (r->narch > 0)
		buf_str(b, "<li><a href=\"#sizes\">Sizes</a>");
	buf_printf(b, "<li><a href=\"#files\">Files (%zu)</a>", r->nfiles);
	buf_str(b, "</ul></nav>\n");
}

static void
top(struct buf *b, const struct review *r, struct view title)
{
	enum review_mark worst = review_worst(r);

	buf_str(b, "<header>\n<p class=\"eye\">Release review</p>\n<h1>");
	text(b, title, RENDER_SHOW_TABS);
	buf_str(b, "</h1>\n");
	if (r->nfindings > 0) {
		buf_printf(b, "<p class=\"verdict %s\">%s ", mark_class(worst),
		    render_mark_sign(worst));
		render_verdict(b, r);
		buf_str(b, "</p>\n");
	}
	toc(b, r);
	buf_str(b, "</header>\n");
}

static void
findings(struct buf *b, const struct review *r)
{
	if (r->nfindings == 0)
		return;
	buf_str(b, "<section id=\"findings\">\n<h2>Findings</h2>\n"
		   "<ul class=\"card list\">\n");
	for (size_t m = 0; m < RENDER_MARKS; m++)
		for (size_t i = 0; i < r->nfindings; i++) {
			const struct review_finding *f = &r->finding[i];

			if (f->mark != render_mark_at(m))
				continue;
			buf_printf(b,
			    "<li><span class=\"pill %s\">%s %s</span> <span>",
			    mark_class(f->mark), render_mark_sign(f->mark),
			    render_mark_word(f->mark));
			text(b, view_str(f->text), RENDER_SHOW_TABS);
			buf_str(b, "</span></li>\n");
		}
	buf_str(b, "</ul>\n</section>\n");
}

static void
facts(struct buf *b, const struct review *r)
{
	if (r->nfacts == 0)
		return;
	buf_str(b, "<section id=\"facts\">\n<h2>Facts</h2>\n"
		   "<dl class=\"card\">\n");
	for (size_t i = 0; i < r->nfacts; i++) {
		buf_str(b, "<dt>");
		text(b, view_str(r->fact[i].name), RENDER_SHOW_TABS);
		buf_str(b, "</dt><dd>");
		code(b, view_str(r->fact[i].value));
		buf_str(b, "</dd>\n");
	}
	buf_str(b, "</dl>\n</section>\n");
}

/* -- sizes ------------------------------------------------------------------ */

#define PICTURE_ROWS 40 /* more are in the table only */
#define PICTURE_NAME 22 /* characters */
#define ROW_PX 56
#define BAR_PX 9
#define PERMILLE 1000u
#define LEAST 6 /* permille that can be seen */

static void
bar(struct buf *b, const char *class, size_t y, unsigned permille)
{
	if (permille > 0 && permille < LEAST)
		permille = LEAST;
	if (permille > 0)
		buf_printf(b,
		    "<rect class=\"%s\" x=\"1\" y=\"%zu\" width=\"%u.%u%%\" "
		    "height=\"%d\" rx=\"2\"/>",
		    class, y, permille * 99 / 1000, permille * 99 / 100 % 10,
		    BAR_PX);
}

/* As much of a name as fits beside the numbers; the table has it whole. */
static void
short_name(struct buf *b, struct view name)
{
	size_t at = 0, room = PICTURE_NAME, step, from, cost;
	struct render_piece p;
	uint32_t cp;

	for (; at < name.len; at += step, room -= cost) {
		step = utf8_next(name.ptr + at, name.len - at, &cp);
		step = step == 0 ? 1 : step;
		from = 0;
		if (!render_next(
			&p, view_sub(name, at, step), &from, RENDER_SHOW_TABS))
			break;
		/* the quotes of a note have three bytes each */
		cost = p.hidden ? p.text.len - 4 : 1;
		if (cost > room)
			break;
		escape(b, p.text);
	}
	buf_str(b, at < name.len ? "\xe2\x80\xa6" : "");
}

static void
picture_row(struct buf *b, const struct review *r, const struct review_arch *a,
    size_t y)
{
	char old[RENDER_SIZE_MAX], new[RENDER_SIZE_MAX];

	buf_printf(b, "<text x=\"0\" y=\"%zu\">", y + 13);
	short_name(b, render_arch_name(a));
	buf_printf(b,
	    "</text><text class=\"v\" x=\"100%%\" y=\"%zu\" "
	    "text-anchor=\"end\">%s" ARROW "%s</text>",
	    y + 13, render_size(old, a->old_bytes),
	    render_size(new, a->new_bytes));
	bar(b, "o", y + 20, render_bar(r, a->old_bytes, PERMILLE));
	bar(b, "w", y + 20 + BAR_PX + 3, render_bar(r, a->new_bytes, PERMILLE));
	buf_byte(b, '\n');
}

static void
picture(struct buf *b, const struct review *r)
{
	size_t n = r->narch < PICTURE_ROWS ? r->narch : PICTURE_ROWS;

	buf_printf(b,
	    "<figure><svg role=\"img\" height=\"%zu\" aria-label=\"Bars of the "
	    "sizes before and after; the table has the numbers\">\n"
	    "<rect class=\"o\" x=\"1\" y=\"3\" width=\"18\" height=\"%d\" "
	    "rx=\"2\"/><text class=\"v\" x=\"25\" y=\"12\">before</text>"
	    "<rect class=\"w\" x=\"81\" y=\"3\" width=\"18\" height=\"%d\" "
	    "rx=\"2\"/><text class=\"v\" x=\"105\" y=\"12\">after</text>\n",
	    26 + n * ROW_PX, BAR_PX, BAR_PX);
	for (size_t i = 0; i < n; i++)
		picture_row(b, r, &r->arch[i], 26 + i * ROW_PX);
	buf_str(b, "</svg>");
	if (n < r->narch)
		buf_printf(b,
		    "<figcaption class=\"soft\">The first %zu of %zu; the "
		    "table has all.</figcaption>",
		    n, r->narch);
	buf_str(b, "</figure>\n");
}

/* "1,234,567" */
static void
grouped(struct buf *b, uint64_t n)
{
	if (n >= 1000)
		grouped(b, n / 1000);
	buf_printf(b, n >= 1000 ? ",%03u" : "%u", (unsigned)(n % 1000));
}

static void
size_cell(struct buf *b, uint64_t bytes)
{
	char size[RENDER_SIZE_MAX];

	buf_printf(b, "<td><span class=\"n\">%s</span><small>",
	    render_size(size, bytes));
	grouped(b, bytes);
	buf_str(b, "</small></td>");
}

static void
size_row(struct buf *b, struct view name, const struct review_arch *a)
{
	char delta[RENDER_SIZE_MAX];

	buf_str(b, "<tr><th scope=\"row\">");
	text(b, name, RENDER_SHOW_TABS);
	buf_str(b, "</th>");
	size_cell(b, a->old_bytes);
	size_cell(b, a->new_bytes);
	buf_printf(b, "<td class=\"n\">%s</td></tr>\n",
	    render_delta(delta, a->old_bytes, a->new_bytes));
}

static void
sizes(struct buf *b, const struct review *r)
{
	struct review_arch all = render_arch_total(r);

	if (r->narch == 0)
		return;
	buf_str(b, "<section id=\"sizes\">\n<h2>Sizes by architecture</h2>\n"
		   "<div class=\"card sizes\">\n");
	picture(b, r);
	buf_str(b, "<table><caption>Sizes by architecture, in bytes</caption>"
		   "<thead><tr><th scope=\"col\">Architecture</th>"
		   "<th scope=\"col\">Before</th><th scope=\"col\">After</th>"
		   "<th scope=\"col\">Change</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < r->narch; i++)
		size_row(b, render_arch_name(&r->arch[i]), &r->arch[i]);
	buf_str(b, "</tbody><tfoot>");
	size_row(b, view_str("all"), &all);
	buf_str(b, "</tfoot></table>\n</div>\n</section>\n");
}

/* -- files ------------------------------------------------------------------ */

static void
diff_line(struct buf *b, const struct render_line *line)
{
	switch (line->kind) {
	case RENDER_LINE_HUNK:
		buf_str(b, "<div class=\"h\">");
		break;
	case RENDER_LINE_NOTE:
		buf_str(b, "<div class=\"e\">");
		break;
	case RENDER_LINE_ADDED:
		buf_printf(b, "<div class=\"a\" data-n=\"%" PRIu64 "\">",
		    line->number);
		break;
	case RENDER_LINE_REMOVED:
		buf_printf(b, "<div class=\"d\" data-n=\"%" PRIu64 "\">",
		    line->number);
		break;
	case RENDER_LINE_SAME:
		buf_printf(b, "<div data-n=\"%" PRIu64 "\">", line->number);
		break;
	}
	text(b, line->text, RENDER_KEEP_TABS);
	buf_str(b, "</div>\n");
}

static void
link_part(struct buf *b, const char *what, const char *target)
{
	if (target == NULL)
		return;
	buf_printf(b, " <span>%s ", what);
	code(b, view_str(target));
	buf_str(b, "</span>");
}

static void
lines_part(struct buf *b, const struct review_file *f)
{
	if (render_has_lines(f))
		buf_printf(b,
		    " <span class=\"n\">lines <span class=\"plus\">+%" PRIu64
		    "</span> <span class=\"minus\">\xe2\x88\x92%" PRIu64
		    "</span></span> <span class=\"fold\"></span>",
		    f->lines_added, f->lines_removed);
	else if (f->no_lines != NULL)
		buf_printf(b, " <span>%s</span>", f->no_lines);
}

static void
row(struct buf *b, const struct review_file *f)
{
	static const char *const class[] = {"bad", "warn", "good"};
	const char *badge;

	buf_printf(b, "<span class=\"pill %s\">%s %s</span> ",
	    class[(int)f->op + 1], render_op_sign(f->op),
	    render_op_word(f->op));
	buf_str(b, "<code class=\"path\">");
	path(b, f->path);
	buf_str(b, "</code> <span class=\"meta\"><span class=\"n\">");
	render_content(b, f);
	buf_str(b, "</span>");
	for (size_t i = 0; (badge = render_badge(f, i)) != NULL; i++)
		buf_printf(b, " <span class=\"tag\">%s</span>", badge);
	link_part(b, "old link to", f->old_link);
	link_part(b, "link to", f->new_link);
	lines_part(b, f);
	buf_str(b, "</span>");
}

/* Room for line numbers of five digits and more. */
static bool
is_wide(const struct review_file *f)
{
	struct render_lines l = render_lines_of(f->lines);
	struct render_line line;

	while (render_line_next(&l, &line))
		if (line.number > 9999)
			return true;
	return false;
}

static void
file(struct buf *b, const struct review_file *f, size_t number)
{
	struct render_line line;
	struct render_lines l;

	buf_printf(b, "<li id=\"f%zu\">", number);
	if (!render_has_lines(f)) {
		buf_str(b, "<div class=\"row\">");
		row(b, f);
		buf_str(b, "</div></li>\n");
		return;
	}
	buf_str(b, "<details open><summary class=\"row\">");
	row(b, f);
	buf_printf(b, "</summary>\n<div class=\"diff%s\">\n",
	    is_wide(f) ? " wide" : "");
	l = render_lines_of(f->lines);
	while (render_line_next(&l, &line))
		diff_line(b, &line);
	buf_str(b, "</div></details></li>\n");
}

static void
group(struct buf *b, const struct render_group *g, size_t number, size_t first)
{
	buf_printf(b, "<section>\n<h3 id=\"g%zu\">", number);
	text(b, render_group_title(g), RENDER_SHOW_TABS);
	buf_printf(b,
	    " <span class=\"soft\">(%zu)</span></h3>\n"
	    "<ul class=\"card files\">\n",
	    g->n);
	for (size_t i = 0; i < g->n; i++)
		file(b, g->item[i].file, first + i);
	buf_str(b, "</ul>\n</section>\n");
}

static void
group_list(struct buf *b, const struct render_item *item, size_t n)
{
	struct render_group g;
	size_t number = 1;

	buf_str(b, "<ul class=\"toc\">");
	for (size_t at = 0; at < n; at += g.n) {
		g = render_group_at(item + at, n - at);
		buf_printf(b, "<li><a href=\"#g%zu\">", number++);
		text(b, render_group_title(&g), RENDER_SHOW_TABS);
		buf_printf(b, "</a> (%zu)", g.n);
	}
	buf_str(b, "</ul>\n");
}

static enum err_code
files(struct buf *b, const struct review *r, struct err *e)
{
	struct render_item *item = NULL;
	enum err_code rc = render_sort(&item, r, e);
	struct render_group g;
	size_t number = 1;

	if (rc != ERR_OK)
		return rc;
	buf_str(b, "<section id=\"files\">\n<h2>Files</h2>\n<p>");
	render_totals(b, r);
	buf_str(b, "</p>\n");
	if (r->nfiles > 0)
		group_list(b, item, r->nfiles);
	for (size_t at = 0; at < r->nfiles; at += g.n) {
		g = render_group_at(item + at, r->nfiles - at);
		group(b, &g, number++, at + 1);
	}
	buf_str(b, "</section>\n");
	free(item);
	return ERR_OK;
}

enum err_code
render_html(struct buf *out, const struct review *r, struct err *e)
{
	struct view title = view_str(r->title != NULL ? r->title : "Review");
	enum err_code rc;

	head(out, title);
	top(out, r, title);
	buf_str(out, "<main>\n");
	findings(out, r);
	facts(out, r);
	sizes(out, r);
	if ((rc = files(out, r, e)) != ERR_OK)
		return rc;
	buf_str(out, "</main>\n<footer><p>The same review gives the same "
		     "bytes: <code>b2sum -l 256</code> of this file is the "
		     "hash to quote. Characters that hide or move text are "
		     "written out, as in <b class=\"x\">"
		     "\xe2\x80\xb9U+202E\xe2\x80\xba</b>.</p></footer>\n"
		     "</body>\n</html>\n");
	return buf_check(out, e);
}
