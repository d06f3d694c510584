/* Contents of one version of a drive. */
#include "codec/z32.h"
#include "review/drives_impl.h"

enum err_code
drives_stopping(const struct drives_run *run, struct err *e)
{
	if (run->stop == NULL || !run->stop(run->ctx))
		return ERR_OK;
	return err_set(e, ERR_INTERRUPTED, "interrupted");
}

enum err_code
drives_blobs(const struct drives_run *run, const struct drives_side *s,
    struct core **out, struct err *e)
{
	char name[Z32_KEY_LEN + 1];
	enum err_code rc = ERR_OK;
	struct want w = {.kind = WANT_BLOCK};

	if (hyperdrive_blobs(s->drive) == NULL) {
		do
			rc = hyperdrive_find_blobs(s->drive, &w, e);
		while (need_again(run->fetch, &rc, &w, e));
	}
	if (rc == ERR_OK && (*out = hyperdrive_blobs(s->drive)) != NULL)
		return ERR_OK;
	if (rc != ERR_OK && rc != ERR_NOT_FOUND)
		return rc;
	rc = err_set(e, ERR_PEERS,
	    "the contents core of drive %s is not in this store",
	    z32_key(name, core_key(hyperdrive_db(s->drive))));
	return e == NULL ? rc : err_tag(e, "ERR_NOT_FOUND");
}

bool
drives_is_link(const struct entry *en)
{
	return en->linkname != NULL && en->linkname[0] != '\0';
}

enum err_code
drives_size(const struct drives_run *run, const struct drives_side *s,
    const struct entry *en, uint64_t *out, struct err *e)
{
	struct core *blobs;
	enum err_code rc;

	*out = 0;
	if (drives_is_link(en) || !en->has_blob)
		return ERR_OK;
	/* only a map has to be looked into */
	if (!en->blob.block_map) {
		*out = en->blob.byte_length;
		return ERR_OK;
	}
	if ((rc = drives_blobs(run, s, &blobs, e)) != ERR_OK)
		return rc;
	return need_size(blobs, &en->blob, out, run->fetch, e);
}

enum err_code
drives_blocks(const struct drives_run *run, const struct drives_side *s,
    const struct entry *en,
    enum err_code (*each)(void *ctx, struct view block, struct err *e),
    void *ctx, struct err *e)
{
	struct blobs_list list = {NULL, 0, 0, 0};
	struct core *blobs;
	struct buf block;
	enum err_code rc;

	if (!en->has_blob)
		return ERR_OK;
	if ((rc = drives_blobs(run, s, &blobs, e)) != ERR_OK)
		return rc;
	buf_init(&block, CORE_BLOCK_MAX);
	rc = need_list(blobs, &en->blob, &list, run->fetch, e);
	for (size_t i = 0; rc == ERR_OK && i < list.n; i++) {
		rc = need_get(blobs, list.ref[i].index, &block, run->fetch, e);
		if (rc == ERR_OK)
			rc = each(ctx, buf_view(&block), e);
	}
	buf_deinit(&block);
	blobs_list_deinit(&list);
	return rc;
}

static enum err_code
append(void *ctx, struct view block, struct err *e)
{
	struct buf *out = ctx;

	buf_append(out, block);
	return buf_check(out, e);
}

enum err_code
drives_read(const struct drives_run *run, const struct drives_side *s,
    const struct entry *en, struct buf *out, struct err *e)
{
	return drives_blocks(run, s, en, append, out, e);
}

enum err_code
drives_entry(const struct drives_run *run, const struct drives_side *s,
    const char *path, struct entry *out, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	if (s->bee == NULL)
		return err_set(e, ERR_NOT_FOUND, "there is no drive");
	do
		rc = hyperdrive_entry(s->bee, view_str(path), out, NULL, &w, e);
	while (need_again(run->fetch, &rc, &w, e));
	return rc;
}
