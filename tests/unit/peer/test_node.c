/* Two stores over loopback, both sides in this process: blocks come when a
 * read misses them, appends are followed, reasons are given. */
#include "side.h"

#include "codec/z32.h"
#include "peer/node_impl.h"

#define PATIENCE 20000000u

static void
start(struct side *s, const char *listen, const struct peer_at *at)
{
	struct peer_opts o = {.store = s->f.s,
	    .serve = true,
	    .at = at,
	    .nat = at != NULL,
	    .patience_us = PATIENCE,
	    .event = side_event,
	    .ctx = s};
	struct err e = ERR_INIT;
	struct addr a;

	if (listen != NULL) {
		check_ok(addr_parse(&a, view_str(listen), &e), &e);
		o.listen = &a;
	}
	check_ok(peer_open(&s->n, &o, &e), &e);
}

/* A writer that listens, and a replica that knows the key and the address. */
static void
pair_open(struct side *w, struct side *r, uint64_t blocks)
{
	struct peer_at at;
	struct core *c;

	memset(w, 0, sizeof(*w));
	memset(r, 0, sizeof(*r));
	fix_open(&w->f, 7, true);
	c = fix_core(&w->f, CORE_WRITE);
	if (blocks > 0)
		fix_append(c, blocks);
	core_close(c);
	fix_open(&r->f, 7, false);
	start(w, "127.0.0.1:0", NULL);
	check(peer_address(w->n, &at.addr));
	at.key = *peer_key(w->n);
	start(r, NULL, &at);
}

/* Both sides take turns in this thread: the other one has to answer. */
static void
turn(struct side *w, struct side *r)
{
	struct err e = ERR_INIT;

	check_ok(peer_turn(w->n, peer_now() + 200, &e), &e);
	check_ok(peer_turn(r->n, peer_now() + 200, &e), &e);
}

static void
until_here(struct side *w, struct side *r, const struct want *want)
{
	uint64_t until = peer_now() + PATIENCE;
	struct replicate_core *c;
	struct err e = ERR_INIT;

	check_ok(replicate_open(peer_replicate(r->n), &want->key, &c, &e), &e);
	check_ok(replicate_need(c, want, &e), &e);
	while (!replicate_here(c, want)) {
		check(peer_now() < until);
		turn(w, r);
	}
}

static void
gets_blocks(void **state)
{
	struct side w, r;
	struct want want = {.kind = WANT_BLOCK, .index = 41};
	struct err e = ERR_INIT;
	struct want none;
	struct core *c;
	struct buf b;
	char space[64];

	(void)state;
	pair_open(&w, &r, 300);
	want.key = r.f.key;
	until_here(&w, &r, &want);
	check(r.joined == 1 && w.joined == 1);
	buf_init(&b, CORE_BLOCK_MAX);
	c = fix_core(&r.f, CORE_READ);
	check(core_head(c)->length == 300);
	check_ok(core_get(c, 41, &b, &none, &e), &e);
	check_same(buf_view(&b), fix_block(41, space, sizeof(space)));
	core_close(c);
	buf_deinit(&b);
	side_close(&r);
	side_close(&w);
}

/* A folder that cannot be watched is looked at now and then. */
static void
hears_without_watch(void **state)
{
	uint64_t until = peer_now() + PATIENCE;
	char index[1100], away[1100];
	struct replicate_core *rc;
	struct replicate_status st;
	struct err e = ERR_INIT;
	struct side w = {.n = NULL};
	struct core *c;

	(void)state;
	fix_open(&w.f, 7, true);
	(void)snprintf(index, sizeof(index), "%s/index", store_dir(w.f.s));
	(void)snprintf(away, sizeof(away), "%s/away", store_dir(w.f.s));
	check(rename(index, away) == 0);
	start(&w, "127.0.0.1:0", NULL);
	check(rename(away, index) == 0);
	check_ok(replicate_open(peer_replicate(w.n), &w.f.key, &rc, &e), &e);
	c = fix_core(&w.f, CORE_WRITE);
	fix_append(c, 10);
	core_close(c);
	do {
		check(peer_now() < until);
		check_ok(peer_turn(w.n, peer_now() + 50000, &e), &e);
		replicate_status(rc, &st);
	} while (st.head.length < 10);
	side_close(&w);
}

/* What the writer appends while both are connected arrives. */
static void
follows(void **state)
{
	uint64_t until = peer_now() + PATIENCE;
	struct side w, r;
	struct replicate_core *rc;
	struct replicate_status st;
	struct err e = ERR_INIT;
	struct core *c;

	(void)state;
	pair_open(&w, &r, 0);
	check_ok(replicate_open(peer_replicate(r.n), &r.f.key, &rc, &e), &e);
	replicate_follow(rc, true);
	check_ok(replicate_download(rc, 0, UINT64_MAX, &e), &e);
	while (r.joined == 0 || w.joined == 0)
		turn(&w, &r);
	for (uint64_t n = 10; n <= 30; n += 10) {
		c = fix_core(&w.f, CORE_WRITE);
		fix_append(c, 10);
		core_close(c);
		check_ok(replicate_changed(
			     peer_replicate(w.n), NULL, peer_now(), &e),
		    &e);
		do {
			check(peer_now() < until);
			turn(&w, &r);
			replicate_status(rc, &st);
		} while (st.head.length != n || st.head.contiguous != n);
	}
	side_close(&r);
	side_close(&w);
}

static void
nobody_there(void **state)
{
	struct err e = ERR_INIT;
	struct peer_at at;
	struct want want = {.kind = WANT_BLOCK};
	struct side w, r;
	char shown[ADDR_TEXT];

	(void)state;
	/* an address that was free a moment ago, and the wrong key for it */
	pair_open(&w, &r, 1);
	check(peer_address(w.n, &at.addr));
	memset(&at.key, 9, sizeof(at.key));
	side_close(&r);
	side_close(&w);
	memset(&r, 0, sizeof(r));
	fix_open(&r.f, 7, false);
	start(&r, NULL, &at);
	want.key = r.f.key;
	check_code(fetch_block(peer_fetch(r.n), &want, &e), ERR_PEERS);
	check(strstr(e.msg, addr_format(shown, &at.addr)) != NULL);
	check(r.unreached == 1 && r.joined == 0);
	side_close(&r);
}

/* -- patience ------------------------------------------------------------- */

#define SHORT 1000000u /* the patience of a reader that waits in vain */

static struct {
	struct side guest; /* n NULL: not there now */
	struct peer_at at;
	uint64_t until, changed;
} vain;

/* A guest comes and goes while the reader waits. */
static bool
come_and_go(void)
{
	size_t before = vain.guest.joined;
	struct err e = ERR_INIT;

	check(peer_now() < vain.until);
	if (vain.at.addr.port == 0 || peer_now() - vain.changed < SHORT / 4)
		return false;
	vain.changed = peer_now();
	if (vain.guest.n != NULL) {
		peer_close(vain.guest.n);
		vain.guest.n = NULL;
		return false;
	}
	start(&vain.guest, NULL, &vain.at);
	while (vain.guest.joined == before) {
		check(peer_now() < vain.until);
		check_ok(peer_turn(vain.guest.n, peer_now() + 1000, &e), &e);
	}
	return false;
}

/* A peer that has all and answers nothing: its thread of the network keeps
 * the connection alive, the one of its store does nothing any more. The read
 * ends with a reason; so it does while others come and go, and when they are
 * the only ones, who are waited for a little longer. */
static void
waits_in_vain(void **state)
{
	struct want want = {.kind = WANT_BLOCK, .index = 41};
	struct side w, r;
	struct peer_opts o = {.patience_us = SHORT,
	    .stop = come_and_go,
	    .event = side_event,
	    .ctx = &r};
	struct err e = ERR_INIT;
	struct peer_at at;
	struct addr a;
	uint64_t begun;

	(void)state;
	for (int row = 0; row < 3; row++) {
		memset(&vain, 0, sizeof(vain));
		vain.until = peer_now() + PATIENCE;
		pair_open(&w, &r, 300);
		check(peer_address(w.n, &at.addr));
		at.key = *peer_key(w.n);
		peer_close(r.n);
		check_ok(addr_parse(&a, view_str("127.0.0.1:0"), &e), &e);
		o.store = r.f.s;
		o.listen = &a;
		o.at = &at;
		o.nat = 1;
		check_ok(peer_open(&r.n, &o, &e), &e);
		want.key = r.f.key;
		until_here(&w, &r, &want);
		if (row > 0) {
			fix_open(&vain.guest.f, 8, false);
			check(peer_address(r.n, &vain.at.addr));
			vain.at.key = *peer_key(r.n);
		}
		want.index++;
		if (row == 2)
			side_close(&w);
		begun = peer_now();
		check_code(fetch_block(peer_fetch(r.n), &want, &e), ERR_PEERS);
		check(peer_now() - begun > (row == 2 ? 2 * SHORT : SHORT));
		check(strstr(e.msg, "could") != NULL);
		check(row == 0 || (r.joined > 2 && r.left > 0));
		e.code = ERR_OK;
		if (vain.guest.n != NULL)
			peer_close(vain.guest.n);
		if (row > 0)
			fix_close(&vain.guest.f);
		side_close(&r);
		if (row < 2)
			side_close(&w);
	}
}

static bool
stopped(void)
{
	return true;
}

static void
stops(void **state)
{
	struct err e = ERR_INIT;
	struct peer_opts o = {.stop = stopped};
	struct side s = {.n = NULL};

	(void)state;
	fix_open(&s.f, 7, false);
	o.store = s.f.s;
	check_ok(peer_open(&s.n, &o, &e), &e);
	check_code(peer_turn(s.n, UINT64_MAX, &e), ERR_INTERRUPTED);
	side_close(&s);
}

static void
addresses(void **state)
{
	static const char key[] =
	    "0101010101010101010101010101010101010101010101010101010101010101";
	static const char *const bad[] = {"", "127.0.0.1:1", "127.0.0.1:1:zz",
	    "127.0.0.1:0:%s", "host:1:%s", "%s", ":%s"};
	struct err e = ERR_INIT;
	struct peer_at at;
	char text[200];

	(void)state;
	(void)snprintf(text, sizeof(text), "[::1]:70:%s", key);
	check_ok(peer_at_parse(&at, view_str(text), &e), &e);
	check(at.addr.family == 6 && at.addr.port == 70 && at.key.b[31] == 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf b;

		buf_init(&b, 200);
		for (const char *p = bad[i]; *p != '\0'; p++) {
			if (p[0] == '%') {
				buf_str(&b, key);
				p++;
			} else {
				buf_byte(&b, (uint8_t)*p);
			}
		}
		check_code(peer_at_parse(&at, buf_view(&b), &e), ERR_INVALID);
		buf_deinit(&b);
	}
}

/* Why nobody gave what was asked, from the first thing that is wrong on. */
static void
reasons(void **state)
{
	static struct topic *bucket[TOPIC_BUCKETS];
	const struct b32 core = {{3}};
	struct topic t = {.key = {{1}}};
	struct peer_discovery d = {NULL};
	struct dial none = {.tried = true};
	struct peer_node n = {
	    .o.discovery = &d, .topic = bucket, .dial = &none};
	char who[Z32_KEY_LEN + 1];
	struct err e = ERR_INIT;

	(void)state;
	bucket[1] = &t;
	check_code(peer_nobody(&n, &core, &e), ERR_PEERS);
	check(strstr(e.msg, "the DHT does not answer") != NULL);
	n.network.online = true;
	check_code(peer_nobody(&n, &core, &e), ERR_PEERS);
	check(strstr(e.msg, "nobody announces it") != NULL);
	t.found = 2;
	check_code(peer_nobody(&n, &core, &e), ERR_PEERS);
	check(strstr(e.msg, "by 2 peers, none of which") != NULL);
	check(strchr(e.msg, '(') == NULL);
	n.missed = (struct b32){{7}};
	(void)snprintf(n.missed_why, sizeof(n.missed_why), "no way");
	check_code(peer_nobody(&n, &core, &e), ERR_PEERS);
	check(strstr(e.msg, z32_key(who, &n.missed)) != NULL);
	check(strstr(e.msg, ": no way)") != NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(reasons),
	    cmocka_unit_test(stops),
	    cmocka_unit_test(nobody_there),
	    cmocka_unit_test(waits_in_vain),
	    cmocka_unit_test(gets_blocks),
	    cmocka_unit_test(hears_without_watch),
	    cmocka_unit_test(follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
