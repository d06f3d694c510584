/* What a request says, and who is asked to sign it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/z32.h"
#include "pear/link.h"
#include "review/drives_impl.h"

/* -- facts ------------------------------------------------------------------- */

static enum err_code
fact(struct drives_run *run, const char *name, const char *value, struct err *e)
{
	return review_fact(run->r, name, view_str(value), e);
}

static enum err_code
fact_hash(struct drives_run *run, const char *name, const struct b32 *hash,
    struct err *e)
{
	char hex[65];

	return fact(run, name, hex_b32(hex, hash), e);
}

static enum err_code
fact_number(struct drives_run *run, const char *name, uint64_t n, struct err *e)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, n);
	return fact(run, name, text, e);
}

/* Signers of one link share a namespace; each has its own in a manifest. */
static enum err_code
fact_namespace(struct drives_run *run, struct err *e)
{
	const struct manifest *m = &run->q->request->manifest;
	enum err_code rc;

	for (size_t i = 1; i < m->nsigners; i++)
		if (!b32_eq(&m->signer[i].ns, &m->signer[0].ns))
			return fact(run, "Namespace", "several", e);
	if (m->nsigners == 0)
		return ERR_OK;
	if (run->q->config != NULL && run->q->config->ns != NULL &&
	    b32_eq(&run->q->config->key, &run->q->request->key)) {
		rc = fact(run, "Namespace", run->q->config->ns, e);
		if (rc != ERR_OK)
			return rc;
	}
	return fact_hash(run, "Namespace hash", &m->signer[0].ns, e);
}

static enum err_code
fact_cores(struct drives_run *run, struct err *e)
{
	const struct request *q = run->q->request;
	enum err_code rc;

	if ((rc = fact_number(run, "Fork", q->fork, e)) != ERR_OK ||
	    (rc = fact_number(run, "Length", q->length, e)) != ERR_OK ||
	    (rc = fact_hash(run, "Tree hash", &q->tree_hash, e)) != ERR_OK ||
	    q->kind == REQUEST_CORE ||
	    (rc = fact_number(run, "Length of contents", q->blobs_length, e)) !=
		ERR_OK)
		return rc;
	return fact_hash(run, "Tree hash of contents", &q->blobs_tree_hash, e);
}

enum err_code
drives_facts(struct drives_run *run, struct err *e)
{
	const struct request *q = run->q->request;
	const bool drive = q->kind == REQUEST_DRIVE;
	char key[Z32_KEY_LEN + 1], quorum[64];
	char link[PEAR_LINK_TEXT_MAX];
	enum err_code rc;

	(void)snprintf(quorum, sizeof(quorum), "%" PRIu64 " of %zu",
	    q->manifest.quorum, q->manifest.nsigners);
	if ((rc = review_title(run->r, e, "Request to release %s",
		 pear_link_verlink(link, q->fork, q->length, &q->key))) !=
		ERR_OK ||
	    (rc = fact_hash(run, "Request", &q->hash, e)) != ERR_OK ||
	    (rc = fact_number(run, "Request version", q->version, e)) !=
		ERR_OK ||
	    (rc = fact(run, "Kind", drive ? "drive" : "core", e)) != ERR_OK ||
	    (rc = fact(run, "Target", z32_key(key, &q->key), e)) != ERR_OK ||
	    (rc = fact(run, "Source", z32_key(key, &run->q->source), e)) !=
		ERR_OK ||
	    (rc = fact_cores(run, e)) != ERR_OK ||
	    (rc = fact(run, "Quorum", quorum, e)) != ERR_OK)
		return rc;
	return fact_namespace(run, e);
}

/* -- signers ----------------------------------------------------------------- */

static enum err_code
look_up(struct drives_run *run, size_t *unknown, size_t *own, struct err *e)
{
	const struct manifest *m = &run->q->request->manifest;
	const struct keybook *book = run->q->book;
	char name[32], key[Z32_KEY_LEN + 1];
	char text[KEYDIR_NAME_MAX + Z32_KEY_LEN + 32];
	enum err_code rc = ERR_OK;

	*unknown = *own = 0;
	for (size_t i = 0; rc == ERR_OK && i < m->nsigners; i++) {
		const struct b32 *pub = &m->signer[i].pub;
		const char *known =
		    book == NULL ? NULL : keybook_name(book, pub);
		bool mine = book != NULL && keybook_own(book, pub);

		*unknown += known == NULL;
		*own += mine;
		(void)snprintf(name, sizeof(name), "Signer %zu", i + 1);
		(void)snprintf(text, sizeof(text), "%s%s%s%s",
		    known != NULL ? known : "", known != NULL ? " " : "",
		    z32_key(key, pub), mine ? " (you)" : "");
		rc = fact(run, name, text, e);
	}
	return rc;
}

static enum err_code
check_names(struct drives_run *run, struct err *e)
{
	const size_t n = run->q->request->manifest.nsigners;
	size_t unknown, own;
	enum err_code rc = look_up(run, &unknown, &own, e);

	if (rc != ERR_OK || run->q->book == NULL)
		return rc;
	if (unknown > 0)
		rc = review_find(run->r, REVIEW_WARN, e,
		    "%zu of %zu signers %s not in your address book", unknown,
		    n, unknown == 1 ? "is" : "are");
	else
		rc = review_find(run->r, REVIEW_GOOD, e,
		    "all signers are in your address book");
	if (rc == ERR_OK && own == 0)
		rc = review_find(
		    run->r, REVIEW_WARN, e, "none of the signers is you");
	return rc;
}

/* -- config ------------------------------------------------------------------ */

static bool
has_signer(const struct manifest *m, const struct b32 *pub)
{
	for (size_t i = 0; i < m->nsigners; i++)
		if (b32_eq(&m->signer[i].pub, pub))
			return true;
	return false;
}

static size_t
strangers(const struct manifest *of, const struct manifest *among)
{
	size_t n = 0;

	for (size_t i = 0; i < of->nsigners; i++)
		n += !has_signer(among, &of->signer[i].pub);
	return n;
}

/* Why two manifests give two keys: the first reason, gravest first. */
static const char *
difference(const struct manifest *theirs, const struct manifest *ours)
{
	if (strangers(theirs, ours) > 0)
		return "a signer is not in the file";
	if (theirs->nsigners < ours->nsigners)
		return "a signer of the file is left out";
	if (theirs->nsigners > ours->nsigners)
		return "a signer stands there twice";
	if (theirs->quorum != ours->quorum)
		return theirs->quorum < ours->quorum ? "its quorum is lower"
						     : "its quorum is higher";
	for (size_t i = 0; i < ours->nsigners; i++)
		if (!b32_eq(&theirs->signer[i].pub, &ours->signer[i].pub))
			return "its signers stand in another order";
	for (size_t i = 0; i < ours->nsigners; i++)
		if (!b32_eq(&theirs->signer[i].ns, &ours->signer[i].ns))
			return "its namespace is another";
	return "its manifest is another";
}

/* Not the path: a report must not depend on where it was made. */
static const char *
name_of(const struct config *c)
{
	const char *slash = strrchr(c->file, '/');

	return slash != NULL ? slash + 1 : c->file;
}

static enum err_code
check_config(struct drives_run *run, struct err *e)
{
	const struct config *c = run->q->config;
	const struct request *q = run->q->request;
	const bool drive = q->kind == REQUEST_DRIVE;
	char key[Z32_KEY_LEN + 1];
	enum err_code rc = ERR_OK;

	if (c == NULL)
		return ERR_OK;
	if (!b32_eq(&c->key, &q->key))
		return review_find(run->r, REVIEW_BAD, e,
		    "the request is for another key than %s gives, which is "
		    "%s: %s",
		    name_of(c), z32_key(key, &c->key),
		    difference(&q->manifest, &c->manifest));
	if (c->type != CONFIG_TYPE_NONE &&
	    (c->type == CONFIG_TYPE_DRIVE) != drive)
		rc = review_find(run->r, REVIEW_BAD, e,
		    "the request is for a %s, %s is for a %s",
		    drive ? "drive" : "core", name_of(c),
		    drive ? "core" : "drive");
	if (rc == ERR_OK && c->has_source &&
	    !b32_eq(&c->source, &run->q->source))
		rc = review_find(run->r, REVIEW_WARN, e,
		    "%s names another source", name_of(c));
	return rc == ERR_OK
		   ? review_find(run->r, REVIEW_GOOD, e,
			 "the target is the key that %s gives", name_of(c))
		   : rc;
}

enum err_code
drives_signers(struct drives_run *run, struct err *e)
{
	enum err_code rc = check_names(run, e);

	if (rc == ERR_OK && run->q->request->manifest.allow_patch)
		rc = review_find(run->r, REVIEW_WARN, e,
		    "signers of different lengths may be counted together "
		    "(allowPatch)");
	return rc == ERR_OK ? check_config(run, e) : rc;
}
