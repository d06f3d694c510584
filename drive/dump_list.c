#include "drive/dump_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "drive/need.h"

void
dump_list_deinit(struct dump_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->item[i].path);
		free(l->item[i].linkname);
	}
	free(l->item);
	*l = (struct dump_list){NULL, 0, 0, 0, false};
}

/* The prefix without slashes around it. */
static struct view
trimmed(const char *prefix)
{
	size_t n;

	prefix += strspn(prefix, "/");
	n = strlen(prefix);
	while (n > 0 && prefix[n - 1] == '/')
		n--;
	return view_of(prefix, n);
}

/* Does `path` equal `prefix` or lie below it? */
static bool
below(const char *path, const char *prefix)
{
	struct view p = trimmed(prefix);

	path++;
	return p.len == 0 || (view_starts(view_str(path), p) &&
				 (path[p.len] == '\0' || path[p.len] == '/'));
}

bool
dump_selected(const struct dump_opts *opts, const char *path)
{
	if (opts->prefix != NULL && !below(path, opts->prefix))
		return false;
	for (size_t i = 0; i < opts->nonly; i++)
		if (below(path, opts->only[i]))
			return true;
	return opts->nonly == 0;
}

enum err_code
dump_no_contents(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND,
	    "the contents of this drive are not in this store");
}

static enum err_code
size_of(struct dump_item *it, struct hyperdrive *d, const struct fetch *f,
    struct err *e)
{
	struct core *blobs;
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	if (!it->has_blob)
		return ERR_OK;
	it->size = it->blob.byte_length;
	if (!it->blob.block_map)
		return ERR_OK;
	if ((blobs = hyperdrive_blobs(d)) == NULL)
		return dump_no_contents(e);
	do
		rc = blobs_size(blobs, &it->blob, &it->size, &w, e);
	while (need_again(f, &rc, &w, e));
	return rc;
}

static enum err_code
add(struct dump_list *l, char *path, struct entry *en, struct err *e)
{
	if (l->n == DUMP_ENTRIES_MAX)
		return err_set(
		    e, ERR_LIMIT, "more than %u entries", DUMP_ENTRIES_MAX);
	if (!ARR_RESERVE(l->item, l->n + 1, l->cap))
		return err_nomem(e);
	l->item[l->n++] = (struct dump_item){.path = path,
	    .linkname = en->linkname,
	    .blob = en->blob,
	    .has_blob = en->has_blob,
	    .executable = en->executable};
	en->linkname = NULL;
	return ERR_OK;
}

/* A file below a file: nothing can be written there. Sorted order puts
 * "/x" before "/x/y", but not always next to it ("/x-" sorts between). */
static enum err_code
check_parents(const struct dump_list *l, struct err *e)
{
	char quoted[512];

	for (size_t i = 0; i < l->n; i++) {
		const char *path = l->item[i].path;

		for (const char *p = strchr(path + 1, '/'); p != NULL;
		     p = strchr(p + 1, '/')) {
			size_t lo = 0, hi = i, n = (size_t)(p - path);

			while (lo < hi) {
				size_t mid = (lo + hi) / 2;
				int c = view_cmp(view_str(l->item[mid].path),
				    view_of(path, n));

				if (c == 0)
					return err_set(e, ERR_INVALID,
					    "%s lies below a file or link",
					    err_quote(quoted, sizeof(quoted),
						path, strlen(path)));
				if (c < 0)
					lo = mid + 1;
				else
					hi = mid;
			}
		}
	}
	return ERR_OK;
}

static enum err_code
take(struct dump_list *l, const struct dump_opts *opts, struct view path,
    struct entry *en, struct err *e)
{
	enum err_code rc = entry_path_safe(path, e);
	char *copy;

	if (rc != ERR_OK)
		return rc;
	if ((copy = strndup((const char *)path.ptr, path.len)) == NULL)
		return err_nomem(e);
	if (!dump_selected(opts, copy)) {
		free(copy);
		return ERR_OK;
	}
	if ((rc = add(l, copy, en, e)) != ERR_OK)
		free(copy);
	return rc;
}

static enum err_code
measure(struct dump_list *l, const struct dump_opts *opts, struct hyperdrive *d,
    struct err *e)
{
	enum err_code rc;

	if (hyperdrive_blobs(d) != NULL)
		dump_ahead_maps(opts, hyperdrive_blobs(d), l);
	for (size_t i = 0; i < l->n; i++) {
		if ((rc = size_of(&l->item[i], d, opts->fetch, e)) != ERR_OK)
			return rc;
		if (l->item[i].size > UINT64_MAX - l->bytes)
			return err_set(
			    e, ERR_LIMIT, "sizes add up beyond 2^64");
		l->bytes += l->item[i].size;
	}
	return ERR_OK;
}

static enum err_code
walk(struct dump_list *l, const struct dump_opts *opts,
    struct hyperdrive_list *it, struct err *e)
{
	enum err_code rc;
	struct entry en;
	struct view path;
	struct want w = {.kind = WANT_BLOCK};
	bool more = true;

	for (;;) {
		entry_init(&en);
		do
			rc = hyperdrive_list_next(
			    it, &more, &path, &en, NULL, &w, e);
		while (need_again(opts->fetch, &rc, &w, e));
		if (rc != ERR_OK || !more)
			return rc;
		rc = take(l, opts, path, &en, e);
		entry_deinit(&en);
		if (rc != ERR_OK)
			return rc;
		if (opts->stop != NULL && opts->stop(opts->ctx))
			return err_set(e, ERR_INTERRUPTED, "interrupted");
	}
}

enum err_code
dump_list_fill(struct dump_list *l, const struct dump_opts *opts,
    struct hyperdrive *d, struct bee *at, struct err *e)
{
	struct view prefix = trimmed(opts->prefix ? opts->prefix : "");
	struct hyperdrive_list *it;
	char quoted[1024];
	enum err_code rc;

	if ((rc = hyperdrive_list_open(&it, at, VIEW_EMPTY, e)) != ERR_OK)
		return rc;
	/* the whole tree is read, in no order of its blocks */
	fetch_ahead(opts->fetch, core_key(hyperdrive_db(d)), 0,
	    core_head(hyperdrive_db(d))->length);
	rc = walk(l, opts, it, e);
	hyperdrive_list_close(it);
	if (rc == ERR_OK)
		rc = measure(l, opts, d, e);
	if (rc == ERR_OK && prefix.len > 0 && l->n == 0)
		return err_set(e, ERR_NOT_FOUND, "%s: not found",
		    err_quote(quoted, sizeof(quoted), opts->prefix,
			strlen(opts->prefix)));
	l->single = rc == ERR_OK && l->n == 1 &&
		    view_eq(view_str(l->item[0].path + 1), prefix);
	return rc == ERR_OK ? check_parents(l, e) : rc;
}
