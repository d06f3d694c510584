/* storm: by seed, sides that append, truncate, forget, connect and vanish at
 * random, over lines of all kinds; when it is calm again, all is whole. */
#include "net.h"
#include "support/dice.h"

#define SIDES 5
#define PAIRS (SIDES * (SIDES - 1) / 2)

struct storm {
	struct net n;
	struct side side[SIDES]; /* 0 writes */
	struct replicate_core *c[SIDES];
	struct line line[PAIRS];
	bool up[PAIRS];
};

static void
pair_of(int k, int *a, int *b)
{
	for (*a = 0; k >= SIDES - 1 - *a; ++*a)
		k -= SIDES - 1 - *a;
	*b = *a + 1 + k;
}

static void
connect_pair(struct storm *s, int k)
{
	int a, b;

	if (s->up[k])
		return;
	pair_of(k, &a, &b);
	/* a line is in the list of the net once, up or down */
	for (size_t i = 0; i < s->n.nlines; i++)
		if (s->n.line[i] == &s->line[k])
			s->n.line[i] = s->n.line[--s->n.nlines];
	net_join(&s->n, &s->line[k], &s->side[a], &s->side[b], any(50000));
	s->line[k].rate = any(3) == 0 ? 0.02 : any(3) == 0 ? 0 : 1;
	s->up[k] = true;
}

static void
cut_pair(struct storm *s, int k)
{
	if (s->up[k])
		net_drop(&s->n, &s->line[k]);
	s->up[k] = false;
}

static void
changed(struct storm *s, int i)
{
	struct err e = ERR_INIT;

	check_ok(replicate_changed(s->side[i].r, NULL, s->n.now, &e), &e);
}

static void
write_some(struct storm *s)
{
	struct err e = ERR_INIT;
	struct core *c = fix_core(&s->side[0].f, CORE_WRITE);
	uint64_t length = core_head(c)->length;
	struct core_batch *b = fix_batch(c);
	char text[64];

	if (any(4) == 0)
		check_ok(core_batch_truncate(b, any(length + 1), &e), &e);
	for (uint64_t i = any(any(3) == 0 ? 1500 : 80); i > 0; i--) {
		snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)any(1000000));
		check_ok(core_batch_append(b, view_str(text), NULL, &e), &e);
	}
	fix_commit(b);
	core_batch_free(b);
	core_close(c);
	changed(s, 0);
}

/* A replica forgets blocks; it may be fetching, then it does not. */
static void
forget_some(struct storm *s, int i)
{
	struct err e = ERR_INIT;
	struct core *c = NULL;
	uint64_t length, from;

	check_ok(store_refresh(s->side[i].f.s, &e), &e);
	if (core_open(&c, s->side[i].f.s, &s->side[i].f.key, CORE_REPLICA,
		&e) != ERR_OK)
		return;
	length = core_head(c)->length;
	from = any(length + 1);
	if (from < length)
		check_ok(
		    core_clear(c, from, from + any(length - from) + 1, &e), &e);
	core_close(c);
	changed(s, i);
}

/* As if the process ended and began again. */
static void
restart(struct storm *s, int i)
{
	struct replicate_opts o = {.serve = true};
	struct err e = ERR_INIT;
	int a, b;

	for (int k = 0; k < PAIRS; k++) {
		pair_of(k, &a, &b);
		if (a == i || b == i)
			cut_pair(s, k);
	}
	replicate_free(s->side[i].r);
	fix_again(&s->side[i].f);
	check_ok(replicate_new(&s->side[i].r, s->side[i].f.s, &o, &e), &e);
	s->c[i] = net_open(&s->side[i]);
	if (i > 0)
		check_ok(replicate_download(s->c[i], 0, UINT64_MAX, &e), &e);
}

static void
gust(struct storm *s)
{
	int i = (int)any(SIDES), k = (int)any(PAIRS);

	switch (any(8)) {
	case 0:
		write_some(s);
		break;
	case 1:
		if (i > 0)
			forget_some(s, i);
		break;
	case 2:
		if (any(3) == 0)
			restart(s, i);
		break;
	case 3:
		cut_pair(s, k);
		break;
	default:
		connect_pair(s, k);
	}
	net_run(&s->n, any(300000));
}

static void
check_calm(struct storm *s)
{
	struct replicate_status st, first;
	struct err e = ERR_INIT;
	struct core *c;

	replicate_status(s->c[0], &first);
	for (int i = 1; i < SIDES; i++) {
		replicate_status(s->c[i], &st);
		check(!st.conflict && st.wanted == 0 && st.outstanding == 0);
		check(st.head.length == first.head.length);
		check(st.head.fork == first.head.fork);
		check(b32_eq(&st.head.tree_hash, &first.head.tree_hash));
		check(st.head.contiguous == st.head.length);
		if (s->side[i].event[REPLICATE_BLAMED] != 0)
			vec_fail(__FILE__, __LINE__, s->side[i].text);
		check_ok(store_refresh(s->side[i].f.s, &e), &e);
		c = fix_core(&s->side[i].f, CORE_READ);
		check_ok(core_verify(c, &e), &e);
		core_close(c);
	}
}

static void
one_storm(uint64_t number)
{
	static struct storm s;
	struct err e = ERR_INIT;

	memset(&s, 0, sizeof(s));
	dice = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (int i = 0; i < SIDES; i++) {
		net_side(&s.n, &s.side[i], i == 0, NULL);
		s.c[i] = net_open(&s.side[i]);
		if (i > 0)
			check_ok(
			    replicate_download(s.c[i], 0, UINT64_MAX, &e), &e);
	}
	for (int n = 0; n < 40; n++)
		gust(&s);
	for (int k = 0; k < PAIRS; k++)
		connect_pair(&s, k);
	write_some(&s);
	/* what was forgotten is wanted again */
	for (int i = 1; i < SIDES; i++)
		changed(&s, i);
	net_run(&s.n, 60 * NET_SECOND);
	check_calm(&s);
	net_close(&s.n);
}

static void
test_storms(void **state)
{
	const char *only = getenv("STORM");

	(void)state;
	if (only != NULL) {
		one_storm(strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t i = 1; i <= 12; i++) {
		fprintf(stderr, "storm %llu\n", (unsigned long long)i);
		one_storm(i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_storms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
