/* Stage plans: whatever is in the file, it is a plan or an error, and a plan
 * equals itself and nothing that differs from it. */
#include <stdlib.h>
#include <string.h>

#include "codec/jtext.h"
#include "drive/plan.h"

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
	struct plan a = {NULL, NULL}, b = {NULL, NULL}, c = {NULL, NULL};
	struct err e = ERR_INIT;
	struct buf text;

	if (plan_parse(&a, view_of(data, size), &e) != ERR_OK) {
		must(e.msg[0] != '\0');
		return 0;
	}
	must(plan_chunking(&a) != NULL);
	buf_init(&text, 1u << 24);
	jtext_print(&text, a.doc);
	/* printed, a number like 8e1 is an integer: only then is it stable */
	if (plan_parse(&b, buf_view(&text), &e) == ERR_OK) {
		buf_reset(&text);
		jtext_print(&text, b.doc);
		must(plan_parse(&c, buf_view(&text), &e) == ERR_OK);
		must(plan_check(&b, &c, &e) == ERR_OK);
		must(json_array_append_new(
			 c.changes, json_pack("{s:s}", "path", "/more")) == 0);
		must(plan_check(&b, &c, &e) == ERR_CONFLICT);
		must(plan_check(&c, &b, &e) == ERR_CONFLICT);
	}
	buf_deinit(&text);
	plan_deinit(&a);
	plan_deinit(&b);
	plan_deinit(&c);
	return 0;
}
