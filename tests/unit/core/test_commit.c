/* commit: several cores in one step, stored signatures, and what a kill
 * leaves behind. */
#include "fix.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- several cores, extra writes, stored signatures ----------------------- */

struct two {
	struct fix f;
	struct core *a, *b;
	struct core_batch *batch[2];
};

static void
two_open(struct two *t)
{
	struct err e = ERR_INIT;
	struct sign_pair pair;
	struct manifest m;
	struct b32 seed, key;

	fix_open(&t->f, 1, true);
	memset(seed.b, 2, sizeof(seed.b));
	check_ok(sign_pair_seed(&pair, &seed, &e), &e);
	manifest_single(&m, &pair.pub);
	manifest_key(&key, &m);
	check_ok(core_add(t->f.s, &m, &key, &pair, &e), &e);
	check_ok(store_refresh(t->f.s, &e), &e);
	sign_pair_free(&pair);
	t->a = fix_core(&t->f, CORE_WRITE);
	check_ok(core_open(&t->b, t->f.s, &key, CORE_WRITE, &e), &e);
	t->batch[0] = fix_batch(t->a);
	t->batch[1] = fix_batch(t->b);
}

static void
two_close(struct two *t)
{
	core_batch_free(t->batch[0]);
	core_batch_free(t->batch[1]);
	core_close(t->a);
	core_close(t->b);
	fix_close(&t->f);
}

static enum err_code
put_name(void *ctx, struct store_txn *txn, struct err *e)
{
	return store_put(txn, STORE_NAMES, view_str("name"), view_str(ctx), e);
}

static enum err_code
refuse(void *ctx, struct store_txn *txn, struct err *e)
{
	(void)txn;
	return err_set(e, ERR_IO, "%s", (const char *)ctx);
}

static void
append_both(struct two *t, unsigned n)
{
	struct err e = ERR_INIT;
	char space[64];

	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < 2; k++)
			check_ok(core_batch_append(t->batch[k],
				     fix_block(core_batch_length(t->batch[k]),
					 space, sizeof(space)),
				     NULL, &e),
			    &e);
}

static void
test_two_cores(void **state)
{
	struct err e = ERR_INIT;
	struct two t;
	char name[] = "value";
	struct core_commit commit = {.nbatch = 2, .also = refuse, .ctx = name};
	struct view val;

	(void)state;
	two_open(&t);
	commit.batch = t.batch;
	append_both(&t, 5);
	/* The last word belongs to `also`; nothing has moved. */
	check_code(core_commit(&commit, &e), ERR_IO);
	check(core_head(t.a)->length == 0 && core_head(t.b)->length == 0);
	commit.also = put_name;
	check_ok(core_commit(&commit, &e), &e);
	fix_expect(t.a, 5);
	fix_expect(t.b, 5);
	check_ok(
	    store_get(t.f.s, NULL, STORE_NAMES, view_str("name"), &val, &e),
	    &e);
	check_same(val, view_str("value"));
	/* The batches are empty and go on. */
	check(core_batch_length(t.batch[0]) == 5);
	append_both(&t, 130);
	check_ok(core_commit(&commit, &e), &e);
	fix_expect(t.a, 135);
	check_ok(core_verify(t.a, &e), &e);
	check_ok(core_verify(t.b, &e), &e);
	two_close(&t);
}

static void
test_stored_signature(void **state)
{
	struct err e = ERR_INIT;
	struct fix signer, f;
	struct core *c, *d;
	struct core_batch *b;
	struct core_commit commit = {.batch = &b, .nbatch = 1};
	struct view sig;
	uint8_t bad[128];
	char space[64];

	(void)state;
	fix_open(&signer, 3, true);
	c = fix_core(&signer, CORE_WRITE);
	fix_append(c, 6);
	fix_open(&f, 3, false);
	check_ok(core_add(f.s, &f.m, &f.key, NULL, &e), &e);
	check_ok(store_refresh(f.s, &e), &e);
	d = fix_core(&f, CORE_REPLICA);
	b = fix_batch(d);
	for (uint64_t i = 0; i < 6; i++)
		check_ok(core_batch_append(
			     b, fix_block(i, space, sizeof(space)), NULL, &e),
		    &e);
	check_code(core_commit(&commit, &e), ERR_READONLY);
	memcpy(bad, core_signature(c).ptr, core_signature(c).len);
	bad[30] ^= 1;
	sig = view_of(bad, core_signature(c).len);
	commit.signature = &sig;
	check_code(core_commit(&commit, &e), ERR_VERIFY);
	check(core_head(d)->length == 0);
	sig = core_signature(c);
	check_ok(core_commit(&commit, &e), &e);
	fix_expect(d, 6);
	check_ok(core_verify(d, &e), &e);
	core_batch_free(b);
	core_close(c);
	core_close(d);
	fix_close(&signer);
	fix_close(&f);
}

/* -- kills ---------------------------------------------------------------- */

/* Open, do something, never come back in order: the timer kills, or the end
 * does. */
static void
child_writes(struct fix *f, unsigned how, long delay)
{
	const struct itimerval timer = {.it_value.tv_usec = delay};
	struct core *c;
	struct core_batch *b;
	struct err e = ERR_INIT;

	if (delay != 0)
		check(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	fix_store(f);
	c = fix_core(f, CORE_WRITE);
	b = fix_batch(c);
	if (how % 2 == 1 && core_head(c)->length > 1)
		check_ok(
		    core_batch_truncate(b, core_head(c)->length / 2, &e), &e);
	for (unsigned i = 0; i < 40 + how; i++) {
		struct buf v;

		buf_init(&v, 1 << 20);
		buf_fill(&v, (uint8_t)core_batch_length(b), 5000 + i);
		check_ok(core_batch_append(b, buf_view(&v), NULL, &e), &e);
		buf_deinit(&v);
	}
	if (how == 0)
		kill(getpid(), SIGKILL);
	fix_commit(b);
	kill(getpid(), SIGKILL);
}

/* One child, killed after delay microseconds or at its end. Then the store is
 * whole and its head is the old one or the new one. */
static uint64_t
kill_once(struct fix *f, unsigned how, long delay)
{
	struct err e = ERR_INIT;
	struct core *c;
	struct core_head before, after;
	pid_t pid;
	int status;

	c = fix_core(f, CORE_WRITE);
	before = *core_head(c);
	core_close(c);
	store_close(f->s);
	f->s = NULL;
	pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		child_writes(f, how, delay);
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid);
	check(WIFSIGNALED(status));
	check(WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGALRM);
	fix_store(f);
	c = fix_core(f, CORE_WRITE);
	after = *core_head(c);
	check_ok(core_verify(c, &e), &e);
	check(after.contiguous == after.length);
	if (after.fork == before.fork && after.length == before.length)
		check(b32_eq(&after.tree_hash, &before.tree_hash));
	else if (after.fork == before.fork)
		check(after.length == before.length + 40 + how);
	else
		check(after.fork == before.fork + 1 &&
		      after.length == before.length / 2 + 40 + how);
	core_close(c);
	return after.length != before.length || after.fork != before.fork;
}

static void
test_kills(void **state)
{
	struct fix f;
	unsigned moved = 0, n = 48;
	uint32_t x = 2463534242u;

	(void)state;
	fix_open(&f, 6, true);
	check(kill_once(&f, 0, 0) == 0); /* appended, not committed */
	check(kill_once(&f, 2, 0) == 1); /* committed */
	check(kill_once(&f, 3, 0) == 1); /* truncated, overwritten */
	for (unsigned i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		moved +=
		    kill_once(&f, 1 + i % 8, 500 + (long)(x % 20000)) ? 1 : 0;
	}
	check(moved <= n);
	fix_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_two_cores),
	    cmocka_unit_test(test_stored_signature),
	    cmocka_unit_test(test_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
