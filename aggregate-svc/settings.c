/* The variables aggregate-svc reads, and their checks. */
#include "aggregate-svc/settings.h"

#include <stdio.h>
#include <string.h>

#include "common/base/config.h"
#include "common/base/mem.h"

static struct {
  const char *fastmcp_log_level, *log_level;
} raw;

static const char summary[] =
    "Benchmarks and reports over dealers for the analytics MCP service set, over gRPC.";

static enum err_code check_log_level(enum log_level *out, struct err *e)
{
  bool own = raw.log_level != NULL;
  const char *text = own ? raw.log_level : raw.fastmcp_log_level;
  if (log_level_parse(text, out))
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                 "%s=%s: expected DEBUG, INFO, WARN, ERROR, CRITICAL or OFF",
                 own ? "LOG_LEVEL" : "FASTMCP_LOG_LEVEL", text);
}

static enum err_code check_tls(const struct rpc_tls *tls, struct err *e)
{
  int given = (tls->cert_file != NULL) + (tls->key_file != NULL) + (tls->ca_file != NULL);
  if (given == 0 || given == 3)
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                 "GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA: give all three, or none for plain "
                 "text");
}

static enum err_code check(struct settings *s, struct err *e)
{
  char host[256];
  uint16_t port;
  enum err_code code = check_log_level(&s->log_level, e);
  if (code == ERR_OK)
    code = check_tls(&s->tls, e);
  if (code == ERR_OK && strcmp(s->admin_listen, "off") != 0 &&
      !config_split_hostport(s->admin_listen, host, sizeof(host), &port))
    code = err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                   "ADMIN_LISTEN=%s: expected host:port, :port or off", s->admin_listen);
  return code;
}

bool settings_load(struct settings *s, int argc, char **argv, int *exit_code)
{
  *s = (struct settings){.options = AGGREGATE_OPTIONS_DEFAULT};
  struct aggregate_options *o = &s->options;
  const struct config_var vars[] = {
      {"GRPC_LISTEN", CONFIG_HOSTPORT, &s->grpc_listen, "127.0.0.1:50053", 0, 0, false,
       "where the gRPC service listens"},
      {"ADMIN_LISTEN", CONFIG_STRING, &s->admin_listen, "0.0.0.0:9464", 0, 0, false,
       "where /livez, /readyz and /metrics are served; off for nowhere"},
      {"AUTH_SVC_ADDR", CONFIG_STRING, &s->auth_addr, "127.0.0.1:50051", 0, 0, false,
       "gRPC target of auth-svc"},
      {"REPORT_SVC_ADDR", CONFIG_STRING, &s->report_addr, "127.0.0.1:50052", 0, 0, false,
       "gRPC target of report-svc; dns:///name spreads batches over its replicas"},
      {"GRPC_TLS_CERT", CONFIG_STRING, &s->tls.cert_file, NULL, 0, 0, false,
       "certificate (PEM) of this service; with KEY and CA: mTLS"},
      {"GRPC_TLS_KEY", CONFIG_STRING, &s->tls.key_file, NULL, 0, 0, false, "its key (PEM)"},
      {"GRPC_TLS_CA", CONFIG_STRING, &s->tls.ca_file, NULL, 0, 0, false,
       "CA (PEM) of the other services"},
      {"FASTMCP_LOG_LEVEL", CONFIG_STRING, &raw.fastmcp_log_level, "INFO", 0, 0, false,
       "lowest level logged; LOG_LEVEL wins"},
      {"LOG_LEVEL", CONFIG_STRING, &raw.log_level, NULL, 0, 0, false,
       "DEBUG, INFO, WARN, ERROR, CRITICAL or OFF"},
      {"AGGREGATE_POLLERS", CONFIG_INT, &s->pollers, "1", 1, 64, false, "gRPC polling threads"},
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
      {"AGGREGATE_MIN_CONTRIBUTORS", CONFIG_INT, &o->policy.min_contributors, "5", 5, 500, false,
       "dealers outside the caller's view that a benchmark needs; can only be made stricter"},
      {"AGGREGATE_MIN_OWNERS", CONFIG_INT, &o->policy.min_owners, "3", 3, 500, false,
       "owners of those dealers that a benchmark needs; can only be made stricter"},
      {"AGGREGATE_MIN_EVENTS", CONFIG_INT, &o->policy.min_events, "20", 20, 1000000, false,
       "sessions and events that a benchmark needs; can only be made stricter"},
      {"AGGREGATE_DRAIN_MS", CONFIG_INT, &s->drain_ms, "500", 1, 60000, false,
       "time between NOT_SERVING and the end of accepting calls"},
  };
  struct err e = {0};
  if (!config_cli(argc, argv, "aggregate-svc", summary, NULL, vars, ARRAY_LEN(vars), exit_code))
    return false;
  if (config_load(vars, ARRAY_LEN(vars), &e) == ERR_OK && check(s, &e) == ERR_OK)
    return true;
  fprintf(stderr, "aggregate-svc: %s\n", e.message);
  *exit_code = EXIT_CONFIG;
  return false;
}
