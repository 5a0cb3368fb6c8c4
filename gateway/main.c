/* gateway: MCP over HTTP in front of auth-svc, report-svc and aggregate-svc. */
#include <stdio.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "gateway/app.h"

int main(int argc, char **argv)
{
  struct settings settings;
  int exit_code = EXIT_OK;
  if (!settings_load(&settings, argc, argv, &exit_code))
    return exit_code;

  signals_init();
  log_init("gateway", settings.log_level);
  rpc_init();

  struct app *app = NULL;
  struct err e = {0};
  if (app_start(&app, &settings, &e) == ERR_OK) {
    signals_wait(NULL, NULL);
    log_info("ending");
    app_stop(app);
  } else {
    fprintf(stderr, "gateway: %s\n", e.message);
    exit_code = e.code == ERR_INVALID_ARGUMENT ? EXIT_CONFIG : EXIT_FAILED;
  }

  rpc_shutdown();
  return exit_code;
}
