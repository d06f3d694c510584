/*
 * hostile: peers that lie, against our replication.
 *
 *	hostile inproc DIR [NAME]
 *		lies told to replication alone, in this process
 *	hostile seeder|reader AT PID LOG STORE CORE CHECK DIR [NAME]
 *		lies told over UDP to a seeder that runs, and to programs that
 *		download; see struct target
 *
 *	hostile dht AT PID BOOTSTRAP CORE CHECK DIR [NAME]
 *		lies told to the DHT node of a seeder that is announced there
 *
 * AT is HOST:PORT:KEY of the seeder, PID and LOG are its own; STORE holds
 * what it serves, and CORE is the key of the core that is bent. NAME: only
 * lies whose name contains it. One line a lie; the last line is
 * "N passed, M failed".
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/z32.h"
#include "crypto/hash.h"
#include "peer/node.h"
#include "node.h"
#include "sockets.h"

static int
usage(void)
{
	fprintf(stderr, "usage: hostile inproc DIR [NAME]\n"
			"       hostile seeder|reader AT PID LOG STORE CORE "
			"CHECK DIR [NAME]\n"
			"       hostile dht AT PID BOOTSTRAP CORE CHECK DIR "
			"[NAME]\n");
	return 2;
}

static enum err_code
run_sockets(int argc, char **argv, struct inproc_counts *out, struct err *e)
{
	struct store_opts so = {.dir = argv[5], .mode = STORE_READ};
	struct target t = {.log = argv[4],
	    .check = argv[7],
	    .dir = argv[8],
	    .only = argc == 10 ? argv[9] : NULL};
	struct store *store = NULL;
	struct peer_at at;
	struct b32 key;
	enum err_code rc;

	t.pid = (pid_t)strtol(argv[3], NULL, 10);
	if ((rc = peer_at_parse(&at, view_str(argv[2]), e)) != ERR_OK)
		return rc;
	if ((rc = z32_key_id(view_str(argv[6]), &key, e)) != ERR_OK)
		return rc;
	t.at = at.addr;
	t.key = at.key;
	if ((rc = store_open(&store, &so, e)) == ERR_OK &&
	    (rc = core_open(&t.core, store, &key, CORE_READ, e)) == ERR_OK)
		rc = strcmp(argv[1], "seeder") == 0 ? sockets_to_seeder(&t, e)
						    : sockets_to_reader(&t, e);
	core_close(t.core);
	store_close(store);
	*out = t.counts;
	return rc;
}

static enum err_code
run_dht(int argc, char **argv, struct inproc_counts *out, struct err *e)
{
	struct node_target t = {.t = {.check = argv[6],
				    .dir = argv[7],
				    .only = argc == 9 ? argv[8] : NULL}};
	struct peer_at at;
	struct b32 key;
	enum err_code rc;

	t.t.pid = (pid_t)strtol(argv[3], NULL, 10);
	if ((rc = peer_at_parse(&at, view_str(argv[2]), e)) != ERR_OK ||
	    (rc = addr_parse(&t.bootstrap, view_str(argv[4]), e)) != ERR_OK ||
	    (rc = z32_key_id(view_str(argv[5]), &key, e)) != ERR_OK)
		return rc;
	t.t.at = at.addr;
	t.t.key = at.key;
	hash_discovery_key(&t.topic, &key);
	rc = node_lies(&t, e);
	*out = t.t.counts;
	return rc;
}

int
main(int argc, char **argv)
{
	struct inproc_counts counts = {0};
	struct err e = ERR_INIT;
	enum err_code rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "inproc") == 0)
		rc = inproc_run(
		    argv[2], argc == 4 ? argv[3] : NULL, &counts, &e);
	else if ((argc == 9 || argc == 10) &&
		 (strcmp(argv[1], "seeder") == 0 ||
		     strcmp(argv[1], "reader") == 0))
		rc = run_sockets(argc, argv, &counts, &e);
	else if ((argc == 8 || argc == 9) && strcmp(argv[1], "dht") == 0)
		rc = run_dht(argc, argv, &counts, &e);
	else
		return usage();
	if (rc != ERR_OK) {
		printf("FAIL %s\n", e.msg);
		counts.failed++;
	}
	printf("%u passed, %u failed\n", counts.passed, counts.failed);
	return counts.failed == 0 && counts.passed > 0 ? 0 : 1;
}
