/* crossing: wires, a DHT and a blind relay without their threads, in one
 * thread and in virtual time. Two of the wires are behind NATs that no way
 * leads through: nodes see them under another port each, nothing comes to
 * their server sockets, and nothing from one to the other unless it is let.
 *
 * A test turns all of them until something holds (crossing_until), and the
 * clock goes on when nobody has anything to do. */
#ifndef TESTS_PEER_CROSSING_H
#define TESTS_PEER_CROSSING_H

#include "crossing_post.h"

/* -- parties --------------------------------------------------------------- */

static inline void
party_open(struct party *p, uint8_t who, const struct b32 *relay)
{
	const struct addr at = host_addr(p->host);
	struct wire_discovery d = {
	    .bootstrap = &world.place[0].at, .nbootstrap = 1, .relay = relay};
	struct wire_opts o = {.listen = &at,
	    .discovery = &d,
	    .pair = &p->pair,
	    .connections_max = 64};
	struct err e = ERR_INIT;
	struct b32 seed;

	memset(&seed, who, sizeof(seed));
	check_ok(sign_pair_seed(&p->pair, &seed, &e), &e);
	check_ok(wire_open(&p->w, &o, &e), &e);
	io_stop(p->w->io);
	quiet_sockets(p->w->io);
}

static inline void
party_close(struct party *p)
{
	wire_close(p->w);
	sign_pair_free(&p->pair);
	p->w = NULL;
	p->conn = NULL;
}

/* What its NAT lets in. */
static bool
party_admits(
    const struct party *p, const struct io_socket *s, const struct addr *from)
{
	if (!p->narrow)
		return true;
	if (from->ip[3] != 1)
		return world.direct;
	return p->w->fixed[WIRE_SOCK_4]->io != s;
}

static inline bool
party_reads(struct party *p, struct post *r)
{
	static uint8_t d[UDX_TRAIN_MAX];
	struct io *io = p->w->io;
	struct io_socket *next;
	struct addr from;
	struct view v;
	bool some = false;

	for (struct io_socket *s = io->sockets; s != NULL; s = next) {
		next = s->next;
		while (receive(s, d, &v, &from)) {
			some = true;
			if (!party_admits(p, s, &from) ||
			    (r != NULL && post_forwards(r, s, v, &from)))
				continue;
			io->handler.datagram(p->w, s, v, &from, now);
			if (s->fd < 0)
				return true; /* the list is another one */
		}
	}
	return some;
}

/* Frames come once, in order, and whole. */
static inline void
party_frame(struct party *p, const struct wire_event *ev)
{
	const uint8_t *d = ev->data + ev->head;
	uint32_t number;

	check(ev->conn == p->conn && ev->len == TEXT_LEN);
	memcpy(&number, d, sizeof(number));
	check(number == p->heard);
	for (size_t i = sizeof(number); i < TEXT_LEN; i++)
		check(d[i] == (uint8_t)number);
	p->heard++;
	wire_done(p->w, ev->conn, ev->len);
}

static inline void
party_event(struct party *p, struct wire_event *ev)
{
	if (ev->kind == WIRE_OPENED) {
		check(p->conn == NULL);
		p->conn = ev->conn;
		p->said = p->heard = 0;
		p->opened++;
	} else if (ev->kind == WIRE_FRAME) {
		party_frame(p, ev);
	} else if (ev->kind == WIRE_CLOSED || ev->kind == WIRE_FAILED) {
		memcpy(p->text, ev->text, WIRE_TEXT);
		p->failed += ev->kind == WIRE_FAILED;
		if (ev->kind != WIRE_CLOSED || p->conn != ev->conn)
			return;
		p->closed++;
		p->conn = NULL;
	}
}

/* True: something happened. The deadline goes down to its own. */
static inline bool
party_turn(struct party *p, struct post *r, uint64_t *deadline)
{
	struct wire_event *ev;
	uint64_t next;
	bool some;

	if (p->w == NULL)
		return false;
	some = party_reads(p, r);
	while ((ev = wire_next(p->w)) != NULL) {
		some = true;
		if (r != NULL)
			post_event(r, ev);
		else
			party_event(p, ev);
		if (ev->kind == WIRE_CLOSED)
			wire_release(p->w, ev->conn);
		free(ev->data);
		free(ev);
	}
	wire_flush(p->w);
	p->w->io->handler.wake(p->w, now);
	next = p->w->io->handler.turn(p->w, now);
	quiet_sockets(p->w->io);
	*deadline = next < *deadline ? next : *deadline;
	return some;
}

static inline void
party_says(struct party *p, uint32_t frames)
{
	struct err e = ERR_INIT;
	uint8_t *data;

	for (; frames > 0; frames--, p->said++) {
		data = malloc(MUX_FRAME_HEAD + TEXT_LEN + MUX_FRAME_TAIL);
		check(data != NULL);
		memset(data, (uint8_t)p->said, MUX_FRAME_HEAD + TEXT_LEN);
		memcpy(data + MUX_FRAME_HEAD, &p->said, sizeof(p->said));
		check_ok(wire_write(p->w, p->conn, data, TEXT_LEN, &e), &e);
	}
}

/* -- all of them ----------------------------------------------------------- */

static inline bool
nodes_turn(uint64_t *deadline)
{
	bool some = false;
	uint64_t next;

	for (size_t i = 0; i < NODES; i++) {
		some = node_hears(&world.place[i]) || some;
		next = dht_turn(world.place[i].dht, now);
		*deadline = next < *deadline ? next : *deadline;
	}
	return some;
}

static bool
wire_holds(const struct wire *w)
{
	if (w == NULL)
		return false;
	for (const struct io_socket *s = w->io->sockets; s != NULL; s = s->next)
		if (kernel_holds(s->fd))
			return true;
	return false;
}

/* Something that was sent has not been read yet. */
static bool
on_its_way(void)
{
	kernel_deliver();
	for (size_t i = 0; i < NODES; i++)
		if (kernel_holds(world.place[i].sock[0]->fd) ||
		    kernel_holds(world.place[i].sock[1]->fd))
			return true;
	return wire_holds(world.relay.p.w) || wire_holds(world.a.w) ||
	       wire_holds(world.b.w);
}

/* The clock goes on, at most this far, if nobody has anything to do. */
static inline void
crossing_turn(uint64_t most)
{
	uint64_t deadline = now + most;
	bool some = nodes_turn(&deadline);

	some = party_turn(&world.relay.p, &world.relay, &deadline) || some;
	some = party_turn(&world.a, NULL, &deadline) || some;
	some = party_turn(&world.b, NULL, &deadline) || some;
	if (!some && !on_its_way())
		now = deadline > now ? deadline : now + 100;
}

/* Turns until it holds; the test fails if it does not within these seconds. */
#define crossing_until(seconds, cond) \
	do { \
		uint64_t until_ = now + (uint64_t)(seconds)*SECOND; \
		while (!(cond)) { \
			check(now < until_); \
			crossing_turn(SECOND); \
		} \
	} while (0)

static inline void
crossing_relay(enum mood mood)
{
	struct err e = ERR_INIT;

	world.relay = (struct post){.mood = mood, .p = {.host = 1}};
	party_open(&world.relay.p, 9, NULL);
	check_ok(wire_serve(world.relay.p.w, &e), &e);
}

/* As SIGKILL does it: nobody is told. */
static inline void
crossing_kill(void)
{
	struct post *r = &world.relay;

	for (size_t i = 0; i < CALLS; i++)
		mux_free(r->call[i].mux);
	if (r->p.w != NULL)
		party_close(&r->p);
	memset(r, 0, sizeof(*r));
}

static inline bool
nodes_met(void)
{
	struct rpc_about at;

	for (size_t i = 0; i < NODES; i++) {
		rpc_about(dht_rpc(world.place[i].dht), &at);
		if (!at.ready || at.nodes < NODES - 1)
			return false;
	}
	return true;
}

static inline void
crossing_open(void)
{
	struct sign_pair relay = {0};
	struct err e = ERR_INIT;
	struct b32 seed;

	memset(&world, 0, sizeof(world));
	for (size_t i = 0; i < NODES; i++)
		node_open(&world.place[i]);
	crossing_until(600, nodes_met());
	memset(&seed, 9, sizeof(seed));
	check_ok(sign_pair_seed(&relay, &seed, &e), &e);
	world.a = (struct party){.host = 2, .narrow = true, .random = true};
	world.b = (struct party){.host = 3, .narrow = true, .random = true};
	party_open(&world.a, 1, &relay.pub);
	party_open(&world.b, 2, NULL);
	sign_pair_free(&relay);
}

/* b answers under its key, and everybody knows what his NAT is. */
static inline void
crossing_settle(void)
{
	struct dht_stored st = {0};
	struct err e = ERR_INIT;
	struct rpc_about at;

	check_ok(wire_serve(world.b.w, &e), &e);
	crossing_until(
	    20, (rpc_about(dht_rpc(world.a.w->finding->dht), &at), at.ready));
	check(at.firewalled && (at.self.port == 0) == world.a.random);
	crossing_until(20, world.b.w->finding->server != NULL &&
			       dht_server_relays(world.b.w->finding->server,
				   (struct addr[DHT_RELAYS_MAX]){{0}}) > 0);
	(void)st;
}

static inline void
crossing_seek(void)
{
	struct err e = ERR_INIT;

	check_ok(wire_join_peer(world.a.w, &world.b.pair.pub, &e), &e);
}

static inline void
crossing_close(void)
{
	crossing_kill();
	if (world.a.w != NULL)
		party_close(&world.a);
	if (world.b.w != NULL)
		party_close(&world.b);
	for (size_t i = 0; i < NODES; i++) {
		dht_free(world.place[i].dht);
		io_free(world.place[i].io);
	}
}

#endif
