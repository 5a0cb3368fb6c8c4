/* Starts and stops a gateway and its backend. */
#include "tests/unit/gateway/running.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/app.h"
#include "tests/e2e/mcp/fake_backend.h"

void running_start(struct running *r, enum log_level level, const char *trusted_subject)
{
  char address[32];
  struct err e = {0};
  log_init("test", level);
  rpc_init();
  r->backend = fake_backend_start(0, false);
  if (r->backend == NULL)
    abort();
  snprintf(address, sizeof(address), "127.0.0.1:%u", fake_backend_port(r->backend));
  const struct settings s = {.host = "127.0.0.1",
                             .auth_enabled = true,
                             .auth_addr = address,
                             .report_addr = address,
                             .aggregate_addr = address,
                             .trusted_subject = trusted_subject,
                             .threads = 2,
                             .max_connections = 64,
                             .max_body = 65536,
                             .max_streams = 16,
                             .stream_check_s = 60,
                             .session_life_s = 3600,
                             .tool_timeout_ms = 2000,
                             .grace_ms = 500};
  if (app_start(&r->app, &s, &e) != ERR_OK) {
    fprintf(stderr, "gateway: %s\n", e.message);
    abort();
  }
  r->port = app_port(r->app);
}

void running_stop(struct running *r)
{
  app_stop(r->app);
  fake_backend_stop(r->backend);
  rpc_shutdown();
}
