#include "drive/plan.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "codec/hex.h"
#include "codec/jtext.h"
#include "codec/z32.h"
#include "crypto/hash.h"

void
plan_deinit(struct plan *p)
{
	json_decref(p->doc);
	*p = (struct plan){NULL, NULL};
}

static json_t *
hash_text(const struct b32 *h)
{
	char hex[65];

	return json_string(hex_b32(hex, h));
}

static json_t *
state_of(uint64_t fork, uint64_t length, const struct b32 *hash)
{
	return json_pack("{s:I, s:I, s:o}", "fork", (json_int_t)fork, "length",
	    (json_int_t)length, "treeHash", hash_text(hash));
}

static json_t *
state_of_core(const struct core *c)
{
	struct tree empty;
	struct b32 hash;

	if (c != NULL)
		return state_of(core_head(c)->fork, core_head(c)->length,
		    &core_head(c)->tree_hash);
	tree_init(&empty);
	tree_hash(&empty, &hash);
	return state_of(0, 0, &hash);
}

static json_t *
state_of_batch(const struct core_batch *b)
{
	struct b32 hash;

	core_batch_tree_hash(b, &hash);
	return state_of(core_batch_fork(b), core_batch_length(b), &hash);
}

/* {db..., "blobs": {...}}; takes both. */
static json_t *
both(json_t *db, json_t *blobs)
{
	if (db == NULL || json_object_set_new(db, "blobs", blobs) != 0) {
		json_decref(db);
		return NULL;
	}
	return db;
}

enum err_code
plan_begin(struct plan *p, const struct core *db, const struct core *blobs,
    const char *chunking, struct err *e)
{
	char key[Z32_KEY_LEN + 1];

	p->doc = json_pack("{s:s, s:i, s:s, s:s, s:o, s:[]}", "format",
	    "pear-stage-plan", "version", 1, "drive",
	    z32_key(key, core_key(db)), "chunking", chunking, "base",
	    both(state_of_core(db), state_of_core(blobs)), "changes");
	p->changes = json_object_get(p->doc, "changes");
	return p->doc == NULL ? err_nomem(e) : ERR_OK;
}

/* Drives may hold names that are no text; JSON may not. */
static enum err_code
check_name(const char *path, struct err *e)
{
	char quoted[512];

	if (path == NULL || utf8_valid(view_str(path)))
		return ERR_OK;
	return err_set(e, ERR_INVALID, "a plan cannot name %s: not UTF-8",
	    err_quote(quoted, sizeof(quoted), path, strlen(path)));
}

enum err_code
plan_add(struct plan *p, const struct plan_change *c, struct err *e)
{
	static const char *const op[] = {"add", "change", "remove"};
	enum err_code rc;
	json_t *o;

	if (p->doc == NULL)
		return ERR_OK;
	if ((rc = check_name(c->path, e)) != ERR_OK ||
	    (rc = check_name(c->from, e)) != ERR_OK)
		return rc;
	o = json_pack("{s:s, s:s, s:I, s:b}", "op", op[c->op], "path", c->path,
	    "size", (json_int_t)c->size, "executable", c->executable);
	if (o == NULL)
		return err_nomem(e);
	if ((c->linkname != NULL && json_object_set_new(o, "linkname",
					json_string(c->linkname)) != 0) ||
	    (c->sum != NULL &&
		json_object_set_new(o, "hash", hash_text(c->sum)) != 0) ||
	    (c->from != NULL &&
		json_object_set_new(o, "from", json_string(c->from)) != 0)) {
		json_decref(o);
		return err_nomem(e);
	}
	return json_array_append_new(p->changes, o) == 0 ? ERR_OK
							 : err_nomem(e);
}

enum err_code
plan_end(struct plan *p, const struct core_batch *db,
    const struct core_batch *blobs, struct err *e)
{
	if (p->doc == NULL)
		return ERR_OK;
	if (json_object_set_new(p->doc, "result",
		both(state_of_batch(db), state_of_batch(blobs))) != 0)
		return err_nomem(e);
	return ERR_OK;
}

enum err_code
plan_write(
    const struct plan *p, const char *path, struct b32 *sum, struct err *e)
{
	enum err_code rc;
	struct buf b;

	buf_init(&b, PLAN_SIZE_MAX);
	jtext_print(&b, p->doc);
	buf_byte(&b, '\n');
	rc = buf_check(&b, e);
	if (rc == ERR_OK)
		rc = file_write_atomic(AT_FDCWD, path, buf_view(&b), 0644, e);
	if (rc == ERR_OK)
		hash_data(sum, buf_view(&b));
	buf_deinit(&b);
	return rc == ERR_OK ? rc : err_wrap(e, "plan");
}

static bool
is_state(const json_t *s)
{
	return json_is_integer(json_object_get(s, "fork")) &&
	       json_is_integer(json_object_get(s, "length")) &&
	       json_is_string(json_object_get(s, "treeHash"));
}

static bool
is_plan(const json_t *doc)
{
	const char *format = json_string_value(json_object_get(doc, "format"));
	json_t *base = json_object_get(doc, "base");
	json_t *result = json_object_get(doc, "result");

	return format != NULL && strcmp(format, "pear-stage-plan") == 0 &&
	       json_is_string(json_object_get(doc, "drive")) &&
	       json_is_string(json_object_get(doc, "chunking")) &&
	       json_is_array(json_object_get(doc, "changes")) &&
	       is_state(base) && is_state(json_object_get(base, "blobs")) &&
	       is_state(result) && is_state(json_object_get(result, "blobs"));
}

enum err_code
plan_parse(struct plan *p, struct view text, struct err *e)
{
	enum err_code rc;
	json_t *doc, *version;

	if ((rc = jtext_parse(text, PLAN_SIZE_MAX, &doc, e)) != ERR_OK)
		return rc;
	version = json_object_get(doc, "version");
	if (!is_plan(doc) || !json_is_integer(version))
		rc = err_set(e, ERR_FORMAT, "not a stage plan");
	else if (json_integer_value(version) != 1)
		rc = err_set(e, ERR_VERSION,
		    "plan has version %" JSON_INTEGER_FORMAT
		    ", this program knows 1",
		    json_integer_value(version));
	if (rc != ERR_OK) {
		json_decref(doc);
		return rc;
	}
	p->doc = doc;
	p->changes = json_object_get(doc, "changes");
	return ERR_OK;
}

enum err_code
plan_read(struct plan *p, const char *path, struct b32 *sum, struct err *e)
{
	enum err_code rc;
	struct buf b;

	buf_init(&b, PLAN_SIZE_MAX);
	rc = file_read(AT_FDCWD, path, PLAN_SIZE_MAX, &b, e);
	if (rc == ERR_OK)
		rc = plan_parse(p, buf_view(&b), e);
	if (rc == ERR_OK)
		hash_data(sum, buf_view(&b));
	buf_deinit(&b);
	return rc == ERR_OK ? rc : err_wrap(e, "plan %s", path);
}

const char *
plan_chunking(const struct plan *p)
{
	return json_string_value(json_object_get(p->doc, "chunking"));
}

static bool
field_equal(const struct plan *a, const struct plan *b, const char *name)
{
	return json_equal(
	    json_object_get(a->doc, name), json_object_get(b->doc, name));
}

enum err_code
plan_check_base(
    const struct plan *reviewed, const struct plan *now, struct err *e)
{
	json_t *was = json_object_get(reviewed->doc, "base");
	json_t *is = json_object_get(now->doc, "base");

	if (!field_equal(reviewed, now, "drive"))
		return err_set(
		    e, ERR_CONFLICT, "the plan was made for another drive");
	if (!json_equal(was, is))
		return err_set(e, ERR_CONFLICT,
		    "the drive is not as it was reviewed: length %lld and "
		    "fork %lld then, length %lld and fork %lld now; make a "
		    "new plan",
		    (long long)json_integer_value(
			json_object_get(was, "length")),
		    (long long)json_integer_value(json_object_get(was, "fork")),
		    (long long)json_integer_value(
			json_object_get(is, "length")),
		    (long long)json_integer_value(json_object_get(is, "fork")));
	if (!field_equal(reviewed, now, "chunking"))
		return err_set(e, ERR_CONFLICT,
		    "the plan was made with --chunking %s",
		    plan_chunking(reviewed));
	return ERR_OK;
}

static const char *
path_of(char *out, size_t cap, const json_t *change)
{
	json_t *s = json_object_get(change, "path");

	return err_quote(out, cap,
	    json_is_string(s) ? json_string_value(s) : "?",
	    json_is_string(s) ? json_string_length(s) : 1);
}

static enum err_code
check_changes(const json_t *was, const json_t *is, struct err *e)
{
	size_t n = json_array_size(was), m = json_array_size(is);
	char name[512];

	for (size_t i = 0; i < n && i < m; i++) {
		json_t *a = json_array_get(was, i);
		json_t *b = json_array_get(is, i);

		if (json_equal(a, b))
			continue;
		if (!json_equal(
			json_object_get(a, "path"), json_object_get(b, "path")))
			return err_set(e, ERR_CONFLICT,
			    "change %zu is not as reviewed: now %s", i + 1,
			    path_of(name, sizeof(name), b));
		return err_set(e, ERR_CONFLICT, "%s is not as reviewed",
		    path_of(name, sizeof(name), b));
	}
	if (n == m)
		return ERR_OK;
	return err_set(e, ERR_CONFLICT,
	    "%zu changes were reviewed, now there are %zu: %s", n, m,
	    path_of(name, sizeof(name),
		n < m ? json_array_get(is, n) : json_array_get(was, m)));
}

enum err_code
plan_check(const struct plan *reviewed, const struct plan *now, struct err *e)
{
	enum err_code rc = plan_check_base(reviewed, now, e);

	if (rc == ERR_OK)
		rc = check_changes(reviewed->changes, now->changes, e);
	if (rc == ERR_OK && !field_equal(reviewed, now, "result"))
		rc = err_set(e, ERR_CONFLICT,
		    "the result would have other tree hashes than reviewed");
	return rc;
}
