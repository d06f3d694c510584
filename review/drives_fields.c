/* What two versions hold besides files: "manifest" and its like. */
#include "review/drives_impl.h"

#define FIELD_MAX 200 /* bytes of a value that are shown */
#define FIELDS_SHOWN 20

static const char *const known[] = {"manifest", "metadata", "platformVersion"};

struct fields {
	struct drives_run *run;
	const struct drives_side *old, *new;
	uint64_t n; /* that differ */
};

/* Fields that the new side has, then those it has no more. */
enum pass { PASS_NEW, PASS_GONE };

static enum review_mark
field_mark(struct view key)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (view_eq(key, view_str(known[i])))
			return REVIEW_NOTE;
	return REVIEW_WARN;
}

/* ERR_OK with *there = false if the side has no such field. */
static enum err_code
field_get(struct fields *x, const struct drives_side *s, struct view key,
    bool *there, struct view *value, struct err *e)
{
	struct bee_entry en;
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	*there = false;
	if (s->bee == NULL)
		return ERR_OK;
	do
		rc = bee_get(s->bee, key, &en, &w, e);
	while (need_again(x->run->fetch, &rc, &w, e));
	if (rc == ERR_NOT_FOUND)
		return ERR_OK;
	*there = rc == ERR_OK;
	if (rc == ERR_OK)
		*value = en.value;
	return rc;
}

static enum err_code
field_note(struct fields *x, const char *verb, struct view key,
    struct view value, struct err *e)
{
	char name[FIELD_MAX], text[FIELD_MAX];

	if (x->n++ >= FIELDS_SHOWN)
		return ERR_OK;
	err_quote(name, sizeof(name), key.ptr, key.len);
	err_quote(text, sizeof(text), value.ptr, value.len);
	return review_find(x->run->r, field_mark(key), e,
	    "field %s of the drive %s%s%s", name, verb,
	    value.len > 0 ? ": " : "", text);
}

/* A field of the side that the pass goes through. */
static enum err_code
field_look(
    struct fields *x, const struct bee_entry *en, enum pass pass, struct err *e)
{
	const struct drives_side *other = pass == PASS_NEW ? x->old : x->new;
	struct view value;
	bool there;
	enum err_code rc;

	if ((rc = field_get(x, other, en->key, &there, &value, e)) != ERR_OK)
		return rc;
	if (pass == PASS_GONE)
		return there ? ERR_OK
			     : field_note(
				   x, "is removed", en->key, VIEW_EMPTY, e);
	if (there && view_eq(value, en->value))
		return ERR_OK;
	return field_note(
	    x, there ? "changes" : "is added", en->key, en->value, e);
}

static enum err_code
fields_in(struct fields *x, const struct bee_range *range, enum pass pass,
    struct err *e)
{
	const struct drives_side *s = pass == PASS_NEW ? x->new : x->old;
	struct bee_iter *it = NULL;
	struct bee_entry en;
	struct want w = {.kind = WANT_BLOCK};
	bool more = true;
	enum err_code rc;

	rc = bee_iter_open(&it, s->bee, range, e);
	while (rc == ERR_OK) {
		do
			rc = bee_iter_next(it, &more, &en, &w, e);
		while (need_again(x->run->fetch, &rc, &w, e));
		if (rc != ERR_OK || !more)
			break;
		rc = field_look(x, &en, pass, e);
	}
	bee_iter_close(it);
	return rc;
}

/* Everything before and behind the files. */
static enum err_code
fields_of(struct fields *x, enum pass pass, struct err *e)
{
	static const char first[] = "files\0", last[] = "files\1";
	struct bee_range before = BEE_RANGE_ALL, behind = BEE_RANGE_ALL;
	enum err_code rc;

	if ((pass == PASS_NEW ? x->new : x->old)->bee == NULL)
		return ERR_OK;
	before.lt = view_of(first, 6);
	behind.gte = view_of(last, 6);
	rc = fields_in(x, &before, pass, e);
	return rc == ERR_OK ? fields_in(x, &behind, pass, e) : rc;
}

enum err_code
drives_fields(struct drives_run *run, const struct drives_side *old,
    const struct drives_side *new, struct err *e)
{
	struct fields x = {run, old, new, 0};
	enum err_code rc;

	if ((rc = fields_of(&x, PASS_NEW, e)) != ERR_OK ||
	    (rc = fields_of(&x, PASS_GONE, e)) != ERR_OK || x.n <= FIELDS_SHOWN)
		return rc;
	return review_find(run->r, REVIEW_WARN, e, "%llu more fields differ",
	    (unsigned long long)(x.n - FIELDS_SHOWN));
}
