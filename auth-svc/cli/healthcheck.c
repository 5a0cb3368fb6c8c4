/* auth-svc healthcheck: asks the running one whether it serves. */
#include "common/service/healthcheck.h"

#include <getopt.h>

#include "auth-svc/cli/cli.h"
#include "common/base/config.h"

int cli_healthcheck(int argc, char **argv, const char *help)
{
  static const struct option longs[] = {{"help", no_argument, NULL, 'h'}, {0}};
  struct settings s = {0};
  struct err e = {0};
  int exit_code = EXIT_USAGE;
  if (cli_option(argc, argv, "+h", longs, help, &exit_code) == 0)
    return exit_code;
  if (argc > 1)
    return cli_fail(EXIT_USAGE, argv[0], "%s: unexpected argument; see --help", argv[1]);
  if (settings_from_environment(&s, &e) == ERR_OK)
    exit_code = service_healthcheck_rpc("auth-svc", s.grpc_listen, &s.service.tls);
  else
    exit_code = cli_fail(EXIT_FAILED, argv[0], "%s", e.message);
  settings_free(&s);
  return exit_code;
}
