#include "store/mark.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "codec/hex.h"
#include "store/handle.h"
#include "store/mark_text.h"
#include "store/text.h"

#define MARK_FORMAT 1

enum err_code
mark_decode(struct mark *out, struct view file, const char *what, struct err *e)
{
	struct mark m;
	struct text t;
	enum err_code rc;

	rc = text_open(&t, file, "pear-mark", MARK_FORMAT, what, e);
	if (rc != ERR_OK)
		return rc;
	text_bytes(&t, "key", m.key.b, sizeof(m.key.b));
	m.fork = text_uint(&t, "fork");
	m.length = text_uint(&t, "length");
	text_bytes(&t, "root", m.root_hash.b, sizeof(m.root_hash.b));
	if ((rc = text_close(&t, what, e)) != ERR_OK)
		return rc;
	*out = m;
	return ERR_OK;
}

void
mark_encode(struct buf *b, const struct mark *m)
{
	text_put_uint(b, "pear-mark", MARK_FORMAT);
	text_put_bytes(b, "key", view_b32(&m->key));
	text_put_uint(b, "fork", m->fork);
	text_put_uint(b, "length", m->length);
	text_put_bytes(b, "root", view_b32(&m->root_hash));
	text_put_sum(b);
}

static enum err_code
make_path(char **out, const struct store *s, const struct b32 *discovery_key,
    struct err *e)
{
	char hex[65];

	(void)hex_b32(hex, discovery_key);
	if (asprintf(out, "%s/marks/%s", s->dir, hex) < 0)
		return err_nomem(e);
	return ERR_OK;
}

enum err_code
mark_read(struct mark *out, struct store *s, const struct b32 *discovery_key,
    struct err *e)
{
	enum err_code rc;
	struct buf b;
	char *path;

	if ((rc = make_path(&path, s, discovery_key, e)) != ERR_OK)
		return rc;
	buf_init(&b, TEXT_MAX);
	rc = file_read(AT_FDCWD, path, TEXT_MAX, &b, e);
	if (rc == ERR_OK)
		rc = mark_decode(out, buf_view(&b), path, e);
	else if (rc == ERR_LIMIT || rc == ERR_INVALID)
		rc = err_set(e, ERR_CORRUPT,
		    "%s is damaged: not a file of a few lines", path);
	buf_deinit(&b);
	free(path);
	return rc;
}

enum err_code
mark_write(struct store *s, const struct b32 *discovery_key,
    const struct mark *m, struct err *e)
{
	enum err_code rc = store_writable(s, e);
	struct buf b;
	char *path;

	if (rc != ERR_OK ||
	    (rc = make_path(&path, s, discovery_key, e)) != ERR_OK)
		return rc;
	buf_init(&b, TEXT_MAX);
	mark_encode(&b, m);
	if ((rc = buf_check(&b, e)) == ERR_OK)
		rc = file_write_atomic(AT_FDCWD, path, buf_view(&b), 0600, e);
	buf_deinit(&b);
	free(path);
	return rc;
}
