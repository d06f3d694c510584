/*
 * text: the small checked text files of a store (STORE and the marks).
 *
 *	pear-store 1		what it is and its format
 *	id 00ff...		fields, one a line, in a fixed order
 *	sum 1a2b3c4d		CRC-32C of every byte before this line
 *
 * Reading is strict: exactly the bytes a writer makes, nothing more. The
 * first failure sticks, as in codec/dec.h.
 */
#ifndef STORE_TEXT_H
#define STORE_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

#define TEXT_MAX 4096 /* bytes of one file */

struct text {
	struct view rest;
	const char *why; /* NULL until the first failure */
};

/* Start on a whole file: checks "<name> <format>" first and the sum after.
 * ERR_VERSION for a format above `known`, ERR_CORRUPT for everything else;
 * `what` names the file and its kind in messages. */
NODISCARD enum err_code text_open(struct text *t, struct view file,
    const char *name, uint64_t known, const char *what, struct err *e);
/* Each reads "<name> <value>\n". */
void text_bytes(struct text *t, const char *name, void *out, size_t n);
uint64_t text_uint(struct text *t, const char *name);
/* ERR_CORRUPT naming `what` if a field failed or something is left. */
NODISCARD enum err_code text_close(
    const struct text *t, const char *what, struct err *e);

/* The writer's side: fields in order, then the sum. */
void text_put_uint(struct buf *b, const char *name, uint64_t v);
void text_put_bytes(struct buf *b, const char *name, struct view v);
void text_put_sum(struct buf *b);

#endif
