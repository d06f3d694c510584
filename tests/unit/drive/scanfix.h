/* scanfix: a scan of a folder as lines of text, with what it warned about,
 * for the tests of drive/scan. */
#ifndef TESTS_DRIVE_SCANFIX_H
#define TESTS_DRIVE_SCANFIX_H

#include "support/treefix.h"

#include "drive/scan.h"

struct talk {
	struct buf warned; /* messages, each followed by a newline */
	int polls, stop_at;
};

static inline void
scanfix_warning(void *ctx, const char *message)
{
	buf_printf(&((struct talk *)ctx)->warned, "%s\n", message);
}

static inline bool
scanfix_poll(void *ctx)
{
	struct talk *t = ctx;

	return ++t->polls == t->stop_at;
}

static inline enum err_code
scanfix_try(struct scan **out, const char *dir, struct talk *t, struct err *e)
{
	const struct scan_opts o = {.dir = dir,
	    .warn = scanfix_warning,
	    .warn_ctx = t,
	    .stop = scanfix_poll,
	    .stop_ctx = t};

	buf_init(&t->warned, 1u << 20);
	return scan_dir(out, &o, e);
}

static inline void
scanfix_show(struct buf *out, const struct scan *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct scan_entry *en = &s->entry[i];

		if (en->kind == SCAN_LINK)
			buf_printf(out, "l %s=%s\n", en->path, en->linkname);
		else
			buf_printf(out, "%s %s %llu\n",
			    en->target != NULL ? "F" : "f", en->path,
			    (unsigned long long)scan_size(en));
	}
}

static inline void
scanfix_expect(int line, const char *dir, const char *want, const char *warned)
{
	struct talk t = {.polls = 0};
	struct err e = ERR_INIT;
	struct scan *s = NULL;
	struct buf got;

	buf_init(&got, 1u << 20);
	check_ok(scanfix_try(&s, dir, &t, &e), &e);
	scanfix_show(&got, s);
	if (strcmp(buf_cstr(&got), want) != 0 ||
	    strcmp(buf_cstr(&t.warned), warned) != 0) {
		fprintf(stderr, "%s holds\n%swarned\n%s", dir, buf_cstr(&got),
		    buf_cstr(&t.warned));
		vec_fail("scan", line, "it is as expected");
	}
	scan_free(s);
	buf_deinit(&got);
	buf_deinit(&t.warned);
}

static inline void
scanfix_refused(int line, const char *dir, enum err_code code, const char *text)
{
	struct talk t = {.polls = 0};
	struct err e = ERR_INIT;
	struct scan *s = NULL;

	if (scanfix_try(&s, dir, &t, &e) != code ||
	    strstr(e.msg, text) == NULL || s != NULL) {
		fprintf(stderr, "got: %s\n", e.msg);
		vec_fail("scan", line, text);
	}
	buf_deinit(&t.warned);
}

#define scan_is(dir, want, warned) \
	scanfix_expect(__LINE__, (dir), (want), (warned))
#define scan_refused(dir, code, text) \
	scanfix_refused(__LINE__, (dir), (code), (text))

#endif
