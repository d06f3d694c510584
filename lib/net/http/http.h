/*
 * http: pages that can be read, from a thread of its own; the only user of
 * libmicrohttpd. GET and HEAD, no bodies, no cookies, no files, nothing that
 * changes anything.
 *
 *	struct http_opts o = {.listen = &addr, .get = get, .ctx = x};
 *	http_open(&h, &o, e);
 *	http_address(h, &addr);		// port 0: the one it got
 *	http_close(h);
 *
 * A page of another site must not read this one through a name that its owner
 * lets point here (DNS rebinding): requests are answered only if their Host
 * is an address, "localhost" or one of the names given.
 *
 * Bounded: HTTP_CONNECTIONS_MAX connections, HTTP_IDLE_S seconds each without
 * anything, small buffers.
 */
#ifndef NET_HTTP_HTTP_H
#define NET_HTTP_HTTP_H

#include "base/addr.h"
#include "base/buf.h"

#define HTTP_CONNECTIONS_MAX 64
#define HTTP_IDLE_S 15

struct http_reply {
	const char *type; /* Content-Type; static */
	char policy[256]; /* Content-Security-Policy; "": nothing at all */
	struct buf body;  /* initialised; freed by http */
};

struct http_opts {
	const struct addr *listen;
	const char *const *name; /* further names of this host */
	size_t nnames;
	size_t body_max; /* bytes of a page; 0: 64 MiB */
	/* On http's thread. False: no such page. A body that failed (out of
	 * memory, too long) is answered as an error of the server. */
	bool (*get)(void *ctx, const char *path, struct http_reply *out);
	void *ctx;
};

struct http;

/* ERR_IO names the address. name and ctx must outlive it. */
NODISCARD enum err_code http_open(
    struct http **out, const struct http_opts *o, struct err *e);
void http_address(const struct http *h, struct addr *out);
/* When it returns, get is not called any more. NULL is fine. */
void http_close(struct http *h);

/* Is it an address that only this machine reaches? */
bool http_loopback(const struct addr *a);
/* May a request with this Host be answered? */
bool http_host_ok(const char *host, const char *const *name, size_t nnames);

#endif
