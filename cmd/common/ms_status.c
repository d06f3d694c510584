/* status: where the target stands, and commits that were interrupted. */
#include <stdlib.h>
#include <string.h>

#include "cmd/common/common.h"
#include "cmd/common/ms.h"
#include "codec/hex.h"
#include "codec/z32.h"
#include "core/core.h"
#include "pear/link.h"

struct list {
	struct cli *c;
	size_t n;
};

static bool
show_journal(void *ctx, const struct journal *j)
{
	struct list *l = ctx;
	char link[PEAR_LINK_TEXT_MAX], hash[65];
	const char *phase =
	    j->phase == JOURNAL_COMMITTED ? "committed" : "verified";

	l->n++;
	pear_link_key(link, &j->key);
	hex_b32(hash, &j->request_hash);
	cli_event(l->c, "journal",
	    json_pack("{s:s, s:s, s:s, s:I, s:b, s:I}", "link", link,
		"requestHash", hash, "phase", phase, "responses",
		(json_int_t)j->nresponses, "firstCommit", j->first,
		"lengthBefore", (json_int_t)j->length_before));
	cli_line(l->c, "Interrupted commit of %s", link);
	cli_line(l->c, "  request hash %s, %zu responses, %s", hash,
	    j->nresponses,
	    j->phase == JOURNAL_COMMITTED
		? "committed; seeders were not waited for"
		: "nothing written yet");
	cli_line(l->c, "  run the same commit again, or give it up with "
		       "status --forget");
	return true;
}

static enum err_code
show_target(
    struct cli *c, struct store *s, const struct config *cfg, struct err *e)
{
	char link[PEAR_LINK_TEXT_MAX], verlink[PEAR_LINK_TEXT_MAX], hash[65];
	struct core *core = NULL;
	const struct core_head *h;
	enum err_code rc = core_open(&core, s, &cfg->key, CORE_READ, e);

	pear_link_key(link, &cfg->key);
	if (rc == ERR_NOT_FOUND ||
	    (rc == ERR_OK && core_head(core)->length == 0)) {
		core_close(core);
		cli_event(c, "target",
		    json_pack(
			"{s:s, s:I}", "link", link, "length", (json_int_t)0));
		cli_line(c, "%s: nothing here", link);
		return ERR_OK;
	}
	if (rc != ERR_OK)
		return rc;
	h = core_head(core);
	cli_event(c, "target",
	    json_pack("{s:s, s:s, s:I, s:I, s:s}", "link", link, "verlink",
		pear_link_verlink(verlink, h->fork, h->length, &cfg->key),
		"length", (json_int_t)h->length, "fork", (json_int_t)h->fork,
		"treeHash", hex_b32(hash, &h->tree_hash)));
	cli_line(c, "%s: length %llu, tree hash %s", link,
	    (unsigned long long)h->length, hex_b32(hash, &h->tree_hash));
	core_close(core);
	return ERR_OK;
}

static enum err_code
forget(struct cli *c, struct store *s, const struct config *cfg, struct err *e)
{
	bool moved;
	struct journal j;
	enum err_code rc = journal_read(&j, s, &cfg->key, e);

	if (rc == ERR_NOT_FOUND)
		return err_set(e, ERR_NOT_FOUND, "no commit is open");
	if (rc != ERR_OK)
		return rc;
	moved = j.phase == JOURNAL_COMMITTED;
	journal_deinit(&j);
	if ((rc = journal_erase(s, NULL, &cfg->key, e)) == ERR_OK)
		cli_success(c, "%s",
		    moved ? "Done: it was committed, seeders are not waited for"
			  : "Given up; the target is as it was");
	return rc;
}

/* Quorum so far: the responses given on the command line. */
static enum err_code
show_quorum(struct cli *c, const struct ms_opts *o, const struct ms_args *a,
    struct err *e)
{
	struct keybook *book = NULL;
	struct quorum_verdict *v;
	struct quorum q;
	enum err_code rc;

	if (!a->has_request)
		return ERR_OK;
	if ((rc = ms_book(&book, c, o, e)) != ERR_OK)
		return rc;
	if ((v = calloc(a->n + 1, sizeof(*v))) == NULL) {
		keybook_close(book);
		return err_nomem(e);
	}
	quorum_judge(&q, v, &a->request, a->response, a->n);
	for (size_t i = 0; i < a->n; i++)
		if (v[i].state == QUORUM_BAD)
			cli_warn(c, "response %zu: %s", i + 1, v[i].e.msg);
	free(v);
	cli_event(c, "quorum",
	    json_pack("{s:I, s:I}", "amount", (json_int_t)q.need, "total",
		(json_int_t)q.have));
	ms_show_quorum(c, &q, &a->request.manifest, book);
	keybook_close(book);
	return ERR_OK;
}

enum err_code
ms_status(struct cli *c, const struct ms_opts *o, struct err *e)
{
	struct list l = {c, 0};
	struct store *s = NULL;
	struct config cfg;
	struct ms_args a;
	enum err_code rc;

	ms_args_init(&a);
	if ((rc = ms_args_read(&a, &o->rest, e)) == ERR_OK &&
	    (rc = ms_config(&cfg, c, o, e)) == ERR_OK) {
		rc = common_store(
		    &s, c, o->forget ? STORE_WRITE : STORE_READ, e);
		if (rc == ERR_OK && o->forget)
			rc = forget(c, s, &cfg, e);
		else if (rc == ERR_OK &&
			 (rc = show_target(c, s, &cfg, e)) == ERR_OK &&
			 (rc = journal_list(s, show_journal, &l, e)) == ERR_OK)
			rc = show_quorum(c, o, &a, e);
		if (rc == ERR_OK && !o->forget && l.n == 0)
			cli_line(c, "No commit is open");
		if (rc == ERR_OK)
			cli_final(c, json_pack("{s:b}", "success", 1));
		store_close(s);
		config_deinit(&cfg);
	}
	ms_args_deinit(&a);
	return rc;
}
