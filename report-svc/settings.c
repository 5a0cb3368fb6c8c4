/* The variables report-svc reads, and their checks. */
#include "report-svc/settings.h"

#include <string.h>

#include "common/base/mem.h"

static struct {
  const char *fastmcp_log_level, *log_level, *data_endpoint, *admin_endpoint;
} raw;

static const char summary[] = "GA4 reports for the analytics MCP service set, over gRPC.";

/* A URL without query, its slashes at the end dropped. */
static enum err_code check_endpoint(const char **out, const char *name, const char *url,
                                    struct err *e)
{
  const char *host = strstr(url, "://");
  bool known = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
  if (!known || host[3] == '\0' || host[3] == '/' || strpbrk(url, "?# \t") != NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                   "%s=%s: expected http:// or https://, a host, and perhaps a path", name, url);
  size_t len = strlen(url);
  while (url[len - 1] == '/')
    len--;
  *out = xstrndup(url, len);
  return ERR_OK;
}

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
    code = check_endpoint(&s->data_endpoint, "GA4_DATA_ENDPOINT", raw.data_endpoint, e);
  if (code == ERR_OK)
    code = check_endpoint(&s->admin_endpoint, "GA4_ADMIN_ENDPOINT", raw.admin_endpoint, e);
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
  *s = (struct settings){0};
  const struct config_var vars[] = {
      {"GRPC_LISTEN", CONFIG_HOSTPORT, &s->grpc_listen, "127.0.0.1:50052", 0, 0, false,
       "where the gRPC service listens"},
      {"ADMIN_LISTEN", CONFIG_STRING, &s->admin_listen, "0.0.0.0:9464", 0, 0, false,
       "where /livez, /readyz and /metrics are served; off for nowhere"},
      {"AUTH_SVC_ADDR", CONFIG_STRING, &s->auth_addr, "127.0.0.1:50051", 0, 0, false,
       "gRPC target of auth-svc"},
      {"GA4_DATA_ENDPOINT", CONFIG_STRING, &raw.data_endpoint,
       "https://analyticsdata.googleapis.com", 0, 0, false, "Google Analytics Data API"},
      {"GA4_ADMIN_ENDPOINT", CONFIG_STRING, &raw.admin_endpoint,
       "https://analyticsadmin.googleapis.com", 0, 0, false, "Google Analytics Admin API"},
      {"GRPC_TLS_CERT", CONFIG_STRING, &s->tls.cert_file, NULL, 0, 0, false,
       "certificate (PEM) of this service; with KEY and CA: mTLS"},
      {"GRPC_TLS_KEY", CONFIG_STRING, &s->tls.key_file, NULL, 0, 0, false, "its key (PEM)"},
      {"GRPC_TLS_CA", CONFIG_STRING, &s->tls.ca_file, NULL, 0, 0, false,
       "CA (PEM) of the other services"},
      {"FASTMCP_LOG_LEVEL", CONFIG_STRING, &raw.fastmcp_log_level, "INFO", 0, 0, false,
       "lowest level logged; LOG_LEVEL wins"},
      {"LOG_LEVEL", CONFIG_STRING, &raw.log_level, NULL, 0, 0, false,
       "DEBUG, INFO, WARN, ERROR, CRITICAL or OFF"},
      {"REPORT_POLLERS", CONFIG_INT, &s->pollers, "1", 1, 64, false, "gRPC polling threads"},
      {"REPORT_WORKERS", CONFIG_INT, &s->workers, "1", 1, 64, false, "gRPC worker threads"},
      {"REPORT_PAGE_ROWS", CONFIG_INT, &s->page_rows, "250000", 1, 250000, false,
       "rows per page when reports are fetched for aggregation"},
      {"REPORT_CACHE_TTL_S", CONFIG_INT, &s->cache_ttl_s, "60", 0, 86400, false,
       "how long a report answer is reused, in seconds; 0 for never"},
      {"REPORT_CACHE_BYTES", CONFIG_INT, &s->cache_bytes, "8388608", 0, (int64_t)1 << 34, false,
       "memory for cached answers; 0 for none"},
      {"REPORT_TIMEOUT_MS", CONFIG_INT, &s->timeout_ms, "60000", 10, 600000, false,
       "time for one request to Google"},
      {"REPORT_BACKOFF_MS", CONFIG_INT, &s->backoff_ms, "500", 1, 60000, false,
       "longest first wait before a request is tried again"},
      {"REPORT_MAX_TRANSFERS", CONFIG_INT, &s->max_transfers, "256", 1, 1024, false,
       "requests to Google at once, over all properties"},
      {"REPORT_FAN_OUT", CONFIG_INT, &s->fan_out, "64", 1, 500, false,
       "dealers at once in one fan-out call"},
      {"REPORT_DRAIN_MS", CONFIG_INT, &s->drain_ms, "500", 1, 60000, false,
       "time between NOT_SERVING and the end of accepting calls"},
  };
  struct err e = {0};
  if (!config_cli(argc, argv, "report-svc", summary, NULL, vars, ARRAY_LEN(vars), exit_code))
    return false;
  if (config_load(vars, ARRAY_LEN(vars), &e) == ERR_OK && check(s, &e) == ERR_OK)
    return true;
  fprintf(stderr, "report-svc: %s\n", e.message);
  *exit_code = EXIT_CONFIG;
  return false;
}
