#include "multisig/release.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "codec/z32.h"
#include "multisig/release_impl.h"

#define LOCK_POLL_MS 50

void
release_report_init(struct release_report *r)
{
	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < REQUEST_CORES_MAX; i++)
		buf_init(&r->part[i].signature, MANIFEST_PROOF_MAX);
}

void
release_report_deinit(struct release_report *r)
{
	for (size_t i = 0; i < REQUEST_CORES_MAX; i++)
		buf_deinit(&r->part[i].signature);
}

/* -- responses --------------------------------------------------------------- */

static enum err_code
refuse_response(const struct quorum_verdict *v, size_t number, struct err *e)
{
	char key[Z32_KEY_LEN + 1];

	if (e != NULL)
		*e = v->e;
	return err_wrap(
	    e, "response %zu by %s", number + 1, z32_key(key, &v->pub));
}

/* Every response is told; one that does not hold stops the run. */
static enum err_code
judge(const struct release_opts *o, const struct request *req,
    const struct response *res, size_t n, struct quorum *q, struct err *e)
{
	struct quorum_verdict *v;
	enum err_code rc = ERR_OK;

	if (n > QUORUM_RESPONSES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d responses",
		    QUORUM_RESPONSES_MAX);
	if ((v = calloc(n + 1, sizeof(*v))) == NULL)
		return err_nomem(e);
	quorum_judge(q, v, req, res, n);
	for (size_t i = 0; i < n; i++)
		release_tell(
		    o, &(struct release_event){.kind = RELEASE_RESPONSE,
			   .verdict = &v[i],
			   .number = i});
	for (size_t i = 0; i < n && rc == ERR_OK; i++)
		if (v[i].state == QUORUM_BAD)
			rc = refuse_response(&v[i], i, e);
	free(v);
	return rc;
}

/* Assemble, and hold against the target's key: an assembled proof that does
 * not verify must be found before anyone commits it. */
static enum err_code
assemble(struct release *run, const struct request *req,
    const struct response *res, struct release_report *r, struct err *e)
{
	const struct quorum *q = &r->quorum;
	enum err_code rc = ERR_OK;

	if (q->have < q->need)
		return ERR_OK;
	for (size_t i = 0; i < run->n && rc == ERR_OK; i++) {
		struct release_line *l = &run->line[i];
		struct buf *sig = &r->part[i].signature;

		if ((rc = quorum_assemble(sig, q, req, res, i, e)) != ERR_OK)
			break;
		rc = manifest_verify(&l->manifest, &l->key, &l->tree, req->fork,
		    buf_view(sig), e);
		if (rc != ERR_OK)
			rc = release_code(e, ERR_VERIFY, "INVALID_SIGNATURE",
			    l->id,
			    "Signature is not valid over committed tree");
	}
	return rc;
}

/* -- the journal ------------------------------------------------------------- */

static enum err_code
find_journal(struct release *run, const struct request *req, struct journal *j,
    bool *resumed, struct err *e)
{
	const struct release_opts *o = run->o;
	char key[Z32_KEY_LEN + 1];
	enum err_code rc;

	*resumed = false;
	rc = journal_read(j, o->store, &o->config->key, e);
	if (rc == ERR_NOT_FOUND)
		return ERR_OK;
	if (rc != ERR_OK)
		return rc;
	if (b32_eq(&j->request_hash, &req->hash)) {
		*resumed = true;
		release_tell(
		    o, &(struct release_event){.kind = RELEASE_RESUMED});
		return ERR_OK;
	}
	/* Moved completely: only the waiting for seeders was cut off. */
	if (j->phase == JOURNAL_COMMITTED || o->dry_run)
		return ERR_OK;
	return release_code(e, ERR_CONFLICT, "COMMIT_INCOMPLETE", NULL,
	    "another commit for %s was interrupted: run it again, or give it "
	    "up (nothing of it was written); see status",
	    z32_key(key, &j->key));
}

static enum err_code
fill_journal(struct journal *j, struct release *run, const struct request *req,
    struct view bytes, const struct response *res, size_t n, struct err *e)
{
	struct buf raw, text;
	enum err_code rc = ERR_OK;

	journal_deinit(j);
	journal_init(j);
	j->key = run->o->config->key;
	j->source = run->o->source;
	j->request_hash = req->hash;
	j->length_before = release_target_length(&run->line[0]);
	j->blobs_before =
	    run->n == 2 ? release_target_length(&run->line[1]) : 0;
	j->first = j->length_before == 0;
	buf_append(&j->request, bytes);
	buf_init(&raw, RESPONSE_MAX);
	buf_init(&text, RESPONSE_MAX * 2);
	for (size_t i = 0; i < n && rc == ERR_OK; i++) {
		buf_reset(&raw);
		buf_reset(&text);
		response_encode(&raw, &res[i]);
		z32_encode(&text, buf_view(&raw));
		rc = journal_add_response(j, buf_view(&text), e);
	}
	buf_deinit(&raw);
	buf_deinit(&text);
	return rc == ERR_OK ? buf_check(&j->request, e) : rc;
}

/* -- the run ----------------------------------------------------------------- */

static void
describe(struct release_core *out, const struct b32 *key, struct core *c)
{
	struct tree empty;

	out->key = *key;
	if (c != NULL && core_head(c)->length > 0) {
		out->length = core_head(c)->length;
		out->tree_hash = core_head(c)->tree_hash;
		return;
	}
	tree_init(&empty);
	out->length = 0;
	tree_hash(&empty, &out->tree_hash);
}

static void
report(struct release *run, struct release_report *r)
{
	r->nparts = run->n;
	r->already = true;
	for (size_t i = 0; i < run->n; i++) {
		struct release_line *l = &run->line[i];
		struct release_part *p = &r->part[i];

		describe(&p->source, core_key(l->source), l->source);
		describe(&p->before, &l->key, l->target);
		p->after = p->before;
		p->done = l->done;
		if (!l->done) {
			p->after.length = l->length;
			p->after.tree_hash = l->tree_hash;
			r->already = false;
		}
	}
}

/* Row 14. Without limit, as the contract has it, but never silently: each
 * round asks whether to stop. */
static enum err_code
wait_for_seeders(struct release *run, struct err *e)
{
	const struct release_opts *o = run->o;
	struct peers_answer a = {0, 0, 0};
	enum err_code rc = ERR_OK;

	if (o->min_full == 0 || o->force_dangerous)
		return ERR_OK;
	release_tell(
	    o, &(struct release_event){.kind = RELEASE_VERIFY_COMMITTED,
		   .target = &o->config->key});
	for (size_t i = 0; i < run->n && rc == ERR_OK;) {
		struct peers_question q = {.key = run->line[i].key,
		    .length = run->line[i].length,
		    .want_full = o->min_full,
		    .timeout_ms = o->timeout_ms};

		if (o->peers == NULL || (o->stop != NULL && o->stop(o->ctx)))
			return release_code(e, ERR_PEERS, "COMMIT_INCOMPLETE",
			    NULL,
			    "committed, but only %llu of %llu seeders are "
			    "known to hold it; seed it, and run this again",
			    (unsigned long long)a.full,
			    (unsigned long long)o->min_full);
		rc = peers_count(o->peers, &q, &a, e);
		if (rc == ERR_OK && a.full >= o->min_full)
			i++;
	}
	return rc;
}

static enum err_code
finish(struct release *run, struct err *e)
{
	enum err_code rc = wait_for_seeders(run, e);
	struct journal j;

	if (rc != ERR_OK)
		return rc;
	rc = journal_read(&j, run->o->store, &run->o->config->key, e);
	if (rc == ERR_NOT_FOUND)
		return ERR_OK;
	if (rc == ERR_OK) {
		journal_deinit(&j);
		rc =
		    journal_erase(run->o->store, NULL, &run->o->config->key, e);
	}
	return rc;
}

static enum err_code
check(struct release *run, const struct request *req, bool first,
    struct release_report *r, struct err *e)
{
	const struct release_opts *o = run->o;
	enum err_code rc;

	if ((rc = release_open_source(run, req->length, e)) != ERR_OK ||
	    (rc = release_open_targets(run, o->config, e)) != ERR_OK)
		return rc;
	release_tell(
	    o, &(struct release_event){.kind = RELEASE_VERIFY_COMMITTABLE,
		   .source = &o->source,
		   .target = &o->config->key});
	if ((rc = release_check_request(run, req, e)) != ERR_OK)
		return rc;
	report(run, r);
	if (r->already)
		return ERR_OK;
	if (!o->force_dangerous)
		return release_check_committable(run, first, e);
	for (size_t i = 0; i < run->n && rc == ERR_OK; i++)
		rc = release_check_prefix(run, &run->line[i], e);
	return rc;
}

static enum err_code
run_once(const struct release_opts *o, const struct request *req,
    struct view bytes, const struct response *res, size_t n,
    struct release_report *r, struct err *e)
{
	struct release run;
	struct journal j;
	bool resumed;
	enum err_code rc;

	memset(&run, 0, sizeof(run));
	run.o = o;
	journal_init(&j);
	if ((rc = find_journal(&run, req, &j, &resumed, e)) != ERR_OK ||
	    (rc = check(&run, req, o->first_commit || (resumed && j.first), r,
		 e)) != ERR_OK ||
	    (rc = judge(o, req, res, n, &r->quorum, e)) != ERR_OK)
		goto out;
	if (!o->dry_run && !r->already && r->quorum.have < r->quorum.need) {
		rc = err_set(e, ERR_VERIFY, "Insufficient quorum: %llu / %llu",
		    (unsigned long long)r->quorum.have,
		    (unsigned long long)r->quorum.need);
		goto out;
	}
	release_tell(o, &(struct release_event){.kind = RELEASE_COMMIT_START});
	if ((rc = assemble(&run, req, res, r, e)) != ERR_OK || o->dry_run ||
	    (r->already && !resumed))
		goto out;
	if (!r->already &&
	    ((rc = fill_journal(&j, &run, req, bytes, res, n, e)) != ERR_OK ||
		(rc = release_commit(&run, &j, r, e)) != ERR_OK))
		goto out;
	rc = finish(&run, e);
out:
	journal_deinit(&j);
	release_close(&run);
	return rc;
}

/* Someone else may be committing the same: then this one waits, looks again,
 * and finds it done, or finds a target that moved elsewhere. */
enum err_code
release_run(const struct release_opts *o, const struct request *req,
    struct view request_bytes, const struct response *res, size_t nres,
    struct release_report *r, struct err *e)
{
	uint64_t waited = 0;
	enum err_code rc;

	for (;;) {
		rc = run_once(o, req, request_bytes, res, nres, r, e);
		if ((rc != ERR_LOCKED && rc != ERR_CHANGED) ||
		    waited > o->timeout_ms ||
		    (o->stop != NULL && o->stop(o->ctx)))
			return rc;
		(void)poll(NULL, 0, LOCK_POLL_MS);
		waited += LOCK_POLL_MS;
		release_report_deinit(r);
		release_report_init(r);
		if (store_refresh(o->store, NULL) != ERR_OK)
			return rc;
	}
}
