/*
 * file: the few file operations every room needs, with errors that name the
 * path, EINTR and short transfers handled, and durability where it says so.
 * A failed sync is final: callers report it and stop.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

/* Read a whole regular file into out (appended). A file longer than max
 * bytes is ERR_LIMIT; not a regular file is ERR_INVALID. dirfd as openat. */
NODISCARD enum err_code file_read(
    int dirfd, const char *path, size_t max, struct buf *out, struct err *e);

/* Write beside, fsync, rename over path, fsync the folder. After ERR_OK the
 * new content is durable; after an error the old content is untouched. */
NODISCARD enum err_code file_write_atomic(
    int dirfd, const char *path, struct view data, mode_t mode, struct err *e);

/* As file_write_atomic but fails with ERR_EXISTS if path is there. */
NODISCARD enum err_code file_write_new(
    int dirfd, const char *path, struct view data, mode_t mode, struct err *e);

/* Create path and its missing parents with this mode; existing is fine. */
NODISCARD enum err_code file_mkdirs(
    const char *path, mode_t mode, struct err *e);

/* All bytes or an error; name is only for the message. A read that meets the
 * end of the file early is ERR_CORRUPT. */
NODISCARD enum err_code file_pread_all(int fd, const char *name, void *p,
    size_t n, uint64_t offset, struct err *e);
NODISCARD enum err_code file_pwrite_all(int fd, const char *name, const void *p,
    size_t n, uint64_t offset, struct err *e);

NODISCARD enum err_code file_sync(int fd, const char *name, struct err *e);
NODISCARD enum err_code file_sync_dir(
    int dirfd, const char *path, struct err *e);

/* Exclusive flock without waiting. ERR_LOCKED names the holder's pid where
 * the system tells it. The lock goes with the descriptor. */
NODISCARD enum err_code file_lock(int fd, const char *name, struct err *e);

/* Free the disk space of a range, length unchanged; where the system cannot
 * this does nothing. */
NODISCARD enum err_code file_punch(
    int fd, const char *name, uint64_t offset, uint64_t n, struct err *e);

#endif
