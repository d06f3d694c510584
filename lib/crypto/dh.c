#include "crypto/dh.h"

#include <sodium.h>
#include <string.h>

#include "crypto/ready.h"
#include "crypto/secret.h"

bool
dh_make(uint8_t out[static DH_LEN], const uint8_t sec[static DH_SECRET],
    const struct b32 *remote)
{
	uint8_t scalar[64];
	bool ok;

	ready();
	(void)crypto_hash_sha512(scalar, sec, 32);
	scalar[0] &= 248;
	scalar[31] &= 127;
	scalar[31] |= 64;
	ok = crypto_scalarmult_ed25519_noclamp(out, scalar, remote->b) == 0;
	secret_wipe(scalar, sizeof(scalar));
	if (!ok)
		memset(out, 0, DH_LEN);
	return ok;
}
