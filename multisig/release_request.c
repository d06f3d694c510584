/* Making a request (commands.md 9.4). */
#include <string.h>

#include "multisig/release_impl.h"

static void
tell(struct release *run, enum release_event_kind kind)
{
	release_tell(run->o,
	    &(struct release_event){.kind = kind, .source = &run->o->source});
}

/* A verlink names what it was made from; the source may have grown since. */
static enum err_code
check_fork(struct release *run, struct err *e)
{
	uint64_t source = core_head(run->line[0].source)->fork;
	uint64_t target = release_target_fork(&run->line[0]);

	enum err_code rc = release_check_version(run, e);

	if (rc != ERR_OK)
		return rc;
	if (source != target)
		return release_code(e, ERR_CONFLICT, "FORK_MISMATCH", NULL,
		    "the source was truncated (fork %llu), the target has "
		    "fork %llu: provision onto a new link instead",
		    (unsigned long long)source, (unsigned long long)target);
	return ERR_OK;
}

static enum err_code
check_requestable(struct release *run, struct release_line *l, struct err *e)
{
	enum err_code rc = release_check_length(l, l->length, e);

	if (rc == ERR_OK && !run->o->force)
		rc = release_check_seeded(run, l, e);
	return rc;
}

/* Lengths of both cores, checked in the order of the reference. */
static enum err_code
find_lengths(struct release *run, uint64_t length, struct err *e)
{
	struct release_line *db = &run->line[0], *blobs = &run->line[1];
	enum err_code rc;

	db->length = length;
	if (db->length == 0 && run->o->has_source_version)
		db->length = run->o->source_length;
	if (db->length == 0)
		db->length = core_head(db->source)->length;
	if (db->length == 0)
		return release_code(e, ERR_PEERS, "SOURCE_CORE_TOO_SMALL",
		    db->id, "Source core is empty");
	if (run->n == 2)
		tell(run, RELEASE_VERIFY_DB_REQUESTABLE);
	if ((rc = check_requestable(run, db, e)) != ERR_OK || run->n == 1)
		return rc;
	tell(run, RELEASE_GETTING_BLOBS_LENGTH);
	rc = release_blobs_length(run, db->length, &blobs->length, e);
	if (rc != ERR_OK)
		return rc;
	tell(run, RELEASE_VERIFY_BLOBS_REQUESTABLE);
	return check_requestable(run, blobs, e);
}

static enum err_code
find_trees(struct release *run, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < run->n; i++) {
		struct release_line *l = &run->line[i];

		rc = release_tree_at(run, l->source, l->length, &l->tree, e);
		tree_hash(&l->tree, &l->tree_hash);
		if (rc == ERR_OK)
			rc = release_check_prefix(run, l, e);
	}
	return rc;
}

static void
warn_rollback(struct release *run)
{
	const struct release_line *l = &run->line[0];

	if (release_target_length(l) < l->length)
		return;
	release_tell(
	    run->o, &(struct release_event){.kind = RELEASE_WARNING,
			.message = "the target holds all of this already: the "
				   "request would change nothing"});
}

static enum err_code
seal(struct release *run, unsigned version, struct request *out,
    struct buf *bytes, struct err *e)
{
	struct request r;
	enum err_code rc;

	memset(&r, 0, sizeof(r));
	r.version = version;
	r.kind = run->o->kind;
	r.fork = release_target_fork(&run->line[0]);
	r.length = run->line[0].length;
	r.tree_hash = run->line[0].tree_hash;
	r.manifest = run->o->config->manifest;
	if (run->n == 2) {
		r.blobs_length = run->line[1].length;
		r.blobs_tree_hash = run->line[1].tree_hash;
	}
	buf_reset(bytes);
	if ((rc = request_seal(&r, bytes, e)) == ERR_OK)
		*out = r;
	return rc;
}

enum err_code
release_request(const struct release_opts *o, uint64_t length, unsigned version,
    struct request *out, struct buf *bytes, struct err *e)
{
	struct release run;
	enum err_code rc;

	memset(&run, 0, sizeof(run));
	run.o = o;
	if (o->kind == REQUEST_DRIVE)
		tell(&run, RELEASE_GETTING_SRC_BLOBS);
	if ((rc = release_open_source(&run, length, e)) == ERR_OK &&
	    (rc = release_open_targets(&run, o->config, e)) == ERR_OK &&
	    (rc = find_lengths(&run, length, e)) == ERR_OK &&
	    (rc = check_fork(&run, e)) == ERR_OK) {
		if (run.n == 2)
			tell(&run, RELEASE_CREATING_DRIVE);
		rc = find_trees(&run, e);
	}
	if (rc == ERR_OK) {
		warn_rollback(&run);
		rc = seal(&run, version, out, bytes, e);
	}
	release_close(&run);
	return rc;
}
