/*
 * store: one directory that holds everything local (architecture 2).
 *
 *	STORE        text: format version, store id, machine and inode
 *	index/       LMDB environment: everything small
 *	blocks/      block files, see store/blockfile.h
 *	marks/       high-water marks, see store/mark.h
 *
 * The only user of LMDB. Many processes may have a store open; LMDB lets one
 * write at a time, and a core has at most one writer (blockfile lock).
 * A struct store and everything made from it belong to one thread.
 * Directories are 0700, files 0600.
 *
 * A store that cannot be written (read-only medium, a copy) opens in every
 * mode; store_begin() and whatever else writes is refused with the reason
 * that store_writable() gives. A child of fork() opens the store itself.
 * Close iterators, block files and transactions before the store.
 *
 * Reads: a handle sees one consistent snapshot of the index, taken at open
 * and renewed by store_refresh() or by the handle's own commit.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

#define STORE_FORMAT 1

enum store_mode {
	STORE_READ,  /* must exist; never written, works on read-only media */
	STORE_WRITE, /* must exist */
	STORE_CREATE /* made if missing */
};

struct store_opts {
	const char *dir;
	enum store_mode mode;
	/* The user says the store was moved on purpose: adopt the new machine
	 * or inode instead of refusing to write. */
	enum store_moved { STORE_NOT_MOVED, STORE_MOVED } moved;
	/* Text that names this machine; NULL: /etc/machine-id or, without
	 * one, the host name. */
	const char *machine;
};

/* Tables of the index. Keys and values are the caller's bytes; keys are at
 * most 511 bytes (LMDB's limit), empty keys are a bug. */
enum store_table {
	STORE_META,    /* primary key, counters: owned by store and core */
	STORE_CORES,   /* discovery key -> core record (core) */
	STORE_NODES,   /* core number BE64, page BE64 -> nodes (core) */
	STORE_BITS,    /* core number BE64, page BE64 -> bitfield (core) */
	STORE_NAMES,   /* namespace, name -> discovery key (core) */
	STORE_CHUNKS,  /* core number BE64, leaf hash -> block (blobs) */
	STORE_STATS,   /* stat cache (drive) */
	STORE_JOURNAL, /* plans of commands under way (drive, multisig) */
	STORE_TABLES
};

struct store;
struct store_txn;

/* ERR_NOT_FOUND: no store there; ERR_FORMAT, ERR_CORRUPT: STORE or index
 * damaged (the file is named); ERR_VERSION: a newer format; ERR_LOCKED;
 * ERR_READONLY. A store copied from elsewhere opens for reading; writing is
 * refused with ERR_CONFLICT unless opts->moved. */
NODISCARD enum err_code store_open(
    struct store **out, const struct store_opts *opts, struct err *e);
void store_close(struct store *s); /* NULL is fine */
const char *store_dir(const struct store *s);
/* This process shows itself to others under the identity that the store holds,
 * until store_close(). ERR_LOCKED, with the process: another one does so
 * already. */
NODISCARD enum err_code store_serve(struct store *s, struct err *e);
/* May this handle write? If not, e says why (mode, media, copied store). */
NODISCARD enum err_code store_writable(const struct store *s, struct err *e);

/* Look at every page and record of the index: ERR_CORRUPT names the page.
 * Reads it all; store_open() does so by itself up to 1 MiB. */
NODISCARD enum err_code store_check(struct store *s, struct err *e);

/* See what other processes have committed since. Views handed out before
 * become invalid. */
NODISCARD enum err_code store_refresh(struct store *s, struct err *e);
/* The number of the handle's snapshot. It moves when a refresh or a commit of
 * the handle brings anything new, so what was read before may be stale. */
uint64_t store_generation(const struct store *s);

/* Read in the handle's snapshot (txn == NULL) or inside a write. The view
 * is valid until the next store_put/del in the txn, commit, abort or
 * refresh. ERR_NOT_FOUND leaves e without a useful text: wrap it. */
NODISCARD enum err_code store_get(struct store *s, struct store_txn *txn,
    enum store_table t, struct view key, struct view *val, struct err *e);

/* Walk keys >= from that start with prefix, ascending. The table may change
 * under an iterator: it goes on behind its last key. About 20 million short
 * records a second from memory; a stat cache of 100,000 files takes 5 ms. */
struct store_iter;
NODISCARD enum err_code store_iter_open(struct store_iter **out,
    struct store *s, struct store_txn *txn, enum store_table t,
    struct view prefix, struct view from, struct err *e);
/* ERR_OK with *more = false at the end. */
NODISCARD enum err_code store_iter_next(struct store_iter *it, bool *more,
    struct view *key, struct view *val, struct err *e);
void store_iter_close(struct store_iter *it);

/* One write transaction at a time per handle; waits for other processes.
 * Durable when commit returned ERR_OK; abort (or a kill) changes nothing. */
NODISCARD enum err_code store_begin(
    struct store_txn **out, struct store *s, struct err *e);
NODISCARD enum err_code store_put(struct store_txn *txn, enum store_table t,
    struct view key, struct view val, struct err *e);
/* As put but gives back len writable bytes inside the index, to be filled
 * before the next call on the transaction. */
NODISCARD enum err_code store_reserve(struct store_txn *txn, enum store_table t,
    struct view key, size_t len, uint8_t **val, struct err *e);
/* Deleting what is not there is fine. */
NODISCARD enum err_code store_del(
    struct store_txn *txn, enum store_table t, struct view key, struct err *e);
/* Delete every key >= from that starts with prefix. */
NODISCARD enum err_code store_del_range(struct store_txn *txn,
    enum store_table t, struct view prefix, struct view from, struct err *e);
NODISCARD enum err_code store_commit(struct store_txn *txn, struct err *e);
void store_abort(struct store_txn *txn); /* NULL is fine */

#endif
