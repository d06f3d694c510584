/* provfix: a store with a staged drive, targets and a production, for the
 * tests of provision. Production gets its blocks as a quorum would give them:
 * copied from a target. */
#ifndef TESTS_DRIVE_PROVFIX_H
#define TESTS_DRIVE_PROVFIX_H

#include "stagefix.h"

#include "drive/provision.h"

struct provfix {
	struct stagefix st; /* drive 7 is the staged one */
	struct b32 stage;
	struct provision_opts o;
	struct provision_report r;
	struct buf log; /* one line for each event */
	size_t asked;	/* calls of proceed */
	bool refuse;
	size_t polls, stop_at; /* stop_at 0 = never */
	struct err e;
};

static inline void
provfix_event(void *ctx, const struct provision_event *ev)
{
	struct provfix *x = ctx;

	switch (ev->kind) {
	case PROVISION_EVENT_DIFF:
		buf_printf(&x->log, "%c %s %d %d %d\n", "-~+"[ev->type + 1],
		    ev -> path, (int)ev -> removed, (int)ev -> added,
		    (int)ev -> stored);
		return;
	case PROVISION_EVENT_SYNCED:
		buf_printf(&x->log, "%s %d/%d\n", ev->what, (int)ev->done,
		    (int)ev->total);
		return;
	case PROVISION_EVENT_DIFFED:
		buf_str(&x->log, "diffed\n");
		return;
	case PROVISION_EVENT_STAGED:
		buf_str(&x->log, "staged\n");
		return;
	case PROVISION_EVENT_SETTING:
		buf_printf(&x->log, "set %s\n", ev->field);
		return;
	case PROVISION_EVENT_UNSETTING:
		buf_printf(&x->log, "unset %s\n", ev->field);
		return;
	case PROVISION_EVENT_SYNCING:
	case PROVISION_EVENT_BLOCKS:
	case PROVISION_EVENT_DIFFING:
	case PROVISION_EVENT_STAGING:
	case PROVISION_EVENT_PROGRESS:
		return;
	}
}

static inline bool
provfix_proceed(void *ctx)
{
	struct provfix *x = ctx;

	x->asked++;
	return !x->refuse;
}

static inline bool
provfix_stop(void *ctx)
{
	struct provfix *x = ctx;

	return ++x->polls == x->stop_at;
}

/* A drive of key pair n; the key. */
static inline struct b32
provfix_drive(struct provfix *x, uint8_t n)
{
	stagefix_drive(&x->st, n);
	check_ok(store_refresh(x->st.s, &x->e), &x->e);
	return x->st.key;
}

static inline struct pear_link
provfix_link(const struct b32 *key, uint64_t length)
{
	struct pear_link l;

	pear_link_init(&l, key);
	l.has_version = true;
	l.length = length;
	return l;
}

static inline void
provfix_open(struct provfix *x)
{
	memset(x, 0, sizeof(*x));
	stagefix_open(&x->st);
	x->stage = x->st.key;
	buf_init(&x->log, 1 << 20);
	x->o = (struct provision_opts){.store = x->st.s,
	    .proceed = provfix_proceed,
	    .stop = provfix_stop,
	    .event = provfix_event,
	    .ctx = x};
	x->o.source = provfix_link(&x->stage, 0);
}

static inline void
provfix_close(struct provfix *x)
{
	buf_deinit(&x->log);
	stagefix_close(&x->st);
}

/* Stage the folder of the fixture. */
static inline void
provfix_stage(struct provfix *x)
{
	x->st.o.key = x->stage;
	check_ok(stagefix_try(&x->st), &x->st.e);
	check_ok(store_refresh(x->st.s, &x->e), &x->e);
}

/* Production is 0.0 of a key that nobody knows, or `key` at its head. */
static inline void
provfix_production(struct provfix *x, const struct b32 *key)
{
	struct core *c;

	if (key == NULL) {
		struct b32 none = {{99}};

		x->o.production = provfix_link(&none, 0);
		return;
	}
	check_ok(core_open(&c, x->st.s, key, CORE_READ, &x->e), &x->e);
	x->o.production = provfix_link(key, core_head(c)->length);
	core_close(c);
}

static inline enum err_code
provfix_try(struct provfix *x)
{
	enum err_code rc;

	buf_reset(&x->log);
	x->polls = x->asked = 0;
	x->e = (struct err)ERR_INIT;
	rc = drive_provision(&x->o, &x->r, &x->e);
	provision_report_deinit(&x->r);
	(void)buf_cstr(&x->log);
	return rc;
}

/* Provision to a target. */
static inline void
provfix_run(struct provfix *x, const struct b32 *target)
{
	x->o.target = *target;
	check_ok(provfix_try(x), &x->e);
}

static inline const char *
provfix_log(struct provfix *x)
{
	return x->log.len == 0 ? "" : (const char *)x->log.data;
}

/* What a drive is now. */
struct provfix_state {
	struct core_head db, blobs;
};

static inline struct provfix_state
provfix_state(struct provfix *x, const struct b32 *key)
{
	struct provfix_state st;
	struct hyperdrive *d;

	memset(&st, 0, sizeof(st));
	check_ok(store_refresh(x->st.s, &x->e), &x->e);
	check_ok(hyperdrive_open(&d, x->st.s, key, CORE_READ, &x->e), &x->e);
	st.db = *core_head(hyperdrive_db(d));
	check_ok(core_verify(hyperdrive_db(d), &x->e), &x->e);
	if (hyperdrive_blobs(d) != NULL) {
		st.blobs = *core_head(hyperdrive_blobs(d));
		check_ok(core_verify(hyperdrive_blobs(d), &x->e), &x->e);
	}
	hyperdrive_close(d);
	return st;
}

static inline void
check_same_state(struct provfix_state a, struct provfix_state b)
{
	check(a.db.length == b.db.length);
	check(b32_eq(&a.db.tree_hash, &b.db.tree_hash));
	check(a.blobs.length == b.blobs.length);
	if (a.blobs.length > 0)
		check(b32_eq(&a.blobs.tree_hash, &b.blobs.tree_hash));
}

/* Every block of one drive that another lacks: what a quorum signs. */
static inline void
provfix_release(struct provfix *x, const struct b32 *from, const struct b32 *to)
{
	struct hyperdrive_batch *hb;
	struct core_batch *db, *blobs;
	struct hyperdrive *s, *d;
	struct want w;

	check_ok(hyperdrive_open(&s, x->st.s, from, CORE_READ, &x->e), &x->e);
	check_ok(hyperdrive_open(&d, x->st.s, to, CORE_WRITE, &x->e), &x->e);
	check_ok(
	    hyperdrive_batch_new(&hb, d, CORE_BATCH_REAL, BLOBS_PLAIN, &x->e),
	    &x->e);
	db = hyperdrive_batch_cores(hb, &blobs);
	check_ok(core_batch_copy(db, hyperdrive_db(s),
		     core_head(hyperdrive_db(s))->length, &w, &x->e),
	    &x->e);
	check_ok(core_batch_copy(blobs, hyperdrive_blobs(s),
		     core_head(hyperdrive_blobs(s))->length, &w, &x->e),
	    &x->e);
	check_ok(hyperdrive_batch_commit(hb, NULL, NULL, &x->e), &x->e);
	hyperdrive_batch_free(hb);
	hyperdrive_close(s);
	hyperdrive_close(d);
}

/* The entry of a drive as it is now, its value as text. */
static inline void
provfix_values(struct provfix *x, const struct b32 *key, struct buf *out)
{
	struct bee_range range = BEE_RANGE_ALL;
	struct bee_entry en;
	struct bee_iter *it;
	struct hyperdrive *d;
	struct bee *at;
	struct want w;
	bool more;

	check_ok(hyperdrive_open(&d, x->st.s, key, CORE_READ, &x->e), &x->e);
	check_ok(
	    hyperdrive_at(d, core_head(hyperdrive_db(d))->length, &at, &x->e),
	    &x->e);
	check_ok(bee_iter_open(&it, at, &range, &x->e), &x->e);
	for (;;) {
		check_ok(bee_iter_next(it, &more, &en, &w, &x->e), &x->e);
		if (!more)
			break;
		buf_append(out, en.key);
		buf_byte(out, '=');
		buf_append(out, en.value);
		buf_byte(out, '\n');
	}
	bee_iter_close(it);
	bee_close(at);
	hyperdrive_close(d);
	check_ok(buf_check(out, &x->e), &x->e);
}

/* One raw key of a drive, or with json NULL none. */
static inline void
provfix_raw(struct provfix *x, const struct b32 *key, struct view name,
    const char *json)
{
	struct hyperdrive_batch *hb;
	struct hyperdrive *d;
	struct want w;
	json_t *v =
	    json == NULL ? NULL : json_loads(json, JSON_DECODE_ANY, NULL);

	check_ok(hyperdrive_open(&d, x->st.s, key, CORE_WRITE, &x->e), &x->e);
	check_ok(
	    hyperdrive_batch_new(&hb, d, CORE_BATCH_REAL, BLOBS_SHARED, &x->e),
	    &x->e);
	check_ok(hyperdrive_batch_field(hb, name, v, &w, &x->e), &x->e);
	check_ok(hyperdrive_batch_commit(hb, NULL, NULL, &x->e), &x->e);
	hyperdrive_batch_free(hb);
	hyperdrive_close(d);
	json_decref(v);
}

/* What is staged first, and next. */
static inline void
provfix_first(struct provfix *x)
{
	fix_put(x->st.app, "f a.txt=alpha\nx bin/run=#!/bin/sh\nf z=\n"
			   "l link=a.txt\nf old=gone soon");
	provfix_stage(x);
}

static inline void
provfix_second(struct provfix *x)
{
	fix_remove(x->st.app, "old");
	fix_remove(x->st.app, "link");
	fix_put(x->st.app,
	    "f a.txt=beta\nf copy=alpha\nl link=bin/run\nf bin/run=#!/bin/sh");
	fix_put(
	    x->st.app, "f package.json={\"name\":\"x\",\"version\":\"1.0.1\"}");
	provfix_stage(x);
}

#endif
