/* SHA-256 of small things. OpenSSL looks the algorithm up by name in each of its one-shot calls; here
 * that happens once. Thread-safe. */
#ifndef AMCP_GATEWAY_SEAL_DIGEST_H
#define AMCP_GATEWAY_SEAL_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32 };

void digest(uint8_t out[DIGEST_BYTES], const void *data, size_t len);

#endif
