#include "drive/dump_open.h"

#include "codec/hex.h"
#include "codec/z32.h"
#include "drive/need.h"

static enum err_code
check_version(struct core *db, const struct dump_opts *opts, struct err *e)
{
	const struct core_head *h = core_head(db);
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	if (opts->has_fork && opts->fork != h->fork)
		return err_set(e, ERR_CONFLICT,
		    "the drive has fork %llu, the link asks for fork %llu",
		    (unsigned long long)h->fork,
		    (unsigned long long)opts->fork);
	if (!opts->has_checkout || opts->checkout == h->length)
		return ERR_OK;
	if (opts->checkout > h->length)
		return err_set(e, ERR_PEERS,
		    "length %llu is not in this store, only %llu",
		    (unsigned long long)opts->checkout,
		    (unsigned long long)h->length);
	do
		rc = bee_check_version(db, opts->checkout, &w, e);
	while (need_again(opts->fetch, &rc, &w, e));
	return rc;
}

static enum err_code
check_hash(
    const struct dump_opts *opts, const struct dump_report *r, struct err *e)
{
	char want[65], got[65];

	if (!opts->has_hash || b32_eq(&opts->hash, &r->tree_hash))
		return ERR_OK;
	return err_set(e, ERR_VERIFY,
	    "length %llu has tree hash %s, the link says %s",
	    (unsigned long long)r->length, hex_b32(got, &r->tree_hash),
	    hex_b32(want, &opts->hash));
}

static enum err_code
note(struct dump_report *r, struct core *db, uint64_t version,
    const struct fetch *f, struct err *e)
{
	enum err_code rc;
	struct tree tree;
	struct want w = {.kind = WANT_BLOCK};

	r->key = *core_key(db);
	r->fork = core_head(db)->fork;
	r->length = version;
	do
		rc = core_tree_at(db, version, &tree, &w, e);
	while (need_again(f, &rc, &w, e));
	if (rc == ERR_OK)
		tree_hash(&tree, &r->tree_hash);
	return rc;
}

/* Blocks that can be fetched may tell where the contents are. A listing needs
 * none of them, so that not knowing is no error yet. */
static enum err_code
find_contents(struct hyperdrive *d, const struct fetch *f, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	if (f == NULL || hyperdrive_blobs(d) != NULL ||
	    core_head(hyperdrive_db(d))->length == 0)
		return ERR_OK;
	do
		rc = hyperdrive_find_blobs(d, &w, e);
	while (need_again(f, &rc, &w, e));
	return rc;
}

enum err_code
dump_open(struct dump_source *out, const struct dump_opts *opts,
    struct dump_report *r, struct err *e)
{
	struct dump_source s = {NULL, NULL};
	char key[Z32_KEY_LEN + 1];
	uint64_t version;
	enum err_code rc;
	struct core *db;

	*r = (struct dump_report){.key = opts->key};
	rc = hyperdrive_open(&s.drive, opts->store, &opts->key, CORE_READ, e);
	if (rc == ERR_NOT_FOUND) {
		rc = err_set(e, ERR_PEERS,
		    "drive %s, or a part of it, is not in this store",
		    z32_key(key, &opts->key));
		return e == NULL ? rc : err_tag(e, "ERR_NOT_FOUND");
	}
	if (rc != ERR_OK)
		return rc;
	db = hyperdrive_db(s.drive);
	if (!opts->has_checkout && core_head(db)->length == 0 &&
	    !core_writable(db)) {
		dump_close(&s);
		return err_set(e, ERR_PEERS,
		    "nothing of drive %s is in this store yet",
		    z32_key(key, &opts->key));
	}
	version = opts->has_checkout ? opts->checkout : core_head(db)->length;
	if ((rc = check_version(db, opts, e)) != ERR_OK ||
	    (rc = note(r, db, version, opts->fetch, e)) != ERR_OK ||
	    (rc = check_hash(opts, r, e)) != ERR_OK ||
	    (rc = find_contents(s.drive, opts->fetch, e)) != ERR_OK ||
	    (rc = hyperdrive_at(s.drive, version, &s.at, e)) != ERR_OK) {
		dump_close(&s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

void
dump_close(struct dump_source *s)
{
	bee_close(s->at);
	hyperdrive_close(s->drive);
	*s = (struct dump_source){NULL, NULL};
}
