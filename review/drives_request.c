/* A request against the source and the target that this store has. */
#include <inttypes.h>

#include "codec/hex.h"
#include "codec/z32.h"
#include "review/drives_impl.h"

/* One of the cores that a request covers. */
struct part {
	const char *name; /* "metadata: ", "contents: "; "" for a core alone */
	struct core *source; /* NULL: not here, and nothing of it is covered */
	struct core *target; /* NULL: not here */
	uint64_t length;
	const struct b32 *tree_hash;
};

static size_t
parts_of(
    const struct drives_run *run, struct part out[static REQUEST_CORES_MAX])
{
	const struct request *q = run->q->request;

	if (q->kind == REQUEST_CORE) {
		out[0] = (struct part){"", run->source_core, run->target_core,
		    q->length, &q->tree_hash};
		return 1;
	}
	out[0] = (struct part){"metadata: ", hyperdrive_db(run->source),
	    run->target_core, q->length, &q->tree_hash};
	out[1] = (struct part){"contents: ", hyperdrive_blobs(run->source),
	    run->target_blobs, q->blobs_length, &q->blobs_tree_hash};
	return 2;
}

static uint64_t
length_of(const struct core *c)
{
	return c == NULL ? 0 : core_head(c)->length;
}

static enum err_code
hash_at(const struct drives_run *run, struct core *c, uint64_t length,
    struct b32 *out, struct err *e)
{
	struct tree t;
	enum err_code rc = ERR_OK;

	tree_init(&t);
	if (length > 0)
		rc = need_tree(c, length, &t, run->fetch, e);
	if (rc == ERR_OK)
		tree_hash(&t, out);
	return rc;
}

static enum err_code
tagged(struct err *e, enum err_code rc, const char *tag)
{
	return e == NULL ? rc : err_tag(e, tag);
}

/* -- the source -------------------------------------------------------------- */

static enum err_code
open_source(struct drives_run *run, struct err *e)
{
	const struct drives_request *q = run->q;
	const bool drive = q->request->kind == REQUEST_DRIVE;
	char key[Z32_KEY_LEN + 1];
	struct core *blobs;
	enum err_code rc;

	rc = drive ? hyperdrive_open(
			 &run->source, q->store, &q->source, CORE_READ, e)
		   : core_open(
			 &run->source_core, q->store, &q->source, CORE_READ, e);
	if (rc == ERR_NOT_FOUND) {
		rc = err_set(e, ERR_PEERS, "source %s is not in this store",
		    z32_key(key, &q->source));
		return tagged(e, rc, "ERR_NOT_FOUND");
	}
	if (rc != ERR_OK || !drive || q->request->blobs_length == 0)
		return rc;
	return drives_blobs(
	    run, &(struct drives_side){run->source, NULL}, &blobs, e);
}

/* The source is what the request was made of. */
static enum err_code
check_source(const struct drives_run *run, const struct part *p, struct err *e)
{
	char has[65], wants[65];
	struct b32 hash;
	enum err_code rc;

	if (length_of(p->source) < p->length) {
		rc = err_set(e, ERR_PEERS,
		    "%sthe source has %" PRIu64 " blocks here, the request "
		    "covers %" PRIu64,
		    p->name, length_of(p->source), p->length);
		return tagged(e, rc, "SOURCE_CORE_TOO_SMALL");
	}
	if ((rc = hash_at(run, p->source, p->length, &hash, e)) != ERR_OK)
		return rc;
	if (b32_eq(&hash, p->tree_hash))
		return ERR_OK;
	rc = err_set(e, ERR_VERIFY,
	    "%sat length %" PRIu64 " the source has tree hash %s, the request "
	    "%s",
	    p->name, p->length, hex_b32(has, &hash),
	    hex_b32(wants, p->tree_hash));
	return tagged(e, rc, "SRC_KEY_MISMATCH");
}

/* The metadata at this length is whole, and needs just these contents. */
static enum err_code
check_drive(struct drives_run *run, struct err *e)
{
	const struct request *q = run->q->request;
	uint64_t need = 0;
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	do
		rc = bee_check_version(
		    hyperdrive_db(run->source), q->length, &w, e);
	while (need_again(run->fetch, &rc, &w, e));
	if (rc == ERR_OK)
		rc = hyperdrive_at(run->source, q->length, &run->new_bee, e);
	if (rc != ERR_OK)
		return rc;
	run->new = (struct drives_side){run->source, run->new_bee};
	do
		rc = hyperdrive_blobs_length(run->new_bee, &need, &w, e);
	while (need_again(run->fetch, &rc, &w, e));
	if (rc != ERR_OK || need == q->blobs_length)
		return rc;
	return err_set(e, ERR_VERIFY,
	    "the request covers %" PRIu64 " blocks of contents, its metadata "
	    "needs %" PRIu64,
	    q->blobs_length, need);
}

/* -- the target ---------------------------------------------------------------- */

static enum err_code
open_core(const struct drives_run *run, const struct b32 *key,
    struct core **out, struct err *e)
{
	enum err_code rc = core_open(out, run->q->store, key, CORE_READ, e);

	return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

static enum err_code
open_target(struct drives_run *run, struct err *e)
{
	const struct request *q = run->q->request;
	enum err_code rc = open_core(run, &q->key, &run->target_core, e);

	if (rc == ERR_OK && q->kind == REQUEST_DRIVE && q->has_blobs_key)
		rc = open_core(run, &q->blobs_key, &run->target_blobs, e);
	run->length = length_of(run->target_core);
	return rc;
}

/* *extends: the source's beginning is what the target holds. */
static enum err_code
check_target(
    struct drives_run *run, const struct part *p, bool *extends, struct err *e)
{
	uint64_t has = length_of(p->target);
	struct b32 ours, theirs;
	enum err_code rc;

	*extends = has <= p->length;
	if (!*extends)
		return review_find(run->r, REVIEW_BAD, e,
		    "%swould roll back from %" PRIu64 " to %" PRIu64, p->name,
		    has, p->length);
	if (has == 0)
		return ERR_OK;
	theirs = core_head(p->target)->tree_hash;
	if ((rc = hash_at(run, p->source, has, &ours, e)) != ERR_OK)
		return rc;
	*extends = b32_eq(&ours, &theirs);
	if (!*extends)
		return review_find(run->r, REVIEW_BAD, e,
		    "%sdoes not continue what is released: at length %" PRIu64
		    " the target holds other data than the source",
		    p->name, has);
	return review_find(run->r, REVIEW_GOOD, e,
	    "%scontinues the target's %" PRIu64 " blocks", p->name, has);
}

static enum err_code
check_fork(struct drives_run *run, struct err *e)
{
	uint64_t fork =
	    run->target_core == NULL ? 0 : core_head(run->target_core)->fork;

	if (run->q->request->fork == fork)
		return ERR_OK;
	return review_find(run->r, REVIEW_BAD, e,
	    "the request is for fork %" PRIu64 ", the target has fork %" PRIu64
	    ": its signatures could never hold",
	    run->q->request->fork, fork);
}

static enum err_code
check_targets(
    struct drives_run *run, const struct part *part, size_t n, struct err *e)
{
	bool done = run->length == part[0].length, extends;
	enum err_code rc = check_fork(run, e);

	run->extends = true;
	if (rc == ERR_OK && run->length == 0)
		return review_find(run->r, REVIEW_NOTE, e,
		    "the first release as far as this store knows");
	for (size_t i = 0; rc == ERR_OK && i < n; i++) {
		rc = check_target(run, &part[i], &extends, e);
		run->extends = run->extends && extends;
	}
	if (rc == ERR_OK && done && run->extends)
		rc = review_find(run->r, REVIEW_WARN, e,
		    "the target holds exactly this already");
	return rc;
}

/* What is released now. Where the source continues it, the source's own
 * beginning is the same and is here. */
static enum err_code
open_old(struct drives_run *run, struct err *e)
{
	const struct drives_request *q = run->q;
	struct hyperdrive *d = run->source;
	enum err_code rc = ERR_OK;

	if (run->length == 0)
		return ERR_OK;
	if (!run->extends) {
		rc = hyperdrive_open(
		    &run->target, q->store, &q->request->key, CORE_READ, e);
		d = run->target;
	}
	if (rc == ERR_OK)
		rc = hyperdrive_at(d, run->length, &run->old_bee, e);
	run->old = (struct drives_side){d, run->old_bee};
	return rc;
}

enum err_code
drives_open(struct drives_run *run, struct err *e)
{
	const bool drive = run->q->request->kind == REQUEST_DRIVE;
	struct part part[REQUEST_CORES_MAX];
	enum err_code rc;
	size_t n;

	if ((rc = open_source(run, e)) != ERR_OK ||
	    (rc = open_target(run, e)) != ERR_OK)
		return rc;
	n = parts_of(run, part);
	for (size_t i = 0; i < n; i++)
		if ((rc = check_source(run, &part[i], e)) != ERR_OK)
			return rc;
	if (drive && (rc = check_drive(run, e)) != ERR_OK)
		return rc;
	rc = review_find(run->r, REVIEW_GOOD, e,
	    "the source gives exactly the tree hash%s of the request",
	    n > 1 ? "es" : "");
	if (rc == ERR_OK)
		rc = check_targets(run, part, n, e);
	return rc == ERR_OK && drive ? open_old(run, e) : rc;
}

void
drives_close(struct drives_run *run)
{
	bee_close(run->old_bee);
	bee_close(run->new_bee);
	hyperdrive_close(run->source);
	hyperdrive_close(run->target);
	core_close(run->source_core);
	core_close(run->target_core);
	core_close(run->target_blobs);
}
