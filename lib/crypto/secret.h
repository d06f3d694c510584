/*
 * secret: memory for keys. Guarded, locked where the system allows, not in
 * core dumps, wiped when freed. Nothing secret lives anywhere else longer
 * than one call.
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include "base/err.h"
#include "base/view.h"

struct secret {
	uint8_t *ptr; /* NULL = none */
	size_t len;
};

/* Zeroed memory of len bytes (1 to 1 MiB). */
NODISCARD enum err_code secret_new(
    struct secret *out, size_t len, struct err *e);
NODISCARD enum err_code secret_copy(
    struct secret *out, struct view from, struct err *e);
void secret_free(struct secret *s);  /* wipes; an empty one is fine */
void secret_wipe(void *p, size_t n); /* not optimised away */
struct view secret_view(const struct secret *s);

/* n random bytes from the system. */
void secret_random(void *out, size_t n);

#endif
