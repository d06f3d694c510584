#include "drive/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE (256u << 10)

/* A file being read: buffered bytes [from, to) of content.buf. */
struct reading {
	const struct content_file *f;
	int fd;
	size_t from, to;
	uint64_t total; /* bytes read so far */
	struct hash_state sum;
};

enum err_code
content_init(struct content *c, enum chunker_kind chunking, struct err *e)
{
	*c = (struct content){.chunking = chunking};
	c->cap = READ_SIZE;
	if ((c->buf = malloc(c->cap)) == NULL)
		return err_nomem(e);
	return ERR_OK;
}

void
content_deinit(struct content *c)
{
	free(c->buf);
	c->buf = NULL;
}

static enum err_code
changed(const struct content_file *f, struct err *e)
{
	return err_set(e, ERR_CHANGED, "%s changed while it was read", f->name);
}

static bool
same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec &&
	       ((a->st_mode ^ b->st_mode) & (S_IFMT | S_IXUSR)) == 0;
}

static enum err_code
check_stat(const struct reading *r, struct err *e)
{
	struct stat st;

	if (fstat(r->fd, &st) != 0)
		return err_os(e, errno, "stat %s", r->f->name);
	return same_stat(&st, &r->f->st) ? ERR_OK : changed(r->f, e);
}

static enum err_code
reading_open(struct reading *r, const struct content *c,
    const struct content_file *f, struct err *e)
{
	int follow = f->follow == CONTENT_FOLLOW ? 0 : O_NOFOLLOW;
	enum err_code rc;

	r->f = f;
	r->from = r->to = 0;
	r->total = 0;
	if (c->sum == CONTENT_SUM)
		hash_init(&r->sum);
	r->fd = openat(f->dirfd, f->path,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | follow);
	if (r->fd < 0 && (errno == ENOENT || errno == ELOOP))
		return changed(f, e);
	if (r->fd < 0)
		return err_os(e, errno, "open %s", f->name);
	if ((rc = check_stat(r, e)) != ERR_OK)
		close(r->fd);
	return rc;
}

/* Grow the buffer to hold at least `need` bytes. */
static enum err_code
make_room(struct content *c, size_t need, struct err *e)
{
	size_t cap = c->cap;
	uint8_t *p;

	while (cap < need)
		cap *= 2;
	if (cap == c->cap)
		return ERR_OK;
	if ((p = realloc(c->buf, cap)) == NULL)
		return err_nomem(e);
	c->buf = p;
	c->cap = cap;
	return ERR_OK;
}

/* Read on behind r->to; *end is set when the file has no more. A chunk
 * under way stays whole: it is moved to the front when room runs out. */
static enum err_code
fill(struct content *c, struct reading *r, bool *end, struct err *e)
{
	enum err_code rc;
	ssize_t got;

	if (c->stop != NULL && c->stop(c->stop_ctx))
		return err_set(e, ERR_INTERRUPTED, "interrupted");
	if (r->to == c->cap && r->from > 0) {
		memmove(c->buf, c->buf + r->from, r->to - r->from);
		r->to -= r->from;
		r->from = 0;
	}
	if (r->to == c->cap && (rc = make_room(c, c->cap * 2, e)) != ERR_OK)
		return rc;
	do
		got = read(r->fd, c->buf + r->to, c->cap - r->to);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_os(e, errno, "read %s", r->f->name);
	if (c->sum == CONTENT_SUM)
		hash_update(&r->sum, view_of(c->buf + r->to, (size_t)got));
	*end = got == 0;
	r->to += (size_t)got;
	r->total += (uint64_t)got;
	if (r->total > (uint64_t)r->f->st.st_size)
		return changed(r->f, e);
	/* the size is known: spare the read that would say "no more" */
	if (r->total == (uint64_t)r->f->st.st_size)
		*end = true;
	return ERR_OK;
}

/* Hand every whole chunk of the buffer to the writer. `scanned` counts bytes
 * of the current chunk that the chunker has seen. */
static enum err_code
store_chunks(struct content *c, struct reading *r, struct chunker *ck,
    size_t *scanned, struct blobs_writer *wr, struct err *e)
{
	enum err_code rc;
	bool cut;

	while (r->from + *scanned < r->to) {
		struct view rest = view_of(
		    c->buf + r->from + *scanned, r->to - r->from - *scanned);

		*scanned += chunker_scan(ck, rest, &cut);
		if (!cut)
			continue;
		rc = blobs_writer_chunk(
		    wr, view_of(c->buf + r->from, *scanned), e);
		if (rc != ERR_OK)
			return rc;
		r->from += *scanned;
		*scanned = 0;
	}
	return ERR_OK;
}

static enum err_code
store_all(struct content *c, struct reading *r, struct blobs_writer *wr,
    struct err *e)
{
	struct chunker ck;
	size_t scanned = 0;
	bool end = r->f->st.st_size == 0;
	enum err_code rc = ERR_OK;

	chunker_init(&ck, c->chunking);
	while (rc == ERR_OK && !end) {
		rc = fill(c, r, &end, e);
		if (rc == ERR_OK)
			rc = store_chunks(c, r, &ck, &scanned, wr, e);
	}
	if (rc == ERR_OK && r->from < r->to)
		rc = blobs_writer_chunk(
		    wr, view_of(c->buf + r->from, r->to - r->from), e);
	if (rc == ERR_OK && r->total != (uint64_t)r->f->st.st_size)
		rc = changed(r->f, e);
	return rc;
}

enum err_code
content_store(struct content *c, const struct content_file *f,
    struct blobs_writer *wr, struct content_stored *out, struct err *e)
{
	struct reading r;
	enum err_code rc;

	if ((rc = reading_open(&r, c, f, e)) != ERR_OK)
		return rc;
	rc = store_all(c, &r, wr, e);
	if (rc == ERR_OK)
		rc = check_stat(&r, e);
	if (rc == ERR_OK)
		rc = blobs_writer_end(wr, &out->id, &out->stored, e);
	if (rc == ERR_OK && c->sum == CONTENT_SUM)
		hash_final(&r.sum, &out->sum);
	close(r.fd);
	return rc;
}

/* Compare the file with the listed blocks; *same = false at the first
 * difference, without reading on. */
static enum err_code
compare(struct content *c, struct reading *r, struct core *blobs,
    const struct blobs_list *l, bool *same, struct want *w, struct err *e)
{
	bool end = r->f->st.st_size == 0;
	enum err_code rc = ERR_OK;
	struct node leaf;
	struct b32 hash;

	for (size_t i = 0; rc == ERR_OK && *same && i < l->n; i++) {
		size_t size = (size_t)l->ref[i].size;

		while (rc == ERR_OK && !end && r->to - r->from < size)
			rc = fill(c, r, &end, e);
		if (rc != ERR_OK)
			break;
		if (r->to - r->from < size)
			return changed(r->f, e);
		rc = core_node(blobs, 2 * l->ref[i].index, &leaf, w, e);
		if (rc != ERR_OK)
			break;
		hash_leaf(&hash, view_of(c->buf + r->from, size));
		*same = b32_eq(&hash, &leaf.hash);
		r->from += size;
	}
	return rc;
}

enum err_code
content_same(struct content *c, const struct content_file *f,
    struct core *blobs, const struct blobs_id *id, bool *same, struct b32 *sum,
    struct want *w, struct err *e)
{
	struct blobs_list l = {NULL, 0, 0, 0};
	struct reading r;
	enum err_code rc;

	*same = true;
	rc = blobs_resolve(blobs, id, &l, w, e);
	if (rc != ERR_OK || l.bytes != (uint64_t)f->st.st_size) {
		*same = false;
		blobs_list_deinit(&l);
		return rc;
	}
	if ((rc = reading_open(&r, c, f, e)) == ERR_OK) {
		rc = compare(c, &r, blobs, &l, same, w, e);
		if (rc == ERR_OK)
			rc = check_stat(&r, e);
		if (rc == ERR_OK && *same && c->sum == CONTENT_SUM)
			hash_final(&r.sum, sum);
		close(r.fd);
	}
	blobs_list_deinit(&l);
	return rc;
}
