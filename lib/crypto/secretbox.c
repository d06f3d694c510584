#include "crypto/secretbox.h"

#include <sodium.h>

#include "crypto/ready.h"

void
secretbox_seal(uint8_t *out, struct view plain,
    const uint8_t nonce[static SECRETBOX_NONCE],
    const uint8_t key[static SECRETBOX_KEY])
{
	ready();
	(void)crypto_secretbox_easy(out, plain.ptr, plain.len, nonce, key);
}

bool
secretbox_open(uint8_t *out, struct view box,
    const uint8_t nonce[static SECRETBOX_NONCE],
    const uint8_t key[static SECRETBOX_KEY])
{
	ready();
	return box.len >= SECRETBOX_MAC &&
	       crypto_secretbox_open_easy(out, box.ptr, box.len, nonce, key) ==
		   0;
}
