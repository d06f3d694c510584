/* ready: libsodium chooses its fast code when it is first initialised. Private
 * to the room; any thread. */
#ifndef CRYPTO_READY_H
#define CRYPTO_READY_H

void ready(void);

#endif
