/* Reviews of hostile strings in every format: valid UTF-8 without a character
 * that hides or moves text, and of the same shape whatever the strings are.
 * The input is seven texts with a byte 0x1e between them: title, fact,
 * finding, path, link, architecture, line diff. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "review/render_impl.h"

#define TEXTS 7
#define OUT_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static size_t
count(struct view v, const char *what)
{
	size_t n = 0, len = strlen(what);

	for (size_t at = 0; at + len <= v.len; at++)
		n += memcmp(v.ptr + at, what, len) == 0;
	return n;
}

/* What stays of foreign text is what it looks like. */
static void
check_visible(struct view v)
{
	size_t at = 0, step;
	uint32_t cp = 0;

	for (; at < v.len; at += step) {
		step = utf8_next(v.ptr + at, v.len - at, &cp);
		must(step > 0);
		must(cp >= 0x20 || cp == '\n' || cp == '\t');
		must(cp < 0x7f || cp > 0x9f);
		must(cp < 0x200b || cp > 0x200f);
		must(cp < 0x2028 || cp > 0x202e);
		must(cp < 0x2060 || cp > 0x206f);
		must(cp != 0xad && cp != 0xfeff && cp < 0xe0000);
	}
}

/* The texts in a review: text 6 is the line diff, or none. */
struct sample {
	struct review r;
	struct review_fact fact;
	struct review_finding finding;
	struct review_file file;
	struct review_arch arch;
};

static void
fill(struct sample *s, char *const text[TEXTS], bool lines)
{
	memset(s, 0, sizeof(*s));
	s->fact = (struct review_fact){text[1], text[1]};
	s->finding = (struct review_finding){REVIEW_BAD, text[2]};
	s->file = (struct review_file){.op = REVIEW_CHANGE,
	    .path = text[3],
	    .old_link = text[4],
	    .new_link = text[4],
	    .outside = true,
	    .lines = lines ? text[6] : NULL};
	s->arch = (struct review_arch){text[5], 1, 2};
	s->r = (struct review){.title = text[0],
	    .fact = &s->fact,
	    .nfacts = 1,
	    .finding = &s->finding,
	    .nfindings = 1,
	    .file = &s->file,
	    .nfiles = 1,
	    .change = 1,
	    .arch = &s->arch,
	    .narch = 1};
}

/* Elements apart from those that a text may bring: notes, and breaks after
 * slashes. */
static size_t
elements(struct view html)
{
	return count(html, "<") - count(html, "<b class=\"x\">") -
	       count(html, "</b>") - count(html, "<wbr>");
}

struct shape {
	size_t html, html_lines, markdown, text;
};

static void
shape_of(struct shape *out, char *const text[TEXTS], bool lines)
{
	struct err e = ERR_INIT;
	struct sample s;
	struct buf b;

	fill(&s, text, lines);
	buf_init(&b, OUT_MAX);
	must(render_html(&b, &s.r, &e) == ERR_OK);
	check_visible(buf_view(&b));
	must(count(buf_view(&b), "<b class=\"x\">") ==
	     count(buf_view(&b), "</b>"));
	out->html = elements(buf_view(&b));
	out->html_lines = count(buf_view(&b), "\n");
	buf_reset(&b);
	must(render_markdown(&b, &s.r, &e) == ERR_OK);
	check_visible(buf_view(&b));
	out->markdown = count(buf_view(&b), "\n");
	buf_reset(&b);
	must(render_text(&b, &s.r, RENDER_PLAIN, &e) == ERR_OK);
	check_visible(buf_view(&b));
	out->text = count(buf_view(&b), "\n");
	buf_deinit(&b);
}

static size_t
lines_of(const char *unified)
{
	struct render_lines l = render_lines_of(unified);
	struct render_line line;
	size_t n = 0, bytes = 0;

	for (; render_line_next(&l, &line); n++)
		bytes += line.text.len + 1;
	must(bytes == strlen(unified) || bytes == strlen(unified) + 1);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char a[] = "a";
	char *const plain[TEXTS] = {a, a, a, a, a, a, a};
	char *text[TEXTS], *all = calloc(1, size + TEXTS + 1), *p = all;
	struct shape want, got, with;
	size_t n;

	must(all != NULL);
	memcpy(all, data, size);
	for (size_t i = 0; i < TEXTS; i++) {
		char *end = memchr(p, 0x1e, size - (size_t)(p - all));

		text[i] = p;
		if (end == NULL) {
			p = all + size; /* a NUL: the others are empty */
		} else {
			*end = '\0';
			p = end + 1;
		}
	}
	shape_of(&want, plain, false);
	shape_of(&got, text, false);
	must(memcmp(&want, &got, sizeof(want)) == 0);
	n = lines_of(text[6]);
	if (n > 0) {
		shape_of(&with, text, true);
		must(with.text == got.text + n);
		/* a fence, and a blank line before it; two elements around */
		must(with.markdown == got.markdown + n + 3);
		must(with.html_lines == got.html_lines + n + 2);
	}
	free(all);
	return 0;
}
