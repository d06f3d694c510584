/* A version of a drive as the source. Its blocks are known by their leaves:
 * equal leaves are equal bytes, so that a block is read only to be stored, or
 * where the two sides are cut differently. */
#include <stdlib.h>
#include <string.h>

#include "drive/provision_impl.h"

static struct provision_from_drive *
self(struct provision_source *s)
{
	return (struct provision_from_drive *)s;
}

/* Retry what is not here yet. */
static bool
again(struct provision_from_drive *d, enum err_code *rc, const struct want *w,
    struct err *e)
{
	if (*rc != ERR_NEED_BLOCK)
		return false;
	*rc = provision_need(d->run->fetch, w, e);
	return *rc == ERR_OK;
}

static enum err_code
resolve(struct provision_from_drive *d, struct core *c,
    const struct blobs_id *id, struct blobs_list *out, struct err *e)
{
	enum err_code rc;
	struct want w;

	do
		rc = blobs_resolve(c, id, out, &w, e);
	while (again(d, &rc, &w, e));
	return rc;
}

/* Leaf of a listed block; a map may lie about its size. */
static enum err_code
leaf_of(struct provision_from_drive *d, struct core *c,
    const struct blobs_ref *ref, struct node *out, struct err *e)
{
	enum err_code rc;
	struct want w;

	do
		rc = core_node(c, 2 * ref->index, out, &w, e);
	while (again(d, &rc, &w, e));
	if (rc == ERR_OK && out->size != ref->size)
		return err_set(e, ERR_FORMAT,
		    "block %llu has %llu bytes, not %llu",
		    (unsigned long long)ref->index,
		    (unsigned long long)out->size,
		    (unsigned long long)ref->size);
	return rc;
}

static enum err_code
read_block(struct provision_from_drive *d, struct core *c, uint64_t index,
    struct buf *out, struct err *e)
{
	enum err_code rc;
	struct want w;

	do {
		buf_reset(out);
		rc = core_get(c, index, out, &w, e);
	} while (again(d, &rc, &w, e));
	return rc;
}

/* -- next ----------------------------------------------------------------- */

/* A name that is no normal path would be written under another one. */
static enum err_code
check_path(struct view path, struct err *e)
{
	char quoted[256];
	struct buf normal;
	enum err_code rc;
	bool same;

	buf_init(&normal, CORE_BLOCK_MAX);
	rc = entry_path(&normal, path, e);
	same = rc == ERR_OK && buf_check(&normal, e) == ERR_OK &&
	       view_eq(buf_view(&normal), path) &&
	       memchr(path.ptr, 0, path.len) == NULL;
	buf_deinit(&normal);
	if (same)
		return ERR_OK;
	return err_set(e, ERR_FORMAT, "source entry \"%s\" is no normal path",
	    err_quote(quoted, sizeof(quoted), path.ptr, path.len));
}

static enum err_code
measure(
    struct provision_from_drive *d, struct provision_item *it, struct err *e)
{
	enum err_code rc;
	struct want w;

	it->size = 0;
	if (it->en.linkname != NULL || !it->en.has_blob)
		return ERR_OK;
	do
		rc = blobs_size(d->blobs, &it->en.blob, &it->size, &w, e);
	while (again(d, &rc, &w, e));
	return rc;
}

static enum err_code
next(struct provision_source *s, bool *more, struct provision_item *out,
    struct err *e)
{
	struct provision_from_drive *d = self(s);
	enum err_code rc = ERR_OK;
	struct want w;

	if (d->list == NULL)
		rc = hyperdrive_list_open(&d->list, d->at, VIEW_EMPTY, e);
	if (rc != ERR_OK)
		return rc;
	do
		rc = hyperdrive_list_next(
		    d->list, more, &out->path, &out->en, NULL, &w, e);
	while (again(d, &rc, &w, e));
	if (rc != ERR_OK || !*more)
		return rc;
	/* JavaScript takes the empty text for no link */
	if (out->en.linkname != NULL && out->en.linkname[0] == '\0') {
		free(out->en.linkname);
		out->en.linkname = NULL;
	}
	out->index = 0;
	if ((rc = check_path(out->path, e)) == ERR_OK)
		rc = measure(d, out, e);
	if (rc != ERR_OK)
		entry_deinit(&out->en);
	return rc;
}

/* -- same ----------------------------------------------------------------- */

/* One content being walked: between two blocks, or `at` bytes into one. */
struct side {
	struct core *core;
	struct blobs_list list;
	size_t i;
	struct buf block;
	size_t at;
	bool inside;
};

/* Step over the block at hand if both sides begin one of equal leaf. */
static enum err_code
skip_equal(struct provision_from_drive *d, struct side *a, struct side *b,
    bool *skipped, bool *same, struct err *e)
{
	struct node left, right;
	enum err_code rc;

	*skipped = false;
	if (a->inside || b->inside || a->i == a->list.n || b->i == b->list.n ||
	    a->list.ref[a->i].size != b->list.ref[b->i].size)
		return ERR_OK;
	rc = leaf_of(d, a->core, &a->list.ref[a->i], &left, e);
	if (rc == ERR_OK)
		rc = leaf_of(d, b->core, &b->list.ref[b->i], &right, e);
	if (rc != ERR_OK)
		return rc;
	*skipped = true;
	*same = b32_eq(&left.hash, &right.hash);
	a->i++;
	b->i++;
	return ERR_OK;
}

/* Have bytes at hand; *end if there are none. Blocks may be empty. */
static enum err_code
enter(struct provision_from_drive *d, struct side *s, bool *end, struct err *e)
{
	enum err_code rc;

	while (!s->inside) {
		if ((*end = s->i == s->list.n))
			return ERR_OK;
		rc = read_block(
		    d, s->core, s->list.ref[s->i++].index, &s->block, e);
		if (rc != ERR_OK)
			return rc;
		s->at = 0;
		s->inside = s->block.len > 0;
	}
	*end = false;
	return ERR_OK;
}

static void
step(struct side *s, size_t n)
{
	s->at += n;
	s->inside = s->at < s->block.len;
}

static enum err_code
compare_bytes(struct provision_from_drive *d, struct side *a, struct side *b,
    bool *end, bool *same, struct err *e)
{
	bool enda, endb;
	size_t n, m;
	enum err_code rc;

	if ((rc = enter(d, a, &enda, e)) != ERR_OK ||
	    (rc = enter(d, b, &endb, e)) != ERR_OK)
		return rc;
	*end = enda || endb;
	*same = enda == endb;
	if (*end)
		return ERR_OK;
	n = a->block.len - a->at;
	m = b->block.len - b->at;
	n = n < m ? n : m;
	*same = view_eq(view_sub(buf_view(&a->block), a->at, n),
	    view_sub(buf_view(&b->block), b->at, n));
	step(a, n);
	step(b, n);
	return ERR_OK;
}

static enum err_code
walk(struct provision_from_drive *d, struct side *a, struct side *b, bool *same,
    struct err *e)
{
	bool end = false, skipped;
	enum err_code rc = ERR_OK;

	*same = true;
	while (rc == ERR_OK && *same && !end) {
		rc = provision_stopping(d->run, e);
		if (rc == ERR_OK)
			rc = skip_equal(d, a, b, &skipped, same, e);
		if (rc == ERR_OK && !skipped)
			rc = compare_bytes(d, a, b, &end, same, e);
	}
	return rc;
}

static enum err_code
same(struct provision_source *s, const struct provision_item *it,
    struct core *blobs, const struct blobs_id *id, bool *out, struct err *e)
{
	struct provision_from_drive *d = self(s);
	struct side a = {.core = d->blobs}, b = {.core = blobs};
	enum err_code rc;

	buf_init(&a.block, CORE_BLOCK_MAX);
	buf_init(&b.block, CORE_BLOCK_MAX);
	rc = resolve(d, d->blobs, &it->en.blob, &a.list, e);
	if (rc == ERR_OK)
		rc = resolve(d, blobs, id, &b.list, e);
	if (rc == ERR_OK)
		rc = walk(d, &a, &b, out, e);
	blobs_list_deinit(&a.list);
	blobs_list_deinit(&b.list);
	buf_deinit(&a.block);
	buf_deinit(&b.block);
	return rc;
}

/* -- store ---------------------------------------------------------------- */

/* Not read, but it must be here: the real run will ask for it. */
static enum err_code
be_here(struct provision_from_drive *d, uint64_t index, struct err *e)
{
	const struct want w = {*core_key(d->blobs), WANT_BLOCK, index};

	return core_has(d->blobs, index) ? ERR_OK
					 : provision_need(d->run->fetch, &w, e);
}

static enum err_code
store_block(struct provision_from_drive *d, const struct blobs_ref *ref,
    struct blobs_writer *wr, enum core_batch_mode mode, struct err *e)
{
	struct view bytes = view_of(NULL, (size_t)ref->size);
	struct node leaf;
	enum err_code rc;
	bool known;

	if ((rc = provision_stopping(d->run, e)) != ERR_OK ||
	    (rc = leaf_of(d, d->blobs, ref, &leaf, e)) != ERR_OK ||
	    (rc = blobs_writer_known(wr, &leaf.hash, leaf.size, &known, e)) !=
		ERR_OK)
		return rc;
	if (!known) {
		if (mode == CORE_BATCH_DRY)
			rc = be_here(d, ref->index, e);
		else if ((rc = read_block(
			      d, d->blobs, ref->index, &d->block, e)) == ERR_OK)
			bytes = buf_view(&d->block);
		if (rc == ERR_OK)
			rc = blobs_writer_add(wr, bytes, &leaf.hash, e);
	}
	if (rc == ERR_OK && mode == CORE_BATCH_REAL)
		provision_progress(d->run, ref->size);
	return rc;
}

static enum err_code
store(struct provision_source *s, const struct provision_item *it,
    struct blobs_writer *wr, enum core_batch_mode mode, struct blobs_id *id,
    uint64_t *stored, struct err *e)
{
	struct provision_from_drive *d = self(s);
	struct blobs_list l = {NULL, 0, 0, 0};
	enum err_code rc = ERR_OK;

	if (it->en.has_blob)
		rc = resolve(d, d->blobs, &it->en.blob, &l, e);
	for (size_t i = 0; rc == ERR_OK && i < l.n; i++)
		rc = store_block(d, &l.ref[i], wr, mode, e);
	blobs_list_deinit(&l);
	return rc == ERR_OK ? blobs_writer_end(wr, id, stored, e) : rc;
}

static enum err_code
field(struct provision_source *s, const char *name, json_t **out, struct err *e)
{
	struct provision_from_drive *d = self(s);

	return provision_field_of(d->at, name, out, d->run->fetch, e);
}

void
provision_from_drive_init(struct provision_from_drive *d,
    struct provision_run *p, const struct provision_side *side)
{
	*d = (struct provision_from_drive){
	    .s = {.next = next, .same = same, .store = store, .field = field},
	    .run = p,
	    .at = side->at,
	    .blobs = hyperdrive_blobs(side->drive)};
	buf_init(&d->block, CORE_BLOCK_MAX);
	p->source = &d->s;
}

void
provision_from_drive_deinit(struct provision_from_drive *d)
{
	hyperdrive_list_close(d->list);
	buf_deinit(&d->block);
}
