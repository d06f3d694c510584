/*
 * tunlab [-s SEED] [-l LOSS] [-d DELAY] [-j JITTER] [-u DUP] [-r RATE]: two
 * network namespaces with nothing but a bad line between them.
 *
 *	-l, -u	packets lost and packets sent twice, in 1/10,000
 *	-d, -j	milliseconds each way, and up to so many more by chance
 *	-r	KiB a second each way; 0: as fast as it goes
 *
 * Prints one line, "PID PID": a process in each namespace. A command is run
 * there with `nsenter -t PID -n`; the first has the address 10.9.0.1, the
 * other one 10.9.0.2. When standard input ends all of it is gone. Needs root
 * (status 77 without).
 *
 * What happens to a packet depends on the seed, its direction and its number
 * in that direction, on nothing else: the same traffic meets the same fate.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SKIP 77
#define MTU 1500
#define SLOTS 16384 /* packets on their way; more are dropped */
#define BATCH 64    /* read from one side before the other one's turn */

struct packet {
	uint64_t due; /* nanoseconds */
	uint64_t order;
	uint16_t len;
	uint8_t to;
	uint8_t bytes[MTU];
};

static struct {
	uint64_t seed, loss, delay, jitter, dup, rate;
	int fd[2];
	uint64_t count[2]; /* packets that came, by side */
	uint64_t busy[2];  /* the line is taken until then */
	uint64_t order;
	struct packet *heap[SLOTS], *idle[SLOTS];
	size_t nheap, nidle;
} lab;

static void
die(const char *what)
{
	fprintf(stderr, "tunlab: %s: %s\n", what, strerror(errno));
	exit(errno == EPERM || errno == EACCES || errno == ENOENT ? SKIP : 1);
}

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* splitmix64: what befalls packet n of a side; kind tells the dice apart. */
static uint64_t
fate(unsigned side, unsigned kind, uint64_t n)
{
	uint64_t z = lab.seed * 0x9e3779b97f4a7c15u + n * 8 + kind * 2 + side;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) >> 11;
}

/* -- packets by the time they are due ------------------------------------- */

static int
before(const struct packet *a, const struct packet *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void
heap_swap(size_t i, size_t j)
{
	struct packet *p = lab.heap[i];

	lab.heap[i] = lab.heap[j];
	lab.heap[j] = p;
}

static void
heap_put(struct packet *p)
{
	size_t i = lab.nheap++;

	p->order = lab.order++;
	lab.heap[i] = p;
	for (; i > 0 && before(lab.heap[i], lab.heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		heap_swap(i, (i - 1) / 2);
}

static struct packet *
heap_take(void)
{
	struct packet *p = lab.heap[0];
	size_t i = 0, child;

	lab.heap[0] = lab.heap[--lab.nheap];
	while ((child = 2 * i + 1) < lab.nheap) {
		if (child + 1 < lab.nheap &&
		    before(lab.heap[child + 1], lab.heap[child]))
			child++;
		if (!before(lab.heap[child], lab.heap[i]))
			break;
		heap_swap(i, child);
		i = child;
	}
	return p;
}

/* -- the line ------------------------------------------------------------- */

static void
schedule(struct packet *p, unsigned side, uint64_t n, unsigned kind, uint64_t t)
{
	uint64_t *busy = &lab.busy[side];

	if (*busy < t)
		*busy = t;
	if (lab.rate != 0)
		*busy += p->len * 1000000000u / (lab.rate * 1024);
	p->to = !side;
	p->due = *busy + lab.delay;
	if (lab.jitter != 0)
		p->due += fate(side, kind, n) % lab.jitter;
	heap_put(p);
}

/* One packet of a side onto the line. False: there was none. */
static int
take(unsigned side, uint64_t t)
{
	uint8_t lost[MTU];
	struct packet *p = lab.nidle > 0 ? lab.idle[lab.nidle - 1] : NULL;
	ssize_t n = read(lab.fd[side], p == NULL ? lost : p->bytes, MTU);
	uint64_t number = lab.count[side];

	if (n <= 0)
		return 0;
	/* what IPv6 says to itself must not count */
	if (((p == NULL ? lost : p->bytes)[0] >> 4) != 4)
		return 1;
	lab.count[side]++;
	if (p == NULL || fate(side, 0, number) % 10000 < lab.loss)
		return 1;
	lab.nidle--;
	p->len = (uint16_t)n;
	schedule(p, side, number, 1, t);
	if (fate(side, 2, number) % 10000 < lab.dup && lab.nidle > 0) {
		struct packet *copy = lab.idle[--lab.nidle];

		copy->len = p->len;
		memcpy(copy->bytes, p->bytes, p->len);
		schedule(copy, side, number, 3, t);
	}
	return 1;
}

static void
deliver(uint64_t t)
{
	while (lab.nheap > 0 && lab.heap[0]->due <= t) {
		struct packet *p = heap_take();

		/* a full queue drops it, as a router would */
		if (write(lab.fd[p->to], p->bytes, p->len) < 0 &&
		    errno != EAGAIN && errno != ENOBUFS)
			die("tun");
		lab.idle[lab.nidle++] = p;
	}
}

static void
shuttle(void)
{
	struct pollfd p[3] = {{lab.fd[0], POLLIN, 0}, {lab.fd[1], POLLIN, 0},
	    {STDIN_FILENO, POLLIN, 0}};

	while ((p[2].revents & (POLLIN | POLLHUP)) == 0) {
		struct timespec wait = {1, 0};
		uint64_t t = now();

		for (unsigned side = 0; side < 2; side++)
			for (int i = 0; i < BATCH && take(side, t); i++)
				continue;
		deliver(t = now());
		if (lab.nheap > 0 && lab.heap[0]->due - t < 1000000000u)
			wait =
			    (struct timespec){0, (long)(lab.heap[0]->due - t)};
		if (ppoll(p, 3, &wait, NULL) < 0 && errno != EINTR)
			die("poll");
	}
}

/* -- namespaces ----------------------------------------------------------- */

/* In a namespace of its own: a tun device, up, with an address. */
static int
device(unsigned side)
{
	struct ifreq r = {.ifr_name = "tun0"};
	struct sockaddr_in a = {.sin_family = AF_INET};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	r.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (sock < 0 || fd < 0 || ioctl(fd, TUNSETIFF, &r) != 0)
		die("tun device");
	r.ifr_qlen = SLOTS;
	if (ioctl(sock, SIOCSIFTXQLEN, &r) != 0)
		die("queue");
	a.sin_addr.s_addr = htonl(0x0a090001u + side);
	memcpy(&r.ifr_addr, &a, sizeof(a));
	if (ioctl(sock, SIOCSIFADDR, &r) != 0)
		die("address");
	a.sin_addr.s_addr = htonl(0xffffff00u);
	memcpy(&r.ifr_netmask, &a, sizeof(a));
	if (ioctl(sock, SIOCSIFNETMASK, &r) != 0)
		die("netmask");
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(sock, SIOCSIFFLAGS, &r) != 0)
		die("device up");
	memcpy(r.ifr_name, "lo", 3);
	if (ioctl(sock, SIOCSIFFLAGS, &r) != 0)
		die("loopback up");
	close(sock);
	return fd;
}

/* Enters a new namespace, and leaves a process there that keeps it. */
static pid_t
enter(unsigned side)
{
	pid_t pid;

	if (unshare(CLONE_NEWNET) != 0)
		die("namespace");
	lab.fd[side] = device(side);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(STDOUT_FILENO);
		for (;;)
			pause();
	}
	return pid;
}

static uint64_t
number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n > 1000000000u) {
		fprintf(stderr, "tunlab: not a number: %s\n", text);
		exit(2);
	}
	return n;
}

int
main(int argc, char **argv)
{
	uint64_t *option[128] = {['s'] = &lab.seed,
	    ['l'] = &lab.loss,
	    ['d'] = &lab.delay,
	    ['j'] = &lab.jitter,
	    ['u'] = &lab.dup,
	    ['r'] = &lab.rate};
	pid_t pid[2];
	int opt;

	while ((opt = getopt(argc, argv, "s:l:d:j:u:r:")) != -1) {
		if (opt == '?')
			return 2;
		*option[opt] = number(optarg);
	}
	lab.delay *= 1000000;
	lab.jitter *= 1000000;
	for (size_t i = 0; i < SLOTS; i++) {
		lab.idle[i] = malloc(sizeof(struct packet));
		if (lab.idle[i] == NULL)
			die("memory");
	}
	lab.nidle = SLOTS;
	for (unsigned side = 0; side < 2; side++)
		pid[side] = enter(side);
	printf("%ld %ld\n", (long)pid[0], (long)pid[1]);
	fflush(stdout);
	shuttle();
	for (unsigned side = 0; side < 2; side++)
		kill(pid[side], SIGKILL);
	fprintf(stderr, "tunlab: %llu and %llu packets\n",
	    (unsigned long long)lab.count[0], (unsigned long long)lab.count[1]);
	return 0;
}
