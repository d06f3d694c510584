#include "drive/statcache.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "crypto/hash.h"

#define KEY_SIZE 24
#define ROW_SIZE 49 /* LE64: dev ino size mtime ctime seq, u8 executable */

struct row {
	uint8_t key[KEY_SIZE];
	uint8_t val[ROW_SIZE];
	bool gone;
};

struct statcache {
	struct store *store;
	uint8_t drive[8];
	int64_t now; /* ns */
	struct row *row;
	size_t n, cap;
};

enum err_code
statcache_new(
    struct statcache **out, struct hyperdrive *d, int64_t now, struct err *e)
{
	struct core *db = hyperdrive_db(d);
	struct statcache *sc = calloc(1, sizeof(*sc));

	if (sc == NULL)
		return err_nomem(e);
	sc->store = core_store(db);
	sc->now = now;
	memcpy(sc->drive, core_discovery_key(db)->b, sizeof(sc->drive));
	*out = sc;
	return ERR_OK;
}

void
statcache_free(struct statcache *sc)
{
	if (sc == NULL)
		return;
	free(sc->row);
	free(sc);
}

/* File systems hold times that 64 bits of nanoseconds do not: those are the
 * first and the last moment. */
static int64_t
ns(struct timespec t)
{
	if (t.tv_sec > INT64_MAX / 1000000000 - 1)
		return INT64_MAX;
	if (t.tv_sec < INT64_MIN / 1000000000 + 1)
		return INT64_MIN;
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
make_key(const struct statcache *sc, struct view path, uint8_t out[KEY_SIZE])
{
	struct b32 h;

	hash_data(&h, path);
	memcpy(out, sc->drive, 8);
	memcpy(out + 8, h.b, 16);
}

static void
make_value(const struct stat *st, uint64_t seq, uint8_t out[ROW_SIZE])
{
	const uint64_t field[6] = {st->st_dev, st->st_ino,
	    (uint64_t)st->st_size, (uint64_t)ns(st->st_mtim),
	    (uint64_t)ns(st->st_ctim), seq};

	for (size_t i = 0; i < 48; i++)
		out[i] = (uint8_t)(field[i / 8] >> (8 * (i % 8)));
	out[48] = (st->st_mode & S_IXUSR) != 0;
}

bool
statcache_hit(
    struct statcache *sc, struct view path, const struct stat *st, uint64_t seq)
{
	uint8_t key[KEY_SIZE], val[ROW_SIZE];
	struct view got;

	make_key(sc, path, key);
	if (store_get(sc->store, NULL, STORE_STATS, view_of(key, KEY_SIZE),
		&got, NULL) != ERR_OK)
		return false;
	make_value(st, seq, val);
	return view_eq(got, view_of(val, ROW_SIZE));
}

/* Could the file have changed after it was read without its times moving?
 * Times with nanoseconds come from a clock that ticks every few ms; whole
 * seconds may come from a file system that knows nothing finer. */
static bool
racy(const struct statcache *sc, const struct stat *st)
{
	int64_t m = ns(st->st_mtim), c = ns(st->st_ctim);
	int64_t newest = m > c ? m : c;
	bool coarse = st->st_ctim.tv_nsec == 0 || st->st_mtim.tv_nsec == 0;
	int64_t tick = coarse ? 2000000000 : 20000000;

	return newest >= sc->now - tick;
}

static enum err_code
add_row(struct statcache *sc, struct view path, struct row **out, struct err *e)
{
	if (!ARR_RESERVE(sc->row, sc->n + 1, sc->cap))
		return err_nomem(e);
	*out = &sc->row[sc->n++];
	make_key(sc, path, (*out)->key);
	return ERR_OK;
}

enum err_code
statcache_learn(struct statcache *sc, struct view path, const struct stat *st,
    uint64_t seq, struct err *e)
{
	enum err_code rc;
	struct row *r;

	if (racy(sc, st))
		return ERR_OK;
	if ((rc = add_row(sc, path, &r, e)) != ERR_OK)
		return rc;
	make_value(st, seq, r->val);
	r->gone = false;
	return ERR_OK;
}

enum err_code
statcache_forget(struct statcache *sc, struct view path, struct err *e)
{
	enum err_code rc;
	struct row *r;

	if ((rc = add_row(sc, path, &r, e)) == ERR_OK)
		r->gone = true;
	return rc;
}

bool
statcache_dirty(const struct statcache *sc)
{
	return sc->n > 0;
}

static int
by_key(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return memcmp(x->key, y->key, KEY_SIZE);
}

enum err_code
statcache_save(struct statcache *sc, struct store_txn *txn, struct err *e)
{
	enum err_code rc = ERR_OK;

	/* ascending keys touch each index page once */
	if (sc->n > 0)
		qsort(sc->row, sc->n, sizeof(*sc->row), by_key);
	for (size_t i = 0; rc == ERR_OK && i < sc->n; i++) {
		struct row *r = &sc->row[i];
		struct view key = view_of(r->key, KEY_SIZE);

		if (r->gone)
			rc = store_del(txn, STORE_STATS, key, e);
		else
			rc = store_put(txn, STORE_STATS, key,
			    view_of(r->val, ROW_SIZE), e);
	}
	return rc;
}
