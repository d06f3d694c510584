/* Lies to a seeder that runs. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/arr.h"
#include "sockets.h"

#define TELL_MS 6000   /* to be told */
#define HEAR_MS 1500   /* until it is in the log */
#define FLOOD_MS 20000 /* to be sent, if it is long */
#define LATE_MS 60000  /* the same, of a lie that takes its time */
#define CHECK_MS 45000 /* for the honest peer */
/* Each from a host of its own, 127.0.0.N: handshakes of a host are limited.
 * Honest peers are at 127.0.0.1. */
#define HOST_FIRST 10
#define HOSTS 200

struct late {
	const struct wire_lie *lie;
	struct wire *w;
};

struct run {
	struct target *t;
	struct late *late;
	size_t nlate, cap;
	unsigned number;
};

const char *
sockets_judge(enum lie_end end, const char *reason, enum process_said said,
    const char *text)
{
	bool fits = reason == NULL || strstr(text, reason) != NULL;

	switch (end) {
	case LIE_DROPPED:
		return said == SAID_NOTHING ? "was not dropped"
		       : fits		    ? NULL
					    : "dropped for another reason";
	case LIE_BLAMED:
		return said != SAID_BLAMED ? "was not blamed"
		       : fits		   ? NULL
					   : "blamed for another reason";
	case LIE_IGNORED:
		return said == SAID_NOTHING ? NULL : "was dropped";
	case LIE_ANY:
		break;
	}
	return NULL;
}

void
sockets_report(struct target *t, const char *name, const char *wrong,
    const char *text, size_t peak)
{
	if (wrong == NULL)
		t->counts.passed++;
	else
		t->counts.failed++;
	printf("%s %-44s %s%s%s (%zu KiB)\n", wrong == NULL ? "ok  " : "FAIL",
	    name, wrong == NULL ? "" : wrong, wrong == NULL ? "" : ": ",
	    text[0] != '\0' ? text : "still there", peak >> 10);
}

static pid_t
start_check(struct run *r)
{
	static char number[16], check[4096];
	char *argv[] = {check, number, NULL};

	(void)snprintf(number, sizeof(number), "%u", r->number++);
	(void)snprintf(check, sizeof(check), "%s", r->t->check);
	return process_start(argv, NULL);
}

/* All that it has to say has to be heard. */
static void
finish_telling(struct wire *w)
{
	uint64_t until = wire_now() + (uint64_t)FLOOD_MS * 1000;

	while (w->udx != NULL && w->connected && !w->closed &&
	       udx_unsent(w->udx) > 0 && wire_now() < until)
		wire_turn(w, 1);
}

/* The liar goes on while the honest peer fetches. */
static const char *
await_check(struct wire *w, pid_t pid)
{
	uint64_t until = wire_now() + (uint64_t)CHECK_MS * 1000;
	size_t peak;
	int status;

	while (!process_ended(pid, &status, &peak)) {
		if (wire_now() > until) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			return "an honest peer waits for ever";
		}
		if (!w->closed)
			wire_turn(w, 5);
		else
			(void)poll(NULL, 0, 2);
	}
	return status == 0 ? NULL : "an honest peer does not get its data";
}

static enum process_said
await_log(struct run *r, struct wire *w, unsigned ms, char *text, size_t cap)
{
	uint64_t until = wire_now() + (uint64_t)ms * 1000;
	enum process_said said;

	for (;;) {
		said = process_said(r->t->log, &w->pair.pub, text, cap);
		if (said != SAID_NOTHING || wire_now() > until)
			return said;
		if (!w->closed)
			wire_turn(w, 10);
		else
			(void)poll(NULL, 0, 10);
	}
}

static enum err_code
tell(struct run *r, struct wire *w, const struct wire_lie *lie,
    const struct lie *inner, struct err *e)
{
	enum err_code rc =
	    wire_init(w, HOST_FIRST + r->number % HOSTS, 1000 + r->number, e);

	if (rc != ERR_OK)
		return rc;
	w->lie = lie;
	w->inner = inner;
	w->truth = r->t->core;
	wire_to(w, &r->t->at, &r->t->key);
	if (lie != NULL && lie->dial != NULL) {
		lie->dial(w);
		w->told = true;
	} else {
		rc = wire_handshake(w, e);
	}
	for (unsigned i = 0; rc == ERR_OK && i < TELL_MS / 50; i++) {
		if (w->closed || (w->told && i > 4))
			break;
		wire_run(w, 50);
	}
	return rc;
}

static void
judge(struct run *r, struct wire *w, const char *name, enum lie_end end,
    const char *reason, pid_t check)
{
	const char *wrong = await_check(w, check);
	enum process_said said;
	char text[512];
	size_t peak;

	finish_telling(w);
	said = await_log(
	    r, w, end == LIE_DROPPED ? HEAR_MS : 0, text, sizeof(text));
	peak = process_peak(r->t->pid);
	if (wrong == NULL)
		wrong = sockets_judge(end, reason, said, text);
	if (wrong == NULL && !w->told)
		wrong = "the lie was not told";
	if (peak == 0)
		wrong = "the seeder is gone";
	else if (peak > SEEDER_MEMORY_MAX)
		wrong = "took too much memory";
	sockets_report(r->t, name, wrong, text, peak);
}

static enum err_code
keep_late(
    struct run *r, struct wire *w, const struct wire_lie *lie, struct err *e)
{
	if (!ARR_RESERVE(r->late, r->nlate + 1, r->cap))
		return err_nomem(e);
	r->late[r->nlate++] = (struct late){lie, w};
	return ERR_OK;
}

static enum err_code
one(struct run *r, const struct wire_lie *lie, const struct lie *inner,
    struct err *e)
{
	struct wire *w = calloc(1, sizeof(*w));
	pid_t check;
	enum err_code rc;

	if (w == NULL)
		return err_nomem(e);
	check = start_check(r);
	rc = tell(r, w, lie, inner, e);
	if (rc == ERR_OK && lie != NULL && lie->when == LATE) {
		(void)await_check(w, check);
		if (process_peak(r->t->pid) == 0)
			return err_set(
			    e, ERR_NOT_FOUND, "the seeder has ended");
		return keep_late(r, w, lie, e);
	}
	if (rc == ERR_OK && lie != NULL)
		judge(r, w, lie->name, lie->end, lie->reason, check);
	else if (rc == ERR_OK)
		judge(r, w, inner->name, inner->end, inner->reason, check);
	wire_deinit(w);
	free(w);
	if (rc == ERR_OK && process_peak(r->t->pid) == 0)
		return err_set(e, ERR_NOT_FOUND, "the seeder has ended");
	return rc;
}

static bool
chosen(const struct target *t, const char *name)
{
	return t->only == NULL || strstr(name, t->only) != NULL;
}

static void
judge_late(struct run *r)
{
	for (size_t i = 0; i < r->nlate; i++) {
		const struct wire_lie *lie = r->late[i].lie;
		struct wire *w = r->late[i].w;
		enum process_said said;
		char text[512];

		w->closed = true; /* it is silent since */
		said = await_log(r, w, LATE_MS, text, sizeof(text));
		sockets_report(r->t, lie->name,
		    sockets_judge(lie->end, lie->reason, said, text), text,
		    process_peak(r->t->pid));
		wire_deinit(w);
		free(w);
	}
	free(r->late);
}

enum err_code
sockets_to_seeder(struct target *t, struct err *e)
{
	/* handshakes last: they use up what a host may have of them */
	const struct wire_lie *const bent[] = {
	    lies_packet, lies_stream, lies_hand};
	const struct lie *const said[] = {lies_frame, lies_ask};
	struct run r = {.t = t};
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < 2; i++)
		for (const struct lie *l = said[i];
		     rc == ERR_OK && l->name != NULL; l++)
			if (!l->slow && chosen(t, l->name))
				rc = one(&r, NULL, l, e);
	for (size_t i = 0; i < 3; i++)
		for (const struct wire_lie *l = bent[i];
		     rc == ERR_OK && l->name != NULL; l++)
			if (chosen(t, l->name))
				rc = one(&r, l, NULL, e);
	judge_late(&r);
	return rc;
}
