/* The file of --list: one link a line, "#" begins a comment at the beginning
 * of a line or behind a blank. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cmd/common/common.h"
#include "cmd/pear-seed/seed.h"

#define FILE_MAX (16u << 20)
#define LINE_MAX_BYTES 8192
#define LOOK_US 1000000
#define WARNINGS_MAX 10 /* of one reading: it may be another file */

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The link of a line, without comment and blanks around it. */
static struct view
link_of(struct view line)
{
	size_t from = 0, to = 0;

	while (from < line.len && is_blank(line.ptr[from]))
		from++;
	for (size_t i = from; i < line.len; i++) {
		if (line.ptr[i] == '#' &&
		    (i == from || is_blank(line.ptr[i - 1])))
			break;
		if (!is_blank(line.ptr[i]))
			to = i + 1;
	}
	return to > from ? view_sub(line, from, to - from) : VIEW_EMPTY;
}

/* A line that is wrong is told, and costs no other. */
static enum err_code
take_line(struct seeder *s, struct view line, size_t number, size_t *wrong,
    struct err *e)
{
	struct view text = link_of(line);
	char word[LINE_MAX_BYTES];
	struct pear_link link;
	enum err_code rc;

	if (text.len == 0)
		return ERR_OK;
	if (text.len >= sizeof(word) || memchr(text.ptr, 0, text.len) != NULL) {
		rc = err_set(e, ERR_INVALID, "not a link");
	} else {
		memcpy(word, text.ptr, text.len);
		word[text.len] = '\0';
		rc = common_link(&link, word, e);
	}
	if (rc == ERR_OK)
		return drives_add(s, &link.key, DRIVE_LISTED, e);
	if (rc == ERR_NOMEM)
		return rc;
	if ((*wrong)++ < WARNINGS_MAX)
		cli_warn(s->c, "%s: line %zu: %s", s->a->list, number, e->msg);
	*e = (struct err)ERR_INIT;
	return ERR_OK;
}

static enum err_code
take_lines(struct seeder *s, struct view text, struct err *e)
{
	enum err_code rc = ERR_OK;
	size_t at = 0, wrong = 0;

	drives_begin(s, DRIVE_LISTED);
	for (size_t number = 1; at < text.len && rc == ERR_OK; number++) {
		const uint8_t *end = memchr(text.ptr + at, '\n', text.len - at);
		size_t len = end == NULL ? text.len - at
					 : (size_t)(end - (text.ptr + at));

		rc = take_line(s, view_sub(text, at, len), number, &wrong, e);
		at += len + 1;
	}
	if (wrong > WARNINGS_MAX)
		cli_warn(s->c, "%s: %zu more lines are no links", s->a->list,
		    wrong - WARNINGS_MAX);
	if (rc == ERR_OK)
		drives_end(s, DRIVE_LISTED);
	return rc;
}

/* -- changes -------------------------------------------------------------- */

/* Has it changed since the last look? A file that is gone is no change: it
 * is about to be replaced, or somebody's mistake. */
static bool
changed(struct seeder *s)
{
	struct list *l = &s->list;
	struct list is = {.known = true};
	struct stat st;
	bool same;

	if (stat(s->a->list, &st) != 0)
		return false;
	is.mtime_s = st.st_mtim.tv_sec;
	is.mtime_ns = st.st_mtim.tv_nsec;
	is.size = st.st_size;
	is.inode = st.st_ino;
	same = l->known && l->mtime_s == is.mtime_s &&
	       l->mtime_ns == is.mtime_ns && l->size == is.size &&
	       l->inode == is.inode;
	is.unsettled = l->unsettled;
	is.next = l->next;
	*l = is;
	return !same;
}

enum err_code
list_read(struct seeder *s, struct err *e)
{
	enum err_code rc;
	struct buf b;

	if (s->a->list == NULL)
		return ERR_OK;
	/* before it is read: what changes meanwhile is seen later */
	(void)changed(s);
	s->list.unsettled = false;
	buf_init(&b, FILE_MAX);
	rc = file_read(AT_FDCWD, s->a->list, FILE_MAX, &b, e);
	if (rc == ERR_OK)
		rc = take_lines(s, buf_view(&b), e);
	buf_deinit(&b);
	return rc == ERR_OK ? rc : err_wrap(e, "--list");
}

/* Read only what nobody writes any more: unchanged from one look to the
 * next. What cannot be read changes nothing. */
static bool
settled(struct seeder *s, bool now)
{
	struct list *l = &s->list;
	bool moved = changed(s), was = l->unsettled;

	l->unsettled = moved && !now;
	return now || (was && !moved);
}

enum err_code
list_turn(struct seeder *s, bool now, struct err *e)
{
	enum err_code rc;

	if (s->a->list == NULL || (peer_now() < s->list.next && !now))
		return ERR_OK;
	s->list.next = peer_now() + LOOK_US;
	if (!settled(s, now))
		return ERR_OK;
	rc = list_read(s, e);
	if (rc == ERR_OK || rc == ERR_NOMEM)
		return rc;
	cli_warn(s->c, "%s; going on with what it said before", e->msg);
	*e = (struct err)ERR_INIT;
	return ERR_OK;
}
