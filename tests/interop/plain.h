/* plain: sockets on the loopback and a clock, for programs that are made of
 * the machines alone. */
#ifndef TESTS_INTEROP_PLAIN_H
#define TESTS_INTEROP_PLAIN_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/addr.h"
#include "base/view.h"

static inline uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static inline void
die(const char *what, const char *why)
{
	fprintf(
	    stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
	exit(1);
}

/* Port 0: any. */
static inline int
plain_socket(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		die("socket", strerror(errno));
	return fd;
}

static inline uint16_t
plain_port(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		die("socket", strerror(errno));
	return ntohs(a.sin_port);
}

static inline struct addr
plain_addr(uint16_t port)
{
	return (struct addr){.family = 4, .port = port, .ip = {127, 0, 0, 1}};
}

/* Lost is fine. */
static inline void
plain_send(int fd, const struct addr *to, struct view v)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_port = htons(to->port)};

	memcpy(&a.sin_addr, to->ip, 4);
	(void)!sendto(fd, v.ptr, v.len, 0, (struct sockaddr *)&a, sizeof(a));
}

/* False: nothing now. */
static inline bool
plain_recv(
    int fd, uint8_t *space, size_t cap, struct view *out, struct addr *from)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	ssize_t n =
	    recvfrom(fd, space, cap, MSG_DONTWAIT, (struct sockaddr *)&a, &len);

	if (n <= 0)
		return false;
	*out = view_of(space, (size_t)n);
	*from = (struct addr){.family = 4, .port = ntohs(a.sin_port)};
	memcpy(from->ip, &a.sin_addr, 4);
	return true;
}

#endif
