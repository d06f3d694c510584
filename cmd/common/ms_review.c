/* review: what a request would change (commands.md 9.9 row 8). */
#include "cmd/common/common.h"
#include "cmd/common/ms.h"
#include "cmd/common/review.h"

enum err_code
ms_review_request(struct cli *c, const struct ms_opts *o,
    const struct release_opts *ro, const struct request *req,
    const struct keybook *book, struct err *e)
{
	const struct common_review how = {.rebuild = o->rebuild,
	    .provenance = o->provenance,
	    .report = o->report,
	    .chunking = o->chunking,
	    .diff = o->diff,
	    .plain = o->plain};
	struct drives_request q = {.store = ro->store,
	    .request = req,
	    .source = ro->source,
	    .config = ro->config,
	    .book = book,
	    .fetch = ro->fetch};

	return common_review(c, &how, &q, e);
}

enum err_code
ms_review(struct cli *c, const struct ms_opts *o, struct err *e)
{
	struct common_net net = {.node = NULL};
	struct keybook *book = NULL;
	struct store *s = NULL;
	struct release_opts r;
	struct config cfg;
	struct ms_args a;
	enum err_code rc;

	ms_args_init(&a);
	if ((rc = ms_args_read(&a, &o->rest, e)) != ERR_OK)
		goto out;
	if (!a.has_request) {
		rc = err_set(e, ERR_USAGE, "review takes a request");
		goto out;
	}
	if ((rc = ms_config(&cfg, c, o, e)) != ERR_OK)
		goto out;
	if ((rc = common_store(&s, c, common_net_mode(c, &o->peers, STORE_READ),
		 e)) == ERR_OK &&
	    (rc = ms_book(&book, c, o, e)) == ERR_OK &&
	    (rc = ms_release_opts(&r, o, &cfg, &a, s, e)) == ERR_OK &&
	    (rc = ms_net(&net, c, o, &r, e)) == ERR_OK)
		rc = ms_review_request(c, o, &r, &a.request, book, e);
	keybook_close(book);
	common_net_close(&net);
	store_close(s);
	config_deinit(&cfg);
out:
	ms_args_deinit(&a);
	return rc;
}
