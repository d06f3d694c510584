#include "cmd/common/common.h"

#include <errno.h>
#include <unistd.h>

#include "codec/z32.h"

enum err_code
common_store(struct store **out, const struct cli *c, enum store_mode mode,
    struct err *e)
{
	const struct store_opts opts = {
	    .dir = c->common.storage,
	    .mode = mode,
	    .moved = c->common.store_moved ? STORE_MOVED : STORE_NOT_MOVED,
	};

	return store_open(out, &opts, e);
}

enum err_code
common_stdin(struct buf *out, struct err *e)
{
	uint8_t chunk[4096];
	ssize_t got;

	for (;;) {
		got = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_os(e, errno, "read standard input");
		buf_append(out, view_of(chunk, (size_t)got));
		if (got == 0 || out->failed != ERR_OK)
			return buf_check(out, e);
	}
}

enum err_code
common_link(struct pear_link *out, const char *text, struct err *e)
{
	return pear_link_parse(out, view_str(text), PEAR_LINK_DRIVES, NULL, e);
}

enum err_code
common_absent(
    enum err_code rc, const char *what, const struct b32 *key, struct err *e)
{
	char name[Z32_KEY_LEN + 1];

	if (rc != ERR_NOT_FOUND)
		return rc;
	rc = err_set(e, ERR_PEERS,
	    "%s %s is not in this store, and no peer gave it", what,
	    z32_key(name, key));
	return e == NULL ? rc : err_tag(e, "ERR_NOT_FOUND");
}
