#include "peer/known.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"

#define TEXT_MAX 16384

static void
put_list(struct buf *b, const struct addr *list, size_t n, char between)
{
	char text[ADDR_TEXT];

	for (size_t i = 0; i < n; i++) {
		addr_format(text, &list[i]);
		buf_append(b, view_str(text));
		buf_append(b, view_of(&between, 1));
	}
}

/* "bootstrap HOST:PORT HOST:PORT \n" */
static void
put_head(struct buf *b, const struct addr *bootstrap, size_t n)
{
	buf_append(b, view_str("bootstrap "));
	put_list(b, bootstrap, n, ' ');
	buf_append(b, view_str("\n"));
}

static void
read_lines(struct known_list *out, struct view v)
{
	struct err e = ERR_INIT;
	const uint8_t *end;
	size_t len;

	while (v.len > 0 && out->n < KNOWN_MAX) {
		end = memchr(v.ptr, '\n', v.len);
		len = end != NULL ? (size_t)(end - v.ptr) : v.len;
		if (addr_parse(&out->node[out->n], view_of(v.ptr, len), &e) ==
			ERR_OK &&
		    out->node[out->n].family == 4 &&
		    out->node[out->n].port != 0)
			out->n++;
		len += end != NULL;
		v = view_of(v.ptr + len, v.len - len);
	}
}

void
known_read(struct known_list *out, const char *dir,
    const struct addr *bootstrap, size_t nbootstrap)
{
	char path[4096];
	struct err e = ERR_INIT;
	struct buf b, head;

	out->n = 0;
	if (snprintf(path, sizeof(path), "%s/%s", dir, KNOWN_FILE) >=
	    (int)sizeof(path))
		return;
	buf_init(&b, TEXT_MAX);
	buf_init(&head, TEXT_MAX);
	put_head(&head, bootstrap, nbootstrap);
	if (file_read(AT_FDCWD, path, TEXT_MAX, &b, &e) == ERR_OK &&
	    head.failed == ERR_OK && b.len >= head.len &&
	    memcmp(b.data, head.data, head.len) == 0)
		read_lines(out, view_of(b.data + head.len, b.len - head.len));
	buf_deinit(&b);
	buf_deinit(&head);
}

enum err_code
known_write(const struct known_list *k, const char *dir,
    const struct addr *bootstrap, size_t nbootstrap, struct err *e)
{
	char path[4096];
	struct buf b;
	enum err_code rc;

	if (snprintf(path, sizeof(path), "%s/%s", dir, KNOWN_FILE) >=
	    (int)sizeof(path))
		return err_set(e, ERR_LIMIT, "the name of the store is long");
	buf_init(&b, TEXT_MAX);
	put_head(&b, bootstrap, nbootstrap);
	put_list(&b, k->node, k->n, '\n');
	if ((rc = buf_check(&b, e)) == ERR_OK)
		rc = file_write_atomic(AT_FDCWD, path, buf_view(&b), 0600, e);
	buf_deinit(&b);
	return rc;
}
