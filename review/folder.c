#include "review/folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "drive/scan.h"
#include "hyperdrive/drive.h"

#define KEY_MAX 8192

struct folder {
	struct review *r;
	enum review_want want;
	struct hyperdrive *drive;
	struct bee *bee; /* NULL: nothing before */
};

enum err_code
folder_open(struct folder **out, struct review *r, struct store *s,
    const struct b32 *key, uint64_t version, enum review_want want,
    struct err *e)
{
	struct folder *f = calloc(1, sizeof(*f));
	enum err_code rc = ERR_OK;

	if (f == NULL)
		return err_nomem(e);
	f->r = r;
	f->want = want;
	if (version > 1)
		rc = hyperdrive_open(&f->drive, s, key, CORE_READ, e);
	if (rc == ERR_OK && version > 1)
		rc = hyperdrive_at(f->drive, version, &f->bee, e);
	if (rc != ERR_OK) {
		folder_close(f);
		return rc;
	}
	*out = f;
	return ERR_OK;
}

void
folder_close(struct folder *f)
{
	if (f == NULL)
		return;
	bee_close(f->bee);
	hyperdrive_close(f->drive);
	free(f);
}

/* -- the drive's side -------------------------------------------------------- */

/* By its key as it is: a drive may hold names that no path can have.
 * ERR_NOT_FOUND. */
static enum err_code
old_entry(struct folder *f, const char *path, struct entry *out, struct err *e)
{
	struct bee_entry found;
	enum err_code rc;
	struct buf key;
	struct want w = {.kind = WANT_BLOCK};

	if (f->bee == NULL)
		return err_set(e, ERR_NOT_FOUND, "the drive is empty");
	buf_init(&key, KEY_MAX);
	entry_key(&key, view_str(path));
	if ((rc = buf_check(&key, e)) == ERR_OK &&
	    (rc = bee_get(f->bee, buf_view(&key), &found, &w, e)) == ERR_OK)
		rc = entry_decode(out, found.value, e);
	buf_deinit(&key);
	return rc;
}

static const char not_here[] = "its contents are not in this store";
static const char too_large[] = "too large";
static const char was_changed[] = "changed while it was read";

/* Size of an entry's content; a block map that is not here counts as what
 * its id says. */
static enum err_code
entry_size(
    struct folder *f, const struct entry *en, uint64_t *out, struct err *e)
{
	struct core *blobs = hyperdrive_blobs(f->drive);
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	*out = en->has_blob ? en->blob.byte_length : 0;
	if (!en->has_blob || !en->blob.block_map || blobs == NULL)
		return ERR_OK;
	rc = blobs_size(blobs, &en->blob, out, &w, e);
	return rc == ERR_NEED_BLOCK ? ERR_OK : rc;
}

static enum err_code
read_blob(struct core *blobs, const struct blobs_id *id, struct buf *out,
    struct err *e)
{
	struct blobs_reader *rd = NULL;
	struct view block;
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};
	bool more = true;

	rc = blobs_reader_open(&rd, blobs, id, &w, e);
	while (rc == ERR_OK && more) {
		rc = blobs_reader_next(rd, &more, &block, &w, e);
		if (rc == ERR_OK && more)
			buf_append(out, block);
	}
	blobs_reader_close(rd);
	return rc;
}

/* The old content, or *why it is not to be had. */
static enum err_code
old_text(struct folder *f, const struct entry *en, uint64_t size,
    struct buf *out, const char **why, struct err *e)
{
	struct core *blobs = hyperdrive_blobs(f->drive);
	enum err_code rc = ERR_NEED_BLOCK;

	if (!en->has_blob)
		return ERR_OK;
	if (size > REVIEW_TEXT_MAX) {
		*why = too_large;
		return ERR_OK;
	}
	if (blobs != NULL)
		rc = read_blob(blobs, &en->blob, out, e);
	if (rc == ERR_NEED_BLOCK)
		*why = not_here;
	else if (rc == ERR_OK && out->failed == ERR_LIMIT)
		*why = too_large; /* more than its map says */
	else if (rc == ERR_OK)
		rc = buf_check(out, e);
	return rc == ERR_NEED_BLOCK ? ERR_OK : rc;
}

/* -- the folder's side ------------------------------------------------------- */

/* The new content, as long as it was when it was scanned. */
static enum err_code
new_text(const struct stage_event *ev, struct buf *out, const char **why,
    struct err *e)
{
	const struct scan_entry *d = ev->disk;
	uint8_t *p;
	struct stat st;
	int fd;

	if (d->size > REVIEW_TEXT_MAX) {
		*why = too_large;
		return ERR_OK;
	}
	fd = openat(ev->root, d->target != NULL ? d->target : d->path + 1,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
		(d->target != NULL ? 0 : O_NOFOLLOW));
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_ino != d->ino || st.st_dev != d->dev ||
	    (uint64_t)st.st_size != d->size) {
		*why = was_changed;
	} else if ((p = buf_extend(out, (size_t)d->size)) != NULL &&
		   file_pread_all(fd, d->path, p, (size_t)d->size, 0, e) !=
		       ERR_OK) {
		*why = was_changed;
	}
	if (fd >= 0)
		close(fd);
	return buf_check(out, e);
}

/* -- one change --------------------------------------------------------------- */

/* A change as it is put together. */
struct change {
	struct review_change c;
	struct entry old;
	bool has_old;
	struct buf old_text, new_text;
};

static enum err_code
texts(struct folder *f, const struct stage_event *ev, struct change *x,
    struct err *e)
{
	const char *why = NULL;
	enum err_code rc = ERR_OK;

	if (f->want == REVIEW_NO_LINES || x->c.metadata_only ||
	    x->c.new_link != NULL ||
	    (x->c.old_link != NULL && ev->disk == NULL))
		return ERR_OK;
	x->c.want = REVIEW_LINES;
	if (x->has_old)
		rc = old_text(f, &x->old, ev->removed, &x->old_text, &why, e);
	if (rc == ERR_OK && ev->disk != NULL && why == NULL)
		rc = new_text(ev, &x->new_text, &why, e);
	x->c.no_lines = why;
	x->c.old_text = buf_view(&x->old_text);
	x->c.new_text = buf_view(&x->new_text);
	return rc;
}

static enum err_code
sides(struct folder *f, const struct stage_event *ev, struct change *x,
    struct err *e)
{
	struct review_change *c = &x->c;
	enum err_code rc;

	if (ev->type <= 0) {
		rc = old_entry(f, ev->path, &x->old, e);
		if (rc != ERR_OK)
			return rc;
		x->has_old = true;
		c->old_exec = x->old.executable;
		c->old_link = x->old.linkname;
	}
	if (ev->disk != NULL && ev->disk->kind == SCAN_LINK)
		c->new_link = ev->disk->linkname;
	else if (ev->disk != NULL)
		c->new_exec = (ev->disk->mode & S_IXUSR) != 0;
	/* the event of a change of the bit alone has no sizes */
	c->metadata_only = ev->type == 0 && ev->removed == 0 &&
			   ev->added == 0 && c->old_link == NULL &&
			   c->new_link == NULL && c->old_exec != c->new_exec;
	if (!c->metadata_only)
		return ERR_OK;
	rc = entry_size(f, &x->old, &c->old_size, e);
	c->new_size = c->old_size;
	return rc;
}

enum err_code
folder_change(struct folder *f, const struct stage_event *ev, struct err *e)
{
	struct change x = {.c = {.op = ev->type > 0   ? REVIEW_ADD
				       : ev->type < 0 ? REVIEW_REMOVE
						      : REVIEW_CHANGE,
			       .path = ev->path,
			       .old_size = ev->removed,
			       .new_size = ev->added}};
	enum err_code rc;

	entry_init(&x.old);
	buf_init(&x.old_text, REVIEW_TEXT_MAX);
	buf_init(&x.new_text, REVIEW_TEXT_MAX);
	if ((rc = sides(f, ev, &x, e)) == ERR_OK &&
	    (rc = texts(f, ev, &x, e)) == ERR_OK)
		rc = review_add(f->r, &x.c, e);
	buf_deinit(&x.old_text);
	buf_deinit(&x.new_text);
	entry_deinit(&x.old);
	return rc;
}

/* -- the end ------------------------------------------------------------------ */

static int
by_path(const void *a, const void *b)
{
	const struct review_file *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* The changed files, sorted by path: the caller frees them. */
static enum err_code
sorted(const struct review *r, const struct review_file ***out, struct err *e)
{
	const struct review_file **p = calloc(r->nfiles + 1, sizeof(*p));

	if (p == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < r->nfiles; i++)
		p[i] = &r->file[i];
	qsort(p, r->nfiles, sizeof(*p), by_path);
	*out = p;
	return ERR_OK;
}

/* One entry of the drive, which counts in both sizes unless it changes. */
static enum err_code
unchanged(struct folder *f, const struct review_file **file, const char *path,
    const struct entry *en, struct err *e)
{
	struct review_file name = {.path = (char *)(uintptr_t)path};
	const struct review_file *key = &name;
	enum err_code rc;
	uint64_t size;

	if (bsearch(&key, file, f->r->nfiles, sizeof(*file), by_path) != NULL)
		return ERR_OK;
	if ((rc = entry_size(f, en, &size, e)) != ERR_OK)
		return rc;
	return review_size(f->r, path, size, size, e);
}

static enum err_code
drive_sizes(struct folder *f, const struct review_file **file, struct err *e)
{
	struct hyperdrive_list *l = NULL;
	enum err_code rc = ERR_OK;
	struct view path;
	struct entry en;
	struct want w = {.kind = WANT_BLOCK};
	struct buf name;
	bool more = true;

	entry_init(&en);
	buf_init(&name, KEY_MAX);
	rc = hyperdrive_list_open(&l, f->bee, VIEW_EMPTY, e);
	while (rc == ERR_OK) {
		rc = hyperdrive_list_next(l, &more, &path, &en, NULL, &w, e);
		if (rc != ERR_OK || !more)
			break;
		buf_reset(&name);
		buf_append(&name, path);
		if (buf_cstr(&name) == NULL)
			rc = buf_check(&name, e);
		else
			rc = unchanged(f, file, buf_cstr(&name), &en, e);
		entry_deinit(&en);
		entry_init(&en);
	}
	hyperdrive_list_close(l);
	entry_deinit(&en);
	buf_deinit(&name);
	return rc;
}

static enum err_code
find_outside(struct review *r, struct err *e)
{
	size_t n = 0, first = 0;
	bool usual = false;

	for (size_t i = 0; i < r->narch; i++)
		usual = usual || r->arch[i].name[0] != '\0';
	for (size_t i = r->nfiles; i > 0; i--)
		if (r->file[i - 1].outside && r->file[i - 1].op >= 0) {
			first = i - 1;
			n++;
		}
	if (n == 0 || !usual)
		return ERR_OK;
	return review_find(r, REVIEW_WARN, e,
	    "%zu file%s outside /package.json and /by-arch: %s%s", n,
	    n == 1 ? "" : "s", r->file[first].path, n > 1 ? ", ..." : "");
}

enum err_code
folder_end(struct folder *f, struct err *e)
{
	const struct review_file **file = NULL;
	struct review *r = f->r;
	enum err_code rc;

	if ((rc = sorted(r, &file, e)) == ERR_OK && f->bee != NULL)
		rc = drive_sizes(f, file, e);
	free(file);
	for (size_t i = 0; rc == ERR_OK && i < r->nfiles; i++)
		rc = review_size(r, r->file[i].path, r->file[i].old_size,
		    r->file[i].new_size, e);
	return rc == ERR_OK ? find_outside(r, e) : rc;
}
