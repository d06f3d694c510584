#include "build-tool/arch.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

const struct arch arch_table[ARCH_COUNT] = {
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

struct view
arch_basename(const char *path)
{
	size_t n = strlen(path), start;

	while (n > 1 && path[n - 1] == '/')
		n--;
	for (start = n; start > 0 && path[start - 1] != '/'; start--)
		;
	return view_of(path + start, n - start);
}

/* Without the last extension; a leading dot begins a name, not one. */
static struct view
stem(struct view name)
{
	for (size_t i = name.len; i > 1; i--)
		if (name.ptr[i - 1] == '.')
			return view_sub(name, 0, i - 1);
	return name;
}

static enum err_code
check_form(const struct arch *a, const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return err_os(e, errno, "--%s %s", a->flag, path);
	if (a->form == ARCH_FILE && !S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "--%s takes a file, %s is none",
		    a->flag, path);
	if (a->form != ARCH_FILE && !S_ISDIR(st.st_mode))
		return err_set(e, ERR_INVALID,
		    "--%s takes a folder, %s is none", a->flag, path);
	return ERR_OK;
}

enum err_code
arch_check(
    const struct arch *a, const char *path, const char *app, struct err *e)
{
	struct view name = arch_basename(path);
	char quoted[512];
	enum err_code rc;

	if ((rc = check_form(a, path, e)) != ERR_OK)
		return rc;
	if (view_eq(stem(name), view_str(app)) ||
	    (a->form == ARCH_DIR && view_eq(name, view_str(app))))
		return ERR_OK;
	return err_set(e, ERR_INVALID,
	    "expected directory %s but got %s for %s", app,
	    err_quote(quoted, sizeof(quoted), name.ptr, name.len), a->folder);
}
