#include "net/http/http.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BODY_MAX (64u << 20)
#define MEMORY_MAX ((size_t)16 << 10) /* of a connection: its head */

struct http {
	struct http_opts o;
	struct addr addr;
	struct MHD_Daemon *daemon;
};

/* -- answers -------------------------------------------------------------- */

static const char *const security[][2] = {
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"X-Frame-Options", "DENY"},
    {"Cache-Control", "no-store"},
};

static enum MHD_Result
send_response(struct MHD_Connection *c, unsigned status, const char *type,
    const char *policy, struct MHD_Response *r)
{
	enum MHD_Result ok = MHD_YES;

	if (r == NULL)
		return MHD_NO;
	for (size_t i = 0; i < sizeof(security) / sizeof(security[0]); i++)
		if (MHD_add_response_header(
			r, security[i][0], security[i][1]) != MHD_YES)
			ok = MHD_NO;
	if (MHD_add_response_header(r, "Content-Type", type) != MHD_YES ||
	    MHD_add_response_header(r, "Content-Security-Policy", policy) !=
		MHD_YES ||
	    (status == MHD_HTTP_METHOD_NOT_ALLOWED &&
		MHD_add_response_header(r, "Allow", "GET, HEAD") != MHD_YES))
		ok = MHD_NO;
	if (ok == MHD_YES)
		ok = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ok;
}

#define NO_POLICY "default-src 'none'; frame-ancestors 'none'"

static enum MHD_Result
send_text(struct MHD_Connection *c, unsigned status, const char *text)
{
	union {
		const char *from;
		void *to;
	} t = {.from = text};

	/* static text, which the library does not write to */
	return send_response(c, status, "text/plain; charset=utf-8", NO_POLICY,
	    MHD_create_response_from_buffer(
		strlen(text), t.to, MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result
send_page(struct http *h, struct MHD_Connection *c, const char *path)
{
	struct http_reply reply = {.type = "text/plain; charset=utf-8"};
	struct MHD_Response *r;
	uint8_t *data;
	size_t len;

	buf_init(&reply.body, h->o.body_max != 0 ? h->o.body_max : BODY_MAX);
	if (!h->o.get(h->o.ctx, path, &reply)) {
		buf_deinit(&reply.body);
		return send_text(c, MHD_HTTP_NOT_FOUND, "no such page\n");
	}
	if (reply.body.failed != ERR_OK || reply.body.len == 0) {
		buf_deinit(&reply.body);
		return send_text(c, MHD_HTTP_INTERNAL_SERVER_ERROR,
		    "this page cannot be made\n");
	}
	data = buf_steal(&reply.body, &len);
	r = MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
	if (r == NULL)
		free(data);
	return send_response(c, MHD_HTTP_OK, reply.type,
	    reply.policy[0] != '\0' ? reply.policy : NO_POLICY, r);
}

/* Called once for the head and again when the (empty) body is over. */
static enum MHD_Result
on_request(void *ctx, struct MHD_Connection *c, const char *path,
    const char *method, const char *version, const char *upload, size_t *len,
    void **seen)
{
	static int head_seen;
	struct http *h = ctx;
	const char *host;

	(void)version;
	(void)upload;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return send_text(
		    c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
	if (*seen == NULL) {
		*seen = &head_seen;
		return MHD_YES;
	}
	*len = 0; /* whatever came with it */
	host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
	if (!http_host_ok(host, h->o.name, h->o.nnames))
		return send_text(c, MHD_HTTP_FORBIDDEN,
		    "not known by this name; use an address\n");
	return send_page(h, c, path);
}

/* -- life ----------------------------------------------------------------- */

static socklen_t
to_sockaddr(struct sockaddr_storage *out, const struct addr *a)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};

	memset(out, 0, sizeof(*out));
	if (a->family == 6) {
		six.sin6_port = htons(a->port);
		memcpy(&six.sin6_addr, a->ip, 16);
		memcpy(out, &six, sizeof(six));
		return sizeof(six);
	}
	four.sin_port = htons(a->port);
	memcpy(&four.sin_addr, a->ip, 4);
	memcpy(out, &four, sizeof(four));
	return sizeof(four);
}

/* The library logs to standard error unless it is told not to. */
static void
quiet(void *ctx, const char *fmt, va_list ap)
{
	(void)ctx;
	(void)fmt;
	(void)ap;
}

static enum err_code
start(struct http *h, struct err *e)
{
	unsigned flags =
	    MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ERROR_LOG;
	const union MHD_DaemonInfo *info;
	struct sockaddr_storage sa;
	sigset_t all, old;
	char at[ADDR_TEXT];

	to_sockaddr(&sa, h->o.listen);
	if (h->o.listen->family == 6)
		flags |= MHD_USE_IPv6;
	/* signals are for the other threads */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	h->daemon = MHD_start_daemon(flags, h->o.listen->port, NULL, NULL,
	    on_request, h, MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL,
	    MHD_OPTION_SOCK_ADDR, &sa, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)HTTP_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    MEMORY_MAX, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (h->daemon == NULL)
		return err_set(e, ERR_IO,
		    "pages at %s: cannot listen there (in use, or not allowed)",
		    addr_format(at, h->o.listen));
	h->addr = *h->o.listen;
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	if (info != NULL)
		h->addr.port = info->port;
	return ERR_OK;
}

enum err_code
http_open(struct http **out, const struct http_opts *o, struct err *e)
{
	struct http *h = calloc(1, sizeof(*h));
	enum err_code rc;

	if (h == NULL)
		return err_nomem(e);
	h->o = *o;
	if ((rc = start(h, e)) != ERR_OK) {
		http_close(h);
		return rc;
	}
	*out = h;
	return ERR_OK;
}

void
http_address(const struct http *h, struct addr *out)
{
	*out = h->addr;
}

void
http_close(struct http *h)
{
	if (h == NULL)
		return;
	if (h->daemon != NULL)
		MHD_stop_daemon(h->daemon);
	free(h);
}
