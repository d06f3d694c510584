/* The file of remembered nodes: what was written comes back, and a file that
 * is foreign, broken or made by an enemy is a hint less. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "peer/known.h"
#include "support/vec.h"

#define HEAD "bootstrap 1.2.3.4:5 6.7.8.9:10 \n"

static struct addr ours[2];

static void
put(const char *dir, struct view text)
{
	char path[600];
	struct err e = ERR_INIT;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, KNOWN_FILE);
	check_ok(file_write_atomic(AT_FDCWD, path, text, 0600, &e), &e);
}

static void
read_ours(struct known_list *out, const char *dir)
{
	memset(out, 0xa5, sizeof(*out));
	known_read(out, dir, ours, 2);
}

static void
comes_back(void **state)
{
	const char *dir = vec_tmpdir();
	struct known_list in = {.n = KNOWN_MAX}, out;
	struct err e = ERR_INIT;
	struct stat st;
	char path[600];

	(void)state;
	for (size_t i = 0; i < KNOWN_MAX; i++)
		in.node[i] = (struct addr){.family = 4,
		    .port = (uint16_t)(i == 0 ? 65535 : i),
		    .ip = {10, 0, (uint8_t)i, 255}};
	for (size_t n = 0; n <= KNOWN_MAX; n += KNOWN_MAX / 2) {
		in.n = n;
		check_ok(known_write(&in, dir, ours, 2, &e), &e);
		read_ours(&out, dir);
		check(out.n == n);
		for (size_t i = 0; i < n; i++)
			check(addr_eq(&out.node[i], &in.node[i]));
	}
	(void)snprintf(path, sizeof(path), "%s/%s", dir, KNOWN_FILE);
	check(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
}

/* It belongs to one list of bootstrap nodes, in its order. */
static void
foreign(void **state)
{
	const char *dir = vec_tmpdir();
	struct addr other[2] = {ours[1], ours[0]};
	struct known_list in = {.n = 1}, out;
	struct err e = ERR_INIT;

	(void)state;
	in.node[0] = (struct addr){.family = 4, .port = 9, .ip = {1, 1, 1, 1}};
	check_ok(known_write(&in, dir, ours, 2, &e), &e);
	known_read(&out, dir, other, 2);
	check(out.n == 0);
	known_read(&out, dir, ours, 1);
	check(out.n == 0);
	known_read(&out, dir, NULL, 0);
	check(out.n == 0);
	known_read(&out, "/nowhere/at/all", ours, 2);
	check(out.n == 0);
	read_ours(&out, dir);
	check(out.n == 1);
	check_ok(known_write(&in, dir, NULL, 0, &e), &e);
	known_read(&out, dir, NULL, 0);
	check(out.n == 1);
	check(known_write(&in, "/nowhere/at/all", ours, 2, &e) != ERR_OK);
}

static void
broken(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} rows[] = {
	    {"", 0},
	    {"\n", 0},
	    {"bootstrap 1.2.3.4:5 6.7.8.9:10 ", 0},
	    {"9.9.9.9:9\n" HEAD, 0},
	    {HEAD, 0},
	    {HEAD "\n\n\n", 0},
	    {HEAD "9.9.9.9:9", 1}, /* no end of line */
	    {HEAD "9.9.9.9:9\n8.8.8.8:8\n", 2},
	    {HEAD "9.9.9.9:0\n8.8.8.8:8\n", 1}, /* port 0 */
	    {HEAD "[::1]:7\n8.8.8.8:8\n", 1},	/* IPv6 */
	    {HEAD "9.9.9.9:65536\n9.9.9.9:-1\n9.9.9.9:1e1\n", 0},
	    {HEAD "9.9.9.9:9 \n 9.9.9.9:9\n9.9.9.9\n:9\nname:9\n", 0},
	    {HEAD "9.9.9.9:9\r\n8.8.8.8:8\n", 1},
	    {HEAD "999.9.9.9:9\n9.9.9:9\n09.9.9.9.9:9\n", 0},
	};
	const char *dir = vec_tmpdir();
	struct known_list out;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(dir, view_str(rows[i].text));
		read_ours(&out, dir);
		check(out.n == rows[i].n);
		for (size_t k = 0; k < out.n; k++)
			check(out.node[k].family == 4 && out.node[k].port != 0);
	}
}

static void
hostile(void **state)
{
	static const uint8_t zeros[64];
	const char *dir = vec_tmpdir();
	struct known_list out;
	char path[600], line[40];
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_str(&b, HEAD);
	buf_append(&b, view_of(zeros, sizeof(zeros)));
	buf_str(&b, "\n8.8.8.8:8\n9.9.9.9:9");
	buf_append(&b, view_of(zeros, sizeof(zeros)));
	put(dir, buf_view(&b));
	read_ours(&out, dir);
	check(out.n == 1);
	/* more than anybody wrote, and more than fits */
	buf_reset(&b);
	buf_str(&b, HEAD);
	for (unsigned i = 1; i <= 600; i++) {
		(void)snprintf(line, sizeof(line), "9.9.9.9:%u\n", i);
		buf_str(&b, line);
	}
	put(dir, buf_view(&b));
	read_ours(&out, dir);
	check(out.n == KNOWN_MAX && out.node[KNOWN_MAX - 1].port == KNOWN_MAX);
	while (b.len < 1 << 17)
		buf_str(&b, "9.9.9.9:9\n");
	put(dir, buf_view(&b));
	read_ours(&out, dir);
	check(out.n == 0);
	buf_deinit(&b);
	/* no file at all */
	(void)snprintf(path, sizeof(path), "%s/%s", dir, KNOWN_FILE);
	check(remove(path) == 0 && mkfifo(path, 0600) == 0);
	read_ours(&out, dir);
	check(out.n == 0);
	check(remove(path) == 0 && mkdir(path, 0700) == 0);
	read_ours(&out, dir);
	check(out.n == 0);
	check(remove(path) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comes_back),
	    cmocka_unit_test(foreign),
	    cmocka_unit_test(broken),
	    cmocka_unit_test(hostile),
	};
	struct err e = ERR_INIT;

	check_ok(addr_parse(&ours[0], view_str("1.2.3.4:5"), &e), &e);
	check_ok(addr_parse(&ours[1], view_str("6.7.8.9:10"), &e), &e);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
