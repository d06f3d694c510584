#include "store/env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/file.h"
#include "store/pages.h"

#define MAP_MOST ((size_t)1 << (sizeof(size_t) > 4 ? 36 : 30))
#define MAP_LEAST ((size_t)1 << 24)
#define READERS 1022
#define CHECK_RETRIES 1000

static const char *const names[STORE_TABLES] = {
    [STORE_META] = "meta",
    [STORE_CORES] = "cores",
    [STORE_NODES] = "nodes",
    [STORE_BITS] = "bits",
    [STORE_NAMES] = "names",
    [STORE_CHUNKS] = "chunks",
    [STORE_STATS] = "stats",
    [STORE_JOURNAL] = "journal",
};

/* Every environment this process has open; see env.h for why. */
static pthread_mutex_t opened_lock = PTHREAD_MUTEX_INITIALIZER;
static struct store_env *opened;

static enum err_code
lmdb_error(const char *file, int rc, const char *what, struct err *e)
{
	switch (rc) {
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_CURSOR_FULL:
	case MDB_INCOMPATIBLE:
	case MDB_BAD_VALSIZE:
		return err_set(e, ERR_CORRUPT, "%s is damaged: %s: %s", file,
		    what, mdb_strerror(rc));
	case MDB_NOTFOUND:
		return err_set(e, ERR_NOT_FOUND, "%s: no such record", file);
	case MDB_MAP_FULL:
		return err_set(
		    e, ERR_NOSPACE, "%s has used up its address space", file);
	case MDB_MAP_RESIZED:
		return err_set(e, ERR_NOMEM,
		    "%s is larger than the address space given to it", file);
	case MDB_READERS_FULL:
		return err_set(e, ERR_LIMIT, "%s: more than %d readers at once",
		    file, READERS);
	case MDB_TXN_FULL:
		return err_set(
		    e, ERR_LIMIT, "%s: the transaction is too large", file);
	case MDB_PANIC:
		return err_set(
		    e, ERR_IO, "%s: an earlier write failed for good", file);
	case MDB_BAD_TXN:
		return err_set(e, ERR_IO,
		    "%s: an earlier change of the transaction failed", file);
	default:
		if (rc > 0)
			return err_os(e, rc, "%s: %s", file, what);
		return err_set(
		    e, ERR_IO, "%s: %s: %s", file, what, mdb_strerror(rc));
	}
}

/* LMDB says EIO of a write that was cut short; on a full disk that is the
 * disk's fault. */
static bool
disk_full(const char *file)
{
	struct statvfs st;

	return statvfs(file, &st) == 0 && st.f_bavail == 0;
}

enum err_code
store_env_error(
    const struct store_env *env, int rc, const char *what, struct err *e)
{
	if (rc == EIO && disk_full(env->file))
		rc = ENOSPC;
	return lmdb_error(env->file, rc, what, e);
}

static int
make_tables(MDB_env *mdb)
{
	MDB_txn *txn;
	MDB_dbi dbi;
	int rc = mdb_txn_begin(mdb, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	for (int t = 0; rc == 0 && t < STORE_TABLES; t++)
		rc = mdb_dbi_open(txn, names[t], MDB_CREATE, &dbi);
	if (rc == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

/* Whatever the umask is, the files are the owner's alone. */
static enum err_code
close_to_others(const char *index, struct err *e)
{
	static const char *const files[] = {"data.mdb", "lock.mdb"};
	enum err_code rc = ERR_OK;
	int fd = open(index, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_os(e, errno, "open %s", index);
	for (size_t i = 0; rc == ERR_OK && i < 2; i++)
		if (fchmodat(fd, files[i], 0600, 0) != 0)
			rc = err_os(e, errno, "chmod %s/%s", index, files[i]);
	if (rc == ERR_OK && fsync(fd) != 0)
		rc = err_os(e, errno, "sync %s", index);
	close(fd);
	return rc;
}

enum err_code
store_env_make(const char *index, struct err *e)
{
	MDB_env *mdb = NULL;
	int rc = mdb_env_create(&mdb);

	if (rc == 0)
		rc = mdb_env_set_maxdbs(mdb, STORE_TABLES);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(mdb, READERS);
	if (rc == 0)
		rc = mdb_env_open(mdb, index, MDB_NOTLS, 0600);
	if (rc == 0)
		rc = make_tables(mdb);
	if (mdb != NULL)
		mdb_env_close(mdb);
	if (rc != 0)
		return lmdb_error(index, rc, "create", e);
	return close_to_others(index, e);
}

/*
 * How to open data.mdb: 0 to write, MDB_RDONLY where it cannot be written,
 * and MDB_NOLOCK as well where nobody can write it. Reading without the lock
 * file beside a live writer would see its pages change, so a store that
 * somebody else may write is refused instead.
 */
static enum err_code
open_flags(const char *index, const char *file, unsigned *flags, struct err *e)
{
	char lock[4200];
	struct stat st;
	int os, fd = open(file, O_RDWR | O_CLOEXEC);

	*flags = MDB_NOTLS;
	if (fd >= 0) {
		close(fd);
		return ERR_OK;
	}
	os = errno;
	*flags |= MDB_RDONLY;
	if (os == EROFS) {
		*flags |= MDB_NOLOCK;
		return ERR_OK;
	}
	if (os != EACCES && os != EPERM)
		return err_os(e, os, "open %s", file);
	(void)snprintf(lock, sizeof(lock), "%s/lock.mdb", index);
	if (faccessat(AT_FDCWD, lock, R_OK | W_OK, AT_EACCESS) == 0)
		return ERR_OK;
	if (stat(file, &st) != 0 || (st.st_mode & 0222) != 0)
		return err_os(e, os, "open %s", file);
	*flags |= MDB_NOLOCK;
	return ERR_OK;
}

/* Address space may be scarce (a limit on it, a sanitizer): ask for less
 * until it fits. */
static int
open_mapped(MDB_env **out, const char *index, unsigned flags)
{
	int rc = ENOMEM;

	for (size_t map = MAP_MOST; rc == ENOMEM && map >= MAP_LEAST;
	     map /= 2) {
		MDB_env *mdb = NULL;

		if ((rc = mdb_env_create(&mdb)) != 0)
			return rc;
		(void)mdb_env_set_maxdbs(mdb, STORE_TABLES);
		(void)mdb_env_set_maxreaders(mdb, READERS);
		(void)mdb_env_set_mapsize(mdb, map);
		if ((rc = mdb_env_open(mdb, index, flags, 0600)) == 0)
			*out = mdb;
		else
			mdb_env_close(mdb);
	}
	return rc;
}

enum err_code
store_env_check(struct store_env *env, uint64_t most, struct err *e)
{
	enum err_code code = ERR_CHANGED;
	MDB_txn *txn;
	int rc;

	/* Others may commit faster than the heads are read: look again. */
	for (int i = 0; code == ERR_CHANGED && i < CHECK_RETRIES; i++) {
		rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
		if (rc != 0)
			return store_env_error(env, rc, "begin reading", e);
		code = pages_walk(
		    env->file, (uint64_t)mdb_txn_id(txn), names, most, e);
		mdb_txn_abort(txn);
	}
	return code;
}

static enum err_code
open_tables(struct store_env *env, struct err *e)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
	int t;

	if (rc != 0)
		return store_env_error(env, rc, "begin reading", e);
	for (t = 0; t < STORE_TABLES; t++)
		if ((rc = mdb_dbi_open(txn, names[t], 0, &env->dbi[t])) != 0)
			break;
	if (rc != 0) {
		mdb_txn_abort(txn);
		if (rc != MDB_NOTFOUND)
			return store_env_error(env, rc, names[t], e);
		return err_set(e, ERR_CORRUPT,
		    "%s is damaged: table %s is missing", env->file, names[t]);
	}
	/* The handles of the tables live on only after a commit. */
	if ((rc = mdb_txn_commit(txn)) != 0)
		return store_env_error(env, rc, "end reading", e);
	return ERR_OK;
}

static void
env_free(struct store_env *env)
{
	if (env == NULL)
		return;
	if (env->mdb != NULL)
		mdb_env_close(env->mdb);
	free(env->file);
	free(env);
}

static enum err_code
open_env(struct store_env *env, const char *index, struct err *e)
{
	enum err_code code;
	bool shorter;
	unsigned flags;
	int rc, dead;

	if ((code = open_flags(index, env->file, &flags, e)) != ERR_OK ||
	    (code = pages_check_heads(env->file, &shorter, e)) != ERR_OK)
		return code;
	if ((rc = open_mapped(&env->mdb, index, flags)) != 0)
		return store_env_error(env, rc, "open", e);
	env->read_only = (flags & MDB_RDONLY) != 0;
	/* A reader that was killed would hold old pages for ever. */
	if ((flags & MDB_NOLOCK) == 0 &&
	    (rc = mdb_reader_check(env->mdb, &dead)) != 0)
		return store_env_error(env, rc, "look for dead readers", e);
	code = store_env_check(env, shorter ? UINT64_MAX : PAGES_AT_OPEN, e);
	return code == ERR_OK ? open_tables(env, e) : code;
}

static struct store_env *
find_opened(const struct stat *st)
{
	struct store_env *env;

	for (env = opened; env != NULL; env = env->next)
		if (env->dev == st->st_dev && env->ino == st->st_ino &&
		    env->pid == getpid())
			return env;
	return NULL;
}

static enum err_code
open_new(struct store_env **out, const char *index, char *file,
    const struct stat *st, struct err *e)
{
	struct store_env *env = calloc(1, sizeof(*env));
	enum err_code rc;

	if (env == NULL) {
		free(file);
		return err_nomem(e);
	}
	env->file = file;
	env->dev = st->st_dev;
	env->ino = st->st_ino;
	env->pid = getpid();
	env->refs = 1;
	if ((rc = open_env(env, index, e)) != ERR_OK) {
		env_free(env);
		return rc;
	}
	env->next = opened;
	opened = env;
	*out = env;
	return ERR_OK;
}

enum err_code
store_env_open(struct store_env **out, const char *index, struct err *e)
{
	struct store_env *env;
	enum err_code rc = ERR_OK;
	struct stat st;
	char *file;

	if (asprintf(&file, "%s/data.mdb", index) < 0)
		return err_nomem(e);
	if (stat(file, &st) != 0) {
		rc = errno == ENOENT || errno == ENOTDIR
			 ? err_set(e, ERR_CORRUPT, "%s is missing", file)
			 : err_os(e, errno, "open %s", file);
		free(file);
		return rc;
	}
	(void)pthread_mutex_lock(&opened_lock);
	if ((env = find_opened(&st)) != NULL) {
		env->refs++;
		*out = env;
		free(file);
	} else {
		rc = open_new(out, index, file, &st, e);
	}
	(void)pthread_mutex_unlock(&opened_lock);
	return rc;
}

void
store_env_close(struct store_env *env)
{
	struct store_env **at;

	if (env == NULL)
		return;
	(void)pthread_mutex_lock(&opened_lock);
	if (--env->refs == 0) {
		for (at = &opened; *at != env; at = &(*at)->next)
			bug_if(*at == NULL);
		*at = env->next;
		env_free(env);
	}
	(void)pthread_mutex_unlock(&opened_lock);
}

enum err_code
store_env_is_empty(struct store_env *env, bool *empty, struct err *e)
{
	MDB_txn *txn;
	MDB_stat st;
	size_t n = 0;
	int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return store_env_error(env, rc, "begin reading", e);
	for (int t = 0; rc == 0 && t < STORE_TABLES; t++)
		if ((rc = mdb_stat(txn, env->dbi[t], &st)) == 0)
			n += st.ms_entries;
	mdb_txn_abort(txn);
	if (rc != 0)
		return store_env_error(env, rc, "count", e);
	*empty = n == 0;
	return ERR_OK;
}

enum err_code
store_env_begin(struct store_env *env, MDB_txn **out, struct err *e)
{
	bool mine;
	int rc;

	(void)pthread_mutex_lock(&opened_lock);
	mine = env->writing && pthread_equal(env->writer, pthread_self());
	(void)pthread_mutex_unlock(&opened_lock);
	if (mine)
		return err_set(e, ERR_LOCKED,
		    "%s is being written by this process already", env->file);
	if ((rc = mdb_txn_begin(env->mdb, NULL, 0, out)) != 0)
		return store_env_error(env, rc, "begin writing", e);
	(void)pthread_mutex_lock(&opened_lock);
	env->writing = true;
	env->writer = pthread_self();
	(void)pthread_mutex_unlock(&opened_lock);
	return ERR_OK;
}

void
store_env_ended(struct store_env *env)
{
	(void)pthread_mutex_lock(&opened_lock);
	/* Another thread may have begun as soon as this one committed. */
	if (pthread_equal(env->writer, pthread_self()))
		env->writing = false;
	(void)pthread_mutex_unlock(&opened_lock);
}
