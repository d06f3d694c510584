/* Waiting for what is not here yet. */
#include <inttypes.h>

#include "codec/z32.h"
#include "peer/node_impl.h"

#define WAITING_US 5000000
#define JOINS_MAX 3 /* without a block between them */

/* How long nothing has come. Peers that come and go are no progress: who does
 * so again and again must not make anybody wait for ever. Only the one that
 * comes when nobody is there gets its time, and that a few times. */
struct watch {
	uint64_t since;
	uint64_t blocks, length;
	unsigned joins;
	bool alone;
};

static bool
too_long(struct peer_node *n, struct watch *w, struct replicate_core *c)
{
	struct replicate_status st;
	struct peer_totals t;
	uint64_t now = peer_now();
	bool alone = peer_connections(n) == 0;

	replicate_status(c, &st);
	peer_totals(n, &t);
	if (w->since == 0 || t.blocks_in != w->blocks ||
	    st.head.length != w->length) {
		w->since = now;
		w->blocks = t.blocks_in;
		w->length = st.head.length;
		w->joins = 0;
	} else if (w->alone && !alone && w->joins < JOINS_MAX) {
		w->since = now;
		w->joins++;
	}
	w->alone = alone;
	return now - w->since > n->o.patience_us;
}

static enum err_code
frozen(struct replicate_core *c, struct err *e)
{
	struct replicate_status st;

	replicate_status(c, &st);
	if (!st.conflict)
		return ERR_OK;
	return err_set(e, ERR_CONFLICT,
	    "two signed histories of this core are known: it is frozen");
}

/* Silence looks like a command that hangs. */
static void
tell_waiting(struct peer_node *n, const struct watch *w, const struct b32 *key)
{
	struct peer_event ev = {.kind = PEER_WAITING};
	struct err e = ERR_INIT;
	char text[Z32_KEY_LEN + 1];
	enum err_code rc;

	if (n->waited || n->o.event == NULL ||
	    peer_now() - w->since < WAITING_US)
		return;
	n->waited = true;
	if (peer_connections(n) == 0)
		rc = peer_nobody(n, key, &e);
	else
		rc = err_set(&e, ERR_PEERS,
		    "core %s: connected, but nothing new comes",
		    z32_key(text, key));
	ev.text = e.msg;
	if (rc != ERR_OK)
		n->o.event(n->o.ctx, &ev);
}

/* Who waits for a block has no use for what a seeder does, which goes on when
 * there is room: it would be silence. */
static enum err_code
no_room(struct peer_node *n, const struct b32 *key, struct err *e)
{
	char text[Z32_KEY_LEN + 1];

	if (!replicate_disk_full(n->repl))
		return ERR_OK;
	return err_set(e, ERR_NOSPACE,
	    "core %s: no room on the disk of store %s", z32_key(text, key),
	    store_dir(n->o.store));
}

/* One round of waiting; ERR_PEERS when there is no point any more. enough: so
 * much is here that nobody needs to be waited for. */
static enum err_code
wait_on(struct peer_node *n, struct replicate_core *c, struct watch *w,
    bool enough, struct err *e)
{
	const struct b32 *key = core_key(replicate_core_handle(c));
	struct replicate_status st;
	enum err_code rc;

	if ((rc = frozen(c, e)) != ERR_OK ||
	    (rc = no_room(n, key, e)) != ERR_OK)
		return rc;
	replicate_status(c, &st);
	if (peer_hopeless(n) || too_long(n, w, c) ||
	    (enough && peer_settled(n) && peer_connections(n) == 0) ||
	    (n->o.listen == NULL && peer_settled(n) && st.peers == 0 &&
		peer_connections(n) > 0 && replicate_pending(c) == 0))
		return peer_nobody(n, key, e);
	tell_waiting(n, w, key);
	return peer_turn(n, UINT64_MAX, e);
}

/* A length that none of all who can be asked has. */
static bool
too_short(struct peer_node *n, struct replicate_core *c, const struct want *w)
{
	struct replicate_status st;

	if (w->kind != WANT_LENGTH || n->o.listen != NULL || !peer_settled(n))
		return false;
	replicate_status(c, &st);
	return peer_connections(n) > 0 && replicate_pending(c) == 0 &&
	       st.longest < w->index;
}

static enum err_code
get(void *ctx, const struct want *want, struct err *e)
{
	struct peer_node *n = ctx;
	struct replicate_core *c;
	struct watch w = {0};
	enum err_code rc;

	if ((rc = replicate_open(n->repl, &want->key, &c, e)) != ERR_OK ||
	    (rc = replicate_need(c, want, e)) != ERR_OK)
		return rc;
	while (!replicate_here(c, want)) {
		if (too_short(n, c, want))
			return peer_nobody(n, &want->key, e);
		if ((rc = wait_on(n, c, &w, false, e)) != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

static void
ahead(void *ctx, const struct b32 *key, uint64_t start, uint64_t end)
{
	peer_ahead(ctx, key, start, end);
}

void
peer_fetch_init(struct peer_node *n)
{
	n->fetch = (struct fetch){.get = get, .ahead = ahead, .ctx = n};
}

/* A hint: what cannot be asked for now is asked for when it is read. */
void
peer_ahead(
    struct peer_node *n, const struct b32 *key, uint64_t start, uint64_t end)
{
	struct err e = ERR_INIT;
	struct replicate_core *c;

	if (replicate_open(n->repl, key, &c, &e) == ERR_OK &&
	    replicate_download(c, start, end, &e) != ERR_OK)
		e.code = ERR_OK;
}

static bool
updated(struct peer_node *n, struct replicate_core *c, uint64_t length)
{
	struct replicate_status st;

	replicate_status(c, &st);
	if (length != 0 && st.head.length >= length)
		return true;
	return peer_ready(n) && st.peers > 0 && replicate_pending(c) == 0 &&
	       st.head.length >= st.longest && st.head.length >= length;
}

/* Peers who are there, and have less. */
static enum err_code
none_so_long(struct peer_node *n, struct replicate_core *c, uint64_t length,
    struct err *e)
{
	struct replicate_status st;
	char text[Z32_KEY_LEN + 1];

	replicate_status(c, &st);
	if (st.peers == 0 || st.longest >= length)
		return e->code;
	return err_set(e, ERR_PEERS,
	    "core %s: length %" PRIu64 " is asked for, and the longest that "
	    "%zu connected peer%s is %" PRIu64,
	    z32_key(text, core_key(replicate_core_handle(c))), length,
	    peer_connections(n), peer_connections(n) == 1 ? " has" : "s have",
	    st.longest);
}

enum err_code
peer_update(struct peer_node *n, const struct b32 *key, uint64_t length,
    enum peer_effort effort, struct err *e)
{
	struct replicate_core *c;
	struct replicate_status st;
	struct watch w = {0};
	enum err_code rc;

	if ((rc = replicate_open(n->repl, key, &c, e)) != ERR_OK)
		return rc;
	if (length != 0)
		replicate_reach(c, length);
	else
		replicate_follow(c, true);
	replicate_status(c, &st);
	while (rc == ERR_OK && !updated(n, c, length))
		rc = wait_on(
		    n, c, &w, effort == PEER_MAY || st.head.length > 0, e);
	replicate_follow(c, false);
	return rc == ERR_PEERS ? none_so_long(n, c, length, e) : rc;
}

void
peer_totals(struct peer_node *n, struct peer_totals *out)
{
	struct replicate_peer_stats st;

	*out = n->gone;
	for (size_t i = 0; i < n->nlinks; i++) {
		if (n->link[i]->peer == NULL)
			continue;
		replicate_peer_stats(n->link[i]->peer, &st);
		out->peers++;
		out->blocks_in += st.blocks_in;
		out->bytes_in += st.bytes_in;
		out->blocks_out += st.blocks_out;
		out->bytes_out += st.bytes_out;
	}
}
