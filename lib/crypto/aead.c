#include "crypto/aead.h"

#include <sodium.h>

#include "crypto/ready.h"

static void
nonce_of(uint8_t out[static 12], uint64_t counter)
{
	for (size_t i = 0; i < 4; i++)
		out[i] = 0;
	for (size_t i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(counter >> (8 * i));
}

void
aead_seal(uint8_t *out, const uint8_t key[static AEAD_KEY], uint64_t counter,
    struct view ad, struct view plain)
{
	uint8_t nonce[12];

	ready();
	nonce_of(nonce, counter);
	(void)crypto_aead_chacha20poly1305_ietf_encrypt(
	    out, NULL, plain.ptr, plain.len, ad.ptr, ad.len, NULL, nonce, key);
}

bool
aead_open(uint8_t *out, const uint8_t key[static AEAD_KEY], uint64_t counter,
    struct view ad, struct view sealed)
{
	uint8_t nonce[12];

	ready();
	nonce_of(nonce, counter);
	return sealed.len >= AEAD_MAC &&
	       crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL,
		   sealed.ptr, sealed.len, ad.ptr, ad.len, nonce, key) == 0;
}
