#include "process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codec/z32.h"

pid_t
process_start(char *const argv[], const char *log)
{
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	fd = open(log != NULL ? log : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC,
	    0600);
	if (fd >= 0 && dup2(fd, 1) >= 0 && dup2(fd, 2) >= 0)
		(void)execv(argv[0], argv);
	_exit(127);
}

bool
process_ended(pid_t pid, int *status, size_t *peak)
{
	struct rusage ru;

	if (wait4(pid, status, WNOHANG, &ru) != pid)
		return false;
	*peak = (size_t)ru.ru_maxrss << 10;
	return true;
}

size_t
process_peak(pid_t pid)
{
	char path[64], line[256];
	unsigned long kib = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			(void)sscanf(line + 6, "%lu", &kib);
	(void)fclose(f);
	return (size_t)kib << 10;
}

/* "... peer KEY (ADDRESS): TEXT" or "... peer KEY left: TEXT" when it left,
 * "... peer KEY: TEXT" when it was blamed. */
enum process_said
process_said(const char *log, const struct b32 *peer, char *out, size_t cap)
{
	enum process_said said = SAID_NOTHING;
	char name[Z32_KEY_LEN + 1], *line = NULL, *at, *text;
	size_t n = 0;
	FILE *f = fopen(log, "re");

	out[0] = '\0';
	if (f == NULL)
		return said;
	z32_key(name, peer);
	while (getline(&line, &n, f) > 0) {
		if ((at = strstr(line, name)) == NULL)
			continue;
		at += strlen(name);
		if (strncmp(at, ": ", 2) == 0)
			said = SAID_BLAMED;
		else if (said != SAID_BLAMED &&
			 (strncmp(at, " (", 2) == 0 ||
			     strncmp(at, " left: ", 7) == 0))
			said = SAID_LEFT;
		else
			continue;
		text = strstr(at, ": ");
		if (text == NULL)
			continue;
		text[strcspn(text, "\n")] = '\0';
		(void)snprintf(out, cap, "%s", text + 2);
	}
	free(line);
	(void)fclose(f);
	return said;
}
