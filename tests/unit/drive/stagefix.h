/* stagefix: a store with one writable drive, a directory made from lines of
 * text, and what a stage of it reports, for the tests of drive/. */
#ifndef TESTS_DRIVE_STAGEFIX_H
#define TESTS_DRIVE_STAGEFIX_H

#include "support/treefix.h"

#include "core/manifest.h"
#include "drive/dump.h"
#include "drive/stage.h"

static inline void
fix_remove(const char *dir, const char *name)
{
	char path[4096];

	check(snprintf(path, sizeof(path), "%s/%s", dir, name) > 0);
	check(unlink(path) == 0);
}

struct stagefix {
	const char *dir; /* of everything */
	char app[512], store_dir[512];
	struct store *s;
	struct b32 key;
	struct stage_opts o;
	struct stage_report r;
	struct buf log; /* one line for each difference */
	struct buf warnings;
	size_t polls, stop_at; /* stop_at 0 = never */
	/* called at each progress event, to change files under the stage */
	void (*meddle)(struct stagefix *x, size_t n);
	size_t progress;
	struct err e;
};

static inline void
stagefix_event(void *ctx, const struct stage_event *ev)
{
	struct stagefix *x = ctx;

	switch (ev->kind) {
	case STAGE_EVENT_WARNING:
		buf_printf(&x->warnings, "%s\n", ev->message);
		return;
	case STAGE_EVENT_TRUNCATE:
		buf_printf(&x->log, "truncate %d\n", (int)ev->length);
		return;
	case STAGE_EVENT_DIFF:
		buf_printf(&x->log, "%c %s %d %d%s%s\n", "-~+"[ev->type + 1],
		    ev -> path, (int)ev -> removed, (int)ev -> added,
		    ev -> from == NULL	? ""
			  : ev->renamed ? " renamed "
					: " copied ",
		    ev->from == NULL ? "" : ev->from);
		return;
	case STAGE_EVENT_PROGRESS:
		if (x->meddle != NULL)
			x->meddle(x, x->progress++);
		return;
	}
}

static inline bool
stagefix_stop(void *ctx)
{
	struct stagefix *x = ctx;

	return ++x->polls == x->stop_at;
}

/* Add the drive of key pair `n` to the store. */
static inline void
stagefix_drive(struct stagefix *x, uint8_t n)
{
	static struct manifest m;
	struct sign_pair pair;
	struct b32 seed;

	memset(seed.b, n, sizeof(seed.b));
	check_ok(sign_pair_seed(&pair, &seed, &x->e), &x->e);
	manifest_single(&m, &pair.pub);
	manifest_key(&x->key, &m);
	check_ok(core_add(x->s, &m, &x->key, &pair, &x->e), &x->e);
	sign_pair_free(&pair);
}

static inline void
stagefix_open(struct stagefix *x)
{
	struct store_opts so = {.mode = STORE_CREATE};

	memset(x, 0, sizeof(*x));
	x->dir = vec_tmpdir();
	(void)snprintf(x->app, sizeof(x->app), "%s/app", x->dir);
	(void)snprintf(x->store_dir, sizeof(x->store_dir), "%s/store", x->dir);
	buf_init(&x->log, 1 << 20);
	buf_init(&x->warnings, 1 << 20);
	so.dir = x->store_dir;
	check_ok(store_open(&x->s, &so, &x->e), &x->e);
	stagefix_drive(x, 7);
	check_ok(file_mkdirs(x->app, 0755, &x->e), &x->e);
	fix_put(
	    x->app, "f package.json={\"name\":\"x\",\"version\":\"1.0.0\"}");
	x->o = (struct stage_opts){.store = x->s,
	    .key = x->key,
	    .dir = x->app,
	    .now = INT64_MAX / 2, /* no file is ever too young */
	    .stop = stagefix_stop,
	    .event = stagefix_event,
	    .ctx = x};
}

static inline void
stagefix_close(struct stagefix *x)
{
	store_close(x->s);
	buf_deinit(&x->log);
	buf_deinit(&x->warnings);
}

static inline enum err_code
stagefix_try(struct stagefix *x)
{
	enum err_code rc;

	buf_reset(&x->log);
	buf_reset(&x->warnings);
	x->polls = x->progress = 0;
	rc = drive_stage(&x->o, &x->r, &x->e);
	stage_report_deinit(&x->r);
	return rc;
}

/* Stage, and the lines it reported. */
static inline void
stagefix_expect(struct stagefix *x, const char *lines)
{
	check_ok(stagefix_try(x), &x->e);
	(void)buf_cstr(&x->log);
	assert_string_equal(
	    x->log.len == 0 ? "" : (const char *)x->log.data, lines);
}

/* Tree hashes of both cores as they are stored now. */
static inline void
stagefix_hashes(struct stagefix *x, struct b32 out[2])
{
	struct hyperdrive *d;

	check_ok(store_refresh(x->s, &x->e), &x->e);
	check_ok(hyperdrive_open(&d, x->s, &x->key, CORE_READ, &x->e), &x->e);
	out[0] = core_head(hyperdrive_db(d))->tree_hash;
	memset(&out[1], 0, sizeof(out[1]));
	if (hyperdrive_blobs(d) != NULL) {
		out[1] = core_head(hyperdrive_blobs(d))->tree_hash;
		check_ok(core_verify(hyperdrive_blobs(d), &x->e), &x->e);
	}
	check_ok(core_verify(hyperdrive_db(d), &x->e), &x->e);
	hyperdrive_close(d);
}

static inline void
stagefix_no_event(void *ctx, const struct dump_event *ev)
{
	(void)ctx, (void)ev;
}

/* Dump the drive into a folder beside the app. */
static inline enum err_code
stagefix_dump(struct stagefix *x, const char *name, struct dump_opts *more)
{
	char dir[1024];
	struct dump_report r;

	(void)snprintf(dir, sizeof(dir), "%s/%s", x->dir, name);
	more->store = x->s;
	more->key = x->key;
	more->dir = dir;
	if (more->event == NULL)
		more->event = stagefix_no_event;
	return drive_dump(more, &r, &x->e);
}

#endif
