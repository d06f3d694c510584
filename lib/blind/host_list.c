/* The list of cores that were asked for: one record each, in STORE_META. */
#include "blind/host_impl.h"

#define PREFIX "blind core " /* + key, 32 bytes */

static void
put_key(struct buf *b, const struct b32 *key)
{
	buf_str(b, PREFIX);
	buf_append(b, view_b32(key));
}

/* r NULL: delete. */
static enum err_code
change(struct blind_host *h, const struct b32 *core,
    const struct blind_record *r, struct err *e)
{
	struct store_txn *txn = NULL;
	struct buf key, val;
	enum err_code rc;

	buf_init(&key, 64);
	buf_init(&val, BLIND_VALUE_MAX);
	put_key(&key, core);
	if (r != NULL)
		blind_put_record(&val, r);
	if ((rc = buf_check(&key, e)) == ERR_OK &&
	    (rc = buf_check(&val, e)) == ERR_OK)
		rc = store_begin(&txn, h->store, e);
	if (rc == ERR_OK)
		rc = r != NULL ? store_put(txn, STORE_META, buf_view(&key),
				     buf_view(&val), e)
			       : store_del(txn, STORE_META, buf_view(&key), e);
	if (rc == ERR_OK)
		rc = store_commit(txn, e);
	else
		store_abort(txn);
	buf_deinit(&key);
	buf_deinit(&val);
	return rc;
}

enum err_code
host_list_put(struct blind_host *h, const struct blind_record *r, struct err *e)
{
	return change(h, &r->key, r, e);
}

enum err_code
host_list_del(struct blind_host *h, const struct b32 *key, struct err *e)
{
	return change(h, key, NULL, e);
}

enum err_code
host_list_load(struct blind_host *h, struct err *e)
{
	struct blind_record r;
	struct store_iter *it;
	struct view key, val;
	struct dec d;
	bool more;
	enum err_code rc;

	rc = store_iter_open(&it, h->store, NULL, STORE_META, view_str(PREFIX),
	    view_str(PREFIX), e);
	if (rc != ERR_OK)
		return rc;
	while ((rc = store_iter_next(it, &more, &key, &val, e)) == ERR_OK &&
	       more) {
		dec_init(&d, val);
		if (!blind_dec_record(&d, &r)) {
			rc = dec_error(&d, "list of blind cores", e);
			break;
		}
		if ((rc = host_restore(h, &r, e)) != ERR_OK)
			break;
	}
	store_iter_close(it);
	return rc;
}
