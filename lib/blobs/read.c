#include <stdlib.h>

#include "base/arr.h"
#include "blobs/blobs.h"
#include "codec/dec.h"
#include "codec/z32.h"

static enum err_code
wrap_id(const struct core *c, const struct blobs_id *id, struct err *e)
{
	char name[Z32_KEY_LEN + 1];

	return err_wrap(e, "content at block %llu of core %s",
	    (unsigned long long)id->block_offset, z32_key(name, core_key(c)));
}

/* Is the id possible at all, and does the core reach as far? */
static enum err_code
check_id(
    struct core *c, const struct blobs_id *id, struct want *w, struct err *e)
{
	uint64_t end = id->block_offset + id->block_length;

	if (id->block_offset > DEC_UINT_MAX ||
	    id->block_length > DEC_UINT_MAX || end > DEC_UINT_MAX ||
	    id->byte_length > DEC_UINT_MAX)
		return err_set(e, ERR_FORMAT, "blob id above 2^53-1");
	if (id->block_map && id->block_length > BLOBS_MAP_BLOCKS_MAX)
		return err_set(e, ERR_LIMIT, "Block map is too large");
	if (id->block_length == 0 || end <= core_head(c)->length)
		return ERR_OK;
	w->key = *core_key(c);
	w->kind = WANT_LENGTH;
	w->index = end;
	return err_set(
	    e, ERR_NEED_BLOCK, "needs length %llu", (unsigned long long)end);
}

static enum err_code
read_map(struct core *c, const struct blobs_id *id, struct blobs_list *l,
    struct want *w, struct err *e)
{
	struct buf block;
	enum err_code rc = ERR_OK;

	buf_init(&block, CORE_BLOCK_MAX);
	for (uint64_t i = 0; rc == ERR_OK && i < id->block_length; i++) {
		buf_reset(&block);
		rc = core_get(c, id->block_offset + i, &block, w, e);
		if (rc == ERR_OK)
			rc = blobs_map_decode(l, buf_view(&block), e);
	}
	buf_deinit(&block);
	for (size_t i = 0; rc == ERR_OK && i < l->n; i++) {
		if (l->ref[i].index >= core_head(c)->length)
			rc = err_set(e, ERR_FORMAT,
			    "block map: no block %llu in the core",
			    (unsigned long long)l->ref[i].index);
	}
	return rc;
}

static enum err_code
read_run(struct core *c, const struct blobs_id *id, struct blobs_list *l,
    struct want *w, struct err *e)
{
	struct node leaf;
	enum err_code rc;

	for (uint64_t i = 0; i < id->block_length; i++) {
		rc = core_node(c, 2 * (id->block_offset + i), &leaf, w, e);
		if (rc != ERR_OK)
			return rc;
		if (!ARR_RESERVE(l->ref, l->n + 1, l->cap))
			return err_nomem(e);
		l->ref[l->n].index = id->block_offset + i;
		l->ref[l->n++].size = leaf.size;
		l->bytes += leaf.size;
	}
	if (l->bytes != id->byte_length)
		return err_set(e, ERR_FORMAT,
		    "blob id says %llu bytes, its blocks have %llu",
		    (unsigned long long)id->byte_length,
		    (unsigned long long)l->bytes);
	return ERR_OK;
}

enum err_code
blobs_resolve(struct core *c, const struct blobs_id *id, struct blobs_list *out,
    struct want *w, struct err *e)
{
	struct blobs_list l = {NULL, 0, 0, 0};
	enum err_code rc = check_id(c, id, w, e);

	if (rc == ERR_OK && id->block_map)
		rc = read_map(c, id, &l, w, e);
	else if (rc == ERR_OK)
		rc = read_run(c, id, &l, w, e);
	if (rc != ERR_OK) {
		blobs_list_deinit(&l);
		return wrap_id(c, id, e);
	}
	*out = l;
	return ERR_OK;
}

enum err_code
blobs_size(struct core *c, const struct blobs_id *id, uint64_t *bytes,
    struct want *w, struct err *e)
{
	struct blobs_list l;
	enum err_code rc;

	if (!id->block_map || id->block_length == 0) {
		*bytes = id->block_map ? 0 : id->byte_length;
		return ERR_OK;
	}
	if ((rc = blobs_resolve(c, id, &l, w, e)) != ERR_OK)
		return rc;
	*bytes = l.bytes;
	blobs_list_deinit(&l);
	return ERR_OK;
}

/* A map is listed at open, a run is counted as it is read. */
struct blobs_reader {
	struct core *core;
	struct blobs_id id;
	struct blobs_list map;
	uint64_t next; /* position in the map or the run */
	uint64_t read; /* bytes handed out */
	struct buf block;
};

enum err_code
blobs_reader_open(struct blobs_reader **out, struct core *c,
    const struct blobs_id *id, struct want *w, struct err *e)
{
	struct blobs_reader *r;
	enum err_code rc;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return err_nomem(e);
	r->core = c;
	r->id = *id;
	buf_init(&r->block, CORE_BLOCK_MAX);
	if (id->block_map)
		rc = blobs_resolve(c, id, &r->map, w, e);
	else if ((rc = check_id(c, id, w, e)) != ERR_OK)
		rc = wrap_id(c, id, e);
	if (rc != ERR_OK) {
		blobs_reader_close(r);
		return rc;
	}
	*out = r;
	return ERR_OK;
}

void
blobs_reader_close(struct blobs_reader *r)
{
	if (r == NULL)
		return;
	blobs_list_deinit(&r->map);
	buf_deinit(&r->block);
	free(r);
}

static enum err_code
check_size(const struct blobs_reader *r, uint64_t block, struct err *e)
{
	uint64_t size = r->block.len, want;

	if (r->id.block_map)
		want = r->map.ref[r->next].size;
	else if (r->next + 1 == r->id.block_length)
		want = r->id.byte_length - r->read;
	else
		return ERR_OK;
	if (size == want)
		return ERR_OK;
	return err_set(e, ERR_FORMAT, "block %llu has %llu bytes, not %llu",
	    (unsigned long long)block, (unsigned long long)size,
	    (unsigned long long)want);
}

enum err_code
blobs_reader_next(struct blobs_reader *r, bool *more, struct view *block,
    struct want *w, struct err *e)
{
	uint64_t n = r->id.block_map ? r->map.n : r->id.block_length, at;
	enum err_code rc;

	if (r->next == n) {
		*more = false;
		return ERR_OK;
	}
	at = r->id.block_map ? r->map.ref[r->next].index
			     : r->id.block_offset + r->next;
	buf_reset(&r->block);
	if ((rc = core_get(r->core, at, &r->block, w, e)) != ERR_OK)
		return rc;
	if ((rc = check_size(r, at, e)) != ERR_OK)
		return wrap_id(r->core, &r->id, e);
	r->next++;
	r->read += r->block.len;
	*more = true;
	*block = buf_view(&r->block);
	return ERR_OK;
}
