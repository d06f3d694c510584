#include "pear/appcfg.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "base/file.h"
#include "codec/jtext.h"

#define bad_manifest(e, ...) \
	tag_manifest((e), err_set((e), ERR_INVALID, __VA_ARGS__))

static enum err_code
tag_manifest(struct err *e, enum err_code rc)
{
	return e == NULL ? rc : err_tag(e, "ERR_INVALID_MANIFEST");
}

/* -- lists ------------------------------------------------------------------ */

static enum err_code
push(struct appcfg_list *l, struct view v, struct err *e)
{
	char *s;

	if (l->n >= APPCFG_LIST_MAX)
		return err_set(e, ERR_LIMIT, "a list has more than %u items",
		    APPCFG_LIST_MAX);
	if (!ARR_RESERVE(l->item, l->n + 1, l->cap))
		return err_nomem(e);
	s = strndup((const char *)v.ptr, v.len);
	if (s == NULL)
		return err_nomem(e);
	l->item[l->n++] = s;
	return ERR_OK;
}

enum err_code
appcfg_list_add(struct appcfg_list *l, struct view text, struct err *e)
{
	struct view left = text;

	if (text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL)
		return err_set(e, ERR_INVALID, "a list holds a NUL");
	while (left.len > 0) {
		const uint8_t *comma = memchr(left.ptr, ',', left.len);
		size_t n = comma ? (size_t)(comma - left.ptr) : left.len;
		struct view item = view_trim(view_sub(left, 0, n));
		enum err_code rc;

		if (item.len > 0 && (rc = push(l, item, e)) != ERR_OK)
			return rc;
		left = view_sub(left, n + 1, left.len);
	}
	return ERR_OK;
}

void
appcfg_list_deinit(struct appcfg_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->item[i]);
	free(l->item);
	memset(l, 0, sizeof(*l));
}

/* -- fields ----------------------------------------------------------------- */

static struct view
text_of(const json_t *s)
{
	return view_of(json_string_value(s), json_string_length(s));
}

/* Text for people and paths: a NUL inside would hide what follows it. */
static bool
is_text(const json_t *v)
{
	return json_is_string(v) && (json_string_length(v) == 0 ||
					memchr(json_string_value(v), '\0',
					    json_string_length(v)) == NULL);
}

static enum err_code
get_text(const json_t *o, const char *key, const char *label, const char **out,
    struct err *e)
{
	const json_t *v = json_object_get(o, key);

	if (v == NULL || json_is_null(v))
		return ERR_OK;
	if (!is_text(v))
		return bad_manifest(e, "%s must be a string", label);
	*out = json_string_value(v);
	return ERR_OK;
}

static enum err_code
get_list(
    const json_t *o, const char *key, struct appcfg_list *out, struct err *e)
{
	json_t *v = json_object_get(o, key);
	json_t *item;
	enum err_code rc;
	size_t i;

	if (v == NULL || json_is_null(v))
		return ERR_OK;
	if (is_text(v))
		return appcfg_list_add(out, text_of(v), e);
	if (!json_is_array(v))
		return bad_manifest(e,
		    "pear.stage.%s must be an array of strings or a string",
		    key);
	json_array_foreach(v, i, item)
	{
		struct view text;

		if (!is_text(item))
			return bad_manifest(
			    e, "pear.stage.%s[%zu] must be a string", key, i);
		text = view_trim(text_of(item));
		if (text.len > 0 && (rc = push(out, text, e)) != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

static enum err_code
get_object(const json_t *o, const char *key, const char *label, json_t **out,
    struct err *e)
{
	json_t *v = json_object_get(o, key);

	*out = NULL;
	if (v == NULL || json_is_null(v))
		return ERR_OK;
	if (!json_is_object(v))
		return bad_manifest(e, "%s must be an object", label);
	*out = v;
	return ERR_OK;
}

static enum err_code
read_stage(struct appcfg *c, const json_t *stage, struct err *e)
{
	const json_t *purge = json_object_get(stage, "purge");
	enum err_code rc;

	if ((rc = get_list(stage, "ignore", &c->ignore, e)) != ERR_OK ||
	    (rc = get_list(stage, "only", &c->only, e)) != ERR_OK ||
	    (rc = get_list(stage, "include", &c->includes, e)) != ERR_OK ||
	    (rc = get_list(stage, "includes", &c->includes, e)) != ERR_OK)
		return rc;
	if (purge != NULL && !json_is_null(purge) && !json_is_boolean(purge))
		return bad_manifest(
		    e, "pear.stage.purge must be true or false");
	c->purge = json_is_true(purge);
	return ERR_OK;
}

static enum err_code
read_pear(struct appcfg *c, struct err *e)
{
	json_t *pear;
	json_t *stage;
	enum err_code rc;

	if ((rc = get_object(c->json, "pear", "pear", &pear, e)) != ERR_OK ||
	    pear == NULL)
		return rc;
	if ((rc = get_text(pear, "name", "pear.name", &c->pear_name, e)) !=
		ERR_OK ||
	    (rc = get_object(pear, "stage", "pear.stage", &stage, e)) !=
		ERR_OK ||
	    stage == NULL)
		return rc;
	return read_stage(c, stage, e);
}

static enum err_code
read_fields(struct appcfg *c, struct err *e)
{
	const json_t *o = c->json;
	struct err ignore = ERR_INIT;
	enum err_code rc;

	if (!json_is_object(o))
		return bad_manifest(e, "the document must be an object");
	if ((rc = get_text(o, "name", "name", &c->name, e)) != ERR_OK ||
	    (rc = get_text(o, "productName", "productName", &c->product_name,
		 e)) != ERR_OK ||
	    (rc = get_text(o, "version", "version", &c->version, e)) !=
		ERR_OK ||
	    (rc = get_text(o, "upgrade", "upgrade", &c->upgrade, e)) !=
		ERR_OK ||
	    (rc = read_pear(c, e)) != ERR_OK)
		return rc;
	if (c->version != NULL)
		c->has_semver = semver_parse(&c->semver, view_str(c->version),
				    &ignore) == ERR_OK;
	return ERR_OK;
}

enum err_code
appcfg_parse(struct appcfg *out, struct view text, struct err *e)
{
	struct appcfg c;
	enum err_code rc;

	memset(&c, 0, sizeof(c));
	rc = jtext_parse(text, APPCFG_MAX, &c.json, e);
	if (rc == ERR_FORMAT) {
		if (e != NULL)
			e->code = ERR_INVALID;
		rc = tag_manifest(e, ERR_INVALID);
	}
	if (rc == ERR_OK)
		rc = read_fields(&c, e);
	if (rc != ERR_OK) {
		appcfg_deinit(&c);
		return err_wrap(e, "package.json");
	}
	*out = c;
	return ERR_OK;
}

static enum err_code
missing(const char *dir, struct err *e)
{
	char quoted[512];
	enum err_code rc;

	err_quote(quoted, sizeof(quoted), dir, strlen(dir));
	rc = err_set(e, ERR_INVALID,
	    "package.json not found in %s. Pass --skip-package-json to stage "
	    "without one",
	    quoted);
	return e == NULL ? rc : err_tag(e, "ERR_INVALID_PROJECT_DIR");
}

enum err_code
appcfg_read(struct appcfg *out, const char *dir, struct err *e)
{
	struct buf path;
	struct buf text;
	const char *name;
	enum err_code rc;

	buf_init(&path, 8192);
	buf_init(&text, APPCFG_MAX);
	buf_printf(&path, "%s/package.json", dir);
	name = buf_cstr(&path);
	rc = buf_check(&path, e);
	if (rc == ERR_OK)
		rc = file_read(AT_FDCWD, name, APPCFG_MAX, &text, e);
	if (rc == ERR_NOT_FOUND)
		rc = missing(dir, e);
	else if (rc == ERR_OK &&
		 (rc = appcfg_parse(out, buf_view(&text), e)) != ERR_OK)
		rc = err_wrap(e, "%s", dir);
	buf_deinit(&text);
	buf_deinit(&path);
	return rc;
}

void
appcfg_deinit(struct appcfg *c)
{
	json_decref(c->json);
	appcfg_list_deinit(&c->ignore);
	appcfg_list_deinit(&c->only);
	appcfg_list_deinit(&c->includes);
	memset(c, 0, sizeof(*c));
}

const char *
appcfg_title(const struct appcfg *c)
{
	if (c->pear_name != NULL)
		return c->pear_name;
	return c->name != NULL ? c->name : "";
}

const char *
appcfg_product(const struct appcfg *c)
{
	return c->product_name != NULL ? c->product_name : c->name;
}
