/*
 * blockfile: the bytes of one core, blocks/<2 hex>/<discovery key hex>.
 * Block i lies at its byte offset in the log. Bytes beyond the head are
 * garbage to overwrite; holes are blocks that are not here. Read with
 * pread, never mapped.
 *
 * A process that may append holds the exclusive lock of the file for as
 * long as it has the core open for writing: that is the writer lock.
 */
#ifndef STORE_BLOCKFILE_H
#define STORE_BLOCKFILE_H

#include "store/store.h"

enum blockfile_mode { BLOCKFILE_READ, BLOCKFILE_WRITE };

struct blockfile;

/* READ: a missing file is fine, and behaves as empty until it appears.
 * WRITE: created if missing, locked; ERR_LOCKED names the holder. */
NODISCARD enum err_code blockfile_open(struct blockfile **out, struct store *s,
    const struct b32 *discovery_key, enum blockfile_mode mode, struct err *e);
void blockfile_close(struct blockfile *f);
/* READ: no descriptor is held until the next read. WRITE: nothing. */
void blockfile_rest(struct blockfile *f);
/* ERR_CORRUPT if the file ends before offset+n. */
NODISCARD enum err_code blockfile_read(
    struct blockfile *f, void *p, size_t n, uint64_t offset, struct err *e);
/* Every 4 MiB written the disk is told to begin, where the system can. */
NODISCARD enum err_code blockfile_write(struct blockfile *f, const void *p,
    size_t n, uint64_t offset, struct err *e);
NODISCARD enum err_code blockfile_sync(struct blockfile *f, struct err *e);
NODISCARD enum err_code blockfile_truncate(
    struct blockfile *f, uint64_t size, struct err *e);
NODISCARD enum err_code blockfile_punch(
    struct blockfile *f, uint64_t offset, uint64_t n, struct err *e);
/* Bytes on disk (holes not counted). */
NODISCARD enum err_code blockfile_usage(
    struct blockfile *f, uint64_t *bytes, struct err *e);
const char *blockfile_path(const struct blockfile *f);

#endif
