/* The text format of Prometheus, version 0.0.4. Names are a promise. */
#include <inttypes.h>

#include "codec/z32.h"
#include "monitor/monitor.h"

static void
head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP pear_seed_%s %s\n# TYPE pear_seed_%s %s\n", name,
	    help, name, type);
}

static void
one(struct buf *b, const char *name, const char *type, const char *help,
    uint64_t n)
{
	head(b, name, type, help);
	buf_printf(b, "pear_seed_%s %" PRIu64 "\n", name, n);
}

/* -- drives --------------------------------------------------------------- */

enum of_drive {
	LENGTH,
	CONTIGUOUS,
	BYTES,
	PEERS,
	FULL_PEERS,
	RECEIVED,
	SENT,
	COMPLETE
};

static const struct family {
	const char *name, *type, *help;
	bool cores; /* a sample for each core */
	enum of_drive of;
} families[] = {
    {"drive_length_blocks", "gauge", "Blocks of a core of the drive.", true,
	LENGTH},
    {"drive_contiguous_blocks", "gauge",
	"Blocks from the first on that are all here.", true, CONTIGUOUS},
    {"drive_bytes", "gauge", "Size of a core of the drive.", true, BYTES},
    {"drive_peers", "gauge", "Connected peers that take part.", false, PEERS},
    {"drive_full_peers", "gauge", "Of these, peers that have it whole.", false,
	FULL_PEERS},
    {"drive_received_bytes_total", "counter",
	"Bytes of blocks received and verified.", false, RECEIVED},
    {"drive_sent_bytes_total", "counter", "Bytes of blocks served.", false,
	SENT},
    {"drive_complete", "gauge", "1 if everything that is known of is here.",
	false, COMPLETE},
};

static uint64_t
core_value(const struct monitor_core *c, enum of_drive of)
{
	switch (of) {
	case LENGTH:
		return c->length;
	case CONTIGUOUS:
		return c->contiguous;
	case BYTES:
		return c->bytes;
	case PEERS:
	case FULL_PEERS:
	case RECEIVED:
	case SENT:
	case COMPLETE:
		break;
	}
	return 0;
}

static uint64_t
drive_value(const struct monitor_drive *d, enum of_drive of)
{
	switch (of) {
	case PEERS:
		return d->peers;
	case FULL_PEERS:
		return d->full;
	case RECEIVED:
		return d->bytes_in;
	case SENT:
		return d->bytes_out;
	case COMPLETE:
		return d->state == MONITOR_COMPLETE;
	case LENGTH:
	case CONTIGUOUS:
	case BYTES:
		break;
	}
	return 0;
}

static void
drive_samples(
    struct buf *b, const struct family *f, const struct monitor_drive *d)
{
	char key[Z32_KEY_LEN + 1];

	z32_key(key, &d->db.key);
	if (!f->cores) {
		buf_printf(b, "pear_seed_%s{drive=\"%s\"} %" PRIu64 "\n",
		    f->name, key, drive_value(d, f->of));
		return;
	}
	buf_printf(b,
	    "pear_seed_%s{drive=\"%s\",core=\"metadata\"} %" PRIu64 "\n",
	    f->name, key, core_value(&d->db, f->of));
	if (d->has_blobs)
		buf_printf(b,
		    "pear_seed_%s{drive=\"%s\",core=\"blobs\"} %" PRIu64 "\n",
		    f->name, key, core_value(&d->blobs, f->of));
}

/* -- the node ------------------------------------------------------------- */

static void
node(struct buf *b, const struct monitor_snapshot *s)
{
	const struct monitor_node *n = &s->node;

	head(b, "info", "gauge", "Constant 1, with the version.");
	buf_printf(b, "pear_seed_info{version=\"%s\"} 1\n", n->version);
	head(b, "uptime_seconds", "counter", "Time since the start.");
	buf_printf(
	    b, "pear_seed_uptime_seconds %.3f\n", (double)n->uptime_us / 1e6);
	one(b, "resident_memory_bytes", "gauge", "Memory of the process.",
	    n->rss_bytes);
	one(b, "connections", "gauge", "Connected peers.", n->connections);
	one(b, "drives", "gauge", "Drives that are kept.", s->n);
	one(b, "received_bytes_total", "counter",
	    "Bytes of blocks received and verified.", n->bytes_in);
	one(b, "sent_bytes_total", "counter", "Bytes of blocks served.",
	    n->bytes_out);
	one(b, "disk_full", "gauge", "1 while the disk has no room.",
	    n->disk_full);
	if (!n->known)
		return;
	one(b, "dht_nodes", "gauge", "Known nodes of the DHT.", n->nodes);
	one(b, "dht_online", "gauge", "1 if the DHT answers.", n->online);
	one(b, "dht_firewalled", "gauge",
	    "1 if strangers cannot reach this machine at once.", n->firewalled);
	one(b, "topics", "gauge", "Topics that are looked for or announced.",
	    n->topics);
	one(b, "topics_announced", "gauge", "Of these, announced in the DHT.",
	    n->announced);
}

void
monitor_metrics(struct buf *b, const struct monitor_snapshot *s)
{
	node(b, s);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		head(b, families[i].name, families[i].type, families[i].help);
		for (size_t k = 0; k < s->n; k++)
			drive_samples(b, &families[i], &s->drive[k]);
	}
}
