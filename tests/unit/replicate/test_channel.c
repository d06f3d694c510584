/* channel: another protocol on a connection, its life and its limits. */
#include "net.h"

#include "replicate/channel.h"

static const struct b32 key_a = {{1}}, key_b = {{2}};

struct talk {
	struct replicate_protocol p;
	struct replicate_channel *ch;
	unsigned taken, closed, heard;
	uint64_t type;
	char body[32];
	enum err_code answer;
};

static enum err_code
on_taken(void *ctx, struct replicate_channel *ch, struct err *e)
{
	struct talk *t = ctx;

	(void)e;
	t->ch = ch;
	t->taken++;
	return ERR_OK;
}

static enum err_code
on_message(void *ctx, struct replicate_channel *ch, uint64_t type,
    struct view body, struct err *e)
{
	struct talk *t = ctx;

	check(ch == t->ch && body.len < sizeof(t->body));
	memcpy(t->body, body.ptr, body.len);
	t->body[body.len] = '\0';
	t->type = type;
	t->heard++;
	return t->answer == ERR_OK ? ERR_OK : err_set(e, t->answer, "no");
}

static void
on_closed(void *ctx, struct replicate_channel *ch)
{
	struct talk *t = ctx;

	(void)ch;
	t->ch = NULL;
	t->closed++;
}

static void
talk_init(struct talk *t, struct side *d, bool takes)
{
	struct err e = ERR_INIT;

	memset(t, 0, sizeof(*t));
	t->p = (struct replicate_protocol){.name = "talk",
	    .takes = takes,
	    .id = view_str("id"),
	    .taken = on_taken,
	    .message = on_message,
	    .closed = on_closed,
	    .ctx = t};
	check_ok(replicate_protocol(d->r, &t->p, &e), &e);
}

static void
say(struct talk *t, const char *text)
{
	buf_str(replicate_channel_begin(t->ch, 5, 16), text);
	replicate_channel_end(t->ch);
}

static void
start(struct net *n, struct side *a, struct side *b, struct line *l,
    struct talk *ta, struct talk *tb, bool takes)
{
	struct err e = ERR_INIT;

	memset(n, 0, sizeof(*n));
	net_side(n, a, true, NULL);
	net_side(n, b, false, NULL);
	talk_init(ta, a, false);
	talk_init(tb, b, takes);
	net_join(n, l, a, b, 1000);
	check_ok(replicate_channel_open(
		     l->peer[0], &ta->p, view_str("id"), ta, &ta->ch, &e),
	    &e);
	check(replicate_channel_user(ta->ch) == ta);
	check(replicate_channel_peer(ta->ch) == l->peer[0]);
	say(ta, "hello");
	net_run(n, NET_SECOND);
}

static void
test_talk(void **state)
{
	struct net n;
	struct side a, b;
	struct line l;
	struct talk ta, tb;

	(void)state;
	start(&n, &a, &b, &l, &ta, &tb, true);
	check(tb.taken == 1 && tb.heard == 1 && tb.type == 5);
	check(strcmp(tb.body, "hello") == 0);
	say(&tb, "you");
	net_run(&n, NET_SECOND);
	check(ta.heard == 1 && strcmp(ta.body, "you") == 0);
	/* closed here: only the other side hears of it */
	replicate_channel_close(ta.ch);
	net_run(&n, NET_SECOND);
	check(ta.closed == 0 && tb.closed == 1 && l.rc == ERR_OK);
	net_close(&n);
}

static void
test_not_taken(void **state)
{
	struct net n;
	struct side a, b;
	struct line l;
	struct talk ta, tb;

	(void)state;
	start(&n, &a, &b, &l, &ta, &tb, false);
	check(ta.closed == 1 && tb.taken == 0 && tb.heard == 0);
	check(l.rc == ERR_OK);
	net_close(&n);
}

/* Who says what cannot be loses the connection, and all channels with it. */
static void
test_fault(void **state)
{
	struct net n;
	struct side a, b;
	struct line l;
	struct talk ta, tb;

	(void)state;
	start(&n, &a, &b, &l, &ta, &tb, true);
	tb.answer = ERR_FORMAT;
	say(&ta, "nonsense");
	net_run(&n, NET_SECOND);
	check(l.rc == ERR_FORMAT && strcmp(l.why, "no") == 0);
	check(ta.closed == 1 && tb.closed == 1);
	net_close(&n);
}

static void
test_limits(void **state)
{
	struct replicate_channel *ch;
	struct err e = ERR_INIT;
	struct net n;
	struct side a, b;
	struct line l;
	struct talk ta, tb;
	char id[2] = "a";

	(void)state;
	start(&n, &a, &b, &l, &ta, &tb, true);
	for (int i = 1; i < REPLICATE_CHANNELS_MAX; i++, id[0]++)
		check_ok(replicate_channel_open(
			     l.peer[0], &ta.p, view_str(id), NULL, &ch, &e),
		    &e);
	check_code(replicate_channel_open(
		       l.peer[0], &ta.p, view_str(id), NULL, &ch, &e),
	    ERR_LIMIT);
	/* the others were refused: there is room again */
	net_run(&n, NET_SECOND);
	check(ta.closed == REPLICATE_CHANNELS_MAX - 1 && tb.taken == 1);
	for (int i = 1; i < REPLICATE_PROTOCOLS_MAX; i++)
		check_ok(replicate_protocol(a.r, &ta.p, &e), &e);
	check_code(replicate_protocol(a.r, &ta.p, &e), ERR_LIMIT);
	net_close(&n);
}

static void
test_find(void **state)
{
	static const uint8_t hash[64] = {3};
	struct replicate_peer_opts o = {.hash = hash, .key = key_a};
	struct err e = ERR_INIT;
	struct replicate_peer *p;
	struct net n = {0};
	struct side a;

	(void)state;
	net_side(&n, &a, true, NULL);
	check(replicate_peer_find(a.r, &key_a) == NULL);
	check_ok(replicate_peer_add(a.r, &o, 0, &p, &e), &e);
	check(replicate_peer_find(a.r, &key_a) == p);
	check(replicate_peer_find(a.r, &key_b) == NULL);
	check(b32_eq(replicate_peer_key(p), &key_a));
	net_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_talk),
	    cmocka_unit_test(test_not_taken),
	    cmocka_unit_test(test_fault),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
