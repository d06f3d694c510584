/* Two versions side by side: every file that differs. */
#include <stdlib.h>
#include <string.h>

#include "drive/same.h"
#include "review/drives_impl.h"

/* One side's entry under way. name: its path, NUL-terminated. */
struct walk {
	const struct drives_side *side;
	struct hyperdrive_list *list; /* NULL: the side is nothing */
	bool more;
	struct view path;
	struct buf name;
	struct entry en;
	uint64_t size;
};

struct compare {
	struct drives_run *run;
	enum review_want lines;
	struct walk old, new;
};

static enum err_code
walk_name(struct walk *k, struct err *e)
{
	char quoted[256];

	if (memchr(k->path.ptr, 0, k->path.len) != NULL)
		return err_set(e, ERR_FORMAT, "entry %s: NUL in a name",
		    err_quote(
			quoted, sizeof(quoted), k->path.ptr, k->path.len));
	buf_reset(&k->name);
	buf_append(&k->name, k->path);
	(void)buf_cstr(&k->name);
	return buf_check(&k->name, e);
}

static enum err_code
walk_next(struct drives_run *run, struct walk *k, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	entry_deinit(&k->en);
	entry_init(&k->en);
	if (k->list == NULL)
		return ERR_OK;
	do
		rc = hyperdrive_list_next(
		    k->list, &k->more, &k->path, &k->en, NULL, &w, e);
	while (need_again(run->fetch, &rc, &w, e));
	if (rc != ERR_OK || !k->more)
		return rc;
	if ((rc = walk_name(k, e)) == ERR_OK)
		rc = drives_size(run, k->side, &k->en, &k->size, e);
	return rc;
}

static enum err_code
walk_open(struct drives_run *run, struct walk *k,
    const struct drives_side *side, struct err *e)
{
	enum err_code rc = ERR_OK;

	k->side = side;
	if (side->bee != NULL)
		rc = hyperdrive_list_open(&k->list, side->bee, VIEW_EMPTY, e);
	return rc == ERR_OK ? walk_next(run, k, e) : rc;
}

static void
walk_close(struct walk *k)
{
	hyperdrive_list_close(k->list);
	buf_deinit(&k->name);
	entry_deinit(&k->en);
}

/* -- two entries ------------------------------------------------------------ */

static bool
same_id(const struct blobs_id *a, const struct blobs_id *b)
{
	return a->block_offset == b->block_offset &&
	       a->byte_offset == b->byte_offset &&
	       a->block_length == b->block_length &&
	       a->byte_length == b->byte_length && a->block_map == b->block_map;
}

static enum err_code
same_bytes(struct compare *p, bool *same, struct err *e)
{
	const struct drives_run *run = p->run;
	const struct same_opts o = {run->fetch, run->stop, run->ctx};
	struct same_side a = {NULL, &p->old.en.blob};
	struct same_side b = {NULL, &p->new.en.blob};
	enum err_code rc;

	*same = p->old.size == p->new.size;
	if (!*same || p->old.size == 0)
		return ERR_OK;
	if ((rc = drives_blobs(run, p->old.side, &a.core, e)) != ERR_OK ||
	    (rc = drives_blobs(run, p->new.side, &b.core, e)) != ERR_OK)
		return rc;
	if (a.core == b.core && same_id(a.id, b.id))
		return ERR_OK;
	return same_content(&o, &a, &b, same, e);
}

static bool
same_metadata(const struct entry *a, const struct entry *b)
{
	bool no_a = a->metadata == NULL || json_is_null(a->metadata);
	bool no_b = b->metadata == NULL || json_is_null(b->metadata);

	if (no_a || no_b)
		return no_a == no_b;
	return json_equal(a->metadata, b->metadata) == 1;
}

enum verdict { SAME, ATTRIBUTES_DIFFER, CONTENT_DIFFERS };

static enum err_code
judge(struct compare *p, enum verdict *out, struct err *e)
{
	const struct entry *a = &p->old.en, *b = &p->new.en;
	bool link_a = drives_is_link(a), link_b = drives_is_link(b), same;
	enum err_code rc;

	if (link_a || link_b) {
		same =
		    link_a && link_b && strcmp(a->linkname, b->linkname) == 0;
		*out = same ? SAME : CONTENT_DIFFERS;
		return ERR_OK;
	}
	if ((rc = same_bytes(p, &same, e)) != ERR_OK)
		return rc;
	if (!same)
		*out = CONTENT_DIFFERS;
	else if (a->executable != b->executable || !same_metadata(a, b))
		*out = ATTRIBUTES_DIFFER;
	else
		*out = SAME;
	return ERR_OK;
}

/* -- one change ------------------------------------------------------------- */

/* Which sides have the file. */
enum where { IN_OLD, IN_NEW, IN_BOTH };

/* Text of a side for the line diff, or *why there is none. */
static enum err_code
read_text(struct compare *p, const struct walk *k, struct buf *out,
    const char **why, struct err *e)
{
	enum err_code rc;

	if (k->size > REVIEW_TEXT_MAX) {
		*why = "too large";
		return ERR_OK;
	}
	rc = drives_read(p->run, k->side, &k->en, out, e);
	if (rc != ERR_LIMIT || out->failed != ERR_LIMIT)
		return rc;
	*why = "too large"; /* more than its map says */
	return ERR_OK;
}

/* Texts of the sides that have one. Only files are read: a link has no text,
 * and beside one the other side's shows nothing. */
static enum err_code
read_texts(struct compare *p, enum where where, struct review_change *c,
    struct buf text[2], struct err *e)
{
	enum err_code rc = ERR_OK;

	if (p->lines == REVIEW_NO_LINES || c->metadata_only ||
	    c->old_link != NULL || c->new_link != NULL)
		return ERR_OK;
	c->want = REVIEW_LINES;
	if (where != IN_NEW)
		rc = read_text(p, &p->old, &text[0], &c->no_lines, e);
	if (rc == ERR_OK && where != IN_OLD && c->no_lines == NULL)
		rc = read_text(p, &p->new, &text[1], &c->no_lines, e);
	c->old_text = buf_view(&text[0]);
	c->new_text = buf_view(&text[1]);
	return rc;
}

static void
fill_side(const struct walk *k, uint64_t *size, bool *exec, const char **link)
{
	*size = k->size;
	*exec = k->en.executable;
	if (drives_is_link(&k->en))
		*link = k->en.linkname;
}

static enum err_code
note(struct compare *p, enum where where, enum verdict v, struct err *e)
{
	struct review_change c = {.op = where == IN_OLD	  ? REVIEW_REMOVE
					: where == IN_NEW ? REVIEW_ADD
							  : REVIEW_CHANGE,
	    .metadata_only = v == ATTRIBUTES_DIFFER};
	struct buf text[2];
	enum err_code rc;

	c.path = (const char *)(where == IN_OLD ? &p->old : &p->new)->name.data;
	if (where != IN_NEW)
		fill_side(&p->old, &c.old_size, &c.old_exec, &c.old_link);
	if (where != IN_OLD)
		fill_side(&p->new, &c.new_size, &c.new_exec, &c.new_link);
	buf_init(&text[0], REVIEW_TEXT_MAX);
	buf_init(&text[1], REVIEW_TEXT_MAX);
	rc = read_texts(p, where, &c, text, e);
	if (rc == ERR_OK)
		rc = review_add(p->run->r, &c, e);
	buf_deinit(&text[0]);
	buf_deinit(&text[1]);
	return rc;
}

static enum err_code
wrap(const struct walk *k, struct err *e)
{
	char quoted[256];

	return err_wrap(e, "%s",
	    err_quote(quoted, sizeof(quoted), k->path.ptr, k->path.len));
}

static enum err_code
step(struct compare *p, enum where where, struct err *e)
{
	const struct walk *k = where == IN_OLD ? &p->old : &p->new;
	enum verdict v = CONTENT_DIFFERS;
	enum err_code rc = drives_stopping(p->run, e);

	if (rc == ERR_OK && where == IN_BOTH)
		rc = judge(p, &v, e);
	if (rc == ERR_OK && v != SAME)
		rc = note(p, where, v, e);
	if (rc == ERR_OK)
		rc = review_size(p->run->r, (const char *)k->name.data,
		    where == IN_NEW ? 0 : p->old.size,
		    where == IN_OLD ? 0 : p->new.size, e);
	if (rc != ERR_OK)
		return wrap(k, e);
	if (where != IN_NEW)
		rc = walk_next(p->run, &p->old, e);
	if (rc == ERR_OK && where != IN_OLD)
		rc = walk_next(p->run, &p->new, e);
	return rc;
}

static enum where
foremost(const struct compare *p)
{
	int c;

	if (!p->old.more || !p->new.more)
		return p->old.more ? IN_OLD : IN_NEW;
	c = view_cmp(p->old.path, p->new.path);
	return c < 0 ? IN_OLD : c > 0 ? IN_NEW : IN_BOTH;
}

enum err_code
drives_files(struct drives_run *run, const struct drives_side *old,
    const struct drives_side *new, enum review_want lines, struct err *e)
{
	struct compare p = {.run = run, .lines = lines};
	enum err_code rc;

	entry_init(&p.old.en);
	entry_init(&p.new.en);
	buf_init(&p.old.name, CORE_BLOCK_MAX);
	buf_init(&p.new.name, CORE_BLOCK_MAX);
	if ((rc = walk_open(run, &p.old, old, e)) == ERR_OK)
		rc = walk_open(run, &p.new, new, e);
	while (rc == ERR_OK && (p.old.more || p.new.more))
		rc = step(&p, foremost(&p), e);
	walk_close(&p.old);
	walk_close(&p.new);
	return rc;
}

enum err_code
drives_compare(struct review *r, const struct drives_side *old,
    const struct drives_side *new, enum review_want lines,
    const struct fetch *fetch, struct err *e)
{
	struct drives_run run = {.r = r, .fetch = fetch};
	size_t first = r->nfiles;
	enum err_code rc;

	if ((rc = drives_files(&run, old, new, lines, e)) == ERR_OK &&
	    (rc = drives_fields(&run, old, new, e)) == ERR_OK)
		rc = drives_remarks(r, first, e);
	return rc;
}
