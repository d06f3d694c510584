/*
 * timeit [-n RUNS] [-q] -- COMMAND...: run a command RUNS times (default 1)
 * and print one line: median wall seconds, median processor seconds (user and
 * system), largest peak memory in KiB. The command's output goes nowhere with
 * -q. A run that fails ends everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 1000

struct sample {
	double wall, cpu;
	long rss;
};

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return n % 2 != 0 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void
child(char **argv, int quiet)
{
	int fd;

	if (quiet && (fd = open("/dev/null", O_WRONLY)) >= 0) {
		dup2(fd, 1);
		dup2(fd, 2);
	}
	execvp(argv[0], argv);
	fprintf(stderr, "timeit: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int
measure(struct sample *s, char **argv, int quiet)
{
	double start = now();
	struct rusage u;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		child(argv, quiet);
	if (pid < 0 || wait4(pid, &status, 0, &u) != pid)
		return -1;
	s->wall = now() - start;
	s->cpu = seconds(u.ru_utime) + seconds(u.ru_stime);
	s->rss = u.ru_maxrss;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

int
main(int argc, char **argv)
{
	static double wall[RUNS_MAX], cpu[RUNS_MAX];
	struct sample s;
	int runs = 1, quiet = 0, opt;
	long rss = 0;

	while ((opt = getopt(argc, argv, "+n:q")) != -1) {
		if (opt == 'n')
			runs = (int)strtol(optarg, NULL, 10);
		else if (opt == 'q')
			quiet = 1;
		else
			return 2;
	}
	if (optind == argc || runs < 1 || runs > RUNS_MAX) {
		fprintf(stderr, "usage: timeit [-n RUNS] [-q] -- COMMAND...\n");
		return 2;
	}
	for (int i = 0; i < runs; i++) {
		if (measure(&s, argv + optind, quiet) != 0) {
			fprintf(stderr, "timeit: %s failed\n", argv[optind]);
			return 1;
		}
		wall[i] = s.wall;
		cpu[i] = s.cpu;
		rss = s.rss > rss ? s.rss : rss;
	}
	printf("%.4f %.4f %ld\n", median(wall, runs), median(cpu, runs), rss);
	return 0;
}
