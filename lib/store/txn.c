/* txn: reading and writing the index. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "store/crc.h"
#include "store/handle.h"

#define VALUE_MAX ((size_t)1 << 30)

struct store_txn {
	struct store *s;
	MDB_txn *mdb;
	struct buf scratch; /* a value with its sum */
	uint8_t *reserved;  /* by store_reserve, its sum not made yet */
	size_t reserved_len;
	uint32_t reserved_sum; /* of table and key */
};

static void
put_sum(uint8_t *out, uint32_t sum)
{
	for (int i = 0; i < STORE_SUM; i++)
		out[i] = (uint8_t)(sum >> (8 * i));
}

static MDB_val
raw_of(struct view v)
{
	union {
		const void *in;
		void *out;
	} p = {v.ptr};

	return (MDB_val){v.len, p.out};
}

static enum err_code
check_key(struct view key, struct err *e)
{
	bug_if(key.len == 0);
	if (key.len > STORE_KEY_MAX)
		return err_set(e, ERR_LIMIT,
		    "a key of %zu bytes is longer than %d", key.len,
		    STORE_KEY_MAX);
	return ERR_OK;
}

enum err_code
store_value(const struct store *s, enum store_table t, struct view key,
    const MDB_val *raw, struct view *val, struct err *e)
{
	struct view v = view_of(raw->mv_data, raw->mv_size);
	uint8_t sum[STORE_SUM];

	if (v.len >= STORE_SUM) {
		*val = view_sub(v, 0, v.len - STORE_SUM);
		put_sum(sum, crc_add(crc_key(t, key), *val));
		if (memcmp(sum, v.ptr + val->len, STORE_SUM) == 0)
			return ERR_OK;
	}
	*val = VIEW_EMPTY;
	return err_set(e, ERR_CORRUPT,
	    "%s is damaged: the check sum of a record does not match",
	    s->env->file);
}

MDB_txn *
store_txn_mdb(struct store *s, struct store_txn *txn)
{
	bug_if(txn != NULL && txn->s != s);
	return txn == NULL ? s->read : txn->mdb;
}

void
store_settle(struct store_txn *txn)
{
	struct view v;

	if (txn == NULL || txn->reserved == NULL)
		return;
	v = view_of(txn->reserved, txn->reserved_len);
	put_sum(txn->reserved + v.len, crc_add(txn->reserved_sum, v));
	txn->reserved = NULL;
}

enum err_code
store_get(struct store *s, struct store_txn *txn, enum store_table t,
    struct view key, struct view *val, struct err *e)
{
	MDB_val k = raw_of(key), v;
	enum err_code code;
	int rc;

	if ((code = check_key(key, e)) != ERR_OK)
		return code;
	store_settle(txn);
	rc = mdb_get(store_txn_mdb(s, txn), s->env->dbi[t], &k, &v);
	if (rc != 0)
		return store_env_error(s->env, rc, "read", e);
	return store_value(s, t, key, &v, val, e);
}

enum err_code
store_begin(struct store_txn **out, struct store *s, struct err *e)
{
	struct store_txn *txn;
	enum err_code rc;

	bug_if(s->write != NULL);
	if ((rc = store_writable(s, e)) != ERR_OK)
		return rc;
	if ((txn = calloc(1, sizeof(*txn))) == NULL)
		return err_nomem(e);
	txn->s = s;
	buf_init(&txn->scratch, VALUE_MAX + STORE_SUM);
	if ((rc = store_env_begin(s->env, &txn->mdb, e)) != ERR_OK) {
		free(txn);
		return rc;
	}
	s->write = txn;
	*out = txn;
	return ERR_OK;
}

/* Key and value may lie in the index themselves, where a change moves them,
 * so both are copied first. */
static enum err_code
put(struct store_txn *txn, enum store_table t, struct view key, MDB_val *v,
    unsigned flags, struct err *e)
{
	uint8_t copy[STORE_KEY_MAX];
	MDB_val k = {key.len, copy};
	enum err_code code;
	int rc;

	if ((code = check_key(key, e)) != ERR_OK)
		return code;
	memcpy(copy, key.ptr, key.len);
	store_settle(txn);
	txn->s->changes++;
	rc = mdb_put(txn->mdb, txn->s->env->dbi[t], &k, v, flags);
	if (rc != 0)
		return store_env_error(txn->s->env, rc, "write", e);
	return ERR_OK;
}

enum err_code
store_put(struct store_txn *txn, enum store_table t, struct view key,
    struct view val, struct err *e)
{
	uint8_t sum[STORE_SUM];
	MDB_val v;
	enum err_code rc;

	put_sum(sum, crc_add(crc_key(t, key), val));
	buf_reset(&txn->scratch);
	buf_append(&txn->scratch, val);
	buf_append(&txn->scratch, view_of(sum, sizeof(sum)));
	if ((rc = buf_check(&txn->scratch, e)) != ERR_OK)
		return rc;
	v = raw_of(buf_view(&txn->scratch));
	return put(txn, t, key, &v, 0, e);
}

enum err_code
store_reserve(struct store_txn *txn, enum store_table t, struct view key,
    size_t len, uint8_t **val, struct err *e)
{
	uint32_t sum = crc_key(t, key);
	enum err_code rc;
	MDB_val v;

	if (len > VALUE_MAX)
		return err_set(e, ERR_LIMIT, "a value is longer than %zu bytes",
		    VALUE_MAX);
	v = (MDB_val){len + STORE_SUM, NULL};
	if ((rc = put(txn, t, key, &v, MDB_RESERVE, e)) != ERR_OK)
		return rc;
	txn->reserved = v.mv_data;
	txn->reserved_len = len;
	txn->reserved_sum = sum;
	*val = v.mv_data;
	return ERR_OK;
}

enum err_code
store_del(
    struct store_txn *txn, enum store_table t, struct view key, struct err *e)
{
	uint8_t copy[STORE_KEY_MAX];
	MDB_val k = {key.len, copy};
	enum err_code code;
	int rc;

	if ((code = check_key(key, e)) != ERR_OK)
		return code;
	memcpy(copy, key.ptr, key.len);
	store_settle(txn);
	txn->s->changes++;
	rc = mdb_del(txn->mdb, txn->s->env->dbi[t], &k, NULL);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return store_env_error(txn->s->env, rc, "delete", e);
	return ERR_OK;
}

static int
del_from(MDB_cursor *cur, struct view prefix, struct view from)
{
	struct view start = view_cmp(from, prefix) > 0 ? from : prefix;
	MDB_val k = raw_of(start), v;
	int rc;

	rc = mdb_cursor_get(
	    cur, &k, &v, start.len > 0 ? MDB_SET_RANGE : MDB_FIRST);
	while (rc == 0 && view_starts(view_of(k.mv_data, k.mv_size), prefix)) {
		if ((rc = mdb_cursor_del(cur, 0)) == 0)
			rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT);
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

enum err_code
store_del_range(struct store_txn *txn, enum store_table t, struct view prefix,
    struct view from, struct err *e)
{
	uint8_t prefix_copy[STORE_KEY_MAX], from_copy[STORE_KEY_MAX];
	struct store_env *env = txn->s->env;
	MDB_cursor *cur;
	int rc;

	if (prefix.len > STORE_KEY_MAX || from.len > STORE_KEY_MAX)
		return err_set(e, ERR_LIMIT, "a key is longer than %d bytes",
		    STORE_KEY_MAX);
	if (prefix.len > 0)
		memcpy(prefix_copy, prefix.ptr, prefix.len);
	if (from.len > 0)
		memcpy(from_copy, from.ptr, from.len);
	store_settle(txn);
	txn->s->changes++;
	if ((rc = mdb_cursor_open(txn->mdb, env->dbi[t], &cur)) == 0) {
		rc = del_from(cur, view_of(prefix_copy, prefix.len),
		    view_of(from_copy, from.len));
		mdb_cursor_close(cur);
	}
	if (rc != 0)
		return store_env_error(env, rc, "delete", e);
	return ERR_OK;
}

static void
end(struct store_txn *txn)
{
	struct store *s = txn->s;

	store_env_ended(s->env);
	s->write = NULL;
	s->changes++;
	buf_deinit(&txn->scratch);
	free(txn);
}

/*
 * Errors of a commit that leave nothing in doubt: there was no room, and the
 * old head stands. Everything else may be a failed sync, after which the
 * system forgets which pages it lost: final. (LMDB itself refuses to go on
 * when the write of the head failed, whatever the reason.)
 */
static bool
harmless(int rc)
{
	return rc == ENOSPC || rc == EDQUOT || rc == ENOMEM ||
	       rc == MDB_MAP_FULL || rc == MDB_TXN_FULL || rc == MDB_BAD_TXN;
}

enum err_code
store_commit(struct store_txn *txn, struct err *e)
{
	struct store *s = txn->s;
	int rc;

	store_settle(txn);
	store_iters_end(s, txn);
	rc = mdb_txn_commit(txn->mdb);
	end(txn);
	if (rc == 0)
		return store_refresh(s, e);
	if (!harmless(rc))
		store_break(s);
	return store_env_error(s->env, rc, "commit", e);
}

void
store_abort(struct store_txn *txn)
{
	if (txn == NULL)
		return;
	store_iters_end(txn->s, txn);
	mdb_txn_abort(txn->mdb);
	end(txn);
}

uint64_t
store_generation(const struct store *s)
{
	return mdb_txn_id(s->read);
}

enum err_code
store_refresh(struct store *s, struct err *e)
{
	int rc;

	s->changes++;
	mdb_txn_reset(s->read);
	if ((rc = mdb_txn_renew(s->read)) != 0)
		return store_env_error(s->env, rc, "renew the snapshot", e);
	return ERR_OK;
}
