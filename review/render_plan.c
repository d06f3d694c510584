/* In which order a review is shown, and its words. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "review/render_impl.h"

/* -- files ------------------------------------------------------------------ */

static void
place(struct render_item *it, const struct review_file *f)
{
	const char *start = NULL;

	*it = (struct render_item){.file = f, .rank = RENDER_REST};
	if (f->outside) {
		it->rank = RENDER_OUTSIDE;
	} else if (strcmp(f->path, "/package.json") == 0) {
		it->rank = RENDER_PACKAGE;
	} else if (f->program) {
		it->rank = RENDER_PROGRAMS;
	} else {
		it->arch.len = review_arch_of(f->path, &start);
		it->arch.ptr = (const uint8_t *)start;
		if (it->arch.len > 0)
			it->rank = RENDER_BY_ARCH;
	}
}

static int
by_rank(const void *a, const void *b)
{
	const struct render_item *x = a, *y = b;
	int c;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->rank == RENDER_BY_ARCH && (c = view_cmp(x->arch, y->arch)) != 0)
		return c;
	if ((c = strcmp(x->file->path, y->file->path)) != 0)
		return c;
	/* one path twice: in the order added */
	return x->file < y->file ? -1 : x->file > y->file;
}

enum err_code
render_sort(struct render_item **out, const struct review *r, struct err *e)
{
	struct render_item *item = calloc(r->nfiles + 1, sizeof(*item));

	if (item == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < r->nfiles; i++)
		place(&item[i], &r->file[i]);
	qsort(item, r->nfiles, sizeof(*item), by_rank);
	*out = item;
	return ERR_OK;
}

struct render_group
render_group_at(const struct render_item *item, size_t n)
{
	struct render_group g = {.item = item};

	while (g.n < n && item[g.n].rank == item[0].rank &&
	       (item[0].rank != RENDER_BY_ARCH ||
		   view_eq(item[g.n].arch, item[0].arch)))
		g.n++;
	return g;
}

struct view
render_group_title(const struct render_group *g)
{
	switch (g->item[0].rank) {
	case RENDER_OUTSIDE:
		return view_str("Outside /package.json and /by-arch");
	case RENDER_PACKAGE:
		return view_str("The package file");
	case RENDER_PROGRAMS:
		return view_str("Programs");
	case RENDER_BY_ARCH:
		return g->item[0].arch;
	case RENDER_REST:
		break;
	}
	return view_str("Other files");
}

const char *
render_op_sign(enum review_op op)
{
	return op == REVIEW_ADD ? "+" : op == REVIEW_REMOVE ? "-" : "~";
}

const char *
render_op_word(enum review_op op)
{
	return op == REVIEW_ADD	     ? "added"
	       : op == REVIEW_REMOVE ? "removed"
				     : "changed";
}

void
render_content(struct buf *b, const struct review_file *f)
{
	char old[RENDER_SIZE_MAX], new[RENDER_SIZE_MAX];
	char delta[RENDER_SIZE_MAX];

	render_size(old, f->old_size);
	render_size(new, f->new_size);
	if (f->new_link != NULL || (f->op == REVIEW_REMOVE && f->old_link))
		buf_str(b, f->old_link != NULL && f->op == REVIEW_CHANGE
			       ? "link, other target"
			       : "link");
	else if (f->metadata_only)
		buf_printf(b, "same content, %s", new);
	else if (f->op == REVIEW_ADD)
		buf_str(b, new);
	else if (f->op == REVIEW_REMOVE)
		buf_str(b, old);
	else if (f->old_size == f->new_size)
		buf_printf(b, "%s, other content", new);
	else
		buf_printf(b, "%s \xe2\x86\x92 %s (%s)", old, new,
		    render_delta(delta, f->old_size, f->new_size));
}

/* What the executable bit says; NULL: nothing to say. */
static const char *
exec_badge(const struct review_file *f)
{
	if (f->op == REVIEW_CHANGE && f->new_exec && !f->old_exec)
		return "now executable";
	if (f->op == REVIEW_CHANGE && f->old_exec && !f->new_exec)
		return "no longer executable";
	return f->program ? "program" : NULL;
}

static const char *
link_badge(const struct review_file *f)
{
	if (f->op != REVIEW_CHANGE)
		return NULL;
	if (f->old_link == NULL && f->new_link != NULL)
		return "file became a link";
	if (f->old_link != NULL && f->new_link == NULL)
		return "link became a file";
	return NULL;
}

const char *
render_badge(const struct review_file *f, size_t i)
{
	const char *all[4];
	size_t n = 0;

	if (f->outside)
		all[n++] = "outside";
	if ((all[n] = exec_badge(f)) != NULL)
		n++;
	if ((all[n] = link_badge(f)) != NULL)
		n++;
	all[n] = NULL;
	return i < n ? all[i] : NULL;
}

/* -- findings and totals ----------------------------------------------------- */

const char *
render_mark_sign(enum review_mark m)
{
	switch (m) {
	case REVIEW_GOOD:
		return "\xe2\x9c\x94"; /* check mark */
	case REVIEW_NOTE:
		return "\xe2\x80\xa2"; /* bullet */
	case REVIEW_WARN:
		return "\xe2\x96\xb2"; /* triangle */
	case REVIEW_BAD:
		return "\xe2\x9c\x96"; /* cross */
	}
	return "?";
}

const char *
render_mark_word(enum review_mark m)
{
	switch (m) {
	case REVIEW_GOOD:
		return "Good";
	case REVIEW_NOTE:
		return "Note";
	case REVIEW_WARN:
		return "Look";
	case REVIEW_BAD:
		return "Bad";
	}
	return "?";
}

enum review_mark
render_mark_at(size_t i)
{
	static const enum review_mark order[RENDER_MARKS] = {
	    REVIEW_BAD, REVIEW_WARN, REVIEW_NOTE, REVIEW_GOOD};

	return order[i];
}

static size_t
count_marks(const struct review *r, enum review_mark m)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nfindings; i++)
		n += r->finding[i].mark == m;
	return n;
}

void
render_verdict(struct buf *b, const struct review *r)
{
	size_t bad = count_marks(r, REVIEW_BAD);
	size_t warn = count_marks(r, REVIEW_WARN);

	if (bad > 0)
		buf_printf(b, "%zu finding%s against this release", bad,
		    render_plural(bad));
	else if (warn > 0)
		buf_printf(b, "Nothing against it, %zu finding%s to look at",
		    warn, render_plural(warn));
	else
		buf_str(b, "Nothing found against it");
	if (bad > 0 && warn > 0)
		buf_printf(b, ", %zu to look at", warn);
}

void
render_totals(struct buf *b, const struct review *r)
{
	char old[RENDER_SIZE_MAX], new[RENDER_SIZE_MAX];
	char delta[RENDER_SIZE_MAX];

	if (r->nfiles == 0) {
		buf_str(b, "No file differs.");
		return;
	}
	buf_printf(b,
	    "%zu file%s: %" PRIu64 " added, %" PRIu64 " changed, %" PRIu64
	    " removed; %s \xe2\x86\x92 %s (%s)",
	    r->nfiles, render_plural(r->nfiles), r->add, r->change, r->remove,
	    render_size(old, r->old_bytes), render_size(new, r->new_bytes),
	    render_delta(delta, r->old_bytes, r->new_bytes));
}

struct review_arch
render_arch_total(const struct review *r)
{
	struct review_arch all = {NULL, 0, 0};

	for (size_t i = 0; i < r->narch; i++) {
		all.old_bytes += r->arch[i].old_bytes;
		all.new_bytes += r->arch[i].new_bytes;
	}
	return all;
}

struct view
render_arch_name(const struct review_arch *a)
{
	return view_str(a->name[0] == '\0' ? "shared files" : a->name);
}

unsigned
render_bar(const struct review *r, uint64_t bytes, unsigned steps)
{
	uint64_t most = 1;
	unsigned n;

	for (size_t i = 0; i < r->narch; i++) {
		if (r->arch[i].old_bytes > most)
			most = r->arch[i].old_bytes;
		if (r->arch[i].new_bytes > most)
			most = r->arch[i].new_bytes;
	}
	if (bytes == 0)
		return 0;
	n = (unsigned)((double)bytes / (double)most * (double)steps);
	return n == 0 ? 1 : n > steps ? steps : n;
}
