/*
 * net_dht PORT open|closed listen SEED
 * net_dht PORT open|closed connect|punch KEY BYTES
 *
 * One node of the DHT on the loopback, whose bootstrap node is at PORT, made
 * of the machines alone (net/dht, net/udx, net/secret) and plain sockets.
 *
 * listen: under the key of SEED (a number); prints it once it is announced,
 * and gives back whatever comes, until standard input ends; then it takes the
 * announcement back. connect: sends BYTES bytes to KEY (hex), wants them back,
 * and prints the path taken (enum dht_path). punch: the same, without the way
 * between neighbours. closed: nothing that comes to the server's socket
 * unasked is let in, as if behind a firewall.
 */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "codec/hex.h"
#include "net/dht/dht.h"
#include "net/secret/secret_stream.h"
#include "net/udx/udx.h"
#include "tests/interop/plain.h"

#define SOCKS 600
#define STREAMS 16
#define DEADLINE_US 60000000u
#define CHUNK 16384u

struct stream {
	struct udx *u;
	struct secret_stream *s;
	uint32_t id, sock, remote; /* remote: the other side's id */
	bool waits;		   /* for the address of the first packet */
	bool connected;
};

struct node {
	struct dht *d;
	struct dht_server *server;
	struct dht_connect *connect;
	struct sign_pair pair;
	int fd[SOCKS];
	bool closed, done, echo;
	struct stream stream[STREAMS];
	uint64_t total, sent, received;
	int path;
	struct err e;
};

static struct node node;

/* -- sockets -------------------------------------------------------------- */

static uint32_t
on_socket_open(void *ctx)
{
	struct node *n = ctx;

	for (uint32_t i = RPC_SOCK_OTHER; i < SOCKS; i++) {
		if (n->fd[i] >= 0)
			continue;
		n->fd[i] = plain_socket(0);
		return i;
	}
	return DHT_NO_SOCK;
}

static void
on_socket_close(void *ctx, uint32_t sock)
{
	struct node *n = ctx;

	close(n->fd[sock]);
	n->fd[sock] = -1;
}

static void
on_send(void *ctx, uint32_t sock, const struct addr *to, struct view v,
    unsigned ttl)
{
	struct node *n = ctx;

	/* what its own NAT alone should see goes no further */
	if (ttl == 0 && to->family == 4)
		plain_send(n->fd[sock], to, v);
}

static size_t
on_interfaces(void *ctx, struct addr *out, size_t max)
{
	struct node *n = ctx;

	if (max == 0)
		return 0;
	*out = plain_addr(plain_port(n->fd[RPC_SOCK_SERVER]));
	return 1;
}

/* -- streams -------------------------------------------------------------- */

static struct stream *
stream_of(struct node *n, uint32_t id)
{
	for (size_t i = 0; i < STREAMS; i++)
		if (n->stream[i].u != NULL && n->stream[i].id == id)
			return &n->stream[i];
	return NULL;
}

static struct stream *
stream_new(struct node *n)
{
	static uint32_t ids = 7000;
	struct udx_opts o = {.local_id = ++ids};
	size_t i = 0;

	while (i < STREAMS && n->stream[i].u != NULL)
		i++;
	if (i == STREAMS)
		return NULL;
	n->stream[i] = (struct stream){.id = o.local_id};
	if (udx_new(&n->stream[i].u, &o, now(), &n->e) != ERR_OK)
		die("stream", n->e.msg);
	return &n->stream[i];
}

static void
stream_free(struct stream *x)
{
	udx_free(x->u);
	secret_stream_free(x->s);
	*x = (struct stream){0};
}

static void
stream_start(struct stream *x, uint32_t sock, const struct addr *to)
{
	x->waits = false;
	x->connected = true;
	x->sock = sock;
	udx_connect(x->u, x->remote, to, now());
}

/* Takes the keys of f. */
static void
stream_keys(
    struct node *n, struct stream *x, struct dht_peer_found *f, bool initiator)
{
	const struct secret_stream_opts o = {
	    .initiator = initiator, .keys = &f->peer.keys};

	if (secret_stream_new(&x->s, &o, &n->e) != ERR_OK)
		die("keys", n->e.msg);
	x->remote = f->peer.udx_id;
	x->waits = f->peer.addr.family == 0;
	dht_peer_free(&f->peer);
	if (!x->waits)
		stream_start(x, f->sock, &f->peer.addr);
}

static void
write_bytes(struct node *n, struct stream *x, const uint8_t *v, size_t len)
{
	uint8_t *data = malloc(SECRET_HEAD + len + SECRET_TAIL);

	if (data == NULL)
		die("stream", "out of memory");
	memcpy(data + SECRET_HEAD, v, len);
	len = secret_stream_seal(x->s, data, len);
	if (udx_write(x->u, data, 0, len, &n->e) != ERR_OK)
		die("stream", n->e.msg);
}

static void
write_more(struct node *n, struct stream *x)
{
	uint8_t v[CHUNK];

	while (n->sent < n->total) {
		size_t len = n->total - n->sent < CHUNK
				 ? (size_t)(n->total - n->sent)
				 : CHUNK;

		for (size_t i = 0; i < len; i++)
			v[i] = (uint8_t)(n->sent++ * 31 >> 3);
		write_bytes(n, x, v, len);
	}
}

static void
stream_hands(struct node *n, struct stream *x)
{
	struct buf b;
	uint8_t *copy;

	buf_init(&b, 4096);
	if (secret_stream_pending(x->s, &b, &n->e) != ERR_OK)
		die("stream", n->e.msg);
	if (b.len > 0) {
		if ((copy = malloc(b.len)) == NULL)
			die("stream", "out of memory");
		memcpy(copy, b.data, b.len);
		if (udx_write(x->u, copy, 0, b.len, &n->e) != ERR_OK)
			die("stream", n->e.msg);
	}
	buf_deinit(&b);
	if (secret_stream_ready(x->s) && !n->echo)
		write_more(n, x);
}

static void
stream_flush(struct node *n, struct stream *x)
{
	static uint8_t train[UDX_TRAIN_MAX];
	struct udx_out o;

	while (udx_poll(x->u, now(), train, sizeof(train), &o))
		for (size_t at = 0; at < o.len; at += o.segment)
			on_send(n, x->sock, &o.to,
			    view_of(train + at, o.len - at < o.segment
						    ? o.len - at
						    : o.segment),
			    0);
}

static void
stream_frames(struct node *n, struct stream *x)
{
	struct secret_frame f;

	while (secret_stream_next(x->s, &f)) {
		if (n->echo)
			write_bytes(n, x, f.data + f.head, f.len);
		for (size_t i = 0; !n->echo && i < f.len; i++)
			if (f.data[f.head + i] !=
			    (uint8_t)(n->received++ * 31 >> 3))
				die("stream", "not what was sent");
		secret_stream_frame_free(&f);
	}
}

static void
stream_recv(struct node *n, struct stream *x, uint32_t sock, struct view d,
    const struct addr *from)
{
	struct view v;

	if (n->connect != NULL && !x->connected) {
		/* the other side was first */
		dht_connect_udx(n->connect, sock, from, now());
	} else if (x->waits) {
		dht_server_udx(n->server, x->id, sock);
		stream_start(x, sock, from);
	}
	if (!x->connected)
		return;
	udx_recv(x->u, d, from, now());
	while (udx_read(x->u, &v)) {
		size_t len = v.len;

		if (secret_stream_recv(x->s, v, &n->e) != ERR_OK)
			die("stream", n->e.msg);
		udx_credit(x->u, len, now());
		stream_frames(n, x);
	}
	udx_batch_end(x->u, now());
	if (udx_read_ended(x->u))
		udx_end(x->u);
}

static uint64_t
streams_turn(struct node *n)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < STREAMS; i++) {
		struct stream *x = &n->stream[i];

		if (x->u == NULL || !x->connected)
			continue;
		stream_hands(n, x);
		if (!n->echo && n->received == n->total) {
			udx_end(x->u);
			n->done = true;
		}
		stream_flush(n, x);
		if (udx_reason(x->u) != UDX_LIVE)
			stream_free(x);
		else if (udx_deadline(x->u) < due)
			due = udx_deadline(x->u);
	}
	return due;
}

/* -- what the DHT says ---------------------------------------------------- */

static uint32_t
on_offer(
    void *ctx, const struct b32 *remote, const struct addr *from, uint64_t t)
{
	struct stream *x = stream_new(ctx);

	(void)remote, (void)from, (void)t;
	return x != NULL ? x->id : 0;
}

static void
on_server_connected(
    void *ctx, uint32_t udx_id, struct dht_peer_found *f, uint64_t t)
{
	struct node *n = ctx;

	(void)t;
	stream_keys(n, stream_of(n, udx_id), f, false);
}

static void
on_server_failed(void *ctx, uint32_t udx_id, const char *why)
{
	fprintf(stderr, "net_dht: stream %u: %s\n", udx_id, why);
	stream_free(stream_of(ctx, udx_id));
}

static void
on_announced(void *ctx, uint64_t t)
{
	struct node *n = ctx;
	char hex[65];

	(void)t;
	printf("%s\n", hex_b32(hex, &n->pair.pub));
	fflush(stdout);
}

static void
on_connected(void *ctx, struct dht_peer_found *f, uint64_t t)
{
	struct node *n = ctx;

	(void)t;
	n->connect = NULL;
	n->path = (int)f->path;
	stream_keys(n, &n->stream[0], f, true);
}

static void
on_failed(void *ctx, enum dht_failure why, uint64_t t)
{
	(void)ctx, (void)t;
	die("connect", dht_failure_text(why));
}

static void
on_closed(void *ctx)
{
	((struct node *)ctx)->done = true;
}

/* -- the run -------------------------------------------------------------- */

static void
take(struct node *n, uint32_t sock)
{
	struct stream *x;
	uint8_t d[2048];
	struct addr from;
	struct view v;
	uint32_t id;

	while (n->fd[sock] >= 0 &&
	       plain_recv(n->fd[sock], d, sizeof(d), &v, &from)) {
		if (udx_peek(v, &id)) {
			if ((x = stream_of(n, id)) != NULL)
				stream_recv(n, x, sock, v, &from);
		} else if (!n->closed || sock != RPC_SOCK_SERVER) {
			dht_recv(n->d, sock, v, &from, now());
		}
	}
}

static void
wait_for(struct node *n, uint64_t due)
{
	struct pollfd p[SOCKS + 1] = {{STDIN_FILENO, POLLIN, 0}};
	uint64_t t = now();
	char c[16];

	for (uint32_t i = 0; i < SOCKS; i++)
		p[i + 1] = (struct pollfd){n->fd[i], POLLIN, 0};
	p[0].fd = n->echo && n->server != NULL ? STDIN_FILENO : -1;
	due = due < t ? t : due > t + 1000000u ? t + 1000000u : due;
	(void)poll(p, SOCKS + 1, (int)((due - t + 999) / 1000));
	if (p[0].revents != 0 && read(STDIN_FILENO, c, sizeof(c)) <= 0) {
		dht_server_close(n->server, on_closed, n, t);
		n->server = NULL;
	}
	for (uint32_t i = 0; i < SOCKS; i++)
		if (p[i + 1].revents != 0)
			take(n, i);
}

static void
loop(struct node *n)
{
	uint64_t end = now() + DEADLINE_US, due, next;

	while (!n->done) {
		if (now() > end)
			die("time", "it is over");
		due = dht_turn(n->d, now());
		if ((next = streams_turn(n)) < due)
			due = next;
		wait_for(n, due);
	}
}

static void
start(struct node *n, uint16_t port)
{
	const struct addr boot = plain_addr(port);
	const struct dht_env env = {.ctx = n,
	    .send = on_send,
	    .socket_open = on_socket_open,
	    .socket_close = on_socket_close,
	    .interfaces = on_interfaces};
	struct dht_opts o = {
	    .rpc = {.role = RPC_ADAPTIVE, .bootstrap = &boot, .nbootstrap = 1}};

	for (size_t i = 0; i < SOCKS; i++)
		n->fd[i] = i < RPC_SOCK_OTHER ? plain_socket(0) : -1;
	o.rpc.port = plain_port(n->fd[RPC_SOCK_SERVER]);
	if (dht_new(&n->d, &o, &env, now(), &n->e) != ERR_OK)
		die("node", n->e.msg);
}

static void
start_listen(struct node *n)
{
	const struct dht_server_opts o = {.pair = &n->pair,
	    .offer = on_offer,
	    .connected = on_server_connected,
	    .failed = on_server_failed,
	    .announced = on_announced,
	    .ctx = n};

	n->echo = true;
	if (dht_listen_start(&n->server, n->d, &o, now(), &n->e) != ERR_OK)
		die("listen", n->e.msg);
}

static void
start_connect(struct node *n, const char *key, bool local)
{
	struct dht_connect_opts o = {.pair = &n->pair,
	    .udx_id = stream_new(n)->id,
	    .local = local,
	    .connected = on_connected,
	    .failed = on_failed,
	    .ctx = n};

	if (!hex_b32_decode(view_str(key), &o.remote) ||
	    dht_connect_start(&n->connect, n->d, &o, now(), &n->e) != ERR_OK)
		die("connect", n->e.msg);
}

int
main(int argc, char **argv)
{
	struct node *n = &node;
	struct b32 seed = {{0}};
	bool listens = argc == 5 && strcmp(argv[3], "listen") == 0;

	if (!listens && argc != 6) {
		fprintf(stderr, "usage: net_dht PORT open|closed listen SEED\n"
				"       net_dht PORT open|closed connect|punch "
				"KEY BYTES\n");
		return 2;
	}
	seed.b[0] = listens ? (uint8_t)atoi(argv[4]) : 255;
	if (sign_pair_seed(&n->pair, &seed, &n->e) != ERR_OK)
		die("key", n->e.msg);
	n->closed = strcmp(argv[2], "closed") == 0;
	start(n, (uint16_t)atoi(argv[1]));
	if (listens) {
		start_listen(n);
	} else {
		n->total = strtoull(argv[5], NULL, 10);
		start_connect(n, argv[4], strcmp(argv[3], "connect") == 0);
	}
	loop(n);
	if (!listens)
		printf("path %d\n", n->path);
	for (size_t i = 0; i < STREAMS; i++)
		stream_free(&n->stream[i]);
	dht_free(n->d);
	sign_pair_free(&n->pair);
	return 0;
}
