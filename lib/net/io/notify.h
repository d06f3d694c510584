/*
 * notify: tells the service manager how we are (sd_notify(3)): a datagram of
 * "NAME=value" lines to the socket that NOTIFY_SOCKET names. Without
 * one, as on a terminal, nothing is done. Messages are lost rather than waited for.
 *
 * The protocol is one datagram and two environment variables, and stable by
 * promise; that is less than a library to depend on.
 */
#ifndef NET_IO_NOTIFY_H
#define NET_IO_NOTIFY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd;		      /* -1: nobody listens */
	uint64_t watchdog_us; /* a sign of life is due so often; 0: never */
};

/* NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment; NULL: not
 * set. */
struct notify_env {
	const char *socket, *usec, *pid;
};

/* ERR_IO: the socket is named, and cannot be reached; n is closed. */
NODISCARD enum err_code notify_open(
    struct notify *n, const struct notify_env *env, struct err *e);
void notify_close(struct notify *n);
/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=%s", "RELOADING=1\n…". */
void notify_send(const struct notify *n, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

#endif
