/* Drive entries from a stranger: what decodes prints to text that decodes
 * and prints to the same text. */
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

/* What we print and do not read: text that has become longer than what is
 * accepted, and numbers like 1e20, which JavaScript prints as integers that
 * the parser has no type for. */
static bool
known_limit(const struct buf *text, const struct err *e)
{
	return text->len > ENTRY_VALUE_MAX || strstr(e->msg, "too big") != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum err_code rc;
	struct err e = ERR_INIT;
	struct entry a, b;
	struct buf one, two;

	if (entry_decode(&a, view_of(data, size), &e) != ERR_OK) {
		need(e.msg[0] != '\0');
		return 0;
	}
	buf_init(&one, 16u << 20);
	buf_init(&two, 16u << 20);
	entry_encode(&one, &a);
	need(buf_check(&one, &e) == ERR_OK);
	rc = entry_decode(&b, buf_view(&one), &e);
	if (rc == ERR_OK) {
		need(a.executable == b.executable);
		need(a.has_blob == b.has_blob);
		entry_encode(&two, &b);
		need(view_eq(buf_view(&one), buf_view(&two)));
		entry_deinit(&b);
	} else {
		need(known_limit(&one, &e));
	}
	entry_deinit(&a);
	buf_deinit(&one);
	buf_deinit(&two);
	return 0;
}
