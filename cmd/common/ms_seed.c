/* seed: keep source and target available (commands.md 9.10). */
#include <stdlib.h>

#include "cmd/common/common.h"
#include "cmd/common/ms.h"
#include "hyperdrive/drive.h"

#define INTERVAL_MS 15000
#define INTERVAL_MAX_MS (UINT64_C(1) << 40)
#define CORES_MAX (2 * REQUEST_CORES_MAX)

struct seeded {
	const char *label; /* "Source DB" */
	struct b32 key;
	struct replicate_core *core; /* NULL: not known yet */
	uint64_t said;		     /* the length that was shown */
	bool shown;
};

struct seeding {
	struct cli *c;
	const struct ms_opts *o;
	struct store *store;
	struct common_net net;
	struct seeded core[CORES_MAX];
	size_t n;
};

/* -- what is shown --------------------------------------------------------- */

static void
show_core(struct seeding *x, struct seeded *s)
{
	struct replicate_status st;
	struct release_core about = {.key = s->key};
	json_t *info;
	char *pretty;

	replicate_status(s->core, &st);
	if (s->shown && st.head.length == s->said)
		return;
	s->shown = true;
	s->said = about.length = st.head.length;
	about.tree_hash = st.head.tree_hash;
	info = ms_core_json(&about);
	if ((pretty = json_dumps(info, JSON_INDENT(2))) != NULL)
		cli_line(x->c, "%s core: %s", s->label, pretty);
	free(pretty);
	(void)json_object_set_new(info, "label", json_string(s->label));
	cli_event(x->c, "core", info);
}

static enum err_code
show_peers(struct seeding *x, const struct seeded *s, struct err *e)
{
	struct peers_question q = {.key = s->key, .until = PEERS_ENOUGH};
	struct replicate_status st;
	struct peers_answer a;
	enum err_code rc;

	replicate_status(s->core, &st);
	q.length = st.head.length;
	if ((rc = peers_count(common_net_peers(&x->net), &q, &a, e)) != ERR_OK)
		return rc;
	cli_line(x->c,
	    "%s core: %llu peers, %llu fully downloaded, length: %llu",
	    s->label, (unsigned long long)a.peers, (unsigned long long)a.full,
	    (unsigned long long)q.length);
	cli_event(x->c, "stats",
	    json_pack("{s:s, s:I, s:I, s:I}", "label", s->label, "peers",
		(json_int_t)a.peers, "full", (json_int_t)a.full, "length",
		(json_int_t)q.length));
	return ERR_OK;
}

static enum err_code
show(struct seeding *x, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < x->n && rc == ERR_OK; i++) {
		if (x->core[i].core == NULL)
			continue;
		show_core(x, &x->core[i]);
		rc = show_peers(x, &x->core[i], e);
	}
	return rc;
}

/* -- what is seeded ---------------------------------------------------------- */

/* Whole, and what is appended later; what is written here is only served. */
static enum err_code
keep(struct seeding *x, struct seeded *s, struct err *e)
{
	enum err_code rc =
	    replicate_open(peer_replicate(x->net.node), &s->key, &s->core, e);

	if (rc != ERR_OK || core_writable(replicate_core_handle(s->core)))
		return rc;
	return replicate_download(s->core, 0, UINT64_MAX, e);
}

static enum err_code
add(struct seeding *x, const char *label, const struct b32 *key, struct err *e)
{
	struct seeded *s = &x->core[x->n++];

	*s = (struct seeded){.label = label};
	if (key == NULL)
		return ERR_OK;
	s->key = *key;
	return keep(x, s, e);
}

/* The contents core is named in the first block of the metadata. */
static enum err_code
find_blobs(struct seeding *x, const struct b32 *source, struct err *e)
{
	struct seeded *s = &x->core[1];
	struct want w = {.kind = WANT_BLOCK};
	struct hyperdrive *d;
	enum err_code rc;
	bool known;

	if (x->n < CORES_MAX || s->core != NULL ||
	    core_head(replicate_core_handle(x->core[0].core))->length == 0)
		return ERR_OK;
	if ((rc = hyperdrive_open(&d, x->store, source, CORE_READ, e)) !=
	    ERR_OK)
		return rc;
	rc = hyperdrive_find_blobs(d, &w, e);
	known = hyperdrive_blobs_key(d, &s->key);
	hyperdrive_close(d);
	if (rc == ERR_NEED_BLOCK)
		return ERR_OK; /* it comes */
	return rc == ERR_OK && known ? keep(x, s, e) : rc;
}

static enum err_code
begin(struct seeding *x, const struct release_opts *r, struct err *e)
{
	const struct config *cfg = r->config;
	bool drive = r->kind == REQUEST_DRIVE;
	enum err_code rc;

	if ((rc = common_net_start(&x->net, e)) != ERR_OK ||
	    (rc = ms_net_offer(&x->net, x->o, &r->source, e)) != ERR_OK ||
	    (rc = ms_net_offer(&x->net, x->o, &cfg->key, e)) != ERR_OK ||
	    (rc = add(x, drive ? "Source DB" : "Source", &r->source, e)) !=
		ERR_OK ||
	    (drive && (rc = add(x, "Source Blobs", NULL, e)) != ERR_OK) ||
	    (rc = add(x, drive ? "Multisig DB" : "Multisig", &cfg->key, e)) !=
		ERR_OK ||
	    !drive)
		return rc;
	return add(x, "Multisig Blobs", &cfg->blobs_key, e);
}

static enum err_code
loop(struct seeding *x, const struct release_opts *r, struct err *e)
{
	uint64_t ms = x->o->interval.set ? x->o->interval.n : INTERVAL_MS;
	uint64_t every, next = 0;
	enum err_code rc;

	every = (ms < INTERVAL_MAX_MS ? ms : INTERVAL_MAX_MS) * 1000;
	for (;;) {
		if ((rc = find_blobs(x, &r->source, e)) != ERR_OK)
			return rc;
		if (peer_now() >= next) {
			if ((rc = show(x, e)) != ERR_OK)
				return rc;
			next = peer_now() + (every > 0 ? every : 1000);
		}
		if ((rc = peer_turn(x->net.node, next, e)) != ERR_OK)
			return rc;
	}
}

static enum err_code
open_net(struct seeding *x, const struct release_opts *r, struct err *e)
{
	enum err_code rc = ms_net_open(&x->net, x->c, x->o, r, e);

	if (rc == ERR_OK && x->net.offline)
		return err_set(e, ERR_USAGE,
		    "seed has nothing to do: nobody is looked for");
	return rc;
}

static enum err_code
seed(struct seeding *x, const struct config *cfg, struct err *e)
{
	struct release_opts r;
	struct ms_args a;
	enum err_code rc;

	if ((rc = common_store(&x->store, x->c, STORE_CREATE, e)) != ERR_OK)
		return rc;
	ms_args_init(&a);
	if ((rc = ms_args_read(&a, &x->o->rest, e)) == ERR_OK &&
	    (rc = ms_release_opts(&r, x->o, cfg, &a, x->store, e)) == ERR_OK &&
	    (rc = open_net(x, &r, e)) == ERR_OK &&
	    (rc = begin(x, &r, e)) == ERR_OK)
		rc = loop(x, &r, e);
	ms_args_deinit(&a);
	/* to be stopped is how this ends */
	return rc == ERR_INTERRUPTED ? ERR_OK : rc;
}

enum err_code
ms_seed(struct cli *c, const struct ms_opts *o, struct err *e)
{
	struct seeding x = {.c = c, .o = o};
	struct config cfg;
	enum err_code rc = ms_config(&cfg, c, o, e);

	if (rc != ERR_OK)
		return rc;
	rc = seed(&x, &cfg, e);
	common_net_close(&x.net);
	store_close(x.store);
	config_deinit(&cfg);
	return rc;
}
