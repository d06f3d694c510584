/* Architectures: the table, and the check of a build's name and kind. */
#include "support/treefix.h"

#include "build-tool/arch.h"

static void
test_table_in_order(void **state)
{
	static const struct arch want[] = {
	    {"darwin-arm64-app", "darwin-arm64", ARCH_APP_DIR},
	    {"darwin-x64-app", "darwin-x64", ARCH_APP_DIR},
	    {"linux-arm64-app", "linux-arm64", ARCH_FILE},
	    {"linux-x64-app", "linux-x64", ARCH_FILE},
	    {"win32-x64-app", "win32-x64", ARCH_FILE},
	    {"win32-arm64-app", "win32-arm64", ARCH_FILE},
	    {"ios-arm64", "ios-arm64", ARCH_DIR},
	    {"ios-arm64-simulator", "ios-arm64-simulator", ARCH_DIR},
	    {"ios-x64-simulator", "ios-x64-simulator", ARCH_DIR},
	    {"android-arm64", "android-arm64", ARCH_DIR},
	};

	(void)state;
	assert_int_equal(sizeof(want) / sizeof(want[0]), ARCH_COUNT);
	for (size_t i = 0; i < ARCH_COUNT; i++) {
		assert_string_equal(arch_table[i].flag, want[i].flag);
		assert_string_equal(arch_table[i].folder, want[i].folder);
		assert_int_equal(arch_table[i].form, want[i].form);
	}
}

static void
test_basename(void **state)
{
	static const struct {
		const char *path, *name;
	} rows[] = {
	    {"Hello.app", "Hello.app"},
	    {"./Hello.app", "Hello.app"},
	    {"/a/b/Hello.app", "Hello.app"},
	    {"/a/b/Hello.app///", "Hello.app"},
	    {"a//b", "b"},
	    {"/", ""},
	    {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_same(arch_basename(rows[i].path), view_str(rows[i].name));
}

/* The name without its last extension is the app's; a mobile folder may
 * also carry the whole name. */
static void
test_names(void **state)
{
	static const struct {
		enum arch_form form;
		const char *name, *app;
		bool ok;
	} rows[] = {
	    {ARCH_APP_DIR, "Hello.app", "Hello", true},
	    {ARCH_APP_DIR, "Hello.app/", "Hello", true},
	    {ARCH_APP_DIR, "Hello", "Hello", true},
	    {ARCH_APP_DIR, "hello.app", "Hello", false},
	    {ARCH_APP_DIR, "Hello.app.zip", "Hello", false},
	    {ARCH_APP_DIR, "Hello.app.zip", "Hello.app", true},
	    /* the dot of a desktop app is always that of an extension */
	    {ARCH_APP_DIR, "My.App", "My.App", false},
	    {ARCH_APP_DIR, "My.App.app", "My.App", true},
	    {ARCH_FILE, "Hello.AppImage", "Hello", true},
	    {ARCH_FILE, "Hello.msix", "Hello", true},
	    {ARCH_FILE, "Hello.exe", "Hello", true},
	    {ARCH_FILE, "Hello.", "Hello", true},
	    {ARCH_FILE, "Hello-1.0.AppImage", "Hello", false},
	    {ARCH_FILE, "My.App", "My.App", false},
	    {ARCH_FILE, "Hello World.exe", "Hello World", true},
	    {ARCH_FILE, "H\xc3\xa9llo.exe", "H\xc3\xa9llo", true},
	    {ARCH_FILE, ".exe", "", false},
	    {ARCH_FILE, ".exe", ".exe", true},
	    {ARCH_DIR, "Hello", "Hello", true},
	    {ARCH_DIR, "Hello.bundle", "Hello", true},
	    {ARCH_DIR, "My.App", "My.App", true},
	    {ARCH_DIR, "My.App.bundle", "My.App", true},
	    {ARCH_DIR, "com.example.app", "com.example.app", true},
	    {ARCH_DIR, "Other", "Hello", false},
	};
	const char *dir = vec_tmpdir();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct arch a = {"some-flag", "some-arch", rows[i].form};
		struct err e = ERR_INIT;
		char line[300], sub[400], want[600];

		(void)snprintf(sub, sizeof(sub), "%s/%zu", dir, i);
		(void)snprintf(line, sizeof(line), "%c %s",
		    rows[i].form == ARCH_FILE ? 'f' : 'd', rows[i].name);
		fix_put(sub, line);
		if (rows[i].ok) {
			check_ok(arch_check(&a, fix_path(sub, rows[i].name),
				     rows[i].app, &e),
			    &e);
			continue;
		}
		check_code(arch_check(&a, fix_path(sub, rows[i].name),
			       rows[i].app, &e),
		    ERR_INVALID);
		(void)snprintf(want, sizeof(want),
		    "expected directory %s but got %s for some-arch",
		    rows[i].app, rows[i].name);
		assert_string_equal(e.msg, want);
	}
}

static void
test_kinds(void **state)
{
	static const struct {
		enum arch_form form;
		const char *name;
		enum err_code rc;
		const char *says;
	} rows[] = {
	    {ARCH_FILE, "file", ERR_OK, ""},
	    {ARCH_FILE, "to-file", ERR_OK, ""},
	    {ARCH_FILE, "dir", ERR_INVALID, "--flag takes a file"},
	    {ARCH_FILE, "fifo", ERR_INVALID, "--flag takes a file"},
	    {ARCH_FILE, "absent", ERR_NOT_FOUND, "--flag "},
	    {ARCH_FILE, "broken", ERR_NOT_FOUND, "--flag "},
	    {ARCH_DIR, "dir", ERR_OK, ""},
	    {ARCH_DIR, "to-dir", ERR_OK, ""},
	    {ARCH_DIR, "file", ERR_INVALID, "--flag takes a folder"},
	    {ARCH_APP_DIR, "dir", ERR_OK, ""},
	    {ARCH_APP_DIR, "file", ERR_INVALID, "--flag takes a folder"},
	    {ARCH_APP_DIR, "fifo", ERR_INVALID, "--flag takes a folder"},
	};
	const char *dir = vec_tmpdir();

	(void)state;
	fix_put(dir, "f file=x\nd dir\np fifo\nl to-file=file\nl to-dir=dir\n"
		     "l broken=nowhere");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct arch a = {"flag", "arch", rows[i].form};
		struct err e = ERR_INIT;

		check_code(arch_check(&a, fix_path(dir, rows[i].name),
			       rows[i].name, &e),
		    rows[i].rc);
		check(strstr(e.msg, rows[i].says) == e.msg);
	}
}

/* A name from outside is quoted where it is shown. */
static void
test_message_is_safe(void **state)
{
	const struct arch a = {"flag", "arch", ARCH_DIR};
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;

	(void)state;
	fix_put(dir, "d Evil\x1b[31m");
	check_code(arch_check(&a, fix_path(dir, "Evil\x1b[31m"), "Hello", &e),
	    ERR_INVALID);
	check(strchr(e.msg, '\x1b') == NULL);
	check(strstr(e.msg, "Evil\\x1b[31m") != NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table_in_order),
	    cmocka_unit_test(test_basename),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_message_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
