/* ask and host: cores kept, refused, deleted, remembered, and the quota. */
#include "replicate/net.h"

#include "blind/ask.h"
#include "blind/host.h"
#include "blind/message.h"

#define BLOCKS 300

static const struct b32 self = {{1}}, friend = {{2}}, guest = {{3}};

struct world {
	struct net n;
	struct side a, b; /* a asks, b hosts */
	struct line l;
	struct blind_ask *ask;
	struct blind_host *host;
	unsigned asked[4], kept[4];
	bool announce, in_use;
	char code[64];
};

static uint64_t
unix_ms(void)
{
	return 1234567;
}

static bool
in_use(void *ctx, const struct b32 *key)
{
	(void)key;
	return ((struct world *)ctx)->in_use;
}

static void
on_ask(void *ctx, const struct blind_ask_event *ev)
{
	struct world *w = ctx;

	w->asked[ev->kind]++;
	if (ev->kind == BLIND_REFUSED) {
		check(ev->code.len < sizeof(w->code));
		memcpy(w->code, ev->code.ptr, ev->code.len);
		w->code[ev->code.len] = '\0';
	}
}

static void
on_host(void *ctx, const struct blind_host_event *ev)
{
	struct world *w = ctx;

	w->kept[ev->kind]++;
	w->announce = ev->announce;
}

static void
host_open(struct world *w, uint64_t quota)
{
	struct blind_host_opts o = {.self = self,
	    .allow = &guest,
	    .nallow = 1,
	    .trust = &friend,
	    .ntrust = 1,
	    .quota = quota,
	    .unix_ms = unix_ms,
	    .in_use = in_use,
	    .event = on_host,
	    .ctx = w};
	struct err e = ERR_INIT;

	check_ok(blind_host_new(&w->host, w->b.r, w->b.f.s, &o, &e), &e);
}

/* Both ends of the line know the other's key. */
static void
join(struct world *w, const struct b32 *asker)
{
	static const uint8_t hash[64] = {7};
	struct replicate_peer_opts o = {.hash = hash, .initiator = true};
	struct err e = ERR_INIT;
	struct line *l = &w->l;

	memset(l, 0, sizeof(*l));
	l->end[0] = &w->a;
	l->end[1] = &w->b;
	l->latency = 1000;
	l->last[0] = &l->first[0];
	l->last[1] = &l->first[1];
	o.key = self;
	check_ok(replicate_peer_add(w->a.r, &o, w->n.now, &l->peer[0], &e), &e);
	o.initiator = false;
	o.key = *asker;
	check_ok(replicate_peer_add(w->b.r, &o, w->n.now, &l->peer[1], &e), &e);
	w->n.line[w->n.nlines++] = l;
	check_ok(blind_ask_joined(w->ask, &self, &e), &e);
	check_ok(blind_ask_joined(w->ask, &friend, &e), &e); /* a stranger */
}

static void
start(struct world *w, const struct b32 *asker, uint64_t quota)
{
	struct blind_ask_opts o = {.peer = &self,
	    .npeers = 1,
	    .announce = true,
	    .event = on_ask,
	    .ctx = w};
	struct err e = ERR_INIT;

	memset(w, 0, sizeof(*w));
	net_side(&w->n, &w->a, true, NULL);
	net_side(&w->n, &w->b, false, NULL);
	net_fill(&w->a, BLOCKS);
	check_ok(blind_ask_new(&w->ask, w->a.r, &o, &e), &e);
	check_ok(blind_ask_core(w->ask, &w->a.f.key, &e), &e);
	check_ok(blind_ask_core(w->ask, &w->a.f.key, &e), &e);
	check(blind_ask_left(w->ask) == 1);
	host_open(w, quota);
	join(w, asker);
}

static void
run(struct world *w)
{
	struct err e = ERR_INIT;

	for (int i = 0; i < 50; i++) {
		net_run(&w->n, NET_SECOND / 10);
		blind_ask_turn(w->ask);
		check_ok(blind_host_turn(w->host, &e), &e);
	}
	check(w->l.rc == ERR_OK);
}

static void
stop(struct world *w)
{
	struct blind_ask *ask = w->ask;
	struct blind_host *host = w->host;

	net_close(&w->n);
	blind_ask_free(ask);
	blind_host_free(host);
}

/* The counter of the quota is what is on disk, to the byte. */
static void
check_sum(struct world *w, uint64_t cores)
{
	struct blind_host_stats st;
	struct err e = ERR_INIT;
	uint64_t bytes;

	blind_host_stats(w->host, &st);
	check_ok(store_refresh(w->b.f.s, &e), &e);
	check_ok(blind_host_scan(w->host, &bytes, &e), &e);
	check(st.cores == cores && st.reserved == bytes);
}

static uint64_t
all_bytes(struct world *w)
{
	struct core *c = fix_core(&w->a.f, CORE_READ);
	uint64_t n = core_head(c)->byte_length;

	core_close(c);
	return n;
}

static void
test_kept(void **state)
{
	struct world w;

	(void)state;
	start(&w, &guest, 0);
	run(&w);
	check(w.asked[BLIND_ADDING] == 1 && w.asked[BLIND_CONFIRMING] == 1);
	check(w.asked[BLIND_ADDED] == 1 && w.asked[BLIND_REFUSED] == 0);
	check(blind_ask_left(w.ask) == 0 && blind_ask_refused(w.ask) == 0);
	check(w.kept[BLIND_KEPT] == 1 && !w.announce); /* a mere guest */
	net_whole(&w.b, BLOCKS);
	check_sum(&w, 1);
	/* asked again on a new connection: added stays added */
	net_drop(&w.n, &w.l);
	w.n.nlines = 0;
	join(&w, &guest);
	run(&w);
	check(w.asked[BLIND_ADDING] == 1 && w.kept[BLIND_KEPT] == 1);
	stop(&w);
}

static void
test_trusted(void **state)
{
	struct world w;

	(void)state;
	start(&w, &friend, 0);
	run(&w);
	check(w.kept[BLIND_KEPT] == 1 && w.announce);
	check(w.asked[BLIND_ADDED] == 1);
	stop(&w);
}

static void
test_stranger(void **state)
{
	static const struct b32 stranger = {{9}};
	struct world w;

	(void)state;
	start(&w, &stranger, 0);
	run(&w);
	check(w.asked[BLIND_REFUSED] == 1 && w.kept[BLIND_DENIED] == 1);
	check(strcmp(w.code, "NOT_ALLOWED") == 0);
	check(w.kept[BLIND_KEPT] == 0 && blind_ask_refused(w.ask) == 1);
	check_sum(&w, 0);
	stop(&w);
}

/* One byte too little: nothing of the core is fetched. */
static void
test_quota(void **state)
{
	struct err e = ERR_INIT;
	struct blind_host_stats st;
	struct world w;
	struct core *c;
	uint64_t all;

	(void)state;
	start(&w, &guest, 1);
	all = all_bytes(&w);
	run(&w);
	check(w.asked[BLIND_CONFIRMING] == 1 && w.asked[BLIND_ADDED] == 0);
	check(w.kept[BLIND_OVER] == 1);
	check_sum(&w, 1);
	blind_host_stats(w.host, &st);
	check(st.reserved == 0 && st.over == 1);
	/* remembered: with more space, another run fetches it */
	net_drop(&w.n, &w.l);
	w.n.nlines = 0;
	replicate_free(w.b.r);
	blind_host_free(w.host);
	check_ok(replicate_new(&w.b.r, w.b.f.s,
		     &(struct replicate_opts){.serve = true}, &e),
	    &e);
	host_open(&w, all);
	join(&w, &guest);
	run(&w);
	check(w.kept[BLIND_KEPT] == 2 && w.asked[BLIND_ADDED] == 1);
	check_sum(&w, 1);
	net_whole(&w.b, BLOCKS);
	/* it grows: what is new does not fit, what is old stays */
	c = fix_core(&w.a.f, CORE_WRITE);
	fix_append(c, 20);
	core_close(c);
	check_ok(replicate_changed(w.a.r, NULL, w.n.now, &e), &e);
	run(&w);
	blind_host_stats(w.host, &st);
	check(st.over == 1 && st.reserved == all);
	check_sum(&w, 1);
	stop(&w);
}

/* What a client says by hand, on either channel. */
struct hand {
	struct replicate_protocol p;
	struct replicate_channel *ch;
	struct blind_response got;
	unsigned answers;
	bool closed, value;
	char code[64], cause[64];
};

static enum err_code
hand_taken(void *ctx, struct replicate_channel *ch, struct err *e)
{
	(void)ctx;
	(void)ch;
	return err_set(e, ERR_LIMIT, "nothing is offered");
}

static void
copy(char out[static 64], struct view v)
{
	check(v.len < 64);
	if (v.len > 0)
		memcpy(out, v.ptr, v.len);
	out[v.len] = '\0';
}

static enum err_code
hand_message(void *ctx, struct replicate_channel *ch, uint64_t type,
    struct view body, struct err *e)
{
	struct hand *x = ctx;
	struct dec d;

	(void)ch;
	(void)e;
	check(type == BLIND_RESPONSE);
	dec_init(&d, body);
	check(blind_dec_response(&d, &x->got));
	copy(x->code, x->got.code);
	copy(x->cause, x->got.cause_code);
	x->value = x->got.value.len == 1 && x->got.value.ptr[0] == 1;
	x->answers++;
	return ERR_OK;
}

static void
hand_closed(void *ctx, struct replicate_channel *ch)
{
	(void)ch;
	((struct hand *)ctx)->closed = true;
}

static void
hand_open(struct world *w, struct hand *x, const char *name, struct view id)
{
	struct err e = ERR_INIT;

	memset(x, 0, sizeof(*x));
	x->p = (struct replicate_protocol){.name = name,
	    .taken = hand_taken,
	    .message = hand_message,
	    .closed = hand_closed,
	    .ctx = x};
	check_ok(replicate_protocol(w->a.r, &x->p, &e), &e);
	check_ok(
	    replicate_channel_open(w->l.peer[0], &x->p, id, NULL, &x->ch, &e),
	    &e);
}

static void
hand_say(struct hand *x, uint64_t id, const char *method, struct view value)
{
	const struct blind_request q = {id, view_str(method), value};

	blind_put_request(replicate_channel_begin(x->ch, 0, 64), &q);
	replicate_channel_end(x->ch);
}

static void
test_delete(void **state)
{
	struct world w;
	struct hand x;

	(void)state;
	start(&w, &friend, 0);
	run(&w);
	hand_open(&w, &x, "protomux-rpc", view_b32(&self));
	w.in_use = true;
	hand_say(&x, 8, "delete-core", view_b32(&w.a.f.key));
	run(&w);
	check(x.answers == 1 && strcmp(x.cause, "IN_USE") == 0);
	w.in_use = false;
	hand_say(&x, 9, "delete-core", view_b32(&w.a.f.key));
	run(&w);
	check(x.answers == 2 && x.got.id == 9 && !x.got.error && x.value);
	check(w.kept[BLIND_GONE] == 1);
	check_sum(&w, 0);
	hand_say(&x, 10, "delete-core", view_b32(&w.a.f.key));
	hand_say(&x, 0, "delete-core", view_b32(&w.a.f.key)); /* no answer */
	run(&w);
	check(x.answers == 3 && !x.got.error && !x.value);
	stop(&w);
}

static void
test_wrong_words(void **state)
{
	struct world w;
	struct hand x, m;

	(void)state;
	start(&w, &guest, 0);
	hand_open(&w, &x, "protomux-rpc", view_b32(&self));
	hand_say(&x, 1, "nope", VIEW_EMPTY);
	run(&w);
	check(x.answers == 1 && strcmp(x.code, "UNKNOWN_METHOD") == 0);
	hand_say(&x, 2, "add-core", view_str("short"));
	run(&w);
	check(x.answers == 2 && strcmp(x.code, "DECODE_ERROR") == 0);
	hand_say(&x, 3, "delete-core", view_b32(&w.a.f.key));
	run(&w);
	check(x.answers == 3 && strcmp(x.code, "REQUEST_ERROR") == 0);
	check(strcmp(x.cause, "NOT_TRUSTED") == 0);
	/* another id, or another protocol, is not taken */
	hand_open(&w, &m, "protomux-rpc", view_b32(&guest));
	run(&w);
	check(m.closed);
	hand_open(&w, &m, "wakeup", VIEW_EMPTY);
	run(&w);
	check(m.closed);
	stop(&w);
}

/* Many cores in one message, without an answer; nothing by halves. */
static void
test_muxer(void **state)
{
	struct blind_cores m = {.announce = true, .ncores = 2};
	static const struct b32 other = {{77}};
	struct world w;
	struct hand x;
	struct buf *b;

	(void)state;
	start(&w, &guest, 0);
	run(&w);
	hand_open(&w, &x, "blind-peer", VIEW_EMPTY);
	b = replicate_channel_begin(x.ch, BLIND_CORES, 100);
	blind_put_cores(b, &m);
	blind_put_core(b, &w.a.f.key, BLOCKS);
	blind_put_core(b, &other, 7);
	replicate_channel_end(x.ch);
	run(&w);
	check(w.kept[BLIND_KEPT] == 2 && !w.announce && !x.closed);
	check_sum(&w, 2);
	b = replicate_channel_begin(x.ch, BLIND_CORES, 100);
	m.ncores = 3;
	blind_put_cores(b, &m);
	blind_put_core(b, &guest, 1);
	replicate_channel_end(x.ch);
	net_run(&w.n, NET_SECOND);
	check(w.l.rc == ERR_FORMAT);
	check(w.kept[BLIND_KEPT] == 2);
	stop(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kept),
	    cmocka_unit_test(test_trusted),
	    cmocka_unit_test(test_stranger),
	    cmocka_unit_test(test_quota),
	    cmocka_unit_test(test_delete),
	    cmocka_unit_test(test_wrong_words),
	    cmocka_unit_test(test_muxer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
