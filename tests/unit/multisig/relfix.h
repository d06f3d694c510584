/*
 * relfix: a source drive, a target that three people sign (two are enough),
 * and who claims to have what. The target begins empty, in the same store.
 */
#ifndef TESTS_MULTISIG_RELFIX_H
#define TESTS_MULTISIG_RELFIX_H

#include "tests/unit/hyperdrive/drivefix.h"

#include "multisig/release.h"

#define RELFIX_SIGNERS 3
#define RELFIX_EVENTS (RELEASE_WARNING + 1)
#define RELFIX_ASKED 32 /* questions that are kept */

struct relfix {
	struct drivefix src;
	struct config c;
	struct sign_pair pair[RELFIX_SIGNERS];
	struct release_opts o;
	struct request req;
	struct buf bytes;
	struct response res[8];
	size_t nres;
	struct release_report r;
	struct err e;
	unsigned seen[RELFIX_EVENTS];
	void (*on)(struct relfix *x, const struct release_event *ev);
	/* what peers say of the source, and of the target */
	struct peers peers;
	struct peers_answer of_source, of_target;
	struct peers_question question[RELFIX_ASKED];
	unsigned asked;
	unsigned stop_after; /* questions to peers; 0: never */
	bool stop;
};

static inline bool
relfix_stop(void *ctx)
{
	return ((struct relfix *)ctx)->stop;
}

static inline void
relfix_event(void *ctx, const struct release_event *ev)
{
	struct relfix *x = ctx;

	x->seen[ev->kind]++;
	if (x->on != NULL)
		x->on(x, ev);
}

static inline enum err_code
relfix_count(void *ctx, const struct peers_question *q,
    struct peers_answer *out, struct err *e)
{
	struct relfix *x = ctx;

	(void)e;
	if (x->asked < RELFIX_ASKED)
		x->question[x->asked] = *q;
	if (++x->asked == x->stop_after)
		x->stop = true;
	*out = b32_eq(&q->key, &x->c.key) || b32_eq(&q->key, &x->c.blobs_key)
		   ? x->of_target
		   : x->of_source;
	return ERR_OK;
}

static inline void
relfix_config(struct config *c, const struct sign_pair *pair, const char *ns)
{
	struct err e = ERR_INIT;
	struct b32 pub[RELFIX_SIGNERS];
	struct manifest m;

	for (size_t i = 0; i < RELFIX_SIGNERS; i++)
		pub[i] = pair[i].pub;
	memset(c, 0, sizeof(*c));
	check_ok(config_manifest(
		     &c->manifest, pub, RELFIX_SIGNERS, view_str(ns), 2, &e),
	    &e);
	c->type = CONFIG_TYPE_DRIVE;
	manifest_key(&c->key, &c->manifest);
	check_ok(manifest_blobs(&m, &c->manifest, &c->key, &e), &e);
	manifest_key(&c->blobs_key, &m);
}

/* Put files name0..., of `size` bytes each, into the source. */
static inline void
relfix_put(struct relfix *x, const char *name, size_t n, size_t size)
{
	char path[64];

	drivefix_begin(&x->src, BLOBS_SHARED);
	for (size_t i = 0; i < n; i++) {
		uint8_t *p =
		    prng(size, (uint32_t)(i + 1) * 77 + (uint32_t)name[1]);

		snprintf(path, sizeof(path), "%s%zu", name, i);
		drivefix_put(
		    &x->src, path, view_of(p, size), false, CHUNKER_FIXED);
		free(p);
	}
	drivefix_commit(&x->src);
}

static inline void
relfix_open(struct relfix *x)
{
	struct err e = ERR_INIT;
	struct b32 seed;

	memset(x, 0, sizeof(*x));
	drivefix_open(&x->src, 5);
	for (uint8_t i = 0; i < RELFIX_SIGNERS; i++) {
		memset(seed.b, i + 1, sizeof(seed.b));
		check_ok(sign_pair_seed(&x->pair[i], &seed, &e), &e);
	}
	relfix_config(&x->c, x->pair, "example/app");
	x->o = (struct release_opts)RELEASE_OPTS_DEFAULT;
	x->o.store = x->src.f.s;
	x->o.config = &x->c;
	x->o.source = x->src.f.key;
	x->o.min_peers = x->o.min_full = 0;
	x->o.timeout_ms = 0;
	x->o.event = relfix_event;
	x->o.stop = relfix_stop;
	x->o.ctx = x;
	x->peers = (struct peers){relfix_count, NULL, x};
	buf_init(&x->bytes, REQUEST_MAX);
	release_report_init(&x->r);
}

static inline void
relfix_close(struct relfix *x)
{
	release_report_deinit(&x->r);
	buf_deinit(&x->bytes);
	for (size_t i = 0; i < RELFIX_SIGNERS; i++)
		sign_pair_free(&x->pair[i]);
	drivefix_close(&x->src);
}

/* Ask for all of the source. */
static inline void
relfix_request(struct relfix *x)
{
	check_ok(
	    release_request(&x->o, 0, 3, &x->req, &x->bytes, &x->e), &x->e);
}

/* Seal what was changed by hand. */
static inline void
relfix_seal(struct relfix *x)
{
	buf_reset(&x->bytes);
	check_ok(request_seal(&x->req, &x->bytes, &x->e), &x->e);
}

/* The first n signers answer. */
static inline void
relfix_sign(struct relfix *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_ok(response_make(&x->res[i], &x->req, &x->pair[i], &x->e),
		    &x->e);
	x->nres = n;
}

static inline enum err_code
relfix_run(struct relfix *x)
{
	release_report_deinit(&x->r);
	release_report_init(&x->r);
	x->e = (struct err)ERR_INIT;
	memset(x->seen, 0, sizeof(x->seen));
	x->asked = 0;
	return release_run(
	    &x->o, &x->req, buf_view(&x->bytes), x->res, x->nres, &x->r, &x->e);
}

static inline enum err_code
relfix_verify(struct relfix *x)
{
	enum err_code rc;

	x->o.dry_run = true;
	rc = relfix_run(x);
	x->o.dry_run = false;
	return rc;
}

/* Request, sign by two, commit. */
static inline void
relfix_release(struct relfix *x, bool first)
{
	relfix_request(x);
	relfix_sign(x, 2);
	x->o.first_commit = first;
	check_ok(relfix_run(x), &x->e);
	check(x->r.committed && !x->r.already);
	x->o.first_commit = false;
}

/* Length of a core of the store; 0 if it is not there. */
static inline uint64_t
relfix_length(struct relfix *x, const struct b32 *key)
{
	struct err e = ERR_INIT;
	struct core *c = NULL;
	uint64_t n;

	check_ok(store_refresh(x->o.store, &e), &e);
	if (core_open(&c, x->o.store, key, CORE_READ, &e) == ERR_NOT_FOUND)
		return 0;
	check(c != NULL);
	n = core_head(c)->length;
	core_close(c);
	return n;
}

/* The target's core `key` holds exactly this, every block of it, signed. */
static inline void
relfix_expect(struct relfix *x, const struct b32 *key, uint64_t length,
    const struct b32 *hash)
{
	struct err e = ERR_INIT;
	struct core *c = NULL;

	check_ok(store_refresh(x->o.store, &e), &e);
	check_ok(core_open(&c, x->o.store, key, CORE_READ, &e), &e);
	check(core_head(c)->length == length);
	check(core_head(c)->contiguous == length);
	check(b32_eq(&core_head(c)->tree_hash, hash));
	check_ok(core_verify(c, &e), &e);
	core_close(c);
}

static inline void
relfix_expect_released(struct relfix *x)
{
	relfix_expect(x, &x->c.key, x->req.length, &x->req.tree_hash);
	relfix_expect(
	    x, &x->c.blobs_key, x->req.blobs_length, &x->req.blobs_tree_hash);
}

static inline bool
relfix_journal(struct relfix *x)
{
	struct err e = ERR_INIT;
	struct journal j;

	check_ok(store_refresh(x->o.store, &e), &e);
	if (journal_read(&j, x->o.store, &x->c.key, &e) == ERR_NOT_FOUND)
		return false;
	journal_deinit(&j);
	return true;
}

/* Both verify and commit refuse with this code and tag. */
static inline void
relfix_expect_refused(struct relfix *x, enum err_code code, const char *tag)
{
	uint64_t had = relfix_length(x, &x->c.key);
	char start[64];

	snprintf(start, sizeof(start), "%s: ", tag);
	for (int dry = 1; dry >= 0; dry--) {
		if ((dry ? relfix_verify(x) : relfix_run(x)) != code ||
		    strcmp(x->e.tag, tag) != 0)
			fprintf(stderr, "want %s, got %s [%s]\n", tag, x->e.msg,
			    x->e.tag);
		check(x->e.code == code);
		check(strcmp(x->e.tag, tag) == 0);
		check(strncmp(x->e.msg, start, strlen(start)) == 0);
		check(strstr(x->e.msg, ":  ") == NULL);
		check(!x->r.committed && !relfix_journal(x));
		check(relfix_length(x, &x->c.key) == had);
	}
}

/* A source of two files, a request for all of it, signed. */
static inline void
relfix_begin(struct relfix *x)
{
	relfix_open(x);
	relfix_put(x, "/a", 2, 1000);
	relfix_request(x);
	relfix_sign(x, 2);
	x->o.first_commit = true;
}

#endif
