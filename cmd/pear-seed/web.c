/* --http: the last snapshot and the history as pages. The server's thread
 * reads copies under a lock, and never the store. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/pear-seed/seed.h"
#include "crypto/secret.h"
#include "net/http/http.h"

extern const unsigned char dashboard_html[];
extern const size_t dashboard_html_len;

struct web {
	struct http *http;
	pthread_mutex_t lock; /* of snap and history */
	struct monitor_snapshot snap;
	struct history history;
};

/* -- pages ---------------------------------------------------------------- */

#define NONCE_MARK "@NONCE@"
#define NONCE_LEN 16

/* The page with a number nobody can guess where its script and style say
 * so: the policy lets nothing else run. */
static void
dashboard(struct http_reply *out)
{
	struct view page = view_of(dashboard_html, dashboard_html_len);
	size_t mark = strlen(NONCE_MARK), from = 0;
	char nonce[2 * NONCE_LEN + 1];
	uint8_t random[NONCE_LEN];

	secret_random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(nonce + 2 * i, 3, "%02x", random[i]);
	for (size_t i = 0; i + mark <= page.len;) {
		if (memcmp(page.ptr + i, NONCE_MARK, mark) != 0) {
			i++;
			continue;
		}
		buf_append(&out->body, view_sub(page, from, i - from));
		buf_str(&out->body, nonce);
		from = i += mark;
	}
	buf_append(&out->body, view_sub(page, from, page.len - from));
	out->type = "text/html; charset=utf-8";
	(void)snprintf(out->policy, sizeof(out->policy),
	    "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; "
	    "connect-src 'self'; img-src data:; base-uri 'none'; "
	    "form-action 'none'; frame-ancestors 'none'",
	    nonce, nonce);
}

static void
state_page(struct web *w, struct http_reply *out)
{
	out->type = "application/json";
	monitor_state_json(&out->body, &w->snap);
}

static void
history_page(struct web *w, struct http_reply *out)
{
	out->type = "application/json";
	history_json(&out->body, &w->history);
}

static void
metrics_page(struct web *w, struct http_reply *out)
{
	out->type = "text/plain; version=0.0.4; charset=utf-8";
	monitor_metrics(&out->body, &w->snap);
}

static const struct page {
	const char *path;
	void (*make)(struct web *w, struct http_reply *out);
} pages[] = {
    {"/metrics", metrics_page},
    {"/api/state.json", state_page},
    {"/api/history.json", history_page},
};

static bool
get(void *ctx, const char *path, struct http_reply *out)
{
	struct web *w = ctx;

	if (strcmp(path, "/") == 0) {
		dashboard(out);
		return true;
	}
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(path, pages[i].path) != 0)
			continue;
		pthread_mutex_lock(&w->lock);
		pages[i].make(w, out);
		pthread_mutex_unlock(&w->lock);
		return true;
	}
	return false;
}

/* -- the loop's side ------------------------------------------------------ */

enum err_code
web_publish(struct seeder *s, struct err *e)
{
	struct web *w = s->web;
	const struct monitor_node *n = &s->snap.node;
	struct history_point p;
	enum err_code rc;

	if (w == NULL)
		return ERR_OK;
	p = (struct history_point){.down = (float)n->down,
	    .up = (float)n->up,
	    .connections = n->connections,
	    .complete = (uint32_t)monitor_complete(&s->snap),
	    .rss_bytes = n->rss_bytes};
	pthread_mutex_lock(&w->lock);
	rc = monitor_snapshot_copy(&w->snap, &s->snap, e);
	history_add(&w->history, n->uptime_us / 1000000, &p);
	pthread_mutex_unlock(&w->lock);
	return rc;
}

static enum err_code
start(struct seeder *s, const struct addr *listen, struct err *e)
{
	struct web *w = calloc(1, sizeof(*w));
	struct http_opts o = {.listen = listen, .get = get, .ctx = w};
	const struct cli_list *names = &s->a->http_names;
	enum err_code rc;

	if (w == NULL)
		return err_nomem(e);
	if (pthread_mutex_init(&w->lock, NULL) != 0) {
		free(w);
		return err_nomem(e);
	}
	history_init(&w->history);
	o.name = (const char *const *)names->item;
	o.nnames = names->n;
	if ((rc = http_open(&w->http, &o, e)) != ERR_OK) {
		web_close(w);
		return err_wrap(e, "--http");
	}
	s->web = w;
	return ERR_OK;
}

enum err_code
web_check(const struct seeder *s, struct addr *at, struct err *e)
{
	char text[ADDR_TEXT];

	if (s->a->http == NULL)
		return ERR_OK;
	if (addr_parse(at, view_str(s->a->http), e) != ERR_OK) {
		e->code = ERR_USAGE;
		return err_wrap(e, "--http");
	}
	if (!http_loopback(at) && !s->a->http_remote)
		return err_set(e, ERR_USAGE,
		    "--http %s: other machines could read it; "
		    "--http-allow-remote says that this is meant",
		    addr_format(text, at));
	return ERR_OK;
}

enum err_code
web_open(struct seeder *s, struct err *e)
{
	struct addr at;
	char text[ADDR_TEXT];
	enum err_code rc;

	if (s->a->http == NULL)
		return ERR_OK;
	if ((rc = web_check(s, &at, e)) != ERR_OK)
		return rc;
	if ((rc = start(s, &at, e)) != ERR_OK)
		return rc;
	http_address(s->web->http, &at);
	addr_format(text, &at);
	cli_event(s->c, "http", json_pack("{s:s}", "address", text));
	cli_line(s->c, "... dashboard http://%s/", text);
	return ERR_OK;
}

void
web_close(struct web *w)
{
	if (w == NULL)
		return;
	http_close(w->http);
	pthread_mutex_destroy(&w->lock);
	monitor_snapshot_deinit(&w->snap);
	free(w);
}
