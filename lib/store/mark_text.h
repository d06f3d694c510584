/* mark_text: the bytes of a mark file, see store/mark.h and store/text.h. */
#ifndef STORE_MARK_TEXT_H
#define STORE_MARK_TEXT_H

#include "base/buf.h"
#include "store/mark.h"

/* `what` names the file in messages. ERR_VERSION, ERR_CORRUPT. */
NODISCARD enum err_code mark_decode(
    struct mark *out, struct view file, const char *what, struct err *e);
void mark_encode(struct buf *b, const struct mark *m);

#endif
