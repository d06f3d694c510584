/*
 * common: what several commands do with the store and with links. Nothing
 * here prints.
 */
#ifndef CMD_COMMON_H
#define CMD_COMMON_H

#include "cli/cli.h"
#include "pear/link.h"
#include "store/store.h"

/* The store of the common options. */
NODISCARD enum err_code common_store(struct store **out, const struct cli *c,
    enum store_mode mode, struct err *e);

/* All of standard input, appended. ERR_LIMIT at the buffer's maximum. */
NODISCARD enum err_code common_stdin(struct buf *out, struct err *e);

/* A link or a bare key from the command line. */
NODISCARD enum err_code common_link(
    struct pear_link *out, const char *text, struct err *e);

/* ERR_NOT_FOUND becomes ERR_PEERS (exit 3, retry may help) with the tag
 * ERR_NOT_FOUND: what is not in this store would have to come from peers.
 * Any other code stays as it is. */
NODISCARD enum err_code common_absent(
    enum err_code rc, const char *what, const struct b32 *key, struct err *e);

#endif
