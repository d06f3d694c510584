/* reviewfix: a released drive, a source that goes on from it, and a request
 * between the two, for the tests of review. A review is shown as one line a
 * finding and a file:
 *
 *	GOOD|NOTE|WARN|BAD TEXT
 *	SIGN PATH OLD NEW [x:OLDNEW] [link OLD>NEW] [same] [+N-N | reason]
 */
#ifndef TESTS_REVIEW_REVIEWFIX_H
#define TESTS_REVIEW_REVIEWFIX_H

#include "drive/provfix.h"

#include "review/drives.h"

struct reviewfix {
	struct provfix p;
	struct b32 source, production;
	struct request request;
	struct drives_request q;
	struct review r;
	struct buf text;
	bool ok;
	struct err e;
};

static inline struct manifest
reviewfix_manifest(struct reviewfix *x, const struct b32 *key)
{
	struct manifest m;
	struct core *c;

	check_ok(core_open(&c, x->p.st.s, key, CORE_READ, &x->e), &x->e);
	m = *core_manifest(c);
	core_close(c);
	return m;
}

/* A request for the source as it is, to be signed for production. */
static inline void
reviewfix_request(struct reviewfix *x)
{
	struct provfix_state st = provfix_state(&x->p, &x->source);
	struct buf bytes;

	memset(&x->request, 0, sizeof(x->request));
	x->request.version = REQUEST_VERSION_MAX;
	x->request.kind = REQUEST_DRIVE;
	x->request.length = st.db.length;
	x->request.tree_hash = st.db.tree_hash;
	x->request.blobs_length = st.blobs.length;
	x->request.blobs_tree_hash = st.blobs.tree_hash;
	x->request.manifest = reviewfix_manifest(x, &x->production);
	buf_init(&bytes, REQUEST_MAX);
	check_ok(request_seal(&x->request, &bytes, &x->e), &x->e);
	buf_deinit(&bytes);
}

static inline void
reviewfix_open(struct reviewfix *x)
{
	memset(x, 0, sizeof(*x));
	provfix_open(&x->p);
	buf_init(&x->text, 1 << 24);
	review_init(&x->r);
	x->source = provfix_drive(&x->p, 11);
	x->production = provfix_drive(&x->p, 12);
	provfix_production(&x->p, NULL);
	x->q = (struct drives_request){.store = x->p.st.s,
	    .request = &x->request,
	    .source = x->source,
	    .chunking = STAGE_CHUNKING_CDC};
}

static inline void
reviewfix_close(struct reviewfix *x)
{
	review_deinit(&x->r);
	buf_deinit(&x->text);
	provfix_close(&x->p);
}

/* What is in the folder goes to the source. */
static inline void
reviewfix_provision(struct reviewfix *x)
{
	provfix_stage(&x->p);
	provfix_run(&x->p, &x->source);
}

/* What the source has is released. */
static inline void
reviewfix_release(struct reviewfix *x)
{
	provfix_release(&x->p, &x->source, &x->production);
	check_ok(store_refresh(x->p.st.s, &x->e), &x->e);
	provfix_production(&x->p, &x->production);
}

static inline enum err_code
reviewfix_try(struct reviewfix *x)
{
	review_deinit(&x->r);
	x->e = (struct err)ERR_INIT;
	x->ok = false;
	return drives_review(&x->r, &x->q, &x->ok, &x->e);
}

static inline void
reviewfix_show_file(struct buf *b, const struct review_file *f)
{
	buf_printf(b, "%c %s %d %d", "-~+"[(int)f->op + 1], f -> path,
	    (int)f -> old_size, (int)f -> new_size);
	if (f->old_exec || f->new_exec)
		buf_printf(b, " x:%d%d", f->old_exec, f->new_exec);
	if (f->old_link != NULL || f->new_link != NULL)
		buf_printf(b, " link %s>%s",
		    f->old_link != NULL ? f->old_link : "",
		    f->new_link != NULL ? f->new_link : "");
	if (f->metadata_only)
		buf_str(b, " same");
	if (f->lines != NULL)
		buf_printf(
		    b, " +%d-%d", (int)f->lines_added, (int)f->lines_removed);
	if (f->no_lines != NULL)
		buf_printf(b, " %s", f->no_lines);
	buf_byte(b, '\n');
}

static inline const char *
reviewfix_show_files(struct buf *b, const struct review *r)
{
	buf_reset(b);
	for (size_t i = 0; i < r->nfiles; i++)
		reviewfix_show_file(b, &r->file[i]);
	return b->len == 0 ? "" : buf_cstr(b);
}

static inline const char *
reviewfix_show_findings(struct buf *b, const struct review *r)
{
	static const char *const mark[] = {"GOOD", "NOTE", "WARN", "BAD"};

	buf_reset(b);
	for (size_t i = 0; i < r->nfindings; i++)
		buf_printf(
		    b, "%s %s\n", mark[r->finding[i].mark], r->finding[i].text);
	return b->len == 0 ? "" : buf_cstr(b);
}

static inline bool
reviewfix_says(struct reviewfix *x, const char *text)
{
	return strstr(reviewfix_show_findings(&x->text, &x->r), text) != NULL;
}

static inline const char *
reviewfix_fact(const struct review *r, const char *name)
{
	for (size_t i = 0; i < r->nfacts; i++)
		if (strcmp(r->fact[i].name, name) == 0)
			return r->fact[i].value;
	return NULL;
}

#endif
