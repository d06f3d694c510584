/* Journals of commits: whatever the bytes, they are a journal that prints and
 * reads back as itself, or an error that says why. */
#include <stdlib.h>
#include <string.h>

#include "multisig/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct journal a, b;
	struct buf one, two;

	if (journal_decode(&a, view_of(data, size), &e) != ERR_OK) {
		must(e.code == ERR_CORRUPT || e.code == ERR_VERSION ||
		     e.code == ERR_LIMIT);
		must(e.msg[0] != '\0');
		return 0;
	}
	buf_init(&one, 1u << 24);
	buf_init(&two, 1u << 24);
	must(journal_encode(&one, &a, &e) == ERR_OK);
	must(journal_decode(&b, buf_view(&one), &e) == ERR_OK);
	must(journal_encode(&two, &b, &e) == ERR_OK);
	must(view_eq(buf_view(&one), buf_view(&two)));
	must(b32_eq(&a.request_hash, &b.request_hash) && a.phase == b.phase);
	buf_deinit(&one);
	buf_deinit(&two);
	journal_deinit(&a);
	journal_deinit(&b);
	return 0;
}
