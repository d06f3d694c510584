/*
 * render_impl: what the three renderers share. For review/render*.c only.
 *
 * Foreign text is shown in pieces: runs of characters that are what they look
 * like, and single characters or bytes that are not (controls, direction
 * marks, invisible and broken ones), which are written out between angle
 * quotes, ‹U+202E› or ‹0x80›. The opening quote itself is written out too, so
 * that nothing in a text can be taken for such a note.
 */
#ifndef REVIEW_RENDER_IMPL_H
#define REVIEW_RENDER_IMPL_H

#include "review/render.h"

/* -- texts ------------------------------------------------------------------ */

enum render_tabs { RENDER_SHOW_TABS, RENDER_KEEP_TABS };

struct render_piece {
	bool hidden;	  /* text is the note, not what stood there */
	struct view text; /* borrowed, or points to note */
	char note[16];
};
/* The piece of v at *at, which moves behind it; false at the end. */
bool render_next(
    struct render_piece *out, struct view v, size_t *at, enum render_tabs tabs);

/* Pieces as plain text, for terminals. */
void render_plain(struct buf *b, struct view v, enum render_tabs tabs);

#define RENDER_SIZE_MAX 32
/* "512 B", "1.2 kB", "85 MB": as cli_size(), with a space. Returns out. */
const char *render_size(char out[static RENDER_SIZE_MAX], uint64_t bytes);
/* "+1.2 kB", "−1.2 kB" (a minus sign), "±0". */
const char *render_delta(
    char out[static RENDER_SIZE_MAX], uint64_t old_bytes, uint64_t new_bytes);
/* "s" unless there is one. */
const char *render_plural(uint64_t n);

/* -- line diffs ------------------------------------------------------------- */

struct render_lines {
	struct view rest;
	uint64_t old_line, new_line; /* numbers of the next ones */
};
struct render_line {
	enum render_line_kind {
		RENDER_LINE_HUNK,
		RENDER_LINE_SAME,
		RENDER_LINE_ADDED,
		RENDER_LINE_REMOVED,
		RENDER_LINE_NOTE /* "\ No newline at end of file" */
	} kind;
	uint64_t number;  /* in the old file if removed, else the new one */
	struct view text; /* with its first character, without newline */
};
/* Are there any? A new file may be empty. */
bool render_has_lines(const struct review_file *f);
struct render_lines render_lines_of(const char *unified);
bool render_line_next(struct render_lines *l, struct render_line *out);

/* -- files, the ones to look at first ---------------------------------------- */

enum render_rank {
	RENDER_OUTSIDE, /* neither package.json nor below by-arch */
	RENDER_PACKAGE,
	RENDER_PROGRAMS,
	RENDER_BY_ARCH, /* one group for each */
	RENDER_REST
};
struct render_item {
	const struct review_file *file;
	enum render_rank rank;
	struct view arch; /* RENDER_BY_ARCH; borrowed from the path */
};
struct render_group {
	const struct render_item *item;
	size_t n;
};
/* All files by rank, architecture and path bytes; the caller frees *out. */
NODISCARD enum err_code render_sort(
    struct render_item **out, const struct review *r, struct err *e);
/* The group that starts at item[0]. */
struct render_group render_group_at(const struct render_item *item, size_t n);
/* Its heading, raw text. */
struct view render_group_title(const struct render_group *g);

const char *render_op_sign(enum review_op op); /* "+", "~", "-" */
const char *render_op_word(enum review_op op); /* "added" */
/* "1.2 kB → 1.3 kB (+100 B)", or what else became of the content. */
void render_content(struct buf *b, const struct review_file *f);
/* What to know besides: "program", "now executable", "link" ...; NULL at
 * the end. Static texts. */
const char *render_badge(const struct review_file *f, size_t i);

/* -- findings and totals ----------------------------------------------------- */

const char *render_mark_sign(enum review_mark m);
const char *render_mark_word(enum review_mark m);
/* Findings are shown worst first: the n-th mark to show. */
enum review_mark render_mark_at(size_t i);
#define RENDER_MARKS 4
/* "2 against it, 1 to look at": one sentence over all findings. */
void render_verdict(struct buf *b, const struct review *r);
/* "12 files: 3 added, 8 changed, 1 removed; 1.2 MB → 1.4 MB (+0.2 MB)" */
void render_totals(struct buf *b, const struct review *r);
/* Sums over all architectures. */
struct review_arch render_arch_total(const struct review *r);
/* "by-arch/NAME" shown as NAME, files for all as "all". */
struct view render_arch_name(const struct review_arch *a);
/* bytes of the largest side of all in steps; at least 1 for what is not
 * empty. */
unsigned render_bar(const struct review *r, uint64_t bytes, unsigned steps);

#endif
