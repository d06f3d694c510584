#include "store/blockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/file.h"
#include "codec/hex.h"
#include "store/handle.h"

#define WRITE_BEHIND ((uint64_t)4 << 20)

struct blockfile {
	struct store *s;
	char *path;
	enum blockfile_mode mode;
	int fd;	     /* -1: not there yet (reading only) */
	bool fresh;  /* made here, its folders not synced yet */
	bool broken; /* a sync failed: final */
	/* written and not handed to the disk yet: bytes, and where */
	uint64_t waiting, from, to;
};

static enum err_code
make_path(char **out, const struct store *s, const struct b32 *discovery_key,
    struct err *e)
{
	char hex[65];

	(void)hex_b32(hex, discovery_key);
	if (asprintf(out, "%s/blocks/%.2s/%s", s->dir, hex, hex) < 0)
		return err_nomem(e);
	return ERR_OK;
}

/* The folder of the file: its path up to the last slash, or the one above. */
static char *
folder_of(const struct blockfile *f, int above)
{
	char *p = strdup(f->path);

	for (int i = 0; p != NULL && i <= above; i++)
		*strrchr(p, '/') = '\0';
	return p;
}

static enum err_code
make_folder(const struct blockfile *f, struct err *e)
{
	char *dir = folder_of(f, 0);
	enum err_code rc = ERR_OK;

	if (dir == NULL)
		return err_nomem(e);
	if (mkdir(dir, 0700) == 0) {
		if (chmod(dir, 0700) != 0) /* whatever the umask is */
			rc = err_os(e, errno, "chmod %s", dir);
	} else if (errno != EEXIST) {
		rc = err_os(e, errno, "make %s", dir);
	}
	free(dir);
	return rc;
}

static enum err_code
open_write(struct blockfile *f, struct err *e)
{
	struct stat st;
	enum err_code rc;

	if ((rc = make_folder(f, e)) != ERR_OK)
		return rc;
	f->fd = open(f->path,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (f->fd < 0)
		return err_os(e, errno, "open %s", f->path);
	if ((rc = file_lock(f->fd, f->path, e)) != ERR_OK)
		return rc;
	if (fstat(f->fd, &st) != 0)
		return err_os(e, errno, "stat %s", f->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_CORRUPT, "%s is not a file", f->path);
	/* Whoever made it may have been killed before the first sync. */
	f->fresh = true;
	if (st.st_size == 0 && fchmod(f->fd, 0600) != 0)
		return err_os(e, errno, "chmod %s", f->path);
	return ERR_OK;
}

/* A reader may come before the first writer: look again each time. */
static enum err_code
look_for_file(struct blockfile *f, struct err *e)
{
	if (f->fd >= 0)
		return ERR_OK;
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (f->fd < 0 && errno != ENOENT)
		return err_os(e, errno, "open %s", f->path);
	return ERR_OK;
}

enum err_code
blockfile_open(struct blockfile **out, struct store *s,
    const struct b32 *discovery_key, enum blockfile_mode mode, struct err *e)
{
	struct blockfile *f;
	enum err_code rc;

	if (mode == BLOCKFILE_WRITE && (rc = store_writable(s, e)) != ERR_OK)
		return rc;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return err_nomem(e);
	f->s = s;
	f->mode = mode;
	f->fd = -1;
	rc = make_path(&f->path, s, discovery_key, e);
	if (rc == ERR_OK)
		rc = mode == BLOCKFILE_WRITE ? open_write(f, e)
					     : look_for_file(f, e);
	if (rc != ERR_OK) {
		blockfile_close(f);
		return rc;
	}
	*out = f;
	return ERR_OK;
}

void
blockfile_close(struct blockfile *f)
{
	if (f == NULL)
		return;
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f);
}

void
blockfile_rest(struct blockfile *f)
{
	if (f->mode == BLOCKFILE_WRITE || f->fd < 0)
		return;
	close(f->fd);
	f->fd = -1;
}

enum err_code
blockfile_read(
    struct blockfile *f, void *p, size_t n, uint64_t offset, struct err *e)
{
	enum err_code rc = look_for_file(f, e);

	if (rc != ERR_OK || n == 0)
		return rc;
	if (f->fd < 0)
		return err_set(e, ERR_CORRUPT,
		    "%s is missing: it should hold %zu bytes at %llu", f->path,
		    n, (unsigned long long)offset);
	if (offset > INT64_MAX - n)
		return err_set(e, ERR_CORRUPT,
		    "%s cannot be so long as to hold byte %llu", f->path,
		    (unsigned long long)offset);
	return file_pread_all(f->fd, f->path, p, n, offset, e);
}

static enum err_code
check_writable(
    const struct blockfile *f, uint64_t offset, uint64_t n, struct err *e)
{
	bug_if(f->mode != BLOCKFILE_WRITE);
	if (f->broken)
		return err_set(
		    e, ERR_IO, "%s: an earlier sync failed for good", f->path);
	if (offset > INT64_MAX || n > INT64_MAX - offset)
		return err_set(e, ERR_LIMIT,
		    "%s would be longer than a file "
		    "can be",
		    f->path);
	return ERR_OK;
}

/* The disk begins early, so that the sync of a commit finds little to do.
 * Only a hint: errors show in the sync. */
static void
write_behind(struct blockfile *f, uint64_t offset, size_t n)
{
	if (f->waiting == 0 || offset < f->from)
		f->from = offset;
	if (f->waiting == 0 || offset + n > f->to)
		f->to = offset + n;
	f->waiting += n;
	if (f->waiting < WRITE_BEHIND)
		return;
	f->waiting = 0;
#ifdef SYNC_FILE_RANGE_WRITE
	(void)!sync_file_range(f->fd, (off_t)f->from, (off_t)(f->to - f->from),
	    SYNC_FILE_RANGE_WRITE);
#endif
}

enum err_code
blockfile_write(struct blockfile *f, const void *p, size_t n, uint64_t offset,
    struct err *e)
{
	enum err_code rc = check_writable(f, offset, n, e);

	if (rc != ERR_OK)
		return rc;
	rc = file_pwrite_all(f->fd, f->path, p, n, offset, e);
	if (rc == ERR_OK)
		write_behind(f, offset, n);
	return rc;
}

/* A head must not refer to a file that a power cut can take away: sync the
 * names that lead to it, blocks/<2 hex>/ and blocks/. */
static enum err_code
sync_folders(const struct blockfile *f, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (int above = 0; rc == ERR_OK && above <= 1; above++) {
		char *dir = folder_of(f, above);

		if (dir == NULL)
			return err_nomem(e);
		rc = file_sync_dir(AT_FDCWD, dir, e);
		free(dir);
	}
	return rc;
}

enum err_code
blockfile_sync(struct blockfile *f, struct err *e)
{
	enum err_code rc = check_writable(f, 0, 0, e);

	if (rc != ERR_OK)
		return rc;
	rc = file_sync(f->fd, f->path, e);
	if (rc == ERR_OK && f->fresh)
		rc = sync_folders(f, e);
	if (rc == ERR_OK) {
		f->fresh = false;
		f->waiting = 0;
		return ERR_OK;
	}
	/* The system forgets which pages it lost, so a second sync would
	 * succeed and mean nothing. */
	f->broken = true;
	store_break(f->s);
	return rc;
}

enum err_code
blockfile_truncate(struct blockfile *f, uint64_t size, struct err *e)
{
	enum err_code rc = check_writable(f, size, 0, e);
	struct stat st;

	if (rc != ERR_OK)
		return rc;
	if (fstat(f->fd, &st) != 0)
		return err_os(e, errno, "stat %s", f->path);
	if ((uint64_t)st.st_size <= size)
		return ERR_OK;
	while (ftruncate(f->fd, (off_t)size) != 0)
		if (errno != EINTR)
			return err_os(e, errno, "truncate %s", f->path);
	return ERR_OK;
}

enum err_code
blockfile_punch(struct blockfile *f, uint64_t offset, uint64_t n, struct err *e)
{
	enum err_code rc = check_writable(f, offset, n, e);
	struct stat st;

	if (rc != ERR_OK)
		return rc;
	if (fstat(f->fd, &st) != 0)
		return err_os(e, errno, "stat %s", f->path);
	/* a hole frees whole pages only, the end of a file all of it */
	if ((uint64_t)st.st_size > offset && (uint64_t)st.st_size - offset <= n)
		return blockfile_truncate(f, offset, e);
	return file_punch(f->fd, f->path, offset, n, e);
}

enum err_code
blockfile_usage(struct blockfile *f, uint64_t *bytes, struct err *e)
{
	enum err_code rc = look_for_file(f, e);
	struct stat st;

	if (rc != ERR_OK)
		return rc;
	if (f->fd < 0) {
		*bytes = 0;
		return ERR_OK;
	}
	if (fstat(f->fd, &st) != 0)
		return err_os(e, errno, "stat %s", f->path);
	*bytes = (uint64_t)st.st_blocks * 512;
	return ERR_OK;
}

const char *
blockfile_path(const struct blockfile *f)
{
	return f->path;
}
