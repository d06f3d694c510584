/* What provision refuses before it writes. */
#include "provfix.h"

static void
test_diverged(void **state)
{
	struct b32 target, production, other;
	struct provfix_state was;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	production = provfix_drive(&x, 12);
	other = provfix_drive(&x, 13);
	provfix_first(&x);
	provfix_production(&x, NULL);
	provfix_run(&x, &target);
	provfix_release(&x, &target, &production);
	provfix_second(&x);
	provfix_run(&x, &other); /* as if there were no production */
	was = provfix_state(&x, &other);
	provfix_production(&x, &production);
	x.o.target = other;
	check_code(provfix_try(&x), ERR_CONFLICT);
	assert_string_equal(x.e.tag, "ERR_TARGET_DIVERGED");
	check(strstr(x.e.msg, "pear-touch") != NULL);
	check(x.log.len == 0);
	check_same_state(was, provfix_state(&x, &other));
	provfix_close(&x);
}

static void
test_production_links(void **state)
{
	struct b32 target, production;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	production = provfix_drive(&x, 12);
	provfix_first(&x);
	/* known and empty is fine */
	x.o.production = provfix_link(&production, 0);
	provfix_run(&x, &target);
	provfix_release(&x, &target, &production);
	check_code(provfix_try(&x), ERR_CONFLICT);
	check(strstr(x.e.msg, "production is not empty, use pear://0.7.") !=
	      NULL);
	/* older than it is */
	x.o.production.length = 3;
	check_code(provfix_try(&x), ERR_CONFLICT);
	check(strstr(x.e.msg, "pear://0.7.") != NULL);
	x.o.latest = true;
	check_ok(provfix_try(&x), &x.e);
	x.o.latest = false;
	/* longer than it is */
	x.o.production.length = 8;
	check_code(provfix_try(&x), ERR_PEERS);
	x.o.production.length = 7;
	x.o.production.fork = 1;
	check_code(provfix_try(&x), ERR_CONFLICT);
	x.o.production.fork = 0;
	x.o.production.has_hash = true;
	check_code(provfix_try(&x), ERR_VERIFY);
	x.o.production.hash = provfix_state(&x, &production).db.tree_hash;
	check_ok(provfix_try(&x), &x.e);
	x.o.production.key.b[0] ^= 1;
	check_code(provfix_try(&x), ERR_PEERS);
	x.o.production.has_version = false;
	check_code(provfix_try(&x), ERR_INVALID);
	assert_string_equal(x.e.tag, "ERR_INVALID_LINK");
	provfix_close(&x);
}

static void
test_source_links(void **state)
{
	struct b32 target;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	provfix_first(&x);
	provfix_production(&x, NULL);
	x.o.target = target;
	x.o.source.length = 99;
	check_code(provfix_try(&x), ERR_PEERS);
	x.o.source.length = 4; /* inside a flush */
	check_code(provfix_try(&x), ERR_INVALID);
	x.o.source.length = 7;
	x.o.source.fork = 1;
	check_code(provfix_try(&x), ERR_CONFLICT);
	x.o.source.fork = 0;
	x.o.source.has_hash = true;
	check_code(provfix_try(&x), ERR_VERIFY);
	x.o.source.has_hash = false;
	/* the older version, whatever came after */
	provfix_second(&x);
	check_ok(provfix_try(&x), &x.e);
	check(x.r.source.length == 7 && x.r.add == 6);
	x.o.source.key.b[0] ^= 1;
	check_code(provfix_try(&x), ERR_PEERS);
	x.o.source.has_version = false;
	check_code(provfix_try(&x), ERR_INVALID);
	x.o.source = provfix_link(&x.stage, 0);
	x.o.target.b[0] ^= 1;
	check_code(provfix_try(&x), ERR_READONLY);
	provfix_close(&x);
}

static void
test_semver(void **state)
{
	static const struct {
		const char *package;
		bool allow;
		enum err_code rc;
	} table[] = {
	    {"{\"name\":\"x\",\"version\":\"2.0.0\"}", false, ERR_OK},
	    {"{\"name\":\"x\",\"version\":\"2.0.0-rc.1\"}", false, ERR_INVALID},
	    {"{\"name\":\"x\",\"version\":\"2.0.0-rc.1\"}", true, ERR_OK},
	    {"{\"name\":\"x\",\"version\":\"2.0\"}", true, ERR_INVALID},
	    {"{\"name\":\"x\"}", false, ERR_INVALID},
	};
	struct b32 target;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	x.o.target = target;
	provfix_production(&x, NULL);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct provfix_state was = provfix_state(&x, &target);
		char line[256];

		(void)snprintf(
		    line, sizeof(line), "f package.json=%s", table[i].package);
		fix_put(x.st.app, line);
		provfix_stage(&x);
		x.o.allow_prerelease = table[i].allow;
		check_code(provfix_try(&x), table[i].rc);
		if (table[i].rc == ERR_OK)
			continue;
		assert_string_equal(x.e.tag, "ERR_INVALID_MANIFEST");
		check_same_state(was, provfix_state(&x, &target));
	}
	provfix_close(&x);
}

/* A dry run writes nothing, in a store that cannot be written. */
static void
test_read_only(void **state)
{
	struct store_opts so = {.mode = STORE_READ};
	struct b32 target;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	provfix_first(&x);
	store_close(x.st.s);
	so.dir = x.st.store_dir;
	check_ok(store_open(&x.st.s, &so, &x.e), &x.e);
	x.o.store = x.st.s;
	provfix_production(&x, NULL);
	x.o.target = target;
	check_code(provfix_try(&x), ERR_READONLY);
	x.o.dry_run = true;
	check_ok(provfix_try(&x), &x.e);
	check(x.r.after.length == 7 && x.r.after.blobs_length == 4);
	check(x.r.before.length == 0);
	provfix_close(&x);
}

/* -- what others wrote ---------------------------------------------------- */

#define BLOB(offset, length, bytes, map) \
	"{\"executable\":false,\"linkname\":null,\"blob\":{" \
	"\"blockOffset\":" #offset \
	",\"byteOffset\":0,\"blockLength\":" #length \
	",\"byteLength\":" #bytes map "},\"metadata\":null}"
#define NAME(text) \
	{ \
		(const uint8_t *)"files\0" text, sizeof("files\0" text) - 1 \
	}

/* Hostile entries of a source end it by name; the target stays. */
static void
test_hostile_source(void **state)
{
	static const struct {
		struct view key;
		const char *json;
		enum err_code rc;
		const char *say;
	} table[] = {
	    {NAME("/x/../y"), BLOB(0, 1, 5, ""), ERR_FORMAT, "no normal path"},
	    {NAME("/x//y"), BLOB(0, 1, 5, ""), ERR_FORMAT, "no normal path"},
	    {NAME("/x\0y"), BLOB(0, 1, 5, ""), ERR_FORMAT, "no normal path"},
	    {NAME("/x"), "{\"executable\":\"yes\"}", ERR_FORMAT, "/x"},
	    {NAME("/x"), "[]", ERR_FORMAT, "/x"},
	    {NAME("/x"), BLOB(9, 9, 5, ""), ERR_PEERS, "only 4"},
	    {NAME("/x"), BLOB(0, 1, 6, ""), ERR_FORMAT, "says 6 bytes"},
	    {NAME("/x"), BLOB(0, 1, 5, ",\"blockMap\":true"), ERR_VERSION,
		"block map"},
	    {NAME("/x"), BLOB(0, 9007199254740991, 5, ""), ERR_PEERS, "only 4"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct provfix_state was;
		struct b32 target;
		struct provfix x;
		enum err_code rc;

		provfix_open(&x);
		target = provfix_drive(&x, 11);
		was = provfix_state(&x, &target);
		provfix_first(&x);
		provfix_raw(&x, &x.stage, table[i].key, table[i].json);
		provfix_production(&x, NULL);
		x.o.target = target;
		rc = provfix_try(&x);
		if (rc != table[i].rc)
			fail_msg("%zu: %d %s", i, (int)rc, x.e.msg);
		if (strstr(x.e.msg, table[i].say) == NULL)
			fail_msg("%zu: %s", i, x.e.msg);
		check_same_state(was, provfix_state(&x, &target));
		provfix_close(&x);
	}
}

/* A name that no path can have leaves the target, and takes nothing along. */
static void
test_odd_target(void **state)
{
	static const struct view odd = NAME("/x/../a.txt");
	struct provfix_state done;
	struct b32 target, twin;
	struct buf a, b;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	twin = provfix_drive(&x, 12);
	provfix_first(&x);
	provfix_production(&x, NULL);
	provfix_run(&x, &twin);
	provfix_run(&x, &target);
	done = provfix_state(&x, &target);
	provfix_raw(&x, &target, odd, BLOB(0, 1, 5, ""));
	provfix_run(&x, &target);
	assert_string_equal(provfix_log(&x),
	    "- /x/../a.txt 5 0 0\ndiffed\n- /x/../a.txt 5 0 0\nstaged\n");
	check(provfix_state(&x, &target).db.length == done.db.length + 2);
	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	provfix_values(&x, &target, &a);
	provfix_values(&x, &twin, &b);
	check_same(buf_view(&a), buf_view(&b));
	buf_deinit(&a);
	buf_deinit(&b);
	provfix_close(&x);
}

/* -- asking peers --------------------------------------------------------- */

/* Peers that have nothing, or bring a release to production. */
struct peers {
	struct provfix *x;
	const struct b32 *from, *to; /* NULL: nothing */
	struct want last;
	size_t asked;
};

static enum err_code
peers_get(void *ctx, const struct want *w, struct err *e)
{
	struct peers *p = ctx;

	p->asked++;
	p->last = *w;
	if (p->from == NULL)
		return err_set(e, ERR_PEERS, "nobody has it");
	provfix_release(p->x, p->from, p->to);
	p->from = NULL;
	return ERR_OK;
}

/* 0.0 is a promise that is held against what peers say. */
static void
test_bootstrap(void **state)
{
	struct b32 target, production, nobody = {{5}};
	struct peers p = {.from = NULL};
	const struct fetch fetch = {.get = peers_get, .ctx = &p};
	struct provfix x;

	(void)state;
	provfix_open(&x);
	p.x = &x;
	target = provfix_drive(&x, 11);
	production = provfix_drive(&x, 12);
	provfix_first(&x);
	x.o.target = target;
	x.o.fetch = &fetch;
	x.o.dry_run = true;
	/* known here, empty, and nobody answers */
	x.o.production = provfix_link(&production, 0);
	check_code(provfix_try(&x), ERR_PEERS);
	check(strstr(x.e.msg, "--bootstrap") != NULL && p.asked == 1);
	check(p.last.kind == WANT_LENGTH && p.last.index == 1);
	check(b32_eq(&p.last.key, &production));
	x.o.bootstrap = true;
	check_ok(provfix_try(&x), &x.e);
	/* a key that was never seen needs no answer */
	x.o.bootstrap = false;
	x.o.production = provfix_link(&nobody, 0);
	check_ok(provfix_try(&x), &x.e);
	/* the target as its own production: it is written here */
	p.asked = 0;
	x.o.production = provfix_link(&target, 0);
	check_ok(provfix_try(&x), &x.e);
	check(p.asked == 0);
	/* a peer knows better */
	p.from = &x.stage;
	p.to = &production;
	x.o.production = provfix_link(&production, 0);
	check_code(provfix_try(&x), ERR_CONFLICT);
	check(strstr(x.e.msg, "production is not empty") != NULL);
	provfix_close(&x);
}

/* A length that is not here is asked for, once. */
static void
test_lengths(void **state)
{
	struct b32 target, production;
	struct peers p = {.from = NULL};
	const struct fetch fetch = {.get = peers_get, .ctx = &p};
	struct provfix x;

	(void)state;
	provfix_open(&x);
	p.x = &x;
	target = provfix_drive(&x, 11);
	production = provfix_drive(&x, 12);
	provfix_first(&x);
	x.o.target = target;
	x.o.fetch = &fetch;
	x.o.production = provfix_link(&production, 7);
	check_code(provfix_try(&x), ERR_PEERS);
	check(p.asked == 1 && p.last.index == 7);
	p.from = &x.stage;
	p.to = &production;
	check_ok(provfix_try(&x), &x.e);
	check(x.r.production.length == 7 && x.r.copied_blocks == 11);
	x.o.source.length = 8;
	check_code(provfix_try(&x), ERR_PEERS);
	check(p.last.index == 8 && b32_eq(&p.last.key, &x.stage));
	provfix_close(&x);
}

static void
clear_contents(struct provfix *x, const struct b32 *key)
{
	struct hyperdrive *d;

	check_ok(hyperdrive_open(&d, x->st.s, key, CORE_WRITE, &x->e), &x->e);
	check_ok(core_clear(hyperdrive_blobs(d), 0, 1, &x->e), &x->e);
	hyperdrive_close(d);
	check_ok(store_refresh(x->st.s, &x->e), &x->e);
}

/* Contents that are missing stop a dry run too, and name the block. */
static void
test_missing_blocks(void **state)
{
	struct b32 target, production;
	struct peers p = {.from = NULL};
	const struct fetch fetch = {.get = peers_get, .ctx = &p};
	struct provfix_state was;
	struct provfix x;

	(void)state;
	provfix_open(&x);
	target = provfix_drive(&x, 11);
	production = provfix_drive(&x, 12);
	provfix_first(&x);
	provfix_production(&x, NULL);
	provfix_run(&x, &production);
	was = provfix_state(&x, &target);
	x.o.target = target;
	clear_contents(&x, &x.stage);
	for (int dry = 0; dry < 2; dry++) {
		x.o.dry_run = dry != 0;
		x.o.fetch = NULL;
		check_code(provfix_try(&x), ERR_PEERS);
		check(strstr(x.e.msg, "block 0 of core") != NULL);
		x.o.fetch = &fetch;
		check_code(provfix_try(&x), ERR_PEERS);
		check(p.last.kind == WANT_BLOCK && p.last.index == 0);
		check_same_state(was, provfix_state(&x, &target));
	}
	/* production's, which is to be copied */
	clear_contents(&x, &production);
	provfix_production(&x, &production);
	x.o.dry_run = false;
	x.o.fetch = NULL;
	check_code(provfix_try(&x), ERR_PEERS);
	check(strstr(x.e.msg, "production's blobs") != NULL);
	check_same_state(was, provfix_state(&x, &target));
	provfix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_diverged),
	    cmocka_unit_test(test_production_links),
	    cmocka_unit_test(test_source_links),
	    cmocka_unit_test(test_semver),
	    cmocka_unit_test(test_read_only),
	    cmocka_unit_test(test_hostile_source),
	    cmocka_unit_test(test_odd_target),
	    cmocka_unit_test(test_bootstrap),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_missing_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
