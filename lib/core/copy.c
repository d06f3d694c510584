/* Another core's blocks into a batch. */
#include "base/bug.h"
#include "core/change.h"

static enum err_code
copy_block(struct core_batch *b, struct core *from, uint64_t index,
    const struct node *leaf, struct buf *block, struct want *w, struct err *e)
{
	enum err_code rc;

	buf_reset(block);
	if ((rc = core_get(from, index, block, w, e)) != ERR_OK)
		return rc;
	return core_batch_append_hashed(
	    b, buf_view(block), &leaf->hash, NULL, e);
}

/* Not read, but it must be here: a real batch will ask for it. */
static enum err_code
lend_block(struct core_batch *b, struct core *from, uint64_t index,
    const struct node *leaf, struct want *w, struct err *e)
{
	if (!core_has(from, index)) {
		*w = (struct want){from->key, WANT_BLOCK, index};
		return err_set(e, ERR_NEED_BLOCK,
		    "core %s: block %llu is not here", from->name,
		    (unsigned long long)index);
	}
	return core_batch_append_hashed(
	    b, view_of(NULL, (size_t)leaf->size), &leaf->hash, NULL, e);
}

enum err_code
core_batch_copy(struct core_batch *b, struct core *from, uint64_t length,
    struct want *w, struct err *e)
{
	bool dry = b->mode == CORE_BATCH_DRY;
	enum err_code rc = ERR_OK;
	struct node leaf;
	struct buf block;

	bug_if(length > from->head.length);
	if (dry && b->tree.length < length) {
		bug_if(b->lender != NULL &&
		       (b->lender != from || b->lent_to != b->tree.length));
		if (b->lender == NULL)
			b->lent_from = b->tree.length;
		b->lender = from;
	}
	buf_init(&block, CORE_BLOCK_MAX);
	while (rc == ERR_OK && b->tree.length < length) {
		uint64_t at = b->tree.length;

		rc = core_node(from, 2 * at, &leaf, w, e);
		if (rc != ERR_OK)
			break;
		rc = dry ? lend_block(b, from, at, &leaf, w, e)
			 : copy_block(b, from, at, &leaf, &block, w, e);
		if (dry)
			b->lent_to = b->tree.length;
	}
	buf_deinit(&block);
	return rc;
}
