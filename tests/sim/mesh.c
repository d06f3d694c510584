#include "tests/sim/mesh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT 49737
#define DUE UINT32_MAX
#define DELAY_MIN 2000
#define DELAY_MORE 80000 /* microseconds */

static void
die(const char *what)
{
	printf("mesh: %s\n", what);
	exit(1);
}

/* -- events, earliest first ------------------------------------------------- */

static bool
earlier(const struct mesh_event *a, const struct mesh_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void
push(struct mesh *m, struct mesh_event e)
{
	size_t i = m->nheap;

	if (m->nheap == m->cap) {
		m->cap = m->cap > 0 ? 2 * m->cap : 1024;
		m->heap = realloc(m->heap, m->cap * sizeof(e));
		if (m->heap == NULL)
			die("no memory");
	}
	e.order = m->order++;
	m->nheap++;
	for (; i > 0 && earlier(&e, &m->heap[(i - 1) / 2]); i = (i - 1) / 2)
		m->heap[i] = m->heap[(i - 1) / 2];
	m->heap[i] = e;
}

static struct mesh_event
pop(struct mesh *m)
{
	struct mesh_event first = m->heap[0], last = m->heap[--m->nheap];
	size_t i = 0, c;

	while ((c = 2 * i + 1) < m->nheap) {
		if (c + 1 < m->nheap && earlier(&m->heap[c + 1], &m->heap[c]))
			c++;
		if (!earlier(&m->heap[c], &last))
			break;
		m->heap[i] = m->heap[c];
		i = c;
	}
	m->heap[i] = last;
	return first;
}

/* -- a node ------------------------------------------------------------------ */

/* Hosts are numbered from 5.0.0.1 on. */
static struct addr
host_of(size_t i)
{
	return (struct addr){4, PORT,
	    {5, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)(i + 1)}};
}

static bool
node_at(const struct mesh *m, const struct addr *a, size_t *i)
{
	size_t low = (size_t)(a->ip[3] - 1) & 0xff;

	*i = (size_t)a->ip[1] << 16 | (size_t)a->ip[2] << 8 | low;
	return a->ip[0] == 5 && *i < m->n && m->node[*i].rpc != NULL &&
	       (a->port == PORT || a->port == PORT + 1);
}

static void
send_packet(void *ctx, uint32_t sock, const struct addr *to, struct view packet)
{
	struct mesh_node *n = ctx;
	struct mesh *m = n->mesh;
	struct mesh_event e = {.from = n->host, .len = packet.len};

	m->sent++;
	m->bytes += packet.len;
	if (line_chance(&m->random, m->loss) || !node_at(m, to, &e.to))
		return;
	e.at = m->now + DELAY_MIN + line_below(&m->random, DELAY_MORE);
	e.sock = to->port == PORT ? RPC_SOCK_SERVER : RPC_SOCK_CLIENT;
	if (sock == RPC_SOCK_CLIENT)
		e.from.port = PORT + 1;
	if ((e.bytes = malloc(packet.len)) == NULL)
		die("no memory");
	memcpy(e.bytes, packet.ptr, packet.len);
	push(m, e);
}

static bool
keeps(const struct mesh_node *n, const struct b32 *target)
{
	size_t have = n->nvalues < MESH_VALUES ? n->nvalues : MESH_VALUES;

	for (size_t i = 0; i < have; i++)
		if (b32_eq(&n->value[i], target))
			return true;
	return false;
}

static void
request(void *ctx, const struct rpc_incoming *in)
{
	struct mesh_node *n = ctx;
	struct view v = VIEW_EMPTY;

	if (in->m.command != MESH_COMMAND || !in->m.has_target)
		return;
	if (in->proven && !keeps(n, &in->m.target))
		n->value[n->nvalues++ % MESH_VALUES] = in->m.target;
	if (keeps(n, &in->m.target))
		v = view_b32(&in->m.target);
	rpc_answer(n->rpc, in, RPC_OK, v, 0);
}

static void
event(void *ctx, enum rpc_event ev)
{
	struct mesh_node *n = ctx;

	n->ready = n->ready || ev == RPC_READY;
	if (ev == RPC_PERSISTENT)
		n->persistent = true;
	if (ev == RPC_EPHEMERAL)
		n->persistent = false;
}

static void
turn(struct mesh *m, size_t i)
{
	struct mesh_node *n = &m->node[i];
	uint64_t due = rpc_turn(n->rpc, m->now);

	if (due <= m->now)
		due = m->now + 1;
	if (due == n->due)
		return;
	n->due = due;
	push(m, (struct mesh_event){.at = due, .to = i, .sock = DUE});
}

/* -- life -------------------------------------------------------------------- */

void
mesh_init(struct mesh *m, uint64_t seed)
{
	memset(m, 0, sizeof(*m));
	m->random.s = seed * 104729 + 7;
	m->now = 1;
	if ((m->node = calloc(MESH_MAX, sizeof(*m->node))) == NULL)
		die("no memory");
}

void
mesh_deinit(struct mesh *m)
{
	for (size_t i = 0; i < m->n; i++)
		rpc_free(m->node[i].rpc);
	for (size_t i = 0; i < m->nheap; i++)
		free(m->heap[i].bytes);
	free(m->heap);
	free(m->node);
}

void
mesh_start(struct mesh *m)
{
	struct mesh_node *n = &m->node[m->n];
	struct rpc_env env = {n, send_packet, request, event};
	struct rpc_opts o = {.role = RPC_SERVER, .port = PORT};
	struct err e = ERR_INIT;
	struct addr boot = host_of(0);
	struct b32 seed = {{0}};
	uint64_t x = line_random(&m->random);

	if (m->n == MESH_MAX)
		die("too many nodes");
	n->mesh = m;
	n->host = host_of(m->n);
	memcpy(seed.b, &x, sizeof(x));
	o.seed = &seed;
	if (m->n == 0) {
		o.self = &n->host;
		o.open = true;
	} else {
		o.bootstrap = &boot;
		o.nbootstrap = 1;
	}
	if (rpc_new(&n->rpc, &o, &env, m->now, &e) != ERR_OK)
		die(e.msg);
	m->n++;
	turn(m, m->n - 1);
}

void
mesh_stop(struct mesh *m, size_t i)
{
	rpc_free(m->node[i].rpc);
	m->node[i].rpc = NULL;
	m->node[i].persistent = false;
}

static void
happen(struct mesh *m, struct mesh_event *e)
{
	struct mesh_node *n = &m->node[e->to];
	bool datagram = e->sock != DUE;

	m->now = e->at;
	if (n->rpc == NULL || (!datagram && n->due != e->at))
		return;
	if (datagram)
		rpc_recv(n->rpc, e->sock, view_of(e->bytes, e->len), &e->from,
		    m->now);
	turn(m, e->to);
}

void
mesh_run(struct mesh *m, uint64_t until)
{
	while (m->nheap > 0 && m->heap[0].at <= until) {
		struct mesh_event e = pop(m);

		happen(m, &e);
		free(e.bytes);
	}
	m->now = until;
}

size_t
mesh_live(const struct mesh *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += m->node[i].rpc != NULL;
	return n;
}

size_t
mesh_any(struct mesh *m)
{
	size_t i;

	do
		i = 1 + line_below(&m->random, m->n - 1);
	while (m->node[i].rpc == NULL);
	return i;
}

/* -- lookups ----------------------------------------------------------------- */

static void
got(void *ctx, const struct rpc_reply *reply)
{
	struct mesh_lookup *l = ctx;

	if (view_eq(reply->m->value, view_b32(&l->target)))
		l->found = true;
}

static bool
commit(void *ctx, const struct rpc_node *n, struct rpc_ask *ask)
{
	struct mesh_lookup *l = ctx;

	ask->value = view_b32(&l->target);
	return n->has_token;
}

static void
done(void *ctx, const struct rpc_node *closest, size_t n, size_t answers,
    size_t commits, uint64_t now)
{
	struct mesh_lookup *l = ctx;

	memcpy(l->closest, closest, n * sizeof(*closest));
	l->n = n;
	l->answers = answers;
	l->commits = commits;
	l->took = now - l->began;
	l->over = true;
}

static void
look(struct mesh *m, size_t i, struct mesh_lookup *l, bool put)
{
	struct rpc_query_opts o = {.command = MESH_COMMAND,
	    .target = l->target,
	    .reply = got,
	    .commit = put ? commit : NULL,
	    .done = done,
	    .ctx = l};
	struct err e = ERR_INIT;
	struct rpc_query *q;

	l->began = m->now;
	if (rpc_query_start(&q, m->node[i].rpc, &o, m->now, &e) != ERR_OK)
		die(e.msg);
	turn(m, i);
}

void
mesh_put(struct mesh *m, size_t i, struct mesh_lookup *l)
{
	look(m, i, l, true);
}

void
mesh_get(struct mesh *m, size_t i, struct mesh_lookup *l)
{
	look(m, i, l, false);
}

static int
distance_cmp(const struct b32 *target, const struct b32 *a, const struct b32 *b)
{
	for (size_t i = 0; i < sizeof(a->b); i++) {
		int x = a->b[i] ^ target->b[i], y = b->b[i] ^ target->b[i];

		if (x != y)
			return x - y;
	}
	return 0;
}

/* How many persistent nodes are nearer than this one. */
static size_t
nearer(const struct mesh *m, const struct b32 *target, const struct b32 *id)
{
	size_t n = 0;
	struct b32 x;

	for (size_t i = 0; i < m->n; i++) {
		if (!m->node[i].persistent)
			continue;
		rpc_node_id(&x, &m->node[i].host);
		n += distance_cmp(target, &x, id) < 0;
	}
	return n;
}

size_t
mesh_exact(const struct mesh *m, const struct mesh_lookup *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += nearer(m, &l->target, &l->closest[i].id) < RPC_K;
	return n;
}
