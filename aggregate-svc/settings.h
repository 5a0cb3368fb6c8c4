/* aggregate-svc's configuration from the environment. */
#ifndef AMCP_AGGREGATE_SETTINGS_H
#define AMCP_AGGREGATE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "aggregate-svc/call/service.h"
#include "common/service/settings.h"

struct settings {
  struct service_settings service;
  const char *grpc_listen;
  const char *auth_addr, *auth_identity, *gateway_identity;
  const char *report_addr, *report_identity;
  int64_t workers, queue_max;
  struct aggregate_options options;
  struct release_store_options releases;
};

/* The command line and the environment. Returns true when the program should go on; else
 * *exit_code says how to end, and what was wrong has been printed. */
bool aggregate_settings_load(struct settings *s, int argc, char **argv, int *exit_code);
/* Overwrites what is secret of the environment and of the settings, once it has been used. */
void aggregate_settings_wipe(struct settings *s);

#endif
