/* Events and lines of commands.md 4. A line about a drive names it where
 * there are several. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/pear-seed/seed.h"

#define REPEAT_US 300000000 /* the same trouble is told again after */

static json_t *
json_key(const struct b32 *key)
{
	char text[Z32_KEY_LEN + 1];

	return json_string(z32_key(text, key));
}

static bool
terminal(const struct seeder *s)
{
	return s->c->err_tty && s->c->common.tty && !s->c->common.json;
}

/* " of pear://…", or nothing where there is only one. */
static const char *
of_drive(char out[static PEAR_LINK_TEXT_MAX + 8], struct seeder *s,
    const struct drive *d)
{
	out[0] = '\0';
	if (s->drives.n > 1) {
		memcpy(out, " of ", 4);
		pear_link_key(out + 4, &d->key);
	}
	return out;
}

/* Whoever is connected to the one drops it for the other, again and again. */
static void
only_one(struct seeder *s)
{
	struct err e = ERR_INIT;

	if (store_serve(s->store, &e) == ERR_LOCKED)
		cli_warn(s->c,
		    "store %s, which seeds too: the two are one peer to all "
		    "others, who reach one of them at a time",
		    e.msg);
}

void
render_start(struct seeder *s)
{
	char key[Z32_KEY_LEN + 1], at[ADDR_TEXT];
	struct addr addr;

	z32_key(key, peer_key(s->node));
	cli_line(s->c, "... whoami %s", key);
	only_one(s);
	if (!peer_address(s->node, &addr))
		return;
	addr_format(at, &addr);
	cli_event(s->c, "listening",
	    json_pack("{s:s, s:s}", "address", at, "key", key));
	cli_line(s->c, "... listening %s:%s", at, key);
}

void
render_drive(struct seeder *s, const struct drive *d, const char *what)
{
	char link[PEAR_LINK_TEXT_MAX];

	pear_link_key(link, &d->key);
	cli_event(s->c, what,
	    json_pack("{s:o, s:s}", "key", json_key(&d->key), "link", link));
	cli_line(s->c, "... %s %s", what, link);
	s->redraw = true;
}

/* The keys are in the link; a line of their own is for scripts that know the
 * one drive they seed. */
void
render_keys(struct seeder *s, const struct drive *d)
{
	char key[Z32_KEY_LEN + 1];

	if (s->drives.n > 1)
		return;
	cli_line(s->c, "... drive key %s", z32_key(key, &d->key));
	cli_line(s->c, "... discovery key %s", z32_key(key, &d->topic));
}

void
render_contents(struct seeder *s, const struct drive *d)
{
	char key[Z32_KEY_LEN + 1], of[PEAR_LINK_TEXT_MAX + 8];

	cli_event(s->c, "key", json_key(&d->blobs_key));
	cli_line(s->c, "... content key %s%s", z32_key(key, &d->blobs_key),
	    of_drive(of, s, d));
	s->redraw = true;
}

void
render_length(struct seeder *s, struct drive *d)
{
	uint64_t length =
	    d->db != NULL ? look_head(d->db).length : d->db_head.length;
	char of[PEAR_LINK_TEXT_MAX + 8];

	if (length == d->shown_length)
		return;
	d->shown_length = length;
	cli_line(
	    s->c, "... drive length %" PRIu64 "%s", length, of_drive(of, s, d));
	s->redraw = true;
}

/* Not the same again and again. */
static void
trouble(struct seeder *s, const char *text)
{
	struct said *said = &s->said;

	if (strncmp(said->trouble, text, sizeof(said->trouble) - 1) == 0 &&
	    peer_now() - said->trouble_at < REPEAT_US)
		return;
	(void)snprintf(said->trouble, sizeof(said->trouble), "%s", text);
	said->trouble_at = peer_now();
	cli_warn(s->c, "%s", text);
	s->redraw = true;
}

void
render_peer(struct seeder *s, const struct peer_event *ev)
{
	char key[Z32_KEY_LEN + 1], at[ADDR_TEXT];

	z32_key(key, &ev->key);
	addr_format(at, &ev->addr);
	s->redraw = true;
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
		trouble(s, ev->text);
		break;
	case PEER_CORE:
	case PEER_LOOKED:
	case PEER_MET:
	case PEER_NETWORK:
	case PEER_WAITING:
	case PEER_TICK:
		break;
	}
}

void
render_synced(struct seeder *s, const struct b32 *peer)
{
	char key[Z32_KEY_LEN + 1];

	cli_event(s->c, "peer-sync", json_key(peer));
	cli_line(s->c, "^_^ peer sync %s", z32_key(key, peer));
}

void
render_copies(struct seeder *s, uint64_t copies)
{
	cli_event(s->c, "copies",
	    json_pack("{s:I, s:I}", "copies", (json_int_t)copies, "of",
		(json_int_t)s->goal.copies));
	cli_line(
	    s->c, "^_^ copies %" PRIu64 " of %" PRIu64, copies, s->goal.copies);
}

void
render_disk(struct seeder *s)
{
	if (s->snap.node.disk_full == s->said.disk_full)
		return;
	s->said.disk_full = s->snap.node.disk_full;
	s->redraw = true;
	cli_warn(s->c, "%s",
	    s->said.disk_full
		? "the disk is full: nothing is fetched until there is room; "
		  "what is here is served"
		: "there is room on the disk again: fetching goes on");
}

/* -- the network ---------------------------------------------------------- */

/* Somebody who waits for a drive wants to know what for. */
static void
alone(struct seeder *s, struct drive *d, const struct peer_topic *t)
{
	struct replicate_status st = {.head = {.length = d->db_head.length}};
	char of[PEAR_LINK_TEXT_MAX + 8];
	uint64_t now = peer_now();

	if (d->db != NULL)
		replicate_status(d->db, &st);
	if (t->found > 0 || st.peers > 0 || d->writable ||
	    (st.head.length > 0 && st.wanted == 0)) {
		d->alone = false;
		return;
	}
	/* a look that is due at once will tell in a moment */
	if (d->alone || t->next <= now)
		return;
	d->alone = true;
	cli_line(s->c, "... no seeder found%s, next try in %" PRIu64 " s",
	    of_drive(of, s, d), (t->next - now + 999999) / 1000000);
}

void
render_looked(struct seeder *s, const struct peer_topic *t)
{
	struct drive *d = drives_topic(s, &t->topic);
	char of[PEAR_LINK_TEXT_MAX + 8];

	if (d == NULL)
		return;
	s->redraw = true;
	if (t->announced > 0 && !d->announced) {
		d->announced = true;
		cli_event(s->c, "announced",
		    json_pack("{s:o, s:I}", "key", json_key(&d->key), "nodes",
			(json_int_t)t->announced));
		cli_line(s->c, "^_^ announced%s", of_drive(of, s, d));
	}
	alone(s, d, t);
}

/* Nothing can be found or announced meanwhile, and nothing that was said of
 * the network holds. */
static void
online(struct seeder *s, bool is)
{
	if (s->said.offline == !is)
		return;
	s->said.offline = !is;
	s->redraw = true;
	cli_warn(s->c, "%s",
	    is ? "the DHT answers again"
	       : "the DHT does not answer: nobody is found until it does");
}

void
render_network(struct seeder *s)
{
	struct said *said = &s->said;
	struct peer_network n;
	char at[ADDR_TEXT] = "";

	peer_network(s->node, &n);
	if (!n.ready)
		return;
	online(s, n.online);
	if (!n.online ||
	    (said->network_known && said->firewalled == n.firewalled &&
		said->consistent == n.consistent))
		return;
	if (!said->network_known || said->firewalled != n.firewalled)
		cli_line(
		    s->c, "... firewalled %s", n.firewalled ? "true" : "false");
	if (!said->network_known || said->consistent != n.consistent)
		cli_line(s->c, "... NAT type %s",
		    n.consistent ? "consistent" : "random");
	said->network_known = true;
	said->firewalled = n.firewalled;
	said->consistent = n.consistent;
	s->redraw = true;
	if (n.self.family != 0)
		addr_format(at, &n.self);
	cli_event(s->c, "network",
	    json_pack("{s:b, s:s, s:s, s:I}", "firewalled", (int)n.firewalled,
		"natType", n.consistent ? "Consistent" : "Random", "address",
		at, "nodes", (json_int_t)n.nodes));
}

/* -- stats ---------------------------------------------------------------- */

static json_t *
direction(uint64_t bytes, uint64_t blocks, double speed)
{
	return json_pack("{s:I, s:I, s:I}", "totalBytes", (json_int_t)bytes,
	    "totalBlocks", (json_int_t)blocks, "speed",
	    (json_int_t)llround(speed));
}

static void
one_event(struct seeder *s, const struct monitor_drive *d)
{
	const struct monitor_node *n = &s->snap.node;
	json_t *o;

	o = json_pack("{s:I, s:o, s:I, s:o, s:o, s:o, s:I}", "peers",
	    (json_int_t)d->peers, "driveKey", json_key(&d->db.key),
	    "driveLength", (json_int_t)d->db.length, "discoveryKey",
	    json_key(&d->topic), "contentKey",
	    d->has_blobs ? json_key(&d->blobs.key) : json_string("pending"),
	    "whoami", json_key(&n->key), "connections",
	    (json_int_t)n->connections);
	json_object_set_new(
	    o, "upload", direction(d->bytes_out, d->blocks_out, d->up));
	json_object_set_new(
	    o, "download", direction(d->bytes_in, d->blocks_in, d->down));
	if (n->known) {
		json_object_set_new(
		    o, "firewalled", json_boolean(n->firewalled));
		json_object_set_new(o, "natType",
		    json_string(n->consistent ? "Consistent" : "Random"));
	}
	if (d->name[0] != '\0')
		json_object_set_new(o, "name", json_string(d->name));
	if (d->has_blobs)
		json_object_set_new(o, "blobsByteLength",
		    json_integer((json_int_t)d->blobs.bytes));
	json_object_set_new(
	    o, "state", json_string(monitor_state_text(d->state)));
	json_object_set_new(o, "copies", json_integer((json_int_t)d->full));
	cli_event(s->c, "stats", o);
}

/* A line when something came or went, and one when that is over: the speed
 * alone falls for a long time. */
static void
network_line(struct seeder *s)
{
	const struct monitor_node *n = &s->snap.node;
	char up[CLI_SIZE_MAX], down[CLI_SIZE_MAX], ups[CLI_SIZE_MAX],
	    downs[CLI_SIZE_MAX];
	struct said_network is = {.said = true,
	    .moving = n->up >= 1 || n->down >= 1,
	    .connections = n->connections,
	    .bytes_in = n->bytes_in,
	    .bytes_out = n->bytes_out};
	const struct said_network *was = &s->said.network;

	if (was->said && was->moving == is.moving &&
	    was->connections == is.connections &&
	    was->bytes_in == is.bytes_in && was->bytes_out == is.bytes_out)
		return;
	s->said.network = is;
	cli_line(s->c,
	    "--- network %" PRIu32
	    " peers, upload %s - %s/s, download %s - %s/s",
	    n->connections, cli_size(up, (int64_t)n->bytes_out),
	    cli_size(ups, (int64_t)n->up), cli_size(down, (int64_t)n->bytes_in),
	    cli_size(downs, (int64_t)n->down));
}

void
render_stats(struct seeder *s)
{
	if (terminal(s)) {
		table_show(s);
		return;
	}
	if (!s->c->common.json) {
		network_line(s);
		return;
	}
	for (size_t i = 0; i < s->snap.n; i++)
		one_event(s, &s->snap.drive[i]);
}
