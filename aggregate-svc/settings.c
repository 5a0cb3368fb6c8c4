/* The variables aggregate-svc reads, and their checks. */
#include "aggregate-svc/settings.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/service/healthcheck.h"

static const struct service_program program = {
    .name = "aggregate-svc",
    .summary = "Benchmarks and reports over dealers for the analytics MCP service set, over gRPC.",
    .usage = SERVICE_HEALTHCHECK_USAGE("aggregate-svc")};

bool aggregate_settings_load(struct settings *s, int argc, char **argv, int *exit_code)
{
  *s = (struct settings){.options = AGGREGATE_OPTIONS_DEFAULT};
  struct aggregate_options *o = &s->options;
  const struct config_var vars[] = {
      {"GRPC_LISTEN", CONFIG_HOSTPORT, &s->grpc_listen, "127.0.0.1:50053", 0, 0, false,
       "where the gRPC service listens"},
      {"AUTH_SVC_ADDR", CONFIG_STRING, &s->auth_addr, "127.0.0.1:50051", 0, 0, false,
       "gRPC target of auth-svc"},
      {"AUTH_SVC_IDENTITY", CONFIG_STRING, &s->auth_identity, NULL, 0, 0, false,
       SERVICE_IDENTITY_HELP("AUTH_SVC_ADDR")},
      {"REPORT_SVC_ADDR", CONFIG_STRING, &s->report_addr, "127.0.0.1:50052", 0, 0, false,
       "gRPC target of report-svc; dns:///name spreads batches over its replicas"},
      {"REPORT_SVC_IDENTITY", CONFIG_STRING, &s->report_identity, NULL, 0, 0, false,
       SERVICE_IDENTITY_HELP("REPORT_SVC_ADDR")},
      {"STATUS_GATEWAY_IDENTITY", CONFIG_STRING, &s->gateway_identity, "gateway", 0, 0, false,
       "certificate identity that may call GetStatus without an admin's grant, with TLS"},
      {"AGGREGATE_WORKERS", CONFIG_INT, &s->workers, "2", 1, 64, false,
       "threads that compute answers"},
      {"AGGREGATE_QUEUE", CONFIG_INT, &s->queue_max, "256", 1, 100000, false,
       "answers waiting for a thread; more calls are refused"},
      {"AGGREGATE_BATCH_DEALERS", CONFIG_INT, &o->batch_dealers, "25", 1, 500, false,
       "dealers asked for with one stream of report-svc"},
      {"AGGREGATE_TIMEOUT_MS", CONFIG_INT, &o->timeout_ms, "100000", 100, 3600000, false,
       "longest time to wait for dealers in one call"},
      {"AGGREGATE_MAX_CALLS", CONFIG_INT, &o->max_calls, "64", 1, 100000, false,
       "calls served at once; more are refused"},
      {"AGGREGATE_MAX_ROWS", CONFIG_INT, &o->max_rows, "1000000", 1, 100000000, false,
       "rows of one report over all dealers"},
      {"AGGREGATE_MAX_BYTES", CONFIG_INT, &o->max_bytes, "268435456", 1 << 20, (int64_t)1 << 40,
       false, "memory for rows, over all calls"},
      {"AGGREGATE_LEAD_MEMORY", CONFIG_INT, &o->lead_memory, "10000", 0, 1000000, false,
       "dealers whose lead event is remembered between calls; 0 asks Google every time"},
      {"AGGREGATE_LATE_MAX", CONFIG_INT, &o->late_max, "16", 0, 256, false,
       "benchmark questions whose late dealers are asked again in the background; 0 for none"},
      {"AGGREGATE_LATE_DELAY_MS", CONFIG_INT, &o->late_delay_ms, "10000", 10, 300000, false,
       "time before they are asked again; doubles with each of 5 attempts"},
      {"AGGREGATE_MIN_CONTRIBUTORS", CONFIG_INT, &o->policy.min_contributors, "5", 5, 500, false,
       "dealers outside the caller's view that a benchmark needs; can only be made stricter"},
      {"AGGREGATE_MIN_OWNERS", CONFIG_INT, &o->policy.min_owners, "3", 3, 500, false,
       "owners of those dealers that a benchmark needs; can only be made stricter"},
      {"AGGREGATE_MIN_EVENTS", CONFIG_INT, &o->policy.min_events, "20", 20, 1000000, false,
       "sessions and events that a benchmark needs; can only be made stricter"},
      {"AGGREGATE_CELLS_PER_DAY", CONFIG_INT, &o->cells_per_day, "500", 1, 1000000, false,
       "new figures over others' dealers that one viewer may ask for in a day (UTC)"},
      {"AGGREGATE_STATE_DIR", CONFIG_STRING, &s->releases.state_dir, NULL, 0, 0, false,
       "folder of releases.db, where released figures are kept for good; without it, and without "
       "DATABASE_URL, a restart forgets them"},
      {"DATABASE_URL", CONFIG_STRING, &s->releases.database_url, NULL, 0, 0, true,
       "PostgreSQL that keeps released figures, for several replicas: "
       "postgresql://user:password@host/database"},
  };
  return service_settings_load(&s->service, &program, vars, ARRAY_LEN(vars), argc, argv, exit_code);
}

void aggregate_settings_wipe(struct settings *s)
{
  config_wipe("DATABASE_URL");
  s->releases.database_url = NULL;
}
