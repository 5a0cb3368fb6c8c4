/* report-svc: configuration, dependencies, registration, run, drain. */
#include "common/base/clock.h"
#include "common/base/descriptors.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/base/processors.h"
#include "common/http/admin.h"
#include "common/http/url.h"
#include "common/service/frame.h"
#include "common/service/healthcheck.h"
#include "report-svc/methods.h"
#include "report-svc/settings.h"
#include "report-svc/status/status.h"

struct program {
  struct settings settings;
  struct http_client *http;
  struct shared *shared;
  struct rpc_channel *auth;
  struct service service;
  struct rpc_server *server;
  struct admin *admin;
};

/* What the replicas share; NULL without REDIS_URL. */
static struct shared *make_shared(struct settings *s)
{
  bool own_ca = s->redis_ca_file != NULL;
  struct shared_options options = {
      .url = s->redis,
      .patience_ms = (uint32_t)s->redis_timeout_ms,
      .trust = {own_ca ? s->redis_ca_file : s->ca_file, own_ca ? NULL : s->ca_dir}};
  s->redis = (struct redis_url){0}; /* taken over */
  return options.url.host == NULL ? NULL : shared_new(&options);
}

static size_t transfer_threads(const struct settings *s)
{
  enum { MOST_BY_ITSELF = 4 };
  size_t n = processors();
  if (s->transfer_threads > 0)
    return (size_t)s->transfer_threads;
  return n < MOST_BY_ITSELF ? n : MOST_BY_ITSELF;
}

static enum err_code make_dependencies(struct program *p, struct err *e)
{
  struct settings *s = &p->settings;
  s->max_transfers = (int64_t)descriptors_reserve((size_t)s->max_transfers, "REPORT_MAX_TRANSFERS");
  struct http_client_options http = {.user_agent = "analytics-mcp/" AMCP_VERSION,
                                     .ca_file = s->ca_file,
                                     .ca_dir = s->ca_dir,
                                     .threads = transfer_threads(s),
                                     .max_transfers = (size_t)s->max_transfers + 16,
                                     .max_connections = (size_t)s->max_transfers,
                                     .max_host_connections = (size_t)s->max_transfers};
  struct rpc_channel_options auth = {.target = s->auth_addr,
                                     .tls = s->service.tls,
                                     .name = "auth-svc",
                                     .identity = s->auth_identity};
  if (http_client_new(&p->http, &http, e) != ERR_OK ||
      rpc_channel_new(&p->auth, &auth, e) != ERR_OK)
    return e->code;
  p->shared = make_shared(s);
  struct google_options google = {.http = p->http,
                                  .auth = p->auth,
                                  .data_endpoint = s->data_endpoint,
                                  .admin_endpoint = s->admin_endpoint,
                                  .timeout_ms = (uint32_t)s->timeout_ms,
                                  .backoff_ms = (uint32_t)s->backoff_ms,
                                  .max_transfers = (size_t)s->max_transfers,
                                  .deadline_ms = (uint32_t)s->deadline_ms,
                                  .budget = {(uint32_t)s->server_errors, s->quota_probe_s * 1000,
                                             (uint32_t)s->benchmark_percent},
                                  .benchmark_places = (size_t)s->benchmark_places,
                                  .benchmark_reports = (uint32_t)s->benchmark_reports,
                                  .properties_ttl_ms = s->properties_ttl_s * 1000,
                                  .lease_ms = (uint32_t)s->lease_ms,
                                  .shared = p->shared};
  p->service.google = google_new(&google);
  p->service.cache = cache_new((size_t)s->cache_bytes, s->cache_ttl_s * 1000);
  p->service.shared = p->shared;
  p->service.page_rows = s->page_rows;
  p->service.join_bytes = (size_t)s->join_bytes;
  p->service.intake_bytes = (size_t)s->intake_bytes;
  p->service.fan_out = (size_t)s->fan_out;
  p->service.self =
      (struct status_self){"report-svc", s->service.tls.cert_file, clock_unix_ms() / 1000};
  p->service.gate =
      (struct status_gate){p->auth, s->service.tls.cert_file != NULL ? s->gateway_identity : NULL};
  report_service_init(&p->service);
  return ERR_OK;
}

/* A missing auth-svc is reported, but it is not a reason to be taken out of service: calls wait for
 * it and then name it. */
static bool ready(void *user, struct buf *detail)
{
  struct program *p = user;
  struct governor *governor = google_governor(p->service.google);
  service_show_backend(detail, "auth-svc", p->auth);
  if (p->shared != NULL)
    buf_printf(detail, "ok redis: %s\n",
               shared_is_up(p->shared) ? "in use" : "unreachable; this replica uses its own state");
  buf_printf(detail, "ok google: %zu requests under way, %zu waiting\n", governor_active(governor),
             governor_waiting(governor));
  return true;
}

/* Endpoints are Google's unless somebody set them: a simulator under a name of its own, or a
 * mistake. */
static void warn_of_open_endpoints(const struct settings *s)
{
  const char *const endpoints[] = {s->data_endpoint, s->admin_endpoint};
  for (size_t i = 0; i < ARRAY_LEN(endpoints); i++)
    if (url_is_exposed(endpoints[i]))
      log_warn("access tokens are sent UNENCRYPTED to this endpoint; for a simulator only",
               LOG_S("endpoint", endpoints[i]));
}

static enum err_code start(void *program, struct err *e)
{
  struct program *p = program;
  const struct settings *s = &p->settings;
  struct rpc_server_options server = {
      .listen = s->grpc_listen, .tls = s->service.tls, .workers = (size_t)s->workers};
  struct admin_options admin = {.listen = s->service.admin_listen, .ready = ready, .user = p};
  warn_of_open_endpoints(s);
  metrics_on_render(report_status_gauges, &p->service);
  if (make_dependencies(p, e) != ERR_OK || rpc_server_new(&p->server, &server, e) != ERR_OK ||
      report_service_register(p->server, &p->service, e) != ERR_OK ||
      rpc_server_start(p->server, e) != ERR_OK || admin_start(&p->admin, &admin, e) != ERR_OK)
    return e->code;
  log_info("serving", LOG_I("port", rpc_server_port(p->server)),
           LOG_S("data_endpoint", s->data_endpoint));
  return ERR_OK;
}

/* Nobody is sent here any more, while calls are still taken. */
static void drain(void *program)
{
  struct program *p = program;
  admin_set_draining(p->admin);
  rpc_server_drain(p->server);
}

/* Calls end first, then what they use. */
static void stop(void *program)
{
  struct program *p = program;
  rpc_server_stop(p->server);
  admin_stop(p->admin);
  google_end_leases(p->service.google);
  rpc_channel_free(p->auth);
  shared_stop(p->shared); /* calls that it lets go on end with the client */
  http_client_free(p->http);
  google_free(p->service.google);
  cache_free(p->service.cache);
  report_service_end(&p->service);
  shared_free(p->shared);
}

int main(int argc, char **argv)
{
  static const struct service_frame frame = {
      .name = "report-svc", .start = start, .drain = drain, .stop = stop};
  static struct program p;
  int exit_code = EXIT_OK;
  bool healthcheck = service_wants_healthcheck(&argc, argv);
  mem_give_back_large(); /* reports of many dealers grow side by side */
  if (!report_settings_load(&p.settings, argc, argv, &exit_code))
    return healthcheck ? EXIT_FAILED : exit_code;
  if (healthcheck)
    return service_healthcheck_rpc("report-svc", p.settings.grpc_listen, &p.settings.service.tls);
  return service_run(&frame, &p.settings.service, &p);
}
