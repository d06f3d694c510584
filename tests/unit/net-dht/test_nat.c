/* What kind of NAT it is, from what others see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "duo.h"
#include "net/dht/nat.h"

#define SAMPLES_MAX 8

/* The i-th node saw seen[i]. */
static void
feed(struct nat *n, const char *const *seen)
{
	for (size_t i = 0; i < SAMPLES_MAX && seen[i] != NULL; i++) {
		struct addr a = duo_addr(seen[i]);
		struct addr by = duo_addr("9.0.0.1:1");

		by.ip[3] = (uint8_t)i;
		nat_add(n, &a, &by);
		nat_add(n, &a, &by); /* counted once */
	}
}

static void
test_judgement(void **state)
{
	static const struct {
		const char *seen[SAMPLES_MAX];
		enum dht_firewall firewall;
		bool known;
		size_t naddresses;
		const char *first;
	} rows[] = {
	    {{NULL}, DHT_FIREWALL_UNKNOWN, false, 0, NULL},
	    {{"1.0.0.1:5", "1.0.0.1:5"}, DHT_FIREWALL_UNKNOWN, false, 0, NULL},
	    {{"1.0.0.1:5", "1.0.0.1:5", "1.0.0.1:5"}, DHT_FIREWALL_CONSISTENT,
		true, 1, "1.0.0.1:5"},
	    {{"1.0.0.1:6", "1.0.0.1:5", "1.0.0.1:5", "1.0.0.1:5"},
		DHT_FIREWALL_CONSISTENT, true, 2, "1.0.0.1:5"},
	    {{"1.0.0.1:5", "1.0.0.1:6", "1.0.0.1:7"}, DHT_FIREWALL_RANDOM,
		false, 1, "1.0.0.1:0"},
	    {{"1.0.0.1:5", "1.0.0.1:6", "1.0.0.1:7", "1.0.0.1:8"},
		DHT_FIREWALL_RANDOM, true, 1, "1.0.0.1:0"},
	    /* two equal: not enough of three, too few of four */
	    {{"1.0.0.1:5", "1.0.0.1:5", "1.0.0.1:7"}, DHT_FIREWALL_UNKNOWN,
		false, 0, NULL},
	    {{"1.0.0.1:5", "1.0.0.1:5", "1.0.0.1:7", "1.0.0.1:8"},
		DHT_FIREWALL_RANDOM, true, 1, "1.0.0.1:0"},
	    /* two ways out, both steady */
	    {{"1.0.0.1:5", "1.0.0.2:5", "1.0.0.1:5", "1.0.0.2:5"},
		DHT_FIREWALL_CONSISTENT, true, 2, "1.0.0.1:5"},
	    /* two ways out, one of them not */
	    {{"1.0.0.1:5", "1.0.0.2:5", "1.0.0.1:5", "1.0.0.2:6"},
		DHT_FIREWALL_UNKNOWN, true, 0, NULL},
	    {{"1.0.0.1:5", "1.0.0.2:5", "1.0.0.1:5", "1.0.0.2:6", "1.0.0.2:7"},
		DHT_FIREWALL_RANDOM, true, 1, "1.0.0.2:0"},
	};
	struct nat n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		nat_init(&n, NAT_FIREWALLED);
		feed(&n, rows[i].seen);
		check(n.firewall == rows[i].firewall);
		check(nat_known(&n) == rows[i].known);
		check(n.naddresses == rows[i].naddresses);
		if (rows[i].first != NULL) {
			struct addr a = duo_addr(rows[i].first);

			check(addr_eq(&n.address[0], &a));
		}
	}
}

static void
test_open(void **state)
{
	static const char *const one[] = {"1.0.0.1:5", NULL};
	struct nat n;

	(void)state;
	nat_init(&n, NAT_OPEN);
	check(n.firewall == DHT_FIREWALL_OPEN && !nat_known(&n));
	feed(&n, one);
	check(n.firewall == DHT_FIREWALL_OPEN && nat_known(&n));
	check(n.naddresses == 1);
}

/* What was told stays, whatever is seen later; and memory has an end. */
static void
test_frozen(void **state)
{
	struct addr by = duo_addr("9.0.0.1:1"), seen = duo_addr("1.0.0.1:5");
	static const char *const same[] = {
	    "1.0.0.1:5", "1.0.0.1:5", "1.0.0.1:5", NULL};
	struct nat n;

	(void)state;
	nat_init(&n, NAT_FIREWALLED);
	feed(&n, same);
	n.frozen = true;
	for (uint16_t i = 0; i < 100; i++) {
		by.port = (uint16_t)(2 + i);
		seen.port = (uint16_t)(1000 + i);
		nat_add(&n, &seen, &by);
		check(nat_counted(&n, &by) == (i < NAT_ANSWERS - 3));
	}
	check(n.firewall == DHT_FIREWALL_CONSISTENT && n.naddresses == 1);
	check(n.sampled == NAT_ANSWERS && n.nfull <= NAT_ANSWERS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_judgement),
	    cmocka_unit_test(test_open),
	    cmocka_unit_test(test_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
