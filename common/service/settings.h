/* The settings every program of the set has: certificates, admin listener, log, hardening. */
#ifndef AMCP_SERVICE_SETTINGS_H
#define AMCP_SERVICE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/otlp/settings.h"
#include "common/rpc/rpc.h"

/* Help of a setting that names the certificate of a service reached at `addr`. */
#define SERVICE_IDENTITY_HELP(addr)                                                                \
  "with mTLS: SPIFFE id or DNS name that the certificate at " addr                                 \
  " must hold; its host when not set"

struct service_settings {
  const char *admin_listen; /* NULL: none */
  struct rpc_tls tls;       /* all three or none */
  enum log_level log_level;
  bool allow_core_dumps;
  int64_t pollers;  /* of gRPC; 0: one per two processors */
  int64_t drain_ms; /* from the signal to the end of taking calls */
  struct otlp_settings otlp;
};

/* A program, as --help and its messages name it. */
struct service_program {
  const char *name;    /* "report-svc" */
  const char *summary; /* one sentence */
  const char *usage;   /* further lines of --help about subcommands; NULL for none */
};

/* The command line, then the environment: the program's own variables and the shared ones,
 * in that order in --help, and the checks of the shared ones. True when the program should
 * go on; else *exit_code says how to end, and what was wrong has been printed. */
bool service_settings_load(struct service_settings *out, const struct service_program *program,
                           const struct config_var *own, size_t n_own, int argc, char **argv,
                           int *exit_code);

/* The same without a command line, for a subcommand: reads and checks the environment alone. */
enum err_code service_settings_read(struct service_settings *out, const struct config_var *own,
                                    size_t n_own, struct err *e);

/* For a check of the program's own that failed: prints why and sets *exit_code. Returns false,
 * for the caller to return. */
bool service_settings_refuse(const struct service_program *program, const struct err *e,
                             int *exit_code);

#endif
