/* report-svc in the test's process. */
#include "tests/unit/isolation/report_side.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "report-svc/methods.h"

struct report_side {
  struct service service;
  struct rpc_server *server;
};

struct report_side *report_side_start(struct http_client *http, struct rpc_channel *auth,
                                      const char *google)
{
  struct report_side *r = xcalloc(1, sizeof(*r));
  const struct google_options options = {.http = http,
                                         .auth = auth,
                                         .data_endpoint = google,
                                         .admin_endpoint = google,
                                         .timeout_ms = 5000,
                                         .backoff_ms = 5,
                                         .max_transfers = 128};
  const struct rpc_server_options server = {
      .listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 2000};
  r->service = (struct service){
      .google = google_new(&options), .cache = cache_new(1 << 20, 60000), .page_rows = 100000};
  report_service_init(&r->service);
  struct err e = {0};
  if (rpc_server_new(&r->server, &server, &e) != ERR_OK ||
      report_service_register(r->server, &r->service, &e) != ERR_OK ||
      rpc_server_start(r->server, &e) != ERR_OK) {
    fprintf(stderr, "report side: %s\n", e.message);
    abort();
  }
  return r;
}

struct rpc_server *report_side_server(struct report_side *r)
{
  return r->server;
}

void report_side_stop(struct report_side *r)
{
  rpc_server_stop(r->server);
}

void report_side_free(struct report_side *r)
{
  report_service_end(&r->service);
  google_free(r->service.google);
  cache_free(r->service.cache);
  free(r);
}
