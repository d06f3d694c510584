/* The server over a real socket on loopback: what is answered, and what is
 * refused. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

#include "net/http/http.h"
#include "vec.h"

static bool
get(void *ctx, const char *path, struct http_reply *out)
{
	int *calls = ctx;

	++*calls;
	if (strcmp(path, "/a") == 0) {
		out->type = "text/html; charset=utf-8";
		(void)snprintf(out->policy, sizeof(out->policy), "img-src *");
		buf_str(&out->body, "hello");
		return true;
	}
	if (strcmp(path, "/long") == 0) {
		buf_fill(&out->body, 'x', 5000);
		return true;
	}
	return false;
}

/* What comes until the server closes. */
static void
ask(const struct addr *at, const char *request, char *out, size_t cap)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(at->port)};
	struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t have = 0;
	ssize_t n;

	assert_true(fd >= 0);
	memcpy(&to.sin_addr, at->ip, 4);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	n = send(fd, request, strlen(request), MSG_NOSIGNAL);
	assert_int_equal(n, strlen(request));
	while ((n = recv(fd, out + have, cap - 1 - have, 0)) > 0)
		have += (size_t)n;
	out[have] = '\0';
	close(fd);
}

struct server {
	struct http *h;
	struct addr at;
	int calls;
};

static void
start(struct server *s, const char *at, size_t body_max)
{
	struct http_opts o = {
	    .listen = &s->at, .body_max = body_max, .get = get};
	struct err e = ERR_INIT;

	s->calls = 0;
	o.ctx = &s->calls;
	assert_int_equal(addr_parse(&s->at, view_str(at), &e), ERR_OK);
	assert_int_equal(http_open(&s->h, &o, &e), ERR_OK);
	http_address(s->h, &s->at);
	assert_int_not_equal(s->at.port, 0);
}

#define END "\r\nConnection: close\r\n\r\n"
#define HOST "\r\nHost: 127.0.0.1:80"

static void
answers(void **state)
{
	static const struct {
		const char *request, *status;
		const char *has; /* NULL: nothing more to look for */
		int calls;
	} cases[] = {
	    {"GET /a HTTP/1.1" HOST END, "200", "\r\n\r\nhello", 1},
	    {"GET /a HTTP/1.1" HOST END, "200",
		"Content-Security-Policy: img-src *\r\n", 1},
	    {"GET /a HTTP/1.1" HOST END, "200",
		"X-Content-Type-Options: nosniff\r\n", 1},
	    {"GET /a HTTP/1.1" HOST END, "200", "Cache-Control: no-store\r\n",
		1},
	    {"HEAD /a HTTP/1.1" HOST END, "200", "Content-Length: 5\r\n", 1},
	    {"GET /a?x=1 HTTP/1.1" HOST END, "200", NULL, 1},
	    {"GET /b HTTP/1.1" HOST END, "404",
		"Content-Security-Policy: default-src 'none'", 1},
	    {"GET /../a HTTP/1.1" HOST END, "404", NULL, 1},
	    {"GET /long HTTP/1.1" HOST END, "500", NULL, 1},
	    {"POST /a HTTP/1.1" HOST "\r\nContent-Length: 3" END "abc", "405",
		"Allow: GET, HEAD\r\n", 0},
	    {"DELETE /a HTTP/1.1" HOST END, "405", NULL, 0},
	    {"OPTIONS /a HTTP/1.1" HOST END, "405", NULL, 0},
	    {"GET /a HTTP/1.1\r\nHost: evil.example" END, "403", NULL, 0},
	    {"GET /a HTTP/1.1\r\nHost: evil.example:80" END, "403", NULL, 0},
	    {"GET /a HTTP/1.0" END, "403", NULL, 0},
	    {"GET /a HTTP/1.1\r\nHost: localhost" END, "200", NULL, 1},
	};
	struct server s;
	char got[4096], want[32];

	(void)state;
	start(&s, "127.0.0.1:0", 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s.calls = 0;
		ask(&s.at, cases[i].request, got, sizeof(got));
		(void)snprintf(want, sizeof(want), "%s ", cases[i].status);
		if (strncmp(got + strlen("HTTP/1.1 "), want, 4) != 0 ||
		    (cases[i].has != NULL &&
			strstr(got, cases[i].has) == NULL) ||
		    s.calls != cases[i].calls)
			fail_msg("%s: %s (%d calls)", cases[i].request, got,
			    s.calls);
		/* no answer lets another site read it */
		assert_null(strstr(got, "Access-Control-Allow-Origin"));
	}
	ask(&s.at, "HEAD /a HTTP/1.1" HOST END, got, sizeof(got));
	assert_null(strstr(got, "hello"));
	http_close(s.h);
}

/* Nonsense is closed or refused, and the next is answered. */
static void
nonsense(void **state)
{
	static char big[64 * 1024];
	struct server s;
	char got[4096];

	(void)state;
	start(&s, "127.0.0.1:0", 0);
	memset(big, 'a', sizeof(big) - 1);
	memcpy(big, "GET /", 5);
	ask(&s.at, big, got, sizeof(got));
	assert_null(strstr(got, " 200 "));
	ask(&s.at, "\r\n\r\n\x01\x02 nonsense\r\n\r\n", got, sizeof(got));
	assert_null(strstr(got, " 200 "));
	assert_int_equal(s.calls, 0);
	ask(&s.at, "GET /long HTTP/1.1" HOST END, got, sizeof(got));
	assert_non_null(strstr(got, "Content-Length: 5000\r\n"));
	http_close(s.h);
}

static void
taken(void **state)
{
	struct server s;
	struct http_opts o = {.listen = &s.at, .get = get};
	struct err e = ERR_INIT;
	struct http *h = NULL;
	char at[ADDR_TEXT];
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(at, sizeof(at), "127.0.0.1:%u", ntohs(in.sin_port));
	assert_int_equal(addr_parse(&s.at, view_str(at), &e), ERR_OK);
	assert_int_equal(http_open(&h, &o, &e), ERR_IO);
	assert_non_null(strstr(e.msg, at));
	assert_null(h);
	http_close(NULL);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers),
	    cmocka_unit_test(nonsense),
	    cmocka_unit_test(taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
