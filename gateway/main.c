/* gateway: MCP over HTTP in front of auth-svc, report-svc and aggregate-svc. */
#include "common/service/frame.h"
#include "gateway/app.h"

int main(int argc, char **argv)
{
  struct settings settings;
  struct app *app = NULL;
  struct err e = {0};
  int exit_code = EXIT_OK;
  if (!gateway_settings_load(&settings, argc, argv, &exit_code))
    return exit_code;
  service_begin("gateway", &settings.service);
  if (app_start(&app, &settings, &e) == ERR_OK)
    service_wait();
  else
    exit_code = service_failed("gateway", &e);
  app_stop(app);
  service_end();
  return exit_code;
}
