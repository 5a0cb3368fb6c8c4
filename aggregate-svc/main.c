/* aggregate-svc: configuration, dependencies, registration, run, drain. */
#include "aggregate-svc/call/service.h"
#include "aggregate-svc/methods.h"
#include "aggregate-svc/settings.h"
#include "aggregate-svc/status/own.h"
#include "common/base/clock.h"
#include "common/http/admin.h"
#include "common/service/frame.h"
#include "common/service/healthcheck.h"

struct program {
  struct settings settings;
  struct aggregate_service service;
  struct rpc_server *server;
  struct admin *admin;
};

static enum err_code open_releases(struct program *p, struct err *e)
{
  const struct release_store_options *o = &p->settings.releases;
  enum err_code code = release_store_new(&p->service.store, o, e);
  if (code == ERR_OK && o->database_url == NULL && o->state_dir == NULL)
    log_warn("released figures are kept in memory and a restart forgets them; set "
             "AGGREGATE_STATE_DIR, or DATABASE_URL for several replicas");
  aggregate_settings_wipe(&p->settings);
  return code;
}

static enum err_code make_dependencies(struct program *p, struct err *e)
{
  const struct settings *s = &p->settings;
  struct rpc_channel_options auth = {.target = s->auth_addr,
                                     .tls = s->service.tls,
                                     .name = "auth-svc",
                                     .identity = s->auth_identity};
  struct rpc_channel_options report = {.target = s->report_addr,
                                       .tls = s->service.tls,
                                       .name = "report-svc",
                                       .identity = s->report_identity};
  if (rpc_channel_new(&p->service.auth, &auth, e) != ERR_OK ||
      rpc_channel_new(&p->service.report, &report, e) != ERR_OK)
    return e->code;
  p->service.pool = pool_new("aggregate", (size_t)s->workers, (size_t)s->queue_max);
  p->service.options = s->options;
  p->service.self =
      (struct status_self){"aggregate-svc", s->service.tls.cert_file, clock_unix_ms() / 1000};
  p->service.gateway_identity = s->service.tls.cert_file != NULL ? s->gateway_identity : NULL;
  aggregate_service_init(&p->service);
  return open_releases(p, e);
}

/* A missing backend is reported, not a reason to be taken out of service: calls try for a
 * while and then name it. A store of releases that was never reached is one. */
static bool ready(void *user, struct buf *detail)
{
  struct program *p = user;
  service_show_backend(detail, "auth-svc", p->service.auth);
  service_show_backend(detail, "report-svc", p->service.report);
  buf_printf(detail, "ok calls: %lld under way\n", (long long)atomic_load(&p->service.calls));
  return release_store_ready(p->service.store, detail);
}

static enum err_code start(void *program, struct err *e)
{
  struct program *p = program;
  const struct settings *s = &p->settings;
  metrics_on_render(status_own_gauges, &p->service);
  struct rpc_server_options server = {
      .listen = s->grpc_listen, .tls = s->service.tls, .workers = 1 /* for GetStatus alone */};
  struct admin_options admin = {.listen = s->service.admin_listen, .ready = ready, .user = p};
  if (make_dependencies(p, e) != ERR_OK || rpc_server_new(&p->server, &server, e) != ERR_OK ||
      aggregate_register(p->server, &p->service, e) != ERR_OK ||
      rpc_server_start(p->server, e) != ERR_OK || admin_start(&p->admin, &admin, e) != ERR_OK)
    return e->code;
  log_info("serving", LOG_I("port", rpc_server_port(p->server)));
  return ERR_OK;
}

/* Nobody is sent here any more, while calls are still taken. */
static void drain(void *program)
{
  struct program *p = program;
  admin_set_draining(p->admin);
  rpc_server_drain(p->server);
}

/* What goes on without a caller ends first, then calls, then what they use. */
static void stop(void *program)
{
  struct program *p = program;
  aggregate_service_stop(&p->service);
  rpc_server_stop(p->server);
  admin_stop(p->admin);
  rpc_channel_free(p->service.auth);
  rpc_channel_free(p->service.report);
  if (p->service.pool != NULL)
    pool_free(p->service.pool);
  aggregate_service_free(&p->service);
  release_store_free(p->service.store);
}

int main(int argc, char **argv)
{
  static const struct service_frame frame = {
      .name = "aggregate-svc", .start = start, .drain = drain, .stop = stop};
  static struct program p;
  int exit_code = EXIT_OK;
  bool healthcheck = service_wants_healthcheck(&argc, argv);
  if (!aggregate_settings_load(&p.settings, argc, argv, &exit_code))
    return healthcheck ? EXIT_FAILED : exit_code;
  if (healthcheck)
    return service_healthcheck_rpc("aggregate-svc", p.settings.grpc_listen,
                                   &p.settings.service.tls);
  return service_run(&frame, &p.settings.service, &p);
}
