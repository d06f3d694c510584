/*
 * render: a review as text for a terminal, Markdown, or one self-contained
 * HTML file (no scripts, no external parts; light and dark, phone and
 * paper). Everything foreign is escaped: control characters and direction
 * marks are shown, markup never comes through. Deterministic.
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

/* By the name's end (.html, .md; else ERR_USAGE), written in one step; sum is
 * the BLAKE2b-256 of the bytes (`b2sum -l 256`), for signers to quote. */
NODISCARD enum err_code render_file(
    const struct review *r, const char *path, struct b32 *sum, struct err *e);

#endif
