#include "crypto/secret.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/bug.h"

#define SECRET_MAX (1u << 20)

enum err_code
secret_new(struct secret *out, size_t len, struct err *e)
{
	bug_if(len == 0 || len > SECRET_MAX);
	bug_if(sodium_init() < 0);
	out->ptr = sodium_malloc(len);
	if (out->ptr == NULL)
		return err_os(e, ENOMEM, "guarded memory");
	memset(out->ptr, 0, len);
	out->len = len;
	return ERR_OK;
}

enum err_code
secret_copy(struct secret *out, struct view from, struct err *e)
{
	enum err_code rc = secret_new(out, from.len, e);

	if (rc == ERR_OK)
		memcpy(out->ptr, from.ptr, from.len);
	return rc;
}

void
secret_free(struct secret *s)
{
	sodium_free(s->ptr); /* wipes */
	*s = (struct secret){NULL, 0};
}

void
secret_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

struct view
secret_view(const struct secret *s)
{
	return view_of(s->ptr, s->len);
}

void
secret_random(void *out, size_t n)
{
	bug_if(sodium_init() < 0);
	randombytes_buf(out, n);
}
