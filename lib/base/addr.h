/*
 * addr: an IP address and a port, as a plain value; compare with addr_eq().
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/err.h"
#include "base/view.h"

#define ADDR_TEXT 56 /* enough for addr_format, NUL included */

struct addr {
	uint8_t family; /* 4, 6; 0: none */
	uint16_t port;	/* host byte order */
	uint8_t ip[16]; /* network byte order; IPv4 uses the first four */
};

/* "127.0.0.1:4000", "[::1]:4000"; numbers only, nothing is looked up.
 * ERR_INVALID names the text. Port 0 is allowed: the caller judges. */
NODISCARD enum err_code addr_parse(
    struct addr *out, struct view text, struct err *e);
/* The same form back. Returns out. */
const char *addr_format(char out[static ADDR_TEXT], const struct addr *a);
bool addr_eq(const struct addr *a, const struct addr *b);
/* The same host, whatever the port. */
bool addr_same_host(const struct addr *a, const struct addr *b);

#endif
