/*
 * sstream: libsodium's secretstream (XChaCha20-Poly1305), one direction of a
 * connection (network.md 4.1, 4.2). Always in place, tag MESSAGE, no
 * additional data: a sealed message is
 *
 *	1 encrypted tag | ciphertext | 16 mac
 *
 * The state is secret: it belongs into guarded memory, or is wiped.
 */
#ifndef CRYPTO_SSTREAM_H
#define CRYPTO_SSTREAM_H

#include "base/err.h"
#include "base/view.h"

#define SSTREAM_KEY 32
#define SSTREAM_HEADER 24
#define SSTREAM_HEAD 1	/* before the plaintext */
#define SSTREAM_TAIL 16 /* behind it */

struct sstream {
	_Alignas(16) uint8_t opaque[64];
};

/* Sending: a random header for the other side. */
void sstream_init_send(struct sstream *s, uint8_t header[static SSTREAM_HEADER],
    const uint8_t key[static SSTREAM_KEY]);
/* Receiving; also the sender's state, if its header is known. */
void sstream_init_recv(struct sstream *s,
    const uint8_t header[static SSTREAM_HEADER],
    const uint8_t key[static SSTREAM_KEY]);

/* The plaintext is [SSTREAM_HEAD, SSTREAM_HEAD + plain) of data, which has
 * SSTREAM_TAIL bytes more. */
void sstream_seal(struct sstream *s, uint8_t *data, size_t plain);
/* sealed bytes of data become the plaintext, SSTREAM_HEAD from its start and
 * sealed - SSTREAM_HEAD - SSTREAM_TAIL long. False, and data unchanged: not
 * authentic, or another tag than MESSAGE. */
NODISCARD bool sstream_open(struct sstream *s, uint8_t *data, size_t sealed);

#endif
