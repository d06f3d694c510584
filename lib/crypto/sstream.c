#include "crypto/sstream.h"

#include <sodium.h>

#include "crypto/ready.h"

#define STATE crypto_secretstream_xchacha20poly1305_state
#define TAG crypto_secretstream_xchacha20poly1305_TAG_MESSAGE

_Static_assert(sizeof(struct sstream) >= sizeof(STATE),
    "sstream must hold libsodium's state");
_Static_assert(
    SSTREAM_HEADER == crypto_secretstream_xchacha20poly1305_HEADERBYTES &&
	SSTREAM_HEAD + SSTREAM_TAIL ==
	    crypto_secretstream_xchacha20poly1305_ABYTES &&
	SSTREAM_KEY == crypto_secretstream_xchacha20poly1305_KEYBYTES,
    "libsodium's sizes");

static STATE *
state_of(struct sstream *s)
{
	return (STATE *)(void *)s->opaque;
}

void
sstream_init_send(struct sstream *s, uint8_t header[static SSTREAM_HEADER],
    const uint8_t key[static SSTREAM_KEY])
{
	ready();
	(void)crypto_secretstream_xchacha20poly1305_init_push(
	    state_of(s), header, key);
}

void
sstream_init_recv(struct sstream *s,
    const uint8_t header[static SSTREAM_HEADER],
    const uint8_t key[static SSTREAM_KEY])
{
	ready();
	(void)crypto_secretstream_xchacha20poly1305_init_pull(
	    state_of(s), header, key);
}

/* In place works because libsodium writes the tag byte before it reads the
 * plaintext, which begins behind it, and checks the mac before it writes. */
void
sstream_seal(struct sstream *s, uint8_t *data, size_t plain)
{
	(void)crypto_secretstream_xchacha20poly1305_push(
	    state_of(s), data, NULL, data + SSTREAM_HEAD, plain, NULL, 0, TAG);
}

bool
sstream_open(struct sstream *s, uint8_t *data, size_t sealed)
{
	uint8_t tag;

	if (sealed < SSTREAM_HEAD + SSTREAM_TAIL)
		return false;
	return crypto_secretstream_xchacha20poly1305_pull(state_of(s),
		   data + SSTREAM_HEAD, NULL, &tag, data, sealed, NULL,
		   0) == 0 &&
	       tag == TAG;
}
