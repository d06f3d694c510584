/* Blind peers: to ask them, and to be one. */
#include <inttypes.h>
#include <stdlib.h>

#include "blind/ask.h"
#include "blind/host.h"
#include "cmd/pear-seed/seed.h"
#include "codec/z32.h"
#include "crypto/hash.h"
#include "net/io/io.h"

#define LOOK_US 1000000 /* between two looks, when nothing is heard */

struct blind {
	struct blind_ask *ask;	 /* NULL: nobody is asked */
	struct blind_host *host; /* NULL: nobody may ask us */
	struct b32 *peer, *allow, *trust;
	bool met[BLIND_PEERS_MAX]; /* this of peer was connected */
	uint64_t next;
	size_t nwhole; /* drives whose two cores are asked for */
	enum err_code failed;
	struct err e; /* of a callback */
};

/* -- words ---------------------------------------------------------------- */

static enum err_code
read_keys(struct b32 **out, const struct cli_list *l, const char *option,
    struct err *e)
{
	char shown[160];

	if ((*out = calloc(l->n + 1, sizeof(**out))) == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < l->n; i++) {
		struct view text = view_str(l->item[i]);

		if (z32_key_id(text, &(*out)[i], e) != ERR_OK)
			return err_set(e, ERR_USAGE,
			    "%s %s must supply a valid z32 key", option,
			    err_quote(
				shown, sizeof(shown), text.ptr, text.len));
	}
	return ERR_OK;
}

enum err_code
blind_check(const struct seed_args *a, struct err *e)
{
	uint64_t quota;

	if (!a->serve_blind && (a->blind_allow.n > 0 || a->blind_trust.n > 0 ||
				   a->blind_quota != NULL))
		return err_set(e, ERR_USAGE,
		    "--blind-allow, --blind-trust and --blind-quota belong to "
		    "--serve-blind");
	if (a->serve_blind && a->blind_allow.n == 0 && a->blind_trust.n == 0)
		return err_set(e, ERR_USAGE,
		    "--serve-blind needs --blind-allow or --blind-trust: "
		    "nobody could ask");
	return limit_parse(&quota, "--blind-quota", a->blind_quota, e);
}

/* -- what is heard -------------------------------------------------------- */

static json_t *
names(const struct b32 *core, const struct b32 *peer)
{
	char c[Z32_KEY_LEN + 1], p[Z32_KEY_LEN + 1];

	z32_key(c, core);
	if (peer == NULL)
		return json_pack("{s:s, s:n}", "core", c, "peer");
	return json_pack("{s:s, s:s}", "core", c, "peer", z32_key(p, peer));
}

static void
on_ask(void *ctx, const struct blind_ask_event *ev)
{
	struct seeder *s = ctx;
	char core[Z32_KEY_LEN + 1], peer[Z32_KEY_LEN + 1], code[80], text[160];
	json_t *data = names(ev->core, ev->peer);

	z32_key(core, ev->core);
	z32_key(peer, ev->peer);
	switch (ev->kind) {
	case BLIND_ADDING:
		cli_event(s->c, "adding", data);
		cli_line(
		    s->c, "... adding core %s to blind peer %s", core, peer);
		break;
	case BLIND_CONFIRMING:
		cli_event(s->c, "confirming", data);
		cli_line(s->c, "... confirming core %s at blind peer %s", core,
		    peer);
		break;
	case BLIND_ADDED:
		cli_event(s->c, "added", data);
		cli_line(
		    s->c, "^_^ added core %s to blind peer %s", core, peer);
		break;
	case BLIND_REFUSED:
		err_quote(code, sizeof(code), ev->code.ptr, ev->code.len);
		err_quote(text, sizeof(text), ev->text.ptr, ev->text.len);
		(void)json_object_set_new(data, "code", json_string(code));
		(void)json_object_set_new(data, "message", json_string(text));
		cli_event(s->c, "refused", data);
		cli_warn(s->c, "blind peer %s refused core %s: %s (%s)", peer,
		    core, text, code);
		break;
	}
	s->redraw = true;
}

/* Who is trusted may have it announced. */
static void
announce(struct seeder *s, const struct b32 *core, bool on)
{
	struct blind *b = s->blind;
	struct b32 topic;

	hash_discovery_key(&topic, core);
	if (b->failed == ERR_OK)
		b->failed = on ? peer_join(s->node, &topic,
				     PEER_SERVER | PEER_CLIENT, &b->e)
			       : peer_leave(s->node, &topic, &b->e);
}

static void
on_host(void *ctx, const struct blind_host_event *ev)
{
	struct seeder *s = ctx;
	json_t *data = names(ev->core, ev->peer);
	char core[Z32_KEY_LEN + 1], peer[Z32_KEY_LEN + 1] = "";

	z32_key(core, ev->core);
	if (ev->peer != NULL)
		z32_key(peer, ev->peer);
	s->blind->next = 0;
	switch (ev->kind) {
	case BLIND_KEPT:
		cli_event(s->c, "blind-kept", data);
		cli_line(s->c, "... blind core %s%s", core,
		    ev->announce ? ", announced" : "");
		if (ev->announce)
			announce(s, ev->core, true);
		break;
	case BLIND_OVER:
		cli_event(s->c, "blind-over", data);
		cli_warn(s->c, "blind core %s does not fit into --blind-quota",
		    core);
		break;
	case BLIND_GONE:
		cli_event(s->c, "blind-deleted", data);
		cli_line(s->c, "... blind core %s deleted", core);
		announce(s, ev->core, false);
		break;
	case BLIND_DENIED:
		(void)json_object_set_new(data, "code", json_string(ev->code));
		cli_event(s->c, "blind-denied", data);
		cli_warn(s->c, "peer %s was refused (%s): %s", peer, ev->code,
		    ev->text);
		break;
	}
	s->redraw = true;
}

static bool
in_use(void *ctx, const struct b32 *key)
{
	struct seeder *s = ctx;

	for (size_t i = 0; i < s->drives.n; i++)
		if (b32_eq(&s->drives.item[i]->key, key) ||
		    b32_eq(&s->drives.item[i]->blobs_key, key))
			return true;
	return false;
}

/* -- life ----------------------------------------------------------------- */

static enum err_code
open_ask(struct seeder *s, struct blind *b, struct err *e)
{
	const struct cli_list *l = &s->a->blind_peers;
	struct blind_ask_opts o = {
	    .npeers = l->n, .announce = true, .event = on_ask, .ctx = s};
	enum err_code rc = read_keys(&b->peer, l, "--blind-peer", e);

	o.peer = b->peer;
	if (rc != ERR_OK || l->n == 0)
		return rc;
	rc = blind_ask_new(&b->ask, peer_replicate(s->node), &o, e);
	for (size_t i = 0; i < l->n && rc == ERR_OK; i++)
		rc = peer_join_peer(s->node, &b->peer[i], e);
	return rc;
}

static enum err_code
open_host(struct seeder *s, struct blind *b, struct err *e)
{
	const struct seed_args *a = s->a;
	struct blind_host_opts o = {.self = *peer_key(s->node),
	    .nallow = a->blind_allow.n,
	    .ntrust = a->blind_trust.n,
	    .unix_ms = io_wall_ms,
	    .in_use = in_use,
	    .event = on_host,
	    .ctx = s};
	enum err_code rc;

	if ((rc = read_keys(&b->allow, &a->blind_allow, "--blind-allow", e)) !=
		ERR_OK ||
	    (rc = read_keys(&b->trust, &a->blind_trust, "--blind-trust", e)) !=
		ERR_OK ||
	    (rc = limit_parse(&o.quota, "--blind-quota", a->blind_quota, e)) !=
		ERR_OK ||
	    !a->serve_blind)
		return rc;
	o.allow = b->allow;
	o.trust = b->trust;
	rc = blind_host_new(&b->host, peer_replicate(s->node), s->store, &o, e);
	if (rc != ERR_OK)
		return rc;
	return peer_listen(s->node, e);
}

enum err_code
blind_open(struct seeder *s, struct err *e)
{
	struct blind *b = calloc(1, sizeof(*b));
	enum err_code rc;

	if (b == NULL)
		return err_nomem(e);
	s->blind = b;
	if ((rc = open_ask(s, b, e)) != ERR_OK)
		return rc;
	return open_host(s, b, e);
}

void
blind_close(struct blind *b)
{
	if (b == NULL)
		return;
	blind_ask_free(b->ask);
	blind_host_free(b->host);
	free(b->peer);
	free(b->allow);
	free(b->trust);
	free(b);
}

/* -- turns ---------------------------------------------------------------- */

void
blind_joined(struct seeder *s, const struct b32 *peer)
{
	struct blind *b = s->blind;

	if (b == NULL || b->ask == NULL)
		return;
	for (size_t i = 0; i < s->a->blind_peers.n; i++)
		b->met[i] = b->met[i] || b32_eq(&b->peer[i], peer);
	if (b->failed == ERR_OK)
		b->failed = blind_ask_joined(b->ask, peer, &b->e);
}

void
blind_changed(struct seeder *s)
{
	if (s->blind != NULL)
		s->blind->next = 0;
}

static enum err_code
ask_for_drives(struct seeder *s, struct blind *b, struct err *e)
{
	enum err_code rc = ERR_OK;
	const struct drive *d;

	b->nwhole = 0;
	for (size_t i = 0; i < s->drives.n && rc == ERR_OK; i++) {
		d = s->drives.item[i];
		if (d->db != NULL)
			rc = blind_ask_core(b->ask, &d->key, e);
		if (rc == ERR_OK && d->blobs != NULL)
			rc = blind_ask_core(b->ask, &d->blobs_key, e);
		b->nwhole += d->blobs != NULL || d->shape == DRIVE_CORE;
	}
	if (rc == ERR_OK)
		blind_ask_turn(b->ask);
	return rc;
}

/* Asking was all there was to do. */
static enum err_code
is_met(struct seeder *s, struct blind *b, bool *met, struct err *e)
{
	*met = b->host == NULL && s->drives.n > 0 && b->nwhole == s->drives.n &&
	       stored_due(&s->stored) == UINT64_MAX &&
	       blind_ask_left(b->ask) == 0;
	if (!*met || blind_ask_refused(b->ask) == 0)
		return ERR_OK;
	return err_set(e, ERR_PEERS, "a blind peer refused %zu cores",
	    blind_ask_refused(b->ask));
}

enum err_code
blind_late(const struct seeder *s, struct err *e)
{
	const struct blind *b = s->blind;
	char key[Z32_KEY_LEN + 1];

	for (size_t i = 0; i < s->a->blind_peers.n; i++)
		if (!b->met[i])
			return err_set(e, ERR_PEERS,
			    "after %" PRIu64 " s blind peer %s was not reached",
			    s->a->timeout.n, z32_key(key, &b->peer[i]));
	if (b->nwhole < s->drives.n)
		return err_set(e, ERR_PEERS,
		    "after %" PRIu64 " s %zu of %zu drives are not known here",
		    s->a->timeout.n, s->drives.n - b->nwhole, s->drives.n);
	return err_set(e, ERR_PEERS,
	    "after %" PRIu64 " s the blind peers lack %zu of the cores they "
	    "were asked for",
	    s->a->timeout.n, blind_ask_left(b->ask));
}

enum err_code
blind_turn(struct seeder *s, bool *met, struct err *e)
{
	struct blind *b = s->blind;
	enum err_code rc = ERR_OK;

	*met = false;
	if (b->failed != ERR_OK) {
		*e = b->e;
		return b->failed;
	}
	if (peer_now() < b->next)
		return ERR_OK;
	b->next = peer_now() + LOOK_US;
	if (b->host != NULL)
		rc = blind_host_turn(b->host, e);
	if (rc != ERR_OK || b->ask == NULL ||
	    (rc = ask_for_drives(s, b, e)) != ERR_OK)
		return rc;
	return is_met(s, b, met, e);
}
