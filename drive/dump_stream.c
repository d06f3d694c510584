#include "drive/dump.h"

#include <string.h>

#include "drive/dump_list.h"
#include "drive/dump_open.h"
#include "drive/need.h"

static enum err_code
next_block(struct blobs_reader *r, const struct fetch *f, bool *more,
    struct view *block, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	do
		rc = blobs_reader_next(r, more, block, &w, e);
	while (need_again(f, &rc, &w, e));
	return rc;
}

static enum err_code
open_reader(struct blobs_reader **out, struct core *blobs,
    const struct dump_item *it, const struct fetch *f, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	do
		rc = blobs_reader_open(out, blobs, &it->blob, &w, e);
	while (need_again(f, &rc, &w, e));
	return rc;
}

enum err_code
dump_blocks(const struct dump_opts *opts, struct core *blobs,
    const struct dump_item *it,
    enum err_code (*data)(void *, struct view, struct err *), void *ctx,
    struct err *e)
{
	struct blobs_reader *reader;
	struct view block;
	enum err_code rc;
	bool more;

	if (!it->has_blob || it->size == 0)
		return ERR_OK;
	if (blobs == NULL)
		return dump_no_contents(e);
	rc = open_reader(&reader, blobs, it, opts->fetch, e);
	if (rc != ERR_OK)
		return rc;
	for (;;) {
		rc = next_block(reader, opts->fetch, &more, &block, e);
		if (rc != ERR_OK || !more)
			break;
		if (opts->stop != NULL && opts->stop(opts->ctx)) {
			rc = err_set(e, ERR_INTERRUPTED, "interrupted");
			break;
		}
		if ((rc = data(ctx, block, e)) != ERR_OK)
			break;
	}
	blobs_reader_close(reader);
	return rc;
}

static enum err_code
stream_item(const struct dump_opts *opts, const struct dump_stream *to,
    struct core *blobs, const struct dump_item *it, bool single, struct err *e)
{
	enum err_code rc = ERR_OK;
	char quoted[512];

	if (to->begin != NULL)
		rc = to->begin(to->ctx, it->path, it->linkname, single, e);
	if (rc == ERR_OK && to->data != NULL && it->linkname == NULL)
		rc = dump_blocks(opts, blobs, it, to->data, to->ctx, e);
	if (rc == ERR_OK && to->end != NULL)
		rc = to->end(to->ctx, e);
	if (rc == ERR_OK)
		return rc;
	return err_wrap(e, "%s",
	    err_quote(quoted, sizeof(quoted), it->path, strlen(it->path)));
}

enum err_code
drive_dump_stream(const struct dump_opts *opts, const struct dump_stream *to,
    struct dump_report *r, struct err *e)
{
	struct dump_list l = {NULL, 0, 0, 0, false};
	struct dump_source s;
	enum err_code rc;

	if ((rc = dump_open(&s, opts, r, e)) != ERR_OK)
		return rc;
	rc = dump_list_fill(&l, opts, s.drive, s.at, e);
	if (rc == ERR_OK && to->data != NULL)
		rc = dump_ahead(
		    opts, hyperdrive_blobs(s.drive), &l, NULL, NULL, e);
	for (size_t i = 0; rc == ERR_OK && i < l.n; i++) {
		rc = stream_item(opts, to, hyperdrive_blobs(s.drive),
		    &l.item[i], l.single, e);
		r->files++;
		r->bytes += l.item[i].size;
	}
	dump_list_deinit(&l);
	dump_close(&s);
	return rc;
}
