/* kernel: a virtual clock beside real sockets. On a busy machine the kernel
 * hands datagrams over later than they were sent, and the clock would go past
 * an answer that is on its way. What one processor has sent through loopback
 * arrives in order, so one more datagram is sent behind all others, and waited
 * for. */
#ifndef TESTS_PEER_KERNEL_H
#define TESTS_PEER_KERNEL_H

#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "support/vec.h"

/* A socket that sends to itself; everything stays on this processor. */
static inline int
kernel_probe(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int cpu = sched_getcpu();
	cpu_set_t here;

	check(fd >= 0 && cpu >= 0);
	CPU_ZERO(&here);
	CPU_SET((unsigned)cpu, &here);
	check(sched_setaffinity(0, sizeof(here), &here) == 0);
	check(bind(fd, (struct sockaddr *)&in, len) == 0);
	check(getsockname(fd, (struct sockaddr *)&in, &len) == 0);
	check(connect(fd, (struct sockaddr *)&in, len) == 0);
	return fd;
}

/* Returns when everything that was sent before is where it goes to. */
static inline void
kernel_deliver(void)
{
	static int probe = -1;
	struct pollfd p = {.events = POLLIN};
	char c = 0;

	if (probe < 0)
		probe = kernel_probe();
	p.fd = probe;
	check(send(probe, &c, 1, 0) == 1);
	check(poll(&p, 1, 10000) == 1);
	check(recv(probe, &c, 1, 0) == 1);
}

static inline bool
kernel_holds(int fd)
{
	char c;

	return fd >= 0 && recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

#endif
