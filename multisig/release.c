#include "multisig/release.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "codec/z32.h"
#include "multisig/release_impl.h"

#define LOCK_POLL_MS 50
#define LOCK_WAIT_MS 60000 /* for another commit of the same target */

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
    struct err *e)
{
	const struct release_opts *o = run->o;
	char key[Z32_KEY_LEN + 1];
	enum err_code rc;

	run->first = o->first_commit;
	rc = journal_read(j, o->store, &o->config->key, e);
	if (rc == ERR_NOT_FOUND)
		return ERR_OK;
	if (rc != ERR_OK)
		return rc;
	if (b32_eq(&j->request_hash, &req->hash)) {
		run->resumed = true;
		run->first = o->first_commit || j->first;
		release_tell(
		    o, &(struct release_event){.kind = RELEASE_RESUMED});
		return ERR_OK;
	}
	return release_code(e, ERR_CONFLICT, "COMMIT_INCOMPLETE", NULL,
	    "another commit for %s is not finished (%s): run it again first, "
	    "or see status --forget",
	    z32_key(key, &j->key),
	    j->phase == JOURNAL_COMMITTED
		? "committed, its seeders are still waited for"
		: "nothing of it is written yet");
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
	j->first = run->first;
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

/* Nobody to ask, or told to stop: waiting on would not help. */
static bool
hopeless(const struct release_opts *o)
{
	return o->peers == NULL || (o->stop != NULL && o->stop(o->ctx));
}

/* Until one more peer than `full` holds all of a line, or the time is up. */
static enum err_code
next_seeder(struct release *run, const struct release_line *l, uint64_t *full,
    struct err *e)
{
	const struct release_opts *o = run->o;
	struct peers_question q = {.key = l->key,
	    .length = l->length,
	    .until = PEERS_ENOUGH,
	    .want_full = *full < o->min_full ? *full + 1 : o->min_full,
	    .timeout_ms = o->timeout_ms};
	struct peers_answer a;
	enum err_code rc = peers_count(o->peers, &q, &a, e);

	if (rc == ERR_OK && a.full != *full) {
		*full = a.full;
		release_tell(o, &(struct release_event){.kind = RELEASE_SEEDERS,
				    .id = l->id,
				    .done = a.full,
				    .total = o->min_full});
	}
	return rc;
}

/* Row 14. Without limit, as the contract has it, but never silently: each
 * round asks whether to stop. */
static enum err_code
wait_for_seeders(struct release *run, struct err *e)
{
	const struct release_opts *o = run->o;
	enum err_code rc = ERR_OK;
	uint64_t full = 0;

	if (o->min_full == 0 || o->force_dangerous)
		return ERR_OK;
	release_tell(
	    o, &(struct release_event){.kind = RELEASE_VERIFY_COMMITTED,
		   .target = &o->config->key});
	for (size_t i = 0; i < run->n && rc == ERR_OK;) {
		rc = next_seeder(run, &run->line[i], &full, e);
		if (rc == ERR_INTERRUPTED ||
		    (rc == ERR_OK && full < o->min_full && hopeless(o)))
			return release_code(e, ERR_PEERS, "COMMIT_INCOMPLETE",
			    NULL,
			    "committed, but only %llu of %llu seeders are "
			    "known to hold it; seed it, and run this again",
			    (unsigned long long)full,
			    (unsigned long long)o->min_full);
		if (rc == ERR_OK && full >= o->min_full) {
			full = 0;
			i++;
		}
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
check_target(struct release *run, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (!run->o->force_dangerous)
		return release_check_committable(run, e);
	for (size_t i = 0; i < run->n && rc == ERR_OK; i++)
		rc = release_check_prefix(run, &run->line[i], e);
	return rc;
}

static enum err_code
check(struct release *run, const struct request *req, struct release_report *r,
    struct err *e)
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
	if ((rc = release_check_version(run, e)) != ERR_OK ||
	    (rc = release_check_request(run, req, e)) != ERR_OK)
		return rc;
	report(run, r);
	rc = check_target(run, e);
	report(run, r); /* a replica may have grown meanwhile */
	return rc;
}

/* Rows 10, 11. */
static enum err_code
check_quorum(struct release *run, const struct request *req,
    const struct response *res, size_t n, struct release_report *r,
    struct err *e)
{
	struct quorum *q = &r->quorum;
	enum err_code rc = judge(run->o, req, res, n, q, e);

	if (rc != ERR_OK || run->o->dry_run || r->already || q->have >= q->need)
		return rc;
	return err_set(e, ERR_VERIFY, "Insufficient quorum: %llu / %llu",
	    (unsigned long long)q->have, (unsigned long long)q->need);
}

/* What a first attempt saw of the target, and what it was told to wait for. */
struct attempt {
	bool again;
	uint64_t length[REQUEST_CORES_MAX];
	struct b32 hash[REQUEST_CORES_MAX];
};

/* Somebody committed something else while this one was on its way. */
static enum err_code
check_same(struct attempt *a, const struct release_report *r, struct err *e)
{
	for (size_t i = 0; i < r->nparts; i++) {
		const struct release_core *now = &r->part[i].before;

		if (a->again && !r->already &&
		    (a->length[i] != now->length ||
			!b32_eq(&a->hash[i], &now->tree_hash)))
			return release_code(e, ERR_CONFLICT, "TARGET_MOVED",
			    NULL,
			    "target moved from length %llu to %llu meanwhile; "
			    "nothing written",
			    (unsigned long long)a->length[i],
			    (unsigned long long)now->length);
		a->length[i] = now->length;
		a->hash[i] = now->tree_hash;
	}
	a->again = true;
	return ERR_OK;
}

static enum err_code
run_once(struct release *run, struct attempt *a, const struct request *req,
    struct view bytes, const struct response *res, size_t n,
    struct release_report *r, struct err *e)
{
	const struct release_opts *o = run->o;
	struct journal j;
	enum err_code rc;

	journal_init(&j);
	if ((rc = find_journal(run, req, &j, e)) != ERR_OK ||
	    (rc = check(run, req, r, e)) != ERR_OK ||
	    (rc = check_same(a, r, e)) != ERR_OK ||
	    (rc = check_quorum(run, req, res, n, r, e)) != ERR_OK)
		goto out;
	release_tell(o, &(struct release_event){.kind = RELEASE_COMMIT_START});
	rc = assemble(run, req, res, r, e);
	if (rc == ERR_OK && o->dry_run)
		rc = release_rehearse(run, e);
	if (rc != ERR_OK || o->dry_run || (r->already && !run->resumed))
		goto out;
	if (!r->already &&
	    ((rc = fill_journal(&j, run, req, bytes, res, n, e)) != ERR_OK ||
		(rc = release_commit(run, &j, r, e)) != ERR_OK))
		goto out;
	rc = finish(run, e);
out:
	journal_deinit(&j);
	return rc;
}

/* Someone else may be committing: then this one waits, looks again, and finds
 * it done, or finds a target that moved elsewhere. */
enum err_code
release_run(const struct release_opts *o, const struct request *req,
    struct view request_bytes, const struct response *res, size_t nres,
    struct release_report *r, struct err *e)
{
	struct attempt a = {.again = false};
	struct release run;
	enum err_code rc;

	for (unsigned waited = 0;; waited += LOCK_POLL_MS) {
		memset(&run, 0, sizeof(run));
		run.o = o;
		rc = run_once(&run, &a, req, request_bytes, res, nres, r, e);
		release_close(&run);
		if ((rc != ERR_LOCKED && rc != ERR_CHANGED) ||
		    waited > LOCK_WAIT_MS ||
		    (o->stop != NULL && o->stop(o->ctx)))
			return rc;
		if (waited == 0 && rc == ERR_LOCKED && e != NULL)
			release_tell(
			    o, &(struct release_event){
				   .kind = RELEASE_WARNING, .message = e->msg});
		(void)poll(NULL, 0, LOCK_POLL_MS);
		release_report_deinit(r);
		release_report_init(r);
		if ((rc = store_refresh(o->store, e)) != ERR_OK)
			return rc;
	}
}
