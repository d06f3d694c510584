#include "cmd/pear-touch/vanity.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "codec/z32.h"
#include "core/identity.h"

#define THREADS_MAX 256
#define BURST 64 /* attempts between looks at the flag */

struct search {
	const char *prefix;
	size_t prefix_len;
	atomic_bool done;
	atomic_uint_fast64_t attempts;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t found_or_failed;
	bool found, failed;
	struct sign_pair pair;
	struct err e;
};

enum err_code
vanity_check(const char *prefix, struct err *e)
{
	struct buf bytes;
	struct err why = ERR_INIT;
	enum err_code rc;

	if (prefix[0] == '\0')
		return err_set(e, ERR_INVALID, "Vanity key must not be empty");
	if (strlen(prefix) >= Z32_KEY_LEN)
		return err_set(
		    e, ERR_INVALID, "Vanity key must be shorter than a key");
	buf_init(&bytes, Z32_KEY_LEN);
	rc = z32_decode(view_str(prefix), &bytes, &why);
	buf_deinit(&bytes);
	if (rc == ERR_OK)
		return ERR_OK;
	return err_set(e, ERR_INVALID,
	    "Vanity key must contain only z32 characters (%s)", why.msg);
}

/* The next seed: a 256-bit little-endian count from a random start, as hard
 * to guess as the start itself. */
static void
step(struct b32 *seed)
{
	size_t i = 0;

	while (i < sizeof(seed->b) && ++seed->b[i] == 0)
		i++;
}

static bool
try_seed(const struct search *s, const struct b32 *seed)
{
	char text[Z32_KEY_LEN + 1];
	struct b32 pub;
	struct b32 key;

	sign_seed_public(&pub, seed);
	core_identity_key(&key, &pub);
	return strncmp(z32_key(text, &key), s->prefix, s->prefix_len) == 0;
}

static bool
burst(struct search *s, struct b32 *seed)
{
	int i;

	for (i = 0; i < BURST; i++) {
		if (try_seed(s, seed))
			return true;
		step(seed);
	}
	atomic_fetch_add(&s->attempts, BURST);
	return false;
}

static void
report_found(struct search *s, const struct b32 *seed)
{
	(void)pthread_mutex_lock(&s->lock);
	if (!s->found && !s->failed) {
		s->failed = sign_pair_seed(&s->pair, seed, &s->e) != ERR_OK;
		s->found = !s->failed;
	}
	atomic_store(&s->done, true);
	(void)pthread_cond_signal(&s->found_or_failed);
	(void)pthread_mutex_unlock(&s->lock);
}

static void
report_failed(struct search *s, const struct err *e)
{
	(void)pthread_mutex_lock(&s->lock);
	if (!s->found && !s->failed) {
		s->failed = true;
		s->e = *e;
	}
	atomic_store(&s->done, true);
	(void)pthread_cond_signal(&s->found_or_failed);
	(void)pthread_mutex_unlock(&s->lock);
}

static void *
worker(void *arg)
{
	struct search *s = arg;
	struct secret mem = {NULL, 0};
	struct err e = ERR_INIT;

	if (secret_new(&mem, sizeof(struct b32), &e) != ERR_OK) {
		report_failed(s, &e);
		return NULL;
	}
	secret_random(mem.ptr, mem.len);
	while (!atomic_load(&s->done)) {
		/* b32 is bytes only: any address will do */
		struct b32 *seed = (struct b32 *)(void *)mem.ptr;

		if (burst(s, seed))
			report_found(s, seed);
	}
	secret_free(&mem);
	return NULL;
}

static uint64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Sleep up to 100 ms or until a thread reports. */
static void
wait_a_bit(struct search *s)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 100000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	(void)pthread_mutex_lock(&s->lock);
	if (!s->found && !s->failed)
		(void)pthread_cond_timedwait(
		    &s->found_or_failed, &s->lock, &until);
	(void)pthread_mutex_unlock(&s->lock);
}

static enum err_code
watch(struct search *s, const struct vanity *v, struct err *e)
{
	uint64_t start = now_ms();

	while (!atomic_load(&s->done)) {
		uint64_t n;
		uint64_t ms;

		wait_a_bit(s);
		n = atomic_load(&s->attempts);
		ms = now_ms() - start;
		if (v->stop(v->ctx))
			return err_set(e, ERR_INTERRUPTED,
			    "interrupted; nothing was made");
		if (v->timeout_ms != 0 && ms >= v->timeout_ms &&
		    !atomic_load(&s->done))
			return err_set(e, ERR_LIMIT,
			    "no key with prefix %s in %" PRIu64
			    " attempts; nothing was made",
			    v->prefix, n);
		v->progress(v->ctx, n, ms);
	}
	return ERR_OK;
}

static size_t
thread_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n > THREADS_MAX ? THREADS_MAX : (size_t)n;
}

static enum err_code
run_threads(struct search *s, const struct vanity *v, struct err *e)
{
	pthread_t thread[THREADS_MAX];
	size_t want = thread_count();
	size_t n = 0;
	int os = 0;
	enum err_code rc;

	while (
	    n < want && (os = pthread_create(&thread[n], NULL, worker, s)) == 0)
		n++;
	rc = n > 0 ? watch(s, v, e) : err_os(e, os, "start a thread");
	atomic_store(&s->done, true);
	while (n > 0)
		(void)pthread_join(thread[--n], NULL);
	return rc;
}

enum err_code
vanity_search(struct sign_pair *out, const struct vanity *v, struct err *e)
{
	struct search s;
	enum err_code rc;

	memset(&s, 0, sizeof(s));
	s.prefix = v->prefix;
	s.prefix_len = strlen(v->prefix);
	atomic_init(&s.done, false);
	atomic_init(&s.attempts, 0);
	(void)pthread_mutex_init(&s.lock, NULL);
	(void)pthread_cond_init(&s.found_or_failed, NULL);
	rc = run_threads(&s, v, e);
	(void)pthread_cond_destroy(&s.found_or_failed);
	(void)pthread_mutex_destroy(&s.lock);
	if (rc == ERR_OK && s.failed) {
		if (e != NULL)
			*e = s.e;
		return s.e.code;
	}
	if (rc == ERR_OK)
		*out = s.pair;
	else if (s.found)
		sign_pair_free(&s.pair);
	return rc;
}
