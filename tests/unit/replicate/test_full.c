/* full: the disk has no room; the download waits, uploading goes on, and when
 * there is room again it goes on by itself (D2). */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net.h"

static bool full;

/* In the place of the C library's. */
ssize_t
pwrite(int fd, const void *p, size_t n, off_t offset)
{
	if (full) {
		errno = ENOSPC;
		return -1;
	}
	return (ssize_t)syscall(SYS_pwrite64, fd, p, n, offset);
}

static void
test_full(void **state)
{
	struct replicate_core *c;
	struct replicate_status st;
	struct err e = ERR_INIT;
	struct side a, b, third;
	struct line l[2];
	struct net n = {0};
	uint64_t sent;

	(void)state;
	net_side(&n, &a, true, NULL);
	net_side(&n, &b, false, NULL);
	net_side(&n, &third, false, NULL);
	net_fill(&a, 3000);
	c = net_open(&b);
	check_ok(replicate_download(c, 0, 1000, &e), &e);
	net_join(&n, &l[0], &a, &b, 1000);
	net_run(&n, NET_SECOND);
	full = true;
	check_ok(replicate_download(c, 0, UINT64_MAX, &e), &e);
	net_run(&n, NET_SECOND);
	check(b.event[REPLICATE_TROUBLE] == 1);
	check(strstr(b.text, "No space") != NULL);
	/* next to nothing is fetched in vain */
	sent = a.uploaded;
	net_run(&n, 120 * NET_SECOND);
	check(a.uploaded - sent < 10);
	replicate_status(c, &st);
	check(st.head.contiguous == 1000 && st.outstanding == 0);
	check(l[0].rc == ERR_OK && st.peers == 1);
	full = false;
	net_run(&n, 60 * NET_SECOND);
	net_whole(&b, 3000);
	check(b.event[REPLICATE_TROUBLE] < 10);
	net_close(&n);
}

/* What is here is served all the same. */
static void
test_uploads(void **state)
{
	struct replicate_opts o = {.serve = true};
	struct want w = {.kind = WANT_BLOCK, .index = 5};
	struct replicate_core *c, *d;
	struct err e = ERR_INIT;
	struct side a, b, third;
	struct line l[2];
	struct net n = {0};

	(void)state;
	net_side(&n, &a, true, &o);
	net_side(&n, &b, false, &o);
	net_side(&n, &third, false, &o);
	net_fill(&a, 100);
	c = net_open(&b);
	check_ok(replicate_download(c, 0, 50, &e), &e);
	net_join(&n, &l[0], &a, &b, 1000);
	net_run(&n, NET_SECOND);
	d = net_open(&third);
	full = true;
	check_ok(replicate_download(c, 0, 100, &e), &e);
	net_run(&n, 10 * NET_SECOND);
	check(b.event[REPLICATE_TROUBLE] >= 1);
	full = false;
	net_drop(&n, &l[0]);
	n.nlines = 0;
	net_join(&n, &l[1], &b, &third, 1000);
	check_ok(replicate_need(d, &w, &e), &e);
	net_run(&n, NET_SECOND);
	check(replicate_here(d, &w) && b.uploaded >= 1);
	net_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_uploads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
