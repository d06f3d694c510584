/* handle: what the files of the store room know of each other. Private. */
#ifndef STORE_HANDLE_H
#define STORE_HANDLE_H

#include "base/err.h"
#include "store/env.h"
#include "store/store.h"

#define STORE_KEY_MAX 511 /* LMDB's limit */
#define STORE_SUM 4	  /* bytes behind every value, see store/crc.h */

struct store {
	char *dir;
	int fd;	     /* of dir */
	int serving; /* of blocks/, locked by store_serve(); -1: not */
	enum store_mode mode;
	struct store_env *env;
	MDB_txn *read;		  /* the snapshot, NULL until open is done */
	struct store_txn *write;  /* at most one */
	struct store_iter *iters; /* every open one */
	uint64_t changes;	  /* moves when cursors must look again */
	bool copied;		  /* STORE was written elsewhere */
	char copied_why[256];
};

/* A value as it lies in the index: ERR_CORRUPT if its sum is wrong. */
NODISCARD enum err_code store_value(const struct store *s, enum store_table t,
    struct view key, const MDB_val *raw, struct view *val, struct err *e);
/* Finish what store_reserve() left open. */
void store_settle(struct store_txn *txn);
MDB_txn *store_txn_mdb(struct store *s, struct store_txn *txn);
/* The transaction ends: its cursors end with it. */
void store_iters_end(struct store *s, const struct store_txn *txn);
/* A sync failed: every later write of this process is refused. */
void store_break(struct store *s);

#endif
