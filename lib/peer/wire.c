/* Both ends of the two queues, and the turns of the network thread. */
#include "peer/wire_relay.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

/* -- network thread ------------------------------------------------------- */

static void
obey(struct wire *w, struct wire_command *cmd, uint64_t now)
{
	struct wire_conn *c = cmd->conn;

	switch (cmd->order) {
	case WIRE_DIAL:
		wire_hands_dial(w->hands, cmd->dial, &cmd->at, now);
		break;
	case WIRE_WRITE:
		wire_conn_write(c, cmd->data, cmd->len, now);
		break;
	case WIRE_DROP:
		c->dirty = true;
		if (!cmd->graceful)
			wire_conn_close(c, "dropped");
		else if (!c->ending)
			udx_end(c->udx);
		c->ending = true;
		break;
	case WIRE_RELEASE:
		wire_conn_release(c, now);
		break;
	case WIRE_JOIN:
	case WIRE_LEAVE:
	case WIRE_JOIN_PEER:
	case WIRE_SERVE:
	case WIRE_REFRESH:
	case WIRE_BAN:
	case WIRE_QUIT:
		wire_find_obey(w->finding, cmd, now);
		break;
	}
	free(cmd);
}

static void
on_wake(void *ctx, uint64_t now)
{
	struct wire *w = ctx;
	struct io_item *it, *next;

	for (it = io_queue_take(w->in); it != NULL; it = next) {
		next = it->next;
		obey(w, (struct wire_command *)(void *)it, now);
	}
	/* credit may be due anywhere */
	for (size_t i = 0; i < w->nconns; i++)
		w->conn[i]->dirty = w->conn[i]->dirty || w->conn[i]->debt != 0;
}

static void
on_datagram(void *ctx, struct io_socket *from_sock, struct view d,
    const struct addr *from, uint64_t now)
{
	struct wire *w = ctx;
	struct wire_sock *s = wire_sock_of(w, from_sock);
	struct wire_conn *c;
	uint32_t id;

	if (!udx_peek(d, &id)) {
		if (!wire_hands_recv(w->hands, s, d, from, now) &&
		    w->finding != NULL)
			wire_find_recv(w->finding, s, d, from, now);
		return;
	}
	if ((c = wire_conn_find(w, id)) == NULL)
		return;
	if (c->through != NULL)
		wire_relay_packet(c, s, from, now);
	else if (c->sock == NULL && c->link)
		wire_relay_link_packet(c, s, from, now);
	else if (c->sock == NULL && w->finding != NULL)
		wire_find_packet(w->finding, c, s, from, now);
	/* its id alone names a stream, whatever socket and address: a handshake
	 * that was sent again may have left from another one than its answer
	 * came to */
	wire_conn_recv(c, d, from, now);
}

static void
on_changed(void *ctx, uint64_t now)
{
	struct wire_event *ev = wire_event_new(WIRE_CHANGED, NULL);

	(void)now;
	if (ev != NULL)
		wire_tell(ctx, ev);
}

/* Who begins changes, so that a rate that all share is shared. */
static uint64_t
pump_all(struct wire *w, uint64_t now)
{
	uint64_t deadline = IO_NEVER;
	struct wire_conn *c;
	size_t n = w->nconns, first = n == 0 ? 0 : w->turns++ % n;

	for (size_t i = 0; i < n && i < w->nconns; i++) {
		c = w->conn[(first + i) % w->nconns];
		if (c->dirty || now >= c->deadline)
			wire_conn_pump(c, now);
	}
	for (size_t i = 0; i < w->nconns; i++) {
		c = w->conn[i];
		if (c->released && now >= c->gone) {
			wire_conn_free(c); /* the last one takes its place */
			i--;
		} else if (c->deadline < deadline) {
			deadline = c->deadline;
		}
	}
	return deadline;
}

static uint64_t
on_turn(void *ctx, uint64_t now)
{
	struct wire *w = ctx;
	uint64_t deadline, next;

	wire_sock_flush(w);
	deadline = wire_hands_turn(w->hands, now);
	next = w->finding != NULL ? wire_find_turn(w->finding, now) : IO_NEVER;
	deadline = next < deadline ? next : deadline;
	next = pump_all(w, now);
	(void)io_queue_push_all(w->out, &w->events);
	return next < deadline ? next : deadline;
}

/* -- opening and closing -------------------------------------------------- */

/* A network that is on this machine only is not for others to see. */
static bool
on_loopback(const struct wire_discovery *o)
{
	for (size_t i = 0; i < o->nbootstrap; i++)
		if (o->bootstrap[i].ip[0] != 127)
			return false;
	return o->nbootstrap > 0;
}

static enum err_code
open_finding_sockets(struct wire *w, const struct wire_opts *o, struct err *e)
{
	struct addr at = {.family = 4};
	enum err_code rc = ERR_OK;

	if (w->fixed[WIRE_SOCK_4] != NULL) {
		io_socket_addr(w->fixed[WIRE_SOCK_4]->io, &at);
		at.port = 0;
	} else {
		if (on_loopback(o->discovery))
			memcpy(at.ip, (const uint8_t[]){127, 0, 0, 1}, 4);
		rc = wire_sock_open(NULL, w, WIRE_SOCK_4, &at, e);
	}
	if (rc == ERR_OK)
		rc = wire_sock_open(NULL, w, WIRE_SOCK_CLIENT, &at, e);
	return rc;
}

static enum err_code
open_sockets(struct wire *w, const struct wire_opts *o, struct err *e)
{
	const struct addr any4 = {.family = 4}, any6 = {.family = 6};
	enum err_code rc = ERR_OK;

	w->listens = WIRE_SOCK_4;
	if (o->listen != NULL && o->listen->family == 6)
		w->listens = WIRE_SOCK_6;
	if (o->listen != NULL)
		rc = wire_sock_open(NULL, w, w->listens, o->listen, e);
	if (rc == ERR_OK && o->discovery != NULL)
		rc = open_finding_sockets(w, o, e);
	if (rc == ERR_OK && o->dial4 && w->fixed[WIRE_SOCK_4] == NULL)
		rc = wire_sock_open(NULL, w, WIRE_SOCK_4, &any4, e);
	if (rc == ERR_OK && o->dial6 && w->fixed[WIRE_SOCK_6] == NULL)
		rc = wire_sock_open(NULL, w, WIRE_SOCK_6, &any6, e);
	return rc;
}

static enum err_code
start(struct wire *w, const struct wire_opts *o, struct err *e)
{
	static const struct io_handler handler = {
	    on_datagram, on_wake, on_changed, on_turn};
	enum err_code rc;

	if ((w->train = malloc(UDX_TRAIN_MAX)) == NULL)
		return err_nomem(e);
	if ((rc = sign_pair_copy(&w->pair, o->pair, e)) != ERR_OK ||
	    (rc = io_queue_new(&w->in, e)) != ERR_OK ||
	    (rc = io_queue_new(&w->out, e)) != ERR_OK ||
	    (rc = io_new(&w->io, &handler, w, e)) != ERR_OK ||
	    (rc = open_sockets(w, o, e)) != ERR_OK ||
	    (rc = wire_hands_new(&w->hands, w, o->listen != NULL, e)) != ERR_OK)
		return rc;
	if (o->discovery != NULL &&
	    (rc = wire_find_new(&w->finding, w, o->discovery, e)) != ERR_OK)
		return rc;
	/* there may be none left on a busy machine: see wire_watches() */
	w->watches = o->watch != NULL && io_watch(w->io, o->watch, e) == ERR_OK;
	e->code = ERR_OK;
	return io_start(w->io, e);
}

enum err_code
wire_open(struct wire **out, const struct wire_opts *o, struct err *e)
{
	struct wire *w = calloc(1, sizeof(*w));
	enum err_code rc;

	if (w == NULL)
		return err_nomem(e);
	w->max = o->connections_max;
	w->room = OUT_ROOM;
	w->up.rate = o->up_max < WIRE_RATE_MAX ? o->up_max : WIRE_RATE_MAX;
	w->down.rate =
	    o->down_max < WIRE_RATE_MAX ? o->down_max : WIRE_RATE_MAX;
	if ((rc = start(w, o, e)) != ERR_OK) {
		wire_close(w);
		return rc;
	}
	*out = w;
	return ERR_OK;
}

static void
free_events(struct io_item *it)
{
	struct wire_event *ev;

	while (it != NULL) {
		ev = (struct wire_event *)(void *)it;
		it = it->next;
		free(ev->data);
		free(ev);
	}
}

static void
free_commands(struct io_item *it)
{
	struct wire_command *cmd;

	while (it != NULL) {
		cmd = (struct wire_command *)(void *)it;
		it = it->next;
		if (cmd->order == WIRE_WRITE)
			free(cmd->data);
		free(cmd);
	}
}

bool
wire_watches(const struct wire *w)
{
	return w->watches;
}

/* The other side has said wire_drop() to each connection and waited. */
void
wire_close(struct wire *w)
{
	if (w == NULL)
		return;
	if (w->io != NULL)
		io_stop(w->io);
	while (w->nconns > 0)
		wire_conn_free(w->conn[0]);
	wire_find_free(w->finding);
	wire_hands_free(w->hands);
	io_free(w->io);
	wire_sock_close_all(w);
	free_commands(w->orders.first);
	free_events(w->events.first);
	if (w->in != NULL)
		free_commands(io_queue_take(w->in));
	if (w->out != NULL)
		free_events(io_queue_take(w->out));
	free_events(w->taken);
	io_queue_free(w->in);
	io_queue_free(w->out);
	sign_pair_free(&w->pair);
	free(w->conn);
	free(w->train);
	free(w);
}

void
wire_addr(const struct wire *w, struct addr *out)
{
	io_socket_addr(w->fixed[w->listens]->io, out);
}

/* -- the other side ------------------------------------------------------- */

struct wire_event *
wire_next(struct wire *w)
{
	struct io_item *it;

	if (w->taken == NULL)
		w->taken = io_queue_take(w->out);
	if ((it = w->taken) == NULL)
		return NULL;
	w->taken = it->next;
	return (struct wire_event *)(void *)it;
}

struct wire_event *
wire_next_frame(struct wire *w, const struct wire_conn *c)
{
	const struct wire_event *ev =
	    (const struct wire_event *)(const void *)w->taken;

	if (ev == NULL || ev->kind != WIRE_FRAME || ev->conn != c)
		return NULL;
	return wire_next(w);
}

void
wire_wait(struct wire *w, uint64_t until)
{
	if (w->taken == NULL)
		io_queue_wait(w->out, until);
}

static struct wire_command *
command(enum wire_order order, struct wire_conn *c)
{
	struct wire_command *cmd = calloc(1, sizeof(*cmd));

	if (cmd != NULL) {
		cmd->order = order;
		cmd->conn = c;
	}
	return cmd;
}

static void
give(struct wire *w, struct wire_command *cmd)
{
	io_list_add(&w->orders, &cmd->item);
}

void
wire_flush(struct wire *w)
{
	/* a queue that is not empty has a wake-up under way */
	if (io_queue_push_all(w->in, &w->orders) || w->woken)
		io_wake(w->io);
	w->woken = false;
}

enum err_code
wire_dial(struct wire *w, uint32_t dial, const struct addr *to,
    const struct b32 *key, struct err *e)
{
	struct wire_command *cmd = command(WIRE_DIAL, NULL);

	if (cmd == NULL)
		return err_nomem(e);
	cmd->dial = dial;
	cmd->at.addr = *to;
	cmd->at.key = *key;
	give(w, cmd);
	return ERR_OK;
}

const struct wire_about *
wire_about(const struct wire_conn *c)
{
	return &c->about;
}

void *
wire_user(const struct wire_conn *c)
{
	return c->user;
}

void
wire_set_user(struct wire_conn *c, void *user)
{
	c->user = user;
}

enum err_code
wire_write(struct wire *w, struct wire_conn *c, uint8_t *data, size_t len,
    struct err *e)
{
	struct wire_command *cmd = command(WIRE_WRITE, c);

	if (cmd == NULL)
		return err_nomem(e);
	cmd->data = data;
	cmd->len = len;
	__atomic_add_fetch(&c->outbox, len, __ATOMIC_RELAXED);
	give(w, cmd);
	return ERR_OK;
}

size_t
wire_room(struct wire *w, struct wire_conn *c)
{
	size_t room = __atomic_load_n(&w->room, __ATOMIC_RELAXED), used;

	used = __atomic_load_n(&c->outbox, __ATOMIC_SEQ_CST);
	if (used < room)
		return room - used;
	__atomic_store_n(&c->thirsty, true, __ATOMIC_SEQ_CST);
	/* it may have gone down in between, unseen by the other thread */
	used = __atomic_load_n(&c->outbox, __ATOMIC_SEQ_CST);
	return used < room ? room - used : 0;
}

void
wire_done(struct wire *w, struct wire_conn *c, size_t len)
{
	size_t cost = len + WIRE_FRAME_COST;
	size_t left = __atomic_sub_fetch(&c->inbox, cost, __ATOMIC_RELAXED);

	/* the network thread may be waiting to open the window again */
	if (left < IN_ROOM_LEAST && left + cost >= IN_ROOM_LEAST)
		w->woken = true;
}

static void
say(struct wire *w, enum wire_order order, struct wire_conn *c, bool graceful)
{
	struct wire_command *cmd = command(order, c);

	bug_if(cmd == NULL);
	cmd->graceful = graceful;
	give(w, cmd);
}

void
wire_drop(struct wire *w, struct wire_conn *c, bool graceful)
{
	say(w, WIRE_DROP, c, graceful);
}

void
wire_release(struct wire *w, struct wire_conn *c)
{
	say(w, WIRE_RELEASE, c, false);
}

/* -- finding -------------------------------------------------------------- */

static enum err_code
order(struct wire *w, enum wire_order what, const struct b32 *key, int flags,
    struct err *e)
{
	struct wire_command *cmd = command(what, NULL);

	if (cmd == NULL)
		return err_nomem(e);
	if (key != NULL)
		cmd->at.key = *key;
	cmd->flags = flags;
	give(w, cmd);
	return ERR_OK;
}

enum err_code
wire_join(struct wire *w, const struct b32 *topic, int flags, struct err *e)
{
	return order(w, WIRE_JOIN, topic, flags, e);
}

enum err_code
wire_leave(struct wire *w, const struct b32 *topic, struct err *e)
{
	return order(w, WIRE_LEAVE, topic, 0, e);
}

enum err_code
wire_refresh(struct wire *w, const struct b32 *topic, struct err *e)
{
	return order(w, WIRE_REFRESH, topic, 0, e);
}

enum err_code
wire_join_peer(struct wire *w, const struct b32 *key, struct err *e)
{
	return order(w, WIRE_JOIN_PEER, key, 0, e);
}

enum err_code
wire_serve(struct wire *w, struct err *e)
{
	return order(w, WIRE_SERVE, NULL, 0, e);
}

enum err_code
wire_ban(struct wire *w, const struct b32 *key, struct err *e)
{
	return order(w, WIRE_BAN, key, 0, e);
}

enum err_code
wire_quit(struct wire *w, struct err *e)
{
	return order(w, WIRE_QUIT, NULL, 0, e);
}
