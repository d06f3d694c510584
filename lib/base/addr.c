#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"

static bool
parse_port(struct view v, uint16_t *out)
{
	uint32_t n = 0;

	if (v.len == 0 || v.len > 5)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.ptr[i] < '0' || v.ptr[i] > '9')
			return false;
		n = n * 10 + (uint32_t)(v.ptr[i] - '0');
	}
	*out = (uint16_t)n;
	return n <= 65535;
}

/* Splits at the last colon; brackets around an IPv6 host are taken off. */
static bool
split(struct view text, char *host, size_t cap, bool *six, struct view *port)
{
	size_t colon = text.len;
	struct view h;

	while (colon > 0 && text.ptr[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;
	*port = view_sub(text, colon, text.len);
	h = view_sub(text, 0, colon - 1);
	*six = h.len > 2 && h.ptr[0] == '[' && h.ptr[h.len - 1] == ']';
	if (*six)
		h = view_sub(h, 1, h.len - 2);
	if (h.len == 0 || h.len >= cap || memchr(h.ptr, 0, h.len) != NULL)
		return false;
	memcpy(host, h.ptr, h.len);
	host[h.len] = '\0';
	return true;
}

enum err_code
addr_parse(struct addr *out, struct view text, struct err *e)
{
	char host[INET6_ADDRSTRLEN], shown[80];
	struct addr a = {.family = 4};
	struct view port;
	bool six;

	if (!split(text, host, sizeof(host), &six, &port) ||
	    !parse_port(port, &a.port) ||
	    inet_pton(six ? AF_INET6 : AF_INET, host, a.ip) != 1)
		return err_set(e, ERR_INVALID,
		    "\"%s\" is not an address such as 127.0.0.1:49737",
		    err_quote(shown, sizeof(shown), text.ptr, text.len));
	a.family = six ? 6 : 4;
	*out = a;
	return ERR_OK;
}

const char *
addr_format(char out[static ADDR_TEXT], const struct addr *a)
{
	char host[INET6_ADDRSTRLEN];
	bool six = a->family == 6;

	if (a->family == 0 || inet_ntop(six ? AF_INET6 : AF_INET, a->ip, host,
				  sizeof(host)) == NULL)
		snprintf(out, ADDR_TEXT, "nowhere");
	else
		snprintf(out, ADDR_TEXT, six ? "[%s]:%u" : "%s:%u", host,
		    (unsigned)a->port);
	return out;
}

bool
addr_same_host(const struct addr *a, const struct addr *b)
{
	return a->family == b->family &&
	       memcmp(a->ip, b->ip, a->family == 6 ? 16 : 4) == 0;
}

bool
addr_eq(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && addr_same_host(a, b);
}
