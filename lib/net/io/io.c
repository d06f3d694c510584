/* The loop, its thread, timer, wake-up and watch. */
#include "net/io/io.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/bug.h"
#include "net/io/impl.h"

#define HOUR_MS 3600000u

static enum err_code
uv_err(struct err *e, int status, const char *what)
{
	return err_os(e, -status, "%s", what);
}

static void
on_wake(uv_async_t *a)
{
	struct io *io = a->data;

	io->busy = true;
	if (__atomic_load_n(&io->stopping, __ATOMIC_ACQUIRE)) {
		uv_stop(&io->loop);
		return;
	}
	if (io->handler.wake != NULL)
		io->handler.wake(io->ctx, io_now());
}

static void
on_change(uv_fs_event_t *w, const char *name, int events, int status)
{
	struct io *io = w->data;

	(void)name;
	(void)events;
	if (status != 0 || io->handler.changed == NULL)
		return;
	io->busy = true;
	io->handler.changed(io->ctx, io_now());
}

static void on_timer(uv_timer_t *t);

/* The timer of libuv counts milliseconds of the loop's own clock, which is
 * older than ours by the time of this turn: round up. */
static void
arm(struct io *io, uint64_t deadline, uint64_t least_ms)
{
	uint64_t now = io_now();
	uint64_t ms;

	if (deadline == IO_NEVER) {
		uv_timer_stop(&io->timer);
		return;
	}
	ms = deadline <= now ? 0 : (deadline - now + 999) / 1000;
	if (ms < least_ms)
		ms = least_ms;
	if (ms > HOUR_MS)
		ms = HOUR_MS;
	uv_update_time(&io->loop);
	bug_if(uv_timer_start(&io->timer, on_timer, ms, 0) != 0);
}

static void
turn(struct io *io, uint64_t least_ms)
{
	io->busy = false;
	if (__atomic_load_n(&io->stopping, __ATOMIC_ACQUIRE))
		return;
	if (io->handler.turn != NULL)
		arm(io, io->handler.turn(io->ctx, io_now()), least_ms);
}

/* Timers run before the loop waits for input, the check after it. libuv runs
 * those that are due until none is: one that is due again at once would keep
 * it from the input for ever. */
static void
on_timer(uv_timer_t *t)
{
	turn(t->data, 1);
}

static void
on_check(uv_check_t *k)
{
	struct io *io = k->data;

	if (io->busy)
		turn(io, 0);
}

static enum err_code
start_handles(struct io *io, struct err *e)
{
	int status;

	if ((status = uv_async_init(&io->loop, &io->wake, on_wake)) != 0 ||
	    (status = uv_timer_init(&io->loop, &io->timer)) != 0 ||
	    (status = uv_check_init(&io->loop, &io->check)) != 0 ||
	    (status = uv_check_start(&io->check, on_check)) != 0)
		return uv_err(e, status, "network loop");
	io->wake.data = io->timer.data = io->check.data = io;
	return ERR_OK;
}

enum err_code
io_new(struct io **out, const struct io_handler *h, void *ctx, struct err *e)
{
	struct io *io = calloc(1, sizeof(*io));
	enum err_code rc;
	int status;

	if (io == NULL)
		return err_nomem(e);
	io->handler = *h;
	io->ctx = ctx;
	if ((io->buffer = malloc(IO_BATCH * (size_t)IO_BUFFER)) == NULL) {
		free(io);
		return err_nomem(e);
	}
	if ((status = uv_loop_init(&io->loop)) != 0) {
		free(io->buffer);
		free(io);
		return uv_err(e, status, "network loop");
	}
	if ((rc = start_handles(io, e)) != ERR_OK) {
		io_free(io);
		return rc;
	}
	*out = io;
	return ERR_OK;
}

static void
run(void *arg)
{
	struct io *io = arg;

	io->busy = true; /* the first turn sets the deadline */
	uv_async_send(&io->wake);
	(void)uv_run(&io->loop, UV_RUN_DEFAULT);
}

enum err_code
io_start(struct io *io, struct err *e)
{
	sigset_t all, before;
	enum err_code rc = ERR_OK;
	int status;

	for (struct io_socket *s = io->sockets; s != NULL && rc == ERR_OK;
	     s = s->next)
		rc = io_socket_arm(s, e);
	if (rc != ERR_OK)
		return rc;
	io->armed = true;
	sigfillset(&all);
	if ((status = pthread_sigmask(SIG_SETMASK, &all, &before)) != 0)
		return err_os(e, status, "signal mask");
	status = uv_thread_create(&io->thread, run, io);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status != 0)
		return uv_err(e, status, "network thread");
	io->running = true;
	return ERR_OK;
}

void
io_stop(struct io *io)
{
	if (!io->running)
		return;
	__atomic_store_n(&io->stopping, true, __ATOMIC_RELEASE);
	uv_async_send(&io->wake);
	uv_thread_join(&io->thread);
	io->running = false;
}

static void
close_each(uv_handle_t *h, void *ctx)
{
	(void)ctx;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

void
io_free(struct io *io)
{
	if (io == NULL)
		return;
	io_stop(io);
	uv_walk(&io->loop, close_each, NULL);
	(void)uv_run(&io->loop, UV_RUN_DEFAULT);
	bug_if(uv_loop_close(&io->loop) != 0);
	while (io->sockets != NULL)
		io_socket_free(io->sockets);
	free(io->buffer);
	free(io);
}

void
io_wake(struct io *io)
{
	uv_async_send(&io->wake);
}

enum err_code
io_watch(struct io *io, const char *dir, struct err *e)
{
	int status;

	bug_if(io->watching || io->running);
	if ((status = uv_fs_event_init(&io->loop, &io->watch)) != 0)
		return uv_err(e, status, "watch");
	io->watching = true;
	io->watch.data = io;
	status = uv_fs_event_start(&io->watch, on_change, dir, 0);
	if (status == UV_ENOSYS)
		return err_set(e, ERR_UNSUPPORTED, "this system cannot watch");
	return status == 0 ? ERR_OK : err_os(e, -status, "watch %s", dir);
}
