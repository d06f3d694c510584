/* pear-dump: parse, dump, render. */
#include <stdlib.h>
#include <string.h>

#include "cli/prompt.h"
#include "cli/stop.h"
#include "cmd/common/common.h"
#include "dump_cmd.h"
#include "pear/link.h"

struct run {
	struct cli *c;
	const struct dump_args *a;
};

static void
on_event(void *ctx, const struct dump_event *ev)
{
	struct cli *c = ((struct run *)ctx)->c;
	char done[CLI_SIZE_MAX], total[CLI_SIZE_MAX];

	switch (ev->kind) {
	case DUMP_EVENT_DIFF:
		cli_diff(c, (enum cli_diff)ev->type, view_str(ev->path),
		    ev->removed, ev->added);
		break;
	case DUMP_EVENT_WARNING:
		cli_warn(c, "%s", ev->message);
		break;
	case DUMP_EVENT_PROGRESS:
		cli_status(c, "%s / %s", cli_size(done, (int64_t)ev->done),
		    cli_size(total, (int64_t)ev->total));
		break;
	}
}

static bool
confirm_prune(void *ctx, uint64_t files)
{
	struct run *run = ctx;
	struct err e = ERR_INIT;
	char question[128];

	if (run->a->yes)
		return true;
	(void)snprintf(question, sizeof(question),
	    "Delete %llu files that are not in the drive? [y/N] ",
	    (unsigned long long)files);
	return cli_confirm(run->c, question, "--yes", &e) == ERR_OK;
}

static enum err_code
to_folder(struct cli *c, const struct dump_args *a, struct dump_opts *o,
    struct err *e)
{
	char link[PEAR_LINK_TEXT_MAX], dir[4096];
	struct dump_report r;
	enum err_code rc;

	pear_link_key(link, &o->key);
	err_quote(dir, sizeof(dir), a->dir, strlen(a->dir));
	cli_event(c, "dumping",
	    json_pack("{s:s, s:o}", "link", link, "dir",
		cli_json_text(view_str(a->dir))));
	cli_line(c, "🍐 Dump %s into %s", link, dir);
	if (a->dry_run)
		cli_event(c, "dry", NULL);
	if ((rc = drive_dump(o, &r, e)) != ERR_OK)
		return rc;
	cli_status_clear(c);
	cli_event(c, "complete", json_pack("{s:b}", "dryRun", a->dry_run));
	cli_success(c, "Success");
	return ERR_OK;
}

static enum err_code
to_stream(struct cli *c, const struct dump_args *a, struct dump_opts *o,
    struct err *e)
{
	struct dump_render render = {.c = c, .a = a, .prefix = o->prefix};
	char link[PEAR_LINK_TEXT_MAX];
	struct dump_stream out;
	struct dump_report r;
	enum err_code rc;

	pear_link_key(link, &o->key);
	cli_event(
	    c, "dumping", json_pack("{s:s, s:s}", "link", link, "dir", "-"));
	dump_render_stream(&render, &out);
	rc = drive_dump_stream(o, &out, &r, e);
	if (rc == ERR_OK) {
		cli_event(
		    c, "complete", json_pack("{s:b}", "dryRun", a->dry_run));
		if (render.last != NULL) {
			cli_final(c, render.last);
			render.last = NULL;
		}
	}
	dump_render_deinit(&render);
	return rc;
}

/* The drive must be known here, as long as it is to be dumped. */
static enum err_code
ask_peers(struct common_net *net, struct dump_opts *o, struct err *e)
{
	struct pear_link link = {.key = o->key,
	    .has_version = o->has_checkout,
	    .length = o->checkout};

	o->fetch = common_net_fetch(net);
	return common_net_drive(net, &link, COMMON_NEED, e);
}

static enum err_code
dump(struct cli *c, const struct dump_args *a, struct err *e)
{
	struct run run = {c, a};
	struct common_net net = {.node = NULL};
	struct dump_opts o = {.stop = cli_stop_poll,
	    .event = on_event,
	    .home = getenv("HOME"),
	    .confirm_prune = confirm_prune,
	    .ctx = &run};
	struct buf prefix;
	enum err_code rc;

	buf_init(&prefix, PEAR_LINK_MAX);
	rc = dump_args_apply(a, &o, &prefix, e);
	if (rc == ERR_OK)
		rc = common_store(
		    &o.store, c, common_net_mode(c, &a->peers, STORE_READ), e);
	if (rc == ERR_OK)
		rc = common_net_open(&net, c, o.store, &a->peers, e);
	if (rc == ERR_OK && (rc = ask_peers(&net, &o, e)) == ERR_OK)
		rc = dump_args_stream(a) ? to_stream(c, a, &o, e)
					 : to_folder(c, a, &o, e);
	common_net_close(&net);
	store_close(o.store);
	buf_deinit(&prefix);
	return rc;
}

int
main(int argc, char **argv)
{
	struct dump_args a = DUMP_ARGS_DEFAULT;
	struct err e = ERR_INIT;
	struct cli c;
	enum err_code rc;
	int code;

	if (!cli_start(&c, &dump_spec, argc, argv, &a)) {
		code = cli_exit(&c);
	} else {
		rc = dump(&c, &a, &e);
		code = cli_finish(&c, rc, &e);
	}
	dump_args_deinit(&a);
	return code;
}
