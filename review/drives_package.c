/* What package.json says before and after. */
#include <stdlib.h>
#include <string.h>

#include "pear/appcfg.h"
#include "pear/link.h"
#include "review/drives_impl.h"

/* One side's package.json. */
struct package {
	struct appcfg cfg;
	bool there;	/* and can be read */
	struct err why; /* new side, not there */
};

static enum err_code
package_read(const struct drives_run *run, const struct drives_side *s,
    struct package *p, struct err *e)
{
	struct entry en;
	struct buf text;
	enum err_code rc;

	entry_init(&en);
	buf_init(&text, APPCFG_MAX);
	rc = drives_entry(run, s, "/package.json", &en, e);
	if (rc == ERR_OK && (drives_is_link(&en) || !en.has_blob))
		rc = err_set(e, ERR_NOT_FOUND, "it is no file");
	if (rc == ERR_OK)
		rc = drives_read(run, s, &en, &text, e);
	if (rc == ERR_LIMIT)
		rc = err_set(e, ERR_INVALID, "package.json: too large");
	if (rc == ERR_OK)
		rc = appcfg_parse(&p->cfg, buf_view(&text), e);
	p->there = rc == ERR_OK;
	/* what is wrong with it is for the reader to judge */
	if (rc == ERR_NOT_FOUND || rc == ERR_INVALID || rc == ERR_LIMIT) {
		if (e != NULL)
			p->why = *e;
		p->why.code = rc;
		rc = ERR_OK;
	}
	buf_deinit(&text);
	entry_deinit(&en);
	return rc;
}

static void
package_deinit(struct package *p)
{
	appcfg_deinit(&p->cfg);
}

static const char *
or_none(const char *s)
{
	return s != NULL ? s : "none";
}

/* "NEW (before: OLD)", or NEW alone if both are the same. */
static enum err_code
fact(struct review *r, const char *name, const struct package *old,
    const char *before, const char *after, struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, APPCFG_MAX * 2 + 64);
	buf_str(&b, or_none(after));
	if (old->there && strcmp(or_none(before), or_none(after)) != 0)
		buf_printf(&b, " (before: %s)", or_none(before));
	if ((rc = buf_check(&b, e)) == ERR_OK)
		rc = review_fact(r, name, buf_view(&b), e);
	buf_deinit(&b);
	return rc;
}

static enum err_code
version(struct review *r, const struct package *old, const struct package *new,
    struct err *e)
{
	const struct appcfg *a = &old->cfg, *b = &new->cfg;
	enum err_code rc;
	int c;

	if ((rc = fact(r, "Version", old, a->version, b->version, e)) != ERR_OK)
		return rc;
	if (!b->has_semver)
		return review_find(r, REVIEW_WARN, e,
		    "version %s is no semantic version", or_none(b->version));
	if (!semver_is_plain(&b->semver))
		rc = review_find(r, REVIEW_WARN, e,
		    "version %s is not one for production", b->version);
	if (rc != ERR_OK || !old->there || !a->has_semver)
		return rc;
	c = semver_cmp(&b->semver, &a->semver);
	if (c > 0)
		return review_find(r, REVIEW_GOOD, e,
		    "version %s is greater than %s", b->version, a->version);
	return review_find(r, REVIEW_WARN, e,
	    "version %s is not greater than %s, which is there already",
	    b->version, a->version);
}

static enum err_code
upgrade(struct review *r, const struct package *old, const struct package *new,
    const struct b32 *target, struct err *e)
{
	const char *a = old->cfg.upgrade, *b = new->cfg.upgrade;
	struct pear_link l;
	enum err_code rc;

	if ((rc = fact(r, "Upgrade", old, a, b, e)) != ERR_OK)
		return rc;
	if (b == NULL || b[0] == '\0')
		return review_find(r, REVIEW_WARN, e,
		    "package.json names no upgrade link: an installation "
		    "would never update");
	rc = pear_link_parse(&l, view_str(b), PEAR_LINK_DRIVES, NULL, NULL);
	if (rc == ERR_NOMEM)
		return err_nomem(e);
	if (rc != ERR_OK)
		return review_find(
		    r, REVIEW_WARN, e, "upgrade %s is no link of a drive", b);
	if (target == NULL)
		return ERR_OK;
	if (!b32_eq(&l.key, target))
		return review_find(r, REVIEW_WARN, e,
		    "upgrade %s is not this target: an installation would "
		    "follow another drive",
		    b);
	if ((rc = review_find(r, REVIEW_GOOD, e,
		 "upgrade is the link of this target")) != ERR_OK)
		return rc;
	return review_find(r, REVIEW_NOTE, e,
	    "the source has the same upgrade link: an app that was installed "
	    "from a link before production gets its updates from production "
	    "alone");
}

static enum err_code
new_is_missing(struct review *r, const struct package *new, struct err *e)
{
	if (new->why.code == ERR_NOT_FOUND)
		return review_find(
		    r, REVIEW_WARN, e, "there is no package.json");
	return review_find(r, REVIEW_WARN, e, "%s", new->why.msg);
}

static enum err_code
held_together(struct review *r, const struct package *old,
    const struct package *new, const struct b32 *target, struct err *e)
{
	const char *a = appcfg_title(&old->cfg), *b = appcfg_title(&new->cfg);
	enum err_code rc;

	if (!new->there)
		return new_is_missing(r, new, e);
	if ((rc = fact(r, "Name", old, a, b, e)) != ERR_OK)
		return rc;
	if (old->there && strcmp(a, b) != 0 &&
	    (rc = review_find(r, REVIEW_WARN, e,
		 "the app has another name: %s, before %s", b, a)) != ERR_OK)
		return rc;
	rc = version(r, old, new, e);
	return rc == ERR_OK ? upgrade(r, old, new, target, e) : rc;
}

enum err_code
drives_package(struct review *r, const struct drives_side *old,
    const struct drives_side *new, const struct b32 *target,
    const struct fetch *fetch, struct err *e)
{
	const struct drives_run run = {.r = r, .fetch = fetch};
	struct package *p = calloc(2, sizeof(*p));
	enum err_code rc;

	if (p == NULL)
		return err_nomem(e);
	if ((rc = package_read(&run, old, &p[0], e)) == ERR_OK &&
	    (rc = package_read(&run, new, &p[1], e)) == ERR_OK)
		rc = held_together(r, &p[0], &p[1], target, e);
	package_deinit(&p[0]);
	package_deinit(&p[1]);
	free(p);
	return rc;
}
