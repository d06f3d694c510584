/* A snapshot as JSON and as metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "codec/jtext.h"
#include "codec/z32.h"
#include "monitor/monitor.h"
#include "vec.h"

static void
fill(struct monitor_snapshot *s)
{
	struct err e = ERR_INIT;

	memset(s, 0, sizeof(*s));
	assert_int_equal(monitor_snapshot_resize(s, 2, &e), ERR_OK);
	s->node = (struct monitor_node){.version = "1.2",
	    .address = "127.0.0.1:1",
	    .uptime_us = 1500000,
	    .rss_bytes = 4096,
	    .bytes_in = 10,
	    .up = 12.6,
	    .connections = 3};
	s->drive[0] = (struct monitor_drive){.state = MONITOR_COMPLETE,
	    .db = {.length = 4, .contiguous = 4, .bytes = 500},
	    .blobs = {.length = 9, .contiguous = 8, .bytes = (uint64_t)1 << 53},
	    .has_blobs = true,
	    .name = "a \"quoted\" <b>name</b>\n",
	    .peers = 2,
	    .full = 1,
	    .bytes_out = 77};
	memset(s->drive[0].db.key.b, 7, 32);
	s->drive[1].state = MONITOR_SEARCHING;
}

static json_t *
state_of(const struct monitor_snapshot *s)
{
	struct err e = ERR_INIT;
	json_t *out = NULL;
	struct buf b;

	buf_init(&b, 1 << 20);
	monitor_state_json(&b, s);
	assert_int_equal(buf_check(&b, &e), ERR_OK);
	if (jtext_parse(buf_view(&b), 1 << 20, &out, &e) != ERR_OK)
		fail_msg("%s: %s", e.msg, buf_cstr(&b));
	buf_deinit(&b);
	return out;
}

static void
json(void **state)
{
	struct monitor_snapshot s;
	char key[Z32_KEY_LEN + 1];
	json_t *o, *d;

	(void)state;
	fill(&s);
	o = state_of(&s);
	assert_int_equal(json_integer_value(json_object_get(o, "complete")), 1);
	assert_true(json_is_null(json_object_get(o, "dht")));
	assert_true(json_number_value(json_object_get(o, "uptime")) == 1.5);
	assert_int_equal(json_array_size(json_object_get(o, "drives")), 2);
	d = json_array_get(json_object_get(o, "drives"), 0);
	assert_string_equal(json_string_value(json_object_get(d, "name")),
	    "a \"quoted\" <b>name</b>\n");
	assert_string_equal(json_string_value(json_object_get(d, "key")),
	    z32_key(key, &s.drive[0].db.key));
	assert_string_equal(
	    json_string_value(json_object_get(d, "state")), "complete");
	assert_int_equal(json_integer_value(json_object_get(
			     json_object_get(d, "upload"), "bytes")),
	    77);
	d = json_array_get(json_object_get(o, "drives"), 1);
	assert_true(json_is_null(json_object_get(d, "blobs")));
	json_decref(o);

	s.node.known = true;
	s.node.firewalled = true;
	s.node.nodes = 40;
	o = state_of(&s);
	d = json_object_get(o, "dht");
	assert_true(json_is_true(json_object_get(d, "firewalled")));
	assert_int_equal(json_integer_value(json_object_get(d, "nodes")), 40);
	json_decref(o);
	monitor_snapshot_deinit(&s);
}

/* Every line is "# …" or "name{labels} number"; a family's samples stand
 * together, behind its TYPE. */
static void
check_lines(char *text)
{
	char family[80] = "";
	char *save, *line = strtok_r(text, "\n", &save);

	for (; line != NULL; line = strtok_r(NULL, "\n", &save)) {
		size_t n = strcspn(line, "{ ");
		char *space = strrchr(line, ' '), *end;

		if (strncmp(line, "# HELP ", 7) == 0)
			continue;
		if (strncmp(line, "# TYPE ", 7) == 0) {
			n = strcspn(line + 7, " ");
			assert_true(n < sizeof(family));
			memcpy(family, line + 7, n);
			family[n] = '\0';
			continue;
		}
		assert_int_equal(n, strlen(family));
		assert_memory_equal(line, family, n);
		assert_memory_equal(line, "pear_seed_", 10);
		(void)strtod(space + 1, &end);
		assert_true(end != space + 1 && *end == '\0');
	}
}

static void
metrics(void **state)
{
	struct monitor_snapshot s;
	char key[Z32_KEY_LEN + 1], line[200];
	struct buf b;
	char *text;

	(void)state;
	fill(&s);
	buf_init(&b, 1 << 20);
	monitor_metrics(&b, &s);
	assert_non_null(buf_cstr(&b));
	text = strdup(buf_cstr(&b));
	assert_non_null(strstr(text, "\npear_seed_uptime_seconds 1.500\n"));
	assert_non_null(strstr(text, "\npear_seed_connections 3\n"));
	assert_null(strstr(text, "dht"));
	z32_key(key, &s.drive[0].db.key);
	(void)snprintf(line, sizeof(line),
	    "\npear_seed_drive_contiguous_blocks{drive=\"%s\","
	    "core=\"blobs\"} 8\n",
	    key);
	assert_non_null(strstr(text, line));
	(void)snprintf(line, sizeof(line),
	    "\npear_seed_drive_bytes{drive=\"%s\","
	    "core=\"blobs\"} 9007199254740992\n",
	    key);
	assert_non_null(strstr(text, line));
	check_lines(text);
	free(text);

	buf_reset(&b);
	s.node.known = true;
	s.node.nodes = 40;
	s.node.disk_full = true;
	monitor_metrics(&b, &s);
	assert_non_null(strstr(buf_cstr(&b), "\npear_seed_dht_nodes 40\n"));
	assert_non_null(strstr(buf_cstr(&b), "\npear_seed_disk_full 1\n"));
	buf_deinit(&b);
	monitor_snapshot_deinit(&s);
}

static void
copies(void **state)
{
	struct monitor_snapshot s, c = {.n = 0};
	struct err e = ERR_INIT;

	(void)state;
	fill(&s);
	assert_int_equal(monitor_snapshot_copy(&c, &s, &e), ERR_OK);
	s.drive[0].peers = 99;
	assert_int_equal(c.drive[0].peers, 2);
	assert_int_equal(monitor_complete(&c), 1);
	assert_int_equal(monitor_snapshot_resize(&s, 1, &e), ERR_OK);
	assert_int_equal(monitor_snapshot_resize(&s, 3, &e), ERR_OK);
	/* what is new is empty, also where something else was */
	assert_int_equal(s.drive[0].peers, 99);
	assert_int_equal(s.drive[1].state, MONITOR_SEARCHING);
	assert_int_equal(s.drive[2].peers, 0);
	s.n = 0;
	assert_int_equal(monitor_snapshot_copy(&c, &s, &e), ERR_OK);
	assert_int_equal(c.n, 0);
	monitor_snapshot_deinit(&c);
	monitor_snapshot_deinit(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(json),
	    cmocka_unit_test(metrics),
	    cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
