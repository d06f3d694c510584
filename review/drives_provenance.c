/* A statement of where the build came from, beside the release. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sha256.h"
#include "review/drives_impl.h"

#define NAMED_MAX 20 /* files named, one finding each */

struct hold {
	struct drives_run *run;
	const struct provenance *p;
	bool *met; /* by statement index: the release has it */
	uint64_t bad, missing, good;
};

struct digest {
	struct hold *hold;
	struct sha256 sum;
};

static enum err_code
add_block(void *ctx, struct view block, struct err *e)
{
	struct digest *d = ctx;

	sha256_update(&d->sum, block);
	return drives_stopping(d->hold->run, e);
}

static enum err_code
digest(struct hold *h, const struct entry *en, struct b32 *out, struct err *e)
{
	struct digest d = {.hold = h};
	enum err_code rc = ERR_OK;

	sha256_init(&d.sum);
	if (drives_is_link(en)) {
		sha256_update(&d.sum, view_str(PROVENANCE_LINK));
		sha256_update(&d.sum, view_str(en->linkname));
	} else {
		rc = drives_blocks(h->run, &h->run->new, en, add_block, &d, e);
	}
	sha256_final(&d.sum, out);
	return rc;
}

static enum err_code
name_it(struct hold *h, uint64_t *count, enum review_mark mark,
    struct view path, const char *how, struct err *e)
{
	if ((*count)++ >= NAMED_MAX)
		return ERR_OK;
	return review_find(h->run->r, mark, e, "provenance: %.*s %s",
	    (int)(path.len < ENTRY_PATH_MAX ? path.len : ENTRY_PATH_MAX),
	    (const char *)path.ptr, how);
}

/* Drive paths begin with "/", those of a statement do not. */
static enum err_code
hold_entry(
    struct hold *h, struct view path, const struct entry *en, struct err *e)
{
	const struct provenance_file *stated =
	    provenance_find(h->p, view_sub(path, 1, path.len));
	struct b32 sum;
	enum err_code rc;

	if (stated == NULL)
		return name_it(
		    h, &h->bad, REVIEW_BAD, path, "is not in the statement", e);
	h->met[stated - h->p->file] = true;
	if ((rc = digest(h, en, &sum, e)) != ERR_OK)
		return rc;
	if (b32_eq(&sum, &stated->sha256)) {
		h->good++;
		return ERR_OK;
	}
	return name_it(h, &h->bad, REVIEW_BAD, path,
	    "is not the file of the statement", e);
}

static enum err_code
hold_all(struct hold *h, struct err *e)
{
	struct hyperdrive_list *l = NULL;
	struct view path = VIEW_EMPTY;
	struct entry en;
	struct want w = {.kind = WANT_BLOCK};
	bool more = true;
	enum err_code rc;

	rc = hyperdrive_list_open(&l, h->run->new.bee, VIEW_EMPTY, e);
	while (rc == ERR_OK && more) {
		entry_init(&en);
		do
			rc = hyperdrive_list_next(
			    l, &more, &path, &en, NULL, &w, e);
		while (need_again(h->run->fetch, &rc, &w, e));
		if (rc == ERR_OK && more)
			rc = hold_entry(h, path, &en, e);
		entry_deinit(&en);
	}
	hyperdrive_list_close(l);
	for (size_t i = 0; rc == ERR_OK && i < h->p->n; i++)
		if (!h->met[i])
			rc = name_it(h, &h->missing, REVIEW_WARN,
			    view_str(h->p->file[i].path),
			    "is in the statement, but not released", e);
	return rc;
}

static enum err_code
facts(struct hold *h, struct err *e)
{
	const struct provenance *p = h->p;
	const struct {
		const char *name, *value;
	} fact[] = {{"Source commit", p->commit}, {"Source tag", p->tag},
	    {"Source remote", p->remote}, {"Built by", p->builder},
	    {"Builder version", p->builder_version}};
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < sizeof(fact) / sizeof(fact[0]); i++)
		if (rc == ERR_OK && fact[i].value != NULL)
			rc = review_fact(h->run->r, fact[i].name,
			    view_str(fact[i].value), e);
	if (rc == ERR_OK && p->dirty)
		rc = review_find(h->run->r, REVIEW_WARN, e,
		    "provenance: the source had changes that were not "
		    "committed");
	return rc;
}

static enum err_code
conclude(struct hold *h, struct err *e)
{
	struct review *r = h->run->r;
	enum err_code rc = ERR_OK;

	if (h->bad > NAMED_MAX)
		rc = review_find(r, REVIEW_BAD, e,
		    "provenance: %" PRIu64 " more files are not as stated",
		    h->bad - NAMED_MAX);
	if (rc == ERR_OK && h->missing > NAMED_MAX)
		rc = review_find(r, REVIEW_WARN, e,
		    "provenance: %" PRIu64
		    " more stated files are not released",
		    h->missing - NAMED_MAX);
	if (rc == ERR_OK && h->bad == 0)
		rc = review_find(r, REVIEW_GOOD, e,
		    "provenance: all %" PRIu64 " files are those of commit %s",
		    h->good, h->p->commit);
	return rc;
}

enum err_code
drives_provenance(struct drives_run *run, struct err *e)
{
	struct hold h = {.run = run, .p = run->q->provenance};
	enum err_code rc;

	if ((h.met = calloc(h.p->n + 1, sizeof(*h.met))) == NULL)
		return err_nomem(e);
	if ((rc = facts(&h, e)) == ERR_OK && (rc = hold_all(&h, e)) == ERR_OK)
		rc = conclude(&h, e);
	free(h.met);
	return rc;
}
