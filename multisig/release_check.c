/* The checks of commands.md 9.4, 9.6 and 9.9, before anything is written. */
#include <string.h>

#include "codec/hex.h"
#include "codec/z32.h"
#include "multisig/release_impl.h"

#define ull(n) ((unsigned long long)(n))

enum err_code
release_check_length(
    const struct release_line *l, uint64_t length, struct err *e)
{
	uint64_t has = l->source == NULL ? 0 : core_head(l->source)->length;

	if (has >= length && l->source != NULL)
		return ERR_OK;
	return release_code(e, ERR_PEERS, "SOURCE_CORE_TOO_SMALL", l->id,
	    "Source core is smaller than the requested length of %llu",
	    ull(length));
}

enum err_code
release_check_version(const struct release *run, struct err *e)
{
	const struct release_opts *o = run->o;
	uint64_t fork = core_head(run->line[0].source)->fork;

	if (!o->has_source_version || o->source_fork == fork)
		return ERR_OK;
	return release_code(e, ERR_CONFLICT, "FORK_MISMATCH", NULL,
	    "the link names fork %llu of the source, it has fork %llu",
	    ull(o->source_fork), ull(fork));
}

static enum err_code
ask(struct release *run, const struct b32 *key, uint64_t length,
    struct peers_answer *a, struct err *e)
{
	const struct release_opts *o = run->o;
	struct peers_question q = {.key = *key,
	    .length = length,
	    .until = PEERS_ENOUGH,
	    .want_peers = o->min_peers,
	    .want_full = o->min_full,
	    .timeout_ms = o->timeout_ms};

	return peers_count(o->peers, &q, a, e);
}

enum err_code
release_check_seeded(
    struct release *run, const struct release_line *l, struct err *e)
{
	const struct release_opts *o = run->o;
	struct peers_answer a;
	enum err_code rc;

	if (o->min_peers == 0 && o->min_full == 0)
		return ERR_OK;
	rc = ask(run, core_key(l->source), l->length, &a, e);
	if (rc != ERR_OK)
		return rc;
	if (a.peers < o->min_peers)
		return release_code(e, ERR_PEERS,
		    "SOURCE_CORE_INSUFFICIENT_PEERS", NULL,
		    "Source core is not well seeded (%llu/%llu peers)",
		    ull(a.peers), ull(o->min_peers));
	if (a.full < o->min_full)
		return release_code(e, ERR_PEERS,
		    "SOURCE_CORE_NOT_FULLY_SEEDED", l->id,
		    "Source core is not yet fully downloaded by sufficient "
		    "seeders (%llu/%llu)",
		    ull(a.full), ull(o->min_full));
	return ERR_OK;
}

/* -- the request ------------------------------------------------------------- */

static enum err_code
check_meant(struct release *run, const struct request *req, struct err *e)
{
	const struct config *c = run->o->config;
	char theirs[Z32_KEY_LEN + 1], ours[Z32_KEY_LEN + 1];
	bool drive = req->kind == REQUEST_DRIVE;

	if (!b32_eq(&req->key, &c->key))
		return release_code(e, ERR_VERIFY, "REQUEST_FOR_OTHER_KEY",
		    NULL, "the request is for %s, the config for %s",
		    z32_key(theirs, &req->key), z32_key(ours, &c->key));
	if (drive != (run->o->kind == REQUEST_DRIVE))
		return release_code(e, ERR_VERIFY, "TYPE_MISMATCH", NULL,
		    "the request is for a %s, the config for a %s",
		    drive ? "drive" : "core", drive ? "core" : "drive");
	for (size_t i = 0; i < run->n; i++) {
		uint64_t fork = release_target_fork(&run->line[i]);

		if (req->fork != fork)
			return release_code(e, ERR_CONFLICT, "FORK_MISMATCH",
			    NULL,
			    "the request is for fork %llu, the target has "
			    "fork %llu: its signatures could never hold",
			    ull(req->fork), ull(fork));
	}
	return ERR_OK;
}

/* Row 2: the source is what the request was made of. */
static enum err_code
check_source(struct release *run, struct release_line *l, struct err *e)
{
	char has[65], wants[65];
	struct b32 hash;
	enum err_code rc;

	if ((rc = release_check_length(l, l->length, e)) != ERR_OK ||
	    (rc = release_tree_at(run, l->source, l->length, &l->tree, e)) !=
		ERR_OK)
		return rc;
	tree_hash(&l->tree, &hash);
	if (b32_eq(&hash, &l->tree_hash))
		return ERR_OK;
	return release_code(e, ERR_VERIFY, "SRC_KEY_MISMATCH", l->id,
	    "Mismatch between request srcKey and config srcKey: at length "
	    "%llu the source has tree hash %s, the request %s",
	    ull(l->length), hex_b32(has, &hash), hex_b32(wants, &l->tree_hash));
}

static enum err_code
find_done(struct release *run, struct release_line *l, struct err *e)
{
	struct tree t;
	struct b32 hash;
	enum err_code rc;

	if (release_target_length(l) < l->length)
		return ERR_OK;
	if (l->length == 0) {
		l->done = true;
		return ERR_OK;
	}
	rc = release_tree_at(run, l->target, l->length, &t, e);
	if (rc != ERR_OK)
		return rc;
	tree_hash(&t, &hash);
	l->done = b32_eq(&hash, &l->tree_hash);
	return ERR_OK;
}

static enum err_code
check_contents(struct release *run, const struct request *req, struct err *e)
{
	uint64_t need = 0;
	enum err_code rc;

	rc = release_blobs_length(run, req->length, &need, e);
	if (rc != ERR_OK)
		return rc;
	if (need == req->blobs_length)
		return ERR_OK;
	return err_set(e, ERR_VERIFY,
	    "the request covers %llu blocks of contents, its metadata needs "
	    "%llu",
	    ull(req->blobs_length), ull(need));
}

enum err_code
release_check_request(
    struct release *run, const struct request *req, struct err *e)
{
	enum err_code rc = check_meant(run, req, e);

	run->line[0].length = req->length;
	run->line[0].tree_hash = req->tree_hash;
	run->line[1].length = req->blobs_length;
	run->line[1].tree_hash = req->blobs_tree_hash;
	for (size_t i = 0; rc == ERR_OK && i < run->n; i++)
		if ((rc = check_source(run, &run->line[i], e)) == ERR_OK)
			rc = find_done(run, &run->line[i], e);
	if (rc == ERR_OK && run->n == 2)
		rc = check_contents(run, req, e);
	return rc;
}

/* -- the target -------------------------------------------------------------- */

enum err_code
release_check_prefix(
    struct release *run, const struct release_line *l, struct err *e)
{
	uint64_t at = release_target_length(l);
	char has[65], source[65];
	struct b32 a, b;
	struct tree t;
	enum err_code rc;

	if (at == 0 || l->done)
		return ERR_OK;
	if (at > l->length)
		at = l->length;
	if ((rc = release_tree_at(run, l->target, at, &t, e)) != ERR_OK)
		return rc;
	tree_hash(&t, &a);
	if ((rc = release_tree_at(run, l->source, at, &t, e)) != ERR_OK)
		return rc;
	tree_hash(&t, &b);
	if (b32_eq(&a, &b))
		return ERR_OK;
	return release_code(e, ERR_CONFLICT, "INCOMPATIBLE_SOURCE_AND_TARGET",
	    l->id,
	    "Target core contains different data from the source core. "
	    "Committing this signing request will corrupt your core. At "
	    "length %llu the target has tree hash %s, the source %s; "
	    "provision again on top of the newest production",
	    ull(at), hex_b32(has, &a), hex_b32(source, &b));
}

/* Does anybody have blocks of a target that is empty here? Whoever can be
 * found is asked; only for metadata, which no release can be without. */
static enum err_code
look(struct release *run, const struct release_line *l, struct peers_answer *a,
    struct err *e)
{
	struct peers_question q = {
	    .key = l->key, .until = PEERS_KNOWN, .timeout_ms = run->o->look_ms};

	return peers_count(run->o->peers, &q, a, e);
}

/* Row 6. Another machine may know a target that is empty here. */
static enum err_code
check_first(struct release *run, const struct release_line *l, struct err *e)
{
	struct peers_answer a = {0, 0, 0, 0};
	enum err_code rc = ERR_OK;

	if (run->resumed)
		return release_check_prefix(run, l, e);
	if (release_target_length(l) == 0 && l == &run->line[0])
		rc = look(run, l, &a, e);
	if (rc != ERR_OK)
		return rc;
	if (release_target_length(l) == 0 && a.longest == 0)
		return ERR_OK;
	return release_code(e, ERR_CONFLICT, "TARGET_NOT_EMPTY", NULL,
	    "Target core is not empty, so you should not skip those checks "
	    "(%llu blocks here, %llu at a peer)",
	    ull(release_target_length(l)), ull(a.longest));
}

/* Ask who has the target; if that is longer elsewhere, catch up first, and
 * ask again. */
static enum err_code
ask_target(struct release *run, struct release_line *l, struct peers_answer *a,
    struct err *e)
{
	uint64_t length = release_target_length(l);
	enum err_code rc;

	if ((rc = ask(run, &l->key, length, a, e)) != ERR_OK ||
	    a->longest <= length)
		return rc;
	if ((rc = release_update_target(run, l, a->longest, e)) != ERR_OK ||
	    (rc = find_done(run, l, e)) != ERR_OK || l->done)
		return rc;
	if (release_target_length(l) < a->longest)
		return release_code(e, ERR_PEERS,
		    "TARGET_CORE_INSUFFICIENT_PEERS", l->id,
		    "Peers have %llu blocks of the target, here are only "
		    "%llu: get the target from its seeders first",
		    ull(a->longest), ull(release_target_length(l)));
	return ask(run, &l->key, release_target_length(l), a, e);
}

/* Nothing is known of the target, and nobody said that this is right. */
static enum err_code
unknown_target(struct release *run, const struct peers_answer *a, struct err *e)
{
	uint64_t min = run->o->min_peers;

	return release_code(e, ERR_PEERS, "TARGET_CORE_INSUFFICIENT_PEERS",
	    run->line[0].id,
	    "Target core is not well seeded (%llu/%llu peers). This store "
	    "holds nothing of it: pass --first-commit if this is its first "
	    "release, else get the target from its seeders first",
	    ull(a->peers), ull(min > 0 ? min : 1));
}

/* Peers that follow the target and hold nothing of it: nothing was released
 * yet. One alone proves nothing, it may be as new as this machine. */
static enum err_code
find_first(struct release *run, const struct release_line *l, struct err *e)
{
	const struct release_opts *o = run->o;
	struct peers_answer a;
	enum err_code rc;

	if ((rc = look(run, l, &a, e)) != ERR_OK)
		return rc;
	if (a.longest > 0 || o->min_peers == 0 || a.told < o->min_peers)
		return unknown_target(run, &a, e);
	run->first = true;
	release_tell(o, &(struct release_event){.kind = RELEASE_FIRST});
	return ERR_OK;
}

/* Rows 7 to 9. Contents may well be empty where metadata is not. */
static enum err_code
check_target(struct release *run, struct release_line *l, struct err *e)
{
	const struct release_opts *o = run->o;
	struct peers_answer a;
	enum err_code rc;

	if ((rc = ask_target(run, l, &a, e)) != ERR_OK || l->done)
		return rc;
	if (l == &run->line[0] && release_target_length(l) == 0)
		return o->find_first ? find_first(run, l, e)
				     : unknown_target(run, &a, e);
	if (a.peers < o->min_peers)
		return release_code(e, ERR_PEERS,
		    "TARGET_CORE_INSUFFICIENT_PEERS", l->id,
		    "Target core is not well seeded (%llu/%llu peers)",
		    ull(a.peers), ull(o->min_peers));
	if ((rc = release_check_prefix(run, l, e)) != ERR_OK)
		return rc;
	if (o->skip_target_well_seeded || a.full >= o->min_full)
		return ERR_OK;
	return release_code(e, ERR_PEERS, "TARGET_CORE_NOT_FULLY_SEEDED", l->id,
	    "Target core is not yet fully downloaded by sufficient seeders "
	    "(%llu/%llu)",
	    ull(a.full), ull(o->min_full));
}

/* Row 3. */
static enum err_code
check_size(const struct release_line *l, struct err *e)
{
	if (release_target_length(l) <= core_head(l->source)->length)
		return ERR_OK;
	return release_code(e, ERR_CONFLICT, "TARGET_CORE_TOO_BIG", NULL,
	    "The target core already has higher length than the source core. "
	    "Committing this signing request will most likely corrupt your "
	    "core");
}

/* A line that is done has nothing left to go wrong at the target. */
static enum err_code
check_line(struct release *run, struct release_line *l, struct err *e)
{
	enum err_code rc;

	if (l->done)
		return ERR_OK;
	if ((rc = check_size(l, e)) != ERR_OK ||
	    (rc = release_check_seeded(run, l, e)) != ERR_OK)
		return rc;
	return run->first ? check_first(run, l, e) : check_target(run, l, e);
}

enum err_code
release_check_committable(struct release *run, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < run->n; i++)
		rc = check_line(run, &run->line[i], e);
	return rc;
}
