/*
 * net_floor MIB [FROM [TO]]: the least work any encrypted download over UDP
 * can do. Two processes on the loopback: one encrypts MIB MiB in frames of
 * 64 KiB (crypto_secretstream, as the network's secret stream), cuts them
 * into datagrams of the network's size and sends them in trains (sendmmsg,
 * UDP_SEGMENT); the other one takes them (recvmmsg, UDP_GRO), decrypts and
 * throws away. With FROM the bytes are read from that file (again and again),
 * with TO they are written into that one.
 *
 * Nothing is ever sent twice: the sender keeps no more on its way than the
 * receiver's socket holds, and a datagram that is missing ends the run with
 * status 1. Prints seconds and MB/s.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PLAIN 65536u	       /* of a frame */
#define FRAME (3 + PLAIN + 17) /* u24 length, tag, mac */
#define HEADER 20u	       /* of a datagram */
#define PAYLOAD 1452u
#define SEGMENTS 44u /* datagrams in a train: below 64 KiB in all */
#define TRAINS 8u    /* in one call */
#define STAGE 8u     /* frames encrypted before they are sent */
#define WINDOW 1400u /* datagrams on their way: about 2 MiB */

struct end {
	int sock, file;
	uint64_t frames;  /* to go */
	uint64_t packets; /* sent, or taken */
	crypto_secretstream_xchacha20poly1305_state cipher;
	uint8_t *plain, *bytes; /* bytes: encrypted, len of them waiting */
	size_t len;
};

static const uint8_t key[crypto_secretstream_xchacha20poly1305_KEYBYTES] = "k";
static uint8_t header[crypto_secretstream_xchacha20poly1305_HEADERBYTES];

static void
die(const char *what)
{
	fprintf(stderr, "net_floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
need(int ok, const char *what)
{
	if (!ok)
		die(what);
}

/* -- sending -------------------------------------------------------------- */

static void
read_plain(struct end *s)
{
	size_t have = 0;
	ssize_t n;

	while (s->file >= 0 && have < PLAIN) {
		n = read(s->file, s->plain + have, PLAIN - have);
		need(n >= 0, "read");
		if (n == 0)
			need(lseek(s->file, 0, SEEK_SET) == 0, "seek");
		have += (size_t)n;
	}
}

/* Up to STAGE more frames behind what is left. */
static void
stage(struct end *s)
{
	for (unsigned i = 0; i < STAGE && s->frames > 0; i++, s->frames--) {
		uint8_t *f = s->bytes + s->len;

		read_plain(s);
		f[0] = (uint8_t)((FRAME - 3) & 0xff);
		f[1] = (uint8_t)((FRAME - 3) >> 8 & 0xff);
		f[2] = (uint8_t)((FRAME - 3) >> 16);
		crypto_secretstream_xchacha20poly1305_push(
		    &s->cipher, f + 3, NULL, s->plain, PLAIN, NULL, 0, 0);
		s->len += FRAME;
	}
}

struct train {
	struct iovec iov[2 * SEGMENTS];
	uint8_t head[SEGMENTS][HEADER];
	uint8_t control[CMSG_SPACE(sizeof(uint16_t))];
};

/* A train of what is at `at`; how many bytes it takes. */
static size_t
load(struct end *s, struct train *t, struct msghdr *m, size_t at, size_t room)
{
	uint16_t segment = HEADER + PAYLOAD;
	size_t n = 0, from = at;
	struct cmsghdr *c;

	for (; n < SEGMENTS && n < room && at < s->len; n++) {
		size_t left = s->len - at;

		if (left < PAYLOAD && s->frames > 0)
			break; /* more will follow it */
		memcpy(t->head[n], &s->packets, sizeof(s->packets));
		s->packets++;
		t->iov[2 * n] = (struct iovec){t->head[n], HEADER};
		t->iov[2 * n + 1].iov_base = s->bytes + at;
		t->iov[2 * n + 1].iov_len = left < PAYLOAD ? left : PAYLOAD;
		at += t->iov[2 * n + 1].iov_len;
	}
	*m = (struct msghdr){.msg_iov = t->iov,
	    .msg_iovlen = 2 * n,
	    .msg_control = t->control,
	    .msg_controllen = sizeof(t->control)};
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(segment));
	memcpy(CMSG_DATA(c), &segment, sizeof(segment));
	return at - from;
}

/* What the receiver has taken by now; waits for room in the window. */
static size_t
window(struct end *s, uint64_t *taken)
{
	while (recv(s->sock, taken, sizeof(*taken),
		   s->packets - *taken >= WINDOW ? 0 : MSG_DONTWAIT) > 0)
		continue;
	need(errno == EAGAIN || errno == EINTR, "receiver");
	return WINDOW - (size_t)(s->packets - *taken);
}

static void
send_stage(struct end *s, struct train *trains, uint64_t *taken)
{
	struct mmsghdr m[TRAINS];
	size_t at = 0, left;

	while (at < s->len && (s->frames == 0 || s->len - at >= PAYLOAD)) {
		size_t room = window(s, taken), n = 0;
		uint64_t before = s->packets;

		for (; n < TRAINS && s->packets - before < room; n++) {
			size_t took = load(s, &trains[n], &m[n].msg_hdr, at,
			    room - (size_t)(s->packets - before));

			if (took == 0)
				break;
			at += took;
		}
		for (size_t done = 0; done < n;) {
			int k = sendmmsg(
			    s->sock, m + done, (unsigned)(n - done), 0);

			need(k > 0, "send");
			done += (size_t)k;
		}
	}
	left = s->len - at;
	memmove(s->bytes, s->bytes + at, left);
	s->len = left;
}

static void
sender(struct end *s)
{
	struct train *trains = calloc(TRAINS, sizeof(*trains));
	uint64_t taken = 0;

	need(trains != NULL, "memory");
	while (s->frames > 0 || s->len > 0) {
		stage(s);
		send_stage(s, trains, &taken);
	}
	free(trains);
}

/* -- receiving ------------------------------------------------------------ */

/* Whole frames at the beginning of the bytes: decrypted and let go of. */
static void
take_frames(struct end *r)
{
	size_t at = 0;

	for (; r->len - at >= FRAME; at += FRAME, r->frames--) {
		if (crypto_secretstream_xchacha20poly1305_pull(&r->cipher,
			r->plain, NULL, NULL, r->bytes + at + 3, FRAME - 3,
			NULL, 0) != 0) {
			fprintf(stderr, "net_floor: a frame is wrong\n");
			exit(1);
		}
		need(r->file < 0 || write(r->file, r->plain, PLAIN) == PLAIN,
		    "write");
	}
	r->len -= at;
	memmove(r->bytes, r->bytes + at, r->len);
}

static void
take_train(struct end *r, const uint8_t *d, size_t len, size_t segment)
{
	for (size_t at = 0; at < len; at += segment) {
		size_t n = len - at < segment ? len - at : segment;
		uint64_t number;

		memcpy(&number, d + at, sizeof(number));
		if (n <= HEADER || number != r->packets) {
			fprintf(stderr, "net_floor: a datagram is missing\n");
			exit(1);
		}
		r->packets++;
		memcpy(r->bytes + r->len, d + at + HEADER, n - HEADER);
		r->len += n - HEADER;
	}
	take_frames(r);
}

static size_t
segment_of(struct msghdr *m, size_t len)
{
	int segment;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&segment, CMSG_DATA(c), sizeof(segment));
		return (size_t)segment;
	}
	return len;
}

static void
receiver(struct end *r)
{
	static uint8_t control[TRAINS][CMSG_SPACE(sizeof(int))];
	struct iovec iov[TRAINS];
	struct mmsghdr m[TRAINS];
	uint8_t *buffers = malloc(TRAINS * (size_t)65536);

	need(buffers != NULL, "memory");
	while (r->frames > 0) {
		int n;

		for (size_t i = 0; i < TRAINS; i++) {
			iov[i] = (struct iovec){buffers + i * 65536, 65536};
			m[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
			    .msg_iovlen = 1,
			    .msg_control = control[i],
			    .msg_controllen = sizeof(control[i])};
		}
		n = recvmmsg(r->sock, m, TRAINS, MSG_WAITFORONE, NULL);
		need(n > 0, "receive");
		for (int i = 0; i < n; i++)
			take_train(r, iov[i].iov_base, m[i].msg_len,
			    segment_of(&m[i].msg_hdr, m[i].msg_len));
		need(send(r->sock, &r->packets, sizeof(r->packets), 0) > 0,
		    "acknowledge");
	}
	free(buffers);
}

/* -- both ----------------------------------------------------------------- */

/* A pair of sockets that know each other. */
static void
sockets(int out[2])
{
	struct sockaddr_in a[2];
	socklen_t len = sizeof(a[0]);
	int on = 1, size = 4 << 20;

	for (int i = 0; i < 2; i++) {
		a[i] = (struct sockaddr_in){.sin_family = AF_INET};
		a[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		out[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		need(out[i] >= 0 &&
			 bind(out[i], (struct sockaddr *)&a[i], len) == 0 &&
			 getsockname(out[i], (struct sockaddr *)&a[i], &len) ==
			     0,
		    "socket");
		setsockopt(out[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		setsockopt(out[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
	for (int i = 0; i < 2; i++)
		need(connect(out[i], (struct sockaddr *)&a[!i], len) == 0,
		    "connect");
	need(setsockopt(out[1], SOL_UDP, UDP_GRO, &on, sizeof(on)) == 0,
	    "UDP_GRO");
}

static void
end_init(struct end *e, int sock, const char *path, int flags)
{
	e->sock = sock;
	e->file = -1;
	e->plain = calloc(1, PLAIN);
	e->bytes = malloc((STAGE + 2) * (size_t)FRAME);
	need(e->plain != NULL && e->bytes != NULL, "memory");
	if (path == NULL)
		return;
	e->file = open(path, flags | O_CLOEXEC, 0600);
	need(e->file >= 0, path);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The receiving process; it does not outlive the sender. */
static void
child(struct end *r, int sock, const char *path)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	end_init(r, sock, path, O_WRONLY | O_CREAT | O_TRUNC);
	receiver(r);
	_exit(0);
}

int
main(int argc, char **argv)
{
	uint64_t mib = argc < 2 ? 0 : strtoull(argv[1], NULL, 10);
	struct end s = {.frames = mib * 16}, r = s;
	int sock[2], status = 0;
	double start;
	pid_t pid;

	if (argc < 2 || argc > 4 || mib == 0 || mib > 1u << 20) {
		fprintf(stderr, "usage: net_floor MIB [FROM [TO]]\n");
		return 2;
	}
	need(sodium_init() >= 0, "libsodium");
	sockets(sock);
	crypto_secretstream_xchacha20poly1305_init_push(&s.cipher, header, key);
	crypto_secretstream_xchacha20poly1305_init_pull(&r.cipher, header, key);
	start = now();
	pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0)
		child(&r, sock[1], argc > 3 ? argv[3] : NULL);
	close(sock[1]);
	end_init(&s, sock[0], argc > 2 ? argv[2] : NULL, O_RDONLY);
	sender(&s);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return 1;
	printf("%.3f s, %.0f MB/s\n", now() - start,
	    (double)mib * 1.048576 / (now() - start));
	return 0;
}
