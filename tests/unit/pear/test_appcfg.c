/* pear/appcfg: package.json as release tools read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "pear/appcfg.h"
#include "support/vec.h"

static void
check_list(const struct appcfg_list *l, const char *joined)
{
	struct buf b;
	size_t i;

	buf_init(&b, 1000);
	for (i = 0; i < l->n; i++) {
		buf_str(&b, l->item[i]);
		buf_byte(&b, '|');
	}
	check_same(buf_view(&b), view_str(joined));
	buf_deinit(&b);
}

static void
full_document(void **state)
{
	static const char text[] =
	    "{\"name\":\"app\",\"productName\":\"My App\","
	    "\"version\":\"1.2.3-rc.1\",\"upgrade\":\"pear://x\",\"more\":[1],"
	    "\"pear\":{\"name\":\"shown\",\"stage\":{"
	    "\"ignore\":[\" a \",\"\",\"b\"],\"only\":\"c, d ,,e\","
	    "\"include\":[\"f\"],\"includes\":\"g\",\"purge\":true}}}";
	struct appcfg c;
	struct err e = ERR_INIT;

	(void)state;
	check_ok(appcfg_parse(&c, view_str(text), &e), &e);
	assert_string_equal(c.name, "app");
	assert_string_equal(c.product_name, "My App");
	assert_string_equal(c.version, "1.2.3-rc.1");
	assert_string_equal(c.upgrade, "pear://x");
	assert_string_equal(appcfg_title(&c), "shown");
	assert_string_equal(appcfg_product(&c), "My App");
	check(c.has_semver && c.semver.patch == 3 && c.purge);
	check_list(&c.ignore, "a|b|");
	check_list(&c.only, "c|d|e|");
	check_list(&c.includes, "f|g|");
	appcfg_deinit(&c);
}

static void
sparse_document(void **state)
{
	struct appcfg c;
	struct err e = ERR_INIT;

	(void)state;
	check_ok(appcfg_parse(&c,
		     view_str("{\"name\":null,\"version\":\"v1\","
			      "\"pear\":{\"stage\":null}}"),
		     &e),
	    &e);
	check(c.name == NULL && !c.has_semver && !c.purge);
	check(c.ignore.n == 0 && appcfg_product(&c) == NULL);
	assert_string_equal(appcfg_title(&c), "");
	appcfg_deinit(&c);
	appcfg_deinit(&c); /* twice is fine */
}

static void
refused(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
	    {"[]", "package.json: the document must be an object"},
	    {"{\"name\":1}", "package.json: name must be a string"},
	    {"{\"name\":\"a\\u0000b\"}", "package.json: name must be a string"},
	    {"{\"version\":{}}", "package.json: version must be a string"},
	    {"{\"pear\":[]}", "package.json: pear must be an object"},
	    {"{\"pear\":{\"name\":0}}",
		"package.json: pear.name must be a string"},
	    {"{\"pear\":{\"stage\":1}}",
		"package.json: pear.stage must be an object"},
	    {"{\"pear\":{\"stage\":{\"ignore\":1}}}",
		"package.json: pear.stage.ignore must be an array of "
		"strings or a string"},
	    {"{\"pear\":{\"stage\":{\"only\":[\"a\",2]}}}",
		"package.json: pear.stage.only[1] must be a string"},
	    {"{\"pear\":{\"stage\":{\"purge\":\"yes\"}}}",
		"package.json: pear.stage.purge must be true or false"},
	};
	struct appcfg c;
	struct err e = ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_code(
		    appcfg_parse(&c, view_str(rows[i].text), &e), ERR_INVALID);
		assert_string_equal(err_tag_of(&e), "ERR_INVALID_MANIFEST");
		assert_string_equal(e.msg, rows[i].message);
	}
	check_code(appcfg_parse(&c, view_str("{\"a\":"), &e), ERR_INVALID);
	assert_string_equal(err_tag_of(&e), "ERR_INVALID_MANIFEST");
}

static void
from_disk(void **state)
{
	const char *dir = vec_tmpdir();
	char path[512];
	struct appcfg c;
	struct err e = ERR_INIT;

	(void)state;
	check_code(appcfg_read(&c, dir, &e), ERR_INVALID);
	assert_string_equal(err_tag_of(&e), "ERR_INVALID_PROJECT_DIR");
	check(strstr(e.msg, "package.json not found in ") == e.msg);
	(void)snprintf(path, sizeof(path), "%s/package.json", dir);
	check_ok(file_write_atomic(
		     AT_FDCWD, path, view_str("{\"name\":\"n\"}"), 0600, &e),
	    &e);
	check_ok(appcfg_read(&c, dir, &e), &e);
	assert_string_equal(c.name, "n");
	appcfg_deinit(&c);
}

static void
command_line_lists(void **state)
{
	struct appcfg_list l = {NULL, 0, 0};
	struct err e = ERR_INIT;

	(void)state;
	check_ok(appcfg_list_add(&l, view_str("a, b"), &e), &e);
	check_ok(appcfg_list_add(&l, view_str(" ,c,"), &e), &e);
	check_list(&l, "a|b|c|");
	check_code(appcfg_list_add(&l, view_of("x\0y", 3), &e), ERR_INVALID);
	check_list(&l, "a|b|c|");
	appcfg_list_deinit(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(full_document),
	    cmocka_unit_test(sparse_document),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(from_disk),
	    cmocka_unit_test(command_line_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
