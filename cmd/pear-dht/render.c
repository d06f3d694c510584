#include <stdio.h>

#include "cmd/pear-dht/dht_cmd.h"
#include "codec/hex.h"
#include "codec/z32.h"

#define LIST_MAX 3 /* nodes that are enough to begin with */

static void
host_of(char out[static ADDR_TEXT], const struct addr *a)
{
	(void)snprintf(out, ADDR_TEXT, "%u.%u.%u.%u", a->ip[0], a->ip[1],
	    a->ip[2], a->ip[3]);
}

static void
put_at(json_t *o, const struct addr *a)
{
	char host[ADDR_TEXT];

	host_of(host, a);
	json_object_set_new(o, "host", json_string(host));
	json_object_set_new(o, "port", json_integer(a->port));
}

static void
put_id(json_t *o, const struct b32 *id)
{
	char hex[65];

	json_object_set_new(
	    o, "id", id != NULL ? json_string(hex_b32(hex, id)) : json_null());
}

static void
listening(struct cli *c, const struct dht_nodes *n, size_t i)
{
	char text[ADDR_TEXT];
	struct addr at;
	struct b32 id;
	bool has_id = dht_nodes_at(n, i, &at, &id);
	json_t *o = json_object();

	cli_line(c, "listening %s", addr_format(text, &at));
	put_at(o, &at);
	put_id(o, has_id ? &id : NULL);
	cli_event(c, "listening", o);
}

/* What others are told to begin with. */
static void
bootstrap_list(struct cli *c, const struct dht_nodes *n, size_t nodes)
{
	char text[ADDR_TEXT];
	json_t *list = json_array();
	struct addr at;
	struct b32 id;
	struct buf b;

	buf_init(&b, LIST_MAX * (ADDR_TEXT + 1));
	for (size_t i = 0; i < nodes && i < LIST_MAX; i++) {
		(void)dht_nodes_at(n, i, &at, &id);
		(void)addr_format(text, &at);
		buf_printf(&b, "%s%s", i > 0 ? "," : "", text);
		json_array_append_new(list, json_string(text));
	}
	cli_line(c, "bootstrap %.*s", (int)b.len, (const char *)b.data);
	cli_event(c, "bootstrap", json_pack("{s:o}", "nodes", list));
	buf_deinit(&b);
}

void
dht_render_start(
    struct cli *c, const struct dht_nodes *n, const struct dht_plan *p)
{
	for (size_t i = 0; i < p->nodes; i++)
		listening(c, n, i);
	if (p->nodes > 1)
		bootstrap_list(c, n, p->nodes);
}

static void
persistent(struct cli *c, const struct dht_note *n)
{
	char text[ADDR_TEXT];
	json_t *o = json_object();

	cli_line(c, "persistent as %s", addr_format(text, &n->addr));
	put_at(o, &n->addr);
	put_id(o, &n->id);
	cli_event(c, "persistent", o);
}

static void
state(struct cli *c, const struct dht_state *s)
{
	const struct dht_stored *t = &s->stored;

	if (s->running > 1)
		cli_line(c,
		    "%zu of %zu nodes persistent, %zu known, "
		    "%zu peers, %zu servers, %zu values",
		    s->persistent, s->running, s->known, t->peers, t->servers,
		    t->mutables + t->immutables);
	else
		cli_line(c,
		    "%s, %zu nodes known, %zu peers, %zu servers, %zu values",
		    s->persistent > 0 ? "persistent" : "ephemeral", s->known,
		    t->peers, t->servers, t->mutables + t->immutables);
	cli_event(c, "state",
	    json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "running",
		(json_int_t)s->running, "persistent", (json_int_t)s->persistent,
		"nodes", (json_int_t)s->known, "peers", (json_int_t)t->peers,
		"servers", (json_int_t)t->servers, "mutables",
		(json_int_t)t->mutables, "immutables",
		(json_int_t)t->immutables));
}

static void
found(struct cli *c, const struct dht_record *r)
{
	char key[Z32_KEY_LEN + 1], text[ADDR_TEXT], from[ADDR_TEXT];
	json_t *o = json_object(), *list = json_array();
	struct buf b;

	buf_init(&b, DHT_RELAYS_MAX * (ADDR_TEXT + 1));
	for (size_t i = 0; i < r->nrelays; i++) {
		(void)addr_format(text, &r->relay[i]);
		buf_printf(&b, " %s", text);
		json_array_append_new(list, json_string(text));
	}
	(void)addr_format(from, &r->from);
	cli_line(c, "%s%.*s (from %s)", z32_key(key, &r->key), (int)b.len,
	    (const char *)b.data, from);
	json_object_set_new(o, "key", json_string(key));
	json_object_set_new(o, "relays", list);
	json_object_set_new(o, "from", json_string(from));
	cli_event(c, "peer", o);
	buf_deinit(&b);
}

void
dht_render_note(struct cli *c, const struct dht_note *n)
{
	switch (n->kind) {
	case NOTE_PERSISTENT:
		persistent(c, n);
		return;
	case NOTE_STATE:
		state(c, &n->state);
		return;
	case NOTE_FOUND:
		found(c, &n->record);
		return;
	case NOTE_DONE:
		return;
	}
}
