/* Bytes a second, as people write them. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/pear-seed/seed.h"

#define LIMIT_MIN 1000u
#define LIMIT_MAX ((uint64_t)1 << 50)

/* The letters behind the number; 0: none that is known. */
static uint64_t
unit(const char *s)
{
	static const struct {
		const char *text;
		uint64_t n;
	} units[] = {
	    {"", 1},
	    {"B", 1},
	    {"k", 1000},
	    {"kB", 1000},
	    {"M", 1000000},
	    {"MB", 1000000},
	    {"G", 1000000000},
	    {"GB", 1000000000},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcasecmp(s, units[i].text) == 0)
			return units[i].n;
	return 0;
}

enum err_code
limit_parse(uint64_t *out, const char *option, const char *text, struct err *e)
{
	uint64_t n = 0, times;
	size_t digits;
	char shown[80];

	*out = 0;
	if (text == NULL)
		return ERR_OK;
	digits = strspn(text, "0123456789");
	times = unit(text + digits);
	for (size_t i = 0; i < digits && n <= LIMIT_MAX; i++)
		n = 10 * n + (uint64_t)(text[i] - '0');
	if (digits == 0 || times == 0)
		return err_set(e, ERR_USAGE,
		    "%s: \"%s\" is no amount such as 500kB or 2MB", option,
		    err_quote(shown, sizeof(shown), text, strlen(text)));
	if (n > LIMIT_MAX / times || n * times < LIMIT_MIN)
		return err_set(e, ERR_USAGE,
		    "%s: must be between 1kB and 1,000,000GB a second", option);
	*out = n * times;
	return ERR_OK;
}
