/* gateway: MCP over HTTP in front of auth-svc, report-svc and aggregate-svc. */
#include <stdio.h>
#include <string.h>

#include "common/service/frame.h"
#include "common/service/healthcheck.h"
#include "gateway/app.h"
#include "gateway/ask.h"

/* Its own word where it has an admin listener, else that the MCP port answers at all. */
static int ask_running(const struct settings *s)
{
  char endpoint[300];
  if (s->service.admin_listen != NULL)
    return service_healthcheck_http("gateway", s->service.admin_listen, "/readyz", false);
  bool v6 = strchr(s->host, ':') != NULL;
  snprintf(endpoint, sizeof(endpoint), "%s%s%s:%d", v6 ? "[" : "", s->host, v6 ? "]" : "",
           (int)s->port);
  return service_healthcheck_http("gateway", endpoint, "/mcp", true);
}

struct program {
  struct settings settings;
  struct app *app;
};

static enum err_code start(void *program, struct err *e)
{
  struct program *p = program;
  return app_start(&p->app, &p->settings, e);
}

static void drain(void *program)
{
  struct program *p = program;
  app_drain(p->app);
}

static void stop(void *program)
{
  struct program *p = program;
  app_stop(p->app);
}

int main(int argc, char **argv)
{
  static const struct service_frame frame = {
      .name = "gateway", .start = start, .drain = drain, .stop = stop};
  struct program p = {0};
  int exit_code = EXIT_OK;
  if (gateway_ask(argc, argv, &exit_code))
    return exit_code;
  bool healthcheck = service_wants_healthcheck(&argc, argv);
  if (!gateway_settings_load(&p.settings, argc, argv, &exit_code))
    return healthcheck ? EXIT_FAILED : exit_code;
  if (healthcheck)
    return ask_running(&p.settings);
  return service_run(&frame, &p.settings.service, &p);
}
