#include "blobs/index.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "codec/dec.h"
#include "codec/enc.h"

#define KEY_MAX 40 /* number and leaf hash */

enum err_code
index_leaf(
    struct core_batch *batch, uint64_t block, struct node *out, struct err *e)
{
	struct want w;
	enum err_code rc = core_batch_leaf(batch, block, out, &w, e);

	return rc == ERR_NEED_BLOCK ? fetch_block(NULL, &w, e) : rc;
}

/* The key of a leaf, or with NULL of the count. */
static enum err_code
make_key(struct buf *key, const struct index *ix, const struct b32 *leaf,
    struct err *e)
{
	buf_reset(key);
	enc_u64be(key, core_number(ix->core));
	if (leaf != NULL)
		enc_b32(key, leaf);
	else
		enc_u8(key, 0);
	return buf_check(key, e);
}

/* ERR_NOT_FOUND, or the block a leaf has in the stored index. */
static enum err_code
stored_block(const struct index *ix, struct store_txn *txn,
    const struct b32 *leaf, uint64_t *block, struct err *e)
{
	struct view val;
	struct buf key;
	struct dec d;
	enum err_code rc;

	buf_init(&key, KEY_MAX);
	if ((rc = make_key(&key, ix, leaf, e)) == ERR_OK)
		rc = store_get(core_store(ix->core), txn, STORE_CHUNKS,
		    buf_view(&key), &val, e);
	buf_deinit(&key);
	if (rc != ERR_OK)
		return rc;
	dec_init(&d, val);
	*block = dec_u64le(&d);
	return dec_done(&d) ? ERR_OK : ERR_NOT_FOUND;
}

/* How many blocks the stored index covers in the core's history. */
static enum err_code
stored_length(struct index *ix, uint64_t *length, struct err *e)
{
	const struct core_head *head = core_head(ix->core);
	struct view val;
	struct buf key;
	struct dec d;
	enum err_code rc;

	*length = 0;
	buf_init(&key, KEY_MAX);
	if ((rc = make_key(&key, ix, NULL, e)) == ERR_OK)
		rc = store_get(core_store(ix->core), NULL, STORE_CHUNKS,
		    buf_view(&key), &val, e);
	buf_deinit(&key);
	if (rc != ERR_OK) {
		/* entries without a count are nobody's */
		ix->rebuild = true;
		return rc == ERR_NOT_FOUND ? ERR_OK : rc;
	}
	dec_init(&d, val);
	*length = dec_u64le(&d);
	if (dec_u64le(&d) != head->fork || *length > head->length ||
	    !dec_done(&d)) {
		ix->rebuild = true;
		*length = 0;
	}
	return ERR_OK;
}

/* Remember the leaves of blocks [from, to), which the batch cuts off. A leaf
 * that is not here leaves an entry that is found stale when it is asked. */
static enum err_code
collect_dead(struct index *ix, uint64_t from, uint64_t to, struct err *e)
{
	struct node leaf;
	struct want w;
	enum err_code rc;

	for (uint64_t i = from; i < to; i++) {
		rc = core_node(ix->core, 2 * i, &leaf, &w, e);
		if (rc == ERR_NEED_BLOCK)
			continue;
		if (rc != ERR_OK)
			return rc;
		if (!ARR_RESERVE(ix->dead, ix->ndead + 1, ix->dead_cap))
			return err_nomem(e);
		ix->dead[ix->ndead++] = leaf.hash;
	}
	return ERR_OK;
}

enum err_code
index_init(
    struct index *ix, struct core *c, struct core_batch *batch, struct err *e)
{
	uint64_t base = core_batch_length(batch), length;
	enum err_code rc;

	memset(ix, 0, sizeof(*ix));
	ix->core = c;
	ix->batch = batch;
	if (c == NULL)
		return ERR_OK;
	if ((rc = stored_length(ix, &length, e)) != ERR_OK)
		return rc;
	ix->trusted = length < base ? length : base;
	ix->covered = ix->trusted;
	return collect_dead(ix, ix->trusted, length, e);
}

void
index_deinit(struct index *ix)
{
	seen_deinit(&ix->fresh);
	free(ix->dead);
	memset(ix, 0, sizeof(*ix));
}

static enum err_code
find_covered(struct index *ix, const struct b32 *leaf, uint64_t size,
    bool *found, uint64_t *block, struct err *e)
{
	struct node n;
	uint64_t at;
	enum err_code rc;

	*found = seen_find(&ix->fresh, leaf, block);
	if (*found || ix->trusted == 0)
		return ERR_OK;
	rc = stored_block(ix, NULL, leaf, &at, e);
	if (rc == ERR_NOT_FOUND || (rc == ERR_OK && at >= ix->trusted))
		return ERR_OK;
	if (rc != ERR_OK || (rc = index_leaf(ix->batch, at, &n, e)) != ERR_OK)
		return rc;
	*found = n.size == size && b32_eq(&n.hash, leaf);
	if (*found)
		*block = at;
	return ERR_OK;
}

/* Look at every block up to the batch's end, in order: the first one with a
 * leaf keeps it. */
static enum err_code
catch_up(struct index *ix, struct err *e)
{
	uint64_t length = core_batch_length(ix->batch), block;
	struct node n;
	bool found;
	enum err_code rc;

	for (; ix->covered < length; ix->covered++) {
		rc = index_leaf(ix->batch, ix->covered, &n, e);
		if (rc == ERR_OK)
			rc = find_covered(
			    ix, &n.hash, n.size, &found, &block, e);
		if (rc == ERR_OK && !found)
			rc = seen_put(&ix->fresh, &n.hash, ix->covered, e);
		if (rc != ERR_OK)
			return err_wrap(e, "chunk index");
	}
	return ERR_OK;
}

enum err_code
index_find(struct index *ix, const struct b32 *leaf, uint64_t size, bool *found,
    uint64_t *block, struct err *e)
{
	enum err_code rc = catch_up(ix, e);

	if (rc != ERR_OK)
		return rc;
	return find_covered(ix, leaf, size, found, block, e);
}

static enum err_code
put_u64(struct index *ix, struct store_txn *txn, const struct b32 *leaf,
    const uint64_t *n, size_t count, struct err *e)
{
	struct buf key, val;
	enum err_code rc;

	buf_init(&key, KEY_MAX);
	buf_init(&val, KEY_MAX);
	for (size_t i = 0; i < count; i++)
		enc_u64le(&val, n[i]);
	if ((rc = buf_check(&val, e)) == ERR_OK &&
	    (rc = make_key(&key, ix, leaf, e)) == ERR_OK)
		rc = store_put(
		    txn, STORE_CHUNKS, buf_view(&key), buf_view(&val), e);
	buf_deinit(&key);
	buf_deinit(&val);
	return rc;
}

static enum err_code
delete_dead(struct index *ix, struct store_txn *txn, struct err *e)
{
	struct buf key;
	uint64_t block;
	enum err_code rc = ERR_OK;

	buf_init(&key, KEY_MAX);
	for (size_t i = 0; rc == ERR_OK && i < ix->ndead; i++) {
		rc = stored_block(ix, txn, &ix->dead[i], &block, e);
		if (rc == ERR_OK && block >= ix->trusted &&
		    (rc = make_key(&key, ix, &ix->dead[i], e)) == ERR_OK)
			rc = store_del(txn, STORE_CHUNKS, buf_view(&key), e);
		if (rc == ERR_NOT_FOUND)
			rc = ERR_OK;
	}
	buf_deinit(&key);
	return rc;
}

static enum err_code
delete_all(struct index *ix, struct store_txn *txn, struct err *e)
{
	struct buf key;
	struct view prefix;
	enum err_code rc;

	buf_init(&key, KEY_MAX);
	if ((rc = make_key(&key, ix, NULL, e)) == ERR_OK) {
		prefix = view_sub(buf_view(&key), 0, sizeof(uint64_t));
		rc = store_del_range(txn, STORE_CHUNKS, prefix, prefix, e);
	}
	buf_deinit(&key);
	return rc;
}

enum err_code
index_write(struct index *ix, struct store_txn *txn, struct err *e)
{
	enum err_code rc = catch_up(ix, e);
	uint64_t head[2];

	head[0] = core_batch_length(ix->batch);
	head[1] = core_batch_fork(ix->batch);
	if (rc == ERR_OK && ix->rebuild)
		rc = delete_all(ix, txn, e);
	if (rc == ERR_OK)
		rc = delete_dead(ix, txn, e);
	for (size_t i = 0; rc == ERR_OK && i < ix->fresh.n; i++)
		rc = put_u64(ix, txn, &ix->fresh.entry[i].leaf,
		    &ix->fresh.entry[i].index, 1, e);
	return rc == ERR_OK ? put_u64(ix, txn, NULL, head, 2, e) : rc;
}
