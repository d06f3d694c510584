#include "core/want.h"

#include "codec/z32.h"

static const char *
kind_text(enum want_kind kind)
{
	switch (kind) {
	case WANT_BLOCK:
	case WANT_REPAIR:
		return "block";
	case WANT_NODE:
		return "tree node";
	case WANT_LENGTH:
		return "length";
	}
	return "item";
}

bool
want_helps(enum err_code rc, const struct want *w)
{
	return rc == ERR_NEED_BLOCK ||
	       (rc == ERR_CORRUPT && w->kind == WANT_REPAIR);
}

enum err_code
fetch_block(const struct fetch *f, const struct want *w, struct err *e)
{
	char name[Z32_KEY_LEN + 1];

	if (f != NULL)
		return f->get(f->ctx, w, e);
	if (w->kind == WANT_REPAIR)
		return ERR_CORRUPT;
	return err_set(e, ERR_NOT_FOUND,
	    "%s %llu of core %s is not in this store", kind_text(w->kind),
	    (unsigned long long)w->index, z32_key(name, &w->key));
}

void
fetch_ahead(
    const struct fetch *f, const struct b32 *key, uint64_t start, uint64_t end)
{
	if (f != NULL && f->ahead != NULL && start < end)
		f->ahead(f->ctx, key, start, end);
}
