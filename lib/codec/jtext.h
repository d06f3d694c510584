/*
 * jtext: JSON text, bounded, on top of jansson (which owns the prefix
 * json_). Parsing has limits on size and depth and refuses duplicate keys
 * and text behind the value. Printing gives exactly what JavaScript's
 * JSON.stringify gives: no spaces, insertion order, its escapes and its
 * numbers (data-formats 5.5), because drive entries are hashed.
 */
#ifndef CODEC_JTEXT_H
#define CODEC_JTEXT_H

#include <jansson.h>

#include "base/buf.h"

#define JTEXT_DEPTH_MAX 512

/* Parse one JSON value of any kind. *out is the caller's (json_decref). At
 * most max bytes of text. ERR_FORMAT names line and column. */
NODISCARD enum err_code jtext_parse(
    struct view text, size_t max, json_t **out, struct err *e);

void jtext_print(struct buf *b, const json_t *value);

/* A JSON string with JavaScript's escapes, quotes included; the input must
 * be UTF-8 (invalid bytes become U+FFFD). */
void jtext_string(struct buf *b, struct view utf8);

#endif
