/* download: from one peer and from many. */
#include "net.h"

static void
test_all(void **state)
{
	static const uint64_t lengths[] = {1, 2, 7, 20, 300, 3000};
	struct replicate_core *c;
	struct replicate_status st;
	struct err e = ERR_INIT;
	struct side a, b;
	struct line l;
	struct net n = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		net_node(&n, &a, true, NULL);
		net_node(&n, &b, false, NULL);
		net_fill(&a, lengths[i]);
		c = net_open(&b);
		check_ok(replicate_download(c, 0, UINT64_MAX, &e), &e);
		net_join(&n, &l, &a, &b, 20000);
		net_run(&n, NET_SECOND);
		replicate_status(c, &st);
		check(st.head.length == lengths[i] && st.wanted == 0);
		check(st.outstanding == 0 && st.peers == 1 && st.full == 1);
		check(b.blocks == lengths[i] && a.uploaded == lengths[i]);
		check(b.event[REPLICATE_DONE] == 1);
		net_whole(&b, lengths[i]);
		net_close(&n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
