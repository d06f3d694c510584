#include "net/io/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX 512

/* A path, or with '@' a name in Linux's abstract space. */
static enum err_code
address(
    struct sockaddr_un *out, socklen_t *len, const char *name, struct err *e)
{
	size_t n = strlen(name);
	char shown[200];

	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	if ((name[0] != '/' && name[0] != '@') || n < 2 ||
	    n >= sizeof(out->sun_path))
		return err_set(e, ERR_IO, "NOTIFY_SOCKET: %s is no address",
		    err_quote(shown, sizeof(shown), name, n));
	memcpy(out->sun_path, name, n);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (name[0] == '@')
		out->sun_path[0] = '\0';
	else
		++*len;
	return ERR_OK;
}

/* A half of what is due, so that a late turn is no death. */
static uint64_t
watchdog(const struct notify_env *env)
{
	unsigned long long n;
	char *end;

	if (env->usec == NULL ||
	    (env->pid != NULL &&
		strtoll(env->pid, NULL, 10) != (long long)getpid()))
		return 0;
	errno = 0;
	n = strtoull(env->usec, &end, 10);
	if (errno != 0 || end == env->usec || *end != '\0')
		return 0;
	return n / 2;
}

static enum err_code
open_socket(struct notify *n, const char *name, struct err *e)
{
	struct sockaddr_un to;
	socklen_t len = 0;
	enum err_code rc;
	char shown[200];

	if ((rc = address(&to, &len, name, e)) != ERR_OK)
		return rc;
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0)
		return err_os(e, errno, "NOTIFY_SOCKET");
	if (connect(n->fd, (struct sockaddr *)&to, len) != 0)
		rc = err_set(e, ERR_IO, "NOTIFY_SOCKET: %s: %s",
		    err_quote(shown, sizeof(shown), name, strlen(name)),
		    strerror(errno));
	return rc;
}

enum err_code
notify_open(struct notify *n, const struct notify_env *env, struct err *e)
{
	enum err_code rc;

	n->fd = -1;
	n->watchdog_us = 0;
	if (env->socket == NULL)
		return ERR_OK;
	if ((rc = open_socket(n, env->socket, e)) != ERR_OK) {
		notify_close(n);
		return rc;
	}
	n->watchdog_us = watchdog(env);
	return ERR_OK;
}

void
notify_close(struct notify *n)
{
	if (n->fd >= 0)
		(void)close(n->fd);
	n->fd = -1;
	n->watchdog_us = 0;
}

void
notify_send(const struct notify *n, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list ap;
	int len;

	if (n->fd < 0)
		return;
	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len > 0)
		(void)send(n->fd, text,
		    (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
}
