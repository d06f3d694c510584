/*
 * statcache: which files on disk are known to hold what the drive holds, so
 * that an unchanged tree is not read again.
 *
 * A row says: the file with this device, inode, size, mtime, ctime and
 * executable bit held the content of the drive entry that block `seq` wrote.
 * It is believed only while the drive's entry still comes from that block.
 * Rows are kept by drive and path (STORE_STATS, key: first 8 bytes of the
 * drive's discovery key, 16 bytes of H(path)). A file whose times are too
 * close to the moment it was read may change again within the same clock
 * tick: such racy rows are not kept, as git does.
 */
#ifndef DRIVE_STATCACHE_H
#define DRIVE_STATCACHE_H

#include <sys/stat.h>

#include "hyperdrive/drive.h"

struct statcache;

/* `now` is the wall clock in nanoseconds when the scan began. */
NODISCARD enum err_code statcache_new(
    struct statcache **out, struct hyperdrive *d, int64_t now, struct err *e);
void statcache_free(struct statcache *sc); /* NULL is fine */

/* Is the file known to be the entry of block seq? */
bool statcache_hit(struct statcache *sc, struct view path,
    const struct stat *st, uint64_t seq);
/* Remember after the commit: the file is the entry of block seq. */
NODISCARD enum err_code statcache_learn(struct statcache *sc, struct view path,
    const struct stat *st, uint64_t seq, struct err *e);
/* Forget a path that left the drive. */
NODISCARD enum err_code statcache_forget(
    struct statcache *sc, struct view path, struct err *e);
/* Is there anything to write? */
bool statcache_dirty(const struct statcache *sc);
/* Write what was learned; for the `also` hook of the commit. */
NODISCARD enum err_code statcache_save(
    struct statcache *sc, struct store_txn *txn, struct err *e);

#endif
