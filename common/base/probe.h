/* Asks a listener of our own over plain HTTP whether it is well: what `healthcheck` stands on in
 * an image without a shell. */
#ifndef AMCP_BASE_PROBE_H
#define AMCP_BASE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* From the start of `PROGRAM healthcheck` to its end; the probes of Docker and Kubernetes allow
 * more. Shorter than what common/rpc gives an attempt to connect: a new attempt would hold up the end
 * of the process. */
enum { PROBE_TIMEOUT_MS = 1200 };

/* Where a program that listens at `listen` (host:port; an empty or unspecified host means every
 * address) is reached from its own machine: "127.0.0.1:9464", "[::1]:9464". False when malformed
 * or longer than size. */
bool probe_own_address(const char *listen, char *out, size_t size);

/* GET path at an address (host:port, the host a literal address), at most PROBE_TIMEOUT_MS in all.
 * *status is the answer's; ERR_UNAVAILABLE when there was none, with the address and why. Blocks;
 * any thread. */
enum err_code probe_http(int *status, const char *address, const char *path, struct err *e);

#endif
