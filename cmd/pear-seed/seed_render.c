/* Events and lines of commands.md 4. */
#include "cmd/pear-seed/seed.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *
json_key(const struct b32 *key)
{
	char text[Z32_KEY_LEN + 1];

	return json_string(z32_key(text, key));
}

void
seed_render_start(struct seeder *s)
{
	char link[PEAR_LINK_TEXT_MAX], key[Z32_KEY_LEN + 1], at[ADDR_TEXT];
	struct addr addr;

	z32_key(key, peer_key(s->node));
	for (size_t i = 0; i < s->n; i++) {
		pear_link_key(link, &s->seed[i].link.key);
		cli_event(s->c, "seeding",
		    json_pack("{s:o, s:s}", "key",
			json_key(&s->seed[i].link.key), "link", link));
		cli_line(s->c, "... seeding %s", link);
	}
	cli_line(s->c, "... whoami %s", key);
	if (!peer_address(s->node, &addr))
		return;
	addr_format(at, &addr);
	cli_event(s->c, "listening",
	    json_pack("{s:s, s:s}", "address", at, "key", key));
	cli_line(s->c, "... listening %s:%s", at, key);
}

void
seed_render_contents(struct seeder *s, const struct seed *d)
{
	char key[Z32_KEY_LEN + 1];

	cli_event(s->c, "key", json_key(&d->blobs_key));
	cli_line(s->c, "... content key %s", z32_key(key, &d->blobs_key));
}

void
seed_render_peer(struct seeder *s, const struct peer_event *ev)
{
	char key[Z32_KEY_LEN + 1], at[ADDR_TEXT];

	z32_key(key, &ev->key);
	addr_format(at, &ev->addr);
	switch (ev->kind) {
	case PEER_JOINED:
		cli_event(s->c, "peer-add", json_key(&ev->key));
		cli_line(s->c, "o-o peer join %s", key);
		break;
	case PEER_LEFT:
		cli_event(s->c, "peer-remove", json_key(&ev->key));
		cli_line(s->c, "-_- peer drop %s", key);
		cli_debug(s->c, "peer %s (%s): %s", key, at, ev->text);
		break;
	case PEER_UNREACHED:
		cli_debug(s->c, "peer %s (%s): %s", key, at, ev->text);
		break;
	case PEER_BLAMED:
	case PEER_CONFLICT:
		cli_warn(s->c, "peer %s: %s", key, ev->text);
		break;
	case PEER_TROUBLE:
		cli_warn(s->c, "%s", ev->text);
		break;
	case PEER_CORE:
	case PEER_TICK:
		break;
	}
}

void
seed_render_core(struct seeder *s, const struct replicate_event *ev)
{
	for (size_t i = 0; i < s->n; i++) {
		struct seed *d = &s->seed[i];
		uint64_t length;

		if (d->db == NULL || d->db != ev->core)
			continue;
		length = core_head(replicate_core_handle(d->db))->length;
		if (length == d->shown_length)
			continue;
		d->shown_length = length;
		cli_line(s->c, "... drive length %" PRIu64, length);
	}
}

void
seed_render_synced(struct seeder *s, const struct b32 *peer)
{
	char key[Z32_KEY_LEN + 1];

	cli_event(s->c, "peer-sync", json_key(peer));
	cli_line(s->c, "^_^ peer sync %s", z32_key(key, peer));
}

/* -- stats ---------------------------------------------------------------- */

struct sums {
	uint64_t bytes_in, bytes_out, blocks_in, blocks_out;
	uint32_t peers;
};

static void
add(struct sums *t, struct replicate_core *c)
{
	struct replicate_status st;

	if (c == NULL)
		return;
	replicate_status(c, &st);
	t->bytes_in += st.bytes_in;
	t->bytes_out += st.bytes_out;
	t->blocks_in += st.blocks_in;
	t->blocks_out += st.blocks_out;
	if (st.peers > t->peers)
		t->peers = st.peers;
}

static json_t *
direction(uint64_t bytes, uint64_t blocks, double speed)
{
	return json_pack("{s:I, s:I, s:I}", "totalBytes", (json_int_t)bytes,
	    "totalBlocks", (json_int_t)blocks, "speed",
	    (json_int_t)llround(speed));
}

static void
one_event(struct seeder *s, struct seed *d)
{
	uint64_t now = peer_now();
	struct sums t = {0};
	json_t *o;

	add(&t, d->db);
	add(&t, d->blobs);
	o = json_pack("{s:I, s:o, s:I, s:o, s:o, s:o, s:I}", "peers",
	    (json_int_t)t.peers, "driveKey", json_key(&d->link.key),
	    "driveLength",
	    (json_int_t)core_head(replicate_core_handle(d->db))->length,
	    "discoveryKey", json_key(&d->topic), "contentKey",
	    d->blobs == NULL ? json_string("pending") : json_key(&d->blobs_key),
	    "whoami", json_key(peer_key(s->node)), "connections",
	    (json_int_t)peer_connections(s->node));
	json_object_set_new(o, "upload",
	    direction(t.bytes_out, t.blocks_out,
		common_rate_look(&d->up, t.bytes_out, now)));
	json_object_set_new(o, "download",
	    direction(t.bytes_in, t.blocks_in,
		common_rate_look(&d->down, t.bytes_in, now)));
	cli_event(s->c, "stats", o);
}

/* A line when it changed; on a terminal it stays at the bottom. */
static void
network_line(struct seeder *s)
{
	char up[CLI_SIZE_MAX], down[CLI_SIZE_MAX], ups[CLI_SIZE_MAX],
	    downs[CLI_SIZE_MAX], line[256];
	uint64_t now = peer_now();
	struct sums t = {0};

	for (size_t i = 0; i < s->n; i++) {
		add(&t, s->seed[i].db);
		add(&t, s->seed[i].blobs);
	}
	(void)snprintf(line, sizeof(line),
	    "network %zu peers, upload %s - %s/s, download %s - %s/s",
	    peer_connections(s->node), cli_size(up, (int64_t)t.bytes_out),
	    cli_size(ups,
		(int64_t)common_rate_look(&s->seed[0].up, t.bytes_out, now)),
	    cli_size(down, (int64_t)t.bytes_in),
	    cli_size(downs,
		(int64_t)common_rate_look(&s->seed[0].down, t.bytes_in, now)));
	if (s->c->err_tty) {
		cli_status(s->c, "%s", line);
		return;
	}
	if (s->line != NULL && strcmp(s->line, line) == 0)
		return;
	free(s->line);
	s->line = strdup(line);
	cli_line(s->c, "--- %s", line);
}

void
seed_render_stats(struct seeder *s)
{
	if (!s->c->common.json) {
		network_line(s);
		return;
	}
	for (size_t i = 0; i < s->n; i++)
		one_event(s, &s->seed[i]);
}
