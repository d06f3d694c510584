/* Which of two connections stays, and that both sides say the same. */
#include "fake.h"

#define LATE DUPS_RACE_US

static void
test_judge(void **state)
{
	static const struct {
		struct dups_case c; /* old ours, new ours, used, age */
		bool ours;
		enum dups_verdict is;
	} row[] = {
	    /* a race: the connection of the larger key */
	    {{true, false, false, 0}, true, DUPS_KEEP_OLD},
	    {{true, false, false, 0}, false, DUPS_KEEP_NEW},
	    {{false, true, false, 0}, true, DUPS_KEEP_NEW},
	    {{false, true, false, 0}, false, DUPS_KEEP_OLD},
	    {{true, false, true, 0}, true, DUPS_KEEP_OLD},
	    {{true, false, true, LATE - 1}, true, DUPS_KEEP_OLD},
	    {{true, false, true, LATE - 1}, false, DUPS_KEEP_NEW},
	    {{false, true, true, LATE - 1}, false, DUPS_KEEP_OLD},
	    /* they dialled although they had one: they have not */
	    {{true, false, true, LATE}, true, DUPS_KEEP_NEW},
	    {{true, false, true, LATE}, false, DUPS_KEEP_NEW},
	    {{true, false, false, LATE}, true, DUPS_KEEP_OLD},
	    /* we know what we have */
	    {{false, true, true, LATE}, false, DUPS_KEEP_OLD},
	    {{false, true, true, LATE}, true, DUPS_KEEP_NEW},
	    /* the same side again */
	    {{false, false, false, 0}, true, DUPS_KEEP_NEW},
	    {{false, false, true, 0}, false, DUPS_KEEP_NEW},
	    {{true, true, true, LATE}, true, DUPS_KEEP_NEW},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
		check(dups_judge(&row[i].c, row[i].ours) == row[i].is);
}

static void
test_ours(void **state)
{
	struct b32 a = {{1}}, b = {{2}};

	(void)state;
	check(dups_ours(&b, &a) && !dups_ours(&a, &b));
	b = a;
	b.b[31] = 0xff;
	check(dups_ours(&b, &a) && !dups_ours(&a, &b));
}

/* -- both dial, in every order -------------------------------------------- */

/* Sides 0 (smaller key) and 1; connection i + 1 is dialled by side i. */
enum end { END_DIALLING, END_OPEN, END_SHUT };

struct pair {
	struct swarm *s[2];
	struct sign_pair key[2];
	enum end end[2][2]; /* [side][connection] */
	bool broken[2];
};

struct choice { /* the tree of all orders, walked by its paths */
	unsigned taken[64], of[64];
	size_t depth, at;
};

struct owner {
	struct pair *p;
	int side;
};

static bool
on_dial(void *ctx, const struct swarm_peer_about *a, uint64_t now)
{
	(void)ctx;
	(void)a;
	(void)now;
	return true;
}

static void
on_undial(void *ctx, const struct b32 *key)
{
	const struct owner *o = ctx;

	(void)key;
	check(o->p->end[o->side][o->side] == END_DIALLING);
	o->p->end[o->side][o->side] = END_SHUT;
}

static void
on_drop(void *ctx, uint64_t conn, const char *why)
{
	const struct owner *o = ctx;

	(void)why;
	check(o->p->end[o->side][conn - 1] == END_OPEN);
	o->p->end[o->side][conn - 1] = END_SHUT;
}

static void
pair_begin(struct pair *p, struct owner *owner, bool undials)
{
	struct b32 seed = {{0}};
	struct err e = ERR_INIT;

	memset(p, 0, sizeof(*p));
	for (int i = 0; i < 2; i++) {
		struct swarm_env env = {.ctx = &owner[i],
		    .dial = on_dial,
		    .undial = undials ? on_undial : NULL,
		    .drop = on_drop};
		struct swarm_opts o = {.pair = &p->key[i], .seed = 1};

		owner[i] = (struct owner){p, i};
		seed.b[0] = (uint8_t)i;
		check_ok(sign_pair_seed(&p->key[i], &seed, &e), &e);
		p->key[i].pub.b[0] = (uint8_t)i;
		check_ok(swarm_new(&p->s[i], NULL, &o, &env, 0, &e), &e);
	}
	for (int i = 0; i < 2; i++) {
		check_ok(
		    swarm_join_peer(p->s[i], &p->key[1 - i].pub, 0, &e), &e);
		(void)swarm_turn(p->s[i], 0);
	}
}

static void
pair_end(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		swarm_free(p->s[i]);
		sign_pair_free(&p->key[i]);
	}
}

static unsigned
choose(struct choice *c, unsigned n)
{
	check(c->at < 64);
	if (c->at == c->depth) {
		c->taken[c->depth] = 0;
		c->of[c->depth++] = n;
	}
	check(c->of[c->at] == n);
	return c->taken[c->at++];
}

static bool
next_path(struct choice *c)
{
	while (
	    c->depth > 0 && c->taken[c->depth - 1] + 1 == c->of[c->depth - 1])
		c->depth--;
	if (c->depth > 0)
		c->taken[c->depth - 1]++;
	c->at = 0;
	return c->depth > 0;
}

/* May something happen with this connection at this side? */
static bool
pair_may(const struct pair *p, int side, int conn)
{
	if (p->end[side][conn] == END_OPEN)
		return p->end[1 - side][conn] == END_SHUT;
	/* it opens, or (broken, shut by the other) its dial fails */
	if (p->end[side][conn] != END_DIALLING)
		return false;
	return side == conn ||
	       (!p->broken[conn] && p->end[conn][conn] != END_SHUT);
}

static void
pair_step(struct pair *p, int side, int conn, bool used)
{
	const struct b32 *remote = &p->key[1 - side].pub;
	uint64_t id = (uint64_t)conn + 1;

	if (p->end[side][conn] == END_OPEN) {
		p->end[side][conn] = END_SHUT;
		swarm_closed(p->s[side], id, 0);
		return;
	}
	if (side == conn &&
	    (p->broken[conn] || p->end[1 - side][conn] == END_SHUT)) {
		p->end[side][conn] = END_SHUT;
		swarm_failed(p->s[side], remote, DHT_PEER_SILENT, 0);
		return;
	}
	p->end[side][conn] = END_OPEN;
	if (!swarm_opened(p->s[side], remote, side == conn, id, 0))
		p->end[side][conn] = END_SHUT;
	else if (used)
		swarm_used(p->s[side], id);
}

static void
pair_run(struct pair *p, struct choice *c, bool used)
{
	for (;;) {
		int may[4];
		unsigned n = 0, k;

		for (int i = 0; i < 4; i++)
			if (pair_may(p, i / 2, i % 2))
				may[n++] = i;
		if (n == 0)
			return;
		k = n == 1 ? 0 : choose(c, n);
		pair_step(p, may[k] / 2, may[k] % 2, used);
	}
}

/* Whatever the order: one connection, at both sides the same. */
static size_t
pair_all(bool undials, bool used, int broken)
{
	struct choice c = {0};
	struct owner owner[2];
	size_t paths = 0;
	struct pair p;

	do {
		struct swarm_about a, b;
		int left = 0;

		pair_begin(&p, owner, undials);
		if (broken >= 0)
			p.broken[broken] = true;
		pair_run(&p, &c, used);
		swarm_about(p.s[0], &a);
		swarm_about(p.s[1], &b);
		check(a.connected == 1 && b.connected == 1);
		check(a.dialling == 0 && b.dialling == 0);
		for (int i = 0; i < 2; i++) {
			check((p.end[0][i] == END_OPEN) ==
			      (p.end[1][i] == END_OPEN));
			left += p.end[0][i] == END_OPEN;
		}
		check(left == 1);
		if (broken < 0) /* that of the larger key */
			check(p.end[0][1] == END_OPEN);
		pair_end(&p);
		paths++;
	} while (next_path(&c));
	return paths;
}

static void
test_orders(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++)
		check(pair_all((i & 1) != 0, (i & 2) != 0, i / 4 - 1) >=
		      (i < 4 ? 4 : 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_judge),
	    cmocka_unit_test(test_ours),
	    cmocka_unit_test(test_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
