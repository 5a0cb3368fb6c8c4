/* Reads and checks the settings every program has. */
#include "common/service/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/harden.h"
#include "common/base/mem.h"

/* Texts that are looked at after loading. */
struct raw {
  const char *log_level, *fastmcp_log_level, *admin_listen;
};

static enum err_code check_log_level(struct service_settings *s, const struct raw *raw,
                                     struct err *e)
{
  bool own = raw->log_level != NULL;
  const char *text = own ? raw->log_level : raw->fastmcp_log_level;
  if (log_level_parse(text, &s->log_level))
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                 "%s=%.40s: expected DEBUG, INFO, WARN, ERROR, CRITICAL or OFF",
                 own ? "LOG_LEVEL" : "FASTMCP_LOG_LEVEL", text);
}

static enum err_code check_admin(struct service_settings *s, const struct raw *raw, struct err *e)
{
  char host[256];
  uint16_t port;
  bool off = ascii_case_equal(raw->admin_listen, "off");
  s->admin_listen = off ? NULL : raw->admin_listen;
  if (off || config_split_hostport(raw->admin_listen, host, sizeof(host), &port))
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                 "ADMIN_LISTEN=%.80s: expected host:port, :port or off", raw->admin_listen);
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

/* What has another name now: set by somebody who counts on it. */
static enum err_code check_renamed(struct err *e)
{
  static const struct {
    const char *was, *is;
  } renamed[] = {{"ANALYTICS_MCP_DRAIN_MS", "AMCP_DRAIN_MS"},
                 {"REPORT_DRAIN_MS", "AMCP_DRAIN_MS"},
                 {"AGGREGATE_DRAIN_MS", "AMCP_DRAIN_MS"}};
  for (size_t i = 0; i < ARRAY_LEN(renamed); i++) {
    const char *text = getenv(renamed[i].was);
    if (text != NULL && *text != '\0')
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                     "%s has been renamed: set %s and unset it", renamed[i].was, renamed[i].is);
  }
  return ERR_OK;
}

static enum err_code load(struct service_settings *s, const struct raw *raw,
                          const struct config_var *vars, size_t n, struct err *e)
{
  enum err_code code = config_load(vars, n, e);
  if (code == ERR_OK)
    code = check_log_level(s, raw, e);
  if (code == ERR_OK)
    code = check_admin(s, raw, e);
  if (code == ERR_OK)
    code = check_renamed(e);
  if (code == ERR_OK)
    code = check_tls(&s->tls, e);
  return code == ERR_OK ? otlp_settings_check(&s->otlp, e) : code;
}

bool service_settings_refuse(const struct service_program *program, const struct err *e,
                             int *exit_code)
{
  fprintf(stderr, "%s: %s\n", program->name, e->message);
  *exit_code = EXIT_CONFIG;
  return false;
}

/* The program's own variables, then the shared ones; the caller frees them. */
static struct config_var *all_vars(struct service_settings *out, struct raw *raw,
                                   const struct config_var *own, size_t n_own, size_t *n)
{
  const struct config_var shared[] = {
      {"ADMIN_LISTEN", CONFIG_STRING, &raw->admin_listen, "0.0.0.0:9464", 0, 0, false,
       "address that serves /livez, /readyz and /metrics; off to serve them nowhere"},
      {"GRPC_TLS_CERT", CONFIG_STRING, &out->tls.cert_file, NULL, 0, 0, false,
       "certificate (PEM) shown to the other services; with GRPC_TLS_KEY and GRPC_TLS_CA: mTLS"},
      {"GRPC_TLS_KEY", CONFIG_STRING, &out->tls.key_file, NULL, 0, 0, false,
       "private key (PEM) of GRPC_TLS_CERT"},
      {"GRPC_TLS_CA", CONFIG_STRING, &out->tls.ca_file, NULL, 0, 0, false,
       "CA certificates (PEM) that the other services' certificates must be signed by"},
      {"FASTMCP_LOG_LEVEL", CONFIG_STRING, &raw->fastmcp_log_level, "INFO", 0, 0, false,
       "lowest level that is logged; LOG_LEVEL takes precedence"},
      {"LOG_LEVEL", CONFIG_STRING, &raw->log_level, NULL, 0, 0, false,
       "DEBUG, INFO, WARN, ERROR, CRITICAL or OFF"},
      {"GRPC_POLLERS", CONFIG_INT, &out->pollers, "0", 0, 16, false,
       "threads that poll gRPC for the whole process; 0 for one per two processors"},
      {"AMCP_DRAIN_MS", CONFIG_INT, &out->drain_ms, "500", 0, 120000, false,
       "time to go on serving after SIGTERM, no longer ready, until callers have gone elsewhere"},
      {HARDEN_SETTING, CONFIG_BOOL, &out->allow_core_dumps, "false", 0, 0, false, HARDEN_HELP},
  };
  *out = (struct service_settings){0};
  *n = n_own + ARRAY_LEN(shared) + OTLP_N_SETTINGS;
  struct config_var *vars = xcalloc(*n, sizeof(*vars));
  memcpy(vars, own, n_own * sizeof(*own));
  memcpy(vars + n_own, shared, sizeof(shared));
  otlp_settings_vars(&out->otlp, vars + n_own + ARRAY_LEN(shared));
  return vars;
}

enum err_code service_settings_read(struct service_settings *out, const struct config_var *own,
                                    size_t n_own, struct err *e)
{
  struct raw raw = {0};
  size_t n;
  AUTO_FREE struct config_var *vars = all_vars(out, &raw, own, n_own, &n);
  return load(out, &raw, vars, n, e);
}

bool service_settings_load(struct service_settings *out, const struct service_program *program,
                           const struct config_var *own, size_t n_own, int argc, char **argv,
                           int *exit_code)
{
  struct raw raw = {0};
  struct err e = {0};
  size_t n;
  AUTO_FREE struct config_var *vars = all_vars(out, &raw, own, n_own, &n);
  if (!config_cli(argc, argv, program->name, program->summary, program->usage, vars, n, exit_code))
    return false;
  return load(out, &raw, vars, n, &e) == ERR_OK || service_settings_refuse(program, &e, exit_code);
}
