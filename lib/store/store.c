#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/file.h"
#include "store/handle.h"
#include "store/ident.h"
#include "store/pages.h"
#include "store/text.h"

/* Leaves room for the longest name below the folder, PATH_MAX in all. */
#define DIR_MAX 3900

struct path {
	char s[DIR_MAX + 100];
};

static struct path
below(const struct store *s, const char *name)
{
	struct path p;

	(void)snprintf(p.s, sizeof(p.s), "%s/%s", s->dir, name);
	return p;
}

/* ERR_NOT_FOUND: there is no STORE. */
static enum err_code
read_ident(const struct store *s, struct ident *out, struct err *e)
{
	struct path p = below(s, "STORE");
	enum err_code rc;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	rc = file_read(AT_FDCWD, p.s, TEXT_MAX, &b, e);
	if (rc == ERR_OK)
		rc = ident_decode(out, buf_view(&b), p.s, e);
	else if (rc == ERR_LIMIT || rc == ERR_INVALID)
		rc = err_set(e, ERR_CORRUPT,
		    "%s is damaged: not a file of a few lines", p.s);
	buf_deinit(&b);
	return rc;
}

static enum err_code
write_ident(const struct store *s, const struct ident *id, struct err *e)
{
	struct path p = below(s, "STORE");
	enum err_code rc;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	ident_encode(&b, id);
	if ((rc = buf_check(&b, e)) == ERR_OK)
		rc = file_write_atomic(AT_FDCWD, p.s, buf_view(&b), 0600, e);
	buf_deinit(&b);
	return rc;
}

/* -- making a store -------------------------------------------------------
 *
 * Under the lock of the folder, in this order, so that a kill anywhere
 * leaves something the next open completes:
 *
 *	index.new/	a whole, synced, empty environment
 *	index/		by rename
 *	blocks/ marks/
 *	STORE		last: now it is a store
 */

/* What a kill may leave before index/ exists. */
static bool
is_ours(const char *name)
{
	static const char *const ours[] = {
	    ".", "..", "index.new", "lost+found"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	return false;
}

static enum err_code
check_no_strangers(const struct store *s, struct err *e)
{
	DIR *d = opendir(s->dir);
	enum err_code rc = ERR_OK;
	struct dirent *ent;

	if (d == NULL)
		return err_os(e, errno, "read %s", s->dir);
	while (rc == ERR_OK && (ent = readdir(d)) != NULL)
		if (!is_ours(ent->d_name))
			rc = err_set(e, ERR_CONFLICT,
			    "%s holds other files and no store: give an empty "
			    "or a new folder",
			    s->dir);
	(void)closedir(d);
	return rc;
}

static enum err_code
make_folder(const char *path, struct err *e)
{
	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? ERR_OK
				       : err_os(e, errno, "make %s", path);
	/* The umask may have taken the owner's rights as well. */
	if (chmod(path, 0700) != 0)
		return err_os(e, errno, "chmod %s", path);
	return ERR_OK;
}

static enum err_code
make_index(const struct store *s, const char *index, struct err *e)
{
	struct path tmp = below(s, "index.new");
	enum err_code rc;

	(void)unlink(below(s, "index.new/data.mdb").s);
	(void)unlink(below(s, "index.new/lock.mdb").s);
	if (rmdir(tmp.s) != 0 && errno != ENOENT)
		return err_os(e, errno, "remove %s", tmp.s);
	if ((rc = check_no_strangers(s, e)) != ERR_OK ||
	    (rc = make_folder(tmp.s, e)) != ERR_OK ||
	    (rc = store_env_make(tmp.s, e)) != ERR_OK)
		return rc;
	if (rename(tmp.s, index) != 0)
		return err_os(e, errno, "rename %s", tmp.s);
	return ERR_OK;
}

/* There is an index without STORE: a store whose making was cut short holds
 * nothing yet; one that holds something has lost its STORE. */
static enum err_code
check_unfinished(const struct store *s, const char *index,
    enum store_moved moved, struct err *e)
{
	struct store_env *env;
	bool empty;
	enum err_code rc = store_env_open(&env, index, e);

	if (rc != ERR_OK)
		return rc;
	rc = store_env_is_empty(env, &empty, e);
	store_env_close(env);
	if (rc == ERR_OK && !empty && moved != STORE_MOVED)
		return err_set(e, ERR_CORRUPT,
		    "%s/STORE is missing though the index holds data; if this "
		    "is the only copy of the store, --store-moved writes a "
		    "new one",
		    s->dir);
	return rc;
}

static enum err_code
make_store(const struct store *s, const struct store_opts *opts, struct err *e)
{
	struct path index = below(s, "index");
	struct ident id;
	struct stat st;
	enum err_code rc;

	/* Another process may have made it while this one waited. */
	if ((rc = read_ident(s, &id, e)) != ERR_NOT_FOUND)
		return rc;
	if (stat(index.s, &st) == 0)
		rc = check_unfinished(s, index.s, opts->moved, e);
	else
		rc = make_index(s, index.s, e);
	if (rc != ERR_OK ||
	    (rc = make_folder(below(s, "blocks").s, e)) != ERR_OK ||
	    (rc = make_folder(below(s, "marks").s, e)) != ERR_OK ||
	    (rc = file_sync_dir(AT_FDCWD, s->dir, e)) != ERR_OK ||
	    (rc = ident_new_id(&id, e)) != ERR_OK ||
	    (rc = ident_here(&id, opts->machine, below(s, "index/data.mdb").s,
		 e)) != ERR_OK)
		return rc;
	return write_ident(s, &id, e);
}

static enum err_code
lock_dir(const struct store *s, struct err *e)
{
	while (flock(s->fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return err_os(e, errno, "lock %s", s->dir);
	return ERR_OK;
}

static enum err_code
make_locked(const struct store *s, const struct store_opts *opts, struct err *e)
{
	enum err_code rc = lock_dir(s, e);

	if (rc != ERR_OK)
		return rc;
	rc = make_store(s, opts, e);
	(void)flock(s->fd, LOCK_UN);
	return rc;
}

/* -- opening ------------------------------------------------------------ */

static enum err_code
make_dir(const char *dir, struct err *e)
{
	enum err_code rc;
	struct stat st;
	struct buf b;

	if (stat(dir, &st) == 0)
		return ERR_OK;
	if ((rc = file_mkdirs(dir, 0700, e)) != ERR_OK)
		return rc;
	if (chmod(dir, 0700) != 0)
		return err_os(e, errno, "chmod %s", dir);
	buf_init(&b, DIR_MAX + 4);
	buf_printf(&b, "%s/..", dir);
	rc = buf_check(&b, e);
	if (rc == ERR_OK)
		rc = file_sync_dir(AT_FDCWD, buf_cstr(&b), e);
	buf_deinit(&b);
	return rc;
}

static enum err_code
open_dir(struct store *s, const struct store_opts *opts, struct err *e)
{
	enum err_code rc;
	struct stat st;

	if (strlen(opts->dir) > DIR_MAX)
		return err_set(e, ERR_LIMIT,
		    "the path of the store is longer than %d bytes", DIR_MAX);
	if ((s->dir = strdup(opts->dir)) == NULL)
		return err_nomem(e);
	if (s->mode == STORE_CREATE && (rc = make_dir(s->dir, e)) != ERR_OK)
		return rc;
	s->fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0)
		return err_os(e, errno, "open store %s", s->dir);
	if (fstat(s->fd, &st) != 0)
		return err_os(e, errno, "stat %s", s->dir);
	if ((st.st_mode & 0022) != 0)
		return err_set(e, ERR_INVALID,
		    "store %s can be written by others (mode %04o): "
		    "chmod go-w it first",
		    s->dir, (unsigned)st.st_mode & 07777);
	return ERR_OK;
}

static enum err_code
find_ident(struct store *s, const struct store_opts *opts, struct ident *id,
    struct err *e)
{
	enum err_code rc = read_ident(s, id, e);

	if (rc != ERR_NOT_FOUND)
		return rc;
	if (s->mode != STORE_CREATE)
		return err_set(e, ERR_NOT_FOUND,
		    "%s is not a store: there is no file STORE in it", s->dir);
	if ((rc = make_locked(s, opts, e)) != ERR_OK)
		return rc;
	return read_ident(s, id, e);
}

static const char *
mismatch_text(enum ident_match m)
{
	switch (m) {
	case IDENT_SAME:
		break;
	case IDENT_OTHER_MACHINE:
		return "was copied or moved from another machine";
	case IDENT_OTHER_INODE:
		return "was copied or restored from another folder";
	}
	return "";
}

/* Is this the store that STORE describes? A copy stays readable; --store-moved
 * makes it the store, for good. */
static enum err_code
check_ident(struct store *s, const struct store_opts *opts, struct ident *id,
    struct err *e)
{
	struct ident here = *id;
	enum ident_match m;
	enum err_code rc;

	rc = ident_here(&here, opts->machine, below(s, "index/data.mdb").s, e);
	if (rc != ERR_OK || (m = ident_compare(id, &here)) == IDENT_SAME)
		return rc;
	if (opts->moved == STORE_MOVED && !s->env->read_only) {
		if ((rc = lock_dir(s, e)) != ERR_OK)
			return rc;
		rc = write_ident(s, &here, e);
		(void)flock(s->fd, LOCK_UN);
		return rc;
	}
	s->copied = true;
	(void)snprintf(s->copied_why, sizeof(s->copied_why),
	    "%s; two writers with one key destroy the link for good. If this "
	    "is the only one in use, --store-moved adopts it",
	    mismatch_text(m));
	return ERR_OK;
}

enum err_code
store_open(struct store **out, const struct store_opts *opts, struct err *e)
{
	struct store *s = calloc(1, sizeof(*s));
	struct ident id;
	enum err_code rc;
	int lmdb;

	if (s == NULL)
		return err_nomem(e);
	s->fd = s->serving = -1;
	s->mode = opts->mode;
	if ((rc = open_dir(s, opts, e)) != ERR_OK ||
	    (rc = find_ident(s, opts, &id, e)) != ERR_OK ||
	    (rc = store_env_open(&s->env, below(s, "index").s, e)) != ERR_OK)
		goto out;
	if (s->mode != STORE_READ &&
	    (rc = check_ident(s, opts, &id, e)) != ERR_OK)
		goto out;
	lmdb = mdb_txn_begin(s->env->mdb, NULL, MDB_RDONLY, &s->read);
	if (lmdb != 0) {
		rc = store_env_error(s->env, lmdb, "begin reading", e);
		goto out;
	}
	*out = s;
	return ERR_OK;
out:
	store_close(s);
	return rc;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	/* After fork the child's copy must not touch what the parent shares
	 * with other processes: its slot in the table of readers. */
	if (s->env != NULL && s->env->pid != getpid())
		return;
	bug_if(s->write != NULL);
	store_iters_end(s, NULL);
	bug_if(s->iters != NULL);
	if (s->read != NULL)
		mdb_txn_abort(s->read);
	store_env_close(s->env);
	if (s->serving >= 0)
		close(s->serving);
	if (s->fd >= 0)
		close(s->fd);
	free(s->dir);
	free(s);
}

enum err_code
store_serve(struct store *s, struct err *e)
{
	struct path p = below(s, "blocks");
	enum err_code rc;
	int fd;

	if (s->serving >= 0)
		return ERR_OK;
	/* not that of the store itself, which every command locks to open it */
	fd = open(p.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_os(e, errno, "open %s", p.s);
	if ((rc = file_lock(fd, s->dir, e)) == ERR_OK)
		s->serving = fd;
	else
		close(fd);
	return rc;
}

const char *
store_dir(const struct store *s)
{
	return s->dir;
}

enum err_code
store_writable(const struct store *s, struct err *e)
{
	if (s->mode == STORE_READ)
		return err_set(
		    e, ERR_READONLY, "store %s was opened for reading", s->dir);
	if (s->env->read_only)
		return err_set(
		    e, ERR_READONLY, "store %s is read-only", s->dir);
	if (s->copied)
		return err_set(
		    e, ERR_CONFLICT, "store %s %s", s->dir, s->copied_why);
	if (s->env->broken)
		return err_set(e, ERR_IO,
		    "store %s: an earlier write failed for good", s->dir);
	return ERR_OK;
}

void
store_break(struct store *s)
{
	s->env->broken = true;
}

enum err_code
store_check(struct store *s, struct err *e)
{
	return store_env_check(s->env, UINT64_MAX, e);
}
