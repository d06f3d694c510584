/* Key exports behind their seal: whatever the bytes, they are a keyring whose
 * pairs fit, or an error that says why. */
#include <stdlib.h>
#include <string.h>

#include "core/keyring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	enum err_code rc = core_keyring_check(view_of(data, size), &e);

	if (rc == ERR_OK)
		return 0;
	if ((rc != ERR_FORMAT && rc != ERR_VERSION) || e.msg[0] == '\0')
		abort();
	return 0;
}
