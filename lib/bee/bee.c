#include "bee/bee.h"

#include <inttypes.h>
#include <stdlib.h>

#include "bee/iter.h"

enum err_code
bee_open(struct bee **out, struct core *c, uint64_t version, struct err *e)
{
	struct bee *b;

	if (version > core_head(c)->length)
		return err_set(e, ERR_LIMIT,
		    "version %" PRIu64 " is beyond the core's length %" PRIu64,
		    version, core_head(c)->length);
	if ((b = calloc(1, sizeof(*b))) == NULL)
		return err_nomem(e);
	bee_tree_init(&b->tree, BEE_TREE_READ, c, NULL);
	buf_init(&b->block, CORE_BLOCK_MAX);
	b->version = version;
	*out = b;
	return ERR_OK;
}

void
bee_close(struct bee *b)
{
	if (b == NULL)
		return;
	bee_tree_deinit(&b->tree);
	buf_deinit(&b->block);
	free(b);
}

uint64_t
bee_version(const struct bee *b)
{
	return b->version;
}

enum err_code
bee_get_header(struct bee *b, struct bee_header *out, struct buf *mem,
    struct want *w, struct err *e)
{
	struct bee_header h;
	size_t at = mem->len;
	struct view block;
	enum err_code rc;

	if (b->version == 0)
		return err_set(e, ERR_NOT_FOUND, "the core is empty");
	if ((rc = core_get(b->tree.core, 0, mem, w, e)) != ERR_OK)
		return rc;
	block = view_sub(buf_view(mem), at, mem->len - at);
	if (bee_header_decode(&h, block, e) != ERR_OK)
		return bee_tree_wrap(&b->tree, 0, e);
	*out = h;
	return ERR_OK;
}

enum err_code
bee_get(struct bee *b, struct view key, struct bee_entry *out, struct want *w,
    struct err *e)
{
	struct bee_node *node = NULL;
	struct bee_block block;
	enum err_code rc;
	size_t pos;

	bee_tree_trim(&b->tree);
	if (b->version >= 2) {
		rc = bee_tree_load_root(&b->tree, b->version, w, e);
		if (rc != ERR_OK || (rc = bee_tree_find(&b->tree, key, &node,
					 &pos, w, e)) != ERR_OK)
			return rc;
	}
	if (node == NULL)
		return err_set(e, ERR_NOT_FOUND, "no such key");
	rc = bee_tree_block(
	    &b->tree, node->key[pos].seq, &b->block, &block, w, e);
	if (rc != ERR_OK)
		return rc;
	*out = (struct bee_entry){node->key[pos].seq, block.key, block.value};
	return ERR_OK;
}

enum err_code
bee_history(struct bee *b, uint64_t from,
    bool (*each)(void *ctx, uint64_t seq, const struct bee_block *block),
    void *ctx, struct want *w, struct err *e)
{
	struct bee_block block;
	enum err_code rc;

	for (uint64_t seq = from == 0 ? 1 : from; seq < b->version; seq++) {
		rc = bee_tree_block(&b->tree, seq, &b->block, &block, w, e);
		if (rc != ERR_OK)
			return rc;
		if (!each(ctx, seq, &block))
			break;
	}
	return ERR_OK;
}
