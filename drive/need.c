#include "drive/need.h"

bool
need_again(const struct fetch *f, enum err_code *rc, const struct want *w,
    struct err *e)
{
	if (!want_helps(*rc, w))
		return false;
	*rc = fetch_block(f, w, e);
	if (*rc != ERR_NOT_FOUND || f != NULL)
		return *rc == ERR_OK;
	*rc = ERR_PEERS;
	if (e != NULL) {
		e->code = ERR_PEERS;
		*rc = err_tag(e, "ERR_NOT_FOUND");
	}
	return false;
}

enum err_code
need_list(struct core *c, const struct blobs_id *id, struct blobs_list *out,
    const struct fetch *f, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	do
		rc = blobs_resolve(c, id, out, &w, e);
	while (need_again(f, &rc, &w, e));
	return rc;
}

enum err_code
need_leaf(struct core *c, const struct blobs_ref *ref, struct node *out,
    const struct fetch *f, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	do
		rc = core_node(c, 2 * ref->index, out, &w, e);
	while (need_again(f, &rc, &w, e));
	if (rc == ERR_OK && out->size != ref->size)
		return err_set(e, ERR_FORMAT,
		    "block %llu has %llu bytes, not %llu",
		    (unsigned long long)ref->index,
		    (unsigned long long)out->size,
		    (unsigned long long)ref->size);
	return rc;
}

enum err_code
need_get(struct core *c, uint64_t index, struct buf *out, const struct fetch *f,
    struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	do {
		buf_reset(out);
		rc = core_get(c, index, out, &w, e);
	} while (need_again(f, &rc, &w, e));
	return rc;
}

enum err_code
need_size(struct core *c, const struct blobs_id *id, uint64_t *out,
    const struct fetch *f, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	do
		rc = blobs_size(c, id, out, &w, e);
	while (need_again(f, &rc, &w, e));
	return rc;
}

enum err_code
need_tree(struct core *c, uint64_t length, struct tree *out,
    const struct fetch *f, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	do
		rc = core_tree_at(c, length, out, &w, e);
	while (need_again(f, &rc, &w, e));
	return rc;
}
