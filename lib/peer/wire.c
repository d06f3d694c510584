/* Both ends of the two queues, and the turns of the network thread. */
#include "peer/wire_impl.h"

#include <stdlib.h>

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
on_datagram(void *ctx, struct io_socket *s, struct view d,
    const struct addr *from, uint64_t now)
{
	struct wire *w = ctx;
	struct wire_conn *c;
	uint32_t id;

	if (!udx_peek(d, &id)) {
		wire_hands_recv(w->hands, s, d, from, now);
		return;
	}
	c = wire_conn_find(w, id);
	/* a stream belongs to its socket; its address is not looked at */
	if (c != NULL && c->sock == s)
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

/* What was held comes first; it belongs to no machine any more. */
static void
send_held(struct wire *w, size_t i)
{
	struct wire_held *h = &w->held[i];
	size_t len = h->len;

	if (len == 0 || io_socket_blocked(w->sock[i]))
		return;
	h->len = 0;
	if (io_send(w->sock[i], h->buf, &len, h->segment, &h->to) ==
	    IO_BLOCKED) {
		/* cannot be smaller than before */
		h->len = len;
	}
}

static uint64_t
on_turn(void *ctx, uint64_t now)
{
	struct wire *w = ctx;
	uint64_t deadline;
	struct wire_conn *c;

	for (size_t i = 0; i < 2; i++)
		send_held(w, i);
	deadline = wire_hands_turn(w->hands, now);
	for (size_t i = 0; i < w->nconns; i++) {
		c = w->conn[i];
		if (c->dirty || now >= c->deadline)
			wire_conn_pump(c, now);
		if (c->released && now >= c->gone) {
			wire_conn_free(c); /* the last one takes its place */
			i--;
		} else if (c->deadline < deadline) {
			deadline = c->deadline;
		}
	}
	(void)io_queue_push_all(w->out, &w->events);
	return deadline;
}

/* -- opening and closing -------------------------------------------------- */

static enum err_code
open_socket(struct wire *w, size_t i, const struct addr *at, struct err *e)
{
	enum err_code rc = io_socket_open(&w->sock[i], w->io, at, e);

	if (rc == ERR_OK && (w->held[i].buf = malloc(UDX_TRAIN_MAX)) == NULL)
		return err_nomem(e);
	return rc;
}

static enum err_code
open_sockets(struct wire *w, const struct wire_opts *o, struct err *e)
{
	const struct addr any4 = {.family = 4}, any6 = {.family = 6};
	size_t at = o->listen != NULL && o->listen->family == 6;
	enum err_code rc = ERR_OK;

	if (o->listen != NULL)
		rc = open_socket(w, at, o->listen, e);
	if (rc == ERR_OK && o->dial4 && w->sock[0] == NULL)
		rc = open_socket(w, 0, &any4, e);
	if (rc == ERR_OK && o->dial6 && w->sock[1] == NULL)
		rc = open_socket(w, 1, &any6, e);
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
	/* without a watch other processes' changes are seen later */
	if (o->watch != NULL && io_watch(w->io, o->watch, e) != ERR_OK)
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
	wire_hands_free(w->hands);
	io_free(w->io);
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
	for (size_t i = 0; i < 2; i++)
		free(w->held[i].buf);
	free(w->conn);
	free(w->train);
	free(w);
}

void
wire_addr(const struct wire *w, struct addr *out)
{
	io_socket_addr(w->sock[w->sock[0] == NULL], out);
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
