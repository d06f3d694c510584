/* treefix: folders made from lines of text, and shown as such, for unit
 * tests. A tree is "KIND PATH[=TEXT]" joined by newlines,
 * sorted; KIND is f (0644), x (0755), l (link), d (folder), p (FIFO). */
#ifndef TESTS_TREEFIX_H
#define TESTS_TREEFIX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support/vec.h"

enum { FIX_TEXT = 8192 };

static inline void
fix_put_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t n = strlen(text);

	check(fd >= 0);
	check(write(fd, text, n) == (ssize_t)n);
	check(fchmod(fd, mode) == 0);
	check(close(fd) == 0);
}

static inline void
fix_put_line(const char *dir, char *line)
{
	char path[4096], *text = strchr(line, '='), *slash;
	struct err e = ERR_INIT;

	if (text != NULL)
		*text++ = '\0';
	else
		text = line + strlen(line);
	check(snprintf(path, sizeof(path), "%s/%s", dir, line + 2) > 0);
	slash = strrchr(path, '/');
	*slash = '\0';
	check_ok(file_mkdirs(path, 0755, &e), &e);
	*slash = '/';
	switch (line[0]) {
	case 'f':
	case 'x':
		fix_put_file(path, text, line[0] == 'x' ? 0755 : 0644);
		return;
	case 'l':
		check(symlink(text, path) == 0);
		return;
	case 'd':
		check_ok(file_mkdirs(path, 0755, &e), &e);
		return;
	case 'p':
		check(mkfifo(path, 0644) == 0);
		return;
	}
	vec_fail(__FILE__, __LINE__, "a known kind of file");
}

/* Make what the lines say, in DIR, which is made too. */
static inline void
fix_put(const char *dir, const char *lines)
{
	char *copy = strdup(lines), *save = NULL;
	struct err e = ERR_INIT;

	check(copy != NULL);
	check_ok(file_mkdirs(dir, 0755, &e), &e);
	for (char *line = strtok_r(copy, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		fix_put_line(dir, line);
	free(copy);
}

static inline void
fix_show_one(struct buf *out, const char *path, const char *rel)
{
	char text[4096] = "";
	struct err e = ERR_INIT;
	struct stat st;
	struct buf b;

	check(lstat(path, &st) == 0);
	if (S_ISLNK(st.st_mode)) {
		check(readlink(path, text, sizeof(text) - 1) >= 0);
		buf_printf(out, "l %s=%s\n", rel, text);
	} else if (S_ISREG(st.st_mode)) {
		buf_init(&b, FIX_TEXT);
		check_ok(file_read(AT_FDCWD, path, FIX_TEXT, &b, &e), &e);
		/* no other modes are expected: they would show */
		if ((st.st_mode & 07777) == 0644)
			buf_str(out, "f ");
		else if ((st.st_mode & 07777) == 0755)
			buf_str(out, "x ");
		else
			buf_printf(out, "%o ", (unsigned)st.st_mode & 07777u);
		buf_printf(out, "%s=", rel);
		buf_append(out, buf_view(&b));
		buf_str(out, "\n");
		buf_deinit(&b);
	}
}

static inline void
fix_walk(struct buf *out, const char *dir, const char *rel)
{
	struct dirent **names = NULL;
	int n = scandir(dir, &names, NULL, alphasort), shown = 0;

	check(n >= 0);
	for (int i = 0; i < n; i++) {
		char path[4096], below[4096];
		const char *name = names[i]->d_name;
		struct stat st;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			check(snprintf(path, sizeof(path), "%s/%s", dir, name) >
			      0);
			check(snprintf(below, sizeof(below), "%s%s%s", rel,
				  *rel == '\0' ? "" : "/", name) > 0);
			check(lstat(path, &st) == 0);
			if (S_ISDIR(st.st_mode))
				fix_walk(out, path, below);
			else
				fix_show_one(out, path, below);
			shown++;
		}
		free(names[i]);
	}
	free(names);
	if (shown == 0 && *rel != '\0')
		buf_printf(out, "d %s\n", rel);
}

/* The lines of DIR: files, links, and folders that are empty. */
static inline void
fix_check(const char *file, int line, const char *dir, const char *lines)
{
	struct buf out;

	buf_init(&out, FIX_TEXT * 4);
	fix_walk(&out, dir, "");
	if (strcmp(buf_cstr(&out), lines) != 0) {
		fprintf(stderr, "%s:%d: %s holds\n%s", file, line, dir,
		    buf_cstr(&out));
		vec_fail(file, line, "the tree is as expected");
	}
	buf_deinit(&out);
}
#define check_tree(dir, lines) fix_check(__FILE__, __LINE__, (dir), (lines))

/* "DIR/NAME", kept until the next four calls. */
static inline const char *
fix_path(const char *dir, const char *name)
{
	static char path[4][4096];
	static unsigned at;
	char *out = path[at++ % 4];

	check(snprintf(out, 4096, "%s/%s", dir, name) > 0);
	return out;
}

#endif
