#include "git/lines.h"

#include <git2.h>

struct run {
	struct buf *out;
	struct lines stat;
};

static int
on_binary(const git_diff_delta *delta, const git_diff_binary *binary, void *ctx)
{
	(void)delta;
	(void)binary;
	((struct run *)ctx)->stat.binary = true;
	return 0;
}

static int
on_hunk(const git_diff_delta *delta, const git_diff_hunk *hunk, void *ctx)
{
	(void)delta;
	buf_append(
	    ((struct run *)ctx)->out, view_of(hunk->header, hunk->header_len));
	return 0;
}

/* The three "no newline" lines carry their own text in libgit2. */
static int
on_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
    const git_diff_line *line, void *ctx)
{
	struct run *r = ctx;
	struct view text = view_of(line->content, line->content_len);

	(void)delta;
	(void)hunk;
	if (line->origin == GIT_DIFF_LINE_ADDITION)
		r->stat.added++;
	if (line->origin == GIT_DIFF_LINE_DELETION)
		r->stat.removed++;
	if (line->origin == GIT_DIFF_LINE_CONTEXT ||
	    line->origin == GIT_DIFF_LINE_ADDITION ||
	    line->origin == GIT_DIFF_LINE_DELETION)
		buf_byte(r->out, (uint8_t)line->origin);
	else if (text.len > 0 && text.ptr[0] == '\n')
		text = view_sub(text, 1, text.len - 1);
	if (r->out->len > 0 && text.len > 0 && text.ptr[0] == '\\' &&
	    r->out->data[r->out->len - 1] != '\n')
		buf_byte(r->out, '\n');
	buf_append(r->out, text);
	return 0;
}

static enum err_code
git_failed(struct err *e)
{
	const git_error *g = git_error_last();

	return err_set(e, ERR_NOMEM, "compare lines: %s",
	    g != NULL && g->message != NULL ? g->message : "out of memory");
}

/* Once for the process: starting libgit2 takes milliseconds, and a review
 * compares a hundred thousand files. */
static bool
ready(void)
{
	static bool started;

	if (!started)
		started = git_libgit2_init() >= 0;
	return started;
}

enum err_code
lines_diff(struct buf *out, struct view old, struct view new,
    struct lines *stat, struct err *e)
{
	git_diff_options o;
	struct run r = {.out = out};
	int rc;

	if (old.len > LINES_TEXT_MAX || new.len > LINES_TEXT_MAX)
		return err_set(e, ERR_LIMIT,
		    "a text of more than %u bytes is not compared by line",
		    LINES_TEXT_MAX);
	if (!ready() || git_diff_options_init(&o, GIT_DIFF_OPTIONS_VERSION) < 0)
		return git_failed(e);
	o.context_lines = LINES_CONTEXT;
	o.flags = GIT_DIFF_PATIENCE;
	rc = git_diff_buffers(old.ptr != NULL ? (const char *)old.ptr : "",
	    old.len, NULL, new.ptr != NULL ? (const char *)new.ptr : "",
	    new.len, NULL, &o, NULL, on_binary, on_hunk, on_line, &r);
	if (rc < 0)
		return git_failed(e);
	*stat = r.stat;
	return buf_check(out, e);
}
