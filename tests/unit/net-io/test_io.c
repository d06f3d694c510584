/* The network thread: trains of every size arrive whole, with and without
 * segmentation; wake-ups, deadlines, watches and queues between threads. */
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

#include "net/io/impl.h"
#include "net/io/queue.h"
#include "vec.h"

#define SECONDS 1000000u
#define PATIENCE (20 * SECONDS)

struct got {
	struct io_item item;
	size_t len;
	uint8_t first, last;
	struct addr from;
};

struct end {
	struct io *io;
	struct io_socket *s;
	struct io_queue *in;
	struct addr addr, to;
	/* what to send from the network thread, in the next turn */
	uint8_t buf[64 * 1024];
	size_t len, segment;
	bool send, plain;
	uint64_t deadline;
	bool restless; /* every turn wants another one at once */
};

static void
push(struct end *x, struct view d, const struct addr *from)
{
	struct got *g = calloc(1, sizeof(*g));

	check(g != NULL);
	g->len = d.len;
	if (d.len != 0) {
		g->first = d.ptr[0];
		g->last = d.ptr[d.len - 1];
	}
	if (from != NULL)
		g->from = *from;
	(void)io_queue_push(x->in, &g->item);
}

static void
on_datagram(void *ctx, struct io_socket *s, struct view d,
    const struct addr *from, uint64_t now)
{
	struct end *x = ctx;

	check(s == x->s && now != 0);
	push(x, d, from);
}

static void
on_changed(void *ctx, uint64_t now)
{
	(void)now;
	push(ctx, VIEW_EMPTY, NULL);
}

static uint64_t
on_turn(void *ctx, uint64_t now)
{
	struct end *x = ctx;
	size_t len, all;

	if (__atomic_load_n(&x->send, __ATOMIC_ACQUIRE)) {
		if (x->plain)
			x->s->segments = false;
		len = all = x->len;
		check(
		    io_send(x->s, x->buf, &len, x->segment, &x->to) == IO_SENT);
		check(len == all);
		__atomic_store_n(&x->send, false, __ATOMIC_RELEASE);
	}
	if (x->deadline != 0 && now >= x->deadline) {
		x->deadline = 0;
		push(x, VIEW_EMPTY, NULL);
	}
	if (x->restless)
		return now;
	return x->deadline != 0 ? x->deadline : IO_NEVER;
}

/* What has come was sent, but the call need not have returned yet. */
static void
until_sent(struct end *x)
{
	while (__atomic_load_n(&x->send, __ATOMIC_ACQUIRE))
		(void)sched_yield();
}

static const struct io_handler handler = {
    .datagram = on_datagram, .changed = on_changed, .turn = on_turn};

static void
end_open(struct end *x, const char *at)
{
	struct err e = ERR_INIT;
	struct addr a;

	memset(x, 0, sizeof(*x));
	check_ok(addr_parse(&a, view_str(at), &e), &e);
	check_ok(io_queue_new(&x->in, &e), &e);
	check_ok(io_new(&x->io, &handler, x, &e), &e);
	check_ok(io_socket_open(&x->s, x->io, &a, &e), &e);
	io_socket_addr(x->s, &x->addr);
	check(x->addr.port != 0);
}

static void
end_close(struct end *x)
{
	struct io_item *it, *next;

	io_free(x->io);
	for (it = io_queue_take(x->in); it != NULL; it = next) {
		next = it->next;
		free(it);
	}
	io_queue_free(x->in);
}

/* The next thing that arrives; the test fails without one. */
static struct got *
next(struct end *x, struct io_item **list)
{
	uint64_t until = io_now() + PATIENCE;
	struct io_item *it;

	while (*list == NULL) {
		check(io_now() < until);
		io_queue_wait(x->in, until);
		*list = io_queue_take(x->in);
	}
	it = *list;
	*list = it->next;
	return (struct got *)(void *)it;
}

static void
trains(const char *at, bool plain)
{
	static const struct {
		size_t len, segment;
	} t[] = {{1, 1}, {20, 1472}, {1472, 1472}, {1473, 1472},
	    {44 * 1472, 1472}, {43 * 1472 + 7, 1472}, {50 * 1200, 1200},
	    {64 * 100, 100}};
	struct err e = ERR_INIT;
	struct io_item *list = NULL;
	struct end *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));
	struct got *g;
	size_t left, n;

	check(a != NULL && b != NULL);
	end_open(a, at);
	end_open(b, at);
	check_ok(io_start(a->io, &e), &e);
	check_ok(io_start(b->io, &e), &e);
	a->plain = plain;
	a->to = b->addr;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		a->len = t[i].len;
		a->segment = t[i].segment;
		for (size_t k = 0; k < a->len; k++)
			a->buf[k] = (uint8_t)(k / a->segment);
		__atomic_store_n(&a->send, true, __ATOMIC_RELEASE);
		io_wake(a->io);
		for (left = a->len, n = 0; left > 0; n++) {
			g = next(b, &list);
			check(g->len ==
			      (left < t[i].segment ? left : t[i].segment));
			check(g->first == (uint8_t)n && g->last == (uint8_t)n);
			check(addr_eq(&g->from, &a->addr));
			left -= g->len;
			free(g);
		}
		check(list == NULL);
		until_sent(a);
	}
	end_close(a);
	end_close(b);
	free(a);
	free(b);
}

static void
trains_v4(void **state)
{
	(void)state;
	trains("127.0.0.1:0", false);
	trains("127.0.0.1:0", true);
}

static void
trains_v6(void **state)
{
	struct err e = ERR_INIT;
	struct end *x = malloc(sizeof(*x));
	struct io_socket *s;
	struct addr a;

	(void)state;
	check(x != NULL);
	end_open(x, "127.0.0.1:0");
	check_ok(addr_parse(&a, view_str("[::1]:0"), &e), &e);
	/* a machine without IPv6 has nothing to show here */
	if (io_socket_open(&s, x->io, &a, &e) == ERR_OK)
		trains("[::1]:0", false);
	else
		check(e.code == ERR_IO);
	end_close(x);
	free(x);
}

static void
deadline_and_watch(void **state)
{
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;
	struct io_item *list = NULL;
	struct end *x = malloc(sizeof(*x));
	char path[4096];
	FILE *f;

	(void)state;
	check(x != NULL);
	end_open(x, "127.0.0.1:0");
	check_ok(io_watch(x->io, dir, &e), &e);
	x->deadline = io_now() + 3000;
	check_ok(io_start(x->io, &e), &e);
	free(next(x, &list)); /* the deadline */
	(void)snprintf(path, sizeof(path), "%s/new", dir);
	check((f = fopen(path, "w")) != NULL && fclose(f) == 0);
	free(next(x, &list)); /* the change */
	for (; list != NULL; free(next(x, &list)))
		;
	end_close(x);
	free(x);
}

/* A deadline that is over all the time keeps it from nothing. */
static void
restless(void **state)
{
	struct err e = ERR_INIT;
	struct io_item *list = NULL;
	struct end *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));
	struct got *g;

	(void)state;
	check(a != NULL && b != NULL);
	end_open(a, "127.0.0.1:0");
	end_open(b, "127.0.0.1:0");
	a->restless = b->restless = true;
	a->to = b->addr;
	check_ok(io_start(a->io, &e), &e);
	check_ok(io_start(b->io, &e), &e);
	for (size_t i = 1; i <= 3; i++) {
		a->len = a->segment = i;
		__atomic_store_n(&a->send, true, __ATOMIC_RELEASE);
		io_wake(a->io);
		g = next(b, &list);
		check(g->len == i);
		free(g);
		until_sent(a);
	}
	end_close(a);
	end_close(b);
	free(a);
	free(b);
}

/* -- sockets that come and go while the thread runs ------------------------ */

struct moving {
	struct io *io;
	struct io_socket *first, *second;
	unsigned first_got, second_got;
};

/* The first datagram moves to a new socket, which answers from nearby. */
static void
on_move(void *ctx, struct io_socket *s, struct view d, const struct addr *from,
    uint64_t now)
{
	const struct addr any = {.family = 4, .ip = {127, 0, 0, 1}};
	struct moving *x = ctx;
	struct err e = ERR_INIT;
	struct io_socket *none;
	struct addr taken;
	size_t one = 1;

	(void)now;
	if (s == x->second) {
		x->second_got++;
		check(io_send(s, d.ptr, &one, 1, from) == IO_SENT);
		return;
	}
	check(s == x->first);
	x->first_got++;
	check_ok(io_socket_open(&x->second, x->io, &any, &e), &e);
	io_socket_addr(x->second, &taken);
	check_code(io_socket_open(&none, x->io, &taken, &e), ERR_IO);
	check(io_send_ttl(x->second, d, from, 5) == IO_SENT);
	io_socket_close_now(s);
}

/* Waits for a byte; its TTL, and where it came from. */
static int
ttl_of(int fd, struct sockaddr_in *from)
{
	struct timeval patience = {.tv_sec = PATIENCE / SECONDS};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	uint8_t byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_name = from,
	    .msg_namelen = sizeof(*from),
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof(control)};
	int ttl = -1;

	check(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		  sizeof(patience)) == 0);
	check(recvmsg(fd, &m, 0) == 1);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL;
	     c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
	return ttl;
}

static void
sockets_at_run_time(void **state)
{
	static const struct io_handler moves = {.datagram = on_move};
	const struct addr any = {.family = 4, .ip = {127, 0, 0, 1}};
	struct sockaddr_in at = {.sin_family = AF_INET}, second;
	struct moving x = {0};
	struct err e = ERR_INIT;
	struct addr a;
	int one = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	check(fd >= 0);
	check(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &one, sizeof(one)) == 0);
	check_ok(io_new(&x.io, &moves, &x, &e), &e);
	check_ok(io_socket_open(&x.first, x.io, &any, &e), &e);
	io_socket_addr(x.first, &a);
	at.sin_port = htons(a.port);
	memcpy(&at.sin_addr, a.ip, 4);
	/* both wait when the thread starts, and come together */
	for (int i = 0; i < 2; i++)
		check(sendto(fd, "x", 1, 0, (struct sockaddr *)&at,
			  sizeof(at)) == 1);
	check_ok(io_start(x.io, &e), &e);
	check(ttl_of(fd, &second) == 5);
	check(second.sin_port != at.sin_port);
	check(sendto(fd, "y", 1, 0, (struct sockaddr *)&second,
		  sizeof(second)) == 1);
	check(ttl_of(fd, &second) > 5); /* the option was put back */
	io_stop(x.io);
	check(x.first_got == 1 && x.second_got == 1);
	io_socket_close_now(x.second);
	io_free(x.io);
	close(fd);
}

static void
taken_address(void **state)
{
	struct err e = ERR_INIT;
	struct end *x = malloc(sizeof(*x));
	struct io_socket *s;
	char text[ADDR_TEXT];

	(void)state;
	check(x != NULL);
	end_open(x, "127.0.0.1:0");
	check_code(io_socket_open(&s, x->io, &x->addr, &e), ERR_IO);
	check(strstr(e.msg, addr_format(text, &x->addr)) != NULL);
	end_close(x);
	free(x);
}

#ifdef IP_PMTUDISC_PROBE
static int
discover(const struct io_socket *s)
{
	int value = -1;
	socklen_t len = sizeof(value);

	check(
	    getsockopt(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, &len) == 0);
	return value;
}

static void
fragments(void **state)
{
	struct end *x = malloc(sizeof(*x));

	(void)state;
	check(x != NULL);
	end_open(x, "127.0.0.1:0");
	check(discover(x->s) == IP_PMTUDISC_PROBE);
	io_socket_fragment(x->s, IO_MAY_FRAGMENT);
	check(discover(x->s) == IP_PMTUDISC_DONT);
	io_socket_fragment(x->s, IO_WHOLE);
	check(discover(x->s) == IP_PMTUDISC_PROBE);
	end_close(x);
	free(x);
}
#endif

static void
poked(void **state)
{
	struct err e = ERR_INIT;
	struct io_queue *q;
	struct io_item a, b;

	(void)state;
	check_ok(io_queue_new(&q, &e), &e);
	io_queue_poke(q);
	io_queue_wait(q, IO_NEVER); /* returns */
	io_queue_wait(q, io_now() + 1000);
	check(io_queue_take(q) == NULL);
	check(io_queue_push(q, &a));
	check(!io_queue_push(q, &b));
	io_queue_wait(q, IO_NEVER);
	check(io_queue_take(q) == &a && a.next == &b && b.next == NULL);
	check(io_queue_take(q) == NULL);
	io_queue_free(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(trains_v4),
	    cmocka_unit_test(trains_v6),
	    cmocka_unit_test(deadline_and_watch),
	    cmocka_unit_test(restless),
	    cmocka_unit_test(sockets_at_run_time),
	    cmocka_unit_test(taken_address),
#ifdef IP_PMTUDISC_PROBE
	    cmocka_unit_test(fragments),
#endif
	    cmocka_unit_test(poked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
