#include "pear/provenance.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "base/utf8.h"
#include "codec/hex.h"
#include "codec/jtext.h"

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define PREDICATE_TYPE "https://slsa.dev/provenance/v1"
#define BUILD_TYPE "urn:pear:deployment-directory:v1"
#define VERSION_OF "pear-build" /* a tool of builder.version */
#define PATH_BYTES_MAX 4096

void
provenance_deinit(struct provenance *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->file[i].path);
	free(p->file);
	free(p->commit);
	free(p->tag);
	free(p->remote);
	free(p->name);
	free(p->version);
	free(p->builder);
	free(p->builder_version);
	memset(p, 0, sizeof(*p));
}

enum err_code
provenance_add(struct provenance *p, struct view path, const struct b32 *sha256,
    struct err *e)
{
	struct provenance_file f = {NULL, *sha256};
	char name[256];

	if (p->n >= PROVENANCE_FILES_MAX)
		return err_set(
		    e, ERR_LIMIT, "more than %u files", PROVENANCE_FILES_MAX);
	if (path.len == 0 || path.len > PATH_BYTES_MAX ||
	    memchr(path.ptr, 0, path.len) != NULL || !utf8_valid(path))
		return err_set(e, ERR_INVALID,
		    "%s: a name must be UTF-8 of 1 to %d bytes",
		    err_quote(name, sizeof(name), path.ptr, path.len),
		    PATH_BYTES_MAX);
	if (!ARR_RESERVE(p->file, p->n + 1, p->cap) ||
	    (f.path = strndup((const char *)path.ptr, path.len)) == NULL)
		return err_nomem(e);
	p->file[p->n++] = f;
	return ERR_OK;
}

static int
by_path(const void *a, const void *b)
{
	const struct provenance_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static enum err_code
sort(struct provenance *p, struct err *e)
{
	char name[256];

	if (p->n > 0)
		qsort(p->file, p->n, sizeof(p->file[0]), by_path);
	for (size_t i = 1; i < p->n; i++)
		if (strcmp(p->file[i - 1].path, p->file[i].path) == 0)
			return err_set(e, ERR_INVALID, "%s is listed twice",
			    err_quote(name, sizeof(name), p->file[i].path,
				strlen(p->file[i].path)));
	return ERR_OK;
}

const struct provenance_file *
provenance_find(const struct provenance *p, struct view path)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t at = low + (high - low) / 2;
		int c = view_cmp(path, view_str(p->file[at].path));

		if (c == 0)
			return &p->file[at];
		if (c < 0)
			high = at;
		else
			low = at + 1;
	}
	return NULL;
}

/* -- print ------------------------------------------------------------------- */

static void
field(struct buf *b, const char *name, const char *value)
{
	jtext_string(b, view_str(name));
	buf_byte(b, ':');
	if (value != NULL)
		jtext_string(b, view_str(value));
	else
		buf_str(b, "null");
}

static void
print_subjects(struct buf *b, const struct provenance *p)
{
	char hex[65];

	buf_str(b, "\"subject\":[");
	for (size_t i = 0; i < p->n; i++) {
		buf_str(b, i > 0 ? ",\n{" : "\n{");
		field(b, "name", p->file[i].path);
		buf_printf(b, ",\"digest\":{\"sha256\":\"%s\"}}",
		    hex_b32(hex, &p->file[i].sha256));
	}
	buf_str(b, "],\n");
}

static void
print_predicate(struct buf *b, const struct provenance *p, const char *uri)
{
	buf_str(b, "\"predicate\":{\"buildDefinition\":{");
	field(b, "buildType", BUILD_TYPE);
	buf_str(b, ",\"externalParameters\":{");
	field(b, "name", p->name);
	buf_byte(b, ',');
	field(b, "version", p->version);
	buf_printf(b, ",\"dirty\":%s", p->dirty ? "true" : "false");
	buf_str(b, "},\"resolvedDependencies\":[{");
	if (p->remote != NULL) {
		field(b, "uri", uri);
		buf_byte(b, ',');
	}
	buf_str(b, "\"digest\":{");
	field(b, "gitCommit", p->commit);
	buf_str(b, "},\"annotations\":{");
	field(b, "tag", p->tag);
	buf_byte(b, ',');
	field(b, "remote", p->remote);
	buf_str(b, "}}]},\"runDetails\":{\"builder\":{");
	field(b, "id", p->builder);
	buf_str(b, ",\"version\":{");
	if (p->builder_version != NULL)
		field(b, VERSION_OF, p->builder_version);
	buf_str(b, "}}}}}\n");
}

enum err_code
provenance_print(struct buf *out, struct provenance *p, struct err *e)
{
	struct buf uri;
	enum err_code rc;

	if ((rc = sort(p, e)) != ERR_OK)
		return rc;
	buf_init(&uri, PROVENANCE_SIZE_MAX);
	if (p->remote != NULL)
		buf_printf(&uri, "git+%s%s%s", p->remote,
		    p->tag != NULL ? "@refs/tags/" : "",
		    p->tag != NULL ? p->tag : "");
	buf_byte(out, '{');
	field(out, "_type", STATEMENT_TYPE);
	buf_str(out, ",\n");
	print_subjects(out, p);
	field(out, "predicateType", PREDICATE_TYPE);
	buf_str(out, ",\n");
	print_predicate(out, p, buf_cstr(&uri));
	rc = buf_check(&uri, e);
	buf_deinit(&uri);
	return rc == ERR_OK ? buf_check(out, e) : rc;
}

/* -- parse ------------------------------------------------------------------- */

static enum err_code
wrong(struct err *e, const char *what)
{
	return err_set(
	    e, ERR_FORMAT, "provenance: %s is missing or wrong", what);
}

static const json_t *
at(const json_t *o, const char *a, const char *b)
{
	return json_object_get(json_object_get(o, a), b);
}

/* A text, or nothing if it is null or missing. */
static enum err_code
take(char **out, const json_t *v, struct err *e)
{
	const char *s = json_string_value(v);

	if (s == NULL)
		return ERR_OK;
	if (strlen(s) != json_string_length(v))
		return wrong(e, "a text");
	*out = strdup(s);
	return *out == NULL ? err_nomem(e) : ERR_OK;
}

static enum err_code
take_subject(struct provenance *p, const json_t *s, struct err *e)
{
	const json_t *name = json_object_get(s, "name");
	const char *hex = json_string_value(at(s, "digest", "sha256"));
	struct b32 sha256;

	if (!json_is_string(name) || hex == NULL || strlen(hex) != 64)
		return wrong(e, "a subject");
	if (!hex_b32_decode(view_str(hex), &sha256))
		return wrong(e, "a digest");
	return provenance_add(p,
	    view_of(json_string_value(name), json_string_length(name)), &sha256,
	    e);
}

static enum err_code
take_subjects(struct provenance *p, const json_t *o, struct err *e)
{
	const json_t *list = json_object_get(o, "subject");
	enum err_code rc = ERR_OK;

	if (!json_is_array(list))
		return wrong(e, "subject");
	for (size_t i = 0; i < json_array_size(list) && rc == ERR_OK; i++)
		rc = take_subject(p, json_array_get(list, i), e);
	return rc == ERR_OK ? sort(p, e) : rc;
}

static enum err_code
take_predicate(struct provenance *p, const json_t *o, struct err *e)
{
	const json_t *build = at(o, "predicate", "buildDefinition");
	const json_t *params = json_object_get(build, "externalParameters");
	const json_t *source =
	    json_array_get(json_object_get(build, "resolvedDependencies"), 0);
	const json_t *notes = json_object_get(source, "annotations");
	const json_t *builder =
	    json_object_get(at(o, "predicate", "runDetails"), "builder");
	enum err_code rc;

	p->dirty = json_is_true(json_object_get(params, "dirty"));
	if ((rc = take(&p->commit, at(source, "digest", "gitCommit"), e)) !=
		ERR_OK ||
	    (rc = take(&p->tag, json_object_get(notes, "tag"), e)) != ERR_OK ||
	    (rc = take(&p->remote, json_object_get(notes, "remote"), e)) !=
		ERR_OK ||
	    (rc = take(&p->name, json_object_get(params, "name"), e)) !=
		ERR_OK ||
	    (rc = take(&p->version, json_object_get(params, "version"), e)) !=
		ERR_OK)
		return rc;
	rc = take(&p->builder, json_object_get(builder, "id"), e);
	if (rc == ERR_OK)
		rc = take(
		    &p->builder_version, at(builder, "version", VERSION_OF), e);
	if (rc == ERR_OK && p->commit == NULL)
		return wrong(e, "the commit");
	return rc;
}

static bool
is(const json_t *o, const char *name, const char *value)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL && strcmp(s, value) == 0;
}

enum err_code
provenance_parse(struct provenance *out, struct view text, struct err *e)
{
	struct provenance p;
	json_t *o = NULL;
	enum err_code rc;

	memset(&p, 0, sizeof(p));
	rc = jtext_parse(text, PROVENANCE_SIZE_MAX, &o, e);
	if (rc != ERR_OK)
		return err_wrap(e, "provenance");
	if (!is(o, "_type", STATEMENT_TYPE))
		rc = wrong(e, "_type");
	else if (!is(o, "predicateType", PREDICATE_TYPE))
		rc = wrong(e, "predicateType");
	else if ((rc = take_subjects(&p, o, e)) == ERR_OK)
		rc = take_predicate(&p, o, e);
	json_decref(o);
	if (rc == ERR_OK)
		*out = p;
	else
		provenance_deinit(&p);
	return rc;
}
