/* The gateway's configuration, from the environment. */
#include "gateway/settings.h"

#include "common/base/mem.h"
#include "common/service/healthcheck.h"
#include "gateway/catalog/catalog.h"

static const struct service_program program = {
    .name = "gateway",
    .summary = "MCP gateway: serves the tools of auth-svc, report-svc and aggregate-svc at /mcp",
    .usage = "       gateway ask URL        asks a running endpoint the first "
             "question\n" SERVICE_HEALTHCHECK_USAGE("gateway")};

bool gateway_settings_load(struct settings *s, int argc, char **argv, int *exit_code)
{
  *s = (struct settings){0};
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
      {.name = "ENABLE_AUTH",
       .type = CONFIG_BOOL,
       .out = &s->auth_enabled,
       .fallback = "true",
       .help = "false: every caller gets the local-development grant"},
      {.name = "ANALYTICS_MCP_ALLOWED_ORIGINS",
       .type = CONFIG_STRING,
       .out = &s->allowed_origins,
       .help = "comma-separated browser origins; default: http://localhost:PORT and the other "
               "loopback origins"},
      {.name = "ANALYTICS_MCP_ALLOWED_HOSTS",
       .type = CONFIG_STRING,
       .out = &s->allowed_hosts,
       .help = "comma-separated host names to answer to; default: loopback names when bound to "
               "loopback"},
      {.name = "ANALYTICS_MCP_TOOLSETS",
       .type = CONFIG_STRING,
       .out = &s->toolsets,
       .fallback = "benchmarks,vehicles,reports,admin",
       .help = "comma-separated sets of tools that are listed: benchmarks, vehicles, reports, "
               "admin, advanced, or all"},
      {.name = "ANALYTICS_MCP_RESOURCE_URL",
       .type = CONFIG_STRING,
       .out = &s->resource_url,
       .help =
           "public URL of the endpoint; with ANALYTICS_MCP_AUTH_SERVERS, OAuth metadata is served"},
      {.name = "ANALYTICS_MCP_AUTH_SERVERS",
       .type = CONFIG_STRING,
       .out = &s->auth_servers,
       .help = "comma-separated issuers of tokens for ANALYTICS_MCP_RESOURCE_URL"},
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
       .help = "most HTTP connections open at once"},
      {.name = "ANALYTICS_MCP_MAX_BODY",
       .type = CONFIG_INT,
       .out = &s->max_body,
       .fallback = "4194304",
       .min = 1024,
       .max = 67108864,
       .help = "most bytes of one request body; a larger one is answered 413"},
      {.name = "ANALYTICS_MCP_MAX_SESSIONS",
       .type = CONFIG_INT,
       .out = &s->max_sessions,
       .fallback = "10000",
       .min = 1,
       .max = 1000000,
       .help = "most MCP sessions at once; then the one idle longest is ended for a new one"},
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
       .help = "time limit of a tool call, for tools that set none of their own"},
      {.name = "ANALYTICS_MCP_DRAIN_MS",
       .type = CONFIG_INT,
       .out = &s->drain_ms,
       .fallback = "500",
       .min = 0,
       .max = 120000,
       .help = "time to keep serving after SIGTERM, until load balancers have noticed"},
      {.name = "ANALYTICS_MCP_GRACE_MS",
       .type = CONFIG_INT,
       .out = &s->grace_ms,
       .fallback = "10000",
       .min = 0,
       .max = 600000,
       .help = "time that requests under way get to finish after that"},
  };
  unsigned toolsets;
  struct err e = {0};
  if (!service_settings_load(&s->service, &program, vars, ARRAY_LEN(vars), argc, argv, exit_code))
    return false;
  if (catalog_toolsets_read(&toolsets, s->toolsets, &e) == ERR_OK)
    return true;
  err_prefix(&e, "ANALYTICS_MCP_TOOLSETS: ");
  return service_settings_refuse(&program, &e, exit_code);
}
