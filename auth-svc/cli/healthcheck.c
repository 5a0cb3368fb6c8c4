/* auth-svc healthcheck: asks the running one whether it serves. */
#include "common/service/healthcheck.h"

#include "auth-svc/cli/cli.h"
#include "common/base/config.h"

int cli_healthcheck(int argc, char **argv, const char *help)
{
  static const struct cli_option none[] = {{0}};
  struct settings s = {0};
  struct err e = {0};
  int exit_code;
  if (cli_read(argc, argv, help, none, 0, 0, "takes no argument", &exit_code) == NULL)
    return exit_code;
  if (settings_from_environment(&s, &e) == ERR_OK)
    exit_code = service_healthcheck_rpc("auth-svc", s.grpc_listen, &s.service.tls);
  else
    exit_code = cli_fail(EXIT_FAILED, argv[0], "%s", e.message);
  settings_free(&s);
  return exit_code;
}
