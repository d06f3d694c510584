#include "drive/staged.h"

#include <string.h>

static struct ignore_texts
texts_of(const struct appcfg_list *l)
{
	return (struct ignore_texts){
	    (const char *const *)(void *)l->item, l->n};
}

enum err_code
staged_rules(struct ignore **out, const char *dir, const struct appcfg *cfg,
    struct ignore_texts ignore, struct ignore_texts only, struct err *e)
{
	const struct ignore_opts io = {.dir = dir,
	    .ignore = {ignore, texts_of(&cfg->ignore)},
	    .includes = texts_of(&cfg->includes),
	    .only = {only, texts_of(&cfg->only)}};

	return ignore_new(out, &io, e);
}

struct content_file
staged_file(const struct scan *s, const struct scan_entry *entry)
{
	const char *out = entry->target; /* a followed link */
	struct content_file f = {.dirfd = scan_root(s),
	    .path = out != NULL ? out : entry->path + 1,
	    .name = entry->path,
	    .follow = out != NULL ? CONTENT_FOLLOW : CONTENT_NOFOLLOW};

	scan_stat(entry, &f.st);
	return f;
}

enum err_code
staged_open(struct staged *s, const char *dir, bool (*stop)(void *ctx),
    void *ctx, struct err *e)
{
	const struct ignore_texts none = {NULL, 0};
	struct scan_opts so = {.dir = dir, .stop = stop, .stop_ctx = ctx};
	enum err_code rc;

	memset(s, 0, sizeof(*s));
	if ((rc = appcfg_read(&s->cfg, dir, e)) != ERR_OK ||
	    (rc = staged_rules(&s->ignore, dir, &s->cfg, none, none, e)) !=
		ERR_OK)
		return rc;
	so.ignore = s->ignore;
	return scan_dir(&s->scan, &so, e);
}

void
staged_close(struct staged *s)
{
	scan_free(s->scan);
	ignore_free(s->ignore);
	appcfg_deinit(&s->cfg);
}
