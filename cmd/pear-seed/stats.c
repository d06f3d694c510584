/* The snapshot: taken by the loop, read by everybody else. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/pear-seed/seed.h"

/* "SIZE RESIDENT ..." in pages; where the system does not tell, 0. */
static uint64_t
resident(void)
{
	char text[200], *end;
	long page = sysconf(_SC_PAGESIZE);
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n <= 0 || page < 0)
		return 0;
	text[n] = '\0';
	(void)strtoull(text, &end, 10);
	return strtoull(end, NULL, 10) * (uint64_t)page;
}

/* As it is open, here or only for those who ask; else as it was. */
static void
add_core(struct monitor_drive *m, struct monitor_core *out,
    struct replicate_core *c, const struct drive_head *h, const struct b32 *key)
{
	struct replicate_status st;

	*out = (struct monitor_core){*key, h->length, h->contiguous, h->bytes};
	if (c == NULL)
		return;
	replicate_status(c, &st);
	out->length = st.head.length;
	out->contiguous = st.head.contiguous;
	out->bytes = st.head.byte_length;
	if (st.peers > m->peers)
		m->peers = st.peers;
	if (st.conflict)
		m->state = MONITOR_TROUBLE;
}

static void
add_traffic(struct drive *d, struct monitor_drive *m, uint64_t now)
{
	struct drive_traffic *t = d->traffic;

	if (t == NULL)
		return;
	m->bytes_in = t->bytes_in;
	m->bytes_out = t->bytes_out;
	m->blocks_in = t->blocks_in;
	m->blocks_out = t->blocks_out;
	m->down = common_rate_look(&t->down, t->bytes_in, now);
	m->up = common_rate_look(&t->up, t->bytes_out, now);
}

static enum monitor_state
state_of(const struct drive *d, const struct monitor_drive *m)
{
	if (d->trouble || m->state == MONITOR_TROUBLE)
		return MONITOR_TROUBLE;
	if (d->shape == DRIVE_PENDING)
		return m->db.length > 0 ? MONITOR_FETCHING : MONITOR_SEARCHING;
	return drives_whole(d) ? MONITOR_COMPLETE : MONITOR_FETCHING;
}

static void
one(struct seeder *s, struct drive *d, struct monitor_drive *m, uint64_t now)
{
	struct replicate_core *c = d->db;

	if (c == NULL)
		c = replicate_peek(peer_replicate(s->node), &d->topic);
	memset(m, 0, sizeof(*m));
	add_core(m, &m->db, c, &d->db_head, &d->key);
	m->has_blobs = d->shape == DRIVE_WHOLE;
	if (m->has_blobs)
		add_core(m, &m->blobs, d->blobs, &d->blobs_head, &d->blobs_key);
	m->state = state_of(d, m);
	m->topic = d->topic;
	m->full = (uint32_t)goal_copies(d);
	m->writable = d->writable;
	drives_want(s, d);
	if (d->name != NULL)
		(void)snprintf(m->name, sizeof(m->name), "%s", d->name);
	add_traffic(d, m, now);
	/* its name can be read now */
	if (m->state == MONITOR_COMPLETE && m->has_blobs &&
	    m->blobs.length > 0 &&
	    d->named != look_age(m->db.length, m->blobs.length))
		drives_look(s, d);
}

static void
network(struct seeder *s, struct monitor_node *n)
{
	struct peer_network net;

	peer_network(s->node, &net);
	/* until it has answered there is nothing to say */
	n->known = net.ready && (net.online || n->known);
	n->online = net.online;
	n->firewalled = net.firewalled;
	n->consistent = net.consistent;
	n->nodes = (uint32_t)net.nodes;
	n->topics = (uint32_t)net.topics;
	n->announced = (uint32_t)net.announced;
	if (n->address[0] == '\0' && net.self.family != 0)
		addr_format(n->address, &net.self);
}

static void
node(struct seeder *s, uint64_t now)
{
	struct monitor_node *n = &s->snap.node;
	struct peer_totals t;
	struct addr at;

	peer_totals(s->node, &t);
	n->key = *peer_key(s->node);
	(void)snprintf(n->version, sizeof(n->version), "%s", PEAR_VERSION);
	n->address[0] = '\0';
	if (peer_address(s->node, &at))
		addr_format(n->address, &at);
	n->uptime_us = now - s->started;
	n->rss_bytes = resident();
	n->connections = (uint32_t)peer_connections(s->node);
	n->bytes_in = t.bytes_in;
	n->bytes_out = t.bytes_out;
	n->blocks_in = t.blocks_in;
	n->blocks_out = t.blocks_out;
	n->down = common_rate_look(&s->down, t.bytes_in, now);
	n->up = common_rate_look(&s->up, t.bytes_out, now);
	network(s, n);
	n->disk_full = replicate_disk_full(peer_replicate(s->node));
}

enum err_code
stats_sample(struct seeder *s, struct err *e)
{
	uint64_t now = peer_now();
	enum err_code rc;

	if ((rc = monitor_snapshot_resize(&s->snap, s->drives.n, e)) != ERR_OK)
		return rc;
	node(s, now);
	for (size_t i = 0; i < s->drives.n; i++)
		one(s, s->drives.item[i], &s->snap.drive[i], now);
	return ERR_OK;
}
