/* The gateway's configuration, from the environment. */
#include "gateway/settings.h"

#include <string.h>

#include "common/base/codec.h"
#include "common/base/config.h"
#include "common/base/mem.h"

static const char summary[] =
    "MCP gateway: serves the tools of auth-svc, report-svc and aggregate-svc at /mcp";

/* Text values that are looked at after loading. */
struct raw {
  const char *log_level, *plan_log_level, *admin_listen;
};

static enum err_code check_tls(const struct rpc_tls *tls, struct err *e)
{
  int given = (tls->cert_file != NULL) + (tls->key_file != NULL) + (tls->ca_file != NULL);
  if (given == 0 || given == 3)
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "incomplete",
                 "set all of GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA, or none");
}

static enum err_code finish(struct settings *s, const struct raw *raw, struct err *e)
{
  bool own = raw->log_level != NULL && raw->log_level[0] != '\0';
  const char *level = own ? raw->log_level : raw->plan_log_level;
  if (!log_level_parse(level, &s->log_level))
    return err_set(e, ERR_INVALID_ARGUMENT, "malformed",
                   "%s: \"%s\" is not one of DEBUG, INFO, WARN, ERROR, OFF",
                   own ? "LOG_LEVEL" : "FASTMCP_LOG_LEVEL", level);
  char host[256];
  uint16_t port;
  if (ascii_case_equal(raw->admin_listen, "off"))
    s->admin_listen = NULL;
  else if (config_split_hostport(raw->admin_listen, host, sizeof(host), &port))
    s->admin_listen = raw->admin_listen;
  else
    return err_set(e, ERR_INVALID_ARGUMENT, "malformed",
                   "ADMIN_LISTEN: \"%s\" is neither host:port nor off", raw->admin_listen);
  return check_tls(&s->tls, e);
}

bool settings_load(struct settings *s, int argc, char **argv, int *exit_code)
{
  *s = (struct settings){0};
  struct raw raw = {0};
  const struct config_var vars[] = {
      {.name = "ANALYTICS_MCP_HOST",
       .type = CONFIG_STRING,
       .out = &s->host,
       .fallback = "0.0.0.0",
       .help = "address the MCP endpoint listens on"},
      {.name = "ANALYTICS_MCP_PORT",
       .type = CONFIG_INT,
       .out = &s->port,
       .fallback = "3334",
       .min = 0,
       .max = 65535,
       .help = "port of the MCP endpoint; 0 takes a free one"},
      {.name = "ADMIN_LISTEN",
       .type = CONFIG_STRING,
       .out = &raw.admin_listen,
       .fallback = "0.0.0.0:9464",
       .help = "/livez, /readyz, /metrics; off disables"},
      {.name = "ENABLE_AUTH",
       .type = CONFIG_BOOL,
       .out = &s->auth_enabled,
       .fallback = "true",
       .help = "false: every caller gets the local-development grant"},
      {.name = "ANALYTICS_MCP_ALLOWED_ORIGINS",
       .type = CONFIG_STRING,
       .out = &s->allowed_origins,
       .help = "browser origins, comma list; default http://localhost:PORT and its like"},
      {.name = "ANALYTICS_MCP_ALLOWED_HOSTS",
       .type = CONFIG_STRING,
       .out = &s->allowed_hosts,
       .help = "Host names answered to, comma list; default: loopback names when bound there"},
      {.name = "ANALYTICS_MCP_RESOURCE_URL",
       .type = CONFIG_STRING,
       .out = &s->resource_url,
       .help = "public URL of the endpoint; with the next one: OAuth metadata is served"},
      {.name = "ANALYTICS_MCP_AUTH_SERVERS",
       .type = CONFIG_STRING,
       .out = &s->auth_servers,
       .help = "issuers that give tokens for it, comma list"},
      {.name = "AUTH_SVC_ADDR",
       .type = CONFIG_STRING,
       .out = &s->auth_addr,
       .fallback = "127.0.0.1:50051",
       .help = "gRPC target of auth-svc"},
      {.name = "REPORT_SVC_ADDR",
       .type = CONFIG_STRING,
       .out = &s->report_addr,
       .fallback = "127.0.0.1:50052",
       .help = "gRPC target of report-svc"},
      {.name = "AGGREGATE_SVC_ADDR",
       .type = CONFIG_STRING,
       .out = &s->aggregate_addr,
       .fallback = "127.0.0.1:50053",
       .help = "gRPC target of aggregate-svc"},
      {.name = "GRPC_TLS_CERT",
       .type = CONFIG_STRING,
       .out = &s->tls.cert_file,
       .help = "PEM file of the client certificate towards the services"},
      {.name = "GRPC_TLS_KEY",
       .type = CONFIG_STRING,
       .out = &s->tls.key_file,
       .help = "PEM file of its key"},
      {.name = "GRPC_TLS_CA",
       .type = CONFIG_STRING,
       .out = &s->tls.ca_file,
       .help = "PEM file of the authority that signed the services' certificates"},
      {.name = "LOG_LEVEL",
       .type = CONFIG_STRING,
       .out = &raw.log_level,
       .help = "wins over FASTMCP_LOG_LEVEL"},
      {.name = "FASTMCP_LOG_LEVEL",
       .type = CONFIG_STRING,
       .out = &raw.plan_log_level,
       .fallback = "INFO",
       .help = "DEBUG, INFO, WARN, ERROR or OFF"},
      {.name = "ANALYTICS_MCP_THREADS",
       .type = CONFIG_INT,
       .out = &s->threads,
       .fallback = "2",
       .min = 1,
       .max = 64,
       .help = "threads of the HTTP listener"},
      {.name = "ANALYTICS_MCP_MAX_CONNECTIONS",
       .type = CONFIG_INT,
       .out = &s->max_connections,
       .fallback = "2048",
       .min = 4,
       .max = 65536,
       .help = "HTTP connections at once"},
      {.name = "ANALYTICS_MCP_MAX_BODY",
       .type = CONFIG_INT,
       .out = &s->max_body,
       .fallback = "4194304",
       .min = 1024,
       .max = 67108864,
       .help = "bytes of one request body; more is answered 413"},
      {.name = "ANALYTICS_MCP_MAX_SESSIONS",
       .type = CONFIG_INT,
       .out = &s->max_sessions,
       .fallback = "10000",
       .min = 1,
       .max = 1000000,
       .help = "MCP sessions; the one idle longest makes room"},
      {.name = "ANALYTICS_MCP_SESSION_IDLE_S",
       .type = CONFIG_INT,
       .out = &s->session_idle_s,
       .fallback = "3600",
       .min = 60,
       .max = 604800,
       .help = "seconds until an idle session ends"},
      {.name = "ANALYTICS_MCP_TOOL_TIMEOUT_MS",
       .type = CONFIG_INT,
       .out = &s->tool_timeout_ms,
       .fallback = "60000",
       .min = 100,
       .max = 600000,
       .help = "limit of a tool call for tools that set none"},
      {.name = "ANALYTICS_MCP_DRAIN_MS",
       .type = CONFIG_INT,
       .out = &s->drain_ms,
       .fallback = "500",
       .min = 0,
       .max = 120000,
       .help = "time to serve on after SIGTERM while others notice"},
      {.name = "ANALYTICS_MCP_GRACE_MS",
       .type = CONFIG_INT,
       .out = &s->grace_ms,
       .fallback = "10000",
       .min = 0,
       .max = 600000,
       .help = "time for requests under way at the end"},
  };
  if (!config_cli(argc, argv, "gateway", summary, NULL, vars, ARRAY_LEN(vars), exit_code))
    return false;
  struct err e = {0};
  if (config_load(vars, ARRAY_LEN(vars), &e) == ERR_OK && finish(s, &raw, &e) == ERR_OK)
    return true;
  fprintf(stderr, "gateway: %s\n", e.message);
  *exit_code = EXIT_CONFIG;
  return false;
}
