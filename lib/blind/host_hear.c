/* The two channels of a blind peer, and what it answers on them. */
#include "blind/host_impl.h"
#include "codec/enc.h"

/* -- protomux-rpc --------------------------------------------------------- */

/* As the original does: what went wrong, and the request's own error. */
static void
put_error(struct blind_response *m, const char *code, const char *text,
    const struct denial *why)
{
	m->error = m->has_code = m->has_cause = true;
	m->code = view_str(code);
	m->text = view_str(text);
	m->cause = view_str(why->text);
	m->cause_code = view_str(why->code);
}

static void
put_undecoded(struct blind_response *m, const struct dec *d)
{
	const struct denial why = {"", d->why != NULL ? d->why : "too long"};

	put_error(m, "DECODE_ERROR", "Could not decode request", &why);
}

static void
put_denied(struct blind_response *m, const struct denial *why)
{
	put_error(m, "REQUEST_ERROR", "Request failed", why);
}

/* What the store refuses is the asker's to know; what breaks us is not. */
static bool
is_refusal(enum err_code rc)
{
	return rc == ERR_LOCKED || rc == ERR_READONLY || rc == ERR_CONFLICT ||
	       rc == ERR_NOSPACE || rc == ERR_LIMIT;
}

static enum err_code
answer_add(struct blind_host *h, const struct b32 *peer, struct view value,
    struct blind_response *m, struct buf *out, struct err *e)
{
	static const struct err none = ERR_INIT;
	struct denial why;
	struct blind_add add;
	struct kept *k;
	struct dec d;
	enum err_code rc;

	dec_init(&d, value);
	if (!blind_dec_add(&d, &add)) {
		put_undecoded(m, &d);
		return ERR_OK;
	}
	rc = host_add(h, peer, &add, &k, &why, e);
	if (is_refusal(rc)) {
		why = (struct denial){"NOT_STORED", "it cannot be kept now"};
		*e = none;
		rc = ERR_OK;
	}
	if (rc != ERR_OK || why.code != NULL) {
		put_denied(m, &why);
		return rc;
	}
	blind_put_record(out, &k->record);
	m->value = buf_view(out);
	return ERR_OK;
}

static enum err_code
answer_delete(struct blind_host *h, const struct b32 *peer, struct view value,
    struct blind_response *m, struct buf *out, struct err *e)
{
	struct denial why;
	struct b32 key;
	struct dec d;
	bool was;
	enum err_code rc;

	dec_init(&d, value);
	if (!blind_dec_delete(&d, &key)) {
		put_undecoded(m, &d);
		return ERR_OK;
	}
	rc = host_delete(h, peer, &key, &was, &why, e);
	if (rc != ERR_OK || why.code != NULL) {
		if (why.code != NULL)
			put_denied(m, &why);
		return rc;
	}
	enc_bool(out, was);
	m->value = buf_view(out);
	return ERR_OK;
}

static void
answer_unknown(struct view method, struct blind_response *m, struct buf *out)
{
	buf_str(out, "Unknown method '");
	buf_append(out, method);
	buf_str(out, "'");
	m->error = m->has_code = true;
	m->text = buf_view(out);
	m->code = view_str("UNKNOWN_METHOD");
}

static enum err_code
on_request(void *ctx, struct replicate_channel *ch, uint64_t type,
    struct view body, struct err *e)
{
	const struct b32 *peer = replicate_peer_key(replicate_channel_peer(ch));
	struct blind_response m = {.error = false};
	struct blind_request q;
	struct buf out;
	struct dec d;
	enum err_code rc = ERR_OK;

	if (type != BLIND_REQUEST) /* we ask nothing on this channel */
		return ERR_OK;
	dec_init(&d, body);
	if (!blind_dec_request(&d, &q))
		return dec_error(&d, "request to a blind peer", e);
	buf_init(&out, BLIND_VALUE_MAX);
	m.id = q.id;
	if (view_eq(q.method, view_str("add-core")))
		rc = answer_add(ctx, peer, q.value, &m, &out, e);
	else if (view_eq(q.method, view_str("delete-core")))
		rc = answer_delete(ctx, peer, q.value, &m, &out, e);
	else
		answer_unknown(q.method, &m, &out);
	if (rc == ERR_OK && q.id != 0) {
		blind_put_response(
		    replicate_channel_begin(ch, BLIND_RESPONSE, 256), &m);
		replicate_channel_end(ch);
	}
	buf_deinit(&out);
	return rc;
}

/* -- the muxer ------------------------------------------------------------ */

/* No answer: who is refused sees that nobody comes. */
static enum err_code
on_cores(void *ctx, struct replicate_channel *ch, uint64_t type,
    struct view body, struct err *e)
{
	static const struct err none = ERR_INIT;
	const struct b32 *peer = replicate_peer_key(replicate_channel_peer(ch));
	struct blind_add add = {.announce = false};
	struct blind_cores m;
	struct denial why;
	struct kept *k;
	struct dec d, all;
	uint64_t length;
	enum err_code rc = ERR_OK;

	if (type != BLIND_CORES)
		return ERR_OK;
	dec_init(&d, body);
	(void)blind_dec_cores(&d, &m);
	all = d;
	for (size_t i = 0; i < m.ncores && dec_ok(&all); i++)
		(void)blind_dec_core(&all, &add.key, &length);
	if (!dec_done(&all)) /* nothing is done by halves */
		return dec_error(&all, "cores for a blind peer", e);
	add.announce = m.announce;
	add.priority = m.priority;
	for (size_t i = 0; i < m.ncores && rc == ERR_OK; i++) {
		(void)blind_dec_core(&d, &add.key, &length);
		rc = host_add(ctx, peer, &add, &k, &why, e);
		if (is_refusal(rc)) {
			*e = none;
			rc = ERR_OK;
		}
	}
	return rc;
}

/* -- channels ------------------------------------------------------------- */

static enum err_code
on_taken(void *ctx, struct replicate_channel *ch, struct err *e)
{
	(void)ctx;
	(void)ch;
	(void)e;
	return ERR_OK;
}

static void
on_closed(void *ctx, struct replicate_channel *ch)
{
	(void)ctx;
	(void)ch;
}

enum err_code
host_hear_init(struct blind_host *h, struct err *e)
{
	enum err_code rc;

	h->rpc = (struct replicate_protocol){.name = "protomux-rpc",
	    .takes = true,
	    .id = view_b32(&h->o.self),
	    .taken = on_taken,
	    .message = on_request,
	    .closed = on_closed,
	    .ctx = h};
	h->muxer = (struct replicate_protocol){.name = "blind-peer",
	    .takes = true,
	    .taken = on_taken,
	    .message = on_cores,
	    .closed = on_closed,
	    .ctx = h};
	if ((rc = replicate_protocol(h->r, &h->rpc, e)) != ERR_OK)
		return rc;
	return replicate_protocol(h->r, &h->muxer, e);
}
