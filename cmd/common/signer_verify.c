/* signer: does an answer hold, and whose is it? */
#include "cmd/common/signer.h"

#include <string.h>

#include "codec/z32.h"

struct who {
	const char *pub_text; /* as it was given */
	struct b32 pub;
	bool given;
	char *name; /* of an identity; owned by key */
	struct keydir_entry key;
};

static enum err_code
parse_response(
    struct response *out, const char *arg, enum cli_stdin *in, struct err *e)
{
	enum err_code rc;
	struct buf text;

	if ((rc = signer_input(&text, arg, in, e)) == ERR_OK)
		rc = response_parse(out, buf_view(&text), e);
	buf_deinit(&text);
	return rc;
}

/* The key that must have signed, if one is named. */
static enum err_code
find_who(struct who *w, const struct signer_verify *o, const struct keydir *dir,
    struct err *e)
{
	enum err_code rc;

	if (o->pub != NULL) {
		rc = keydir_public_parse(&w->pub, view_str(o->pub), e);
	} else if (o->identity != NULL) {
		rc = keydir_find_public(dir, o->identity, &w->key, e);
		if (rc == ERR_OK) {
			w->pub = w->key.pub;
			w->name = w->key.name;
		}
	} else {
		return ERR_OK;
	}
	w->given = rc == ERR_OK;
	return rc;
}

/* Without a key on the command line only known ones count. */
static enum err_code
check_known(
    const struct response *res, const struct keybook *book, struct err *e)
{
	char z32[Z32_KEY_LEN + 1];

	if (keybook_name(book, &res->pub) != NULL)
		return ERR_OK;
	return err_set(e, ERR_VERIFY,
	    "signed by %s, which is no known key: give the public key that it "
	    "must be, or add it",
	    z32_key(z32, &res->pub));
}

static enum err_code
render(struct cli *c, const struct signer_verify *o, const struct who *w,
    const struct response *res, const struct request *req,
    const struct keybook *book, struct err *e)
{
	const char *name =
	    w->name != NULL ? w->name : keybook_name(book, &res->pub);
	char z32[Z32_KEY_LEN + 1];
	char shown[KEYDIR_NAME_MAX * 2];
	enum err_code rc;
	struct buf b;

	z32_key(z32, &res->pub);
	buf_init(&b, 65536);
	signer_show(&b, req, book, NULL);
	if (buf_cstr(&b) == NULL) {
		rc = buf_check(&b, e);
		buf_deinit(&b);
		return rc;
	}
	cli_line(c, "\nSignature verified.\n");
	if (o->pub != NULL)
		cli_line(c, "%s %s the following request:", z32, o->verb);
	else
		cli_line(c, "Signed by %s: \"%s\"",
		    keybook_own(book, &res->pub) ? "own key" : "known peer",
		    err_quote(shown, sizeof(shown), name, strlen(name)));
	b.len--; /* the line brings its own newline */
	cli_line(c, "%s", buf_cstr(&b));
	buf_deinit(&b);
	cli_event(c, "verify",
	    json_pack("{s:s,s:o,s:b,s:o}", "publicKey", z32, "name",
		name != NULL ? cli_json_text(view_str(name)) : json_null(),
		"own", keybook_own(book, &res->pub), "request",
		signer_json(req, book)));
	return ERR_OK;
}

enum err_code
signer_verify(struct cli *c, const struct signer_verify *o, struct err *e)
{
	struct who w = {.name = NULL};
	struct keydir dir = {.dir = NULL};
	enum cli_stdin in = CLI_STDIN_ANSWERS;
	struct keybook *book = NULL;
	struct response res;
	struct request req;
	enum err_code rc;

	if ((rc = parse_response(&res, o->response, &in, e)) != ERR_OK ||
	    (rc = signer_request(&req, o->request, &in, e)) != ERR_OK ||
	    (rc = signer_dir(&dir, c, o->dir, e)) != ERR_OK ||
	    (rc = find_who(&w, o, &dir, e)) != ERR_OK ||
	    (rc = keybook_open(&book, &dir, e)) != ERR_OK)
		goto out;
	if ((rc = response_verify(&res, &req, w.given ? &w.pub : NULL, e)) ==
		ERR_OK &&
	    (w.given || (rc = check_known(&res, book, e)) == ERR_OK))
		rc = render(c, o, &w, &res, &req, book, e);
out:
	keydir_entry_deinit(&w.key);
	keybook_close(book);
	keydir_deinit(&dir);
	return rc;
}
