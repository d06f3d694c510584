#include "multisig/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "codec/hex.h"
#include "codec/jtext.h"
#include "codec/z32.h"
#include "multisig/quorum.h"

#define JOURNAL_MAX (8u << 20) /* bytes of a record */
#define KEY_LEN (8 + 1 + 32)

static const char prefix[9] = "multisig"; /* with its NUL */

void
journal_init(struct journal *j)
{
	memset(j, 0, sizeof(*j));
	buf_init(&j->request, REQUEST_MAX);
}

void
journal_deinit(struct journal *j)
{
	buf_deinit(&j->request);
	for (size_t i = 0; i < j->nresponses; i++)
		free(j->response[i]);
	free(j->response);
	memset(j, 0, sizeof(*j));
}

enum err_code
journal_add_response(struct journal *j, struct view text, struct err *e)
{
	char *copy;

	if (j->nresponses >= QUORUM_RESPONSES_MAX)
		return err_set(e, ERR_LIMIT, "journal: too many responses");
	if (!ARR_RESERVE(j->response, j->nresponses + 1, j->cap))
		return err_nomem(e);
	copy = strndup((const char *)text.ptr, text.len);
	if (copy == NULL)
		return err_nomem(e);
	j->response[j->nresponses++] = copy;
	return ERR_OK;
}

/* -- text -------------------------------------------------------------------- */

static const char *const phases[] = {
    [JOURNAL_VERIFIED] = "verified", [JOURNAL_COMMITTED] = "committed"};

static json_t *
responses_json(const struct journal *j)
{
	json_t *list = json_array();

	for (size_t i = 0; i < j->nresponses; i++)
		if (json_array_append_new(list, json_string(j->response[i])) !=
		    0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

enum err_code
journal_encode(struct buf *out, const struct journal *j, struct err *e)
{
	char key[65], source[65], hash[65];
	struct buf request;
	json_t *o = NULL;
	enum err_code rc;

	buf_init(&request, REQUEST_MAX * 2);
	z32_encode(&request, buf_view(&j->request));
	if ((rc = buf_check(&request, e)) == ERR_OK) {
		o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:b, s:I, s:I, "
			      "s:s}",
		    "version", 1, "key", hex_b32(key, &j->key), "source",
		    hex_b32(source, &j->source), "requestHash",
		    hex_b32(hash, &j->request_hash), "request",
		    buf_cstr(&request), "responses", responses_json(j), "first",
		    j->first, "lengthBefore", (json_int_t)j->length_before,
		    "blobsBefore", (json_int_t)j->blobs_before, "phase",
		    phases[j->phase]);
		if (o == NULL)
			rc = err_nomem(e);
	}
	if (rc == ERR_OK) {
		jtext_print(out, o);
		rc = buf_check(out, e);
	}
	json_decref(o);
	buf_deinit(&request);
	return rc;
}

static enum err_code
broken(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "journal: %s is missing or wrong", what);
}

static bool
take_b32(const json_t *o, const char *name, struct b32 *out)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL && hex_b32_decode(view_str(s), out);
}

static bool
take_number(const json_t *o, const char *name, uint64_t *out)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*out = (uint64_t)json_integer_value(v);
	return true;
}

static bool
take_phase(const json_t *o, enum journal_phase *out)
{
	const char *s = json_string_value(json_object_get(o, "phase"));

	for (size_t i = 0; s != NULL && i < 2; i++)
		if (strcmp(s, phases[i]) == 0) {
			*out = (enum journal_phase)i;
			return true;
		}
	return false;
}

static enum err_code
take_responses(struct journal *j, const json_t *o, struct err *e)
{
	const json_t *list = json_object_get(o, "responses");
	enum err_code rc = ERR_OK;

	if (!json_is_array(list))
		return broken(e, "responses");
	for (size_t i = 0; i < json_array_size(list) && rc == ERR_OK; i++) {
		const char *s = json_string_value(json_array_get(list, i));

		rc = s == NULL ? broken(e, "responses")
			       : journal_add_response(j, view_str(s), e);
	}
	return rc;
}

/* The request's bytes must be those whose hash the record names. */
static enum err_code
take_request(struct journal *j, const json_t *o, struct err *e)
{
	const char *s = json_string_value(json_object_get(o, "request"));
	struct request req;

	if (s == NULL ||
	    request_parse(&req, view_str(s), &j->request, NULL) != ERR_OK ||
	    !b32_eq(&req.hash, &j->request_hash) || !b32_eq(&req.key, &j->key))
		return broken(e, "request");
	return ERR_OK;
}

static enum err_code
fill(struct journal *j, const json_t *o, struct err *e)
{
	uint64_t version = 0;
	enum err_code rc;

	if (!take_number(o, "version", &version))
		return broken(e, "version");
	if (version != 1)
		return err_set(e, ERR_VERSION,
		    "journal: version %llu, this program knows 1",
		    (unsigned long long)version);
	if (!take_b32(o, "key", &j->key) ||
	    !take_b32(o, "source", &j->source) ||
	    !take_b32(o, "requestHash", &j->request_hash))
		return broken(e, "a key");
	if (!take_number(o, "lengthBefore", &j->length_before) ||
	    !take_number(o, "blobsBefore", &j->blobs_before))
		return broken(e, "a length");
	if (!take_phase(o, &j->phase))
		return broken(e, "phase");
	if (!json_is_boolean(json_object_get(o, "first")))
		return broken(e, "first");
	j->first = json_is_true(json_object_get(o, "first"));
	if ((rc = take_request(j, o, e)) != ERR_OK)
		return rc;
	return take_responses(j, o, e);
}

enum err_code
journal_decode(struct journal *out, struct view text, struct err *e)
{
	struct journal j;
	json_t *o = NULL;
	enum err_code rc;

	if (jtext_parse(text, JOURNAL_MAX, &o, e) != ERR_OK)
		return broken(e, "its text");
	journal_init(&j);
	if ((rc = fill(&j, o, e)) == ERR_OK)
		*out = j;
	else
		journal_deinit(&j);
	json_decref(o);
	return rc;
}

/* -- store ------------------------------------------------------------------- */

static struct view
key_of(uint8_t key[static KEY_LEN], const struct b32 *target)
{
	memcpy(key, prefix, sizeof(prefix));
	memcpy(key + sizeof(prefix), target->b, 32);
	return view_of(key, KEY_LEN);
}

enum err_code
journal_read(struct journal *out, struct store *s, const struct b32 *target,
    struct err *e)
{
	uint8_t key[KEY_LEN];
	char text[Z32_KEY_LEN + 1];
	struct view v;
	enum err_code rc;

	rc = store_get(s, NULL, STORE_JOURNAL, key_of(key, target), &v, e);
	if (rc == ERR_OK)
		rc = journal_decode(out, v, e);
	if (rc == ERR_OK && !b32_eq(&out->key, target)) {
		journal_deinit(out);
		rc = broken(e, "its own target");
	}
	if (rc == ERR_OK || rc == ERR_NOT_FOUND)
		return rc;
	return err_wrap(e, "commit of %s", z32_key(text, target));
}

/* In the caller's transaction, or in one of its own. */
static enum err_code
in_txn(struct store *s, struct store_txn *txn, const struct b32 *target,
    const struct buf *value, struct err *e)
{
	struct store_txn *own = NULL;
	uint8_t key[KEY_LEN];
	struct view k = key_of(key, target);
	enum err_code rc = ERR_OK;

	if (txn == NULL && (rc = store_begin(&own, s, e)) != ERR_OK)
		return rc;
	if (value != NULL)
		rc = store_put(txn != NULL ? txn : own, STORE_JOURNAL, k,
		    buf_view(value), e);
	else
		rc = store_del(txn != NULL ? txn : own, STORE_JOURNAL, k, e);
	if (own == NULL)
		return rc;
	if (rc == ERR_OK)
		return store_commit(own, e);
	store_abort(own);
	return rc;
}

enum err_code
journal_write(const struct journal *j, struct store *s, struct store_txn *txn,
    struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, JOURNAL_MAX);
	if ((rc = journal_encode(&b, j, e)) == ERR_OK)
		rc = in_txn(s, txn, &j->key, &b, e);
	buf_deinit(&b);
	return rc;
}

enum err_code
journal_erase(struct store *s, struct store_txn *txn, const struct b32 *target,
    struct err *e)
{
	return in_txn(s, txn, target, NULL, e);
}

enum err_code
journal_list(struct store *s, bool (*each)(void *ctx, const struct journal *j),
    void *ctx, struct err *e)
{
	struct view own = view_of(prefix, sizeof(prefix));
	struct store_iter *it = NULL;
	struct view key, val;
	struct journal j;
	bool more = true, go = true;
	enum err_code rc;

	rc = store_iter_open(&it, s, NULL, STORE_JOURNAL, own, VIEW_EMPTY, e);
	while (rc == ERR_OK && go) {
		rc = store_iter_next(it, &more, &key, &val, e);
		if (rc != ERR_OK || !more)
			break;
		if ((rc = journal_decode(&j, val, e)) == ERR_OK) {
			go = each(ctx, &j);
			journal_deinit(&j);
		}
	}
	store_iter_close(it);
	return rc;
}
