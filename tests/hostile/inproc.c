#include "inproc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"
#include "codec/z32.h"
#include "memory.h"
#include "net/mux/mux.h"
#include "replicate/replicate.h"

#define STEP_US 1000
#define ROUNDS_MAX 20000
/* What a lie may cost the victim, the liar's own buffers included. */
#define MEMORY_MAX (96u << 20)
/* Virtual time after which the honest peer comes to the reader. */
#define HONEST_US UINT64_C(4000000)
#define END_US UINT64_C(600000000)

struct side {
	struct store *store;
	struct replicate *r;
	struct replicate_peer *liar, *other; /* its connections */
	struct replicate_core *core;	     /* if it reads */
};

struct stage {
	const struct lie *lie;
	struct bed *bed;
	struct side victim, honest;
	struct liar liar;
	uint64_t now;
	struct err why; /* the liar's connection ended */
	bool gone;
	bool blamed;
	char blame[256];
	bool strange; /* a block that nobody asked for was stored */
	const char *broken;
};

/* -- links ---------------------------------------------------------------- */

static void
drop_liar(struct stage *st)
{
	st->gone = st->liar.dropped = true;
	replicate_peer_remove(st->victim.liar, st->now);
	st->victim.liar = NULL;
}

static bool
peers_fault(enum err_code rc)
{
	return rc != ERR_NOMEM && rc != ERR_IO && rc != ERR_NOSPACE &&
	       rc != ERR_CORRUPT;
}

/* The liar speaks: straight into the victim. */
static void
deliver(void *ctx, struct view frame)
{
	struct stage *st = ctx;
	enum err_code rc;

	if (st->victim.liar == NULL)
		return;
	rc = replicate_peer_recv(st->victim.liar, frame, st->now, &st->why);
	if (rc == ERR_OK)
		return;
	if (!peers_fault(rc))
		st->broken = "the victim blamed itself";
	drop_liar(st);
}

static void
drain_to_liar(struct stage *st)
{
	uint8_t *data;
	size_t len;

	while (st->victim.liar != NULL &&
	       replicate_peer_take(st->victim.liar, &data, &len)) {
		liar_recv(&st->liar, view_of(data + MUX_FRAME_HEAD, len));
		free(data);
	}
}

static bool
drain(struct replicate_peer *from, struct replicate_peer *to, uint64_t now,
    struct err *e)
{
	uint8_t *data;
	size_t len;
	enum err_code rc = ERR_OK;

	while (from != NULL && rc == ERR_OK &&
	       replicate_peer_take(from, &data, &len)) {
		rc = replicate_peer_recv(
		    to, view_of(data + MUX_FRAME_HEAD, len), now, e);
		free(data);
	}
	return rc == ERR_OK;
}

static enum err_code
connect(struct stage *st, struct side *a, struct replicate_peer **out,
    bool initiator, struct err *e)
{
	static const uint8_t hash[64] = "two peers that are honest";
	struct replicate_peer_opts o = {.initiator = initiator, .hash = hash};

	o.key.b[0] = initiator ? 2 : 3;
	return replicate_peer_add(a->r, &o, st->now, out, e);
}

static enum err_code
connect_honest(struct stage *st, struct err *e)
{
	enum err_code rc = connect(st, &st->honest, &st->honest.other, true, e);

	if (rc == ERR_OK)
		rc = connect(st, &st->victim, &st->victim.other, false, e);
	return rc;
}

static enum err_code
connect_liar(struct stage *st, struct err *e)
{
	static const uint8_t hash[64] = "a peer that lies";
	bool to_seeder = st->lie->victim == TO_SEEDER;
	struct replicate_peer_opts o = {.initiator = !to_seeder, .hash = hash};
	enum err_code rc;

	o.key.b[0] = 1;
	rc = liar_init(&st->liar, st->lie, st->bed->core, to_seeder, hash, e);
	if (rc != ERR_OK)
		return rc;
	st->liar.send = deliver;
	st->liar.ctx = st;
	return replicate_peer_add(
	    st->victim.r, &o, st->now, &st->victim.liar, e);
}

/* -- the play ------------------------------------------------------------- */

/* Nothing may be stored that the liar was not asked for, as long as it is the
 * only one who could have given it. */
static void
look_for_strangers(struct stage *st)
{
	struct core *c;

	if (st->victim.core == NULL || st->victim.other != NULL)
		return;
	c = replicate_core_handle(st->victim.core);
	for (uint64_t i = 0; i < core_head(c)->length; i++)
		if (core_has(c, i) && !st->liar.asked[i])
			st->strange = true;
}

static void
hear(struct stage *st)
{
	struct replicate_event ev;

	while (replicate_next(st->victim.r, &ev))
		if (ev.kind == REPLICATE_BLAMED && ev.peer != NULL &&
		    ev.peer == st->victim.liar) {
			st->blamed = true;
			memcpy(st->blame, ev.text, sizeof(st->blame));
		} else if (ev.kind == REPLICATE_BLAMED &&
			   ev.peer == st->victim.other && ev.peer != NULL) {
			st->broken = "the honest peer was blamed";
		}
	while (replicate_next(st->honest.r, &ev))
		if (ev.kind == REPLICATE_BLAMED)
			st->broken = "the honest peer blames";
}

static bool
complete(const struct side *s)
{
	struct core *c = replicate_core_handle(s->core);
	const struct core_head *h = core_head(c);

	return h->length == BED_LENGTH && h->contiguous == h->length;
}

static enum err_code
step(struct stage *st, bool *more, struct err *e)
{
	bool a = false, b = false;
	enum err_code rc;

	if (st->victim.liar != NULL)
		replicate_peer_credit(st->victim.liar, 256u << 10);
	if (st->victim.other != NULL) {
		replicate_peer_credit(st->victim.other, 256u << 10);
		replicate_peer_credit(st->honest.other, 256u << 10);
	}
	if ((rc = replicate_step(st->victim.r, st->now, &a, e)) != ERR_OK ||
	    (rc = replicate_step(st->honest.r, st->now, &b, e)) != ERR_OK)
		return rc;
	*more = a || b;
	drain_to_liar(st);
	if (st->victim.liar != NULL)
		liar_tick(&st->liar);
	if (!drain(st->honest.other, st->victim.other, st->now, e) ||
	    !drain(st->victim.other, st->honest.other, st->now, e))
		return e->code;
	hear(st);
	look_for_strangers(st);
	return ERR_OK;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Time goes on by little while there is work, else to the next deadline. */
static void
let_time_pass(struct stage *st, bool more)
{
	uint64_t next = least(
	    replicate_deadline(st->victim.r), replicate_deadline(st->honest.r));

	st->now += STEP_US;
	if (more || next <= st->now)
		return;
	st->now = least(next, st->now + 100 * STEP_US);
}

static bool
must_end(const struct lie *lie)
{
	return lie->end == LIE_DROPPED || lie->end == LIE_BLAMED;
}

static enum err_code
play(struct stage *st, struct err *e)
{
	bool seeding = st->lie->victim == TO_SEEDER, more = false;
	const struct side *reader = seeding ? &st->honest : &st->victim;
	uint64_t begin = st->now;
	enum err_code rc = ERR_OK;

	if (seeding && (rc = connect_honest(st, e)) != ERR_OK)
		return rc;
	liar_begin(&st->liar);
	for (unsigned i = 0; rc == ERR_OK && i < ROUNDS_MAX; i++) {
		rc = step(st, &more, e);
		if (rc == ERR_OK && !seeding && st->victim.other == NULL &&
		    (st->gone || st->blamed || st->now - begin > HONEST_US))
			rc = connect_honest(st, e);
		if (rc != ERR_OK || st->now - begin > END_US)
			break;
		if (complete(reader) && st->now - begin > HONEST_US &&
		    (st->gone || st->blamed || !must_end(st->lie)))
			break;
		let_time_pass(st, more);
	}
	return rc;
}

/* -- judging -------------------------------------------------------------- */

static const char *
judge_end(const struct stage *st)
{
	const char *want = st->lie->reason;

	switch (st->lie->end) {
	case LIE_DROPPED:
		if (!st->gone)
			return "was not dropped";
		return want == NULL || strstr(st->why.msg, want) != NULL
			   ? NULL
			   : "dropped for another reason";
	case LIE_BLAMED:
		if (st->gone && !st->blamed)
			return "dropped, not blamed";
		if (!st->blamed)
			return "was not blamed";
		return want == NULL || strstr(st->blame, want) != NULL
			   ? NULL
			   : "blamed for another reason";
	case LIE_IGNORED:
		return st->gone	    ? "was dropped"
		       : st->blamed ? "was blamed"
				    : NULL;
	case LIE_ANY:
		break;
	}
	return NULL;
}

static const char *
judge(struct stage *st, const struct side *reader, size_t peak)
{
	struct err e = ERR_INIT;
	const char *why = judge_end(st);

	if (st->broken != NULL)
		return st->broken;
	if (st->strange)
		return "stored what it did not ask for";
	if (!complete(reader))
		return "others do not get their data";
	if (core_verify(replicate_core_handle(reader->core), &e) != ERR_OK)
		return "what was stored does not verify";
	if (peak > MEMORY_MAX)
		return "took too much memory";
	return why;
}

/* -- a stage for each lie ------------------------------------------------- */

static enum err_code
open_side(struct side *s, const char *dir, bool serve, struct err *e)
{
	struct store_opts so = {.dir = dir, .mode = STORE_CREATE};
	struct replicate_opts ro = {.serve = serve};
	enum err_code rc = store_open(&s->store, &so, e);

	return rc == ERR_OK ? replicate_new(&s->r, s->store, &ro, e) : rc;
}

static void
close_side(struct side *s)
{
	replicate_free(s->r);
	store_close(s->store);
}

static enum err_code
set(struct stage *st, const char *dir, struct err *e)
{
	struct side *seeder = &st->victim, *reader = &st->honest;
	enum err_code rc;

	if (st->lie->victim == TO_READER) {
		seeder = &st->honest;
		reader = &st->victim;
	}
	if ((rc = open_side(seeder, st->bed->dir, true, e)) != ERR_OK ||
	    (rc = open_side(reader, dir, true, e)) != ERR_OK ||
	    (rc = replicate_open(reader->r, &st->bed->key, &reader->core, e)) !=
		ERR_OK ||
	    (rc = replicate_download(reader->core, 0, UINT64_MAX, e)) !=
		ERR_OK ||
	    (rc = connect_liar(st, e)) != ERR_OK)
		return rc;
	return play(st, e);
}

static enum err_code
tell(struct bed *bed, const struct lie *lie, const char *dir,
    struct inproc_counts *counts, struct err *e)
{
	struct stage *st = calloc(1, sizeof(*st));
	const struct side *reader;
	const char *wrong;
	size_t peak;
	enum err_code rc;

	if (st == NULL)
		return err_nomem(e);
	st->lie = lie;
	st->bed = bed;
	st->now = UINT64_C(1000000000);
	memory_mark();
	rc = set(st, dir, e);
	peak = memory_peak();
	reader = lie->victim == TO_SEEDER ? &st->honest : &st->victim;
	if (rc == ERR_OK) {
		wrong = judge(st, reader, peak);
		if (wrong == NULL)
			counts->passed++;
		else
			counts->failed++;
		printf("%s %-44s %s%s%s (%zu KiB)\n",
		    wrong == NULL ? "ok  " : "FAIL", lie->name,
		    wrong == NULL ? "" : wrong, wrong == NULL ? "" : ": ",
		    st->gone	 ? st->why.msg
		    : st->blamed ? st->blame
				 : "still there",
		    peak >> 10);
	}
	close_side(&st->victim);
	close_side(&st->honest);
	liar_deinit(&st->liar);
	free(st);
	return rc;
}

static enum err_code
tell_table(struct bed *bed, const struct lie *table, const char *dir,
    const char *only, struct inproc_counts *counts, struct err *e)
{
	static unsigned number;
	enum err_code rc = ERR_OK;
	char store[4096];

	for (; table->name != NULL && rc == ERR_OK; table++) {
		if (only != NULL && strstr(table->name, only) == NULL)
			continue;
		(void)snprintf(
		    store, sizeof(store), "%s/lie-%u", dir, number++);
		rc = tell(bed, table, store, counts, e);
		if (rc != ERR_OK)
			(void)!err_wrap(e, "%s", table->name);
	}
	return rc;
}

enum err_code
inproc_run(const char *dir, const char *only, struct inproc_counts *counts,
    struct err *e)
{
	const struct lie *const tables[] = {
	    lies_frame, lies_ask, lies_proof, lies_say};
	struct bed bed;
	enum err_code rc = bed_make(&bed, dir, e);

	for (size_t i = 0; i < 4 && rc == ERR_OK; i++)
		rc = tell_table(&bed, tables[i], dir, only, counts, e);
	bed_free(&bed);
	return rc;
}
