/*
 * fuzz_package: package.json of a foreign app. What is accepted has text
 * without NUL and trimmed list items; the same bytes give the same answer.
 */
#include <string.h>

#include "base/bug.h"
#include "pear/appcfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_list(const struct appcfg_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		const char *s = l->item[i];
		size_t n = strlen(s);

		bug_if(n == 0 || s[0] == ' ' || s[n - 1] == ' ');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct appcfg c;
	struct appcfg again;
	struct appcfg_list l = {NULL, 0, 0};
	struct err e = ERR_INIT;
	struct view text = view_of(data, size);

	if (appcfg_parse(&c, text, &e) == ERR_OK) {
		bug_if(!json_is_object(c.json));
		check_list(&c.ignore);
		check_list(&c.only);
		check_list(&c.includes);
		bug_if(c.has_semver && c.version == NULL);
		bug_if(appcfg_parse(&again, text, &e) != ERR_OK);
		bug_if(!json_equal(c.json, again.json) ||
		       c.only.n != again.only.n || c.purge != again.purge);
		appcfg_deinit(&again);
		appcfg_deinit(&c);
	} else {
		bug_if(e.msg[0] == '\0');
	}
	if (appcfg_list_add(&l, text, &e) == ERR_OK)
		check_list(&l);
	appcfg_list_deinit(&l);
	return 0;
}
