/* net: nodes with a store and a struct replicate each, joined by lines with
 * latency and a rate, in virtual time. */
#ifndef TESTS_REPLICATE_NET_H
#define TESTS_REPLICATE_NET_H

#include "core/fix.h"
#include "net/mux/mux.h"
#include "replicate/replicate.h"

#define NET_NODES 64
#define NET_LINES 64
#define NET_SECOND 1000000u

struct net_frame {
	struct net_frame *next;
	uint8_t *data;
	size_t len;
	uint64_t due;
};

struct side {
	struct fix f;
	struct replicate *r;
	unsigned event[16]; /* how many of each kind */
	uint64_t blocks, uploaded;
	char text[512]; /* of the last one that had any */
};

struct line {
	struct side *end[2];
	struct replicate_peer *peer[2]; /* NULL: down */
	struct net_frame *first[2], **last[2];
	uint64_t free_at[2]; /* when the line can take the next frame */
	uint64_t latency;
	double rate; /* bytes per us; 0: no limit */
	enum err_code rc;
	char why[1024];
	/* called for each frame that end i sends; false: it is lost */
	bool (*see)(struct line *l, int i, struct view frame);
	void *ctx;
};

struct net {
	struct side *node[NET_NODES];
	struct line *line[NET_LINES];
	size_t nnodes, nlines;
	uint64_t now;
};

static inline void
net_side(
    struct net *n, struct side *d, bool secret, const struct replicate_opts *o)
{
	struct replicate_opts none = {.serve = true};
	struct err e = ERR_INIT;

	memset(d, 0, sizeof(*d));
	fix_open(&d->f, 9, secret);
	check_ok(replicate_new(&d->r, d->f.s, o == NULL ? &none : o, &e), &e);
	n->node[n->nnodes++] = d;
}

/* Blocks [0, length) in a writer, before it takes part. */
static inline void
net_fill(struct side *d, uint64_t length)
{
	struct core *c = fix_core(&d->f, CORE_WRITE);

	fix_append(c, length);
	core_close(c);
}

static inline void
net_join(struct net *n, struct line *l, struct side *a, struct side *b,
    uint64_t latency)
{
	static const uint8_t hash[64] = {1, 2, 3};
	struct replicate_peer_opts o = {.hash = hash};
	struct err e = ERR_INIT;

	memset(l, 0, sizeof(*l));
	l->end[0] = a;
	l->end[1] = b;
	l->latency = latency;
	for (int i = 0; i < 2; i++) {
		l->last[i] = &l->first[i];
		o.initiator = i == 0;
		o.user = l;
		check_ok(replicate_peer_add(
			     l->end[i]->r, &o, n->now, &l->peer[i], &e),
		    &e);
	}
	n->line[n->nlines++] = l;
}

static inline void
net_send(struct net *n, struct line *l, int i, uint8_t *data, size_t len)
{
	struct net_frame *f = calloc(1, sizeof(*f));
	uint64_t at = l->free_at[i] > n->now ? l->free_at[i] : n->now;

	check(f != NULL);
	if (l->rate > 0)
		at += (uint64_t)((double)len / l->rate);
	l->free_at[i] = at;
	*f = (struct net_frame){NULL, data, len, at + l->latency};
	*l->last[i] = f;
	l->last[i] = &f->next;
}

static inline void
net_drop(struct net *n, struct line *l)
{
	struct net_frame *f;

	for (int i = 0; i < 2; i++) {
		if (l->peer[i] != NULL)
			replicate_peer_remove(l->peer[i], n->now);
		l->peer[i] = NULL;
		while ((f = l->first[i]) != NULL) {
			l->first[i] = f->next;
			free(f->data);
			free(f);
		}
		l->last[i] = &l->first[i];
	}
}

static inline void
net_take(struct net *n, struct line *l, int i)
{
	uint8_t *data;
	size_t len;

	while (l->peer[i] != NULL &&
	       replicate_peer_take(l->peer[i], &data, &len)) {
		if (l->see != NULL &&
		    !l->see(l, i, view_of(data + MUX_FRAME_HEAD, len))) {
			free(data);
			continue;
		}
		net_send(n, l, i, data, len);
	}
}

/* What is due at end 1 - i, a few frames at once. True: something was. */
static inline bool
net_deliver(struct net *n, struct line *l, int i)
{
	struct err e = ERR_INIT;
	struct net_frame *f, *run[7];
	struct view frame[7];
	enum err_code rc = ERR_OK;
	bool some = false;
	size_t k = 1;

	while (rc == ERR_OK && k > 0) {
		for (k = 0;
		     k < 7 && (f = l->first[i]) != NULL && f->due <= n->now;
		     k++) {
			l->first[i] = f->next;
			if (f->next == NULL)
				l->last[i] = &l->first[i];
			run[k] = f;
			frame[k] = view_of(f->data + MUX_FRAME_HEAD, f->len);
			some = true;
		}
		if (l->peer[1 - i] != NULL)
			rc = replicate_peer_recv_all(
			    l->peer[1 - i], frame, k, n->now, &e);
		for (size_t j = 0; j < k; j++) {
			free(run[j]->data);
			free(run[j]);
		}
	}
	if (rc != ERR_OK) {
		l->rc = rc;
		snprintf(l->why, sizeof(l->why), "%s", e.msg);
		net_drop(n, l);
	}
	return some;
}

static inline void
net_events(struct side *d)
{
	struct replicate_event ev;

	while (replicate_next(d->r, &ev)) {
		d->event[ev.kind]++;
		if (ev.kind == REPLICATE_BLOCKS)
			d->blocks += ev.blocks;
		if (ev.kind == REPLICATE_UPLOADED)
			d->uploaded += ev.blocks;
		if (ev.text[0] != '\0')
			memcpy(d->text, ev.text, sizeof(d->text));
	}
}

/* The room of a line: what is queued counts. */
static inline void
net_credit(struct net *n, struct line *l, int i)
{
	uint64_t queued = l->free_at[i] > n->now ? l->free_at[i] - n->now : 0;

	if (l->peer[i] != NULL)
		replicate_peer_credit(
		    l->peer[i], queued > 50000 ? 0 : 256u << 10);
}

/* One round at this moment. True: something happened. */
static inline bool
net_round(struct net *n)
{
	struct err e = ERR_INIT;
	bool some = false, more;

	for (size_t k = 0; k < n->nlines; k++)
		for (int i = 0; i < 2; i++) {
			some = net_deliver(n, n->line[k], i) || some;
			net_credit(n, n->line[k], i);
		}
	for (size_t k = 0; k < n->nnodes; k++) {
		check_ok(replicate_step(n->node[k]->r, n->now, &more, &e), &e);
		some = some || more;
		net_events(n->node[k]);
	}
	for (size_t k = 0; k < n->nlines; k++)
		for (int i = 0; i < 2; i++)
			net_take(n, n->line[k], i);
	return some;
}

static inline uint64_t
net_next(struct net *n)
{
	uint64_t at = UINT64_MAX, one;

	for (size_t k = 0; k < n->nnodes; k++) {
		one = replicate_deadline(n->node[k]->r);
		at = one < at ? one : at;
	}
	for (size_t k = 0; k < n->nlines; k++)
		for (int i = 0; i < 2; i++) {
			struct line *l = n->line[k];

			if (l->first[i] != NULL && l->first[i]->due < at)
				at = l->first[i]->due;
			if (l->free_at[i] > n->now + 50000 &&
			    l->free_at[i] - 50000 < at)
				at = l->free_at[i] - 50000;
		}
	return at;
}

/* Run for so long, or until nothing will happen any more. */
static inline void
net_run(struct net *n, uint64_t us)
{
	uint64_t end = n->now + us, at;
	unsigned same = 0;

	for (;;) {
		if (net_round(n)) {
			check(++same < 1000000);
			continue;
		}
		at = net_next(n);
		if (at > end) {
			n->now = end;
			return;
		}
		/* whoever is due now had his turn: a clock moves on */
		n->now = at > n->now ? at : n->now + 1;
		same = 0;
	}
}

static inline void
net_close(struct net *n)
{
	for (size_t k = 0; k < n->nlines; k++)
		net_drop(n, n->line[k]);
	for (size_t k = 0; k < n->nnodes; k++) {
		net_events(n->node[k]);
		replicate_free(n->node[k]->r);
		fix_close(&n->node[k]->f);
	}
	memset(n, 0, sizeof(*n));
}

static inline struct replicate_core *
net_open(struct side *d)
{
	struct replicate_core *c;
	struct err e = ERR_INIT;

	check_ok(replicate_open(d->r, &d->f.key, &c, &e), &e);
	return c;
}

/* The core of d is whole and right, on disk, at this length. */
static inline void
net_whole(struct side *d, uint64_t length)
{
	struct err e = ERR_INIT;
	struct core *c;

	check_ok(store_refresh(d->f.s, &e), &e);
	c = fix_core(&d->f, CORE_READ);
	fix_expect(c, length);
	check(core_head(c)->contiguous == length);
	check_ok(core_verify(c, &e), &e);
	core_close(c);
}

#endif
