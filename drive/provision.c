#include "drive/provision.h"

#include <stdlib.h>

#include "base/bug.h"
#include "drive/provision_impl.h"

struct job {
	const struct provision_opts *o;
	struct provision_report *r;
	struct provision_side source, production;
	struct hyperdrive *target;
	struct bee *at; /* the target as it is */
	struct provision_from_drive from;
	struct provision_run run;
};

void
provision_report_deinit(struct provision_report *r)
{
	free(r->version);
	r->version = NULL;
}

static enum err_code
check_link(const struct pear_link *l, const char *who, struct err *e)
{
	enum err_code rc;

	if (l->has_version)
		return ERR_OK;
	rc = err_set(e, ERR_INVALID, "%s must be versioned", who);
	return e == NULL ? rc : err_tag(e, "ERR_INVALID_LINK");
}

/* Everything that can be found wrong before a block is looked at. */
static enum err_code
open_drives(struct job *j, struct err *e)
{
	const struct provision_opts *o = j->o;
	struct provision_report *r = j->r;
	enum err_code rc;

	if ((rc = check_link(&o->source, "<source-verlink>", e)) != ERR_OK ||
	    (rc = check_link(&o->production, "<production-verlink>", e)) !=
		ERR_OK ||
	    (rc = provision_open_source(&j->source, o, &r->source, e)) !=
		ERR_OK ||
	    (rc = provision_semver(&j->source, o, &r->version, e)) != ERR_OK ||
	    (rc = provision_open_production(
		 &j->production, o, &r->production, e)) != ERR_OK ||
	    (rc = provision_open_target(&j->target, o, e)) != ERR_OK ||
	    (rc = provision_describe(&r->before, j->target,
		 core_head(hyperdrive_db(j->target))->length, NULL, e)) !=
		ERR_OK)
		return rc;
	r->after = r->before;
	r->production_is_target = b32_eq(&o->production.key, &o->target);
	return r->production_is_target
		   ? ERR_OK
		   : provision_compare(j->target, &j->production, o->fetch, e);
}

/* What the diff is against: the target, or production where the target is
 * not as long. */
static enum err_code
choose_destination(struct job *j, struct err *e)
{
	struct provision_run *p = &j->run;
	struct core *db = hyperdrive_db(j->target);
	uint64_t length = core_head(db)->length;
	enum err_code rc;

	if (j->production.drive != NULL && !j->r->production_is_target) {
		p->production = j->production.drive;
		p->db_length = j->r->production.length;
		p->blobs_length = j->production.blobs_length;
	}
	if (p->production != NULL && length < p->db_length) {
		p->dst = j->production.at;
		p->dst_blobs = hyperdrive_blobs(j->production.drive);
		return ERR_OK;
	}
	p->dst_blobs = hyperdrive_blobs(j->target);
	if (length > 0 && p->dst_blobs == NULL)
		return err_set(e, ERR_NOT_FOUND,
		    "the target's contents core is not in this store");
	if (length == 0)
		return ERR_OK;
	rc = hyperdrive_at(j->target, length, &j->at, e);
	p->dst = j->at;
	return rc;
}

static void
emit(struct job *j, enum provision_event_kind kind)
{
	const struct provision_event ev = {.kind = kind, .report = j->r};

	provision_emit(&j->run, &ev);
}

static enum err_code
begin(struct job *j, struct hyperdrive_batch **out, enum core_batch_mode mode,
    struct err *e)
{
	return hyperdrive_batch_new(out, j->target, mode,
	    j->o->sharing == PROVISION_PLAIN ? BLOBS_PLAIN : BLOBS_SHARED, e);
}

/* The whole work on dry batches: afterwards it is known what the target would
 * be, and that all blocks for it are here. */
static enum err_code
dry_pass(struct job *j, struct err *e)
{
	enum provision_talk talk =
	    j->o->dry_run ? PROVISION_TELL : PROVISION_SILENT;
	struct provision_run *p = &j->run;
	struct hyperdrive_batch *hb = NULL;
	enum err_code rc = begin(j, &hb, CORE_BATCH_DRY, e);

	if (rc == ERR_OK)
		rc = provision_copy(p, hb, PROVISION_TELL, j->r, e);
	if (rc == ERR_OK) {
		emit(j, PROVISION_EVENT_DIFFING);
		rc = provision_diff(p, e);
	}
	if (rc == ERR_OK)
		rc = provision_write(p, hb, CORE_BATCH_DRY, j->r, e);
	if (rc == ERR_OK)
		rc = provision_fields(p, hb, talk, j->r, e);
	if (rc == ERR_OK) {
		provision_describe_batch(&j->r->after, hb);
		emit(j, PROVISION_EVENT_DIFFED);
	}
	hyperdrive_batch_free(hb);
	return rc;
}

static bool
equal(const struct provision_drive *a, const struct provision_drive *b)
{
	return a->fork == b->fork && a->length == b->length &&
	       b32_eq(&a->tree_hash, &b->tree_hash) &&
	       a->blobs_length == b->blobs_length &&
	       b32_eq(&a->blobs_hash, &b->blobs_hash);
}

static void
forget_counts(struct provision_report *r)
{
	r->changes = r->add = r->remove = r->change = r->fields = 0;
	r->bytes_added = r->bytes_removed = r->bytes_stored = 0;
	r->copied_blocks = r->copied_bytes = 0;
}

static enum err_code
write_real(struct job *j, struct hyperdrive_batch *hb, struct err *e)
{
	const struct provision_drive planned = j->r->after;
	struct provision_run *p = &j->run;
	enum err_code rc;

	forget_counts(j->r);
	emit(j, PROVISION_EVENT_STAGING);
	if ((rc = provision_copy(p, hb, PROVISION_SILENT, j->r, e)) != ERR_OK ||
	    (rc = provision_write(p, hb, CORE_BATCH_REAL, j->r, e)) != ERR_OK)
		return rc;
	emit(j, PROVISION_EVENT_STAGED);
	if ((rc = provision_fields(p, hb, PROVISION_TELL, j->r, e)) != ERR_OK)
		return rc;
	provision_describe_batch(&j->r->after, hb);
	/* the same blocks, cut and ordered by the same rules */
	bug_if(!equal(&planned, &j->r->after));
	if ((rc = provision_stopping(p, e)) != ERR_OK)
		return rc;
	return hyperdrive_batch_commit(hb, NULL, NULL, e);
}

static enum err_code
real_pass(struct job *j, struct err *e)
{
	const struct provision_opts *o = j->o;
	struct hyperdrive_batch *hb = NULL;
	enum err_code rc;

	/* nothing to be certain about if nothing will be written */
	if (!equal(&j->r->before, &j->r->after) && o->proceed != NULL &&
	    !o->proceed(o->ctx))
		return err_set(
		    e, ERR_INTERRUPTED, "interrupted; the target is unchanged");
	if ((rc = begin(j, &hb, CORE_BATCH_REAL, e)) == ERR_OK)
		rc = write_real(j, hb, e);
	hyperdrive_batch_free(hb);
	return rc;
}

static void
cleanup(struct job *j)
{
	provision_from_drive_deinit(&j->from);
	provision_rows_deinit(&j->run.rows);
	bee_close(j->at);
	hyperdrive_close(j->target);
	provision_side_close(&j->production);
	provision_side_close(&j->source);
}

enum err_code
drive_provision(
    const struct provision_opts *o, struct provision_report *r, struct err *e)
{
	struct job j = {.o = o,
	    .r = r,
	    .run = {.fetch = o->fetch,
		.stop = o->stop,
		.event = o->event,
		.ctx = o->ctx,
		.sharing = o->sharing}};
	enum err_code rc;

	*r = (struct provision_report){.version = NULL};
	if ((rc = open_drives(&j, e)) == ERR_OK &&
	    (rc = choose_destination(&j, e)) == ERR_OK) {
		provision_from_drive_init(&j.from, &j.run, &j.source);
		rc = dry_pass(&j, e);
	}
	if (rc == ERR_OK && !o->dry_run)
		rc = real_pass(&j, e);
	cleanup(&j);
	return rc;
}
