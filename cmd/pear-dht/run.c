#include <stdlib.h>

#include "cli/stop.h"
#include "cmd/pear-dht/dht_cmd.h"
#include "codec/z32.h"
#include "net/io/io.h"

#define SECOND UINT64_C(1000000)
#define LOOK_US (SECOND / 5) /* for a signal */

/* Until stopped: that is how a node ends. */
static void
serve(struct cli *c, struct dht_nodes *nodes)
{
	struct dht_note *n;

	while (!cli_stopping()) {
		if ((n = dht_nodes_wait(nodes, io_now() + LOOK_US)) == NULL)
			continue;
		dht_render_note(c, n);
		free(n);
	}
}

static enum err_code
nothing(const struct dht_plan *p, size_t answers, struct err *e)
{
	char key[Z32_KEY_LEN + 1];

	if (answers == 0)
		return err_set(e, ERR_PEERS, "no node of the DHT answered");
	return err_set(e, ERR_PEERS,
	    p->job == DHT_FIND_JOB ? "no node knows a server with the key %s"
				   : "nobody has announced the topic %s",
	    z32_key(key, &p->key));
}

/* Until the answer is complete. */
static enum err_code
question(struct cli *c, struct dht_nodes *nodes, const struct dht_plan *p,
    struct err *e)
{
	size_t found = 0, answers = 0;
	struct dht_note *n;
	bool done = false;

	while (!done) {
		if (cli_stopping())
			return err_set(e, ERR_INTERRUPTED, "interrupted");
		if ((n = dht_nodes_wait(nodes, io_now() + LOOK_US)) == NULL)
			continue;
		found += n->kind == NOTE_FOUND;
		done = n->kind == NOTE_DONE;
		answers = n->answers;
		dht_render_note(c, n);
		free(n);
	}
	return found == 0 ? nothing(p, answers, e) : ERR_OK;
}

enum err_code
dht_run(struct cli *c, const struct dht_args *a, struct err *e)
{
	struct dht_nodes *nodes = NULL;
	struct dht_plan p;
	enum err_code rc;

	if ((rc = dht_plan(&p, c, a, e)) != ERR_OK ||
	    (rc = dht_nodes_start(&nodes, &p, e)) != ERR_OK)
		return rc;
	if (p.job == DHT_SERVE) {
		dht_render_start(c, nodes, &p);
		serve(c, nodes);
	} else {
		rc = question(c, nodes, &p, e);
	}
	dht_nodes_stop(nodes);
	return rc;
}
