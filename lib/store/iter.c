/*
 * iter: walking a table. LMDB's cursors do not survive a renewed snapshot
 * and may miss a record when others change the table under them, so an
 * iterator remembers its last key and seeks it again after every change.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "store/handle.h"

struct store_iter {
	struct store *s;
	struct store_txn *txn;
	enum store_table t;
	MDB_cursor *cur; /* NULL once its transaction ended */
	enum { AT_START, AT_RECORD, AT_END } at;
	uint64_t changes; /* of the store when the cursor was placed */
	uint8_t prefix[STORE_KEY_MAX];
	size_t prefix_len;
	uint8_t key[STORE_KEY_MAX]; /* the start, then the last one */
	size_t key_len;
	struct store_iter *next;
};

enum err_code
store_iter_open(struct store_iter **out, struct store *s, struct store_txn *txn,
    enum store_table t, struct view prefix, struct view from, struct err *e)
{
	struct view start = view_cmp(from, prefix) > 0 ? from : prefix;
	struct store_iter *it;
	int rc;

	if (prefix.len > STORE_KEY_MAX || start.len > STORE_KEY_MAX)
		return err_set(e, ERR_LIMIT, "a key is longer than %d bytes",
		    STORE_KEY_MAX);
	if ((it = calloc(1, sizeof(*it))) == NULL)
		return err_nomem(e);
	*it = (struct store_iter){.s = s,
	    .txn = txn,
	    .t = t,
	    .changes = s->changes,
	    .prefix_len = prefix.len,
	    .key_len = start.len,
	    .next = s->iters};
	if (prefix.len > 0)
		memcpy(it->prefix, prefix.ptr, prefix.len);
	if (start.len > 0)
		memcpy(it->key, start.ptr, start.len);
	rc = mdb_cursor_open(store_txn_mdb(s, txn), s->env->dbi[t], &it->cur);
	if (rc != 0) {
		free(it);
		return store_env_error(s->env, rc, "read", e);
	}
	s->iters = it;
	*out = it;
	return ERR_OK;
}

/* Place the cursor on the first record at or, if it was seen, after key. */
static int
seek(struct store_iter *it, MDB_val *k, MDB_val *v)
{
	struct view last = view_of(it->key, it->key_len);
	int rc;

	if (last.len == 0)
		return mdb_cursor_get(it->cur, k, v, MDB_FIRST);
	*k = (MDB_val){it->key_len, it->key};
	rc = mdb_cursor_get(it->cur, k, v, MDB_SET_RANGE);
	if (rc == 0 && it->at == AT_RECORD &&
	    view_eq(view_of(k->mv_data, k->mv_size), last))
		rc = mdb_cursor_get(it->cur, k, v, MDB_NEXT);
	return rc;
}

static int
step(struct store_iter *it, MDB_val *k, MDB_val *v)
{
	bool moved = it->changes != it->s->changes;
	int rc = 0;

	if (it->at == AT_RECORD && !moved)
		return mdb_cursor_get(it->cur, k, v, MDB_NEXT);
	if (moved && it->txn == NULL)
		rc = mdb_cursor_renew(it->s->read, it->cur);
	it->changes = it->s->changes;
	return rc == 0 ? seek(it, k, v) : rc;
}

enum err_code
store_iter_next(struct store_iter *it, bool *more, struct view *key,
    struct view *val, struct err *e)
{
	struct view k;
	MDB_val rk, rv;
	int rc;

	*more = false;
	if (it->at == AT_END)
		return ERR_OK;
	bug_if(it->cur == NULL);
	store_settle(it->txn);
	rc = step(it, &rk, &rv);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return store_env_error(it->s->env, rc, "read", e);
	k = rc == 0 ? view_of(rk.mv_data, rk.mv_size) : VIEW_EMPTY;
	if (rc == MDB_NOTFOUND ||
	    !view_starts(k, view_of(it->prefix, it->prefix_len))) {
		it->at = AT_END;
		return ERR_OK;
	}
	if (k.len > sizeof(it->key))
		return store_env_error(it->s->env, MDB_CORRUPTED, "read", e);
	memcpy(it->key, k.ptr, k.len);
	it->key_len = k.len;
	it->at = AT_RECORD;
	*key = k;
	*more = true;
	return store_value(it->s, it->t, k, &rv, val, e);
}

void
store_iter_close(struct store_iter *it)
{
	struct store_iter **at;

	if (it == NULL)
		return;
	for (at = &it->s->iters; *at != it; at = &(*at)->next)
		bug_if(*at == NULL);
	*at = it->next;
	if (it->cur != NULL)
		mdb_cursor_close(it->cur);
	free(it);
}

void
store_iters_end(struct store *s, const struct store_txn *txn)
{
	struct store_iter *it;

	for (it = s->iters; it != NULL; it = it->next) {
		if (it->txn != txn || it->cur == NULL)
			continue;
		mdb_cursor_close(it->cur);
		it->cur = NULL;
	}
}
