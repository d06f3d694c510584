#include "drive/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/arr.h"
#include "base/beneath.h"
#include "base/file.h"
#include "drive/content.h"
#include "drive/dump_list.h"
#include "drive/dump_open.h"
#include "drive/need.h"
#include "drive/walk.h"

/* Deleting more files than this is asked about first. */
#define PRUNE_ASK_ABOVE 20u

struct dump_run {
	const struct dump_opts *opts;
	struct dump_report *r;
	struct dump_source src;
	struct dump_list list;
	struct content content;
	int root;    /* -1: the folder is not there (dry run) */
	char **gone; /* paths on disk that the drive has not */
	size_t ngone, gone_cap;
	struct buf text; /* link text of the item under way */
};

static void
event_diff(struct dump_run *d, int type, const char *path, uint64_t removed,
    uint64_t added)
{
	const struct dump_event ev = {.kind = DUMP_EVENT_DIFF,
	    .type = type,
	    .path = path,
	    .removed = removed,
	    .added = added};

	d->opts->event(d->opts->ctx, &ev);
}

/* Does ".." stand behind a name? If that is a link itself, the system counts
 * from where it leads, and drives count along the text. */
static bool
climbs_late(const char *text)
{
	bool named = false;

	while (*text != '\0') {
		size_t n = strcspn(text, "/");

		if (n == 2 && text[0] == '.' && text[1] == '.') {
			if (named)
				return true;
		} else if (n > 1 || (n == 1 && text[0] != '.')) {
			named = true;
		}
		text += n + (text[n] == '/');
	}
	return false;
}

/* The shortest text for a link that leads to `full`, counted from the
 * drive's root, which may be that root: no path, so a part is put behind it
 * while it is normalised. */
static enum err_code
relative_text(struct dump_run *d, const struct dump_item *it, struct view full,
    struct err *e)
{
	struct buf longer, target;
	enum err_code rc;

	buf_init(&longer, ENTRY_PATH_MAX + ENTRY_VALUE_MAX);
	buf_init(&target, ENTRY_PATH_MAX + ENTRY_VALUE_MAX);
	buf_append(&longer, full);
	buf_str(&longer, "/x");
	rc = buf_check(&longer, e);
	if (rc == ERR_OK)
		rc = entry_path(&target, buf_view(&longer), e);
	if (rc == ERR_OK) {
		target.len -= target.len > 2 ? 2 : 1;
		if (buf_cstr(&target) == NULL)
			rc = err_nomem(e);
	}
	if (rc == ERR_OK)
		beneath_link_relative(&d->text, it->path, buf_cstr(&target));
	buf_deinit(&longer);
	buf_deinit(&target);
	return rc == ERR_OK ? buf_check(&d->text, e) : rc;
}

/* The text a link gets on disk: nothing it passes can lead it out of the
 * folder, because ".." stands only at its beginning. Absolute links count
 * from the drive's root; one that would leave the root is refused. */
static enum err_code
link_text(struct dump_run *d, const struct dump_item *it, struct err *e)
{
	char quoted[512];
	const char *name =
	    err_quote(quoted, sizeof(quoted), it->path, strlen(it->path));
	enum err_code rc;
	struct buf full;

	buf_reset(&d->text);
	if (it->linkname[0] == '/') {
		rc = relative_text(d, it, view_str(it->linkname), e);
		return rc == ERR_OK ? rc : err_wrap(e, "%s", name);
	}
	if (!beneath_link_inside(it->path, it->linkname))
		return err_set(
		    e, ERR_INVALID, "%s is a link out of the drive", name);
	if (!climbs_late(it->linkname)) {
		buf_str(&d->text, it->linkname);
		return buf_check(&d->text, e);
	}
	buf_init(&full, ENTRY_PATH_MAX + ENTRY_VALUE_MAX);
	buf_append(&full,
	    view_of(it->path, (size_t)(strrchr(it->path, '/') - it->path) + 1));
	buf_str(&full, it->linkname);
	if ((rc = buf_check(&full, e)) == ERR_OK)
		rc = relative_text(d, it, buf_view(&full), e);
	buf_deinit(&full);
	return rc == ERR_OK ? rc : err_wrap(e, "%s", name);
}

static enum err_code
check_links(struct dump_run *d, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < d->list.n; i++)
		if (d->list.item[i].linkname != NULL)
			rc = link_text(d, &d->list.item[i], e);
	return rc;
}

struct first_file {
	bool seen;
};

static enum err_code
see_file(void *ctx, const char *path, struct err *e)
{
	(void)path;
	((struct first_file *)ctx)->seen = true;
	/* one is enough: leave the walk */
	return err_set(e, ERR_EXISTS, "not empty");
}

/* Open the target, made if it is missing and something will be written. */
static enum err_code
open_root(struct dump_run *d, struct err *e)
{
	const struct dump_opts *o = d->opts;
	struct first_file first = {false};
	enum err_code rc = ERR_OK;

	d->root = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->root < 0 && errno == ENOENT && (o->dry_run || o->check))
		return ERR_OK;
	if (d->root < 0 && errno == ENOENT) {
		if ((rc = file_mkdirs(o->dir, 0755, e)) != ERR_OK)
			return rc;
		d->root = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (d->root < 0)
		return err_os(e, errno, "open folder %s", o->dir);
	if (o->force || o->check)
		return ERR_OK;
	rc = walk_files(o->dir, see_file, &first, e);
	if (!first.seen)
		return rc;
	rc = err_set(e, ERR_EXISTS, "Dir is not empty. To overwrite: --force");
	return rc == ERR_OK ? rc : err_tag(e, "ERR_DIR_NONEMPTY");
}

static enum err_code
check_space(const struct dump_run *d, struct err *e)
{
	struct statvfs fs;
	uint64_t room;

	if (d->root < 0 || d->opts->dry_run || d->opts->check ||
	    d->opts->force || fstatvfs(d->root, &fs) != 0)
		return ERR_OK;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room >= d->list.bytes)
		return ERR_OK;
	return err_set(e, ERR_NOSPACE,
	    "%s: %llu bytes are needed, %llu are free", d->opts->dir,
	    (unsigned long long)d->list.bytes, (unsigned long long)room);
}

static int
by_path(const void *key, const void *item)
{
	return view_cmp(
	    view_str(key), view_str(((const struct dump_item *)item)->path));
}

static enum err_code
note_gone(void *ctx, const char *path, struct err *e)
{
	struct dump_run *d = ctx;
	size_t n = strlen(path);
	char *full = malloc(n + 2);

	if (full == NULL)
		return err_nomem(e);
	full[0] = '/';
	memcpy(full + 1, path, n + 1);
	if (!dump_selected(d->opts, full) ||
	    bsearch(full, d->list.item, d->list.n, sizeof(*d->list.item),
		by_path) != NULL) {
		free(full);
		return ERR_OK;
	}
	if (!ARR_RESERVE(d->gone, d->ngone + 1, d->gone_cap)) {
		free(full);
		return err_nomem(e);
	}
	d->gone[d->ngone++] = full;
	return ERR_OK;
}

/* Does pruning this folder look like a mistake? */
static bool
looks_wrong(const struct dump_run *d)
{
	const char *home = d->opts->home;
	char *real = realpath(d->opts->dir, NULL);
	char *home_real = home != NULL ? realpath(home, NULL) : NULL;
	bool wrong = real == NULL || strcmp(real, "/") == 0 ||
		     (home_real != NULL && strcmp(real, home_real) == 0) ||
		     walk_exists(d->opts->dir, ".git") ||
		     d->ngone > PRUNE_ASK_ABOVE;

	free(real);
	free(home_real);
	return wrong;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err_code
find_gone(struct dump_run *d, struct err *e)
{
	const struct dump_opts *o = d->opts;
	enum err_code rc;

	if (d->root < 0 || !o->prune)
		return ERR_OK;
	if ((rc = walk_files(o->dir, note_gone, d, e)) != ERR_OK ||
	    d->ngone == 0)
		return rc;
	qsort(d->gone, d->ngone, sizeof(*d->gone), by_text);
	if (o->dry_run || o->check || !looks_wrong(d))
		return ERR_OK;
	if (o->confirm_prune != NULL && o->confirm_prune(o->ctx, d->ngone))
		return ERR_OK;
	return err_set(e, ERR_INVALID,
	    "%zu file(s) in %s are not in the drive and would be deleted; "
	    "--yes allows that, --no-prune keeps them",
	    d->ngone, o->dir);
}

static enum err_code
remove_gone(struct dump_run *d, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < d->ngone; i++) {
		struct stat st = {.st_size = 0};

		rc = beneath_stat(d->root, d->gone[i], &st, e);
		if (rc == ERR_OK && !d->opts->dry_run && !d->opts->check)
			rc = beneath_unlink(
			    d->root, d->gone[i], BENEATH_PRUNE_PARENTS, e);
		if (rc != ERR_OK)
			break;
		event_diff(d, -1, d->gone[i],
		    S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0, 0);
		d->r->remove++;
	}
	return rc;
}

static enum err_code
same_link(
    struct dump_run *d, const struct dump_item *it, bool *same, struct err *e)
{
	enum err_code rc;
	struct buf now;

	buf_init(&now, BENEATH_PATH_MAX);
	rc = beneath_readlink(d->root, it->path, &now, e);
	*same = rc == ERR_OK && view_eq(buf_view(&now), buf_view(&d->text));
	buf_deinit(&now);
	return rc;
}

static enum err_code
same_file(struct dump_run *d, const struct dump_item *it, const struct stat *st,
    bool *same, struct err *e)
{
	struct content_file f = {.name = it->path, .st = *st};
	struct core *blobs = hyperdrive_blobs(d->src.drive);
	enum err_code rc;
	struct b32 sum;
	struct want w = {.kind = WANT_BLOCK};
	const char *name;

	*same = false;
	if ((uint64_t)st->st_size != it->size ||
	    ((st->st_mode & S_IXUSR) != 0) != it->executable)
		return ERR_OK;
	*same = it->size == 0;
	if (*same)
		return ERR_OK;
	if (blobs == NULL)
		return dump_no_contents(e);
	rc = beneath_parent(
	    d->root, it->path, BENEATH_NO_PARENTS, &f.dirfd, &name, e);
	if (rc != ERR_OK)
		return rc;
	f.path = name;
	do
		rc = content_same(
		    &d->content, &f, blobs, &it->blob, same, &sum, &w, e);
	while (need_again(d->opts->fetch, &rc, &w, e));
	close(f.dirfd);
	return rc;
}

/* What is on disk where the item goes: *there, *same, its size. */
static enum err_code
look(struct dump_run *d, const struct dump_item *it, bool *there, bool *same,
    uint64_t *size, struct err *e)
{
	enum err_code rc = ERR_NOT_FOUND;
	struct stat st;

	*same = *there = false;
	*size = 0;
	if (d->root >= 0)
		rc = beneath_stat(d->root, it->path, &st, e);
	if (rc == ERR_NOT_FOUND)
		return ERR_OK;
	if (rc != ERR_OK)
		return rc;
	*there = true;
	if (S_ISLNK(st.st_mode) && it->linkname != NULL)
		return same_link(d, it, same, e);
	if (!S_ISREG(st.st_mode))
		return ERR_OK;
	*size = (uint64_t)st.st_size;
	return it->linkname != NULL ? ERR_OK : same_file(d, it, &st, same, e);
}

struct sink {
	int fd;
	const char *name;
	uint64_t at;
};

static enum err_code
to_file(void *ctx, struct view block, struct err *e)
{
	struct sink *s = ctx;
	enum err_code rc =
	    file_pwrite_all(s->fd, s->name, block.ptr, block.len, s->at, e);

	s->at += block.len;
	return rc;
}

static enum err_code
write_file(struct dump_run *d, const struct dump_item *it, struct err *e)
{
	struct beneath_file f = BENEATH_FILE_INIT;
	enum err_code rc;

	if ((rc = beneath_create(&f, d->root, it->path, e)) == ERR_OK) {
		struct sink s = {f.fd, it->path, 0};

		rc = dump_blocks(d->opts, hyperdrive_blobs(d->src.drive), it,
		    to_file, &s, e);
	}
	if (rc == ERR_OK)
		rc = beneath_commit(
		    &f, it->executable ? BENEATH_EXECUTABLE : BENEATH_PLAIN, e);
	beneath_abort(&f);
	return rc;
}

static enum err_code
write_item(struct dump_run *d, const struct dump_item *it, struct err *e)
{
	bool there, same;
	uint64_t size;
	enum err_code rc = ERR_OK;

	if (it->linkname != NULL)
		rc = link_text(d, it, e);
	if (rc == ERR_OK)
		rc = look(d, it, &there, &same, &size, e);
	if (rc != ERR_OK || same)
		return rc;
	if (!d->opts->dry_run && !d->opts->check)
		rc = it->linkname == NULL ? write_file(d, it, e)
					  : beneath_symlink(d->root, it->path,
						buf_cstr(&d->text), e);
	if (rc != ERR_OK)
		return rc;
	if (there)
		d->r->change++;
	else
		d->r->add++;
	event_diff(d, there ? 0 : 1, it->path, size, it->size);
	return ERR_OK;
}

/* Nothing of that size is on disk: its contents will be needed. */
static bool
will_read(void *ctx, const struct dump_item *it)
{
	struct dump_run *d = ctx;
	struct err e = ERR_INIT;
	struct stat st;

	return it->linkname == NULL &&
	       (d->root < 0 ||
		   beneath_stat(d->root, it->path, &st, &e) != ERR_OK ||
		   (uint64_t)st.st_size != it->size);
}

static enum err_code
write_items(struct dump_run *d, struct err *e)
{
	struct dump_event ev = {
	    .kind = DUMP_EVENT_PROGRESS, .total = d->list.bytes};
	enum err_code rc = ERR_OK;
	char quoted[512];

	if (!d->opts->dry_run && !d->opts->check)
		rc = dump_ahead(d->opts, hyperdrive_blobs(d->src.drive),
		    &d->list, will_read, d, e);
	for (size_t i = 0; rc == ERR_OK && i < d->list.n; i++) {
		const struct dump_item *it = &d->list.item[i];

		if (d->opts->stop != NULL && d->opts->stop(d->opts->ctx))
			return err_set(e, ERR_INTERRUPTED,
			    "interrupted; run it again to go on");
		rc = write_item(d, it, e);
		if (rc != ERR_OK)
			return err_wrap(e, "%s",
			    err_quote(quoted, sizeof(quoted), it->path,
				strlen(it->path)));
		d->r->files++;
		d->r->bytes += it->size;
		ev.done = d->r->bytes;
		d->opts->event(d->opts->ctx, &ev);
	}
	return rc;
}

/* One sync for everything: what was printed as done is on the disk. */
static enum err_code
sync_all(const struct dump_run *d, struct err *e)
{
	if (d->root < 0 || d->opts->dry_run || d->opts->check ||
	    d->r->add + d->r->change + d->r->remove == 0)
		return ERR_OK;
#ifdef __linux__
	if (syncfs(d->root) != 0)
		return err_os(e, errno, "sync %s", d->opts->dir);
#else
	sync();
#endif
	return ERR_OK;
}

static enum err_code
run(struct dump_run *d, struct err *e)
{
	enum err_code rc;
	uint64_t differ;

	if ((rc = dump_list_fill(
		 &d->list, d->opts, d->src.drive, d->src.at, e)) != ERR_OK ||
	    (rc = check_links(d, e)) != ERR_OK ||
	    (rc = open_root(d, e)) != ERR_OK ||
	    (rc = check_space(d, e)) != ERR_OK ||
	    (rc = find_gone(d, e)) != ERR_OK ||
	    (rc = remove_gone(d, e)) != ERR_OK ||
	    (rc = write_items(d, e)) != ERR_OK ||
	    (rc = sync_all(d, e)) != ERR_OK)
		return rc;
	differ = d->r->add + d->r->change + d->r->remove;
	if (d->opts->check && differ > 0)
		return err_set(e, ERR_VERIFY, "%s differs in %llu file%s",
		    d->opts->dir, (unsigned long long)differ,
		    differ == 1 ? "" : "s");
	return ERR_OK;
}

enum err_code
drive_dump(const struct dump_opts *opts, struct dump_report *r, struct err *e)
{
	struct dump_run d = {.opts = opts, .r = r, .root = -1};
	enum err_code rc;

	if ((rc = dump_open(&d.src, opts, r, e)) != ERR_OK)
		return rc;
	buf_init(&d.text, BENEATH_PATH_MAX);
	rc = content_init(&d.content, CHUNKER_FIXED, e);
	d.content.stop = opts->stop;
	d.content.stop_ctx = opts->ctx;
	if (rc == ERR_OK)
		rc = run(&d, e);
	content_deinit(&d.content);
	buf_deinit(&d.text);
	for (size_t i = 0; i < d.ngone; i++)
		free(d.gone[i]);
	free(d.gone);
	if (d.root >= 0)
		close(d.root);
	dump_list_deinit(&d.list);
	dump_close(&d.src);
	return rc;
}
