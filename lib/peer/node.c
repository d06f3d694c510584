/* Turns: events of the wire in, replication, frames out. */
#include "peer/node_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/z32.h"
#include "net/io/io.h"

#define EVENTS_MAX 256 /* of the wire in one turn */
#define FRAMES_MAX 16  /* of a connection, at once */

uint64_t
peer_now(void)
{
	return io_now();
}

/* -- telling the owner ---------------------------------------------------- */

static void
tell(struct peer_node *n, enum peer_kind kind, const struct wire_about *about,
    const char *text)
{
	struct peer_event ev = {.kind = kind, .text = text};

	if (about != NULL) {
		ev.key = about->key;
		ev.addr = about->addr;
		ev.at = about->dial != 0;
	}
	if ((kind == PEER_LEFT || kind == PEER_UNREACHED) && !ev.at) {
		n->missed = ev.key;
		(void)snprintf(
		    n->missed_why, sizeof(n->missed_why), "%.199s", text);
	}
	if (n->o.event != NULL)
		n->o.event(n->o.ctx, &ev);
}

static struct link *
link_of(const struct replicate_peer *p)
{
	return p == NULL ? NULL : replicate_peer_user(p);
}

static void
hear_one(struct peer_node *n, const struct replicate_event *re)
{
	struct link *l = link_of(re->peer);
	struct peer_event ev = {.kind = PEER_CORE, .core = re};

	if (re->kind == REPLICATE_BLAMED || re->kind == REPLICATE_CONFLICT ||
	    re->kind == REPLICATE_TROUBLE)
		tell(n,
		    re->kind == REPLICATE_BLAMED     ? PEER_BLAMED
		    : re->kind == REPLICATE_CONFLICT ? PEER_CONFLICT
						     : PEER_TROUBLE,
		    l != NULL ? wire_about(l->conn) : NULL, re->text);
	if (n->o.event != NULL)
		n->o.event(n->o.ctx, &ev);
}

static void
hear(struct peer_node *n)
{
	struct replicate_event re;
	bool some = false;

	while (replicate_next(n->repl, &re)) {
		hear_one(n, &re);
		some = true;
	}
	if (some && io_now() - n->ticked >= TICK_US) {
		n->ticked = io_now();
		tell(n, PEER_TICK, NULL, NULL);
	}
}

/* -- dialling ------------------------------------------------------------- */

static void
schedule(struct dial *d, uint64_t now, const char *text)
{
	d->state = DIAL_WAITS;
	d->tried = true;
	d->again = now + d->delay;
	d->delay =
	    d->delay * 2 > REDIAL_MOST_US ? REDIAL_MOST_US : d->delay * 2;
	(void)snprintf(d->text, sizeof(d->text), "%.199s", text);
}

static bool
linked(const struct peer_node *n, const struct b32 *key)
{
	for (size_t i = 0; i < n->nlinks; i++)
		if (b32_eq(&wire_about(n->link[i]->conn)->key, key))
			return true;
	return false;
}

static enum err_code
redial(struct peer_node *n, uint64_t now, uint64_t *until, struct err *e)
{
	enum err_code rc = ERR_OK;
	struct dial *d;

	for (size_t i = 0; i < n->o.nat && rc == ERR_OK; i++) {
		d = &n->dial[i];
		if (d->state != DIAL_WAITS)
			continue;
		if (d->again <= now && linked(n, &d->at.key))
			d->again = now + d->delay; /* found by itself */
		if (d->again > now) {
			*until = d->again < *until ? d->again : *until;
			continue;
		}
		d->state = DIAL_RUNS;
		rc = wire_dial(
		    n->wire, (uint32_t)i + 1, &d->at.addr, &d->at.key, e);
	}
	return rc;
}

/* -- links ---------------------------------------------------------------- */

void
peer_retire(struct peer_node *n, struct link *l, uint64_t now)
{
	struct replicate_peer_stats st;

	replicate_peer_stats(l->peer, &st);
	n->gone.blocks_in += st.blocks_in;
	n->gone.bytes_in += st.bytes_in;
	n->gone.blocks_out += st.blocks_out;
	n->gone.bytes_out += st.bytes_out;
	replicate_peer_remove(l->peer, now);
	l->peer = NULL;
}

/* The connection will be closed; its requests go elsewhere now. */
static void
drop(struct peer_node *n, struct link *l, const char *why, uint64_t now)
{
	if (l->peer == NULL)
		return;
	peer_retire(n, l, now);
	(void)snprintf(l->why, sizeof(l->why), "%.199s", why);
	wire_drop(n->wire, l->conn, false);
}

/* Who breaks the protocol is not looked for again for some time. */
static enum err_code
ban(struct peer_node *n, const struct link *l, struct err *e)
{
	if (n->o.discovery == NULL)
		return ERR_OK;
	return wire_ban(n->wire, &wire_about(l->conn)->key, e);
}

static enum err_code
enlist(struct peer_node *n, struct link *l, struct err *e)
{
	size_t cap = n->cap == 0 ? 8 : 2 * n->cap;
	struct link **grown;

	if (n->nlinks == n->cap) {
		grown = realloc(n->link, cap * sizeof(struct link *));
		if (grown == NULL)
			return err_nomem(e);
		n->link = grown;
		n->cap = cap;
	}
	n->link[n->nlinks++] = l;
	return ERR_OK;
}

static enum err_code
on_opened(
    struct peer_node *n, struct wire_event *ev, uint64_t now, struct err *e)
{
	const struct wire_about *about = wire_about(ev->conn);
	struct replicate_peer_opts po = {.initiator = about->initiator,
	    .hash = about->hash,
	    .key = about->key};
	struct link *l = calloc(1, sizeof(*l));
	enum err_code rc;

	if (l == NULL)
		return err_nomem(e);
	l->conn = ev->conn;
	po.user = l;
	if ((rc = enlist(n, l, e)) != ERR_OK) {
		free(l);
		return rc;
	}
	wire_set_user(ev->conn, l);
	rc = replicate_peer_add(n->repl, &po, now, &l->peer, e);
	if (rc != ERR_OK)
		return rc;
	n->ever = true;
	if (n->joined == 0)
		n->joined = now;
	if (ev->dial != 0) {
		n->dial[ev->dial - 1].state = DIAL_LINKED;
		n->dial[ev->dial - 1].tried = true;
		n->dial[ev->dial - 1].delay = REDIAL_FIRST_US;
	}
	tell(n, PEER_JOINED, about, NULL);
	return ERR_OK;
}

static bool
is_ours(enum err_code rc)
{
	return rc == ERR_NOMEM || rc == ERR_IO || rc == ERR_NOSPACE ||
	       rc == ERR_CORRUPT || rc == ERR_READONLY;
}

/* A frame, and what came of the same connection right behind it. */
static enum err_code
on_frames(
    struct peer_node *n, struct wire_event *first, uint64_t now, struct err *e)
{
	struct link *l = wire_user(first->conn);
	struct wire_event *run[FRAMES_MAX] = {first};
	struct view frame[FRAMES_MAX];
	struct err why = ERR_INIT;
	enum err_code rc = ERR_OK;
	size_t count = 1;

	while (count < FRAMES_MAX &&
	       (run[count] = wire_next_frame(n->wire, first->conn)) != NULL)
		count++;
	for (size_t i = 0; i < count; i++)
		frame[i] = view_of(run[i]->data + run[i]->head, run[i]->len);
	if (l != NULL && l->peer != NULL)
		rc = replicate_peer_recv_all(l->peer, frame, count, now, &why);
	for (size_t i = 0; i < count; i++)
		wire_done(n->wire, first->conn, run[i]->len);
	for (size_t i = 1; i < count; i++) { /* the first is the caller's */
		free(run[i]->data);
		free(run[i]);
	}
	if (rc == ERR_OK)
		return ERR_OK;
	if (is_ours(rc)) {
		*e = why;
		return rc;
	}
	drop(n, l, why.msg, now);
	return ban(n, l, e);
}

void
peer_closed(struct peer_node *n, struct wire_event *ev, uint64_t now)
{
	struct link *l = wire_user(ev->conn);
	const char *why = ev->text;

	if (ev->dial != 0)
		schedule(&n->dial[ev->dial - 1], now, ev->text);
	if (l != NULL && l->peer != NULL)
		peer_retire(n, l, now);
	else if (l != NULL && l->why[0] != '\0')
		why = l->why;
	/* who never was here has not left */
	if (!ev->quiet)
		tell(n, l != NULL ? PEER_LEFT : PEER_UNREACHED,
		    wire_about(ev->conn), why);
	if (l != NULL) {
		for (size_t i = 0; i < n->nlinks; i++)
			if (n->link[i] == l)
				n->link[i--] = n->link[--n->nlinks];
		free(l);
	}
	wire_release(n->wire, ev->conn);
}

static void
on_failed(struct peer_node *n, struct wire_event *ev, uint64_t now)
{
	struct wire_about about = {.key = *ev->key, .dial = ev->dial};
	struct dial *d;

	if (ev->dial != 0) {
		d = &n->dial[ev->dial - 1];
		about.key = d->at.key;
		about.addr = d->at.addr;
		schedule(d, now, ev->text);
	}
	tell(n, PEER_UNREACHED, &about, ev->text);
}

static enum err_code
on_event(
    struct peer_node *n, struct wire_event *ev, uint64_t now, struct err *e)
{
	switch (ev->kind) {
	case WIRE_OPENED:
		return on_opened(n, ev, now, e);
	case WIRE_FRAME:
		return on_frames(n, ev, now, e);
	case WIRE_CLOSED:
		peer_closed(n, ev, now);
		break;
	case WIRE_FAILED:
		on_failed(n, ev, now);
		break;
	case WIRE_CHANGED:
		n->changed = true;
		break;
	case WIRE_LOOKED:
		peer_on_looked(n, ev);
		break;
	case WIRE_MET:
		peer_on_met(n, ev);
		break;
	case WIRE_NETWORK:
		peer_on_network(n, ev);
		break;
	case WIRE_QUIET:
		n->quiet = true;
		break;
	case WIRE_ROOM:
		break;
	}
	return ERR_OK;
}

/* -- a turn --------------------------------------------------------------- */

static enum err_code
take_events(struct peer_node *n, uint64_t now, bool *some, struct err *e)
{
	struct wire_event *ev;
	enum err_code rc = ERR_OK;

	for (int i = 0; i < EVENTS_MAX && rc == ERR_OK; i++) {
		if ((ev = wire_next(n->wire)) == NULL)
			break;
		*some = true;
		rc = on_event(n, ev, now, e);
		free(ev->data);
		free(ev);
	}
	return rc;
}

static enum err_code
refresh(struct peer_node *n, uint64_t now, struct err *e)
{
	enum err_code rc;

	if (now - n->refreshed < REFRESH_US)
		return ERR_OK;
	if (!n->changed &&
	    (wire_watches(n->wire) || now - n->refreshed < POLL_US))
		return ERR_OK;
	n->changed = false;
	n->refreshed = now;
	if ((rc = store_refresh(n->o.store, e)) != ERR_OK)
		return rc;
	return replicate_changed(n->repl, NULL, now, e);
}

static enum err_code
send_frames(struct peer_node *n, struct err *e)
{
	enum err_code rc = ERR_OK;
	struct replicate_peer *p = NULL;
	uint8_t *data;
	size_t len;

	while ((p = replicate_peer_busy(n->repl, p)) != NULL)
		while (rc == ERR_OK && replicate_peer_take(p, &data, &len))
			rc =
			    wire_write(n->wire, link_of(p)->conn, data, len, e);
	wire_flush(n->wire);
	return rc;
}

/* Room to send into is credit to serve with. Who has requests waiting and no
 * room hears of it later: asking for the room arms WIRE_ROOM. */
static bool
give_credit(struct peer_node *n)
{
	struct replicate_peer *p = NULL;
	struct replicate_peer_stats st;
	bool more = false;
	size_t room;

	while ((p = replicate_peer_busy(n->repl, p)) != NULL) {
		replicate_peer_stats(p, &st);
		if (st.queued == 0)
			continue;
		room = wire_room(n->wire, link_of(p)->conn);
		replicate_peer_credit(p, room);
		more = more || room > 0;
	}
	return more;
}

static enum err_code
work(struct peer_node *n, uint64_t now, bool *more, struct err *e)
{
	enum err_code rc;

	(void)give_credit(n);
	if ((rc = replicate_step(n->repl, now, more, e)) != ERR_OK ||
	    (rc = send_frames(n, e)) != ERR_OK)
		return rc;
	*more = give_credit(n) || *more;
	hear(n);
	return ERR_OK;
}

enum err_code
peer_turn(struct peer_node *n, uint64_t until, struct err *e)
{
	uint64_t now = io_now(), next;
	bool some = false, more = false;
	enum err_code rc;

	if (n->o.stop != NULL && n->o.stop())
		return err_set(e, ERR_INTERRUPTED, "interrupted");
	if ((rc = redial(n, now, &until, e)) != ERR_OK ||
	    (rc = take_events(n, now, &some, e)) != ERR_OK ||
	    (rc = refresh(n, now, e)) != ERR_OK ||
	    (rc = work(n, now, &more, e)) != ERR_OK)
		return rc;
	if (some || more)
		return ERR_OK;
	next = replicate_deadline(n->repl);
	until = next < until ? next : until;
	if (n->changed && n->refreshed + REFRESH_US < until)
		until = n->refreshed + REFRESH_US;
	if (now + SLICE_US < until)
		until = now + SLICE_US;
	wire_wait(n->wire, until);
	return ERR_OK;
}
