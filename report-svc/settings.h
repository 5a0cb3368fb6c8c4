/* report-svc's configuration from the environment. */
#ifndef AMCP_REPORT_SETTINGS_H
#define AMCP_REPORT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/service/settings.h"
#include "report-svc/shared/url.h"

struct settings {
  struct service_settings service;
  const char *grpc_listen;
  const char *auth_addr, *auth_identity;
  const char *gateway_identity;
  const char *data_endpoint; /* no slash at the end */
  const char *admin_endpoint;
  const char *ca_file, *ca_dir; /* of Google; NULL: the system's */
  struct redis_url redis;       /* host is NULL: none */
  const char *redis_ca_file;    /* NULL: as for Google */
  int64_t redis_timeout_ms;
  int64_t workers;
  int64_t page_rows;
  int64_t cache_ttl_s, cache_bytes, join_bytes, intake_bytes;
  int64_t timeout_ms, deadline_ms, backoff_ms, max_transfers, fan_out;
  int64_t transfer_threads; /* 0: as many as the machine suggests */
  int64_t benchmark_reports, benchmark_percent, benchmark_places;
  int64_t server_errors, quota_probe_s;
  int64_t properties_ttl_s, lease_ms;
};

/* The command line and the environment. Returns true when the program should go on; else
 * *exit_code says how to end, and what was wrong has been printed. */
bool report_settings_load(struct settings *s, int argc, char **argv, int *exit_code);

#endif
