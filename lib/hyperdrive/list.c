/* Reading entries: one, all below a folder, and what they need of blobs. */
#include <stdlib.h>

#include "codec/jtext.h"
#include "hyperdrive/drive.h"

#define QUOTE 256 /* bytes of a quoted path in an error */
/* Paths of foreign drives may be longer than those we would write to disk. */
#define KEY_MAX (1u << 20)
#define PREFIX 6 /* "files\0" */

static enum err_code
wrap_path(struct view path, struct err *e)
{
	char quoted[QUOTE];

	return err_wrap(e, "entry \"%s\"",
	    err_quote(quoted, sizeof(quoted), path.ptr, path.len));
}

enum err_code
hyperdrive_entry(struct bee *b, struct view path, struct entry *out,
    uint64_t *seq, struct want *w, struct err *e)
{
	struct bee_entry found;
	struct buf key;
	enum err_code rc;

	buf_init(&key, KEY_MAX);
	entry_key(&key, VIEW_EMPTY);
	if ((rc = entry_path(&key, path, e)) == ERR_OK &&
	    (rc = bee_get(b, buf_view(&key), &found, w, e)) == ERR_OK &&
	    (rc = entry_decode(out, found.value, e)) == ERR_OK && seq != NULL)
		*seq = found.seq;
	if (rc != ERR_OK)
		rc = wrap_path(path, e);
	buf_deinit(&key);
	return rc;
}

struct hyperdrive_list {
	struct bee_iter *it;
	struct buf gt, lt; /* bounds, borrowed by the iterator */
	struct buf path;
};

/* Everything below folder: behind "folder/", before "folder0". */
static enum err_code
bounds(struct hyperdrive_list *l, struct view folder, struct err *e)
{
	bool all = folder.len == 0 || view_eq(folder, view_str("/"));
	enum err_code rc;

	entry_key(&l->gt, VIEW_EMPTY);
	if (!all && (rc = entry_path(&l->gt, folder, e)) != ERR_OK)
		return rc;
	buf_append(&l->lt, buf_view(&l->gt));
	buf_byte(&l->gt, '/');
	buf_byte(&l->lt, '/' + 1);
	if ((rc = buf_check(&l->gt, e)) != ERR_OK)
		return rc;
	return buf_check(&l->lt, e);
}

enum err_code
hyperdrive_list_open(struct hyperdrive_list **out, struct bee *b,
    struct view folder, struct err *e)
{
	struct bee_range range = BEE_RANGE_ALL;
	struct hyperdrive_list *l;
	enum err_code rc;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return err_nomem(e);
	buf_init(&l->gt, KEY_MAX);
	buf_init(&l->lt, KEY_MAX);
	buf_init(&l->path, CORE_BLOCK_MAX);
	if ((rc = bounds(l, folder, e)) == ERR_OK) {
		range.gt = buf_view(&l->gt);
		range.lt = buf_view(&l->lt);
		rc = bee_iter_open(&l->it, b, &range, e);
	}
	if (rc != ERR_OK) {
		hyperdrive_list_close(l);
		return rc;
	}
	*out = l;
	return ERR_OK;
}

enum err_code
hyperdrive_list_next(struct hyperdrive_list *l, bool *more, struct view *path,
    struct entry *entry, uint64_t *seq, struct want *w, struct err *e)
{
	struct bee_entry found;
	enum err_code rc = bee_iter_next(l->it, more, &found, w, e);

	if (rc != ERR_OK || !*more)
		return rc;
	buf_reset(&l->path);
	buf_append(&l->path, view_sub(found.key, PREFIX, found.key.len));
	if ((rc = buf_check(&l->path, e)) != ERR_OK)
		return rc;
	*path = buf_view(&l->path);
	if (seq != NULL)
		*seq = found.seq;
	rc = entry_decode(entry, found.value, e);
	return rc == ERR_OK ? rc : wrap_path(*path, e);
}

void
hyperdrive_list_close(struct hyperdrive_list *l)
{
	if (l == NULL)
		return;
	bee_iter_close(l->it);
	buf_deinit(&l->gt);
	buf_deinit(&l->lt);
	buf_deinit(&l->path);
	free(l);
}

/* Where the blob of any value ends; 0 for values without one. The reference
 * asks raw keys as well, whatever their value is. */
static enum err_code
blob_end(struct view value, uint64_t *end, struct err *e)
{
	json_t *v = NULL, *blob, *offset, *length;
	json_int_t from, n;
	enum err_code rc = jtext_parse(value, CORE_BLOCK_MAX, &v, e);

	if (rc != ERR_OK)
		return rc;
	*end = 0;
	blob = json_object_get(v, "blob");
	offset = json_object_get(blob, "blockOffset");
	length = json_object_get(blob, "blockLength");
	if (json_is_integer(offset) && json_is_integer(length)) {
		from = json_integer_value(offset);
		n = json_integer_value(length);
		if (from >= 0 && n >= 0)
			*end = (uint64_t)from + (uint64_t)n;
	}
	json_decref(v);
	return ERR_OK;
}

enum err_code
hyperdrive_blobs_length(
    struct bee *b, uint64_t *out, struct want *w, struct err *e)
{
	struct bee_range range = BEE_RANGE_ALL;
	struct bee_entry found;
	struct bee_iter *it;
	uint64_t length = 0, end;
	bool more = true;
	enum err_code rc;

	if ((rc = bee_iter_open(&it, b, &range, e)) != ERR_OK)
		return rc;
	while (
	    (rc = bee_iter_next(it, &more, &found, w, e)) == ERR_OK && more) {
		if ((rc = blob_end(found.value, &end, e)) != ERR_OK) {
			rc = wrap_path(found.key, e);
			break;
		}
		if (end > length)
			length = end;
	}
	bee_iter_close(it);
	if (rc == ERR_OK)
		*out = length;
	return rc;
}
