/* aggregate-svc's configuration from the environment. */
#ifndef AMCP_AGGREGATE_SETTINGS_H
#define AMCP_AGGREGATE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "aggregate-svc/service.h"
#include "common/base/log.h"
#include "common/rpc/rpc.h"

struct settings {
  const char *grpc_listen;
  const char *admin_listen; /* "off": none */
  const char *auth_addr;
  const char *report_addr;
  struct rpc_tls tls;
  enum log_level log_level;
  int64_t pollers, workers, queue_max, drain_ms;
  struct aggregate_options options;
};

/* The command line and the environment. Returns true when the program should go on; else
 * *exit_code says how to end, and what was wrong has been printed. */
bool settings_load(struct settings *s, int argc, char **argv, int *exit_code);

#endif
