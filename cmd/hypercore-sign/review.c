/* sign --review: what the request would release, before anything is asked. */
#include "cmd/common/common.h"
#include "cmd/common/review.h"
#include "cmd/common/signer.h"
#include "cmd/hypercore-sign/sign_cmd.h"

enum err_code
sign_cmd_check_review(const struct sign_cmd_opts *o, struct err *e)
{
	const struct {
		const char *name;
		bool given;
	} option[] = {{"--source", o->source != NULL},
	    {"--config", o->config != NULL}, {"--rebuild", o->rebuild != NULL},
	    {"--provenance", o->provenance != NULL},
	    {"--report", o->report != NULL},
	    {"--chunking", o->chunking != NULL}, {"--diff", o->diff},
	    {"--plain", o->plain}};

	for (size_t i = 0; i < sizeof(option) / sizeof(option[0]); i++)
		if (option[i].given && !o->review)
			return err_set(
			    e, ERR_USAGE, "%s needs --review", option[i].name);
	return ERR_OK;
}

/* Where the release is read: the link on the command line, or the config's
 * source. */
static enum err_code
find_source(struct b32 *out, const struct sign_cmd_opts *o,
    const struct config *cfg, const struct request *r, struct err *e)
{
	struct pear_link l;
	enum err_code rc;

	if (o->source == NULL && cfg != NULL && cfg->has_source) {
		*out = cfg->source;
		return ERR_OK;
	}
	if (o->source == NULL)
		return err_set(e, ERR_USAGE,
		    "--review needs --source, or a --config with srcKey");
	if ((rc = common_link(&l, o->source, e)) != ERR_OK)
		return rc;
	*out = l.key;
	if (!l.has_version || l.length == 0)
		return ERR_OK;
	if (l.length != r->length || l.fork != r->fork)
		return err_set(e, ERR_VERIFY,
		    "the request is for length %llu of fork %llu, the source "
		    "link for length %llu of fork %llu",
		    (unsigned long long)r->length, (unsigned long long)r->fork,
		    (unsigned long long)l.length, (unsigned long long)l.fork);
	if (l.has_hash && !b32_eq(&l.hash, &r->tree_hash))
		return err_set(e, ERR_VERIFY,
		    "the source link names another tree hash than the "
		    "request");
	return ERR_OK;
}

/* Names for the signers. Its warnings were given when the key was found. */
static enum err_code
open_book(struct keybook **out, struct cli *c, const struct sign_cmd_opts *o,
    struct err *e)
{
	struct keydir dir;
	enum err_code rc;

	if ((rc = signer_dir(&dir, c, o->dir, e)) != ERR_OK)
		return rc;
	dir.warn = NULL;
	rc = keybook_open(out, &dir, e);
	keydir_deinit(&dir);
	return rc;
}

enum err_code
sign_cmd_review(struct cli *c, struct cli_talk *t, const struct request *r,
    void *ctx, struct err *e)
{
	const struct sign_cmd_opts *o = ctx;
	const struct common_review how = {.rebuild = o->rebuild,
	    .provenance = o->provenance,
	    .report = o->report,
	    .chunking = o->chunking,
	    .diff = o->diff,
	    .plain = o->plain,
	    .talk = t};
	struct drives_request q = {.request = r};
	struct keybook *book = NULL;
	struct store *s = NULL;
	struct config cfg = {.file = NULL};
	enum err_code rc = ERR_OK;

	if (o->config != NULL &&
	    (rc = config_read(&cfg, o->config, e)) != ERR_OK)
		return rc;
	if (o->config != NULL)
		q.config = &cfg;
	if ((rc = find_source(&q.source, o, q.config, r, e)) == ERR_OK &&
	    (rc = open_book(&book, c, o, e)) == ERR_OK &&
	    (rc = common_store(&s, c, STORE_READ, e)) == ERR_OK) {
		q.store = s;
		q.book = book;
		rc = common_review(c, &how, &q, e);
	}
	store_close(s);
	keybook_close(book);
	config_deinit(&cfg);
	return rc;
}
