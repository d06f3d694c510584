/* impl: what io and its sockets share. Private. */
#ifndef NET_IO_IMPL_H
#define NET_IO_IMPL_H

#include <uv.h>

#include "net/io/io.h"

#define IO_BATCH 8	      /* datagrams, or trains of them, in one call */
#define IO_BUFFER (64u << 10) /* bytes of each */

struct io_socket {
	struct io *io;
	struct io_socket *next, *prev;
	int fd; /* -1: closed, and freed at the end of the turn */
	struct addr addr;
	uv_poll_t poll;
	bool open;		     /* poll is initialised */
	bool blocked;		     /* waits until it is writable */
	bool segments;		     /* UDP_SEGMENT works */
	enum io_fragments fragments; /* of what is sent */
};

struct io {
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t timer;
	uv_check_t check;
	uv_fs_event_t watch;
	bool watching;
	uv_thread_t thread;
	bool running, stopping;
	struct io_handler handler;
	void *ctx;
	struct io_socket *sockets;
	bool armed;	 /* io_start() was: new sockets read at once */
	bool busy;	 /* something happened in this turn */
	uint8_t *buffer; /* IO_BATCH * IO_BUFFER */
};

/* socket.c */
NODISCARD enum err_code io_socket_arm(struct io_socket *s, struct err *e);
void io_socket_free(struct io_socket *s); /* not polled any more */

#endif
