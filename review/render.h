/*
 * render: a review as text for a terminal, Markdown, or one self-contained
 * HTML file (no scripts, no external parts; light and dark, phone and
 * paper). Everything foreign is escaped: characters that hide, move or break
 * text are written out (‹U+202E›), markup never comes through. What a reader
 * should see first stands first: findings by weight; files outside the usual
 * places, package.json, programs, then the rest by architecture.
 * Deterministic.
 */
#ifndef REVIEW_RENDER_H
#define REVIEW_RENDER_H

#include "review/review.h"

#define RENDER_MAX (256u << 20)

/* Plain lines; `color`: with ANSI codes. */
enum render_color { RENDER_PLAIN, RENDER_ANSI };
NODISCARD enum err_code render_text(struct buf *out, const struct review *r,
    enum render_color color, struct err *e);
NODISCARD enum err_code render_markdown(
    struct buf *out, const struct review *r, struct err *e);
NODISCARD enum err_code render_html(
    struct buf *out, const struct review *r, struct err *e);

/* What changed in the lines of one file, indented, for a terminal: its hunks,
 * or the reason in brackets why there are none. Appended. */
void render_text_lines(
    struct buf *out, const struct review_file *f, enum render_color color);

/* Can render_file() write a file of this name? ERR_USAGE: it ends neither in
 * .html nor in .md. For commands, before they begin. */
NODISCARD enum err_code render_check_name(const char *path, struct err *e);

/* In the format its name says, written in one step; sum is the BLAKE2b-256 of
 * the bytes (`b2sum -l 256`), for signers to quote. */
NODISCARD enum err_code render_file(
    const struct review *r, const char *path, struct b32 *sum, struct err *e);

#endif
