#include "cli/stop.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const int sigs[] = {SIGINT, SIGTERM, SIGHUP};
static volatile sig_atomic_t stopping, keep_hup, hup;

static void
on_signal(int sig)
{
	if (sig == SIGHUP && keep_hup != 0) {
		hup = 1;
		return;
	}
	if (stopping != 0 && sig == SIGINT)
		_exit(130);
	stopping = 1;
}

void
cli_stop_install(void)
{
	struct sigaction old;
	struct sigaction sa;
	size_t i;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	/* System calls in storage go on; prompts wait in poll(), which a
	 * signal always ends. */
	sa.sa_flags = SA_RESTART;
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		sa.sa_handler = on_signal;
		if (sigaction(sigs[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			(void)sigaction(sigs[i], &sa, NULL);
	}
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
}

bool
cli_stopping(void)
{
	return stopping != 0;
}

void
cli_stop_keep_hup(void)
{
	keep_hup = 1;
}

bool
cli_stop_hup(void)
{
	bool was = hup != 0;

	if (was)
		hup = 0;
	return was;
}

bool
cli_stop_poll(void *ctx)
{
	(void)ctx;
	return cli_stopping();
}

/* What is left until `end`, never negative. */
static struct timespec
left(const struct timespec *end)
{
	struct timespec now, t = {0, 0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec > end->tv_sec ||
	    (now.tv_sec == end->tv_sec && now.tv_nsec >= end->tv_nsec))
		return t;
	t.tv_sec = end->tv_sec - now.tv_sec;
	t.tv_nsec = end->tv_nsec - now.tv_nsec;
	if (t.tv_nsec < 0) {
		t.tv_sec--;
		t.tv_nsec += 1000000000;
	}
	return t;
}

/* Signals come in only inside ppoll(), so that none slips in between the
 * question and the wait. */
bool
cli_stop_wait(unsigned seconds)
{
	struct timespec end, t;
	sigset_t block, old;

	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaddset(&block, sigs[i]);
	sigprocmask(SIG_BLOCK, &block, &old);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	for (;;) {
		t = left(&end);
		if (stopping || (t.tv_sec == 0 && t.tv_nsec == 0))
			break;
		(void)ppoll(NULL, 0, &t, &old);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return !stopping;
}
