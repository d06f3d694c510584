/* Paths from a stranger: a normalised path is its own normal form, has no
 * part that leads elsewhere, and a path that is safe to write is one. */
#include <stdlib.h>
#include <string.h>

#include "hyperdrive/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(bool ok)
{
	if (!ok)
		abort();
}

/* Only what safety forbids on top of the reference may be wrong with it. */
static void
check_normal(struct view path)
{
	size_t start = 1;

	need(path.len > 1 && path.ptr[0] == '/');
	for (size_t i = 1; i <= path.len; i++) {
		struct view part = view_sub(path, start, i - start);

		if (i < path.len && path.ptr[i] != '/')
			continue;
		need(part.len > 0);
		need(!view_eq(part, view_str(".")));
		need(!view_eq(part, view_str("..")));
		need(memchr(part.ptr, '\\', part.len) == NULL);
		start = i + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view path = view_of(data, size);
	bool safe;
	struct err e = ERR_INIT;
	struct buf one, two;

	safe = entry_path_safe(path, &e) == ERR_OK;
	buf_init(&one, 1u << 20);
	buf_init(&two, 1u << 20);
	if (entry_path(&one, path, &e) == ERR_OK) {
		check_normal(buf_view(&one));
		need(entry_path(&two, buf_view(&one), &e) == ERR_OK);
		need(view_eq(buf_view(&one), buf_view(&two)));
		if (safe)
			need(view_eq(path, buf_view(&one)));
	} else {
		need(!safe && e.msg[0] != '\0');
	}
	buf_deinit(&one);
	buf_deinit(&two);
	return 0;
}
