/*
 * env: the LMDB environment index/ of a store, private to the room.
 *
 * One process must not have an environment open twice (its record locks
 * belong to the process, closing one would drop those of the other), so
 * handles of one store share it: store_env_open() counts. Thread-safe. After
 * fork() a child must open the store anew.
 */
#ifndef STORE_ENV_H
#define STORE_ENV_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/err.h"
#include "store/store.h"

struct store_env {
	MDB_env *mdb;
	MDB_dbi dbi[STORE_TABLES];
	char *file;	    /* path of data.mdb, for messages */
	bool read_only;	    /* the medium or its permissions say so */
	atomic_bool broken; /* a sync failed: final for this process */
	bool writing;	    /* a transaction of `writer` is under way */
	pthread_t writer;
	dev_t dev;
	ino_t ino;
	pid_t pid;
	unsigned refs;
	struct store_env *next;
};

/* Make a whole new environment with empty tables in the folder `index`,
 * which must be empty, and sync it. */
NODISCARD enum err_code store_env_make(const char *index, struct err *e);
/* ERR_CORRUPT names data.mdb. */
NODISCARD enum err_code store_env_open(
    struct store_env **out, const char *index, struct err *e);
void store_env_close(struct store_env *env); /* NULL is fine */
NODISCARD enum err_code store_env_is_empty(
    struct store_env *env, bool *empty, struct err *e);

/* pages_walk() over the newest snapshot. */
NODISCARD enum err_code store_env_check(
    struct store_env *env, uint64_t most, struct err *e);

/* Begin and end of the one write transaction of this process and thread.
 * ERR_LOCKED if this thread is writing already by another handle: waiting
 * would be for ever. Other threads and processes are waited for. */
NODISCARD enum err_code store_env_begin(
    struct store_env *env, MDB_txn **out, struct err *e);
void store_env_ended(struct store_env *env);

/* An LMDB result other than MDB_SUCCESS as an error; `what` is a verb. */
NODISCARD enum err_code store_env_error(
    const struct store_env *env, int rc, const char *what, struct err *e);

#endif
