#include "drive/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/z32.h"
#include "drive/stage_apply.h"
#include "drive/staged.h"
#include "pear/appcfg.h"

static const char *const chunking_names[] = {
    "cdc", "fixed", "pear", "pear-exact"};

bool
stage_chunking_parse(const char *text, enum stage_chunking *out)
{
	for (size_t i = 0; i < 4; i++) {
		if (strcmp(text, chunking_names[i]) != 0)
			continue;
		*out = (enum stage_chunking)i;
		return true;
	}
	return false;
}

enum chunker_kind
stage_chunker(enum stage_chunking c)
{
	return c == STAGE_CHUNKING_CDC	   ? CHUNKER_CDC
	       : c == STAGE_CHUNKING_FIXED ? CHUNKER_FIXED
					   : CHUNKER_RABIN;
}

static enum blobs_share
share_of(enum stage_chunking c)
{
	static const enum blobs_share share[] = {
	    BLOBS_SHARED, BLOBS_PLAIN, BLOBS_PEAR, BLOBS_PEAR_EXACT};

	return share[c];
}

void
stage_report_deinit(struct stage_report *r)
{
	free(r->name);
	free(r->version);
	r->name = r->version = NULL;
}

static void
cores_of(struct stage_cores *out, const struct core *c)
{
	const struct core_head *h = core_head(c);

	*out = (struct stage_cores){
	    h->fork, h->length, h->byte_length, h->tree_hash};
}

static void
cores_of_batch(struct stage_cores *out, const struct core_batch *b)
{
	out->fork = core_batch_fork(b);
	out->length = core_batch_length(b);
	out->byte_length = core_batch_byte_length(b);
	core_batch_tree_hash(b, &out->tree_hash);
}

static void
note_before(struct stage_run *s)
{
	struct core *blobs = hyperdrive_blobs(s->drive);
	struct stage_report *r = s->r;

	cores_of(&r->before, hyperdrive_db(s->drive));
	r->after = r->before;
	r->has_blobs = blobs != NULL;
	if (blobs != NULL) {
		r->blobs_key = *core_key(blobs);
		cores_of(&r->blobs_before, blobs);
		r->blobs_after = r->blobs_before;
	}
}

/* The header of a drive that has one says where its contents are. */
static bool
knows_contents(struct hyperdrive *d)
{
	return hyperdrive_blobs(d) != NULL ||
	       core_head(hyperdrive_db(d))->length == 0;
}

static enum err_code
not_here(const char *key, struct err *e)
{
	enum err_code rc = err_set(e, ERR_PEERS,
	    "drive %s, or a part of it, is not in this store", key);

	return e == NULL ? rc : err_tag(e, "ERR_NOT_FOUND");
}

static enum err_code
open_drive(struct stage_run *s, struct err *e)
{
	const struct stage_opts *o = s->opts;
	enum core_mode mode = o->dry_run ? CORE_READ : CORE_WRITE;
	char key[Z32_KEY_LEN + 1];
	enum err_code rc;

	z32_key(key, &o->key);
	rc = hyperdrive_open(&s->drive, o->store, &o->key, mode, e);
	if ((rc == ERR_NOT_FOUND && o->readonly_diff) ||
	    (rc == ERR_OK && !knows_contents(s->drive)))
		return not_here(key, e);
	/* a drive that is not in the store has no write key there either */
	if (rc == ERR_NOT_FOUND ||
	    (rc == ERR_READONLY && store_writable(o->store, NULL) == ERR_OK) ||
	    (rc == ERR_OK && !o->readonly_diff &&
		!core_writable(hyperdrive_db(s->drive))))
		return err_set(e, ERR_READONLY,
		    "drive %s: Destination must be writable", key);
	if (rc != ERR_OK)
		return rc;
	s->r->key = o->key;
	s->r->dry_run = o->dry_run;
	note_before(s);
	return ERR_OK;
}

static enum err_code
begin_batch(struct stage_run *s, struct err *e)
{
	const struct stage_opts *o = s->opts;
	struct stage_event ev = {
	    .kind = STAGE_EVENT_TRUNCATE, .length = o->truncate};
	struct core_batch *blobs;
	uint64_t version;
	enum err_code rc;

	rc = hyperdrive_batch_new(&s->batch, s->drive,
	    o->dry_run ? CORE_BATCH_DRY : CORE_BATCH_REAL,
	    share_of(o->chunking), e);
	if (rc == ERR_OK && o->has_truncate) {
		rc = hyperdrive_batch_truncate(s->batch, o->truncate, e);
		if (rc == ERR_OK)
			o->event(o->ctx, &ev);
	}
	if (rc != ERR_OK)
		return rc;
	version = core_batch_length(hyperdrive_batch_cores(s->batch, &blobs));
	s->next_seq = version == 0 ? 1 : version;
	return hyperdrive_at(s->drive, version, &s->at, e);
}

/* Plans are kept when one is written or held against. */
static enum err_code
begin_plan(struct stage_run *s, struct err *e)
{
	const struct stage_opts *o = s->opts;
	enum err_code rc;

	if (o->plan_out == NULL && o->plan == NULL)
		return ERR_OK;
	s->content.sum = CONTENT_SUM;
	rc = plan_begin(&s->plan, hyperdrive_db(s->drive),
	    hyperdrive_blobs(s->drive), chunking_names[o->chunking], e);
	if (rc == ERR_OK && o->plan != NULL)
		rc = plan_read(&s->reviewed, o->plan, &s->r->plan_sum, e);
	if (rc == ERR_OK && o->plan != NULL)
		rc = plan_check_base(&s->reviewed, &s->plan, e);
	return rc;
}

static void
warn(void *ctx, const char *message)
{
	struct stage_run *s = ctx;
	const struct stage_event ev = {
	    .kind = STAGE_EVENT_WARNING, .message = message};

	s->opts->event(s->opts->ctx, &ev);
}

static bool
stopping(const struct stage_run *s)
{
	return s->opts->stop != NULL && s->opts->stop(s->opts->ctx);
}

static enum err_code
interrupted(struct err *e)
{
	return err_set(
	    e, ERR_INTERRUPTED, "interrupted; the drive is unchanged");
}

/* First what the ignore rules purge, then what is gone from the disk. */
static enum err_code
remove_rows(struct stage_run *s, const struct ignore *ig, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (int pass = s->purge ? 0 : 1; pass < 2; pass++)
		for (size_t i = 0; rc == ERR_OK && i < s->rows.n; i++) {
			struct stage_row *row = &s->rows.row[i];
			bool ignored;

			if (row->disk != NULL || row->removed)
				continue;
			ignored = ignore_drops(ig, row->path);
			if (pass == 0
				? !ignored
				: ignored || !ignore_selected(ig, row->path))
				continue;
			row->removed = true;
			rc = stage_apply_remove(s, row, e);
			if (pass == 0)
				s->r->purged++;
			else
				s->r->remove++;
		}
	return rc;
}

static void
progress(struct stage_run *s, const struct stage_row *row)
{
	struct stage_event ev = {.kind = STAGE_EVENT_PROGRESS};

	s->done += scan_size(row->disk);
	ev.done = s->done;
	ev.total = s->total;
	s->opts->event(s->opts->ctx, &ev);
}

static enum err_code
write_rows(struct stage_run *s, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < s->rows.n; i++)
		if (s->rows.row[i].disk != NULL)
			s->total += scan_size(s->rows.row[i].disk);
	for (size_t i = 0; rc == ERR_OK && i < s->rows.n; i++) {
		if (s->rows.row[i].disk == NULL)
			continue;
		if (stopping(s))
			return interrupted(e);
		rc = stage_apply_row(s, &s->rows.row[i], e);
		progress(s, &s->rows.row[i]);
	}
	return rc;
}

static enum err_code
also_cache(void *ctx, struct store_txn *txn, struct err *e)
{
	struct stage_run *s = ctx;

	return s->cache == NULL ? ERR_OK : statcache_save(s->cache, txn, e);
}

/* Nothing changed, but files were read: remember them for the next time.
 * A cache that cannot be written is no reason to fail. */
static void
save_cache_alone(struct stage_run *s)
{
	struct store_txn *txn;
	struct err e = ERR_INIT;

	if (s->cache == NULL || !statcache_dirty(s->cache) ||
	    store_begin(&txn, s->opts->store, &e) != ERR_OK)
		return;
	if (statcache_save(s->cache, txn, &e) != ERR_OK)
		store_abort(txn);
	else if (store_commit(txn, &e) != ERR_OK)
		warn(s, "the stat cache was not saved");
}

static bool
nothing_to_do(const struct stage_run *s)
{
	const struct stage_report *r = s->r;

	return r->add + r->change + r->remove + r->purged == 0 &&
	       !s->opts->has_truncate;
}

static enum err_code
finish_plan(struct stage_run *s, struct err *e)
{
	const struct stage_opts *o = s->opts;
	struct core_batch *db, *blobs;
	enum err_code rc;

	db = hyperdrive_batch_cores(s->batch, &blobs);
	rc = plan_end(&s->plan, db, blobs, e);
	if (rc == ERR_OK && o->plan != NULL)
		rc = plan_check(&s->reviewed, &s->plan, e);
	if (rc == ERR_OK && o->plan_out != NULL)
		rc = plan_write(&s->plan, o->plan_out, &s->r->plan_sum, e);
	return rc;
}

static enum err_code
finish(struct stage_run *s, struct err *e)
{
	struct core_batch *db, *blobs;
	enum err_code rc;

	if ((rc = hyperdrive_batch_flush(s->batch, e)) != ERR_OK)
		return rc;
	db = hyperdrive_batch_cores(s->batch, &blobs);
	cores_of_batch(&s->r->after, db);
	cores_of_batch(&s->r->blobs_after, blobs);
	if (s->plan.doc != NULL && (rc = finish_plan(s, e)) != ERR_OK)
		return rc;
	if (stopping(s))
		return interrupted(e);
	if (s->opts->dry_run)
		return ERR_OK;
	if (nothing_to_do(s)) {
		save_cache_alone(s);
		return ERR_OK;
	}
	return hyperdrive_batch_commit(s->batch, also_cache, s, e);
}

static enum err_code
read_package(struct stage_run *s, struct appcfg *cfg, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (!s->opts->skip_package_json)
		rc = appcfg_read(cfg, s->opts->dir, e);
	if (rc != ERR_OK)
		return rc;
	s->r->name = strdup(appcfg_title(cfg));
	if (s->r->name == NULL)
		return err_nomem(e);
	if (cfg->version != NULL &&
	    (s->r->version = strdup(cfg->version)) == NULL)
		return err_nomem(e);
	return ERR_OK;
}

/* Rules that leave nothing would empty the drive: never by accident. */
static enum err_code
check_scan(struct stage_run *s, const struct ignore *ig, struct err *e)
{
	const char *pattern;

	for (size_t i = 0; (pattern = ignore_unmatched(ig, i)) != NULL; i++) {
		char text[1024], quoted[900];

		(void)snprintf(text, sizeof(text), "pattern %s matched no file",
		    err_quote(
			quoted, sizeof(quoted), pattern, strlen(pattern)));
		warn(s, text);
	}
	if (s->scan->n > 0 || s->opts->allow_empty)
		return ERR_OK;
	if (ignore_has_only(ig))
		return s->opts->dry_run
			   ? ERR_OK
			   : err_set(e, ERR_INVALID, "only matched nothing");
	return err_set(e, ERR_INVALID,
	    "there is nothing to stage in %s; --allow-empty stages that",
	    s->opts->dir);
}

static enum err_code
scan_and_merge(struct stage_run *s, struct ignore *ig, struct err *e)
{
	const struct scan_opts so = {.dir = s->opts->dir,
	    .ignore = ig,
	    .warn = warn,
	    .warn_ctx = s,
	    .stop = s->opts->stop,
	    .stop_ctx = s->opts->ctx};
	enum err_code rc;

	if ((rc = scan_dir(&s->scan, &so, e)) != ERR_OK ||
	    (rc = check_scan(s, ig, e)) != ERR_OK)
		return rc;
	if (!s->opts->no_cache) {
		rc = statcache_new(&s->cache, s->drive, s->opts->now, e);
		if (rc != ERR_OK)
			return rc;
	}
	return stage_merge(&s->rows, s->scan, s->at, s->cache, e);
}

static enum err_code
run(struct stage_run *s, struct ignore *ig, struct err *e)
{
	enum err_code rc;

	if ((rc = begin_plan(s, e)) != ERR_OK)
		return rc;
	if (s->opts->opened != NULL)
		s->opts->opened(s->opts->ctx, s->r);
	if ((rc = begin_batch(s, e)) != ERR_OK ||
	    (rc = scan_and_merge(s, ig, e)) != ERR_OK ||
	    (rc = remove_rows(s, ig, e)) != ERR_OK ||
	    (rc = write_rows(s, e)) != ERR_OK)
		return rc;
	return finish(s, e);
}

static void
cleanup(struct stage_run *s)
{
	hyperdrive_batch_free(s->batch);
	bee_close(s->at);
	statcache_free(s->cache);
	origin_deinit(&s->origin);
	stage_rows_deinit(&s->rows);
	scan_free(s->scan);
	content_deinit(&s->content);
	plan_deinit(&s->plan);
	plan_deinit(&s->reviewed);
	hyperdrive_close(s->drive);
}

enum err_code
drive_stage(
    const struct stage_opts *opts, struct stage_report *r, struct err *e)
{
	struct stage_run s = {.opts = opts, .r = r};
	struct ignore *ig = NULL;
	struct appcfg cfg = {.json = NULL};
	enum err_code rc;

	*r = (struct stage_report){.dry_run = opts->dry_run};
	rc = read_package(&s, &cfg, e);
	if (rc == ERR_OK)
		rc = staged_rules(
		    &ig, opts->dir, &cfg, opts->ignore, opts->only, e);
	s.purge = opts->purge || cfg.purge;
	if (rc == ERR_OK)
		rc = content_init(&s.content, stage_chunker(opts->chunking), e);
	s.content.stop = opts->stop;
	s.content.stop_ctx = opts->ctx;
	if (rc == ERR_OK)
		rc = open_drive(&s, e);
	if (rc == ERR_OK)
		rc = run(&s, ig, e);
	cleanup(&s);
	ignore_free(ig);
	appcfg_deinit(&cfg);
	return rc;
}
