/*
 * render_style: the style sheet of the HTML reports, in pieces. For
 * review/render_html.c only.
 */
#ifndef REVIEW_RENDER_STYLE_H
#define REVIEW_RENDER_STYLE_H

extern const char *const render_style[]; /* NULL ends it */

#endif
