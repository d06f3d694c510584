#include "crypto/hash512.h"

#include <sodium.h>
#include <string.h>

#include "base/bug.h"
#include "crypto/ready.h"
#include "crypto/secret.h"

void
hash512_batch(uint8_t out[static HASH512_LEN], const struct view *v, size_t n)
{
	crypto_generichash_state s;

	ready();
	(void)crypto_generichash_init(&s, NULL, 0, HASH512_LEN);
	for (size_t i = 0; i < n; i++)
		if (v[i].len > 0)
			(void)crypto_generichash_update(&s, v[i].ptr, v[i].len);
	(void)crypto_generichash_final(&s, out, HASH512_LEN);
	secret_wipe(&s, sizeof(s));
}

#define HMAC_PARTS_MAX 3

void
hash512_hmac(uint8_t out[static HASH512_LEN], struct view key,
    const struct view *v, size_t n)
{
	uint8_t pad[HASH512_BLOCK] = {0}, inner[HASH512_LEN];
	struct view parts[1 + HMAC_PARTS_MAX];

	bug_if(key.len > HASH512_BLOCK || n > HMAC_PARTS_MAX);
	if (key.len > 0)
		memcpy(pad, key.ptr, key.len);
	for (size_t i = 0; i < HASH512_BLOCK; i++)
		pad[i] ^= 0x36;
	parts[0] = view_of(pad, sizeof(pad));
	if (n > 0)
		memcpy(parts + 1, v, n * sizeof(*v));
	hash512_batch(inner, parts, n + 1);
	for (size_t i = 0; i < HASH512_BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	parts[1] = view_of(inner, sizeof(inner));
	hash512_batch(out, parts, 2);
	secret_wipe(pad, sizeof(pad));
	secret_wipe(inner, sizeof(inner));
}

void
hash512_hkdf(uint8_t out[static 2 * HASH512_LEN],
    const uint8_t chain[static HASH512_LEN], struct view input)
{
	uint8_t temp[HASH512_LEN];
	const struct view key = {temp, sizeof(temp)};
	const struct view one = view_of("\1", 1);
	const struct view two[2] = {{out, HASH512_LEN}, view_of("\2", 1)};

	hash512_hmac(temp, view_of(chain, HASH512_LEN), &input, 1);
	hash512_hmac(out, key, &one, 1);
	hash512_hmac(out + HASH512_LEN, key, two, 2);
	secret_wipe(temp, sizeof(temp));
}
