/*
 * net_raw PORT OWN-ID REMOTE-ID initiator|responder BYTES DROP: one raw
 * encrypted stream to a peer on the loopback, made of the machines alone
 * (net/udx, net/secret with its own Noise XX handshake) and a plain socket.
 *
 * Prints its own port, then sends BYTES bytes in frames of up to 64 KiB and
 * wants the same bytes back, whatever their frames; ends the stream and waits
 * for the other side's end. Of the datagrams it sends and of those it gets,
 * DROP in 10,000 are thrown away. Prints "ok" and how many were sent again.
 */
#include <poll.h>
#include <unistd.h>

#include "net/secret/secret_stream.h"
#include "net/udx/udx.h"
#include "tests/interop/plain.h"

#define CHUNK 65536u
#define QUEUE (1u << 20)   /* bytes handed to udx ahead of time */
#define DEADLINE 60000000u /* microseconds */

struct raw {
	int fd;
	struct addr peer;
	uint32_t id;
	struct udx *u;
	struct secret_stream *s;
	uint64_t total, sent, received;
	uint64_t drop, dice;
	uint64_t start;
	bool ended;
};

/* Byte `at` of the stream. */
static uint8_t
byte_of(uint64_t at)
{
	return (uint8_t)((at * 2654435761u) >> 13 ^ at >> 21);
}

static bool
dropped(struct raw *r)
{
	r->dice ^= r->dice << 13;
	r->dice ^= r->dice >> 7;
	r->dice ^= r->dice << 17;
	return r->dice % 10000 < r->drop;
}

/* -- sending -------------------------------------------------------------- */

/* What the secret stream has to say before anything else. */
static enum err_code
write_hands(struct raw *r, struct err *e)
{
	struct buf b;
	uint8_t *copy;
	enum err_code rc;

	buf_init(&b, 4096);
	rc = secret_stream_pending(r->s, &b, e);
	if (rc == ERR_OK && b.len > 0) {
		if ((copy = malloc(b.len)) == NULL) {
			buf_deinit(&b);
			return err_nomem(e);
		}
		memcpy(copy, b.data, b.len);
		rc = udx_write(r->u, copy, 0, b.len, e);
	}
	buf_deinit(&b);
	return rc;
}

static enum err_code
write_data(struct raw *r, struct err *e)
{
	while (r->sent < r->total && udx_unsent(r->u) < QUEUE) {
		uint64_t left = r->total - r->sent;
		size_t n = left < CHUNK ? (size_t)left : CHUNK;
		uint8_t *data = malloc(SECRET_HEAD + n + SECRET_TAIL);
		enum err_code rc;

		if (data == NULL)
			return err_nomem(e);
		for (size_t i = 0; i < n; i++)
			data[SECRET_HEAD + i] = byte_of(r->sent++);
		n = secret_stream_seal(r->s, data, n);
		if ((rc = udx_write(r->u, data, 0, n, e)) != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

static void
transmit(struct raw *r, const uint8_t *train, const struct udx_out *o)
{
	for (size_t at = 0; at < o->len; at += o->segment) {
		size_t n = o->len - at < o->segment ? o->len - at : o->segment;

		if (!dropped(r))
			(void)!send(r->fd, train + at, n, MSG_NOSIGNAL);
	}
}

static bool
flush(struct raw *r)
{
	static uint8_t train[UDX_TRAIN_MAX];
	struct udx_out o;

	if (!udx_poll(r->u, now(), train, sizeof(train), &o))
		return false;
	transmit(r, train, &o);
	return true;
}

static enum err_code
pump(struct raw *r, struct err *e)
{
	enum err_code rc = write_hands(r, e);

	if (rc == ERR_OK && secret_stream_ready(r->s))
		rc = write_data(r, e);
	if (rc == ERR_OK && r->received == r->total && !r->ended) {
		udx_end(r->u);
		r->ended = true;
	}
	while (rc == ERR_OK && flush(r))
		continue;
	return rc;
}

/* -- receiving ------------------------------------------------------------ */

static enum err_code
check_frames(struct raw *r, struct err *e)
{
	struct secret_frame f;

	while (secret_stream_next(r->s, &f)) {
		bool same = true;

		for (size_t i = 0; i < f.len; i++)
			same = same &&
			       f.data[f.head + i] == byte_of(r->received++);
		secret_stream_frame_free(&f);
		if (!same || r->received > r->total)
			return err_set(e, ERR_VERIFY, "not what was sent");
	}
	return ERR_OK;
}

static enum err_code
datagram(struct raw *r, struct view d, struct err *e)
{
	enum err_code rc = ERR_OK;
	struct view v;
	uint32_t id;

	if (dropped(r) || !udx_peek(d, &id) || id != r->id)
		return ERR_OK;
	udx_recv(r->u, d, &r->peer, now());
	while (rc == ERR_OK && udx_read(r->u, &v)) {
		size_t n = v.len;

		rc = secret_stream_recv(r->s, v, e);
		udx_credit(r->u, n, now());
		if (rc == ERR_OK)
			rc = check_frames(r, e);
	}
	return rc;
}

static enum err_code
take(struct raw *r, struct err *e)
{
	uint8_t d[2048];
	enum err_code rc = ERR_OK;
	ssize_t n;

	while (
	    rc == ERR_OK && (n = recv(r->fd, d, sizeof(d), MSG_DONTWAIT)) > 0)
		rc = datagram(r, view_of(d, (size_t)n), e);
	udx_batch_end(r->u, now());
	return rc;
}

/* -- the run -------------------------------------------------------------- */

static enum err_code
loop(struct raw *r, struct err *e)
{
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && udx_reason(r->u) == UDX_LIVE) {
		struct pollfd p = {r->fd, POLLIN, 0};
		uint64_t t, due;

		if ((rc = pump(r, e)) != ERR_OK)
			break;
		t = now();
		if (t - r->start > DEADLINE)
			return err_set(e, ERR_LIMIT,
			    "%llu of %llu bytes came back",
			    (unsigned long long)r->received,
			    (unsigned long long)r->total);
		due = udx_deadline(r->u);
		due = due < t ? t : due > t + 1000000u ? t + 1000000u : due;
		(void)poll(&p, 1, (int)((due - t + 999) / 1000));
		rc = take(r, e);
	}
	/* the last acknowledgement: nobody would answer a second END */
	r->drop = 0;
	while (rc == ERR_OK && flush(r))
		continue;
	if (rc == ERR_OK && udx_reason(r->u) != UDX_FINISHED)
		rc =
		    err_set(e, ERR_IO, "%s", udx_reason_text(udx_reason(r->u)));
	if (rc == ERR_OK && r->received != r->total)
		rc = err_set(e, ERR_FORMAT, "ended early");
	return rc;
}

/* A socket connected to the peer's port; tells its own. */
static void
socket_to(struct raw *r, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	r->peer = plain_addr(port);
	r->fd = plain_socket(0);
	printf("%u\n", (unsigned)plain_port(r->fd));
	fflush(stdout);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(r->fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		die("socket", strerror(errno));
}

static enum err_code
run(struct raw *r, uint32_t remote, bool initiator, struct err *e)
{
	struct udx_opts uo = {.local_id = r->id};
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct secret_stream_opts so = {.initiator = initiator, .pair = &pair};
	struct b32 seed = {{1}};
	enum err_code rc;

	if ((rc = sign_pair_seed(&pair, &seed, e)) == ERR_OK &&
	    (rc = udx_new(&r->u, &uo, r->start, e)) == ERR_OK &&
	    (rc = secret_stream_new(&r->s, &so, e)) == ERR_OK) {
		udx_connect(r->u, remote, &r->peer, r->start);
		rc = loop(r, e);
	}
	sign_pair_free(&pair);
	return rc;
}

int
main(int argc, char **argv)
{
	struct raw r = {.fd = -1, .dice = 88172645463325252u, .start = now()};
	struct err e = ERR_INIT;
	struct udx_stats st;

	if (argc != 7) {
		fprintf(stderr, "usage: net_raw PORT OWN-ID REMOTE-ID "
				"initiator|responder BYTES DROP\n");
		return 2;
	}
	r.id = (uint32_t)strtoul(argv[2], NULL, 10);
	r.total = strtoull(argv[5], NULL, 10);
	r.drop = strtoull(argv[6], NULL, 10);
	socket_to(&r, (uint16_t)strtoul(argv[1], NULL, 10));
	if (run(&r, (uint32_t)strtoul(argv[3], NULL, 10),
		strcmp(argv[4], "initiator") == 0, &e) != ERR_OK) {
		fprintf(stderr, "net_raw: %s\n", e.msg);
		return 1;
	}
	udx_stats(r.u, &st);
	printf("ok %llu\n", (unsigned long long)st.packets_resent);
	secret_stream_free(r.s);
	udx_free(r.u);
	close(r.fd);
	return 0;
}
