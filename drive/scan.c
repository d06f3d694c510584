#include "drive/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arr.h"
#include "base/beneath.h"
#include "base/utf8.h"
#include "drive/scan_impl.h"
#include "hyperdrive/entry.h"

#define CHUNK_SIZE (256u << 10)

struct scan_chunk {
	struct scan_chunk *next;
	size_t used;
	char text[CHUNK_SIZE];
};

const char *
scan_keep(struct scan *s, const char *text, size_t n)
{
	struct scan_chunk *c = s->chunks;
	char *p;

	if (c == NULL || c->used + n + 1 > CHUNK_SIZE) {
		if (n + 1 > CHUNK_SIZE || (c = malloc(sizeof(*c))) == NULL)
			return NULL;
		c->next = s->chunks;
		c->used = 0;
		s->chunks = c;
	}
	p = c->text + c->used;
	memcpy(p, text, n);
	p[n] = '\0';
	c->used += n + 1;
	return p;
}

void
scan_warn(struct scan_run *r, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	if (r->opts->warn == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->opts->warn(r->opts->warn_ctx, text);
}

static enum err_code
add(struct scan_run *r, const char *path, const struct stat *st,
    struct scan_entry **out, struct err *e)
{
	struct scan *s = r->scan;

	if (!ARR_RESERVE(s->entry, s->n + 1, s->cap))
		return err_nomem(e);
	*out = &s->entry[s->n];
	**out = (struct scan_entry){.path = scan_keep(s, path, strlen(path)),
	    .dev = st->st_dev,
	    .ino = st->st_ino,
	    .size = (uint64_t)st->st_size,
	    .mtime = st->st_mtim,
	    .ctime = st->st_ctim,
	    .mode = st->st_mode};
	if ((*out)->path == NULL)
		return err_nomem(e);
	s->n++;
	return ERR_OK;
}

enum err_code
scan_add_file(struct scan_run *r, const char *path, const char *target,
    const struct stat *st, struct err *e)
{
	struct scan_entry *en;
	enum err_code rc;

	if ((rc = add(r, path, st, &en, e)) != ERR_OK || target == NULL)
		return rc;
	en->target = scan_keep(r->scan, target, strlen(target));
	return en->target == NULL ? err_nomem(e) : ERR_OK;
}

enum err_code
scan_add_link(struct scan_run *r, const char *path, const char *text,
    const struct stat *st, struct err *e)
{
	struct scan_entry *en;
	enum err_code rc;

	if ((rc = add(r, path, st, &en, e)) != ERR_OK)
		return rc;
	en->kind = SCAN_LINK;
	en->size = 0;
	en->linkname = scan_keep(r->scan, text, strlen(text));
	return en->linkname == NULL ? err_nomem(e) : ERR_OK;
}

enum err_code
scan_add_folder(struct scan_run *r, const char *path, const char *real,
    unsigned depth, const struct scan_hop *hop, struct err *e)
{
	struct scan_folder f = {.depth = depth, .hop = hop};
	char quoted[300];

	if (depth > SCAN_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "more than %d folders deep: %s",
		    SCAN_DEPTH_MAX,
		    err_quote(quoted, sizeof(quoted), path, strlen(path)));
	if (!ARR_RESERVE(r->todo, r->ntodo + 1, r->todo_cap))
		return err_nomem(e);
	f.path = strdup(path);
	f.real = real == NULL ? NULL : strdup(real);
	if (f.path == NULL || (real != NULL && f.real == NULL)) {
		free(f.path);
		free(f.real);
		return err_nomem(e);
	}
	r->todo[r->ntodo++] = f;
	return ERR_OK;
}

static void
list_add(struct buf *list, size_t *n, const char *path)
{
	char quoted[1024];

	if ((*n)++ < SCAN_NAMED_MAX)
		buf_printf(list, "%s%s", *n > 1 ? ", " : "",
		    err_quote(quoted, sizeof(quoted), path, strlen(path)));
}

void
scan_refuse(struct scan_run *r, const char *text)
{
	list_add(&r->bad, &r->nbad, text);
}

/* A name every reader can hold, or a place in the list of those that are
 * not: UTF-8, no backslash, which the reference takes for a slash, and
 * nothing else that a dump refuses to write. */
static bool
good_name(struct scan_run *r, const char *name, const char *path)
{
	struct err why;
	bool text = utf8_valid(view_str(name)) && strchr(name, '\\') == NULL;

	if (entry_path_safe(view_str(path), &why) == ERR_OK)
		return true;
	r->drive_letters |= text;
	scan_refuse(r, path);
	return false;
}

static bool
readable(int fd, const char *name, const struct stat *st)
{
	if ((st->st_mode & 0444) == 0444)
		return true;
	return faccessat(fd, name, R_OK, AT_EACCESS) == 0;
}

static enum err_code
take_file(struct scan_run *r, const struct scan_folder *f, int fd,
    const char *name, const char *path, const struct stat *st, struct err *e)
{
	char real[2 * SCAN_PATH_MAX];

	if (!readable(fd, name, st)) {
		list_add(&r->closed, &r->nclosed, path);
		return ERR_OK;
	}
	if (f->real == NULL)
		return scan_add_file(r, path, NULL, st, e);
	(void)snprintf(real, sizeof(real), "%s/%s", f->real, name);
	return scan_add_file(r, path, real, st, e);
}

static enum err_code
take_folder(struct scan_run *r, const struct scan_folder *f, const char *name,
    const char *path, struct err *e)
{
	char real[2 * SCAN_PATH_MAX];

	if (f->real == NULL)
		return scan_add_folder(r, path, NULL, f->depth + 1, f->hop, e);
	(void)snprintf(real, sizeof(real), "%s/%s", f->real, name);
	return scan_add_folder(r, path, real, f->depth + 1, f->hop, e);
}

static void
warn_special(struct scan_run *r, const char *path, mode_t mode)
{
	char quoted[1024];

	scan_warn(r, "%s is skipped: a %s is no file",
	    err_quote(quoted, sizeof(quoted), path, strlen(path)),
	    S_ISFIFO(mode)   ? "pipe"
	    : S_ISSOCK(mode) ? "socket"
			     : "device");
}

/* One name of a folder. What the ignore rules leave out is not looked at
 * further. */
static enum err_code
take_name(struct scan_run *r, const struct scan_folder *f, int fd,
    const char *name, struct err *e)
{
	char path[SCAN_PATH_MAX + 2], quoted[300];
	struct stat st;
	int n;

	n = snprintf(path, sizeof(path), "%s/%s", f->path, name);
	if (n < 0 || n > SCAN_PATH_MAX)
		return err_set(e, ERR_LIMIT, "path longer than %d bytes: %s",
		    SCAN_PATH_MAX,
		    err_quote(quoted, sizeof(quoted), path, sizeof(path) - 1));
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno == ENOENT)
			return err_set(e, ERR_CHANGED,
			    "%s vanished while the folder was read", path);
		return err_os(e, errno, "stat %s", path);
	}
	if (S_ISDIR(st.st_mode)
		? !ignore_enters(r->opts->ignore, path)
		: !S_ISLNK(st.st_mode) && !ignore_takes(r->opts->ignore, path))
		return ERR_OK;
	if (!good_name(r, name, path))
		return ERR_OK;
	if (S_ISDIR(st.st_mode))
		return take_folder(r, f, name, path, e);
	if (S_ISLNK(st.st_mode))
		return scan_link(r, f, fd, name, path, &st, e);
	if (S_ISREG(st.st_mode))
		return take_file(r, f, fd, name, path, &st, e);
	warn_special(r, path, st.st_mode);
	return ERR_OK;
}

static int
by_name(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static enum err_code
read_names(
    struct scan_run *r, const struct scan_folder *f, DIR *dir, struct err *e)
{
	char **name = NULL;
	size_t n = 0, cap = 0;
	enum err_code rc = ERR_OK;
	struct dirent *d;

	while (rc == ERR_OK && (errno = 0, d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (!ARR_RESERVE(name, n + 1, cap) ||
		    (name[n] = strdup(d->d_name)) == NULL)
			rc = err_nomem(e);
		else
			n++;
	}
	if (rc == ERR_OK && errno != 0)
		rc = err_os(e, errno, "read folder %s/", f->path);
	if (n > 0) /* so that warnings and errors have an order */
		qsort(name, n, sizeof(*name), by_name);
	for (size_t i = 0; rc == ERR_OK && i < n; i++)
		rc = take_name(r, f, dirfd(dir), name[i], e);
	if (rc == ERR_OK)
		scan_check_collisions(r, f->path, name, n);
	for (size_t i = 0; i < n; i++)
		free(name[i]);
	free(name);
	return rc;
}

/* Open without following a link that was put in the folder's place. */
static enum err_code
open_folder(
    struct scan_run *r, const struct scan_folder *f, int *fd, struct err *e)
{
	int flags = O_RDONLY | O_DIRECTORY;

	if (f->real == NULL)
		return beneath_open(r->scan->root, f->path, flags, fd, e);
	*fd = open(f->real, flags | O_NOFOLLOW | O_CLOEXEC);
	return *fd < 0 ? err_os(e, errno, "open folder %s/", f->path) : ERR_OK;
}

static enum err_code
read_folder(struct scan_run *r, const struct scan_folder *f, struct err *e)
{
	enum err_code rc;
	DIR *dir;
	int fd;

	rc = open_folder(r, f, &fd, e);
	if (rc != ERR_OK && e->os == EACCES) {
		list_add(&r->closed, &r->nclosed,
		    f->path[0] == '\0' ? "/" : f->path);
		return ERR_OK;
	}
	if (rc != ERR_OK)
		return rc;
	if ((dir = fdopendir(fd)) == NULL) {
		rc = err_os(e, errno, "read folder %s/", f->path);
		close(fd);
		return rc;
	}
	rc = read_names(r, f, dir, e);
	(void)closedir(dir);
	return rc;
}

static enum err_code
read_folders(struct scan_run *r, struct err *e)
{
	enum err_code rc = scan_add_folder(r, "", NULL, 0, NULL, e);

	while (rc == ERR_OK && r->ntodo > 0) {
		struct scan_folder f = r->todo[--r->ntodo];

		if (r->opts->stop != NULL && r->opts->stop(r->opts->stop_ctx))
			rc = err_set(e, ERR_INTERRUPTED, "interrupted");
		else
			rc = read_folder(r, &f, e);
		free(f.path);
		free(f.real);
	}
	return rc;
}

static enum err_code
report_lists(struct scan_run *r, struct err *e)
{
	if (r->nbad > 0)
		return err_set(e, ERR_INVALID,
		    "%zu name%s not UTF-8 or with a backslash%s: %.850s",
		    r->nbad, r->nbad == 1 ? "" : "s",
		    r->drive_letters ? " or like a drive letter" : "",
		    buf_cstr(&r->bad));
	if (r->nclosed > 0)
		return err_set(e, ERR_IO, "%zu path%s cannot be read: %.900s",
		    r->nclosed, r->nclosed == 1 ? "" : "s",
		    buf_cstr(&r->closed));
	return ERR_OK;
}

static int
by_path(const void *a, const void *b)
{
	const struct scan_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static enum err_code
start(struct scan_run *r, struct err *e)
{
	const char *dir = r->opts->dir;
	char cwd[4096], text[2 * 4096 + 2];
	size_t n;

	r->scan->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->scan->root < 0)
		return err_os(e, errno, "open folder %s", dir);
	if (dir[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return err_os(e, errno, "working directory");
	(void)snprintf(text, sizeof(text), "%s%s%s", dir[0] == '/' ? "" : cwd,
	    dir[0] == '/' ? "" : "/", dir);
	n = strlen(text);
	while (n > 1 && text[n - 1] == '/')
		text[--n] = '\0';
	r->root_abs = strdup(text);
	r->root_real = realpath(dir, NULL);
	if (r->root_abs == NULL || r->root_real == NULL)
		return err_os(e, errno, "open folder %s", dir);
	return ERR_OK;
}

static void
free_hops(struct scan_hop *h)
{
	struct scan_hop *next;

	for (; h != NULL; h = next) {
		next = h->next;
		free(h->from);
		free(h);
	}
}

enum err_code
scan_dir(struct scan **out, const struct scan_opts *opts, struct err *e)
{
	struct scan_run r = {.opts = opts};
	enum err_code rc;

	if ((r.scan = calloc(1, sizeof(*r.scan))) == NULL)
		return err_nomem(e);
	r.scan->root = -1;
	buf_init(&r.bad, 64u << 10);
	buf_init(&r.closed, 64u << 10);
	if ((rc = start(&r, e)) == ERR_OK &&
	    (rc = read_folders(&r, e)) == ERR_OK)
		rc = report_lists(&r, e);
	if (rc == ERR_OK && r.scan->n > 0) {
		qsort(
		    r.scan->entry, r.scan->n, sizeof(*r.scan->entry), by_path);
		scan_check_private(&r);
	}
	while (r.ntodo > 0) {
		free(r.todo[--r.ntodo].path);
		free(r.todo[r.ntodo].real);
	}
	free_hops(r.hops);
	free(r.todo);
	free(r.root_abs);
	free(r.root_real);
	buf_deinit(&r.bad);
	buf_deinit(&r.closed);
	if (rc == ERR_OK)
		*out = r.scan;
	else
		scan_free(r.scan);
	return rc;
}

void
scan_free(struct scan *s)
{
	struct scan_chunk *c;

	if (s == NULL)
		return;
	while ((c = s->chunks) != NULL) {
		s->chunks = c->next;
		free(c);
	}
	if (s->root >= 0)
		close(s->root);
	free(s->entry);
	free(s);
}

int
scan_root(const struct scan *s)
{
	return s->root;
}

void
scan_stat(const struct scan_entry *en, struct stat *out)
{
	memset(out, 0, sizeof(*out));
	out->st_dev = en->dev;
	out->st_ino = en->ino;
	out->st_size = (off_t)en->size;
	out->st_mode = en->mode;
	out->st_mtim = en->mtime;
	out->st_ctim = en->ctime;
}

uint64_t
scan_size(const struct scan_entry *en)
{
	return en->kind == SCAN_FILE ? en->size : 0;
}
