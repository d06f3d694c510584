/*
 * key_store DIR NAME: put the key file on standard input (its password is not
 * needed) into a key directory, as commands that make keys do, without the
 * seconds that hashing a password takes. Prints "stored", or "there" if a key
 * of that name is there already, and completes it then.
 *
 * key_store check DIR NAME: what is there, "nothing", "secret" or "pair";
 * exit status 1 for anything else, such as a public key without its secret.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "multisig/keydir.h"

static int
report(const struct err *e)
{
	(void)fprintf(stderr, "%s\n", e->msg);
	return 1;
}

static enum err_code
complete(const struct keydir *k, const char *name, struct err *e)
{
	struct keydir_entry x;
	struct keyfile file;
	enum err_code rc = keydir_find(k, name, &x, &file, e);

	if (rc != ERR_OK)
		return rc;
	rc = keydir_complete(k, &x, e);
	keydir_entry_deinit(&x);
	return rc;
}

static int
store(const struct keydir *k, const char *name)
{
	uint8_t text[KEYFILE_TEXT_MAX];
	struct err e = ERR_INIT;
	struct keydir_entry x;
	struct keyfile file;
	ssize_t n = read(STDIN_FILENO, text, sizeof(text));
	enum err_code rc;

	rc = keyfile_decode(&file, view_of(text, n > 0 ? (size_t)n : 0), &e);
	if (rc == ERR_OK)
		rc = keydir_store(k, name, &file, &file.pub, &x, &e);
	if (rc == ERR_OK) {
		keydir_entry_deinit(&x);
		(void)puts("stored");
		return 0;
	}
	if (rc == ERR_EXISTS && complete(k, name, &e) == ERR_OK) {
		(void)puts("there");
		return 0;
	}
	return report(&e);
}

/* keydir_find() accepts a secret alone, which is what a kill between the two
 * files may leave. */
static int
look(const struct keydir *k, const char *name)
{
	struct keydir_entry pub;
	struct keydir_entry own;
	struct err e = ERR_INIT;
	struct keyfile file;
	enum err_code public = keydir_find_public(k, name, &pub, &e);
	enum err_code secret = keydir_find(k, name, &own, &file, &e);
	bool pair =
	    public == ERR_OK && secret == ERR_OK && b32_eq(&pub.pub, &own.pub);

	if (public == ERR_OK)
		keydir_entry_deinit(&pub);
	if (secret == ERR_OK)
		keydir_entry_deinit(&own);
	if (pair)
		(void)puts("pair");
	else if (public == ERR_NOT_FOUND && secret == ERR_OK)
		(void)puts("secret");
	else if (public == ERR_NOT_FOUND && secret == ERR_NOT_FOUND)
		(void)puts("nothing");
	else
		return report(&e);
	return 0;
}

int
main(int argc, char **argv)
{
	bool check = argc == 4 && strcmp(argv[1], "check") == 0;
	struct err e = ERR_INIT;
	struct keydir k;
	int code;

	if (argc != 3 && !check) {
		(void)fputs("usage: key_store [check] DIR NAME\n", stderr);
		return 2;
	}
	if (keydir_init(&k, argv[argc - 2], KEYDIR_Z32, &e) != ERR_OK)
		return report(&e);
	code = check ? look(&k, argv[3]) : store(&k, argv[2]);
	keydir_deinit(&k);
	return code;
}
