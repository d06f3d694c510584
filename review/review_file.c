/* The changed files of a review, and the sizes by architecture. */
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "git/lines.h"
#include "review/review.h"

#define BY_ARCH "/by-arch/"
#define ARCH_NAME_MAX 64 /* bytes; a longer name is no architecture */

size_t
review_arch_of(const char *path, const char **start)
{
	size_t n;

	*start = path;
	if (strncmp(path, BY_ARCH, strlen(BY_ARCH)) != 0)
		return 0;
	n = strcspn(path + strlen(BY_ARCH), "/");
	if (path[strlen(BY_ARCH) + n] != '/' || n > ARCH_NAME_MAX)
		return 0;
	*start = path + strlen(BY_ARCH);
	return n;
}

static int
arch_cmp(const struct review_arch *a, const char *name, size_t n)
{
	return view_cmp(view_str(a->name), view_of(name, n));
}

/* The row of an architecture, made at its place in the order. NULL: no
 * memory. */
static struct review_arch *
arch_row(struct review *r, const char *name, size_t n)
{
	struct review_arch row = {NULL, 0, 0};
	size_t at = 0;

	while (at < r->narch && arch_cmp(&r->arch[at], name, n) < 0)
		at++;
	if (at < r->narch && arch_cmp(&r->arch[at], name, n) == 0)
		return &r->arch[at];
	/* A drive may hold any number of folders: the rest is shared. */
	if (r->narch >= REVIEW_ARCH_MAX && n > 0)
		return arch_row(r, "", 0);
	if (!ARR_RESERVE(r->arch, r->narch + 1, r->arch_cap) ||
	    (row.name = strndup(name, n)) == NULL)
		return NULL;
	memmove(r->arch + at + 1, r->arch + at, (r->narch - at) * sizeof(row));
	r->arch[at] = row;
	r->narch++;
	return &r->arch[at];
}

enum err_code
review_size(struct review *r, const char *path, uint64_t old_size,
    uint64_t new_size, struct err *e)
{
	const char *name;
	size_t n = review_arch_of(path, &name);
	struct review_arch *row = arch_row(r, name, n);

	if (row == NULL)
		return err_nomem(e);
	row->old_bytes += old_size;
	row->new_bytes += new_size;
	return ERR_OK;
}

/* Line diffs only of texts that fit; else the reason. */
static enum err_code
add_lines(struct review *r, struct review_file *f,
    const struct review_change *c, struct err *e)
{
	struct lines stat = {false, 0, 0};
	struct buf b;
	enum err_code rc;

	if (c->no_lines != NULL || c->old_text.len > REVIEW_TEXT_MAX ||
	    c->new_text.len > REVIEW_TEXT_MAX) {
		f->no_lines = c->no_lines != NULL ? c->no_lines : "too large";
		return ERR_OK;
	}
	buf_init(&b, REVIEW_LINES_MAX);
	rc = lines_diff(&b, c->old_text, c->new_text, &stat, e);
	if (rc == ERR_LIMIT ||
	    r->lines_bytes + b.len > (size_t)REVIEW_LINES_TOTAL) {
		f->no_lines = "too many changed lines";
		rc = ERR_OK;
	} else if (rc == ERR_OK &&
		   (stat.binary || memchr(buf_cstr(&b), 0, b.len) != NULL)) {
		f->no_lines = "binary";
	} else if (rc == ERR_OK) {
		f->lines_added = stat.added;
		f->lines_removed = stat.removed;
		r->lines_bytes += b.len;
		f->lines = strndup(buf_cstr(&b), b.len);
		if (f->lines == NULL)
			rc = err_nomem(e);
	}
	buf_deinit(&b);
	return rc;
}

static bool
is_outside(const char *path)
{
	return strcmp(path, "/package.json") != 0 &&
	       strncmp(path, BY_ARCH, strlen(BY_ARCH)) != 0;
}

static bool
copy_texts(struct review_file *f, const struct review_change *c)
{
	f->path = strdup(c->path);
	if (c->old_link != NULL)
		f->old_link = strdup(c->old_link);
	if (c->new_link != NULL)
		f->new_link = strdup(c->new_link);
	return f->path != NULL &&
	       (c->old_link == NULL) == (f->old_link == NULL) &&
	       (c->new_link == NULL) == (f->new_link == NULL);
}

static void
count(struct review *r, const struct review_file *f)
{
	switch (f->op) {
	case REVIEW_ADD:
		r->add++;
		break;
	case REVIEW_CHANGE:
		r->change++;
		break;
	case REVIEW_REMOVE:
		r->remove++;
		break;
	}
	if (f->metadata_only)
		return;
	r->old_bytes += f->old_size;
	r->new_bytes += f->new_size;
}

enum err_code
review_add(struct review *r, const struct review_change *c, struct err *e)
{
	struct review_file f = {.op = c->op,
	    .old_size = c->old_size,
	    .new_size = c->new_size,
	    .old_exec = c->old_exec,
	    .new_exec = c->new_exec,
	    .metadata_only = c->metadata_only,
	    .outside = is_outside(c->path),
	    .program = c->old_exec || c->new_exec};
	enum err_code rc = ERR_OK;

	if (!ARR_RESERVE(r->file, r->nfiles + 1, r->files_cap) ||
	    !copy_texts(&f, c))
		rc = err_nomem(e);
	else if (c->want == REVIEW_LINES && !c->metadata_only &&
		 c->new_link == NULL &&
		 (c->old_link == NULL || c->op == REVIEW_CHANGE))
		rc = add_lines(r, &f, c, e);
	if (rc != ERR_OK) {
		free(f.path);
		free(f.old_link);
		free(f.new_link);
		free(f.lines);
		return rc;
	}
	count(r, &f);
	r->file[r->nfiles++] = f;
	return ERR_OK;
}
