/*
 * net_rpc ROLE PORT open|test [BOOTSTRAP...]: a node of net/rpc on the
 * loopback, with plain sockets and a clock. ROLE: adaptive, client or server.
 * It keeps one value per target: command 1 gets it, or with a token and a
 * value, puts it.
 *
 * Prints "listening PORT" and its events, and does what it reads, a line
 * each: "about", "find TARGET", "get TARGET", "put TARGET TEXT", "renew". A
 * query ends in "done CLOSEST ANSWERS COMMITS". Ends with its input.
 */
#include <poll.h>
#include <unistd.h>

#include "codec/hex.h"
#include "net/rpc/rpc.h"
#include "tests/interop/plain.h"

#define COMMAND 1
#define VALUES 256
#define VALUE_MAX 256

struct value {
	struct b32 target;
	size_t len;
	uint8_t bytes[VALUE_MAX];
};

struct node {
	int fd[2]; /* client, server */
	struct rpc *rpc;
	struct value value[VALUES];
	size_t nvalues;
	uint8_t put[VALUE_MAX];
	size_t nput;
};

static void
send_to(void *ctx, uint32_t sock, const struct addr *to, struct view packet)
{
	struct node *n = ctx;

	plain_send(n->fd[sock], to, packet);
}

static void
event(void *ctx, enum rpc_event ev)
{
	static const char *const names[] = {
	    "ready", "persistent", "ephemeral", "address", "wakeup"};

	(void)ctx;
	printf("%s\n", names[ev]);
}

static struct value *
value_of(struct node *n, const struct b32 *target)
{
	for (size_t i = 0; i < n->nvalues; i++)
		if (b32_eq(&n->value[i].target, target))
			return &n->value[i];
	return NULL;
}

static void
request(void *ctx, const struct rpc_incoming *in)
{
	struct view none = VIEW_EMPTY;
	struct node *n = ctx;
	struct value *v = value_of(n, &in->m.target);

	if (in->m.command != COMMAND || !in->m.has_target) {
		rpc_answer(n->rpc, in, RPC_UNKNOWN_COMMAND, none, RPC_NO_TOKEN);
		return;
	}
	if (in->proven && in->m.value.len > 0 && n->nvalues < VALUES &&
	    in->m.value.len <= VALUE_MAX) {
		v = v != NULL ? v : &n->value[n->nvalues++];
		v->target = in->m.target;
		v->len = in->m.value.len;
		memcpy(v->bytes, in->m.value.ptr, v->len);
	}
	rpc_answer(n->rpc, in, RPC_OK,
	    v != NULL ? view_of(v->bytes, v->len) : none, 0);
}

/* -- queries --------------------------------------------------------------- */

static void
reply(void *ctx, const struct rpc_reply *r)
{
	(void)ctx;
	if (r->m->value.len > 0)
		printf("value %.*s\n", (int)r->m->value.len,
		    (const char *)r->m->value.ptr);
}

static bool
commit(void *ctx, const struct rpc_node *at, struct rpc_ask *ask)
{
	struct node *n = ctx;

	ask->value = view_of(n->put, n->nput);
	return at->has_token;
}

static void
done(void *ctx, const struct rpc_node *closest, size_t n, size_t answers,
    size_t commits, uint64_t t)
{
	(void)ctx;
	(void)closest;
	(void)t;
	printf("done %zu %zu %zu\n", n, answers, commits);
}

static bool
query(struct node *n, const char *what, const char *hex, const char *text)
{
	struct rpc_query_opts o = {
	    .command = COMMAND, .reply = reply, .done = done, .ctx = n};
	struct err e = ERR_INIT;
	struct rpc_query *q;

	if (!hex_b32_decode(view_str(hex), &o.target))
		return false;
	if (strcmp(what, "find") == 0) {
		o.internal = true;
		o.command = RPC_FIND_NODE;
	} else if (strcmp(what, "put") == 0) {
		n->nput = strlen(text);
		memcpy(n->put, text, n->nput);
		o.commit = commit;
	}
	return rpc_query_start(&q, n->rpc, &o, now(), &e) == ERR_OK;
}

static void
about(struct node *n)
{
	struct rpc_about a;
	char text[ADDR_TEXT];

	rpc_about(n->rpc, &a);
	printf("about %s %s %s %zu %s\n", a.firewalled ? "firewalled" : "open",
	    a.persistent ? "persistent" : "ephemeral",
	    addr_format(text, &a.self), a.nodes,
	    a.online ? "online" : "offline");
}

/* False: nobody tells us anything any more. */
static bool
read_line(struct node *n)
{
	char line[512], what[16] = "", hex[65] = "", text[VALUE_MAX] = "";

	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	(void)sscanf(line, "%15s %64s %255s", what, hex, text);
	if (strcmp(what, "about") == 0)
		about(n);
	else if (strcmp(what, "renew") == 0)
		rpc_renew(n->rpc, now());
	else if (!query(n, what, hex, text))
		printf("what?\n");
	return true;
}

/* -- the loop -------------------------------------------------------------- */

static void
receive(struct node *n, uint32_t sock)
{
	struct addr from;
	uint8_t d[2048];
	struct view v;

	while (plain_recv(n->fd[sock], d, sizeof(d), &v, &from))
		if (rpc_peek(v))
			rpc_recv(n->rpc, sock, v, &from, now());
}

static void
loop(struct node *n)
{
	struct pollfd p[3] = {
	    {n->fd[0], POLLIN, 0}, {n->fd[1], POLLIN, 0}, {0, POLLIN, 0}};
	bool more = true;

	while (more) {
		uint64_t t = now(), due = rpc_turn(n->rpc, t);

		fflush(stdout);
		due = due > t ? (due - t + 999) / 1000 : 0;
		if (poll(p, 3, (int)due) < 0)
			return;
		for (uint32_t i = 0; i < 2; i++)
			if (p[i].revents != 0)
				receive(n, i);
		if (p[2].revents != 0)
			more = read_line(n);
	}
}

static enum rpc_role
role_of(const char *s)
{
	if (strcmp(s, "server") == 0)
		return RPC_SERVER;
	return strcmp(s, "client") == 0 ? RPC_CLIENT_ONLY : RPC_ADAPTIVE;
}

int
main(int argc, char **argv)
{
	struct node *n = calloc(1, sizeof(*n));
	struct addr boot[RPC_BOOTSTRAP_MAX];
	struct rpc_env env = {n, send_to, request, event};
	struct rpc_opts o = {.bootstrap = boot};
	struct err e = ERR_INIT;

	if (n == NULL || argc < 4 || argc - 4 > RPC_BOOTSTRAP_MAX) {
		fprintf(stderr, "usage: net_rpc ROLE PORT open|test "
				"[BOOTSTRAP...]\n");
		return 2;
	}
	o.role = role_of(argv[1]);
	o.open = strcmp(argv[3], "open") == 0;
	for (int i = 4; i < argc; i++)
		if (addr_parse(&boot[o.nbootstrap++], view_str(argv[i]), &e) !=
		    ERR_OK)
			return 2;
	n->fd[RPC_SOCK_CLIENT] = plain_socket(0);
	n->fd[RPC_SOCK_SERVER] =
	    plain_socket((uint16_t)strtoul(argv[2], NULL, 10));
	o.port = plain_port(n->fd[RPC_SOCK_SERVER]);
	if (rpc_new(&n->rpc, &o, &env, now(), &e) != ERR_OK)
		die("no node", e.msg);
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() sees every line */
	printf("listening %u\n", (unsigned)o.port);
	loop(n);
	rpc_free(n->rpc);
	close(n->fd[0]);
	close(n->fd[1]);
	free(n);
	return 0;
}
