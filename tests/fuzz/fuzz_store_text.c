/*
 * The text files of a store, STORE and a mark: what decodes must encode to
 * the same bytes again. A sum hides everything behind it from a fuzzer, so
 * each input is tried once more with the right one behind it.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/bug.h"
#include "store/ident.h"
#include "store/mark_text.h"
#include "store/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_both(struct view file)
{
	struct err e = ERR_INIT;
	struct ident id;
	struct mark m;
	struct buf b;

	buf_init(&b, 2 * TEXT_MAX);
	if (ident_decode(&id, file, "STORE", &e) == ERR_OK) {
		ident_encode(&b, &id);
		bug_if(!view_eq(buf_view(&b), file));
		bug_if(ident_compare(&id, &id) != IDENT_SAME);
	} else {
		bug_if(e.code != ERR_CORRUPT && e.code != ERR_VERSION);
	}
	buf_reset(&b);
	if (mark_decode(&m, file, "mark", &e) == ERR_OK) {
		mark_encode(&b, &m);
		bug_if(!view_eq(buf_view(&b), file));
	} else {
		bug_if(e.code != ERR_CORRUPT && e.code != ERR_VERSION);
	}
	buf_deinit(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b;

	if (size > TEXT_MAX)
		return 0;
	try_both(view_of(data, size));
	buf_init(&b, TEXT_MAX + 64);
	buf_append(&b, view_of(data, size));
	text_put_sum(&b);
	try_both(buf_view(&b));
	buf_deinit(&b);
	return 0;
}
