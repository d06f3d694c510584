/* notify_listen PATH: a service manager's socket; what is sent there is
 * printed, a datagram after the other. Ends with its reader or a signal. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char text[2048];
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (argc != 2 || fd < 0 || strlen(argv[1]) >= sizeof(un.sun_path))
		return 2;
	memcpy(un.sun_path, argv[1], strlen(argv[1]));
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0) {
		perror(argv[1]);
		return 1;
	}
	puts("listening");
	fflush(stdout);
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) >= 0) {
		text[n] = '\0';
		puts(text);
		if (fflush(stdout) != 0)
			break;
	}
	return 0;
}
