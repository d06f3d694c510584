/* Plans: written, read, and held against each other. Any field that differs
 * is named. */
#include "tests/unit/hyperdrive/drivefix.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/hash.h"
#include "drive/plan.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define STATE(fork, length) \
	"\"fork\":" fork ",\"length\":" length ",\"treeHash\":\"" ZEROS "\""
#define BOTH(fork, length) \
	"{" STATE(fork, length) ",\"blobs\":{" STATE("0", "0") "}}"
#define PLAN_OF(drive, chunking, base, changes, result) \
	"{\"format\":\"pear-stage-plan\",\"version\":1,\"drive\":\"" drive \
	"\",\"chunking\":\"" chunking "\",\"base\":" base \
	",\"changes\":[" changes "],\"result\":" result "}"
#define CHANGE(path, size) \
	"{\"op\":\"add\",\"path\":\"" path "\",\"size\":" size "}"
#define SIMPLE(changes) \
	PLAN_OF("d", "cdc", BOTH("0", "1"), changes, BOTH("0", "2"))

static struct plan
parse(const char *text)
{
	struct plan p = {NULL, NULL};
	struct err e = ERR_INIT;

	check_ok(plan_parse(&p, view_str(text), &e), &e);
	return p;
}

/* -- what is no plan ------------------------------------------------------ */

static void
test_parse(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
	} rows[] = {
	    {SIMPLE(""), ERR_OK},
	    {SIMPLE(CHANGE("/a", "1")), ERR_OK},
	    {"", ERR_FORMAT},
	    {"[]", ERR_FORMAT},
	    {"null", ERR_FORMAT},
	    {"{}", ERR_FORMAT},
	    {"{\"format\":\"pear-stage-plan\",\"version\":1}", ERR_FORMAT},
	    {SIMPLE("") "x", ERR_FORMAT},
	    {PLAN_OF("d", "cdc", "[]", "", BOTH("0", "2")), ERR_FORMAT},
	    {PLAN_OF("d", "cdc", "{" STATE("0", "1") "}", "", BOTH("0", "2")),
		ERR_FORMAT},
	    {PLAN_OF("d", "cdc", BOTH("0", "1"), "", "{}"), ERR_FORMAT},
	    {PLAN_OF("d", "cdc", BOTH("\"0\"", "1"), "", BOTH("0", "2")),
		ERR_FORMAT},
	    {PLAN_OF("d", "cdc", BOTH("0", "1.5"), "", BOTH("0", "2")),
		ERR_FORMAT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct plan p = {NULL, NULL};
		struct err e = ERR_INIT;
		enum err_code rc = plan_parse(&p, view_str(rows[i].text), &e);

		if (rc != rows[i].code) {
			fprintf(stderr, "row %zu: %s\n", i, e.msg);
			fail();
		}
		check((p.doc != NULL) == (rc == ERR_OK));
		plan_deinit(&p);
	}
}

/* One byte of a good plan replaced: never a plan of another version. */
static void
test_parse_version(void **state)
{
	static const struct {
		const char *version;
		enum err_code code;
	} rows[] = {{"1", ERR_OK}, {"2", ERR_VERSION}, {"0", ERR_VERSION},
	    {"-1", ERR_VERSION}, {"1.0", ERR_FORMAT}, {"\"1\"", ERR_FORMAT},
	    {"null", ERR_FORMAT}};
	static const char good[] = SIMPLE("");
	const char *at = strstr(good, "\"version\":") + 10;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct plan p = {NULL, NULL};
		struct err e = ERR_INIT;
		char text[2048];

		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good),
		    good, rows[i].version, at + 1);
		check_code(plan_parse(&p, view_str(text), &e), rows[i].code);
		if (rows[i].code == ERR_VERSION)
			check(strstr(e.msg, "this program knows 1") != NULL);
		plan_deinit(&p);
	}
}

/* -- comparing ------------------------------------------------------------ */

static const struct {
	const char *reviewed, *now, *text; /* NULL: equal */
} check_rows[] = {
    {SIMPLE(""), SIMPLE(""), NULL},
    {SIMPLE(CHANGE("/a", "1")), SIMPLE(CHANGE("/a", "1")), NULL},
    {SIMPLE(""), PLAN_OF("e", "cdc", BOTH("0", "1"), "", BOTH("0", "2")),
	"another drive"},
    {SIMPLE(""), PLAN_OF("d", "cdc", BOTH("0", "3"), "", BOTH("0", "2")),
	"length 1 and fork 0 then, length 3 and fork 0 now"},
    {SIMPLE(""), PLAN_OF("d", "cdc", BOTH("1", "1"), "", BOTH("0", "2")),
	"length 1 and fork 0 then, length 1 and fork 1 now"},
    {SIMPLE(""), PLAN_OF("d", "fixed", BOTH("0", "1"), "", BOTH("0", "2")),
	"--chunking cdc"},
    {SIMPLE(""), PLAN_OF("d", "cdc", BOTH("0", "1"), "", BOTH("0", "3")),
	"other tree hashes than reviewed"},
    {SIMPLE(CHANGE("/a", "1")), SIMPLE(CHANGE("/a", "2")),
	"/a is not as reviewed"},
    {SIMPLE(CHANGE("/a", "1")), SIMPLE(CHANGE("/b", "1")),
	"change 1 is not as reviewed: now /b"},
    {SIMPLE(CHANGE("/a", "1") "," CHANGE("/b", "1")),
	SIMPLE(CHANGE("/a", "1") "," CHANGE("/c", "1")),
	"change 2 is not as reviewed: now /c"},
    {SIMPLE(CHANGE("/a", "1")), SIMPLE(CHANGE("/a", "1") "," CHANGE("/b", "1")),
	"1 changes were reviewed, now there are 2: /b"},
    {SIMPLE(CHANGE("/a", "1") "," CHANGE("/b", "1")), SIMPLE(CHANGE("/a", "1")),
	"2 changes were reviewed, now there are 1: /b"},
    {SIMPLE(""), SIMPLE(CHANGE("/\\u001b[31m", "1")), "/\\x1b[31m"},
    {SIMPLE("1"), SIMPLE("2"), "change 1 is not as reviewed: now ?"},
};

static void
test_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(check_rows) / sizeof(*check_rows); i++) {
		struct plan a = parse(check_rows[i].reviewed);
		struct plan b = parse(check_rows[i].now);
		const char *text = check_rows[i].text;
		struct err e = ERR_INIT;
		enum err_code rc = plan_check(&a, &b, &e);

		if (rc != (text == NULL ? ERR_OK : ERR_CONFLICT) ||
		    (text != NULL && strstr(e.msg, text) == NULL)) {
			fprintf(stderr, "row %zu: %s\n", i, e.msg);
			fail();
		}
		plan_deinit(&a);
		plan_deinit(&b);
	}
}

/* The base is known before any file is read, the result is not. */
static void
test_check_base(void **state)
{
	struct plan a = parse(SIMPLE(CHANGE("/a", "1")));
	struct plan b =
	    parse(PLAN_OF("d", "cdc", BOTH("0", "1"), "", BOTH("9", "9")));
	struct plan c =
	    parse(PLAN_OF("d", "cdc", BOTH("0", "4"), "", BOTH("0", "2")));
	struct err e = ERR_INIT;

	(void)state;
	check_ok(plan_check_base(&a, &b, &e), &e);
	check_code(plan_check_base(&a, &c, &e), ERR_CONFLICT);
	assert_string_equal(plan_chunking(&a), "cdc");
	plan_deinit(&a);
	plan_deinit(&b);
	plan_deinit(&c);
}

/* A blobs core that moved without the metadata is another base, too. */
static void
test_check_blobs(void **state)
{
	struct plan a = parse(SIMPLE("")), b = parse(SIMPLE(""));
	struct err e = ERR_INIT;
	json_t *blobs =
	    json_object_get(json_object_get(b.doc, "base"), "blobs");

	(void)state;
	check(json_object_set_new(blobs, "length", json_integer(7)) == 0);
	check_code(plan_check_base(&a, &b, &e), ERR_CONFLICT);
	plan_deinit(&a);
	plan_deinit(&b);
}

/* -- made from a drive ---------------------------------------------------- */

static void
make(struct plan *p, struct drivefix *x)
{
	static const struct b32 sum = {{0xab}};
	static const struct plan_change changes[] = {
	    {PLAN_ADD, "/a", 5, true, NULL, &sum, NULL},
	    {PLAN_ADD, "/l", 0, false, "a", NULL, NULL},
	    {PLAN_CHANGE, "/c", UINT64_C(9007199254740991), false, NULL, &sum,
		"/old"},
	    {PLAN_REMOVE, "/old", 7, false, NULL, NULL, NULL},
	};
	struct core_batch *db, *blobs;
	struct err e = ERR_INIT;

	drivefix_begin(x, BLOBS_SHARED);
	drivefix_put(x, "/a", view_str("hello"), true, CHUNKER_CDC);
	drivefix_flush(x);
	db = hyperdrive_batch_cores(x->b, &blobs);
	check_ok(plan_begin(
		     p, hyperdrive_db(x->d), hyperdrive_blobs(x->d), "cdc", &e),
	    &e);
	for (size_t i = 0; i < 4; i++)
		check_ok(plan_add(p, &changes[i], &e), &e);
	check_ok(plan_end(p, db, blobs, &e), &e);
}

static void
test_made(void **state)
{
	static const char changes[] =
	    "[{\"op\":\"add\",\"path\":\"/a\",\"size\":5,"
	    "\"executable\":true,\"hash\":\"ab"
	    "%.62s"
	    "\"},"
	    "{\"op\":\"add\",\"path\":\"/l\",\"size\":0,"
	    "\"executable\":false,\"linkname\":\"a\"},"
	    "{\"op\":\"change\",\"path\":\"/c\",\"size\":9007199254740991,"
	    "\"executable\":false,\"hash\":\"ab"
	    "%.62s"
	    "\",\"from\":"
	    "\"/old\"},{\"op\":\"remove\",\"path\":\"/old\",\"size\":7,"
	    "\"executable\":false}]";
	struct plan p = {NULL, NULL};
	struct drivefix x;
	char want[1024];
	struct buf got;
	json_t *base, *result;

	(void)state;
	drivefix_open(&x, 3);
	make(&p, &x);
	buf_init(&got, 4096);
	jtext_print(&got, p.changes);
	(void)snprintf(want, sizeof(want), changes, ZEROS, ZEROS);
	assert_string_equal(buf_cstr(&got), want);
	buf_deinit(&got);
	base = vec_at(p.doc, "base");
	result = vec_at(p.doc, "result");
	check(vec_num(base, "length") == 0 && vec_num(result, "length") == 2);
	check(vec_num(vec_at(result, "blobs"), "length") == 1);
	/* the hash of an empty core, not zeros */
	check(strcmp(vec_str(base, "treeHash"), ZEROS) != 0);
	assert_string_equal(vec_str(vec_at(base, "blobs"), "treeHash"),
	    vec_str(base, "treeHash"));
	plan_deinit(&p);
	drivefix_close(&x);
}

static void
test_write_and_read(void **state)
{
	struct plan p = {NULL, NULL}, q = {NULL, NULL};
	struct err e = ERR_INIT;
	struct b32 one, two, three;
	struct drivefix x;
	char path[600];
	struct buf b;

	(void)state;
	drivefix_open(&x, 3);
	make(&p, &x);
	(void)snprintf(path, sizeof(path), "%s/plan.json", vec_tmpdir());
	check_ok(plan_write(&p, path, &one, &e), &e);
	check_ok(plan_read(&q, path, &two, &e), &e);
	check(b32_eq(&one, &two));
	/* what b2sum -l 256 says of the file */
	buf_init(&b, 1 << 20);
	check_ok(file_read(AT_FDCWD, path, 1 << 20, &b, &e), &e);
	hash_data(&three, buf_view(&b));
	check(b32_eq(&one, &three));
	check(b.len > 0 && b.data[b.len - 1] == '\n');
	check_ok(plan_check(&p, &q, &e), &e);
	check_ok(plan_check(&q, &p, &e), &e);
	buf_deinit(&b);
	plan_deinit(&p);
	plan_deinit(&q);
	drivefix_close(&x);
}

static void
test_files_that_are_not(void **state)
{
	const char *dir = vec_tmpdir();
	struct plan p = {NULL, NULL};
	struct err e = ERR_INIT;
	struct b32 sum;
	char path[600];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/none", dir);
	check_code(plan_read(&p, path, &sum, &e), ERR_NOT_FOUND);
	check(strstr(e.msg, path) != NULL);
	check_code(plan_read(&p, dir, &sum, &e), ERR_INVALID);
	p = parse(SIMPLE(""));
	(void)snprintf(path, sizeof(path), "%s/none/plan", dir);
	check_code(plan_write(&p, path, &sum, &e), ERR_NOT_FOUND);
	check(strncmp(e.msg, "plan: ", 6) == 0);
	plan_deinit(&p);
}

/* No plan is kept: adding and ending do nothing. */
static void
test_no_plan(void **state)
{
	struct plan p = {NULL, NULL};
	const struct plan_change c = {.op = PLAN_ADD, .path = "/a"};
	struct err e = ERR_INIT;

	(void)state;
	check_ok(plan_add(&p, &c, &e), &e);
	check_ok(plan_end(&p, NULL, NULL, &e), &e);
	check(p.doc == NULL);
	plan_deinit(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_parse_version),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_check_base),
	    cmocka_unit_test(test_check_blobs),
	    cmocka_unit_test(test_made),
	    cmocka_unit_test(test_write_and_read),
	    cmocka_unit_test(test_files_that_are_not),
	    cmocka_unit_test(test_no_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
