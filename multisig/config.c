#include "multisig/config.h"

#include <stdlib.h>
#include <string.h>

#include "codec/jtext.h"
#include "codec/z32.h"
#include "crypto/hash.h"
#include "multisig/config_impl.h"

#define QUOTE 256 /* bytes of a quoted value in an error */

static enum err_code
invalid(struct err *e, enum err_code rc)
{
	if (e == NULL || rc == ERR_NOMEM)
		return rc;
	return err_tag(e, "ERR_INVALID_CONFIG");
}

#define bad(e, ...) invalid((e), err_set((e), ERR_INVALID, __VA_ARGS__))

void
config_deinit(struct config *c)
{
	for (size_t i = 0; i < c->nbootstrap; i++)
		free(c->bootstrap[i]);
	for (size_t i = 0; i < c->nwarnings; i++)
		free(c->warning[i]);
	free(c->file);
	free(c->ns);
	memset(c, 0, sizeof(*c));
}

/* -- the key ----------------------------------------------------------------- */

static enum err_code
check_signers(const struct b32 *pub, size_t n, struct err *e)
{
	char key[Z32_KEY_LEN + 1];

	if (n == 0)
		return bad(
		    e, "publicKeys must be set and include at least 1 key");
	if (n > MANIFEST_SIGNERS_MAX)
		return bad(e, "publicKeys: %zu keys, at most %d", n,
		    MANIFEST_SIGNERS_MAX);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (b32_eq(&pub[i], &pub[k]))
				return bad(e,
				    "publicKeys %zu and %zu are the same key "
				    "%s: one signer would count twice",
				    k, i, z32_key(key, &pub[i]));
	return ERR_OK;
}

enum err_code
config_manifest(struct manifest *out, const struct b32 *pub, size_t n,
    struct view ns, uint64_t quorum, struct err *e)
{
	struct b32 hash;
	enum err_code rc;

	if ((rc = check_signers(pub, n, e)) != ERR_OK)
		return rc;
	if (ns.len == 0)
		return bad(e, "namespace must be set");
	if (ns.len > CONFIG_NAMESPACE_MAX)
		return bad(e, "namespace has more than %d bytes",
		    CONFIG_NAMESPACE_MAX);
	if (quorum > n)
		return bad(e, "quorum %llu is more than the %zu publicKeys",
		    (unsigned long long)quorum, n);
	memset(out, 0, sizeof(*out));
	hash_data(&hash, ns);
	out->version = 1;
	out->quorum = quorum != 0 ? quorum : n / 2 + 1;
	out->nsigners = n;
	for (size_t i = 0; i < n; i++) {
		out->signer[i].ns = hash;
		out->signer[i].pub = pub[i];
	}
	return ERR_OK;
}

/* -- fields ------------------------------------------------------------------ */

static const char *
quoted(char out[static QUOTE], const json_t *v)
{
	struct buf b;

	if (json_is_string(v))
		return err_quote(
		    out, QUOTE, json_string_value(v), json_string_length(v));
	buf_init(&b, 4096);
	jtext_print(&b, v);
	err_quote(out, QUOTE, b.data, b.len);
	buf_deinit(&b);
	return out;
}

static bool
key_of(const json_t *v, struct b32 *out)
{
	return json_is_string(v) &&
	       z32_key_id(view_of(json_string_value(v), json_string_length(v)),
		   out, NULL) == ERR_OK;
}

static enum err_code
take_keys(const json_t *o, struct b32 *pub, size_t *n, struct err *e)
{
	const json_t *list = json_object_get(o, "publicKeys");
	size_t count = json_array_size(list);
	char text[QUOTE];

	if (count == 0)
		return bad(
		    e, "publicKeys must be set and include at least 1 key");
	if (count > MANIFEST_SIGNERS_MAX)
		return bad(e, "publicKeys: %zu keys, at most %d", count,
		    MANIFEST_SIGNERS_MAX);
	for (size_t i = 0; i < count; i++)
		if (!key_of(json_array_get(list, i), &pub[i]))
			return bad(e, "invalid publicKey %zu: '%s'", i,
			    quoted(text, json_array_get(list, i)));
	*n = count;
	return ERR_OK;
}

static enum err_code
take_quorum(const json_t *o, uint64_t *quorum, struct err *e)
{
	const json_t *v = json_object_get(o, "quorum");
	char text[QUOTE];

	*quorum = 0;
	if (v == NULL || json_is_null(v))
		return ERR_OK;
	if (!json_is_integer(v) || json_integer_value(v) < 1)
		return bad(e, "quorum must be a whole number from 1 on. Saw %s",
		    quoted(text, v));
	*quorum = (uint64_t)json_integer_value(v);
	return ERR_OK;
}

static enum err_code
take_namespace(struct config *c, const json_t *o, struct err *e)
{
	const json_t *v = json_object_get(o, "namespace");

	if (!json_is_string(v) || json_string_length(v) == 0)
		return bad(e, "namespace must be set");
	if (json_string_length(v) != strlen(json_string_value(v)))
		return bad(e, "namespace holds a NUL");
	c->ns = strdup(json_string_value(v));
	return c->ns == NULL ? err_nomem(e) : ERR_OK;
}

static enum err_code
take_type(struct config *c, const json_t *o, struct err *e)
{
	const json_t *v = json_object_get(o, "type");
	const char *s = json_string_value(v);
	char text[QUOTE];

	if (v == NULL)
		return ERR_OK;
	if (s != NULL && strcmp(s, "core") == 0)
		c->type = CONFIG_TYPE_CORE;
	else if (s != NULL && strcmp(s, "drive") == 0)
		c->type = CONFIG_TYPE_DRIVE;
	else
		return bad(e, "type must be either core or drive. Saw '%s'",
		    quoted(text, v));
	return ERR_OK;
}

static enum err_code
take_source(struct config *c, const json_t *o, struct err *e)
{
	const json_t *v = json_object_get(o, "srcKey");
	char text[QUOTE];

	if (v == NULL)
		return ERR_OK;
	if (!key_of(v, &c->source))
		return bad(e, "invalid srcKey: '%s'", quoted(text, v));
	c->has_source = true;
	return ERR_OK;
}

static enum err_code
take_bootstrap(struct config *c, const json_t *o, struct err *e)
{
	const json_t *list = json_object_get(o, "bootstrap");
	size_t n = json_array_size(list);

	if (list != NULL && !json_is_array(list) && !json_is_null(list))
		return bad(e, "bootstrap must be a list of \"host:port\"");
	if (n > CONFIG_BOOTSTRAP_MAX)
		return bad(e, "bootstrap: %zu nodes, at most %d", n,
		    CONFIG_BOOTSTRAP_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (s == NULL)
			return bad(
			    e, "bootstrap must be a list of \"host:port\"");
		if ((c->bootstrap[i] = strdup(s)) == NULL)
			return err_nomem(e);
		c->nbootstrap++;
	}
	return ERR_OK;
}

/* What the key of the file says about itself, if it says anything. */
static enum err_code
check_own_key(const struct config *c, const json_t *o, struct err *e)
{
	const json_t *v = json_object_get(o, "multisigKey");
	char key[Z32_KEY_LEN + 1];
	struct b32 said;

	if (v == NULL || json_is_null(v))
		return ERR_OK;
	if (key_of(v, &said) && b32_eq(&said, &c->key))
		return ERR_OK;
	return bad(e,
	    "multisigKey does not correspond to the key generated from the "
	    "config, expected %s",
	    z32_key(key, &c->key));
}

/* -- the file ---------------------------------------------------------------- */

static enum err_code
derive(struct config *c, const struct b32 *pub, size_t n, uint64_t quorum,
    struct err *e)
{
	struct manifest blobs;
	enum err_code rc;

	rc = config_manifest(&c->manifest, pub, n, view_str(c->ns), quorum, e);
	if (rc != ERR_OK)
		return rc;
	manifest_key(&c->key, &c->manifest);
	rc = manifest_blobs(&blobs, &c->manifest, &c->key, e);
	if (rc == ERR_OK)
		manifest_key(&c->blobs_key, &blobs);
	return rc;
}

static enum err_code
fill(struct config *c, const json_t *o, struct err *e)
{
	struct b32 pub[MANIFEST_SIGNERS_MAX];
	uint64_t quorum = 0;
	size_t n = 0;
	enum err_code rc;

	if ((rc = take_type(c, o, e)) != ERR_OK ||
	    (rc = take_namespace(c, o, e)) != ERR_OK ||
	    (rc = take_keys(o, pub, &n, e)) != ERR_OK ||
	    (rc = take_quorum(o, &quorum, e)) != ERR_OK ||
	    (rc = take_source(c, o, e)) != ERR_OK ||
	    (rc = take_bootstrap(c, o, e)) != ERR_OK ||
	    (rc = derive(c, pub, n, quorum, e)) != ERR_OK ||
	    (rc = check_own_key(c, o, e)) != ERR_OK)
		return rc;
	if ((rc = config_near_misses(c, o, e)) != ERR_OK)
		return rc;
	return config_unusable_keys(c, e);
}

static enum err_code
require_field(
    const json_t *o, const char *field, const char *name, struct err *e)
{
	const json_t *v = json_object_get(o, field);

	if (v != NULL && !json_is_null(v))
		return ERR_OK;
	return bad(e, "multisig.%s field required in %s", field, name);
}

/* The object that holds the fields. */
static enum err_code
fields_of(const json_t *doc, enum config_form form, const char *name,
    const json_t **out, struct err *e)
{
	const json_t *o = doc;
	enum err_code rc;

	if (!json_is_object(doc))
		return bad(e, "%s is no JSON object", name);
	if (form == CONFIG_PEAR) {
		o = json_object_get(doc, "multisig");
		if (!json_is_object(o))
			return bad(e, "multisig field required in %s", name);
		if ((rc = require_field(o, "publicKeys", name, e)) != ERR_OK ||
		    (rc = require_field(o, "quorum", name, e)) != ERR_OK ||
		    (rc = require_field(o, "namespace", name, e)) != ERR_OK)
			return rc;
	}
	*out = o;
	return ERR_OK;
}

enum err_code
config_parse(struct config *out, enum config_form form, const char *name,
    struct view text, struct err *e)
{
	struct config c = {.form = form};
	const json_t *o = NULL;
	json_t *doc = NULL;
	enum err_code rc;

	rc = jtext_parse(text, CONFIG_SIZE_MAX, &doc, e);
	if (rc != ERR_OK)
		return invalid(
		    e, err_wrap(e, "Could not parse config %s", name));
	rc = fields_of(doc, form, name, &o, e);
	if (rc == ERR_OK)
		rc = fill(&c, o, e);
	if (rc == ERR_OK && (c.file = strdup(name)) == NULL)
		rc = err_nomem(e);
	json_decref(doc);
	if (rc != ERR_OK)
		config_deinit(&c);
	else
		*out = c;
	return rc;
}
