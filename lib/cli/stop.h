/*
 * stop: SIGINT, SIGTERM and SIGHUP ask the command to stop; workflows poll
 * through the callback they are given. A second SIGINT ends the process at
 * once. SIGPIPE is ignored: a closed pipe is a failed write. Signals that
 * were ignored when the process started (nohup) stay ignored.
 */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include <stdbool.h>

void cli_stop_install(void);
bool cli_stopping(void);

/* From now on SIGHUP is no stop: a command that reads a file again asks
 * cli_stop_hup(), which is true once after each. A command on a terminal has
 * to look whether that has gone (the other reason for SIGHUP). */
void cli_stop_keep_hup(void);
bool cli_stop_hup(void);
/* The same in the form of a workflow's stop callback; ctx is not used. */
bool cli_stop_poll(void *ctx);

/* Wait; false as soon as a stop is asked for, or if it was already. */
bool cli_stop_wait(unsigned seconds);

#endif
