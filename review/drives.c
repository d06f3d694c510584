#include "review/drives.h"

#include "review/drives_impl.h"

static enum err_code
compare(struct drives_run *run, struct err *e)
{
	const struct drives_request *q = run->q;
	size_t first = run->r->nfiles;
	enum err_code rc;

	if (q->request->kind == REQUEST_CORE)
		return review_find(run->r, REVIEW_NOTE, e,
		    "a core alone: there are no files to compare");
	rc = drives_package(
	    run->r, &run->old, &run->new, &q->request->key, run->fetch, e);
	if (rc == ERR_OK)
		rc = drives_files(run, &run->old, &run->new, q->lines, e);
	if (rc == ERR_OK)
		rc = drives_fields(run, &run->old, &run->new, e);
	if (rc == ERR_OK)
		rc = drives_remarks(run->r, first, e);
	if (rc == ERR_OK && q->rebuild != NULL)
		rc = drives_rebuild(run, e);
	if (rc == ERR_OK && q->provenance != NULL)
		rc = drives_provenance(run, e);
	return rc;
}

enum err_code
drives_review(
    struct review *r, const struct drives_request *q, bool *ok, struct err *e)
{
	struct drives_run run = {
	    .r = r, .fetch = q->fetch, .stop = q->stop, .ctx = q->ctx, .q = q};
	enum err_code rc;

	if ((rc = drives_facts(&run, e)) == ERR_OK &&
	    (rc = drives_signers(&run, e)) == ERR_OK &&
	    (rc = drives_open(&run, e)) == ERR_OK)
		rc = compare(&run, e);
	drives_close(&run);
	if (rc != ERR_OK)
		return err_wrap(e, "review");
	*ok = review_worst(r) != REVIEW_BAD;
	return ERR_OK;
}
