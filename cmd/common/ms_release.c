/* verify and commit (commands.md 9.6): the same run, the one without
 * writing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/stop.h"
#include "cmd/common/common.h"
#include "cmd/common/ms.h"
#include "codec/z32.h"
#include "pear/link.h"

struct run {
	struct cli *c;
	const struct ms_opts *o;
	struct release_opts r;
	struct ms_args args;
	struct config cfg;
	struct keybook *book;
	struct common_net net;
	bool dry;     /* verify */
	bool first;   /* as far as is known */
	bool resumed; /* it was interrupted before */
	bool said;    /* that it is committed */
};

/* -- what happens ------------------------------------------------------------ */

static void
on_committable(struct run *x, const struct release_event *ev)
{
	char src[Z32_KEY_LEN + 1], dst[Z32_KEY_LEN + 1];

	z32_key(src, ev->source);
	z32_key(dst, ev->target);
	cli_event(x->c, "verify-committable-start",
	    json_pack("{s:s, s:s}", "srcKey", src, "dstKey", dst));
	cli_line(x->c,
	    "Verifying the %s is safe to commit (source %s to multisig target "
	    "%s)",
	    ms_kind_name(x->r.kind), src, dst);
}

/* A duplicate is worth a word; what is wrong ends the run by itself. */
static void
on_response(struct run *x, const struct release_event *ev)
{
	const struct quorum_verdict *v = ev->verdict;
	char key[Z32_KEY_LEN + 1], name[MS_NAME_MAX];
	static const char *const states[] = {[QUORUM_GOOD] = "good",
	    [QUORUM_DUPLICATE] = "duplicate",
	    [QUORUM_BAD] = "bad"};

	z32_key(key, &v->pub);
	cli_event(x->c, "response",
	    json_pack("{s:I, s:s, s:s, s:o}", "number",
		(json_int_t)ev->number + 1, "publicKey", key, "state",
		states[v->state], "reason",
		v->state == QUORUM_BAD ? json_string(v->e.msg) : json_null()));
	if (v->state == QUORUM_DUPLICATE)
		cli_warn(x->c,
		    "response %zu is by the signer of response %zu, %s%s: it "
		    "counts once",
		    ev->number + 1, v->same + 1, key,
		    ms_name(x->book, &v->pub, name));
}

static void
on_start(struct run *x)
{
	char src[Z32_KEY_LEN + 1], dst[Z32_KEY_LEN + 1];

	cli_event(x->c, "commit-start",
	    json_pack("{s:b, s:s, s:s}", "dryRun", x->dry, "srcKey",
		z32_key(src, &x->r.source), "dstKey",
		z32_key(dst, &x->cfg.key)));
	cli_line(x->c,
	    x->dry ? "Dry run the %s commit" : "Committing the %s...",
	    ms_kind_name(x->r.kind));
}

static void
say_committed(struct run *x)
{
	char key[Z32_KEY_LEN + 1];

	if (!x->said)
		cli_line(x->c, "Committed the %s (key %s)",
		    ms_kind_name(x->r.kind), z32_key(key, &x->cfg.key));
	x->said = true;
}

/* What is committed is safe: not to be found is worth a word, no failure. */
static void
offer(struct run *x)
{
	struct err e = ERR_INIT;

	if (ms_net_offer(&x->net, x->o, &x->cfg.key, &e) != ERR_OK)
		cli_warn(x->c, "the release cannot be announced: %s", e.msg);
}

static void
on_committed(struct run *x)
{
	char key[Z32_KEY_LEN + 1], link[PEAR_LINK_TEXT_MAX];

	cli_event(x->c, "verify-committed-start",
	    json_pack("{s:b, s:s, s:s}", "firstCommit", x->first, "key",
		z32_key(key, &x->cfg.key), "link",
		pear_link_key(link, &x->cfg.key)));
	say_committed(x);
	offer(x);
	cli_line(x->c, "Waiting for remote seeders to pick up the changes...");
	if (x->first)
		cli_line(x->c,
		    "Please add this key to the seeders now. The logs here "
		    "will notify you when it is picked up by them. Do not "
		    "shut down until that happens.");
}

static void
on_first(struct run *x)
{
	x->first = true;
	cli_event(x->c, "first-commit", NULL);
	cli_line(
	    x->c, "No peer has any of the target: this is its first release");
}

static void
on_seeders(struct run *x, const struct release_event *ev)
{
	cli_event(x->c, "seeders",
	    json_pack("{s:s, s:I, s:I}", "core", ev->id, "amount",
		(json_int_t)ev->total, "total", (json_int_t)ev->done));
	cli_line(x->c, "%s%s%llu / %llu seeders hold all of it", ev->id,
	    ev->id[0] != '\0' ? ": " : "", (unsigned long long)ev->done,
	    (unsigned long long)ev->total);
}

static void
on_event(void *ctx, const struct release_event *ev)
{
	struct run *x = ctx;
	char done[CLI_SIZE_MAX], total[CLI_SIZE_MAX];

	switch (ev->kind) {
	case RELEASE_VERIFY_COMMITTABLE:
		on_committable(x, ev);
		break;
	case RELEASE_RESPONSE:
		on_response(x, ev);
		break;
	case RELEASE_COMMIT_START:
		on_start(x);
		break;
	case RELEASE_RESUMED:
		x->resumed = true;
		cli_event(x->c, "resumed", NULL);
		cli_line(x->c, "This commit was interrupted; going on with it");
		break;
	case RELEASE_FIRST:
		on_first(x);
		break;
	case RELEASE_VERIFY_COMMITTED:
		on_committed(x);
		break;
	case RELEASE_SEEDERS:
		on_seeders(x, ev);
		break;
	case RELEASE_PROGRESS:
		cli_status(x->c, "%s / %s", cli_size(done, (int64_t)ev->done),
		    cli_size(total, (int64_t)ev->total));
		break;
	case RELEASE_WARNING:
		cli_warn(x->c, "%s", ev->message);
		break;
	case RELEASE_GETTING_SRC_BLOBS:
	case RELEASE_VERIFY_DB_REQUESTABLE:
	case RELEASE_GETTING_BLOBS_LENGTH:
	case RELEASE_VERIFY_BLOBS_REQUESTABLE:
	case RELEASE_CREATING_DRIVE:
		break;
	}
}

/* -- before and after --------------------------------------------------------- */

static void
announce(struct run *x)
{
	const struct ms_args *a = &x->args;
	json_t *list = json_array();
	struct buf raw, text;

	cli_line(x->c, "%s request %.*s", x->dry ? "Verifying" : "Committing",
	    (int)a->text.len, (const char *)a->text.data);
	if (a->n > 0)
		cli_line(x->c, "Responses:");
	buf_init(&raw, RESPONSE_MAX);
	buf_init(&text, RESPONSE_MAX * 2);
	for (size_t i = 0; i < a->n; i++) {
		buf_reset(&raw);
		buf_reset(&text);
		response_encode(&raw, &a->response[i]);
		z32_encode(&text, buf_view(&raw));
		cli_line(x->c, " -%s", buf_cstr(&text));
		(void)json_array_append_new(list, json_string(buf_cstr(&text)));
	}
	cli_event(x->c, "multisigging",
	    json_pack("{s:s%, s:o, s:b}", "request", (const char *)a->text.data,
		a->text.len, "responses", list, "dryRun", x->dry));
	buf_deinit(&raw);
	buf_deinit(&text);
}

static void
show_links(struct run *x, const struct release_report *r)
{
	char link[PEAR_LINK_TEXT_MAX], verlink[PEAR_LINK_TEXT_MAX];

	if (x->o->front != MS_PEAR)
		return;
	cli_line(x->c, "link: %s", pear_link_key(link, &x->cfg.key));
	cli_line(x->c, "verlink: %s",
	    pear_link_verlink(verlink, x->args.request.fork,
		r->part[0].after.length, &x->cfg.key));
	cli_line(x->c, "seed: pear seed %s", link);
}

/* Who has written a release keeps it available. */
static bool
will_seed(const struct run *x, const struct release_report *r)
{
	return !x->dry && x->o->seed && (r->committed || x->resumed) &&
	       x->net.node != NULL;
}

static void
show_result(struct run *x, const struct release_report *r)
{
	json_t *result = ms_result_json(r, x->r.kind);
	char *pretty = json_dumps(result, JSON_INDENT(2));
	char key[Z32_KEY_LEN + 1];
	const char *kind = x->r.kind == REQUEST_DRIVE ? "Drive" : "Core";

	z32_key(key, &x->cfg.key);
	if (r->committed)
		say_committed(x);
	cli_line(x->c, "%s", "");
	ms_show_quorum(x->c, &r->quorum, &x->args.request.manifest, x->book);
	cli_line(x->c, "\n%s: %s",
	    !x->dry		     ? "Committed"
	    : x->o->front == MS_PEAR ? "Dry-run"
				     : "Review batch to commit",
	    pretty != NULL ? pretty : "");
	show_links(x, r);
	if (r->already)
		cli_line(x->c,
		    "\nALREADY_COMMITTED: the %s holds all of this request; "
		    "nothing to do",
		    ms_kind_name(x->r.kind));
	if (will_seed(x, r))
		cli_line(
		    x->c, "\n~ DONE ~ Seeding now ~ Press Ctrl+C to exit ~");
	cli_line(x->c,
	    x->dry ? "\n%s key: %s is safe to commit" : "\n%s key: %s", kind,
	    key);
	cli_final(x->c, json_pack("{s:s, s:b, s:{s:I, s:I}, s:b, s:o, s:b}",
			    "dstKey", key, "dryRun", x->dry, "quorum", "amount",
			    (json_int_t)r->quorum.need, "total",
			    (json_int_t)r->quorum.have, "alreadyCommitted",
			    r->already, "result", result, "success", 1));
	free(pretty);
}

/* From now on until Ctrl-C. */
static enum err_code
keep_seeding(struct run *x, struct err *e)
{
	char link[PEAR_LINK_TEXT_MAX];

	offer(x);
	cli_event(x->c, "seeding",
	    json_pack("{s:s}", "link", pear_link_key(link, &x->cfg.key)));
	return common_net_serve(&x->net, e);
}

static enum err_code
check_words(struct run *x, struct err *e)
{
	if (!x->args.has_request)
		return err_set(e, ERR_USAGE,
		    "Invalid command: no request among the arguments");
	if (!x->dry && x->args.n == 0)
		return err_set(e, ERR_USAGE,
		    "Invalid command: commit needs the responses of the "
		    "signers");
	return ERR_OK;
}

static enum err_code
run(struct run *x, struct err *e)
{
	struct release_report r;
	struct store *s = NULL;
	enum err_code rc;

	rc = common_store(&s, x->c,
	    common_net_mode(
		x->c, &x->o->peers, x->dry ? STORE_READ : STORE_WRITE),
	    e);
	if (rc != ERR_OK)
		return rc;
	release_report_init(&r);
	rc = ms_release_opts(&x->r, x->o, &x->cfg, &x->args, s, e);
	if (rc == ERR_OK)
		rc = ms_net(&x->net, x->c, x->o, &x->r, e);
	if (rc == ERR_OK) {
		x->r.dry_run = x->dry;
		x->r.event = on_event;
		x->r.stop = cli_stop_poll;
		x->r.ctx = x;
		announce(x);
		rc = release_run(&x->r, &x->args.request,
		    buf_view(&x->args.bytes), x->args.response, x->args.n, &r,
		    e);
	}
	cli_status_clear(x->c);
	/* before the result: nothing is called safe that a review refuses */
	if (rc == ERR_OK && x->dry && x->o->review && !r.already &&
	    x->r.kind == REQUEST_DRIVE)
		rc = ms_review_request(
		    x->c, x->o, &x->r, &x->args.request, x->book, e);
	if (rc == ERR_OK)
		show_result(x, &r);
	if (rc == ERR_OK && will_seed(x, &r))
		rc = keep_seeding(x, e);
	release_report_deinit(&r);
	common_net_close(&x->net);
	store_close(s);
	return rc;
}

enum err_code
ms_release(struct cli *c, const struct ms_opts *o, struct err *e)
{
	struct run x = {.c = c, .o = o};
	enum err_code rc;

	x.dry = ms_is(o, "verify") || o->dry_run;
	x.first = o->first_commit;
	ms_args_init(&x.args);
	if ((rc = ms_args_read(&x.args, &o->rest, e)) == ERR_OK &&
	    (rc = check_words(&x, e)) == ERR_OK &&
	    (rc = ms_config(&x.cfg, c, o, e)) == ERR_OK) {
		if ((rc = ms_book(&x.book, c, o, e)) == ERR_OK)
			rc = run(&x, e);
		keybook_close(x.book);
		config_deinit(&x.cfg);
	}
	ms_args_deinit(&x.args);
	return rc;
}
