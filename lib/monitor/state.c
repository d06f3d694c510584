/* The snapshot as JSON, for scripts and for the page. */
#include <inttypes.h>
#include <string.h>

#include "codec/jtext.h"
#include "codec/z32.h"
#include "monitor/monitor.h"

static const char *
bool_text(bool b)
{
	return b ? "true" : "false";
}

static void
text_field(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, "\"%s\":", name);
	jtext_string(b, view_str(text));
}

static void
key_field(struct buf *b, const char *name, const struct b32 *key)
{
	char text[Z32_KEY_LEN + 1];

	text_field(b, name, z32_key(text, key));
}

static void
traffic(struct buf *b, const char *name, uint64_t bytes, uint64_t blocks,
    double speed)
{
	buf_printf(b,
	    ",\"%s\":{\"bytes\":%" PRIu64 ",\"blocks\":%" PRIu64
	    ",\"speed\":%.0f}",
	    name, bytes, blocks, speed);
}

static void
core(struct buf *b, const char *name, const struct monitor_core *c)
{
	buf_printf(b, ",\"%s\":{", name);
	key_field(b, "key", &c->key);
	buf_printf(b,
	    ",\"length\":%" PRIu64 ",\"contiguous\":%" PRIu64
	    ",\"bytes\":%" PRIu64 "}",
	    c->length, c->contiguous, c->bytes);
}

static void
drive(struct buf *b, const struct monitor_drive *d)
{
	buf_byte(b, '{');
	key_field(b, "key", &d->db.key);
	buf_byte(b, ',');
	text_field(b, "name", d->name);
	buf_byte(b, ',');
	text_field(b, "state", monitor_state_text(d->state));
	buf_byte(b, ',');
	key_field(b, "discoveryKey", &d->topic);
	buf_printf(b,
	    ",\"writable\":%s,\"peers\":%" PRIu32 ",\"fullPeers\":%" PRIu32,
	    bool_text(d->writable), d->peers, d->full);
	core(b, "metadata", &d->db);
	if (d->has_blobs)
		core(b, "blobs", &d->blobs);
	else
		buf_str(b, ",\"blobs\":null");
	traffic(b, "upload", d->bytes_out, d->blocks_out, d->up);
	traffic(b, "download", d->bytes_in, d->blocks_in, d->down);
	buf_byte(b, '}');
}

static void
network(struct buf *b, const struct monitor_node *n)
{
	if (!n->known) {
		buf_str(b, ",\"dht\":null");
		return;
	}
	buf_printf(b,
	    ",\"dht\":{\"online\":%s,\"firewalled\":%s,\"nat\":\"%s\""
	    ",\"nodes\":%" PRIu32 ",\"topics\":%" PRIu32
	    ",\"announced\":%" PRIu32 "}",
	    bool_text(n->online), bool_text(n->firewalled),
	    n->consistent ? "consistent" : "random", n->nodes, n->topics,
	    n->announced);
}

void
monitor_state_json(struct buf *b, const struct monitor_snapshot *s)
{
	const struct monitor_node *n = &s->node;

	buf_byte(b, '{');
	text_field(b, "version", n->version);
	buf_byte(b, ',');
	key_field(b, "whoami", &n->key);
	buf_byte(b, ',');
	text_field(b, "address", n->address);
	buf_printf(b,
	    ",\"uptime\":%.3f,\"memory\":%" PRIu64 ",\"diskFull\":%s"
	    ",\"connections\":%" PRIu32 ",\"complete\":%zu",
	    (double)n->uptime_us / 1e6, n->rss_bytes, bool_text(n->disk_full),
	    n->connections, monitor_complete(s));
	traffic(b, "upload", n->bytes_out, n->blocks_out, n->up);
	traffic(b, "download", n->bytes_in, n->blocks_in, n->down);
	network(b, n);
	buf_str(b, ",\"drives\":[");
	for (size_t i = 0; i < s->n; i++) {
		if (i > 0)
			buf_byte(b, ',');
		drive(b, &s->drive[i]);
	}
	buf_str(b, "]}");
}
