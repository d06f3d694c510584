/*
 * buf: a growing byte buffer that is born with its maximum.
 *
 * Appends are sticky on failure: after the first one that would pass the
 * maximum or that finds no memory, `failed` is set, the content stays as it
 * was and later appends do nothing. Check once, at the end, with buf_check().
 *
 *	struct buf b;
 *	buf_init(&b, 1 << 20);
 *	enc_uint(&b, 7);
 *	if ((rc = buf_check(&b, e)) != ERR_OK) ...
 *	buf_deinit(&b);
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/view.h"

struct buf {
	uint8_t *data; /* NULL while empty */
	size_t len;
	size_t cap;
	size_t max;	      /* len never exceeds this */
	enum err_code failed; /* ERR_OK, ERR_NOMEM or ERR_LIMIT */
};

void buf_init(struct buf *b, size_t max);
void buf_deinit(struct buf *b); /* a zeroed struct is fine */
void buf_reset(struct buf *b);	/* len 0, keeps memory, clears failed */
void buf_append(struct buf *b, struct view v);
void buf_byte(struct buf *b, uint8_t byte);
void buf_fill(struct buf *b, uint8_t byte, size_t n);
void buf_str(struct buf *b, const char *s); /* without NUL */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* n writable bytes at the end, already counted in len; NULL on failure. */
uint8_t *buf_extend(struct buf *b, size_t n);
struct view buf_view(const struct buf *b); /* valid until the next append */
/* NUL-terminates (not counted) and borrows; NULL on failure. */
const char *buf_cstr(struct buf *b);
/* Hands the memory to the caller (free()); the buffer is empty after. */
uint8_t *buf_steal(struct buf *b, size_t *len);
NODISCARD enum err_code buf_check(const struct buf *b, struct err *e);

#endif
