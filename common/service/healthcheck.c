/* Asks the running program whether it serves. */
#include "common/service/healthcheck.h"

#include <stdio.h>
#include <string.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "common/base/probe.h"
#include "grpc/health/v1/health.pb-c.h"

#define SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING

bool service_wants_healthcheck(int *argc, char **argv)
{
  if (*argc < 2 || strcmp(argv[1], "healthcheck") != 0)
    return false;
  (*argc)--;
  for (int i = 1; i <= *argc; i++)
    argv[i] = argv[i + 1];
  return *argc == 1;
}

static int unwell(const char *program, const char *why)
{
  fprintf(stderr, "%s healthcheck: %s\n", program, why);
  return EXIT_FAILED;
}

static enum err_code ask(const struct rpc_channel_options *options, struct err *e)
{
  struct rpc_channel *channel;
  ProtobufCMessage *answer = NULL;
  Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
  const struct rpc_client_options limits = {.timeout_ms = PROBE_TIMEOUT_MS};
  enum err_code code = rpc_channel_new(&channel, options, e);
  if (code != ERR_OK)
    return code;
  code = rpc_client_call_sync(&answer, channel, &grpc__health__v1__health__descriptor, "Check",
                              &request.base, &limits, e);
  rpc_channel_free(channel);
  if (code != ERR_OK)
    return code;
  bool serving = ((Grpc__Health__V1__HealthCheckResponse *)answer)->status == SERVING;
  protobuf_c_message_free_unpacked(answer, NULL);
  return serving ? ERR_OK : err_set(e, ERR_UNAVAILABLE, "not_serving", "it is not serving");
}

int service_healthcheck_rpc(const char *program, const char *listen, const struct rpc_tls *tls)
{
  char address[300];
  struct err e = {0};
  if (!probe_own_address(listen, address, sizeof(address)))
    return unwell(program, "GRPC_LISTEN must be host:port");
  log_init(program, LOG_LEVEL_OFF); /* the running one has logged what there is to log */
  const struct rpc_channel_options options = {
      .target = address, .tls = *tls, .name = program, .any_host = true};
  rpc_init();
  enum err_code code = ask(&options, &e);
  rpc_shutdown();
  return code == ERR_OK ? EXIT_OK : unwell(program, e.message);
}

int service_healthcheck_http(const char *program, const char *listen, const char *path,
                             bool any_status)
{
  char address[300], why[400];
  struct err e = {0};
  int status = 0;
  if (!probe_own_address(listen, address, sizeof(address)))
    return unwell(program, "the address it listens at must be host:port");
  if (probe_http(&status, address, path, &e) != ERR_OK)
    return unwell(program, e.message);
  snprintf(why, sizeof(why), "http://%s%s answered %d", address, path, status);
  return any_status || status == 200 ? EXIT_OK : unwell(program, why);
}
