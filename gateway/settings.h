/* The gateway's configuration, from the environment. */
#ifndef AMCP_GATEWAY_SETTINGS_H
#define AMCP_GATEWAY_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/service/settings.h"

struct settings {
  struct service_settings service;
  const char *host;
  int64_t port;
  bool auth_enabled, sessionless, asks_in_sessions;
  const char *allowed_origins, *allowed_hosts, *toolsets;
  const char *resource_url, *auth_servers, *scopes;
  const char *session_key_file; /* NULL: none */
  const char *auth_addr, *report_addr, *aggregate_addr;
  const char *auth_identity, *report_identity, *aggregate_identity; /* of their certificates */
  int64_t threads, max_connections, max_body, session_life_s, max_streams, stream_check_s,
      tool_timeout_ms;
  int64_t grace_ms;
  /* 0 takes the share's own default (gateway/share/share.h). */
  int64_t share_calls, share_calls_per_minute, share_requests_per_minute, share_body_bytes,
      share_answer_bytes, share_running, share_comparisons, max_running, max_answer_bytes,
      strangers_per_minute;
  bool unlimited;                                                   /* no shares */
  const char *trusted_subject;                                      /* NULL: nobody */
  const char *connect_url, *connect_operator, *connect_privacy_url; /* each NULL: none */
  const char *connect_authorization;
  int64_t connect_requests_per_minute;
  const char *trusted_proxies, *forwarded_header;          /* NULL: none; the default */
  const char *status_listen;                               /* NULL: no page for operators */
  const char *status_cert, *status_key, *status_client_ca; /* all or none */
};

/* Handles --help and --version and reads the environment. False: end with *exit_code; what
 * is wrong was printed. */
bool gateway_settings_load(struct settings *s, int argc, char **argv, int *exit_code);

#endif
