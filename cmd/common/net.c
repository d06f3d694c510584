#include "cmd/common/net.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/stop.h"
#include "cmd/common/drive.h"
#include "crypto/hash.h"
#include "hyperdrive/drive.h"

#define STATS_US 250000

/* -- progress ------------------------------------------------------------- */

/* Smoothed over about two seconds. */
double
common_rate_look(struct common_rate *r, uint64_t bytes, uint64_t now)
{
	double seconds = (double)(now - r->at) / 1e6, part;

	if (r->at == 0 || now < r->at) {
		r->at = now;
		r->bytes = bytes;
		return r->speed;
	}
	if (seconds < 0.05)
		return r->speed;
	part = seconds > 2 ? 1 : seconds / 2;
	r->speed += part * ((double)(bytes - r->bytes) / seconds - r->speed);
	r->at = now;
	r->bytes = bytes;
	return r->speed;
}

static json_t *
direction(uint64_t bytes, uint64_t blocks, double speed)
{
	return json_pack("{s:I, s:I, s:I}", "bytes", (json_int_t)bytes,
	    "blocks", (json_int_t)blocks, "speed", (json_int_t)llround(speed));
}

/* Blocks of all goals that are still missing. */
static uint64_t
missing(struct common_net *n)
{
	struct replicate_core *c = NULL;
	struct replicate_status st;
	uint64_t sum = 0;

	while ((c = replicate_each(peer_replicate(n->node), c)) != NULL) {
		replicate_status(c, &st);
		sum += st.wanted;
	}
	return sum;
}

json_t *
common_net_stats(struct common_net *n)
{
	struct peer_totals t;
	uint64_t now = peer_now(), left;
	json_t *down;

	peer_totals(n->node, &t);
	left = missing(n);
	down = direction(t.bytes_in, t.blocks_in,
	    common_rate_look(&n->down, t.bytes_in, now));
	json_object_set_new(down, "progress",
	    json_real(
		t.blocks_in + left == 0
		    ? 1
		    : (double)t.blocks_in / (double)(t.blocks_in + left)));
	return json_pack("{s:I, s:o, s:o}", "peers", (json_int_t)t.peers,
	    "download", down, "upload",
	    direction(t.bytes_out, t.blocks_out,
		common_rate_look(&n->up, t.bytes_out, now)));
}

static void
time_left(char *out, size_t cap, const struct peer_totals *t, uint64_t left,
    double speed)
{
	double seconds, each;

	out[0] = '\0';
	if (t->blocks_in == 0 || speed < 1)
		return;
	each = (double)t->bytes_in / (double)t->blocks_in;
	seconds = (double)left * each / speed;
	if (seconds < 360000)
		(void)snprintf(out, cap, ", %u:%02u left",
		    (unsigned)seconds / 60, (unsigned)seconds % 60);
}

static void
show_progress(struct common_net *n)
{
	char bytes[CLI_SIZE_MAX], rate[CLI_SIZE_MAX], eta[40];
	struct peer_totals t;
	uint64_t now = peer_now();
	double speed;

	if (n->cli->common.json) {
		if (now - n->shown < n->least_us)
			return;
		n->shown = now;
		cli_event(n->cli, "stats", common_net_stats(n));
		return;
	}
	peer_totals(n->node, &t);
	speed = common_rate_look(&n->down, t.bytes_in, now);
	time_left(eta, sizeof(eta), &t, missing(n), speed);
	cli_status(n->cli, "%s, %s/s%s, %u peer%s",
	    cli_size(bytes, (int64_t)t.bytes_in),
	    cli_size(rate, (int64_t)speed), eta, t.peers,
	    t.peers == 1 ? "" : "s");
}

/* Nothing is more annoying than waiting without knowing for what. */
static void
show_search(struct common_net *n, const struct peer_topic *t)
{
	uint64_t now = peer_now();

	if (peer_connections(n->node) > 0)
		return;
	if (t->found > 0)
		cli_status(n->cli, "found %zu peer%s, connecting", t->found,
		    t->found == 1 ? "" : "s");
	else
		cli_status(n->cli, "no seeder found, next try in %" PRIu64 " s",
		    t->next > now ? (t->next - now + 999999) / 1000000 : 0);
}

static void
on_event(void *ctx, const struct peer_event *ev)
{
	struct common_net *n = ctx;
	char key[Z32_KEY_LEN + 1], at[ADDR_TEXT];

	switch (ev->kind) {
	case PEER_JOINED:
		cli_debug(n->cli, "peer %s joined (%s)", z32_key(key, &ev->key),
		    addr_format(at, &ev->addr));
		break;
	case PEER_LEFT:
		cli_debug(n->cli, "peer %s left: %s", z32_key(key, &ev->key),
		    ev->text);
		break;
	case PEER_UNREACHED:
		cli_debug(n->cli, "peer %s (%s): %s", z32_key(key, &ev->key),
		    addr_format(at, &ev->addr), ev->text);
		break;
	case PEER_BLAMED:
	case PEER_CONFLICT:
		cli_warn(
		    n->cli, "peer %s: %s", z32_key(key, &ev->key), ev->text);
		break;
	case PEER_TROUBLE:
		cli_warn(n->cli, "%s", ev->text);
		break;
	case PEER_WAITING:
		cli_warn(n->cli, "still waiting: %s", ev->text);
		break;
	case PEER_TICK:
		show_progress(n);
		break;
	case PEER_LOOKED:
		cli_debug(n->cli, "topic %s: found %zu",
		    z32_key(key, &ev->topic->topic), ev->topic->found);
		show_search(n, ev->topic);
		break;
	case PEER_MET:
	case PEER_NETWORK:
	case PEER_CORE:
		break;
	}
}

/* -- life ----------------------------------------------------------------- */

enum err_code
common_net_start(struct common_net *n, struct err *e)
{
	struct peer_opts o = {.store = n->store,
	    .serve = true,
	    .at = n->at,
	    .nat = n->nat,
	    .discovery = n->discovers ? &n->discovery : NULL,
	    .stop = cli_stopping,
	    .event = on_event,
	    .ctx = n};
	enum err_code rc;

	if (n->offline || n->node != NULL)
		return ERR_OK;
	if (n->discovers && (rc = common_net_names(n, e)) != ERR_OK)
		return rc;
	cli_status(n->cli, "looking for peers");
	rc = peer_open(&n->node, &o, e);
	for (size_t i = 0; i < n->ntopics && rc == ERR_OK; i++)
		rc = peer_join(
		    n->node, &n->topic[i], PEER_CLIENT | PEER_WANTING, e);
	return rc;
}

void
common_net_close(struct common_net *n)
{
	peer_close(n->node);
	n->node = NULL;
}

static enum err_code
get(void *ctx, const struct want *want, struct err *e)
{
	struct common_net *n = ctx;
	enum err_code rc = common_net_start(n, e);

	return rc != ERR_OK ? rc
			    : peer_fetch(n->node)->get(
				  peer_fetch(n->node)->ctx, want, e);
}

/* A hint: it does not open a node. */
static void
ahead(void *ctx, const struct b32 *key, uint64_t start, uint64_t end)
{
	struct common_net *n = ctx;

	if (n->node != NULL)
		peer_ahead(n->node, key, start, end);
}

enum err_code
common_net_open(struct common_net *out, struct cli *c, struct store *s,
    const struct cli_list *peers, struct err *e)
{
	struct err ignored = ERR_INIT;
	enum err_code rc;

	memset(out, 0, sizeof(*out));
	out->cli = c;
	out->store = s;
	out->least_us = STATS_US;
	out->fetch = (struct fetch){.get = get, .ahead = ahead, .ctx = out};
	common_net_counts(out);
	out->offline = c->common.offline;
	if (out->offline && peers->n > 0)
		return err_set(
		    e, ERR_USAGE, "--peer and --offline exclude each other");
	if ((rc = common_net_words(out->at, peers, e)) != ERR_OK)
		return rc;
	out->nat = peers->n;
	if (out->offline)
		return ERR_OK;
	rc = common_net_nodes(out, &c->common.bootstrap, 1, e);
	if (rc == ERR_OK)
		rc = common_net_relay(
		    &out->discovery, &out->relay, c->common.relay, e);
	out->discovery.bootstrap = out->bootstrap;
	out->discovery.remember = out->discovers;
	out->offline = (!out->discovers && out->nat == 0) ||
		       store_writable(s, &ignored) != ERR_OK;
	return rc;
}

const struct fetch *
common_net_fetch(struct common_net *n)
{
	return n->offline ? NULL : &n->fetch;
}

const struct peers *
common_net_peers(struct common_net *n)
{
	return n->offline ? NULL : &n->peers;
}

/* -- drives --------------------------------------------------------------- */

/* What is here already is enough when nobody answers. */
static enum err_code
make_do(struct common_net *n, const struct b32 *key, uint64_t length,
    enum err_code rc, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct core *c;
	bool enough;

	if (rc != ERR_PEERS ||
	    core_open(&c, n->store, key, CORE_READ, &ignored) != ERR_OK)
		return rc;
	enough = core_head(c)->length > 0 && core_head(c)->length >= length;
	core_close(c);
	if (!enough)
		return rc;
	cli_warn(n->cli, "%s; going on with what is in this store", e->msg);
	return ERR_OK;
}

enum err_code
common_net_join(
    struct common_net *n, const struct b32 *key, int flags, struct err *e)
{
	struct b32 topic;

	if (n->node == NULL)
		return ERR_OK;
	hash_discovery_key(&topic, key);
	return peer_join(n->node, &topic, flags, e);
}

/* Remembered for a node that is opened later. */
enum err_code
common_net_topic(struct common_net *n, const struct b32 *key, struct err *e)
{
	struct b32 topic;

	hash_discovery_key(&topic, key);
	for (size_t i = 0; i < n->ntopics; i++)
		if (b32_eq(&n->topic[i], &topic))
			return ERR_OK;
	if (n->ntopics == COMMON_TOPICS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d drives at a time",
		    COMMON_TOPICS_MAX);
	n->topic[n->ntopics++] = topic;
	return common_net_join(n, key, PEER_CLIENT | PEER_WANTING, e);
}

/* Is the core here, as far as it is needed, without asking anybody? */
static enum err_code
is_here(struct common_net *n, const struct b32 *key, uint64_t length, bool *out,
    struct err *e)
{
	struct core *c;
	enum err_code rc = core_open(&c, n->store, key, CORE_READ, e);

	*out = false;
	if (rc == ERR_NOT_FOUND) {
		e->code = ERR_OK;
		return ERR_OK;
	}
	if (rc != ERR_OK)
		return rc;
	*out = length > 0 ? core_head(c)->length >= length : core_writable(c);
	core_close(c);
	return ERR_OK;
}

static enum err_code
bring(struct common_net *n, const struct b32 *key, uint64_t length,
    enum common_need need, struct err *e)
{
	enum err_code rc;
	bool here;

	if ((rc = is_here(n, key, length, &here, e)) != ERR_OK || here)
		return rc;
	if ((rc = common_net_start(n, e)) == ERR_OK)
		rc = peer_update(n->node, key, length,
		    need == COMMON_NEED ? PEER_MUST : PEER_MAY, e);
	cli_status_clear(n->cli);
	return make_do(n, key, length, rc, e);
}

enum err_code
common_net_core(struct common_net *n, const struct b32 *key, uint64_t length,
    enum common_need need, struct err *e)
{
	enum err_code rc;

	if (n->offline)
		return ERR_OK;
	rc = common_net_topic(n, key, e);
	return rc != ERR_OK ? rc : bring(n, key, length, need, e);
}

static enum err_code
blobs_key(struct common_net *n, const struct b32 *key, struct b32 *out,
    bool *known, struct err *e)
{
	const struct fetch *f = common_net_fetch(n);
	struct hyperdrive *d;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	*known = false;
	rc = hyperdrive_open(&d, n->store, key, CORE_READ, e);
	if (rc == ERR_NOT_FOUND || rc == ERR_FORMAT || rc == ERR_UNSUPPORTED)
		return ERR_OK; /* not a drive: the command will say so */
	if (rc != ERR_OK)
		return rc;
	if (core_head(hyperdrive_db(d))->length > 0) {
		do
			rc = hyperdrive_find_blobs(d, &w, e);
		while (common_drive_again(f, &rc, &w, e));
		*known = hyperdrive_blobs_key(d, out);
		if (rc == ERR_FORMAT || rc == ERR_UNSUPPORTED)
			rc = ERR_OK;
	}
	hyperdrive_close(d);
	return rc;
}

enum err_code
common_net_drive(struct common_net *n, const struct pear_link *link,
    enum common_need need, struct err *e)
{
	uint64_t length = link->has_version ? link->length : 0;
	struct b32 blobs;
	bool known;
	enum err_code rc;

	if (n->offline)
		return ERR_OK;
	if ((rc = common_net_core(n, &link->key, length, need, e)) != ERR_OK ||
	    n->node == NULL ||
	    (rc = blobs_key(n, &link->key, &blobs, &known, e)) != ERR_OK ||
	    !known)
		return rc;
	return bring(n, &blobs, 0, need, e);
}

enum err_code
common_net_changed(struct common_net *n, struct err *e)
{
	enum err_code rc;

	if (n->node == NULL)
		return ERR_OK;
	if ((rc = store_refresh(n->store, e)) != ERR_OK)
		return rc;
	return replicate_changed(peer_replicate(n->node), NULL, peer_now(), e);
}

enum err_code
common_net_serve(struct common_net *n, struct err *e)
{
	enum err_code rc = ERR_OK;

	while (n->node != NULL && rc == ERR_OK)
		rc = peer_turn(n->node, UINT64_MAX, e);
	cli_status_clear(n->cli);
	return rc == ERR_INTERRUPTED ? ERR_OK : rc;
}
