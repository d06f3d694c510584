/* Sockets of the wire, and how much may pass through them. */
#include <stdlib.h>
#include <string.h>

#include "peer/wire_impl.h"

/* A limited rate may come in bursts of so much of a second. */
#define BURST_PART 10
#define BURST_LEAST (16 << 10)

/* -- life ----------------------------------------------------------------- */

static enum err_code
enlist(struct wire *w, struct wire_sock *s, struct err *e)
{
	size_t cap = w->socks_cap == 0 ? 4 : 2 * w->socks_cap;
	struct wire_sock **grown;

	if (w->nsocks == w->socks_cap) {
		grown = realloc(w->sock, cap * sizeof(struct wire_sock *));
		if (grown == NULL)
			return err_nomem(e);
		w->sock = grown;
		w->socks_cap = cap;
	}
	w->sock[w->nsocks++] = s;
	return ERR_OK;
}

static enum err_code
open_one(struct wire_sock **out, struct wire *w, uint32_t number,
    const struct addr *at, struct err *e)
{
	struct wire_sock *s = calloc(1, sizeof(*s));
	enum err_code rc;

	if (s == NULL)
		return err_nomem(e);
	s->number = number;
	if ((rc = io_socket_open(&s->io, w->io, at, e)) == ERR_OK &&
	    (rc = enlist(w, s, e)) != ERR_OK)
		io_socket_close_now(s->io);
	if (rc != ERR_OK)
		free(s);
	else
		*out = s;
	return rc;
}

enum err_code
wire_sock_open(struct wire_sock **out, struct wire *w, enum wire_fixed fixed,
    const struct addr *at, struct err *e)
{
	enum err_code rc = open_one(&w->fixed[fixed], w, fixed, at, e);

	if (rc == ERR_OK && out != NULL)
		*out = w->fixed[fixed];
	return rc;
}

struct wire_sock *
wire_sock_more(struct wire *w)
{
	struct err e = ERR_INIT;
	struct wire_sock *s;
	struct addr at;

	io_socket_addr(w->fixed[WIRE_SOCK_CLIENT]->io, &at);
	at.port = 0;
	do
		if (++w->sock_number < WIRE_SOCK_FIXED)
			w->sock_number = WIRE_SOCK_FIXED;
	while (wire_sock_number(w, w->sock_number) != NULL);
	if (open_one(&s, w, w->sock_number, &at, &e) != ERR_OK)
		return NULL;
	return s;
}

void
wire_sock_close(struct wire *w, struct wire_sock *s)
{
	size_t i = 0;

	while (w->sock[i] != s)
		i++;
	w->sock[i] = w->sock[--w->nsocks];
	io_socket_close_now(s->io);
	free(s->held);
	free(s);
}

void
wire_sock_close_all(struct wire *w)
{
	for (size_t i = 0; i < w->nsocks; i++) {
		free(w->sock[i]->held);
		free(w->sock[i]);
	}
	free(w->sock);
}

struct wire_sock *
wire_sock_of(struct wire *w, const struct io_socket *s)
{
	for (size_t i = 0; i < w->nsocks; i++)
		if (w->sock[i]->io == s)
			return w->sock[i];
	return NULL;
}

struct wire_sock *
wire_sock_number(struct wire *w, uint32_t number)
{
	for (size_t i = 0; i < w->nsocks; i++)
		if (w->sock[i]->number == number)
			return w->sock[i];
	return NULL;
}

/* -- sending -------------------------------------------------------------- */

/* What was held belongs to no machine any more. */
void
wire_sock_flush(struct wire *w)
{
	struct wire_sock *s;
	size_t len;

	for (size_t i = 0; i < w->nsocks; i++) {
		s = w->sock[i];
		if (s->len == 0 || io_socket_blocked(s->io))
			continue;
		len = s->len;
		if (io_send(s->io, s->held, &len, s->segment, &s->to) !=
		    IO_BLOCKED)
			len = s->len; /* all of it, as far as anybody knows */
		s->len -= len;
		memmove(s->held, s->held + len, s->len);
	}
}

static void
hold(struct wire_sock *s, const uint8_t *buf, size_t len, size_t segment,
    const struct addr *to)
{
	if (s->len != 0 || len == 0)
		return;
	/* without memory it is lost, as datagrams are */
	if (s->held == NULL && (s->held = malloc(UDX_TRAIN_MAX)) == NULL)
		return;
	memcpy(s->held, buf, len);
	s->len = len;
	s->segment = segment;
	s->to = *to;
}

bool
wire_transmit(struct wire_sock *s, const uint8_t *buf, size_t len,
    size_t segment, const struct addr *to, struct udx *u)
{
	size_t took = len;

	switch (io_send(s->io, buf, &took, segment, to)) {
	case IO_SENT:
		return true;
	case IO_TOO_BIG:
		if (u != NULL)
			udx_too_big(u, segment);
		return true;
	case IO_BLOCKED:
		break;
	}
	hold(s, buf + took, len - took, segment, to);
	return false;
}

/* -- rates ---------------------------------------------------------------- */

static int64_t
burst(const struct wire_rate *r)
{
	int64_t part = (int64_t)(r->rate / BURST_PART);

	return (part > BURST_LEAST ? part : BURST_LEAST) * WIRE_RATE_BYTE;
}

size_t
wire_rate_room(struct wire_rate *r, uint64_t now)
{
	uint64_t missing, full;

	if (r->rate == 0)
		return SIZE_MAX;
	missing = (uint64_t)(burst(r) - r->credit);
	full = r->at + missing / r->rate + 1;
	if (now >= full)
		r->credit = burst(r);
	else if (now > r->at)
		r->credit += (int64_t)((now - r->at) * r->rate);
	r->at = now > r->at ? now : r->at;
	return r->credit > 0 ? (size_t)(r->credit / WIRE_RATE_BYTE) : 0;
}

void
wire_rate_take(struct wire_rate *r, size_t bytes)
{
	if (r->rate != 0)
		r->credit -= (int64_t)bytes * WIRE_RATE_BYTE;
}

uint64_t
wire_rate_next(const struct wire_rate *r, uint64_t now)
{
	const int64_t least = UDX_DATAGRAM_MAX * WIRE_RATE_BYTE;
	int64_t need = r->credit < least ? least - r->credit : 0;

	return now + (uint64_t)need / r->rate + 1;
}
