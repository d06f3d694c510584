#include "cmd/pear/pear.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_LEN 32
#define NEAR 2 /* edits */

bool
pear_is_name(const char *word)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t n = strspn(word, set);

	return word[n] == '\0' && n > 0 && n <= NAME_MAX_LEN && word[0] != '-';
}

/* Edits between two words, both at most NAME_MAX_LEN long. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1];
	size_t na = strlen(a);
	size_t nb = strlen(b);
	size_t i;
	size_t j;

	for (j = 0; j <= nb; j++)
		row[j] = j;
	for (i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= nb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *
pear_suggest(const char *word)
{
	const char *best = NULL;
	size_t least = NEAR + 1;
	size_t i;

	if (strlen(word) > NAME_MAX_LEN)
		return NULL;
	for (i = 0; i < pear_command_count; i++) {
		size_t d = distance(word, pear_commands[i].name);

		if (d < least) {
			least = d;
			best = pear_commands[i].name;
		}
	}
	return best;
}

static enum err_code
unknown(const char *command, struct err *e)
{
	const char *near = pear_suggest(command);
	char quoted[64];

	err_quote(quoted, sizeof(quoted), command, strlen(command));
	if (near != NULL && strcmp(near, command) != 0)
		return err_set(e, ERR_USAGE,
		    "Unknown command: %s. Did you mean %s?", quoted, near);
	return err_set(e, ERR_USAGE, "Unknown command: %s", quoted);
}

/* DIR/pear-NAME, DIR being where this program lies. False if that is not
 * known; then PATH decides. */
static bool
beside(struct buf *path, const char *command)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	ssize_t slash = n;

	if (n <= 0 || (size_t)n >= sizeof(self))
		return false;
	while (slash > 0 && self[slash - 1] != '/')
		slash--;
	buf_append(path, view_of(self, (size_t)slash));
	buf_printf(path, "pear-%s", command);
	return buf_cstr(path) != NULL;
}

enum err_code
pear_exec(const char *command, char *const *argv, struct err *e)
{
	struct buf path;
	struct buf name;
	int os = ENOENT;

	if (!pear_is_name(command))
		return unknown(command, e);
	buf_init(&path, 8192);
	buf_init(&name, 64);
	buf_printf(&name, "pear-%s", command);
	if (beside(&path, command)) {
		(void)execv(buf_cstr(&path), argv);
		os = errno;
	}
	if (os == ENOENT && buf_cstr(&name) != NULL) {
		(void)execvp(buf_cstr(&name), argv);
		os = errno;
	}
	buf_deinit(&path);
	buf_deinit(&name);
	if (os == ENOENT)
		return unknown(command, e);
	return err_os(e, os, "run pear-%s", command);
}
