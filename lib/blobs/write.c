#include <stdlib.h>

#include "base/arr.h"
#include "blobs/blobs.h"
#include "blobs/index.h"
#include "crypto/hash.h"

#define MAP_ENTRIES_MAX ((size_t)BLOBS_MAP_ENTRIES * BLOBS_MAP_BLOCKS_MAX)
#define MAP_BYTES_MAX (BLOBS_MAP_ENTRIES * 18 + 16)

struct blobs_writer {
	struct core_batch *batch;
	enum blobs_share share;
	struct index index; /* SHARED */
	struct seen own;    /* PEAR: this content and its previous version */
	/* of the content under way */
	bool begun;
	uint64_t start_block, start_bytes;
	uint64_t n;		/* chunks */
	struct blobs_list list; /* not with PLAIN */
	bool run;		/* the chunks so far lie in one run */
};

enum err_code
blobs_writer_new(struct blobs_writer **out, struct core *c,
    struct core_batch *cb, enum blobs_share share, struct err *e)
{
	struct blobs_writer *wr;
	enum err_code rc = ERR_OK;

	if ((wr = calloc(1, sizeof(*wr))) == NULL)
		return err_nomem(e);
	wr->batch = cb;
	wr->share = share;
	if (share == BLOBS_SHARED)
		rc = index_init(&wr->index, c, cb, e);
	if (rc != ERR_OK) {
		blobs_writer_free(wr);
		return rc;
	}
	*out = wr;
	return ERR_OK;
}

void
blobs_writer_free(struct blobs_writer *wr)
{
	if (wr == NULL)
		return;
	index_deinit(&wr->index);
	seen_deinit(&wr->own);
	blobs_list_deinit(&wr->list);
	free(wr);
}

/* The reference compares the bytes of the blocks; their leaves say the same
 * without reading them. A later equal block takes the place of an earlier
 * one, as there. */
enum err_code
blobs_writer_previous(
    struct blobs_writer *wr, const struct blobs_list *l, struct err *e)
{
	struct node leaf;
	enum err_code rc;

	if (wr->share != BLOBS_PEAR && wr->share != BLOBS_PEAR_EXACT)
		return ERR_OK;
	for (size_t i = 0; i < l->n; i++) {
		rc = index_leaf(wr->batch, l->ref[i].index, &leaf, e);
		if (rc == ERR_OK)
			rc = seen_put(&wr->own, &leaf.hash, l->ref[i].index, e);
		if (rc != ERR_OK)
			return err_wrap(e, "previous version");
	}
	return ERR_OK;
}

static void
begin(struct blobs_writer *wr)
{
	if (wr->begun)
		return;
	wr->begun = true;
	wr->run = true;
	wr->start_block = core_batch_length(wr->batch);
	wr->start_bytes = core_batch_byte_length(wr->batch);
}

static void
reset(struct blobs_writer *wr)
{
	wr->begun = false;
	wr->n = 0;
	wr->list.n = 0;
	wr->list.bytes = 0;
	seen_clear(&wr->own);
}

/* A content of more chunks than a map can name must be one run to its end:
 * it goes on with the next block if that is the chunk or is yet to come. */
static enum err_code
find_in_run(struct blobs_writer *wr, const struct b32 *leaf, bool *found,
    uint64_t *block, struct err *e)
{
	struct node n;
	enum err_code rc;

	*block = wr->list.ref[wr->list.n - 1].index + 1;
	*found = false;
	if (wr->run && *block == core_batch_length(wr->batch))
		return ERR_OK;
	if (wr->run) {
		if ((rc = index_leaf(wr->batch, *block, &n, e)) != ERR_OK)
			return rc;
		if (b32_eq(&n.hash, leaf))
			*found = true;
	}
	return *found ? ERR_OK
		      : err_set(e, ERR_LIMIT,
			    "content has more than %zu chunks and shares some: "
			    "its block map would be too large",
			    MAP_ENTRIES_MAX);
}

static enum err_code
find_chunk(struct blobs_writer *wr, const struct b32 *leaf, uint64_t size,
    bool *found, uint64_t *block, struct err *e)
{
	if (wr->share == BLOBS_SHARED) {
		if (wr->list.n >= MAP_ENTRIES_MAX)
			return find_in_run(wr, leaf, found, block, e);
		return index_find(&wr->index, leaf, size, found, block, e);
	}
	*found = seen_find(&wr->own, leaf, block);
	if (wr->list.n >= MAP_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "Block map is too large");
	return ERR_OK;
}

static enum err_code
refer(struct blobs_writer *wr, uint64_t block, uint64_t size, struct err *e)
{
	struct blobs_list *l = &wr->list;

	if (!ARR_RESERVE(l->ref, l->n + 1, l->cap))
		return err_nomem(e);
	if (l->n > 0 && l->ref[l->n - 1].index + 1 != block)
		wr->run = false;
	l->ref[l->n].index = block;
	l->ref[l->n++].size = size;
	l->bytes += size;
	return ERR_OK;
}

enum err_code
blobs_writer_known(struct blobs_writer *wr, const struct b32 *leaf,
    uint64_t size, bool *known, struct err *e)
{
	uint64_t block = 0;
	bool found = false;
	enum err_code rc;

	begin(wr);
	*known = false;
	if (wr->share == BLOBS_PLAIN)
		return ERR_OK;
	rc = find_chunk(wr, leaf, size, &found, &block, e);
	if (rc != ERR_OK || !found)
		return rc;
	wr->n++;
	*known = true;
	return refer(wr, block, size, e);
}

enum err_code
blobs_writer_add(struct blobs_writer *wr, struct view chunk,
    const struct b32 *leaf, struct err *e)
{
	uint64_t block = 0;
	enum err_code rc;

	begin(wr);
	wr->n++;
	rc = core_batch_append_hashed(wr->batch, chunk, leaf, &block, e);
	if (rc != ERR_OK || wr->share == BLOBS_PLAIN)
		return rc;
	if (wr->share != BLOBS_SHARED)
		rc = seen_put(&wr->own, leaf, block, e);
	return rc == ERR_OK ? refer(wr, block, chunk.len, e) : rc;
}

enum err_code
blobs_writer_chunk(struct blobs_writer *wr, struct view chunk, struct err *e)
{
	struct b32 leaf;
	bool known;
	enum err_code rc;

	hash_leaf(&leaf, chunk);
	rc = blobs_writer_known(wr, &leaf, chunk.len, &known, e);
	return rc != ERR_OK || known ? rc
				     : blobs_writer_add(wr, chunk, &leaf, e);
}

/* The bytes of map block i; false behind the last one. */
static bool
map_block(const struct blobs_writer *wr, size_t i, struct buf *b)
{
	size_t from = i * BLOBS_MAP_ENTRIES, n;

	if (from >= wr->list.n)
		return false;
	n = wr->list.n - from;
	buf_reset(b);
	blobs_map_encode(b, wr->list.ref + from,
	    n < BLOBS_MAP_ENTRIES ? n : BLOBS_MAP_ENTRIES);
	return true;
}

/* Does the core hold the whole map already, in one run? */
static enum err_code
find_map(struct blobs_writer *wr, struct buf *b, bool *found,
    struct blobs_id *id, struct err *e)
{
	uint64_t block;
	struct b32 leaf;
	enum err_code rc;

	*found = true;
	for (size_t i = 0; *found && map_block(wr, i, b); i++) {
		if ((rc = buf_check(b, e)) != ERR_OK)
			return rc;
		hash_leaf(&leaf, buf_view(b));
		rc = index_find(&wr->index, &leaf, b->len, found, &block, e);
		if (rc != ERR_OK)
			return rc;
		if (i == 0)
			id->block_offset = block;
		*found = *found && block == id->block_offset + i;
		id->block_length = i + 1;
		id->byte_length += b->len;
	}
	return ERR_OK;
}

static enum err_code
append_map(
    struct blobs_writer *wr, struct buf *b, struct blobs_id *id, struct err *e)
{
	enum err_code rc = ERR_OK;

	id->block_offset = core_batch_length(wr->batch);
	id->byte_offset = core_batch_byte_length(wr->batch);
	for (size_t i = 0; rc == ERR_OK && map_block(wr, i, b); i++) {
		if ((rc = buf_check(b, e)) == ERR_OK)
			rc = core_batch_append(wr->batch, buf_view(b), NULL, e);
	}
	id->block_length = core_batch_length(wr->batch) - id->block_offset;
	id->byte_length = core_batch_byte_length(wr->batch) - id->byte_offset;
	return rc;
}

static enum err_code
offset_of(struct blobs_writer *wr, struct blobs_id *id, struct err *e)
{
	struct want w;
	enum err_code rc = core_batch_offset(
	    wr->batch, id->block_offset, &id->byte_offset, &w, e);

	return rc == ERR_NEED_BLOCK ? fetch_block(NULL, &w, e) : rc;
}

static enum err_code
end_map(struct blobs_writer *wr, struct blobs_id *id, struct err *e)
{
	bool found = false;
	struct buf b;
	enum err_code rc = ERR_OK;

	id->block_map = true;
	buf_init(&b, MAP_BYTES_MAX);
	if (wr->share == BLOBS_SHARED)
		rc = find_map(wr, &b, &found, id, e);
	if (rc == ERR_OK)
		rc = found ? offset_of(wr, id, e) : append_map(wr, &b, id, e);
	buf_deinit(&b);
	return rc;
}

static enum err_code
end_run(struct blobs_writer *wr, struct blobs_id *id, struct err *e)
{
	id->block_offset = wr->list.ref[0].index;
	id->block_length = wr->list.n;
	id->byte_length = wr->list.bytes;
	return offset_of(wr, id, e);
}

enum err_code
blobs_writer_end(struct blobs_writer *wr, struct blobs_id *id, uint64_t *stored,
    struct err *e)
{
	struct blobs_id made = {0, 0, 0, 0, false};
	enum err_code rc = ERR_OK;

	begin(wr);
	made.block_offset = wr->start_block;
	made.byte_offset = wr->start_bytes;
	if (wr->n == 0) {
		made.block_map = wr->share == BLOBS_PEAR_EXACT;
	} else if (wr->share == BLOBS_PLAIN) {
		made.block_length = wr->n;
		made.byte_length =
		    core_batch_byte_length(wr->batch) - wr->start_bytes;
	} else if (wr->share == BLOBS_SHARED && wr->run) {
		rc = end_run(wr, &made, e);
	} else {
		rc = end_map(wr, &made, e);
	}
	if (rc != ERR_OK)
		return rc;
	*id = made;
	if (stored != NULL)
		*stored = core_batch_byte_length(wr->batch) - wr->start_bytes;
	reset(wr);
	return ERR_OK;
}

enum err_code
blobs_writer_index(
    struct blobs_writer *wr, struct store_txn *txn, struct err *e)
{
	if (wr->share != BLOBS_SHARED)
		return ERR_OK;
	return index_write(&wr->index, txn, e);
}
