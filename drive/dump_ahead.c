/*
 * Asking for contents before they are written: with peers far away, one block
 * at a time would cost a round trip each. Hints only; what is read later asks
 * for itself.
 */
#include "drive/dump_list.h"
#include "drive/need.h"

/* Blocks next to each other become one hint. */
struct run {
	const struct fetch *fetch;
	const struct b32 *key;
	uint64_t start, end;
};

static void
run_add(struct run *r, uint64_t start, uint64_t end)
{
	if (start == r->end) {
		r->end = end;
		return;
	}
	fetch_ahead(r->fetch, r->key, r->start, r->end);
	r->start = start;
	r->end = end;
}

static bool
in_core(const struct blobs_id *id, const struct core *blobs)
{
	uint64_t length = core_head(blobs)->length;

	return id->block_offset <= length &&
	       id->block_length <= length - id->block_offset;
}

void
dump_ahead_maps(
    const struct dump_opts *opts, struct core *blobs, const struct dump_list *l)
{
	struct run r = {opts->fetch, core_key(blobs), 0, 0};
	const struct blobs_id *id;

	for (size_t i = 0; i < l->n; i++) {
		id = &l->item[i].blob;
		if (l->item[i].has_blob && id->block_map && in_core(id, blobs))
			run_add(&r, id->block_offset,
			    id->block_offset + id->block_length);
	}
	fetch_ahead(r.fetch, r.key, r.start, r.end);
}

static enum err_code
add_mapped(
    struct run *r, struct core *blobs, const struct blobs_id *id, struct err *e)
{
	struct blobs_list refs = {NULL, 0, 0, 0};
	enum err_code rc = need_list(blobs, id, &refs, r->fetch, e);

	for (size_t i = 0; rc == ERR_OK && i < refs.n; i++)
		run_add(r, refs.ref[i].index, refs.ref[i].index + 1);
	blobs_list_deinit(&refs);
	return rc;
}

enum err_code
dump_ahead(const struct dump_opts *opts, struct core *blobs,
    const struct dump_list *l,
    bool (*wanted)(void *ctx, const struct dump_item *it), void *ctx,
    struct err *e)
{
	struct run r;
	const struct blobs_id *id;
	enum err_code rc = ERR_OK;

	if (opts->fetch == NULL || blobs == NULL)
		return ERR_OK;
	r = (struct run){opts->fetch, core_key(blobs), 0, 0};
	for (size_t i = 0; rc == ERR_OK && i < l->n; i++) {
		id = &l->item[i].blob;
		if (!l->item[i].has_blob || l->item[i].size == 0 ||
		    !in_core(id, blobs) ||
		    (wanted != NULL && !wanted(ctx, &l->item[i])))
			continue;
		if (id->block_map)
			rc = add_mapped(&r, blobs, id, e);
		else
			run_add(&r, id->block_offset,
			    id->block_offset + id->block_length);
	}
	fetch_ahead(r.fetch, r.key, r.start, r.end);
	return rc;
}
