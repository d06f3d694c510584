/*
 * standalone: main() for a fuzz target without libFuzzer. Each argument is a
 * file, or a folder whose files are taken in the order of their names; every
 * one goes through LLVMFuzzerTestOneInput once. Prints how many there were,
 * so that an empty corpus cannot pass for a tested one.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
feed_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size > 0 ? size : 1);
	int rc = -1;

	/* The exact size: a read past the end is then seen by the sanitizer. */
	if (f != NULL && data != NULL && fread(data, 1, size, f) == size) {
		LLVMFuzzerTestOneInput(data, size);
		rc = 0;
	} else {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	}
	free(data);
	if (f != NULL)
		fclose(f);
	return rc;
}

static int feed(const char *path, long *count);

static int
feed_folder(const char *path, long *count)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);
	int rc = n < 0 ? -1 : 0;
	char *sub;

	if (n < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (rc == 0 && names[i]->d_name[0] != '.') {
			if (asprintf(&sub, "%s/%s", path, names[i]->d_name) < 0)
				abort();
			rc = feed(sub, count);
			free(sub);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return rc;
}

static int
feed(const char *path, long *count)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return feed_folder(path, count);
	++*count;
	return feed_file(path, (size_t)st.st_size);
}

int
main(int argc, char **argv)
{
	long count = 0;

	for (int i = 1; i < argc; i++)
		if (feed(argv[i], &count) != 0)
			return 1;
	printf("%ld inputs\n", count);
	return count > 0 ? 0 : 1;
}
