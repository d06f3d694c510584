#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pair.h"

#define NEAR 7 /* the relay's own ids */
#define FAR 8
#define TO_A 0x11111111u
#define TO_B 0x22222222u

static uint8_t buf[UDX_TRAIN_MAX];

/* The relay: `near` hears A and speaks for B, `far` the other way round. */
struct relay {
	struct udx *near, *far;
	struct addr a, b;
};

static void
start(struct relay *r)
{
	struct udx_opts near = {.local_id = NEAR}, far = {.local_id = FAR};
	struct err e = ERR_INIT;

	memset(r, 0, sizeof(*r));
	r->a = (struct addr){.family = 4, .port = 1};
	r->b = (struct addr){.family = 4, .port = 2};
	check_ok(udx_new(&r->near, &near, 0, &e), &e);
	check_ok(udx_new(&r->far, &far, 0, &e), &e);
	udx_connect(r->near, TO_A, &r->a, 0);
	udx_connect(r->far, TO_B, &r->b, 0);
	udx_relay_to(r->near, r->far);
	udx_relay_to(r->far, r->near);
}

static void
stop(struct relay *r)
{
	udx_free(r->near);
	udx_free(r->far);
}

static struct view
make(uint8_t *d, uint32_t id, uint8_t type, size_t len)
{
	struct udx_packet k = {
	    .type = type, .remote_id = id, .seq = 3, .ack = 4, .window = 5};

	memset(d, 0x77, UDX_DATAGRAM_MAX);
	udx_packet_header(d, &k);
	return view_of(d, len);
}

/* All but the id goes on as it came. */
static void
test_forward(void **state)
{
	uint8_t d[UDX_DATAGRAM_MAX], want[UDX_DATAGRAM_MAX];
	struct udx_out out;
	struct relay r;

	(void)state;
	start(&r);
	check(udx_deadline(r.near) == UDX_NEVER);
	udx_recv(r.near, make(d, NEAR, UDX_DATA | 0xc0, 100), &r.a, 1);
	check(udx_deadline(r.near) <= 1);
	check(udx_poll(r.near, 1, buf, sizeof(buf), &out));
	check(addr_eq(&out.to, &r.b) && out.len == 100);
	check_same(
	    view_of(buf, out.len), make(want, TO_B, UDX_DATA | 0xc0, 100));
	check(!udx_poll(r.near, 1, buf, sizeof(buf), &out));
	check(r.near->rcv.nxt == 0 && !r.near->reply.due);
	udx_recv(r.far, make(d, FAR, UDX_SACK, 36), &r.b, 1);
	check(udx_poll(r.far, 1, buf, sizeof(buf), &out));
	check(addr_eq(&out.to, &r.a));
	check_same(view_of(buf, out.len), make(want, TO_A, UDX_SACK, 36));
	stop(&r);
}

static void
test_trains(void **state)
{
	static const size_t lens[] = {1000, 1000, 1000, 500, 700, 20};
	static const struct {
		size_t len, segment;
	} want[] = {{3500, 1000}, {720, 700}};
	uint8_t d[UDX_DATAGRAM_MAX];
	struct udx_out out;
	struct relay r;

	(void)state;
	start(&r);
	for (size_t i = 0; i < 6; i++)
		udx_recv(r.near, make(d, NEAR, UDX_DATA, lens[i]), &r.a, 1);
	for (size_t i = 0; i < 2; i++) {
		check(udx_poll(r.near, 1, buf, sizeof(buf), &out));
		check(out.len == want[i].len && out.segment == want[i].segment);
	}
	check(!udx_poll(r.near, 1, buf, sizeof(buf), &out));
	check(r.near->relayed == NULL);
	stop(&r);
}

/* What nobody polls is lost, and memory stays bounded. */
static void
test_full(void **state)
{
	uint8_t d[UDX_DATAGRAM_MAX];
	struct udx_out out;
	struct relay r;
	size_t n = 0;

	(void)state;
	start(&r);
	for (int i = 0; i < 1000; i++)
		udx_recv(r.near, make(d, NEAR, UDX_DATA, 1400), &r.a, 1);
	check(r.near->relayed->len <= 256 * 1024);
	while (udx_poll(r.near, 1, buf, sizeof(buf), &out))
		n += out.len / out.segment;
	check(n > 150 && n < 200);
	stop(&r);
}

static void
test_destroy(void **state)
{
	uint8_t d[UDX_DATAGRAM_MAX];
	struct udx_out out;
	struct relay r;

	(void)state;
	start(&r);
	udx_recv(r.near, make(d, NEAR, UDX_DESTROY, 20), &r.a, 1);
	check(udx_reason(r.near) == UDX_RESET);
	check(udx_reason(r.far) == UDX_LIVE);
	check(udx_poll(r.near, 1, buf, sizeof(buf), &out));
	check(buf[2] == UDX_DESTROY && addr_eq(&out.to, &r.b));
	check(!udx_poll(r.near, 1, buf, sizeof(buf), &out));
	/* closed for good */
	udx_recv(r.near, make(d, NEAR, UDX_DATA, 100), &r.a, 1);
	check(!udx_poll(r.near, 1, buf, sizeof(buf), &out));
	stop(&r);
}

/* Either may be freed first; then there is nowhere to forward to. */
static void
test_either_freed(void **state)
{
	uint8_t d[UDX_DATAGRAM_MAX];
	struct udx_out out;
	struct relay r;

	(void)state;
	start(&r);
	udx_recv(r.near, make(d, NEAR, UDX_DATA, 100), &r.a, 1);
	udx_free(r.far);
	r.far = NULL;
	check(r.near->relay_to == NULL && r.near->relayed == NULL);
	check(!udx_poll(r.near, 1, buf, sizeof(buf), &out));
	stop(&r);
}

static void
test_not_connected(void **state)
{
	struct udx_opts o = {.local_id = 9};
	uint8_t d[UDX_DATAGRAM_MAX];
	struct err e = ERR_INIT;
	struct udx_out out;
	struct udx *late;
	struct relay r;

	(void)state;
	start(&r);
	check_ok(udx_new(&late, &o, 0, &e), &e);
	udx_relay_to(r.near, late);
	udx_recv(r.near, make(d, NEAR, UDX_DATA, 100), &r.a, 1);
	check(!udx_poll(r.near, 1, buf, sizeof(buf), &out));
	check(r.far->relay_from == NULL);
	udx_free(late);
	stop(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forward),
	    cmocka_unit_test(test_trains),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_destroy),
	    cmocka_unit_test(test_either_freed),
	    cmocka_unit_test(test_not_connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
