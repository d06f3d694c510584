/* Who is asked: the Host of a request, and addresses. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net/http/http.h"

#define HOST_MAX 255

bool
http_loopback(const struct addr *a)
{
	static const uint8_t six[16] = {[15] = 1};

	if (a->family == 4)
		return a->ip[0] == 127;
	return a->family == 6 && memcmp(a->ip, six, sizeof(six)) == 0;
}

/* ":8080" or nothing. */
static bool
is_port(const char *s)
{
	if (*s == '\0')
		return true;
	return *s == ':' && s[1] != '\0' && strlen(s) <= 6 &&
	       strspn(s + 1, "0123456789") == strlen(s + 1);
}

static bool
is_name(const char *host, const char *name)
{
	size_t n = strlen(name);

	return n > 0 && strncasecmp(host, name, n) == 0 && is_port(host + n);
}

static bool
is_address(const char *host)
{
	char text[HOST_MAX + 8];
	struct addr a;

	if (addr_parse(&a, view_str(host), NULL) == ERR_OK)
		return true;
	(void)snprintf(text, sizeof(text), "%s:80", host);
	return addr_parse(&a, view_str(text), NULL) == ERR_OK;
}

bool
http_host_ok(const char *host, const char *const *name, size_t nnames)
{
	if (host == NULL || strlen(host) > HOST_MAX)
		return false;
	if (is_address(host) || is_name(host, "localhost"))
		return true;
	for (size_t i = 0; i < nnames; i++)
		if (is_name(host, name[i]))
			return true;
	return false;
}
