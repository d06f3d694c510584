/* Lies to a program that downloads: the liar listens, the honest seeder is
 * stopped until the lie was told. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "codec/z32.h"
#include "sockets.h"

#define HOST 2
#define ALONE_MS 1500  /* the liar is the only peer, */
#define FOUND_MS 10000 /* or until it is found out, if it has to be */
#define CHECK_MS 60000

struct read {
	struct target *t;
	struct wire w;
	pid_t pid;
	char log[4200];
	const char *wrong;
	size_t peak;
};

static void
start_reader(struct read *r, unsigned number)
{
	static char n[16], at[160], check[4096];
	char key[Z32_KEY_LEN + 1];
	char *argv[] = {check, n, at, NULL};

	(void)snprintf(n, sizeof(n), "%u", number);
	(void)snprintf(at, sizeof(at), "127.0.0.%d:%u:%s", HOST,
	    wire_port(&r->w), z32_key(key, &r->w.pair.pub));
	(void)snprintf(check, sizeof(check), "%s", r->t->check);
	(void)snprintf(r->log, sizeof(r->log), "%s/%u.log", r->t->dir, number);
	r->pid = process_start(argv, NULL);
}

/* Is the liar found out? */
static bool
over(const struct read *r)
{
	char text[512];

	return r->w.closed || (r->w.told && r->w.liar.requests > 0 &&
				  process_said(r->log, &r->w.pair.pub, text,
				      sizeof(text)) != SAID_NOTHING);
}

static void
await_reader(struct read *r)
{
	uint64_t begin = wire_now(), now = begin, ms = ALONE_MS;
	bool alone = true;
	int status = 0;

	if (r->w.inner->end == LIE_DROPPED || r->w.inner->end == LIE_BLAMED)
		ms = FOUND_MS;
	while (!process_ended(r->pid, &status, &r->peak)) {
		now = wire_now();
		if (alone && (over(r) || now - begin > ms * 1000)) {
			(void)kill(r->t->pid, SIGCONT);
			alone = false;
		}
		if (now - begin > (uint64_t)CHECK_MS * 1000) {
			(void)kill(r->pid, SIGKILL);
			(void)waitpid(r->pid, &status, 0);
			r->wrong = "it waits for ever";
			break;
		}
		if (!r->w.closed)
			wire_turn(&r->w, 5);
		else
			(void)poll(NULL, 0, 2);
	}
	(void)kill(r->t->pid, SIGCONT);
	if (r->wrong == NULL && status != 0)
		r->wrong = "its data is not right";
}

static enum err_code
one(struct target *t, const struct lie *lie, unsigned number, struct err *e)
{
	struct read *r = calloc(1, sizeof(*r));
	enum process_said said;
	char text[512];
	enum err_code rc;

	if (r == NULL)
		return err_nomem(e);
	r->t = t;
	if ((rc = wire_init(&r->w, HOST, 5000 + number, e)) == ERR_OK &&
	    (rc = wire_listen(&r->w, e)) == ERR_OK) {
		r->w.inner = lie;
		r->w.truth = t->core;
		(void)kill(t->pid, SIGSTOP);
		start_reader(r, number);
		await_reader(r);
		said = process_said(r->log, &r->w.pair.pub, text, sizeof(text));
		if (r->wrong == NULL)
			r->wrong =
			    sockets_judge(lie->end, lie->reason, said, text);
		if (r->wrong == NULL && !r->w.told)
			r->wrong = "the lie was not told";
		if (r->wrong == NULL && r->peak > READER_MEMORY_MAX)
			r->wrong = "took too much memory";
		sockets_report(t, lie->name, r->wrong, text, r->peak);
	}
	wire_deinit(&r->w);
	free(r);
	if (rc == ERR_OK && process_peak(t->pid) == 0)
		return err_set(e, ERR_NOT_FOUND, "the seeder has ended");
	return rc;
}

enum err_code
sockets_to_reader(struct target *t, struct err *e)
{
	const struct lie *const tables[] = {lies_proof, lies_say};
	enum err_code rc = ERR_OK;
	unsigned number = 1000;

	for (size_t i = 0; i < 2; i++)
		for (const struct lie *l = tables[i];
		     rc == ERR_OK && l->name != NULL; l++)
			if (t->only == NULL || strstr(l->name, t->only) != NULL)
				rc = one(t, l, number++, e);
	return rc;
}
