/*
 * io: the network thread. One libuv loop in a thread of its own, with UDP
 * sockets, one timer, one watch on a folder, and a wake-up from other
 * threads. The only room that knows libuv, and the only one with a clock and
 * sockets.
 *
 * All of a handler's functions run on the network thread, one at a time:
 *
 *	io_new(&io, &handler, ctx, e);
 *	io_socket_open(&s, io, &addr, e);	// now or from a handler
 *	io_start(io, e);
 *	...
 *	io_wake(io);				// any thread: handler.wake
 *	io_stop(io);				// any other thread: joins it
 *	io_free(io);				// closes the sockets
 *
 * Functions marked [io] may only be called from a handler, or while the
 * thread does not run. Signals are blocked on the network thread, so that
 * they reach the others.
 */
#ifndef NET_IO_IO_H
#define NET_IO_IO_H

#include "base/addr.h"

#define IO_NEVER UINT64_MAX

struct io;
struct io_socket;

/* now: io_now() at the beginning of the loop's turn. Any may be NULL. */
struct io_handler {
	/* A datagram; borrowed. */
	void (*datagram)(void *ctx, struct io_socket *s, struct view d,
	    const struct addr *from, uint64_t now);
	/* io_wake() was called, perhaps more than once. */
	void (*wake)(void *ctx, uint64_t now);
	/* Something in the watched folder changed. */
	void (*changed)(void *ctx, uint64_t now);
	/* Once a turn in which something happened, the deadline included,
	 * after everything else: the place to send, and to give the next
	 * deadline (IO_NEVER: none). */
	uint64_t (*turn)(void *ctx, uint64_t now);
};

/* -- clocks: any thread --------------------------------------------------- */

/* Microseconds, monotonic. It stands still while the machine sleeps. */
uint64_t io_now(void);
/* Milliseconds since 1970; 0: the clock is not set, or before that. */
uint64_t io_wall_ms(void);
/* Microseconds that the machine has slept since it started: what it grew by is
 * what io_now() does not know of. Where the system does not tell: 0. */
uint64_t io_asleep(void);

/* -- the loop ------------------------------------------------------------- */

NODISCARD enum err_code io_new(
    struct io **out, const struct io_handler *h, void *ctx, struct err *e);
NODISCARD enum err_code io_start(struct io *io, struct err *e);
void io_stop(struct io *io); /* idempotent; not from a handler */
void io_free(struct io *io); /* stops it; NULL is fine */
void io_wake(struct io *io);
/* Tell handler.changed of changes in a folder; before io_start. Systems that
 * cannot watch: ERR_UNSUPPORTED. */
NODISCARD enum err_code io_watch(struct io *io, const char *dir, struct err *e);

/* -- sockets -------------------------------------------------------------- */

/* [io] Bind to an address; port 0: any. ERR_IO names the address. Sockets do
 * not fragment, and have buffers of 4 MiB where the system allows it. Belongs
 * to io. */
NODISCARD enum err_code io_socket_open(struct io_socket **out, struct io *io,
    const struct addr *bind, struct err *e);
void io_socket_addr(const struct io_socket *s, struct addr *out);
/* [io] Closed at once: it hands out nothing more, not even the rest of the
 * datagrams that came together, and s is not used again. The others are
 * closed by io_free(). */
void io_socket_close_now(struct io_socket *s);

enum io_sent {
	IO_SENT,    /* taken, or dropped like any datagram may be */
	IO_BLOCKED, /* nothing or a part was taken: send the rest in a later
		     * turn; *len is what was taken */
	IO_TOO_BIG  /* the path refuses this size */
};
/* [io] A train: datagrams of `segment` bytes, the last one perhaps shorter.
 * In one system call where the kernel can (UDP_SEGMENT), else in a few. */
enum io_sent io_send(struct io_socket *s, const uint8_t *buf, size_t *len,
    size_t segment, const struct addr *to);
/* [io] One datagram that dies behind ttl routers (1 to 255). */
enum io_sent io_send_ttl(struct io_socket *s, struct view datagram,
    const struct addr *to, unsigned ttl);
enum io_fragments { IO_WHOLE, IO_MAY_FRAGMENT };
/* [io] May the network fragment what is sent from now on? At first not. */
void io_socket_fragment(struct io_socket *s, enum io_fragments how);
bool io_socket_blocked(const struct io_socket *s); /* [io] */

/* The IPv4 addresses of the interfaces that are up, without loopback, port 0;
 * at most n. Returns how many; 0 also if the system does not tell. */
size_t io_interfaces(struct addr *out, size_t n);

#endif
