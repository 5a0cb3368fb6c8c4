/* `PROGRAM healthcheck`: asks the one that runs with the same settings whether it serves. For
 * probes in an image without a shell. */
#ifndef AMCP_SERVICE_HEALTHCHECK_H
#define AMCP_SERVICE_HEALTHCHECK_H

#include <stdbool.h>

#include "common/rpc/rpc.h"

/* Its lines in --help: part of struct service_program's usage. */
#define SERVICE_HEALTHCHECK_USAGE(name)                                                            \
  "       " name " healthcheck\n\n"                                                                \
  "healthcheck: asks the one that runs with these settings whether it serves; exit code 0 or\n"    \
  "1 within 2 s."

/* Whether the command line is `PROGRAM healthcheck`. The word is then taken off it, so that the
 * settings are read as the running program read them; also where more follows, which is then shown
 * (--help) or refused as if it stood alone. argv ends with NULL, as main()'s does. */
bool service_wants_healthcheck(int *argc, char **argv);

/* grpc.health.v1 at GRPC_LISTEN, with the program's own certificate when there is one. Prints
 * what is wrong. Returns the exit code, EXIT_OK or EXIT_FAILED. No other rpc work in the process.
 */
int service_healthcheck_rpc(const char *program, const char *listen, const struct rpc_tls *tls);

/* GET `path` at `listen`: well when the status is 200, or any when `any_status`. The same ends. */
int service_healthcheck_http(const char *program, const char *listen, const char *path,
                             bool any_status);

#endif
