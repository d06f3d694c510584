/*
 * UDP sockets: many datagrams in one call. Sending a train uses UDP_SEGMENT,
 * receiving UDP_GRO and recvmmsg; without them sendmmsg and recvmmsg, and
 * without those one call a datagram.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __linux__
#include <netinet/udp.h>
#endif

#include "net/io/impl.h"

#define SOCKET_BUFFER (4 << 20)
#define IPV6_MTU_LEAST 1280
#define READS_MAX 4    /* batches in one turn, before others get theirs */
#define TRAIN_PARTS 64 /* datagrams of a train in one sendmmsg */

union sock_any {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t
to_sock(union sock_any *out, const struct addr *a)
{
	memset(out, 0, sizeof(*out));
	if (a->family == 6) {
		out->in6.sin6_family = AF_INET6;
		out->in6.sin6_port = htons(a->port);
		memcpy(&out->in6.sin6_addr, a->ip, 16);
		return sizeof(out->in6);
	}
	out->in.sin_family = AF_INET;
	out->in.sin_port = htons(a->port);
	memcpy(&out->in.sin_addr, a->ip, 4);
	return sizeof(out->in);
}

static void
from_sock(struct addr *out, const union sock_any *s)
{
	memset(out, 0, sizeof(*out));
	if (s->sa.sa_family == AF_INET6) {
		out->family = 6;
		out->port = ntohs(s->in6.sin6_port);
		memcpy(out->ip, &s->in6.sin6_addr, 16);
	} else if (s->sa.sa_family == AF_INET) {
		out->family = 4;
		out->port = ntohs(s->in.sin_port);
		memcpy(out->ip, &s->in.sin_addr, 4);
	}
}

/* -- options -------------------------------------------------------------- */

static bool
set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* Larger than the system's limit where we may, else up to it. */
static void
grow_buffers(int fd)
{
	(void)set_int(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
	(void)set_int(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
}

/* IPv4 routers cut what may be cut; with IPv6 only the sender does, to the
 * size that every path takes. */
static void
set_fragments(struct io_socket *s, enum io_fragments how)
{
	bool allow = how == IO_MAY_FRAGMENT;

#ifdef IP_PMTUDISC_PROBE
	if (s->addr.family == 6) {
		(void)set_int(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
		    allow ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_PROBE);
		(void)set_int(
		    s->fd, IPPROTO_IPV6, IPV6_MTU, allow ? IPV6_MTU_LEAST : 0);
	} else {
		(void)set_int(s->fd, IPPROTO_IP, IP_MTU_DISCOVER,
		    allow ? IP_PMTUDISC_DONT : IP_PMTUDISC_PROBE);
	}
#endif
	s->fragments = how;
}

static void
set_options(struct io_socket *s)
{
	grow_buffers(s->fd);
	set_fragments(s, IO_WHOLE);
#ifdef UDP_SEGMENT
	s->segments = true;
#endif
#ifdef UDP_GRO
	(void)set_int(s->fd, IPPROTO_UDP, UDP_GRO, 1);
#endif
	if (s->addr.family == 6)
		(void)set_int(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
}

static enum err_code
bind_socket(struct io_socket *s, const struct addr *a, struct err *e)
{
	char text[ADDR_TEXT];
	union sock_any at;
	socklen_t len = to_sock(&at, a);
	int flags;

	s->fd = socket(a->family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	if (s->fd < 0)
		return err_os(e, errno, "socket");
	flags = fcntl(s->fd, F_GETFL);
	if (fcntl(s->fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(s->fd, F_SETFD, FD_CLOEXEC) != 0)
		return err_os(e, errno, "socket");
	s->addr = *a;
	set_options(s);
	if (bind(s->fd, &at.sa, len) != 0)
		return err_os(e, errno, "listen on %s", addr_format(text, a));
	len = sizeof(at);
	if (getsockname(s->fd, &at.sa, &len) != 0)
		return err_os(e, errno, "socket");
	from_sock(&s->addr, &at);
	return ERR_OK;
}

enum err_code
io_socket_open(struct io_socket **out, struct io *io, const struct addr *bind,
    struct err *e)
{
	struct io_socket *s = calloc(1, sizeof(*s));
	enum err_code rc;

	if (s == NULL)
		return err_nomem(e);
	s->io = io;
	s->fd = -1;
	s->next = io->sockets;
	if (s->next != NULL)
		s->next->prev = s;
	io->sockets = s;
	rc = bind_socket(s, bind, e);
	if (rc == ERR_OK && io->armed)
		rc = io_socket_arm(s, e);
	if (rc != ERR_OK) {
		io_socket_close_now(s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

static void
unlink_socket(struct io_socket *s)
{
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else if (s->io->sockets == s)
		s->io->sockets = s->next;
	s->next = s->prev = NULL;
}

void
io_socket_free(struct io_socket *s)
{
	unlink_socket(s);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static void
on_closed(uv_handle_t *h)
{
	io_socket_free(h->data);
}

void
io_socket_close_now(struct io_socket *s)
{
	if (!s->open) {
		io_socket_free(s);
		return;
	}
	/* the loop, or a datagram's handler, may still hold it */
	unlink_socket(s);
	(void)uv_poll_stop(&s->poll);
	close(s->fd);
	s->fd = -1;
	uv_close((uv_handle_t *)&s->poll, on_closed);
}

void
io_socket_addr(const struct io_socket *s, struct addr *out)
{
	*out = s->addr;
}

/* -- receiving ------------------------------------------------------------ */

struct batch {
	struct mmsghdr msg[IO_BATCH];
	struct iovec iov[IO_BATCH];
	union sock_any from[IO_BATCH];
	_Alignas(
	    struct cmsghdr) char control[IO_BATCH][CMSG_SPACE(sizeof(int)) * 2];
};

static void
batch_init(struct batch *b, uint8_t *buffer)
{
	memset(b->msg, 0, sizeof(b->msg));
	for (size_t i = 0; i < IO_BATCH; i++) {
		b->iov[i].iov_base = buffer + i * IO_BUFFER;
		b->iov[i].iov_len = IO_BUFFER;
		b->msg[i].msg_hdr.msg_iov = &b->iov[i];
		b->msg[i].msg_hdr.msg_iovlen = 1;
		b->msg[i].msg_hdr.msg_name = &b->from[i];
		b->msg[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
		b->msg[i].msg_hdr.msg_control = b->control[i];
		b->msg[i].msg_hdr.msg_controllen = sizeof(b->control[i]);
	}
}

/* Datagrams that the kernel put together have this size each. */
static size_t
segment_of(struct msghdr *m, size_t len)
{
	size_t segment = len;
#ifdef UDP_GRO
	int size;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
	     c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&size, CMSG_DATA(c), sizeof(size));
		if (size > 0)
			segment = (size_t)size;
	}
#else
	(void)m;
#endif
	return segment;
}

static void
hand_out(struct io_socket *s, struct mmsghdr *m, uint64_t now)
{
	struct io *io = s->io;
	struct view all = view_of(m->msg_hdr.msg_iov->iov_base, m->msg_len);
	size_t segment = segment_of(&m->msg_hdr, all.len);
	struct addr from;

	if ((m->msg_hdr.msg_flags & MSG_TRUNC) != 0)
		return;
	from_sock(&from, m->msg_hdr.msg_name);
	for (size_t at = 0; at < all.len && s->fd >= 0; at += segment)
		io->handler.datagram(
		    io->ctx, s, view_sub(all, at, segment), &from, now);
}

static int
receive(struct io_socket *s, struct batch *b)
{
	int n;

	do
		n = recvmmsg(s->fd, b->msg, IO_BATCH, MSG_DONTWAIT, NULL);
	while (n < 0 && errno == EINTR);
	return n;
}

static void
on_readable(struct io_socket *s)
{
	uint64_t now = io_now();
	struct batch b;
	int n;

	for (int i = 0; i < READS_MAX; i++) {
		batch_init(&b, s->io->buffer);
		/* an error of one datagram (ICMP) says nothing of others */
		if ((n = receive(s, &b)) <= 0)
			return;
		for (int k = 0; k < n; k++)
			hand_out(s, &b.msg[k], now);
		if (n < IO_BATCH || s->fd < 0)
			return;
	}
}

static void
on_poll(uv_poll_t *p, int status, int events)
{
	struct io_socket *s = p->data;

	s->io->busy = true;
	if (status != 0 || (events & UV_WRITABLE) != 0) {
		s->blocked = false;
		(void)uv_poll_start(p, UV_READABLE, on_poll);
	}
	if (status == 0 && (events & UV_READABLE) != 0)
		on_readable(s);
}

enum err_code
io_socket_arm(struct io_socket *s, struct err *e)
{
	int status = 0;

	if (!s->open) {
		status = uv_poll_init(&s->io->loop, &s->poll, s->fd);
		s->open = status == 0;
		s->poll.data = s;
	}
	if (status == 0)
		status = uv_poll_start(&s->poll, UV_READABLE, on_poll);
	return status == 0 ? ERR_OK : err_os(e, -status, "socket");
}

/* -- sending -------------------------------------------------------------- */

void
io_socket_fragment(struct io_socket *s, enum io_fragments how)
{
	if (s->fragments != how)
		set_fragments(s, how);
}

bool
io_socket_blocked(const struct io_socket *s)
{
	return s->blocked;
}

/* The verdict on one failed call. */
static enum io_sent
refused(struct io_socket *s, int os)
{
	if (os == EMSGSIZE)
		return IO_TOO_BIG;
	if (os != EAGAIN && os != EWOULDBLOCK && os != ENOBUFS)
		return IO_SENT; /* unreachable for now: as good as lost */
	if (!s->open)
		return IO_SENT; /* nobody would hear that it is writable */
	s->blocked = true;
	(void)uv_poll_start(&s->poll, UV_READABLE | UV_WRITABLE, on_poll);
	return IO_BLOCKED;
}

#ifdef UDP_SEGMENT
/* False: this kernel or device cannot; nothing was sent. */
static bool
send_segments(struct io_socket *s, const uint8_t *buf, size_t len,
    size_t segment, union sock_any *to, socklen_t tolen, enum io_sent *out)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))];
	struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = len};
	struct msghdr m = {.msg_name = to,
	    .msg_namelen = tolen,
	    .msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control,
	    .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	uint16_t size = (uint16_t)segment;

	memset(control, 0, sizeof(control));
	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(c), &size, sizeof(size));
	*out = IO_SENT;
	if (sendmsg(s->fd, &m, MSG_DONTWAIT) >= 0)
		return true;
	if (errno == EIO || errno == EINVAL || errno == EOPNOTSUPP)
		return false;
	*out = refused(s, errno);
	return true;
}
#endif

/* *len: how many bytes went. */
static enum io_sent
send_each(struct io_socket *s, const uint8_t *buf, size_t *len, size_t segment,
    union sock_any *to, socklen_t tolen)
{
	struct mmsghdr msg[TRAIN_PARTS];
	struct iovec iov[TRAIN_PARTS];
	size_t at = 0, part;
	unsigned n;
	int took;

	while (at < *len) {
		memset(msg, 0, sizeof(msg));
		for (n = 0; n < TRAIN_PARTS && at + n * segment < *len; n++) {
			part = *len - at - n * segment;
			iov[n].iov_base =
			    (void *)(uintptr_t)(buf + at + n * segment);
			iov[n].iov_len = part < segment ? part : segment;
			msg[n].msg_hdr.msg_iov = &iov[n];
			msg[n].msg_hdr.msg_iovlen = 1;
			msg[n].msg_hdr.msg_name = to;
			msg[n].msg_hdr.msg_namelen = tolen;
		}
		took = sendmmsg(s->fd, msg, n, MSG_DONTWAIT);
		if (took <= 0) {
			*len = at;
			return refused(s, errno);
		}
		at += (size_t)took * segment;
	}
	return IO_SENT;
}

enum io_sent
io_send(struct io_socket *s, const uint8_t *buf, size_t *len, size_t segment,
    const struct addr *to)
{
	union sock_any at;
	socklen_t tolen = to_sock(&at, to);
	enum io_sent sent;

	if (to->family != s->addr.family || *len == 0)
		return IO_SENT;
#ifdef UDP_SEGMENT
	if (s->segments && *len > segment) {
		if (send_segments(s, buf, *len, segment, &at, tolen, &sent)) {
			if (sent == IO_BLOCKED)
				*len = 0;
			return sent;
		}
		s->segments = false;
	}
#endif
	sent = send_each(s, buf, len, segment, &at, tolen);
	return sent;
}

enum io_sent
io_send_ttl(struct io_socket *s, struct view datagram, const struct addr *to,
    unsigned ttl)
{
	bool v6 = s->addr.family == 6;
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int name = v6 ? IPV6_UNICAST_HOPS : IP_TTL;
	size_t len = datagram.len;
	socklen_t size = sizeof(int);
	enum io_sent sent;
	int before;

	/* rare, so it need not be one call: the option is put back */
	if (getsockopt(s->fd, level, name, &before, &size) != 0 ||
	    !set_int(s->fd, level, name, (int)ttl))
		return IO_SENT;
	sent = io_send(s, datagram.ptr, &len, len, to);
	(void)set_int(s->fd, level, name, before);
	return sent;
}
