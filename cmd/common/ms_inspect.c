/* inspect: a request or response, decoded and explained. */
#include <string.h>

#include "cmd/common/ms.h"
#include "cmd/common/signer.h"
#include "codec/hex.h"
#include "codec/z32.h"

static enum err_code
show_request(struct cli *c, const struct request *r, const struct keybook *book,
    struct err *e)
{
	struct buf b;
	enum err_code rc;

	cli_event(c, "request", signer_json(r, book));
	buf_init(&b, 1u << 20);
	signer_show(&b, r, book, NULL);
	if ((rc = buf_check(&b, e)) == ERR_OK)
		cli_line(c, "%s", buf_cstr(&b));
	buf_deinit(&b);
	return rc;
}

static void
show_response(struct cli *c, const struct response *r,
    const struct keybook *book, const struct request *req)
{
	char key[Z32_KEY_LEN + 1], hash[65], quoted[256] = "";
	const char *name = keybook_name(book, &r->pub);
	struct err why = ERR_INIT;
	bool holds =
	    req != NULL && response_verify(r, req, NULL, &why) == ERR_OK;

	if (name != NULL)
		err_quote(quoted, sizeof(quoted), name, strlen(name));
	hex_b32(hash, &r->request_hash);
	cli_line(c, "Response by %s%s%s%s", z32_key(key, &r->pub),
	    name != NULL ? " (" : "", quoted, name != NULL ? ")" : "");
	cli_line(c, "  to the request with hash %s", hash);
	cli_line(c, "  %zu signature%s: %s, version %u", r->n,
	    r->n == 1 ? "" : "s", r->n == 1 ? "a core" : "a drive", r->version);
	if (req != NULL)
		cli_line(c, "  for the request given: %s",
		    holds ? "valid" : why.msg);
	cli_event(c, "response",
	    json_pack("{s:s, s:s, s:I, s:I, s:o}", "publicKey", key,
		"requestHash", hash, "signatures", (json_int_t)r->n, "version",
		(json_int_t)r->version, "valid",
		req == NULL ? json_null() : json_boolean(holds)));
}

enum err_code
ms_inspect(struct cli *c, const struct ms_opts *o, struct err *e)
{
	struct keybook *book = NULL;
	struct ms_args a;
	enum err_code rc;

	ms_args_init(&a);
	if ((rc = ms_args_read(&a, &o->rest, e)) == ERR_OK && !a.has_request &&
	    a.n == 0)
		rc = err_set(e, ERR_USAGE,
		    "inspect takes a request, a response, or both");
	if (rc == ERR_OK)
		rc = ms_book(&book, c, o, e);
	if (rc == ERR_OK && a.has_request)
		rc = show_request(c, &a.request, book, e);
	for (size_t i = 0; rc == ERR_OK && i < a.n; i++)
		show_response(
		    c, &a.response[i], book, a.has_request ? &a.request : NULL);
	keybook_close(book);
	ms_args_deinit(&a);
	return rc;
}
