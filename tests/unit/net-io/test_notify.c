/* The service manager's socket: a real one, by path and by abstract name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "net/io/notify.h"
#include "vec.h"

/* A listener at an address as NOTIFY_SOCKET has it. */
static int
listen_at(const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_true(strlen(name) < sizeof(un.sun_path));
	memcpy(un.sun_path, name, strlen(name));
	len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	if (name[0] == '@')
		un.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&un, len), 0);
	return fd;
}

static void
expect(int fd, const char *text)
{
	char got[1024];
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

static void
nothing(int fd)
{
	char got[16];

	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
talk_to(const char *name)
{
	struct err e = ERR_INIT;
	struct notify n;
	struct notify_env env = {.socket = name};
	int fd = listen_at(name);

	assert_int_equal(notify_open(&n, &env, &e), ERR_OK);
	nothing(fd);
	notify_send(&n, "READY=1\nSTATUS=%d drives", 3);
	notify_send(&n, "WATCHDOG=1");
	expect(fd, "READY=1\nSTATUS=3 drives");
	expect(fd, "WATCHDOG=1");
	notify_close(&n);
	notify_send(&n, "STOPPING=1");
	nothing(fd);
	close(fd);
}

static void
by_path(void **state)
{
	char dir[] = "/tmp/notify-XXXXXX", name[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(name, sizeof(name), "%s/socket", dir);
	talk_to(name);
	unlink(name);
	rmdir(dir);
}

static void
by_name(void **state)
{
	char name[64];

	(void)state;
	(void)snprintf(name, sizeof(name), "@pear-notify-%ld", (long)getpid());
	talk_to(name);
}

/* Nobody reads: the sender neither waits nor dies, and goes on after. */
static void
full(void **state)
{
	struct err e = ERR_INIT;
	struct notify n;
	char name[64], got[64];
	struct notify_env env = {.socket = name};
	int fd, seen = 0;

	(void)state;
	(void)snprintf(name, sizeof(name), "@pear-full-%ld", (long)getpid());
	fd = listen_at(name);
	assert_int_equal(notify_open(&n, &env, &e), ERR_OK);
	for (int i = 0; i < 100000; i++)
		notify_send(&n, "STATUS=%d", i);
	while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
		seen++;
	assert_in_range(seen, 1, 99999);
	notify_send(&n, "STATUS=after");
	expect(fd, "STATUS=after");
	close(fd);
	notify_send(&n, "STATUS=nobody");
	notify_close(&n);
}

static void
absent(void **state)
{
	const struct notify_env env = {.usec = "1000000"};
	struct err e = ERR_INIT;
	struct notify n;

	(void)state;
	assert_int_equal(notify_open(&n, &env, &e), ERR_OK);
	assert_int_equal(n.fd, -1);
	assert_int_equal(n.watchdog_us, 0);
	notify_send(&n, "READY=1");
	notify_close(&n);
}

static void
wrong(void **state)
{
	static const char *const names[] = {"", "/", "relative", "@",
	    "/nowhere/at/all", "vsock:2:3",
	    "/0123456789012345678901234567890123456789012345678901234567890123"
	    "45678901234567890123456789012345678901234567890123456789"};
	struct err e = ERR_INIT;
	struct notify n;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct notify_env env = {.socket = names[i]};

		assert_int_equal(notify_open(&n, &env, &e), ERR_IO);
		assert_non_null(strstr(e.msg, "NOTIFY_SOCKET"));
		assert_int_equal(n.fd, -1);
	}
}

static void
watchdog(void **state)
{
	char mine[32];
	const struct {
		const char *usec, *pid;
		uint64_t want;
	} cases[] = {
	    {"30000000", NULL, 15000000},
	    {"30000000", mine, 15000000},
	    {"30000000", "1", 0},
	    {NULL, mine, 0},
	    {"", NULL, 0},
	    {"soon", NULL, 0},
	    {"5x", NULL, 0},
	    {"99999999999999999999999999", NULL, 0},
	};
	struct err e = ERR_INIT;
	struct notify n;
	char name[64];
	int fd;

	(void)state;
	(void)snprintf(mine, sizeof(mine), "%ld", (long)getpid());
	(void)snprintf(name, sizeof(name), "@pear-dog-%ld", (long)getpid());
	fd = listen_at(name);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct notify_env env = {
		    name, cases[i].usec, cases[i].pid};

		assert_int_equal(notify_open(&n, &env, &e), ERR_OK);
		assert_int_equal(n.watchdog_us, cases[i].want);
		notify_close(&n);
	}
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(by_path),
	    cmocka_unit_test(by_name),
	    cmocka_unit_test(full),
	    cmocka_unit_test(absent),
	    cmocka_unit_test(wrong),
	    cmocka_unit_test(watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
