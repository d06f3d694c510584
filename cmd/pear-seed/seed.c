/* The loop, and what it stands on. */
#include "cmd/pear-seed/seed.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/stop.h"
#include "cmd/common/common.h"
#include "core/identity.h"

#define INTERVAL_TTY_MS 500
#define INTERVAL_PLAIN_MS 3000
#define INTERVAL_MAX_MS ((uint64_t)1 << 40)
#define SAMPLE_US 1000000
#define PEERS_SOUGHT 64
#define CONNECTIONS_MOST 65536u
#define OPEN_MAX_DEFAULT 256
#define OPEN_MOST 65536u

/* -- the node ------------------------------------------------------------- */

static void
on_event(void *ctx, const struct peer_event *ev)
{
	struct seeder *s = ctx;

	switch (ev->kind) {
	case PEER_CORE:
		drives_core(s, ev->core);
		blind_changed(s);
		break;
	case PEER_LOOKED:
		render_looked(s, ev->topic);
		break;
	case PEER_MET:
		drives_met(s, &ev->topic->topic);
		break;
	case PEER_NETWORK:
		render_network(s);
		break;
	case PEER_JOINED:
		render_peer(s, ev);
		if (ev->at)
			drives_visit_all(s);
		blind_joined(s, &ev->key);
		break;
	case PEER_LEFT:
	case PEER_UNREACHED:
	case PEER_BLAMED:
	case PEER_CONFLICT:
	case PEER_TROUBLE:
		render_peer(s, ev);
		break;
	case PEER_WAITING: /* nobody waits here */
	case PEER_TICK:
		break;
	}
}

/* Whom to ask, and where to be asked; none of it twice. */
static enum err_code
find_ways(struct seeder *s, struct peer_opts *o, struct peer_discovery *d,
    struct addr *bootstrap, struct err *e)
{
	const char *text = s->c->common.bootstrap;
	enum err_code rc;
	bool none;

	if (s->c->common.offline)
		return err_set(e, ERR_USAGE, "--offline leaves nothing to do");
	rc = common_net_bootstrap(bootstrap, &d->nbootstrap, &none, text, e);
	if (rc != ERR_OK)
		return rc;
	d->bootstrap = bootstrap;
	d->remember = !none;
	d->peers_max = o->connections_max;
	d->sought_max = PEERS_SOUGHT;
	s->discovers = !none;
	if (s->discovers)
		o->discovery = d;
	else if (o->listen == NULL && o->nat == 0)
		return err_set(e, ERR_USAGE,
		    "--listen or --peer is needed: nobody is looked for");
	return ERR_OK;
}

static enum err_code
read_limits(struct peer_opts *o, const struct seed_args *a, struct err *e)
{
	enum err_code rc;

	o->connections_max = PEER_CONNECTIONS_MAX;
	if (a->connections.set) {
		if (a->connections.n == 0 ||
		    a->connections.n > CONNECTIONS_MOST)
			return err_set(e, ERR_USAGE,
			    "--max-connections must be between 1 and %u",
			    CONNECTIONS_MOST);
		o->connections_max = (uint32_t)a->connections.n;
	}
	if ((rc = limit_parse(&o->up_max, "--limit-up", a->limit_up, e)) !=
	    ERR_OK)
		return rc;
	return limit_parse(&o->down_max, "--limit-down", a->limit_down, e);
}

static enum err_code
connect(struct seeder *s, struct err *e)
{
	struct peer_at at[PEER_AT_MAX];
	struct addr listen, bootstrap[COMMON_NODES_MAX];
	struct peer_discovery discovery = {.bootstrap = NULL};
	struct b32 relay;
	struct peer_opts o = {.store = s->store,
	    .serve = true,
	    .pair = &s->pair,
	    .at = at,
	    .nat = s->a->peers.n,
	    .stop = cli_stopping,
	    .event = on_event,
	    .ctx = s};
	enum err_code rc;

	if ((rc = common_net_words(at, &s->a->peers, e)) != ERR_OK)
		return rc;
	if (s->a->listen != NULL) {
		if (addr_parse(&listen, view_str(s->a->listen), e) != ERR_OK) {
			e->code = ERR_USAGE;
			return err_wrap(e, "--listen");
		}
		o.listen = &listen;
	}
	if ((rc = read_limits(&o, s->a, e)) != ERR_OK ||
	    (rc = find_ways(s, &o, &discovery, bootstrap, e)) != ERR_OK ||
	    (rc = common_net_relay(
		 &discovery, &relay, s->c->common.relay, e)) != ERR_OK)
		return rc;
	rc =
	    core_identity_derive(&s->pair, s->store, view_str("hyperswarm"), e);
	return rc == ERR_OK ? peer_open(&s->node, &o, e) : rc;
}

/* -- what to keep --------------------------------------------------------- */

/* Every word is looked at before anything is opened. */
static enum err_code
check_words(const struct seeder *s, struct err *e)
{
	const struct cli_list *l = &s->a->links;
	struct pear_link link;
	struct addr http;
	enum err_code rc;

	if (l->n == 0 && s->a->list == NULL && !s->a->all && !s->a->serve_blind)
		return err_set(e, ERR_USAGE,
		    "a link, --list or --all must say what to seed");
	rc = web_check(s, &http, e);
	if (rc == ERR_OK)
		rc = blind_check(s->a, e);
	for (size_t i = 0; i < l->n && rc == ERR_OK; i++)
		rc = common_link(&link, l->item[i], e);
	return rc;
}

static enum err_code
name_drives(struct seeder *s, struct err *e)
{
	const struct cli_list *l = &s->a->links;
	struct pear_link link;
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < l->n && rc == ERR_OK; i++) {
		rc = common_link(&link, l->item[i], e);
		if (rc == ERR_OK)
			rc = drives_add(s, &link.key, DRIVE_NAMED, e);
	}
	return rc;
}

/* -- the loop ------------------------------------------------------------- */

/* SIGHUP: read the list again, unless it says that the terminal is gone. */
static enum err_code
hang_up(struct seeder *s, bool *again, struct err *e)
{
	*again = cli_stop_hup();
	if (*again && ((s->c->err_tty && isatty(STDERR_FILENO) == 0) ||
			  (s->c->out_tty && isatty(STDOUT_FILENO) == 0)))
		return err_set(e, ERR_INTERRUPTED, "the terminal is gone");
	if (cli_unheard(s->c))
		return err_set(e, ERR_INTERRUPTED, "nobody listens");
	return ERR_OK;
}

static enum err_code
sources(struct seeder *s, struct err *e)
{
	enum err_code rc;
	bool again;

	if ((rc = hang_up(s, &again, e)) != ERR_OK ||
	    (rc = list_turn(s, again, e)) != ERR_OK ||
	    (rc = stored_turn(s, e)) != ERR_OK)
		return rc;
	return drives_turn(s, e);
}

static enum err_code
report(struct seeder *s, struct err *e)
{
	uint64_t now = peer_now();
	bool show = now >= s->next_stats || s->redraw;
	enum err_code rc;

	if (now >= s->next_sample || now >= s->next_stats) {
		if ((rc = stats_sample(s, e)) != ERR_OK ||
		    (rc = web_publish(s, e)) != ERR_OK)
			return rc;
		s->next_sample = now + SAMPLE_US;
		memory_turn(s);
		render_disk(s);
		service_status(s);
	}
	if (now >= s->next_stats) {
		s->next_stats = now + s->interval_us;
		render_stats(s);
	} else if (show && s->c->err_tty) {
		render_stats(s);
	}
	return ERR_OK;
}

static enum err_code
loop(struct seeder *s, struct err *e)
{
	enum err_code rc;
	bool met;

	for (;;) {
		uint64_t until, due;

		if ((rc = sources(s, e)) != ERR_OK ||
		    (rc = blind_turn(s, &met, e)) != ERR_OK || met ||
		    (rc = goal_check(s, &met, e)) != ERR_OK || met ||
		    (rc = report(s, e)) != ERR_OK)
			return rc;
		if (!s->running)
			service_ready(s);
		s->running = true;
		service_turn(s);
		until = s->next_sample < s->next_stats ? s->next_sample
						       : s->next_stats;
		until = s->drives.due < until ? s->drives.due : until;
		due = stored_due(&s->stored);
		until = due < until ? due : until;
		if ((rc = peer_turn(s->node, until, e)) != ERR_OK)
			return rc;
	}
}

/* How many may be open unused. What is asked of all drives at once needs all
 * of them. */
static enum err_code
open_set(struct seeder *s, struct err *e)
{
	const struct seed_args *a = s->a;
	size_t most = OPEN_MAX_DEFAULT;

	if (a->open.set && (a->open.n == 0 || a->open.n > OPEN_MOST))
		return err_set(e, ERR_USAGE,
		    "--max-open must be between 1 and %u", OPEN_MOST);
	if (a->open.set)
		most = (size_t)a->open.n;
	if (a->until.n > 0 || a->copies.set || a->blind_peers.n > 0 ||
	    a->serve_blind)
		most = SIZE_MAX;
	return drives_init(&s->drives, most, e);
}

static enum err_code
seed(struct seeder *s, struct err *e)
{
	enum err_code rc;

	if ((rc = check_words(s, e)) != ERR_OK ||
	    (rc = open_set(s, e)) != ERR_OK ||
	    (rc = goal_read(s, e)) != ERR_OK ||
	    (rc = common_store(&s->store, s->c, STORE_CREATE, e)) != ERR_OK ||
	    (rc = connect(s, e)) != ERR_OK ||
	    (rc = blind_open(s, e)) != ERR_OK ||
	    (rc = service_open(s, e)) != ERR_OK ||
	    (rc = name_drives(s, e)) != ERR_OK ||
	    (rc = list_read(s, e)) != ERR_OK || (rc = web_open(s, e)) != ERR_OK)
		return rc;
	if (s->a->list != NULL)
		cli_stop_keep_hup();
	render_start(s);
	rc = loop(s, e);
	service_close(s);
	/* to be stopped is how this ends */
	return rc == ERR_INTERRUPTED ? ERR_OK : rc;
}

enum err_code
seed_run(struct cli *c, const struct seed_args *a, struct err *e)
{
	struct seeder s = {.c = c, .a = a, .notify = {.fd = -1}};
	uint64_t ms = c->common.tty ? INTERVAL_TTY_MS : INTERVAL_PLAIN_MS;
	enum err_code rc;

	if (a->interval.set)
		ms = a->interval.n < INTERVAL_MAX_MS ? a->interval.n
						     : INTERVAL_MAX_MS;
	s.interval_us = ms == 0 ? 1000 : ms * 1000;
	s.started = peer_now();
	rc = seed(&s, e);
	cli_status_clear(c);
	web_close(s.web);
	peer_close(s.node);
	blind_close(s.blind);
	store_close(s.store);
	notify_close(&s.notify);
	sign_pair_free(&s.pair);
	drives_deinit(&s.drives);
	keymap_deinit(&s.stored.seen);
	stored_forget(&s.stored);
	monitor_snapshot_deinit(&s.snap);
	free(s.goal.until);
	return rc;
}
