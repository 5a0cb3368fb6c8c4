/* gateway: MCP over HTTP in front of auth-svc, report-svc and aggregate-svc. */
#include "common/service/frame.h"
#include "gateway/app.h"

struct program {
  struct settings settings;
  struct app *app;
};

static enum err_code start(void *program, struct err *e)
{
  struct program *p = program;
  return app_start(&p->app, &p->settings, e);
}

static void stop(void *program)
{
  struct program *p = program;
  app_stop(p->app);
}

int main(int argc, char **argv)
{
  static const struct service_frame frame = {.name = "gateway", .start = start, .stop = stop};
  struct program p = {0};
  int exit_code = EXIT_OK;
  if (!gateway_settings_load(&p.settings, argc, argv, &exit_code))
    return exit_code;
  return service_run(&frame, &p.settings.service, &p);
}
